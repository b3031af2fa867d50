//! The texts in which one content is searched: its bytes, UTF-16 as UTF-8, and what can be decoded, layer by layer.

use std::borrow::Cow;
use std::ops::Range;

use crate::content::Copied;
use crate::decode::spare::Spare;
use crate::decode::{self, Segment, blocks};
use crate::finding::Decoded;
use crate::scanner::trail::{self, Trail};
use crate::scanner::utf16;

/// One text and how it came from another.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// What is searched.
    pub(crate) text: Cow<'a, [u8]>,
    /// The view that it was decoded from, and what was decoded; none for the content itself.
    pub(crate) parent: Option<(usize, Vec<Segment>)>,
    /// Which text that is searched before it shares long runs with it.
    pub(crate) kin: Kin,
}

/// A text searched before, and the runs of it that stand in this one too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kin {
    /// None.
    None,
    /// The view that this one was decoded from.
    Parent(Vec<Copied>),
    /// The same view of the content that this one's content was made from.
    Earlier(Vec<Copied>),
}

/// All texts of a content, parents before children.
#[derive(Debug)]
pub(crate) struct Views<'a> {
    views: Vec<View<'a>>,
    closed: bool,
}

/// A place in a view, traced to the text that lines and columns are counted in.
#[derive(Clone, Debug)]
pub(crate) struct Traced {
    /// The view at the root.
    pub(crate) root: usize,
    /// The place there: of a decoded match, what it was decoded from.
    pub(crate) range: Range<usize>,
    /// How it was decoded.
    pub(crate) decoded: Option<Decoded>,
}

impl<'a> Views<'a> {
    /// The content, and what up to `depth` passes decode from it. With the trail of an earlier content and the runs that
    /// they share, only what is new is decoded.
    pub(crate) fn of(bytes: &'a [u8], depth: usize, earlier: Option<(&Trail, &[Copied])>, spare: &Spare) -> Self {
        let wide = utf16::as_utf8(bytes);
        let earlier = earlier.filter(|_| wide.is_none());
        let runs = earlier.map(|(_, runs)| trail::long(runs.iter().copied()));
        let kin = runs.filter(|runs| !runs.is_empty()).map_or(Kin::None, Kin::Earlier);
        let mut views = vec![View { text: Cow::Borrowed(bytes), parent: None, kin }];
        // The raw bytes are searched too: a byte order mark alone must not hide a text.
        views.extend(wide.map(|text| View { text: Cow::Owned(text), parent: None, kin: Kin::None }));
        let mut inflated = views.len() > 1;
        for root in 0..views.len() {
            let mut parent = root;
            for _ in 0..depth {
                let trail = earlier.map(|(trail, _)| trail);
                let Some((view, any)) = next(&views[parent], parent, trail, spare) else { break };
                inflated |= any;
                views.push(view);
                parent = views.len() - 1;
            }
        }
        Self { views, closed: inflated }
    }

    /// Gives the memory of decoded texts back.
    pub(crate) fn give_back(self, spare: &Spare) {
        for view in self.views {
            if let Cow::Owned(text) = view.text {
                spare.take_back(text);
            }
        }
    }

    /// Whether what was decoded cannot be taken over by another content.
    pub(crate) fn are_closed(&self) -> bool {
        self.closed
    }

    /// What was searched before a view and shares runs with it.
    pub(crate) fn kin(&self, view: usize) -> &Kin {
        &self.views[view].kin
    }

    /// The view that this one was decoded from.
    pub(crate) fn parent(&self, view: usize) -> Option<usize> {
        self.views[view].parent.as_ref().map(|(parent, _)| *parent)
    }

    /// Leaves in the tracks of a trail what each view was decoded to.
    pub(crate) fn keep_segments(&self, trail: &mut Trail) {
        for view in &self.views {
            if let Some((parent, segments)) = &view.parent
                && let Some(track) = trail.tracks.get_mut(*parent)
            {
                track.keep_segments(segments, &view.text);
            }
        }
    }

