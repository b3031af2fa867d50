//! The fast search of one rule: its expression runs only where a keyword is followed by what must follow it.
//!
//! Why it finds what the slow search finds: every match lies within one window (it has an [`Anchor`], so a keyword, so a
//! tail that matches there; the window reaches as far back as the head may and as far on as the longest tail does).
//! Windows that overlap are merged, so the leftmost match after a given place is the leftmost one in the first window
//! that has any; and boundaries are judged by the whole text in both searches.

use std::ops::Range;

use pattern::Pattern;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::hir::Hir;

use crate::anchor::{self, Anchor, Reach};
use crate::fold::Plain;
use crate::work;

/// Bytes that tails of one rule may look at for each byte of the text, before the rest is searched whole.
const PATIENCE: usize = 4;
/// And for every text.
const GRACE: usize = 1 << 16;
/// Windows that are kept before they are merged, at least.
const LOOSE: usize = 4096;

/// Bytes of automaton states that a worker keeps for one tail.
const STATES: usize = 1 << 22;

/// How a rule is searched.
#[derive(Debug)]
pub(crate) struct Plan {
    tails: Vec<Tail>,
}

#[derive(Debug)]
struct Tail {
    /// Says in few states whether it is worth to run `dfa`.
    probe: DFA,
    /// Finds the longest match.
    dfa: DFA,
    head: Reach,
    /// Number of a keyword in the rule's list, and its distance from the tail's start.
    keywords: Vec<(usize, usize)>,
}

/// What one worker keeps for a plan: states of its automata, and the windows of the text at hand.
#[derive(Debug)]
pub(crate) struct Work {
    /// For each tail, of the probe and of the whole.
    caches: Vec<[Cache; 2]>,
    windows: Vec<Range<usize>>,
    /// So many windows are merged before others are added.
    loose: usize,
    /// Bytes that tails looked at.
    steps: usize,
    /// Start of the line at the place before it: both of the last head that reached back to its line's start.
    line: (usize, usize),
}

enum Reached {
    Nothing,
    /// End of the longest match.
    End(usize),
    /// Perhaps anywhere.
    Unknown,
}

impl Plan {
    /// `None` if the rule has no anchors: it is searched whole.
    pub(crate) fn new(pattern: &Pattern, keywords: &[String]) -> Option<Self> {
        let anchors = anchor::anchors(pattern.hir(), keywords);
        let tails: Option<Vec<Tail>> = anchors.into_iter().map(tail).collect();
        tails.filter(|tails| !tails.is_empty()).map(|tails| Self { tails })
    }

    /// What a worker needs to run this.
    pub(crate) fn work(&self) -> Work {
        let caches = self.tails.iter().map(|tail| [tail.probe.create_cache(), tail.dfa.create_cache()]).collect();
        Work { caches, windows: Vec::new(), loose: 0, steps: 0, line: (0, 0) }
    }

    /// A keyword of the rule stands at `place` of the plain text: opens a window in `text` if a tail matches there.
    pub(crate) fn look(&self, work: &mut Work, text: &[u8], plain: &Plain<'_>, keyword: usize, place: usize) {
        for (number, tail) in self.tails.iter().enumerate() {
            for (_, distance) in tail.keywords.iter().filter(|(number, _)| *number == keyword) {
                if let Some(start) = place.checked_sub(*distance) {
                    self.look_at(work, text, number, plain.place(start));
                }
            }
        }
    }

    fn look_at(&self, work: &mut Work, text: &[u8], tail: usize, start: usize) {
        if work.windows.last().is_some_and(|last| last.start <= start && last.end == text.len()) {
            // Everything from there on is searched anyway, but the head may reach further back.
            let from = work.head(self.tails[tail].head, text, start);
            let last = work.windows.last_mut().expect("it was there a line above");
            last.start = last.start.min(from);
            return;
        }
        let end = match work.steps > GRACE + PATIENCE * text.len() {
            true => text.len(),
            false => match work.run(&self.tails[tail], tail, text, start) {
                Reached::Nothing => return,
                Reached::End(end) => end,
                Reached::Unknown => text.len(),
            },
        };
        let from = work.head(self.tails[tail].head, text, start);
        work.windows.push(from..end);
        if work.windows.len() >= work.loose.max(LOOSE) {
            merge(&mut work.windows);
            work.loose = 2 * work.windows.len();
        }
    }
}

