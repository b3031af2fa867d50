//! The fast search of a text by all rules: one pass for keywords, then only what they call for.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::detect::{self, Scope};
use crate::fold::{self, Plain};
use crate::machine::Machine;
use crate::prefilter::Keywords;
use crate::reference::Lowered;
use crate::ruleset::RuleSet;
use crate::scanner::Scanner;
use crate::scanner::trail::{Carried, Item, Kind, Track, Trail};
use crate::scanner::views::Kin;
use crate::scanner::weigh::{Hit, LONG_LINE, MOST_PLACES, Sight, cell, is_new, line_at};
use crate::windows::{BACK, Plan, Window, Work, merge};
use crate::work;

/// What is shared by all workers.
#[derive(Debug)]
pub(crate) struct Search {
    keywords: Keywords,
    /// For each keyword who wants to know.
    listeners: Vec<Vec<Listener>>,
    /// For each rule what calls for it.
    calls: Vec<Call>,
    /// For each rule its plan, made when a keyword first calls; `None` inside: the whole text is searched.
    plans: Vec<OnceLock<Option<Plan>>>,
    /// What no worker holds at the moment. Whichever asks next gets it, so that there are never more than there were
    /// workers at one time, and what one of them has learnt serves the next.
    spare: Mutex<Vec<Scratch>>,
}

/// Who wants to know of a keyword.
#[derive(Clone, Copy, Debug)]
enum Listener {
    /// A rule, and the keyword's number in its list.
    Rule { rule: usize, number: usize },
    /// A detector, by its place in the list of all.
    Detector(usize),
}

/// What calls for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// Nothing: it is not searched in contents.
    Never,
    /// A keyword.
    Keyword,
    /// A keyword that the pass over the bytes cannot find.
    OddKeyword,
    /// Always.
    Always,
}

/// What a worker keeps from text to text.
#[derive(Debug, Default)]
struct Scratch {
    /// For each rule with a plan that was called.
    works: Vec<Option<Work>>,
    /// For each rule whose expression ran.
    machines: Vec<Machine>,
    /// For each rule whether a keyword called for it in the text at hand.
    called: Vec<bool>,
    /// For each detector where its keywords stand.
    noted: Vec<Noted>,
    /// Texts since its memory was last looked at.
    texts: usize,
}

/// States of automata that a worker keeps, in bytes; beyond that the largest are forgotten and made again when met.
const KEPT_STATES: usize = 7 << 20;
/// How many texts pass until it is looked how much they are.
const LOOKED_AFTER: usize = 32;

/// Places of a detector's keywords.
#[derive(Debug, Default)]
struct Noted {
    /// For a detector that wants lines the line at hand.
    line: Range<usize>,
    places: Vec<usize>,
}

/// Places on one line that are kept before the detector runs on its first pieces.
const MANY_PLACES: usize = 1 << 14;

impl Search {
    pub(crate) fn new(rules: &RuleSet, reported: &[bool]) -> Self {
        let mut numbers: HashMap<Box<[u8]>, usize> = HashMap::new();
        let mut words = Vec::new();
        let mut listeners: Vec<Vec<Listener>> = Vec::new();
        let mut listen = |word: &str, listener| {
            let word: Box<[u8]> = word.to_ascii_lowercase().into_bytes().into();
            let number = *numbers.entry(word.clone()).or_insert(words.len());
            if number == words.len() {
                words.push(word);
                listeners.push(Vec::new());
            }
            listeners[number].push(listener);
        };
        let mut calls = Vec::with_capacity(rules.rules.len());
        for (index, rule) in rules.rules.iter().enumerate() {
            let call = match rule.keywords.is_empty() {
                _ if !reported[index] || rule.regex.is_none() => Call::Never,
                true => Call::Always,
                false if rule.keywords.iter().any(|word| word.is_empty()) => Call::Always,
                false if rule.keywords.iter().any(|word| !word.is_ascii() || word.len() > BACK) => Call::OddKeyword,
                false => Call::Keyword,
            };
            if call == Call::Keyword {
                let keywords = rule.keywords.iter().enumerate();
                keywords.for_each(|(number, word)| listen(word, Listener::Rule { rule: index, number }));
            }
            calls.push(call);
        }
        if rules.structural {
            for (index, detector) in detect::detectors().iter().enumerate() {
                detector.keywords.iter().for_each(|word| listen(word, Listener::Detector(index)));
            }
        }
        let plans = rules.rules.iter().map(|_| OnceLock::new()).collect();
        let dull = dull(rules, &words, &listeners);
        let keywords = Keywords::new(words).passing_over(dull);
        Self { keywords, listeners, calls, plans, spare: Mutex::default() }
    }