    /// Parents before children.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &View<'a>)> {
        self.views.iter().enumerate()
    }

    /// The bytes of a view.
    pub(crate) fn text(&self, view: usize) -> &[u8] {
        &self.views[view].text
    }

    /// What was decoded to make a view; none for the content itself.
    pub(crate) fn segments(&self, view: usize) -> Option<&[Segment]> {
        self.views[view].parent.as_ref().map(|(_, segments)| &segments[..])
    }

    /// Where a match comes from: a segment that it only touches, where it does not begin or end in one, is a part of it,
    /// since it says where the match begins or ends.
    pub(crate) fn trace_match(&self, view: usize, range: &Range<usize>) -> Traced {
        let segments = self.segments(view).unwrap_or_default();
        let (inside, touched) = (overlapping(segments, range), touching(segments, range));
        let begins_in_one = inside.first().is_some_and(|segment| segment.decoded.start <= range.start);
        let ends_in_one = inside.last().is_some_and(|segment| segment.decoded.end >= range.end);
        let first = touched.first().filter(|_| !begins_in_one).map_or(range.start, |first| first.decoded.start);
        let last = touched.last().filter(|_| !ends_in_one).map_or(range.end, |last| last.decoded.end);
        self.trace(view, &(first.min(range.start)..last.max(range.end)))
    }

    /// Where a place that overlaps nothing decoded stood in the view before.
    pub(crate) fn before(&self, view: usize, range: &Range<usize>) -> Option<(usize, Range<usize>)> {
        let (parent, segments) = self.views[view].parent.as_ref()?;
        overlapping(segments, range).is_empty().then(|| (*parent, to_parent(segments, range)))
    }

    /// Where a place of a view comes from.
    pub(crate) fn trace(&self, view: usize, range: &Range<usize>) -> Traced {
        let Some((parent, segments)) = &self.views[view].parent else {
            return Traced { root: view, range: range.clone(), decoded: None };
        };
        let inside = overlapping(segments, range);
        let mut traced = self.trace(*parent, &to_parent(segments, range));
        if !inside.is_empty() {
            let decoded = traced.decoded.get_or_insert_default();
            decoded.depth += 1;
            for segment in inside {
                if !decoded.kinds.contains(&segment.kind) {
                    decoded.kinds.push(segment.kind);
                }
            }
        }
        traced
    }
}

/// What the next pass decodes from a view, and whether anything was inflated for it.
fn next(view: &View<'_>, number: usize, earlier: Option<&Trail>, spare: &Spare) -> Option<(View<'static>, bool)> {
    let text = &view.text;
    let (Kin::Earlier(runs), Some(track)) = (&view.kin, earlier.and_then(|trail| trail.tracks.get(number))) else {
        // What stands apart from what was decoded has been looked at.
        let zones = match &view.parent {
            None => std::iter::once(0..text.len()).collect(),
            Some((_, segments)) => blocks::around(text, segments.iter().map(|segment| segment.decoded.clone())),
        };
        let layer = decode::layer(text, &zones, &[], spare)?;
        let kin = unchanged(&layer.segments, text.len());
        return Some((view_of(layer.text, number, layer.segments, kin), layer.inflated));
    };
    let zones = blocks::around(text, trail::gaps(runs, track.len, text.len()));
    let (known, parts) = track.known(runs, &zones);
    let layer = decode::layer(text, &zones, &known, spare)?;
    let shared = parts.iter().map(|part| {
        let from = trail::decoded_place(&track.segments, part.from);
        let to = trail::decoded_place(&layer.segments, part.to);
        Copied { from, to, len: trail::decoded_place(&track.segments, part.from + part.len) - from }
    });
    let shared = trail::long(shared);
    let kin = match track.segments.is_empty() || shared.is_empty() {
        true => unchanged(&layer.segments, text.len()),
        false => Kin::Earlier(shared),
    };
    Some((view_of(layer.text, number, layer.segments, kin), layer.inflated))
}

fn view_of(text: Vec<u8>, parent: usize, segments: Vec<Segment>, kin: Kin) -> View<'static> {
    View { text: Cow::Owned(text), parent: Some((parent, segments)), kin }
}

/// What stands between the segments.
fn unchanged(segments: &[Segment], len: usize) -> Kin {
    let (mut from, mut to) = (0, 0);
    let between = segments.iter().map(|segment| (segment.original.clone(), segment.decoded.clone()));
    let runs = trail::long(between.chain([(len..len, 0..0)]).map(|(original, decoded)| {
        let run = Copied { from, to, len: original.start - from };
        (from, to) = (original.end, decoded.end);
        run
    }));
    if runs.is_empty() { Kin::None } else { Kin::Parent(runs) }
}

