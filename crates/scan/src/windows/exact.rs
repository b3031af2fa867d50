//! The matches of a window, read off its tails without searching it.
//!
//! Every match in a window is a head and then a tail that is known to match there, and the tail's end is the match's.
//! So the leftmost match begins at the least place where a head of any of the tails may begin; which of the tails it
//! goes on with matters only if several have heads that begin there and they end apart: then the whole expression is
//! run from that place.

use std::ops::Range;

use pattern::Pattern;
use regex_automata::hybrid::dfa::DFA;
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

use super::{Place, Plan, STATES, Tail, Window, Work, automaton};
use crate::anchor::Reach;
use crate::work;

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
        pattern: &Pattern,
        text: &[u8],
        window: &Window,
        found: &mut Vec<Range<usize>>,
    ) -> Option<()> {
        let places = window.places.as_deref()?;
        let (first, mut from) = (found.len(), window.start);
        loop {
            match self.next(work, pattern, text, places, from..window.end) {
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
    fn next(
        &self,
        work: &mut Work,
        pattern: &Pattern,
        text: &[u8],
        places: &[Place],
        part: Range<usize>,
    ) -> Option<Option<Range<usize>>> {
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
        let end = if several { self.end(work, pattern, text, start..part.end)? } else { end };
        Some(Some(start..end))
    }

    /// Where the match ends that begins where `part` does.
    fn end(&self, work: &mut Work, pattern: &Pattern, text: &[u8], part: Range<usize>) -> Option<usize> {
        let dfa = self.whole.get_or_init(|| automaton(pattern.hir())).as_ref()?;
        let cache = work.whole.get_or_insert_with(|| dfa.create_cache());
        work::count(part.len());
        let input = Input::new(text).range(part).anchored(Anchored::Yes);
        dfa.try_search_fwd(cache, &input).ok().flatten().map(|end| end.offset())
    }
}

impl Tail {
    /// The first place, not before `from`, where a head may begin that this tail follows; outside `None`: not known.
    fn begin(&self, work: &mut Work, text: &[u8], place: &Place, from: usize) -> Option<Option<usize>> {
        if matches!(self.before.kind(), regex_syntax::hir::HirKind::Empty) {
            return Some(Some(place.start));
        }
        let Reach::Bytes(bytes @ ..=NEAR) = self.head else { return None };
        let dfa = self.begin.get_or_init(|| backwards(&self.before)).as_ref()?;
        let cache = work.heads[place.tail].get_or_insert_with(|| dfa.create_cache());
        let from = from.max(place.start.saturating_sub(bytes));
        work::count(place.start - from);
        let input = Input::new(text).range(from..place.start).anchored(Anchored::Yes);
        let begin = dfa.try_search_rev(cache, &input).ok()?;
        Some(begin.map(|begin| begin.offset()))
    }
}

/// An automaton that finds the longest match that ends where it is started, reading backwards.
fn backwards(hir: &Hir) -> Option<DFA> {
    let config = thompson::Config::new().utf8(false).reverse(true).which_captures(WhichCaptures::None);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).ok()?;
    let config = DFA::config().match_kind(MatchKind::All).cache_capacity(STATES).skip_cache_capacity_check(true);
    DFA::builder().configure(config).build_from_nfa(nfa).ok()
}
