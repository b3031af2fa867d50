//! The fast search of a text by all rules: one pass for keywords, then only what they call for.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use bstr::BString;
use regex_automata::util::pool::Pool;

use crate::detect::{self, Scope};
use crate::fold::Plain;
use crate::machine;
use crate::prefilter::Keywords;
use crate::reference::Lowered;
use crate::ruleset::RuleSet;
use crate::scanner::Scanner;
use crate::scanner::views::{Views, overlapping};
use crate::scanner::weigh::{Hit, LONG_LINE, MOST_PLACES, cell, line_at};
use crate::windows::{Plan, Work};
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
    pool: Pool<Scratch, fn() -> Scratch>,
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
    /// For each rule whether a keyword called for it in the text at hand.
    called: Vec<bool>,
    /// For each detector where its keywords stand.
    noted: Vec<Noted>,
}

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
                false if rule.keywords.iter().any(|word| !word.is_ascii()) => Call::OddKeyword,
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
        Self { keywords: Keywords::new(words), listeners, calls, plans, pool: Pool::new(Scratch::default) }
    }
}

impl Scanner {
    /// Adds what all rules and detectors find in one view: the same as [`Self::search_by_reference`].
    pub(crate) fn search(&self, views: &Views<'_>, view: usize, paths: &[BString], hits: &mut Vec<Hit>) {
        let text = views.text(view);
        let plain = Plain::new(text);
        let search = &self.search;
        let mut scratch = search.pool.get();
        scratch.works.resize_with(search.calls.len(), || None);
        scratch.called.clear();
        scratch.called.resize(search.calls.len(), false);
        scratch.noted.resize_with(detect::detectors().len(), Noted::default);
        work::count(text.len());
        search.keywords.find(&plain.text, 0..plain.text.len(), |word, place| {
            for listener in &search.listeners[word as usize] {
                match *listener {
                    Listener::Rule { rule, number } => self.call(&mut scratch, text, &plain, rule, number, place),
                    Listener::Detector(index) if search.keywords.stands(word, text, plain.place(place)) => {
                        self.note(&mut scratch, views, view, index, plain.place(place), paths, hits);
                    }
                    Listener::Detector(_) => {}
                }
            }
        });
        self.run_rules(&mut scratch, views, view, hits);
        self.run_detectors(&mut scratch, views, view, paths, hits);
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
    fn run_rules(&self, scratch: &mut Scratch, views: &Views<'_>, view: usize, hits: &mut Vec<Hit>) {
        let text = views.text(view);
        let lowered = Lowered::new(text);
        let mut found = Vec::new();
        for (index, call) in self.search.calls.iter().enumerate() {
            let rule = &self.rules.rules[index];
            let Some(regex) = &rule.regex else { continue };
            match call {
                Call::Never => continue,
                Call::Keyword if !scratch.called[index] => continue,
                Call::OddKeyword if !rule.keywords.iter().any(|word| lowered.holds(word)) => continue,
                _ => {}
            }
            match scratch.works[index].as_mut().filter(|_| scratch.called[index]) {
                None => machine::matches(regex, text, 0..text.len(), &mut found),
                Some(work) => {
                    let windows = work.take().into_iter().filter(|window| is_new(views, view, window));
                    windows.for_each(|window| machine::matches(regex, text, window, &mut found));
                }
            }
            hits.extend(found.drain(..).filter_map(|range| self.weigh(views, view, index, range)));
        }
    }

    /// Notes a keyword for a detector; one that wants lines is run when a line is complete.
    #[allow(clippy::too_many_arguments)]
    fn note(
        &self,
        scratch: &mut Scratch,
        views: &Views<'_>,
        view: usize,
        index: usize,
        place: usize,
        paths: &[BString],
        hits: &mut Vec<Hit>,
    ) {
        let detector = &detect::detectors()[index];
        let noted = &mut scratch.noted[index];
        match detector.scope {
            Scope::Whole if noted.places.len() >= MOST_PLACES => return,
            Scope::Whole => {}
            Scope::Line => {
                let same = !noted.places.is_empty() && (noted.line.start..noted.line.end).contains(&place);
                if !same {
                    self.run_noted(noted, 0, views, view, index, paths, hits);
                    noted.line = line_at(views.text(view), place);
                } else if noted.places.len() >= MANY_PLACES && noted.line.len() > LONG_LINE {
                    // The last two pieces may still get places.
                    self.run_noted(noted, 2, views, view, index, paths, hits);
                }
            }
        }
        noted.places.push(place);
    }

    fn run_detectors(
        &self,
        scratch: &mut Scratch,
        views: &Views<'_>,
        view: usize,
        paths: &[BString],
        hits: &mut Vec<Hit>,
    ) {
        for (index, detector) in detect::detectors().iter().enumerate() {
            let noted = &mut scratch.noted[index];
            match detector.scope {
                Scope::Line => self.run_noted(noted, 0, views, view, index, paths, hits),
                Scope::Whole if noted.places.is_empty() && !detector.keywords.is_empty() => {}
                Scope::Whole => {
                    noted.places.sort_unstable();
                    noted.places.dedup();
                    let whole = 0..views.text(view).len();
                    self.run_detector(detector, views, view, whole, &noted.places, paths, hits);
                    noted.places.clear();
                }
            }
        }
    }

    /// Runs a detector over the line at hand, but for its last pieces, of which `keep` are kept.
    #[allow(clippy::too_many_arguments)]
    fn run_noted(
        &self,
        noted: &mut Noted,
        keep: usize,
        views: &Views<'_>,
        view: usize,
        index: usize,
        paths: &[BString],
        hits: &mut Vec<Hit>,
    ) {
        noted.places.sort_unstable();
        noted.places.dedup();
        let Some(last) = noted.places.last() else { return };
        let line = noted.line.clone();
        let kept = (cell(&line, *last) + 1).saturating_sub(keep);
        let count = noted.places.partition_point(|place| keep == 0 || cell(&line, *place) < kept);
        let places: Vec<usize> = noted.places.drain(..count).collect();
        if !places.is_empty() {
            self.run_on_line(&detect::detectors()[index], views, view, line, &places, paths, hits);
        }
    }
}

/// Whether a window may hold something that the view before did not.
fn is_new(views: &Views<'_>, view: usize, window: &Range<usize>) -> bool {
    views.segments(view).is_none_or(|segments| !overlapping(segments, window).is_empty())
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
