//! The engine: contents in, candidates out; candidates and a place in, findings out.

mod around;
mod compose;
mod excerpt;
mod judge;
mod markers;
mod redact;
mod search;
mod settle;
mod trail;
mod utf16;
mod views;
mod weigh;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use aho_corasick::AhoCorasick;
use bstr::{BString, ByteSlice};
use pattern::AnyOf;

use crate::allowlist::{Allowlist, Spot};
use crate::content::Content;
use crate::decode::spare::Spare;
use crate::detect::Place;
use crate::finding::{Confidence, Decoded, Digest, Finding, Origin, Severity, Shown, Span};
use crate::machine::Machine;
use crate::reference::{self, Lowered};
use crate::ruleset::RuleSet;
use crate::scanner::compose::Rank;
use crate::scanner::search::Search;
use crate::scanner::trail::Trail;
use crate::scanner::views::Views;
use crate::scanner::weigh::{Hit, Sight};
use crate::visitor::Lines;

/// Whether a comment that lets a line through stands anywhere in a text: `plomb:allow` and the ones of other tools.
pub fn holds_allow_marker(text: &[u8]) -> bool {
    markers::stand_in(text)
}

/// How much of a secret reports may show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redaction {
    /// Nothing: `REDACTED`.
    #[default]
    Full,
    /// This many percent are hidden (0 to 100); gitleaks' `--redact=N`.
    Percent(u8),
    /// Everything is shown.
    Off,
}

/// Bodies with one secret and line that are compared.
const ALIKE: usize = 4;

/// What the caller chose.
#[derive(Clone, Debug)]
pub struct Options {
    /// How much is shown.
    pub redaction: Redaction,
    /// Decoding passes; 0 = none.
    pub max_decode_depth: usize,
    /// Whether `gitleaks:allow` and its kin are obeyed.
    pub allow_markers: bool,
    /// The least sure finding that is reported.
    pub min_confidence: Confidence,
    /// Only these rules, if any are named.
    pub enabled: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            redaction: Redaction::Full,
            max_decode_depth: 5,
            allow_markers: true,
            min_confidence: Confidence::Medium,
            enabled: Vec::new(),
        }
    }
}

/// One possible secret of a content, before any path, commit or line filter. It holds no more of the secret than the
/// caller's redaction lets through.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Index of the rule in the scanner's set.
    pub rule: usize,
    /// Where the match lies.
    pub span: Span,
    /// What stays the same where the same match stands in another content.
    body: Arc<Body>,
    /// Candidates of better rules that hold this one's secret; if one of them is reported, this one is not.
    covered_by: Box<[usize]>,
    /// For each requirement of the rule, the candidates that meet it.
    components: Box<[Vec<usize>]>,
    /// Only here as a component.
    part: bool,
}

/// A candidate but for its place. Versions of a file share it: what is found in a history stays in memory.
#[derive(Debug, PartialEq)]
struct Body {
    /// What it was decoded from.
    decoded: Option<Decoded>,
    confidence: Confidence,
    severity: Severity,
    secret: Shown,
    matched: Shown,
    line: Shown,
    entropy: f32,
    digest: Digest,
    /// Allowlists whose texts hit and whose places decide: indices into all lists of the rule and the global ones.
    pending: Vec<usize>,
}

/// What a scanner found in one content, and what it needs to scan a delta of it faster.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Possible secrets, in order of place.
    pub candidates: Vec<Candidate>,
    /// Whether one of the content's paths is a finding by itself.
    named: bool,
    /// First and last lines of matches that came to nothing and may have taken the place of others.
    swallowed: Vec<(usize, usize)>,
    /// What contents made from this one take over.
    trail: Trail,
}

/// What was found counts, not how.
impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        (&self.candidates, self.named) == (&other.candidates, other.named)
    }
}

impl Candidate {
    /// A candidate with nothing to show, for tests of what hands contents over.
    pub fn bare(rule: usize, span: Span) -> Self {
        let [secret, matched, line] = std::array::from_fn(|_| Shown::default());
        let body = Body {
            decoded: None,
            confidence: Confidence::Low,
            severity: Severity::Low,
            secret,
            matched,
            line,
            entropy: 0.0,
            digest: Digest::default(),
            pending: Vec::new(),
        };
        Self { rule, span, body: Arc::new(body), covered_by: Box::default(), components: Box::default(), part: false }
    }
}

