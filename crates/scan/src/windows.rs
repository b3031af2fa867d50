//! The fast search of one rule: its expression runs only where a keyword is followed by what must follow it.
//!
//! Why it finds what the slow search finds: the match that begins at a place lies within one window. It has an
//! [`Anchor`], so a keyword, so a tail that matches there; the window reaches as far back as the head may, and as far on
//! as the tail's first choice does, which is how the match goes on: whatever its head was, a better end would have made a
//! better match.
//! Before the tail is asked, the head's end is, backwards: where a keyword is a common word, what stands before it tells
//! most of its places from those that matter.
//! Windows that overlap are merged, so the leftmost match after a given place is the leftmost one in the first window
//! that has any; and boundaries are judged by the whole text in both searches.
//!
//! Mostly the window need not be searched for its matches (`exact`): where all heads are short, the leftmost match begins
//! where, read backwards from the tails, any head may begin first; and it ends where the tail that it goes on with ends.

mod automaton;
mod exact;

use std::ops::Range;

use pattern::Pattern;
use regex_automata::hybrid::dfa::Cache;
use regex_syntax::hir::HirKind;

use automaton::{Automaton, Reached};

use crate::anchor::{self, Anchor, Reach};
use crate::fold::Plain;
use crate::work;

/// Bytes that tails of one rule may look at for each byte of the text, before the rest is searched whole.
const PATIENCE: usize = 4;
/// And for every text.
const GRACE: usize = 1 << 16;
/// Windows that are kept before they are merged, at least.
const LOOSE: usize = 4096;

/// No keyword stands further from the start of its tail than this, its own length included; a rule that wants more has
/// no plan. What [`carry`](crate::scanner) takes over relies on it.
pub(crate) const BACK: usize = 128;
/// Bytes from the start of a tail that are looked at without a note.
pub(crate) const AHEAD: usize = 160;

/// How a rule is searched.
#[derive(Debug)]
pub(crate) struct Plan {
    tails: Vec<Tail>,
    /// Finds where the match ends that begins at a place.
    whole: Automaton,
}

#[derive(Debug)]
struct Tail {
    /// Says in few states, backwards, whether its head may end where it begins, and how many bytes may be looked at.
    near: Option<(Automaton, usize)>,
    /// Says in few states whether it is worth to run `best`.
    probe: Automaton,
    /// Finds the match that the expression prefers.
    best: Automaton,
    head: Reach,
    /// Finds, backwards from the tail, where its head may begin; `None` where it is empty.
    begin: Option<Automaton>,
    /// Number of a keyword in the rule's list, and its distance from the tail's start.
    keywords: Vec<(usize, usize)>,
}

/// A part of a text in which an expression may match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// How far was looked to know the end.
    pub(crate) seen: usize,
    /// Which window of a text searched before this is, if it is one and no more: what matches there is known.
    pub(crate) carried: Option<usize>,
    /// The tails that match in it, if they are few and all known.
    pub(crate) places: Option<Vec<Place>>,
}

/// Where a tail matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    tail: usize,
    start: usize,
    end: usize,
}

/// What one worker keeps for a plan: states of its automata, and the windows of the text at hand.
#[derive(Debug)]
pub(crate) struct Work {
    /// For each tail.
    caches: Vec<Caches>,
    /// Of the whole expression.
    whole: Option<Cache>,
    windows: Vec<Window>,
    /// Where nothing was found, but only after more than [`AHEAD`] bytes.
    far: Vec<Range<usize>>,
    /// So many windows are merged before others are added.
    loose: usize,
    /// Bytes that tails looked at.
    steps: usize,
    /// Start of the line at the place before it: both of the last head that reached back to its line's start.
    line: (usize, usize),
}

/// States of a tail's automata that were met.
#[derive(Debug, Default)]
struct Caches {
    near: Option<Cache>,
    probe: Option<Cache>,
    best: Option<Cache>,
    begin: Option<Cache>,
}

impl Plan {
    /// `None` if the rule has no anchors: it is searched whole.
    pub(crate) fn new(pattern: &Pattern, keywords: &[String]) -> Option<Self> {
        let anchors = anchor::anchors(pattern.hir(), keywords);
        let reach = |(number, distance): &(usize, usize)| distance + keywords[*number].len();
        if anchors.iter().flat_map(|anchor| &anchor.keywords).any(|keyword| reach(keyword) > BACK) {
            return None;
        }
        let tails: Vec<Tail> = anchors.into_iter().map(|anchor| tail(anchor, keywords)).collect();
        (!tails.is_empty()).then(|| Self { tails, whole: Automaton::preferring(pattern.hir().clone()) })
    }

