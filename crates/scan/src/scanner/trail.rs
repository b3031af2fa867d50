//! What a search leaves behind, so that a text that shares long runs of bytes with this one is searched only where it is
//! new: the next layer of decoding, and the next version of a file.
//!
//! Why nothing is lost: a place of the new text is either looked at again or lies in a run, far enough from its ends
//! that all bytes that decided about it are in the run too ([`BACK`] before, [`AHEAD`] behind; what took more to
//! decide is an item of its own). Then the answer is the same. Windows and lines are taken over as a whole or not at all.

use std::fmt;
use std::ops::Range;

use crate::content::Copied;
use crate::decode::{Known, Segment};
use crate::detect::Place;
use crate::scanner::weigh::Hit;
use crate::windows::{AHEAD, BACK};

/// Shorter runs are not worth their margins.
const SHORTEST: usize = 3 * (AHEAD + BACK);
/// More items than this are not kept.
const MOST_ITEMS: usize = 1 << 16;

/// What the search of one content left behind: a track for each of its views.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    /// Whether anything can be taken over.
    pub(crate) open: bool,
    /// How the detectors read the text, if they ran.
    pub(crate) place: Option<Place>,
    pub(crate) tracks: Vec<Track>,
}

/// What the search of one text left behind.
#[derive(Clone, Default)]
pub(crate) struct Track {
    /// Length of the text.
    pub(crate) len: usize,
    /// Whether something cannot be taken over: letters that are folded, too much of everything.
    pub(crate) closed: bool,
    /// Ascending by start, once sealed.
    items: Vec<Item>,
    /// For each item the farthest byte that it or one before it saw.
    reach: Vec<usize>,
    pub(crate) hits: Vec<Hit>,
    /// For each detector of whole texts where its keywords stand.
    pub(crate) places: Vec<Vec<usize>>,
    /// Rules without a plan that were called.
    pub(crate) called: Vec<usize>,
    /// What the next view was decoded from.
    pub(crate) segments: Vec<Segment>,
    /// What they decode to, one after the other, and where each begins.
    bytes: Vec<u8>,
    begins: Vec<usize>,
}

/// What a part of a text is to a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A window of a rule.
    Window(usize),
    /// A line in which a detector found something.
    Line(usize),
    /// A look of a rule that went far and found nothing.
    Far,
}

/// A part of a text with what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// How far was looked.
    pub(crate) seen: usize,
    /// Its start in the text whose track it is of.
    pub(crate) from: usize,
    /// Its hits in [`Track::hits`].
    pub(crate) hits: Range<usize>,
}

/// What a new text takes over.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// Where it is searched: ascending, apart from each other.
    pub(crate) fresh: Vec<Range<usize>>,
    /// Items, placed in the new text; their hits are those of the old track.
    pub(crate) items: Vec<Item>,
}

/// Decoded bytes are not shown.
impl fmt::Debug for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Track({} items, {} hits, {} segments)", self.items.len(), self.hits.len(), self.segments.len())
    }
}

impl Track {
    /// Of a text of this length.
    pub(crate) fn new(len: usize) -> Self {
        Self { len, ..Self::default() }
    }

    /// Adds an item whose hits are the last ones, from `first_hit` on.
    pub(crate) fn note(&mut self, kind: Kind, range: Range<usize>, seen: usize, first_hit: usize) {
        let hits = first_hit..self.hits.len();
        self.items.push(Item { kind, start: range.start, end: range.end, seen, from: range.start, hits });
    }

    /// Makes it ready to be taken over.
    pub(crate) fn seal(&mut self) {
        if self.items.len() > MOST_ITEMS {
            (self.closed, self.items, self.hits) = (true, Vec::new(), Vec::new());
        }
        self.items.sort_unstable_by_key(|item| item.start);
        let farthest = |reach: &mut usize, item: &Item| {
            *reach = item.seen.max(*reach);
            Some(*reach)
        };
        self.reach = self.items.iter().scan(0, farthest).collect();
    }

    /// Keeps what the next view is decoded from.
    pub(crate) fn keep_segments(&mut self, segments: &[Segment], text: &[u8]) {
        self.segments = segments.to_vec();
        for segment in segments {
            self.begins.push(self.bytes.len());
            self.bytes.extend_from_slice(&text[segment.decoded.clone()]);
        }
        self.begins.push(self.bytes.len());
    }

    /// What of this track holds in a text of `len` bytes that shares `runs` with the one searched; with `lines`, the new
    /// text, parts that are searched are whole lines.
    pub(crate) fn carry(&self, runs: &[Copied], len: usize, lines: Option<&[u8]>) -> Carried {
        let mut fresh: Vec<Range<usize>> = gaps(runs, self.len, len)
            .map(|gap| gap.start.saturating_sub(AHEAD)..len.min(gap.end.saturating_add(BACK)))
            .collect();
        let mut items = Vec::new();
        for run in runs {
            for item in self.touching(run) {
                let moved = |place: usize| place - run.from + run.to;
                let end = run.from + run.len;
                let begins = item.start > run.from || run.from == 0 && run.to == 0;
                if begins && (item.seen < end || end == self.len && run.to + run.len == len) {
                    let (start, end, seen) = (moved(item.start), moved(item.end), moved(item.seen));
                    items.push(Item { start, end, seen, ..item.clone() });
                    continue;
                }
                let last = if item.kind == Kind::Far { item.start + BACK } else { item.end };
                let (start, last) = (item.start.max(run.from), last.min(end));
                if start < last {
                    fresh.push(moved(start)..moved(last));
                }
            }
        }
        join(&mut fresh);
        if let Some(text) = lines {
            fresh.iter_mut().for_each(|part| *part = whole_lines(text, part));
            join(&mut fresh);
            items.retain(|item| !matches!(item.kind, Kind::Line(_)) || is_apart(&fresh, item.start..item.end));
        }
        items.sort_by_key(|item| (item.kind, item.start));
        Carried { fresh, items }
    }