impl Seen {
    /// An answer that consists of these.
    pub fn of(candidates: Vec<Candidate>) -> Self {
        Self { candidates, ..Self::default() }
    }

    /// The answer alone, without what makes it faster to scan a delta: to be kept for long.
    pub fn answer(&self) -> Self {
        let Self { candidates, named, swallowed, .. } = self;
        let (candidates, swallowed) = (candidates.clone(), swallowed.clone());
        Self { candidates, named: *named, swallowed, trail: Trail::default() }
    }

    /// Whether nothing here can become a finding, nor any of the content's lines if they are looked at alone.
    pub fn is_settled(&self) -> bool {
        self.is_quiet() && self.swallowed.is_empty()
    }

    /// Whether nothing here can become a finding at any place.
    pub fn is_quiet(&self) -> bool {
        !self.named && self.candidates.iter().all(|candidate| candidate.part)
    }
}

/// Rules made ready. Shared by all workers; holds no state of a scan.
#[derive(Debug)]
pub struct Scanner {
    rules: Arc<RuleSet>,
    options: Options,
    /// For each rule whether it is reported by itself.
    reported: Vec<bool>,
    search: Search,
    /// For each allowlist, numbered as [`Self::lists`] numbers them, its stop words.
    words: Vec<OnceLock<Option<AhoCorasick>>>,
    /// For each rule the number of its first allowlist.
    first_list: Vec<usize>,
    /// For each allowlist, numbered the same way, all its paths as one expression.
    places: Vec<OnceLock<AnyOf>>,
    /// Rules by their ids.
    by_id: HashMap<Arc<str>, usize>,
    /// For each rule how special it is.
    ranks: Vec<Rank>,
    /// Memory for decoded texts.
    spare: Spare,
}

impl Scanner {
    /// Makes rules ready. Regular expressions are compiled when a keyword first asks for them.
    pub fn new(rules: Arc<RuleSet>, options: Options) -> Self {
        let enabled = |id: &str| options.enabled.is_empty() || options.enabled.iter().any(|name| name == id);
        let reported: Vec<bool> = rules.rules.iter().map(|rule| !rule.skip_report && enabled(&rule.id)).collect();
        let mut lists = rules.allowlists.len();
        let mut first_list = Vec::with_capacity(rules.rules.len());
        for rule in &rules.rules {
            first_list.push(lists);
            lists += rule.allowlists.len();
        }
        let words = (0..lists).map(|_| OnceLock::new()).collect();
        let places = (0..lists).map(|_| OnceLock::new()).collect();
        let search = Search::new(&rules, &reported);
        // The first of several with one id counts.
        let by_id = rules.rules.iter().enumerate().rev().map(|(index, rule)| (rule.id.clone(), index)).collect();
        let ranks = rules.rules.iter().map(compose::rank).collect();
        Self { rules, options, reported, search, words, first_list, places, by_id, ranks, spare: Spare::default() }
    }

    /// The rules.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The caller's choices.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Scans one content.
    pub fn scan(&self, content: &Content<'_>) -> Seen {
        self.examine(content, false)
    }

    /// Scans one content the slow way, every rule over the whole of it: the measure of [`Self::scan`] in tests.
    pub fn scan_by_reference(&self, content: &Content<'_>) -> Seen {
        self.examine(content, true)
    }

    fn examine(&self, content: &Content<'_>, slow: bool) -> Seen {
        let Content { bytes, paths, .. } = *content;
        if self.is_let_through(paths) {
            return Seen::default();
        }
        let named = paths.iter().any(|path| self.is_named(path.as_bstr()));
        if is_blank(bytes) {
            return Seen { named, ..Seen::default() };
        }
        let place = Place::of(if self.rules.structural { paths } else { &[] });
        let usable = |trail: &Trail| trail.open && trail.place == Some(place);
        let base = content.base.filter(|base| !slow && content.first_line == 1 && usable(&base.seen.trail));
        let earlier = base.map(|base| (&base.seen.trail, base.copied));
        let views = Views::of(bytes, self.options.max_decode_depth, earlier, &self.spare);
        let mut trail = Trail { open: !slow && !views.are_closed(), place: Some(place), tracks: Vec::new() };
        let mut hits = Vec::new();
        for (view, _) in views.iter() {
            let sight = Sight { views: &views, view, paths, place };
            match slow {
                true => self.search_by_reference(&sight, &mut hits),
                false => self.search(sight, &mut trail, earlier.map(|(trail, _)| trail), &mut hits),
            }
        }
        views.keep_segments(&mut trail);
        let (mut candidates, swallowed) = self.settle(&views, hits, content.first_line);
        views.give_back(&self.spare);
        if let Some(base) = base {
            share(&mut candidates, &base.seen.candidates);
        }
        Seen { candidates, named, swallowed, trail }
    }