    /// Lends a scratch for one text.
    fn lend(&self) -> Scratch {
        let mut scratch = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        scratch.works.resize_with(self.calls.len(), || None);
        scratch.machines.resize_with(self.calls.len(), Machine::default);
        scratch.called.clear();
        scratch.called.resize(self.calls.len(), false);
        scratch.noted.resize_with(detect::detectors().len(), Noted::default);
        scratch
    }

    /// Does something with what a worker keeps for a rule's expression.
    pub(crate) fn with_machine(&self, rule: usize, work: impl FnOnce(&mut Machine)) {
        let mut scratch = self.lend();
        work(&mut scratch.machines[rule]);
        self.take_back(scratch);
    }

    /// Takes it back.
    fn take_back(&self, mut scratch: Scratch) {
        scratch.texts += 1;
        if scratch.texts >= LOOKED_AFTER {
            scratch.texts = 0;
            scratch.forget();
        }
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }
}

impl Scratch {
    /// Forgets the largest automata if there is too much of all.
    fn forget(&mut self) {
        let sizes = self.works.iter().zip(&self.machines);
        let sizes = sizes.map(|(work, machine)| work.as_ref().map_or(0, Work::memory) + machine.memory());
        let sizes: Vec<usize> = sizes.collect();
        let (total, used) = (sizes.iter().sum::<usize>(), sizes.iter().filter(|size| **size > 0).count());
        if total <= KEPT_STATES {
            return;
        }
        for (index, _) in sizes.iter().enumerate().filter(|(_, size)| **size > total / used) {
            (self.works[index], self.machines[index]) = (None, Machine::default());
        }
    }
}

/// The search of one view at work.
struct Run<'r> {
    scratch: &'r mut Scratch,
    sight: Sight<'r>,
    /// What this search leaves behind.
    track: Track,
    /// Hits that no later search takes over.
    loose: Vec<Hit>,
}

/// What a search may take over.
struct Before<'b> {
    track: &'b Track,
    carried: Carried,
    places: Vec<Vec<usize>>,
    /// Whether hits of the text before are hits of this one: they are not, where this one was decoded from it.
    hits: bool,
}

impl Scanner {
    /// Adds what all rules and detectors find in one view: the same as [`Self::search_by_reference`]. What was searched
    /// before lies in `trail`, where this search leaves its own track, and in `earlier`.
    pub(crate) fn search(&self, sight: Sight<'_>, trail: &mut Trail, earlier: Option<&Trail>, hits: &mut Vec<Hit>) {
        let text = sight.text();
        let before = self.before(&sight, trail, earlier);
        let plain = before.as_ref().map_or_else(|| Plain::new(text), |_| Plain::known(text));
        let mut scratch = self.search.lend();
        let mut track = Track::new(text.len());
        track.closed = plain.is_odd();
        let mut run = Run { scratch: &mut scratch, sight, track, loose: Vec::new() };
        match &before {
            None => self.find(&mut run, &plain, 0..plain.text.len()),
            Some(before) => before.carried.fresh.iter().for_each(|part| self.find(&mut run, &plain, part.clone())),
        }
        self.run_rules(&mut run, before.as_ref());
        self.run_detectors(&mut run, before);
        let Run { mut track, loose, .. } = run;
        self.search.take_back(scratch);
        hits.extend(track.hits.iter().cloned());
        hits.extend(loose);
        track.seal();
        trail.tracks.push(track);
    }