    /// What a worker needs to run this.
    pub(crate) fn work(&self) -> Work {
        let caches = self.tails.iter().map(|_| Caches::default()).collect();
        let (windows, far, loose, steps, line) = Default::default();
        Work { caches, whole: None, windows, far, loose, steps, line }
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
            last.places = None;
            return;
        }
        let mut seen = start;
        let mut places = None;
        let end = match work.steps > GRACE + PATIENCE * text.len() {
            true => text.len(),
            false => match work.run(&self.tails[tail], tail, text, start, &mut seen) {
                Reached::Nothing if seen > start + AHEAD => return work.far.push(start..seen),
                Reached::Nothing => return,
                Reached::End(end) => {
                    places = Some(vec![Place { tail, start, end }]);
                    end
                }
                Reached::Unknown => text.len(),
            },
        };
        let from = work.head(self.tails[tail].head, text, start);
        work.windows.push(Window { start: from, end, seen: seen.max(end), carried: None, places });
        if work.windows.len() >= work.loose.max(LOOSE) {
            merge(&mut work.windows);
            work.loose = 2 * work.windows.len();
        }
    }
}

impl Work {
    /// Bytes of what is kept from text to text, about.
    pub(crate) fn memory(&self) -> usize {
        let of = |caches: &Caches| {
            let Caches { near, probe, best, begin } = caches;
            [near, probe, best, begin].into_iter().flatten().map(Cache::memory_usage).sum::<usize>()
        };
        self.caches.iter().map(of).sum::<usize>() + self.whole.as_ref().map_or(0, Cache::memory_usage)
    }

    /// The windows, merged and ascending; the work is ready for another text.
    pub(crate) fn take(&mut self) -> Vec<Window> {
        let mut windows = std::mem::take(&mut self.windows);
        merge(&mut windows);
        (self.steps, self.line, self.loose) = (0, (0, 0), 0);
        windows
    }

    /// Where tails were followed for long and in vain.
    pub(crate) fn take_far(&mut self) -> Vec<Range<usize>> {
        std::mem::take(&mut self.far)
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

    /// Runs a tail from `start`; `seen` becomes the end of what was looked at.
    fn run(&mut self, tail: &Tail, number: usize, text: &[u8], start: usize, seen: &mut usize) -> Reached {
        let Caches { near, probe, best, .. } = &mut self.caches[number];
        let limit = (GRACE + PATIENCE * text.len()).saturating_sub(self.steps);
        if let Some((automaton, room)) = &tail.near
            && !automaton.ends_at(near, text, start, (*room).min(limit), &mut self.steps)
        {
            return Reached::Nothing;
        }
        let before = self.steps;
        let reached = tail.probe.walk(probe, text, start, limit, true, &mut self.steps);
        *seen = (start + (self.steps - before)).min(text.len());
        if let Reached::Nothing = reached {
            return reached;
        }
        let before = self.steps;
        let reached = tail.best.walk(best, text, start, limit, false, &mut self.steps);
        *seen = (*seen).max(start + (self.steps - before)).min(text.len());
        reached
    }
}

/// Sorts windows and joins those that overlap or touch.
pub(crate) fn merge(windows: &mut Vec<Window>) {
    windows.sort_unstable_by_key(|window| window.start);
    windows.dedup_by(|next, last| {
        let joined = next.start <= last.end;
        if joined {
            last.end = last.end.max(next.end);
            last.seen = last.seen.max(next.seen);
            last.carried = None;
            last.places = last.places.take().zip(next.places.take()).and_then(exact::join);
        }
        joined
    });
}

fn tail(anchor: Anchor, words: &[String]) -> Tail {
    let Anchor { tail, before, head, keywords } = anchor;
    let reach = keywords.iter().map(|(number, distance)| distance + words[*number].len()).max().unwrap_or_default();
    // Bytes that lie further back are not looked at where a keyword's answer is taken over.
    let room = BACK.saturating_sub(reach);
    let near = anchor::near(&before).filter(|_| room > 0).map(|end| (Automaton::backwards(end), room));
    let probe = Automaton::preferring(anchor::probe(&tail));
    let begin = (!matches!(before.kind(), HirKind::Empty)).then(|| Automaton::backwards(before));
    Tail { near, probe, best: Automaton::preferring(tail), head, begin, keywords }
}

#[cfg(test)]
mod tests {
    use super::{Window, merge};

    #[test]
    fn windows_that_overlap_are_one() {
        let window = |start, end, seen, carried| Window { start, end, seen, carried, places: None };
        let mut windows =
            vec![window(5, 9, 12, None), window(0, 3, 3, None), window(2, 4, 4, Some(1)), window(9, 10, 11, None)];
        windows.push(window(20, 21, 22, Some(7)));
        merge(&mut windows);
        assert_eq!(windows, [window(0, 4, 4, None), window(5, 10, 12, None), window(20, 21, 22, Some(7))]);
    }
}