/// The segments that a range of the decoded text overlaps.
pub(crate) fn overlapping<'s>(segments: &'s [Segment], range: &Range<usize>) -> &'s [Segment] {
    let first = segments.partition_point(|segment| segment.decoded.end <= range.start);
    let count = segments[first..].partition_point(|segment| segment.decoded.start < range.end);
    &segments[first..first + count]
}

/// The segments that a range of the decoded text overlaps or touches.
pub(crate) fn touching<'s>(segments: &'s [Segment], range: &Range<usize>) -> &'s [Segment] {
    let first = segments.partition_point(|segment| segment.decoded.end < range.start);
    let count = segments[first..].partition_point(|segment| segment.decoded.start <= range.end);
    &segments[first..first + count]
}

/// Where a range stood before decoding; an end within a segment becomes the segment's end.
fn to_parent(segments: &[Segment], range: &Range<usize>) -> Range<usize> {
    let shifted = |offset: usize, before: usize| {
        let (was, is) =
            before.checked_sub(1).map_or((0, 0), |last| (segments[last].original.end, segments[last].decoded.end));
        was + (offset - is)
    };
    let before = segments.partition_point(|segment| segment.decoded.end <= range.start);
    let start = match segments.get(before).filter(|segment| segment.decoded.start <= range.start) {
        Some(segment) => segment.original.start,
        None => shifted(range.start, before),
    };
    let before = segments.partition_point(|segment| segment.decoded.end < range.end);
    let end = match segments.get(before).filter(|segment| segment.decoded.start < range.end) {
        Some(segment) => segment.original.end,
        None => shifted(range.end, before),
    };
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views() -> Views<'static> {
        // "ab[4 bytes]cd[2 bytes]ef", each segment decoded to three bytes, then the second of them once more.
        let first = vec![segment(2..6, 2..5, "hex"), segment(8..10, 7..10, "percent")];
        let second = vec![segment(7..10, 7..8, "base64")];
        let view = |text: &'static [u8], parent| View { text: Cow::Borrowed(text), parent, kin: Kin::None };
        let views = vec![
            view(b"abHHHHcdPPef", None),
            view(b"abxyzcdpqref", Some((0, first))),
            view(b"abxyzcdDef", Some((1, second))),
        ];
        Views { views, closed: false }
    }

    fn segment(original: Range<usize>, decoded: Range<usize>, kind: &'static str) -> Segment {
        Segment { original, decoded, kind }
    }

    #[test]
    fn places_lead_back_to_the_encoded_text() {
        let traced = views().trace(1, &(0..4));
        assert_eq!((traced.range, traced.decoded.unwrap().kinds), (0..6, vec!["hex"]));
        let traced = views().trace(1, &(3..8));
        assert_eq!((traced.range, traced.decoded.unwrap().kinds), (2..10, vec!["hex", "percent"]));
        let traced = views().trace(2, &(6..9));
        let decoded = traced.decoded.unwrap();
        assert_eq!((traced.range, decoded.kinds, decoded.depth), (7..11, vec!["percent", "base64"], 2));
        let traced = views().trace(2, &(8..10));
        assert_eq!((traced.range, traced.decoded), (10..12, None));
    }

    #[test]
    fn a_range_that_touches_a_segment_does_not_overlap_it() {
        let segments = [segment(2..6, 2..5, "hex")];
        assert!(overlapping(&segments, &(0..2)).is_empty());
        assert!(overlapping(&segments, &(5..6)).is_empty());
        assert_eq!(overlapping(&segments, &(4..6)).len(), 1);
        assert_eq!([0..1, 0..2, 5..6, 6..7].map(|range| touching(&segments, &range).len()), [0, 1, 1, 0]);
    }

    #[test]
    fn a_match_has_the_segments_that_it_touches() {
        let traced = views().trace_match(1, &(5..7));
        assert_eq!((traced.range, traced.decoded.unwrap().kinds), (2..10, vec!["hex", "percent"]));
        assert_eq!(views().trace(1, &(5..7)).range, 6..8);
        assert_eq!(views().trace_match(1, &(2..5)).range, 2..6);
        assert_eq!(views().before(1, &(5..7)), Some((0, 6..8)));
        assert_eq!(views().before(1, &(4..7)), None);
        assert_eq!(views().before(0, &(0..1)), None);
    }
}