    /// What was searched before and what of it holds here; nothing, if this view is to be searched as a whole.
    fn before<'b>(&self, sight: &Sight<'_>, trail: &'b Trail, earlier: Option<&'b Trail>) -> Option<Before<'b>> {
        let (track, runs, hits) = match (sight.views.kin(sight.view), sight.views.parent(sight.view)) {
            (Kin::None, _) | (Kin::Parent(_), None) => return None,
            (Kin::Earlier(runs), _) => (earlier?.tracks.get(sight.view)?, runs, true),
            (Kin::Parent(runs), Some(parent)) => (&trail.tracks[parent], runs, false),
        };
        if track.closed {
            return None;
        }
        let text = sight.text();
        let carried = track.carry(runs, text.len(), self.rules.structural.then_some(text));
        let odd = |part: &Range<usize>| {
            fold::is_odd(&text[part.start.saturating_sub(fold::LONGEST)..text.len().min(part.end + fold::LONGEST)])
        };
        if carried.fresh.iter().any(odd) {
            return None;
        }
        let detectors = if self.rules.structural { detect::detectors().len() } else { 0 };
        let places = (0..detectors).map(|detector| track.carry_places(detector, runs, &carried.fresh)).collect();
        Some(Before { track, carried, places, hits })
    }

    /// Looks for keywords in a part of the text, and for what they call for.
    fn find(&self, run: &mut Run<'_>, plain: &Plain<'_>, part: Range<usize>) {
        let (search, text) = (&self.search, run.sight.text());
        work::count(part.len());
        let mut closed = run.track.closed;
        closed |= search.keywords.find(&plain.text, part, |word, place| {
            for listener in &search.listeners[word as usize] {
                match *listener {
                    Listener::Rule { rule, number } => self.call(run.scratch, text, plain, rule, number, place),
                    // Detectors know no odd letters.
                    Listener::Detector(index)
                        if !plain.is_odd() || search.keywords.stands(word, text, plain.place(place)) =>
                    {
                        self.note(run, index, plain.place(place));
                    }
                    Listener::Detector(_) => {}
                }
            }
        });
        run.track.closed |= closed;
    }

    /// A keyword calls for a rule.
    fn call(&self, scratch: &mut Scratch, text: &[u8], plain: &Plain<'_>, rule: usize, number: usize, place: usize) {
        scratch.called[rule] = true;
        if let Some(plan) = self.plan(rule) {
            plan.look(scratch.works[rule].get_or_insert_with(|| plan.work()), text, plain, number, place);
        }
    }

    fn plan(&self, rule: usize) -> Option<&Plan> {
        let rules = &self.rules.rules;
        let make = || Plan::new(rules[rule].regex.as_ref()?, &rules[rule].keywords);
        self.search.plans[rule].get_or_init(make).as_ref()
    }

    /// Runs the rules that were called, each where it may match.
    fn run_rules(&self, run: &mut Run<'_>, before: Option<&Before<'_>>) {
        let lowered = Lowered::new(run.sight.text());
        let mut items = before.map_or(&[][..], |before| &before.carried.items);
        let far = items.iter().filter(|item| item.kind == Kind::Far);
        far.for_each(|item| run.track.note(Kind::Far, item.start..item.end, item.seen, run.track.hits.len()));
        for (index, call) in self.search.calls.iter().enumerate() {
            let count = items.iter().take_while(|item| item.kind == Kind::Window(index)).count();
            let carried = items.split_off(..count).unwrap_or_default();
            let called = run.scratch.called[index];
            let holds = || self.rules.rules[index].keywords.iter().any(|word| lowered.holds(word));
            match call {
                Call::Never => {}
                Call::Keyword if called && self.plan(index).is_none() => self.run_whole(run, index),
                Call::Keyword if called || !carried.is_empty() => self.run_windows(run, index, carried, before),
                Call::Keyword if before.is_some_and(|before| before.track.called.contains(&index)) && holds() => {
                    self.run_whole(run, index);
                }
                Call::Keyword => {}
                Call::OddKeyword if !holds() => {}
                Call::OddKeyword | Call::Always => self.run_whole(run, index),
            }
        }
    }

    /// Searches the whole text for a rule.
    fn run_whole(&self, run: &mut Run<'_>, rule: usize) {
        let Some(regex) = &self.rules.rules[rule].regex else { return };
        let Sight { views, view, .. } = run.sight;
        let text = run.sight.text();
        let machine = &mut run.scratch.machines[rule];
        let mut found = Vec::new();
        machine.matches(regex, text, 0..text.len(), &mut found);
        run.loose.extend(found.into_iter().filter_map(|range| self.weigh(views, view, rule, range, machine)));
        run.track.called.push(rule);
    }

    /// Searches the windows of a rule; `carried` are those of the text before that hold here.
    fn run_windows(&self, run: &mut Run<'_>, rule: usize, carried: &[Item], before: Option<&Before<'_>>) {
        let Some(regex) = &self.rules.rules[rule].regex else { return };
        let Sight { views, view, .. } = run.sight;
        let text = run.sight.text();
        let Scratch { works, machines, called, .. } = &mut *run.scratch;
        let mut work = works[rule].as_mut().filter(|_| called[rule]);
        let (mut windows, far) = work.as_mut().map_or_else(Default::default, |work| (work.take(), work.take_far()));
        far.into_iter().for_each(|far| run.track.note(Kind::Far, far.clone(), far.end, run.track.hits.len()));
        if !carried.is_empty() {
            windows.extend(carried.iter().enumerate().map(|(index, item)| Window::carried(index, item)));
            merge(&mut windows);
        }
        let plan = self.plan(rule);
        let machine = &mut machines[rule];
        let mut found = Vec::new();
        for window in windows {
            let first = run.track.hits.len();
            match window.carried.zip(before) {
                Some((index, before)) => before.take_hits(&carried[index], &mut run.track),
                None if is_new(views, view, &(window.start..window.end)) => {
                    let exact = plan.zip(work.as_deref_mut());
                    let exact = exact.and_then(|(plan, work)| plan.matches(work, text, &window, &mut found));
                    if exact.is_none() {
                        machine.matches(regex, text, window.start..window.end, &mut found);
                    }
                    let weighed = found.drain(..).filter_map(|range| self.weigh(views, view, rule, range, machine));
                    run.track.hits.extend(weighed);
                }
                None => {}
            }
            run.track.note(Kind::Window(rule), window.start..window.end, window.seen, first);
        }
    }

    /// Notes a keyword for a detector; one that wants lines is run when a line is complete.
    fn note(&self, run: &mut Run<'_>, index: usize, place: usize) {
        let noted = &mut run.scratch.noted[index];
        match detect::detectors()[index].scope {
            Scope::Whole if noted.places.len() >= MOST_PLACES => return run.track.closed = true,
            Scope::Whole => {}
            Scope::Line => {
                let same = !noted.places.is_empty() && (noted.line.start..noted.line.end).contains(&place);
                if !same {
                    self.run_noted(run, index, 0);
                    run.scratch.noted[index].line = line_at(run.sight.text(), place);
                } else if noted.places.len() >= MANY_PLACES && noted.line.len() > LONG_LINE {
                    // The last two pieces may still get places.
                    self.run_noted(run, index, 2);
                }
            }
        }
        run.scratch.noted[index].places.push(place);
    }

    fn run_detectors(&self, run: &mut Run<'_>, before: Option<Before<'_>>) {
        if !self.rules.structural {
            return;
        }
        let mut carried = Vec::new();
        if let Some(before) = before {
            for item in before.carried.items.iter().filter(|item| matches!(item.kind, Kind::Line(_))) {
                let first = run.track.hits.len();
                before.take_hits(item, &mut run.track);
                run.track.note(item.kind, item.start..item.end, item.seen, first);
            }
            carried = before.places;
        }
        for (index, detector) in detect::detectors().iter().enumerate() {
            let mut places = Vec::new();
            match detector.scope {
                Scope::Line => self.run_noted(run, index, 0),
                Scope::Whole => {
                    places.append(&mut run.scratch.noted[index].places);
                    places.extend(carried.get_mut(index).map(std::mem::take).unwrap_or_default());
                    places.sort_unstable();
                    places.dedup();
                    if !places.is_empty() || detector.keywords.is_empty() {
                        let whole = 0..run.sight.text().len();
                        self.run_detector(detector, &run.sight, whole, &places, &mut run.loose);
                    }
                }
            }
            run.track.places.push(places);
        }
    }

    /// Runs a detector over the line at hand, but for its last pieces, of which `keep` are kept.
    fn run_noted(&self, run: &mut Run<'_>, index: usize, keep: usize) {
        let noted = &mut run.scratch.noted[index];
        noted.places.sort_unstable();
        noted.places.dedup();
        let Some(last) = noted.places.last() else { return };
        let line = noted.line.clone();
        let kept = (cell(&line, *last) + 1).saturating_sub(keep);
        let count = noted.places.partition_point(|place| keep == 0 || cell(&line, *place) < kept);
        // The list is lent, so that its memory serves the next line too.
        let mut places = std::mem::take(&mut noted.places);
        if count > 0 {
            let first = run.track.hits.len();
            let detector = &detect::detectors()[index];
            self.run_on_line(detector, &run.sight, line.clone(), &places[..count], &mut run.track.hits);
            if run.track.hits.len() > first {
                run.track.note(Kind::Line(index), line.clone(), line.end, first);
            }
        }
        places.drain(..count);
        run.scratch.noted[index].places = places;
    }
}

