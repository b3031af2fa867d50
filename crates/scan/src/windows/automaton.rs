//! A part of an expression as an automaton that is run from one place, in either direction.
//!
//! It is made when it is first asked, and its states when they are met: most rules that a keyword calls never get further
//! than their first question.

use std::sync::OnceLock;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::start;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::hir::Hir;

use crate::work;

/// Bytes of states that a worker keeps for one of them.
const STATES: usize = 1 << 22;

/// One automaton.
#[derive(Debug)]
pub(super) struct Automaton {
    hir: Hir,
    reverse: bool,
    dfa: OnceLock<Option<DFA>>,
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reached {
    Nothing,
    /// End of the match.
    End(usize),
    /// Perhaps anywhere.
    Unknown,
}

impl Automaton {
    /// Finds the best match from where it is started.
    pub(super) fn preferring(hir: Hir) -> Self {
        Self { hir, reverse: false, dfa: OnceLock::new() }
    }

    /// Finds matches that end where it is started, reading backwards.
    pub(super) fn backwards(hir: Hir) -> Self {
        Self { hir, reverse: true, dfa: OnceLock::new() }
    }

    fn dfa(&self) -> Option<&DFA> {
        self.dfa.get_or_init(|| make(&self.hir, self.reverse)).as_ref()
    }

    /// Runs from `start`, at most `limit` steps; with `earliest` to the end of any match, else of the best.
    pub(super) fn walk(
        &self,
        cache: &mut Option<Cache>,
        text: &[u8],
        start: usize,
        limit: usize,
        earliest: bool,
        steps: &mut usize,
    ) -> Reached {
        let Some(dfa) = self.dfa() else { return Reached::Unknown };
        let cache = cache.get_or_insert_with(|| dfa.create_cache());
        let before = start.checked_sub(1).map(|before| text[before]);
        let config = start::Config::new().anchored(Anchored::Yes).look_behind(before);
        let Ok(mut state) = dfa.start_state(cache, &config) else { return Reached::Unknown };
        let mut best = None;
        let end = text.len().min(start.saturating_add(limit));
        for (place, byte) in text[..end].iter().enumerate().skip(start) {
            state = match dfa.next_state(cache, state, *byte) {
                Ok(state) => state,
                Err(_) => return Reached::Unknown,
            };
            if state.is_tagged() {
                if state.is_match() {
                    best = Some(place);
                    if earliest {
                        count(steps, place - start + 1);
                        return Reached::End(place);
                    }
                } else if state.is_dead() {
                    count(steps, place - start + 1);
                    return best.map_or(Reached::Nothing, Reached::End);
                } else if state.is_quit() {
                    return Reached::Unknown;
                }
            }
        }
        count(steps, end - start + 1);
        if end < text.len() {
            return Reached::Unknown;
        }
        match dfa.next_eoi_state(cache, state) {
            Ok(state) if state.is_match() => Reached::End(end),
            Ok(state) if state.is_quit() => Reached::Unknown,
            Ok(_) => best.map_or(Reached::Nothing, Reached::End),
            Err(_) => Reached::Unknown,
        }
    }

    /// Whether anything matches that ends at `end`, as far as `limit` bytes tell: if they do not, it may.
    pub(super) fn ends_at(
        &self,
        cache: &mut Option<Cache>,
        text: &[u8],
        end: usize,
        limit: usize,
        steps: &mut usize,
    ) -> bool {
        let Some(dfa) = self.dfa() else { return true };
        let cache = cache.get_or_insert_with(|| dfa.create_cache());
        let config = start::Config::new().anchored(Anchored::Yes).look_behind(text.get(end).copied());
        let Ok(mut state) = dfa.start_state(cache, &config) else { return true };
        let from = end.saturating_sub(limit);
        for (read, byte) in text[from..end].iter().rev().enumerate() {
            state = match dfa.next_state(cache, state, *byte) {
                Ok(state) => state,
                Err(_) => return true,
            };
            if state.is_tagged() {
                count(steps, read + 1);
                return !state.is_dead();
            }
        }
        count(steps, end - from + 1);
        from > 0 || dfa.next_eoi_state(cache, state).map_or(true, |state| !state.is_dead())
    }

    /// The first place, not before `from`, where a match begins that ends at `end`; outside `None`: not known.
    pub(super) fn begins(
        &self,
        cache: &mut Option<Cache>,
        text: &[u8],
        from: usize,
        end: usize,
    ) -> Option<Option<usize>> {
        let dfa = self.dfa()?;
        let cache = cache.get_or_insert_with(|| dfa.create_cache());
        work::count(end - from);
        let input = Input::new(text).range(from..end).anchored(Anchored::Yes);
        let begin = dfa.try_search_rev(cache, &input).ok()?;
        Some(begin.map(|begin| begin.offset()))
    }

    /// Where the best match ends that begins at `from` and ends at `to` or before; `None`: not known, or nowhere.
    pub(super) fn ends(&self, cache: &mut Option<Cache>, text: &[u8], from: usize, to: usize) -> Option<usize> {
        let dfa = self.dfa()?;
        let cache = cache.get_or_insert_with(|| dfa.create_cache());
        work::count(to - from);
        let input = Input::new(text).range(from..to).anchored(Anchored::Yes);
        dfa.try_search_fwd(cache, &input).ok().flatten().map(|end| end.offset())
    }
}

fn count(steps: &mut usize, looked_at: usize) {
    *steps += looked_at;
    work::count(looked_at);
}

/// The longest match where it reads backwards, else the one that the expression prefers.
fn make(hir: &Hir, reverse: bool) -> Option<DFA> {
    let config = thompson::Config::new().utf8(false).reverse(reverse).which_captures(WhichCaptures::None);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).ok()?;
    let kind = if reverse { MatchKind::All } else { MatchKind::LeftmostFirst };
    let config = DFA::config().match_kind(kind).cache_capacity(STATES).skip_cache_capacity_check(true);
    DFA::builder().configure(config).build_from_nfa(nfa).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(regex: &str) -> Hir {
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(regex).expect("an expression")
    }

    #[test]
    fn what_stands_before_is_read_as_far_as_it_may_be() {
        let automaton = Automaton::backwards(of(r"\bkind: *"));
        let ends = |text: &str, limit| {
            let end = text.find('|').expect("marked");
            automaton.ends_at(&mut None, text.as_bytes(), end, limit, &mut 0)
        };
        assert!(ends("kind:|x", 100) && ends("a kind:   |x", 100));
        assert!(!ends("akind:|x", 100) && !ends("ind:|x", 100) && !ends("|x", 100) && !ends("kind :|x", 100));
        // What lies further back is not known.
        assert!(ends("mankind:|x", 5) && !ends("mankind;|x", 5));
    }
}
