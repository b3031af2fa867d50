//! The texts in which one content is searched: its bytes, UTF-16 as UTF-8, and what can be decoded, layer by layer.

use std::borrow::Cow;
use std::ops::Range;

use crate::decode::{self, Segment};
use crate::finding::Decoded;
use crate::scanner::utf16;

/// One text and how it came from another.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// What is searched.
    pub(crate) text: Cow<'a, [u8]>,
    /// The view that it was decoded from, and what was decoded; none for the content itself.
    pub(crate) parent: Option<(usize, Vec<Segment>)>,
}

/// All texts of a content, parents before children.
#[derive(Debug)]
pub(crate) struct Views<'a>(Vec<View<'a>>);

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
    /// The content, and what up to `depth` passes decode from it.
    pub(crate) fn of(bytes: &'a [u8], depth: usize) -> Self {
        let mut views = vec![View { text: Cow::Borrowed(bytes), parent: None }];
        // The raw bytes are searched too: a byte order mark alone must not hide a text.
        views.extend(utf16::as_utf8(bytes).map(|text| View { text: Cow::Owned(text), parent: None }));
        for root in 0..views.len() {
            let mut parent = root;
            for _ in 0..depth {
                let Some(layer) = decode::layer(&views[parent].text) else { break };
                views.push(View { text: Cow::Owned(layer.text), parent: Some((parent, layer.segments)) });
                parent = views.len() - 1;
            }
        }
        Self(views)
    }

    /// Parents before children.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &View<'a>)> {
        self.0.iter().enumerate()
    }

    /// The bytes of a view.
    pub(crate) fn text(&self, view: usize) -> &[u8] {
        &self.0[view].text
    }

    /// What was decoded to make a view; none for the content itself.
    pub(crate) fn segments(&self, view: usize) -> Option<&[Segment]> {
        self.0[view].parent.as_ref().map(|(_, segments)| &segments[..])
    }

    /// Where a place of a view comes from.
    pub(crate) fn trace(&self, view: usize, range: &Range<usize>) -> Traced {
        let Some((parent, segments)) = &self.0[view].parent else {
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

/// The segments that a range of the decoded text overlaps.
pub(crate) fn overlapping<'s>(segments: &'s [Segment], range: &Range<usize>) -> &'s [Segment] {
    let first = segments.partition_point(|segment| segment.decoded.end <= range.start);
    let count = segments[first..].partition_point(|segment| segment.decoded.start < range.end);
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
        let view = |text: &'static [u8], parent| View { text: Cow::Borrowed(text), parent };
        Views(vec![
            view(b"abHHHHcdPPef", None),
            view(b"abxyzcdpqref", Some((0, first))),
            view(b"abxyzcdDef", Some((1, second))),
        ])
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
    }
}
