//! The matches of a window, read off its tails without searching it.
//!
//! Every match in a window is a head and then a tail that is known to match there, and the tail's end is the match's.
//! So the leftmost match begins at the least place where a head of any of the tails may begin; which of the tails it
//! goes on with matters only if several have heads that begin there and they end apart: then the whole expression is
//! run from that place.

use std::ops::Range;

use super::{Place, Plan, Tail, Window, Work};
use crate::anchor::Reach;

/// Heads up to this length are read backwards.
const NEAR: usize = 256;
/// So many tails of one window are remembered.
const FEW: usize = 16;

/// The tails of two windows that become one.
pub(super) fn join((mut places, more): (Vec<Place>, Vec<Place>)) -> Option<Vec<Place>> {
    for place in more {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    (places.len() <= FEW).then_some(places)
}

impl Plan {
    /// Adds the matches of a window: the same, in the same order, as a search of the window finds. `None`, and nothing
    /// added, if it must be searched.
    pub(crate) fn matches(
        &self,
        work: &mut Work,
        text: &[u8],
        window: &Window,
        found: &mut Vec<Range<usize>>,
    ) -> Option<()> {
        let places = window.places.as_deref()?;
        let (first, mut from) = (found.len(), window.start);
        loop {
            match self.next(work, text, places, from..window.end) {
                Some(None) => return Some(()),
                Some(Some(matched)) if matched.end > from => {
                    from = matched.end;
                    found.push(matched);
                }
                _ => {
                    found.truncate(first);
                    return None;
                }
            }
        }
    }

    /// The leftmost match in a part of a window; outside `None`: it is not known.
    fn next(&self, work: &mut Work, text: &[u8], places: &[Place], part: Range<usize>) -> Option<Option<Range<usize>>> {
        let mut best: Option<(usize, usize)> = None;
        let mut several = false;
        for place in places.iter().filter(|place| place.start >= part.start) {
            let Some(start) = self.tails[place.tail].begin(work, text, place, part.start)? else { continue };
            match &mut best {
                Some((least, _)) if *least < start => {}
                Some((least, end)) if *least == start => several |= *end != place.end,
                _ => (best, several) = (Some((start, place.end)), false),
            }
        }
        let Some((start, end)) = best else { return Some(None) };
        let end = if several { self.end(work, text, start..part.end)? } else { end };
        Some(Some(start..end))
    }

    /// Where the match ends that begins where `part` does.
    fn end(&self, work: &mut Work, text: &[u8], part: Range<usize>) -> Option<usize> {
        self.whole.ends(&mut work.whole, text, part.start, part.end)
    }
}

impl Tail {
    /// The first place, not before `from`, where a head may begin that this tail follows; outside `None`: not known.
    fn begin(&self, work: &mut Work, text: &[u8], place: &Place, from: usize) -> Option<Option<usize>> {
        let Some(begin) = &self.begin else { return Some(Some(place.start)) };
        let Reach::Bytes(bytes @ ..=NEAR) = self.head else { return None };
        let from = from.max(place.start.saturating_sub(bytes));
        begin.begins(&mut work.caches[place.tail].begin, text, from, place.start)
    }
}