    /// The places of a detector's keywords that are not looked for again.
    pub(crate) fn carry_places(&self, detector: usize, runs: &[Copied], fresh: &[Range<usize>]) -> Vec<usize> {
        let Some(places) = self.places.get(detector) else { return Vec::new() };
        let mut carried = Vec::new();
        for run in runs {
            let first = places.partition_point(|place| *place < run.from);
            let within = places[first..].iter().take_while(|place| **place < run.from + run.len);
            let moved = within.map(|place| place - run.from + run.to);
            carried.extend(moved.filter(|place| is_apart(fresh, *place..place + 1)));
        }
        carried
    }

    /// Of what this text was decoded to, all that stands in runs outside of `zones`, and the parts of runs that do.
    pub(crate) fn known(&self, runs: &[Copied], zones: &[Range<usize>]) -> (Vec<Known<'_>>, Vec<Copied>) {
        let (mut known, mut parts) = (Vec::new(), Vec::new());
        for part in runs.iter().flat_map(|run| outside(run, zones)) {
            let first = self.segments.partition_point(|segment| segment.original.start < part.from);
            let within = |segment: &&Segment| segment.original.end <= part.from + part.len;
            for (index, segment) in (first..).zip(self.segments[first..].iter().take_while(within)) {
                let moved = |place: usize| place - part.from + part.to;
                known.push(Known {
                    original: moved(segment.original.start)..moved(segment.original.end),
                    bytes: &self.bytes[self.begins[index]..self.begins[index + 1]],
                    kind: segment.kind,
                });
            }
            parts.push(part);
        }
        (known, parts)
    }

    /// Items that saw anything of a run.
    fn touching(&self, run: &Copied) -> impl Iterator<Item = &Item> {
        let end = run.from + run.len;
        let first = self.reach.partition_point(|reach| *reach <= run.from);
        let near = self.items[first..].iter().take_while(move |item| item.start < end);
        let from = run.from;
        near.filter(move |item| item.seen > from)
    }
}

/// Runs that are long enough, in ascending order; those that go on where the one before ends are one with it.
pub(crate) fn long(runs: impl Iterator<Item = Copied>) -> Vec<Copied> {
    let mut joined: Vec<Copied> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(last) if (last.from + last.len, last.to + last.len) == (run.from, run.to) => last.len += run.len,
            _ => joined.push(run),
        }
    }
    joined.retain(|run| run.len >= SHORTEST);
    joined
}

/// Where a text of `new` bytes does not go on as the one of `old` bytes did: what no run covers, and empty where one run
/// meets another.
pub(crate) fn gaps(runs: &[Copied], old: usize, new: usize) -> impl Iterator<Item = Range<usize>> {
    let mut expected = (0, 0);
    let ends = [Copied { from: old, to: new, len: 0 }];
    let gaps = runs.iter().copied().chain(ends).map(move |run| {
        let (from, to) = std::mem::replace(&mut expected, (run.from + run.len, run.to + run.len));
        (to..run.to, (from, to) == (run.from, run.to))
    });
    gaps.filter(|(_, goes_on)| !goes_on).map(|(gap, _)| gap)
}

/// Where a place outside of all segments stands once they are decoded.
pub(crate) fn decoded_place(segments: &[Segment], place: usize) -> usize {
    match segments.partition_point(|segment| segment.original.end <= place) {
        0 => place,
        before => place - segments[before - 1].original.end + segments[before - 1].decoded.end,
    }
}

/// The parts of a run that lie outside of `zones` of the new text.
fn outside(run: &Copied, zones: &[Range<usize>]) -> Vec<Copied> {
    let (mut at, end) = (run.to, run.to + run.len);
    let mut parts = Vec::new();
    let mut add = |from: usize, to: usize| {
        if from < to {
            parts.push(Copied { from: from - run.to + run.from, to: from, len: to - from });
        }
    };
    let first = zones.partition_point(|zone| zone.end <= at);
    for zone in zones[first..].iter().take_while(|zone| zone.start < end) {
        add(at, zone.start);
        at = at.max(zone.end);
    }
    add(at, end);
    parts
}

fn join(parts: &mut Vec<Range<usize>>) {
    parts.sort_unstable_by_key(|part| part.start);
    parts.dedup_by(|next, last| {
        let joined = next.start <= last.end;
        if joined {
            last.end = last.end.max(next.end);
        }
        joined
    });
}

fn whole_lines(text: &[u8], part: &Range<usize>) -> Range<usize> {
    let start = memchr::memrchr(b'\n', &text[..part.start]).map_or(0, |newline| newline + 1);
    let end = memchr::memchr(b'\n', &text[part.end..]).map_or(text.len(), |newline| part.end + newline + 1);
    start..end
}

fn is_apart(parts: &[Range<usize>], range: Range<usize>) -> bool {
    let first = parts.partition_point(|part| part.end <= range.start);
    parts.get(first).is_none_or(|part| range.end <= part.start)
}