    /// What the candidates of a content amount to at a place: path, commit and line filters, allowlists, redaction; and
    /// what the path alone amounts to. In the order of [`Finding::order`].
    pub fn judge(&self, seen: &Seen, origin: &Origin, lines: Lines<'_>) -> Vec<Finding> {
        self.judge_at(seen, origin, lines)
    }

    /// Findings that a path alone makes, whatever the content; [`Self::judge`] gives them too.
    pub fn judge_path(&self, path: &BString) -> Vec<Finding> {
        self.name_findings(&Origin { path: path.clone(), ..Origin::default() })
    }

    /// Whether the global allowlists let everything through at all of these paths.
    fn is_let_through(&self, paths: &[BString]) -> bool {
        let allowed = |path: &BString| self.lets_through(Spot { path: path.as_bstr(), commit: None });
        !paths.is_empty() && paths.iter().all(allowed)
    }

    /// Every match of every reported rule in one view.
    fn search_by_reference(&self, sight: &Sight<'_>, hits: &mut Vec<Hit>) {
        let mut found = Vec::new();
        let (views, view, text) = (sight.views, sight.view, sight.text());
        let lowered = Lowered::new(text);
        for (index, rule) in self.rules.rules.iter().enumerate().filter(|(index, _)| self.reported[*index]) {
            let mut machine = Machine::default();
            reference::matches(rule, text, &lowered, &mut machine, &mut found);
            hits.extend(found.drain(..).filter_map(|range| self.weigh(views, view, index, range, &mut machine)));
        }
        self.detect_by_reference(sight, hits);
    }

    /// Whether the global allowlists let everything through at a place.
    fn lets_through(&self, spot: Spot<'_>) -> bool {
        let mut lists = self.rules.allowlists.iter().enumerate();
        lists.any(|(number, list)| list.allows_spot(spot, &|| self.paths_of(number, list)))
    }

    /// The paths of the allowlist with this number.
    fn paths_of(&self, number: usize, list: &Allowlist) -> &AnyOf {
        self.places[number].get_or_init(|| AnyOf::new(&list.paths))
    }

    /// The allowlist of a rule or of all with this number.
    fn list(&self, rule: usize, number: usize) -> &Allowlist {
        match number.checked_sub(self.first_list[rule]) {
            Some(own) => &self.rules.rules[rule].allowlists[own],
            None => &self.rules.allowlists[number],
        }
    }

    /// The allowlists that look at a rule's matches, with their numbers: first the global ones.
    fn lists(&self, rule: usize) -> impl Iterator<Item = (usize, &Allowlist)> {
        let own = self.rules.rules[rule].allowlists.iter().enumerate();
        let first = self.first_list[rule];
        self.rules.allowlists.iter().enumerate().chain(own.map(move |(index, list)| (first + index, list)))
    }
}

/// Takes the bodies of earlier candidates for equal ones.
fn share(candidates: &mut [Candidate], earlier: &[Candidate]) {
    if candidates.is_empty() || earlier.is_empty() {
        return;
    }
    // To hash whole lines, of each version, would take longer than all of the rest.
    let key = |body: &Body| {
        let (line, digest) = (body.line.as_str(), body.digest.0);
        let letter = |at: usize| line.as_bytes().get(at).copied().unwrap_or_default();
        (digest.first_chunk::<8>().copied(), line.len(), [letter(0), letter(line.len() / 2)])
    };
    let mut known: HashMap<_, Vec<&Arc<Body>>> = HashMap::new();
    for Candidate { body, .. } in earlier {
        let bodies = known.entry(key(body)).or_default();
        if bodies.len() < ALIKE {
            bodies.push(body);
        }
    }
    for candidate in candidates {
        let bodies = known.get(&key(&candidate.body));
        if let Some(same) = bodies.into_iter().flatten().find(|body| ***body == candidate.body) {
            candidate.body = Arc::clone(same);
        }
    }
}

/// Whether a content is nothing but zero bytes: the holes of sparse files, in gigabytes.
fn is_blank(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