impl Work {
    /// The windows, merged and ascending; the work is ready for another text.
    pub(crate) fn take(&mut self) -> Vec<Range<usize>> {
        let mut windows = std::mem::take(&mut self.windows);
        merge(&mut windows);
        (self.steps, self.line, self.loose) = (0, (0, 0), 0);
        windows
    }

    /// How far back a match may begin whose tail starts at `start`.
    fn head(&mut self, reach: Reach, text: &[u8], start: usize) -> usize {
        match reach {
            Reach::Bytes(bytes) => start.saturating_sub(bytes),
            Reach::Open => 0,
            Reach::Line => {
                // Many keywords may stand on one long line: look no further back than to the one before.
                let (line, place) = self.line;
                if line <= start && start < place {
                    return line;
                }
                let known = if place <= start { place } else { 0 };
                work::count(start - known);
                let newline = memchr::memrchr(b'\n', &text[known..start]).map(|newline| known + newline + 1);
                let line = newline.unwrap_or(if known == 0 { 0 } else { line });
                self.line = (line, start);
                line
            }
        }
    }

    /// Runs a tail from `start`.
    fn run(&mut self, tail: &Tail, number: usize, text: &[u8], start: usize) -> Reached {
        let [probe, whole] = &mut self.caches[number];
        let limit = (GRACE + PATIENCE * text.len()).saturating_sub(self.steps);
        match walk(&tail.probe, probe, text, start, limit, true, &mut self.steps) {
            Reached::Nothing => Reached::Nothing,
            _ => walk(&tail.dfa, whole, text, start, limit, false, &mut self.steps),
        }
    }
}

/// Runs an automaton from `start`, at most `limit` steps; with `earliest` to the end of any match, else of the longest.
fn walk(
    dfa: &DFA,
    cache: &mut Cache,
    text: &[u8],
    start: usize,
    limit: usize,
    earliest: bool,
    steps: &mut usize,
) -> Reached {
    let before = start.checked_sub(1).map(|before| text[before]);
    let config = start::Config::new().anchored(Anchored::Yes).look_behind(before);
    let Ok(mut state) = dfa.start_state(cache, &config) else { return Reached::Unknown };
    let mut longest = None;
    let end = text.len().min(start.saturating_add(limit));
    for (place, byte) in text[..end].iter().enumerate().skip(start) {
        state = match dfa.next_state(cache, state, *byte) {
            Ok(state) => state,
            Err(_) => return Reached::Unknown,
        };
        if state.is_tagged() {
            if state.is_match() {
                longest = Some(place);
                if earliest {
                    count(steps, place - start + 1);
                    return Reached::End(place);
                }
            } else if state.is_dead() {
                count(steps, place - start + 1);
                return longest.map_or(Reached::Nothing, Reached::End);
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
        Ok(_) => longest.map_or(Reached::Nothing, Reached::End),
        Err(_) => Reached::Unknown,
    }
}

fn count(steps: &mut usize, looked_at: usize) {
    *steps += looked_at;
    work::count(looked_at);
}

/// Sorts windows and joins those that overlap or touch.
pub(crate) fn merge(windows: &mut Vec<Range<usize>>) {
    windows.sort_unstable_by_key(|window| window.start);
    windows.dedup_by(|next, last| {
        let joined = next.start <= last.end;
        if joined {
            last.end = last.end.max(next.end);
        }
        joined
    });
}

fn tail(anchor: Anchor) -> Option<Tail> {
    let Anchor { tail, head, keywords } = anchor;
    Some(Tail { probe: automaton(&anchor::probe(&tail))?, dfa: automaton(&tail)?, head, keywords })
}

/// An automaton that finds the longest match from where it is started. Its states are made as they are met.
fn automaton(hir: &Hir) -> Option<DFA> {
    let config = thompson::Config::new().utf8(false).which_captures(WhichCaptures::None);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).ok()?;
    let config = DFA::config().match_kind(MatchKind::All).cache_capacity(STATES).skip_cache_capacity_check(true);
    DFA::builder().configure(config).build_from_nfa(nfa).ok()
}

#[cfg(test)]
mod tests {
    use super::merge;

    #[test]
    fn windows_that_overlap_are_one() {
        let mut windows = vec![5..9, 0..3, 2..4, 9..10, 20..21];
        merge(&mut windows);
        assert_eq!(windows, [0..4, 5..10, 20..21]);
    }
}