impl Window {
    /// The window that an item was, by its number among all that are taken over.
    fn carried(index: usize, item: &Item) -> Self {
        let Item { start, end, seen, .. } = *item;
        Self { start, end, seen, carried: Some(index), places: None }
    }
}

impl Before<'_> {
    /// Adds the hits of an item that was taken over.
    fn take_hits(&self, item: &Item, track: &mut Track) {
        if !self.hits || item.hits.is_empty() {
            return;
        }
        let moved = |range: &Range<usize>| range.start - item.from + item.start..range.end - item.from + item.start;
        let hits = self.track.hits[item.hits.clone()].iter();
        track.hits.extend(hits.map(|hit| Hit {
            matched: moved(&hit.matched),
            secret: moved(&hit.secret),
            ..hit.clone()
        }));
    }
}

/// Letters of which a long run holds nothing: whoever asks for a word that is made of nothing else wants entropy.
fn dull(rules: &RuleSet, words: &[Box<[u8]>], listeners: &[Vec<Listener>]) -> [bool; 256] {
    let wants_entropy =
        |listener: &Listener| matches!(listener, Listener::Rule { rule, .. } if rules.rules[*rule].entropy > 0.0);
    std::array::from_fn(|letter| {
        let letter = (letter as u8).to_ascii_lowercase();
        let mut same = words.iter().zip(listeners).filter(|(word, _)| word.iter().all(|byte| *byte == letter));
        letter.is_ascii_alphanumeric() && same.all(|(_, listeners)| listeners.iter().all(wants_entropy))
    })
}

#[cfg(test)]
mod tests {
    use crate::builtin::builtin;
    use crate::windows::Plan;

    /// A rule without anchors costs a search of the whole text wherever one of its keywords stands.
    #[test]
    fn every_rule_of_ours_is_searched_near_its_keywords_only() {
        let rules = builtin().rules;
        let whole = rules.iter().filter(|rule| {
            rule.regex
                .as_ref()
                .is_some_and(|regex| rule.keywords.is_empty() || Plan::new(regex, &rule.keywords).is_none())
        });
        let whole: Vec<&str> = whole.map(|rule| &*rule.id).collect();
        assert_eq!(whole, [""; 0]);
    }
}
