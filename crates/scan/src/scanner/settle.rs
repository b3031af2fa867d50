//! From hits to candidates: places, allow markers, allowlists as far as texts decide, redaction.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use sha2::{Digest as _, Sha256};

use crate::allowlist::{Allowlist, Asks, Leave, Texts};
use crate::entropy::shannon;
use crate::finding::{Digest, Span};
use crate::lines::{line_range, spans};
use crate::scanner::markers;
use crate::scanner::redact::{Masks, excerpt};
use crate::scanner::views::{Traced, Views};
use crate::scanner::weigh::Hit;
use crate::scanner::{Body, Candidate, Scanner};
use crate::work;

/// A hit whose place is known.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) hit: Hit,
    pub(crate) traced: Traced,
    /// Where the secret stands in the text that lines are counted in: of a decoded one, what it was decoded from.
    pub(crate) spelled: Range<usize>,
    pub(crate) span: Span,
    /// Allowlists that only its places can decide.
    pub(crate) pending: Vec<usize>,
}

impl Scanner {
    /// Candidates in order of place; and the lines, first and last, of matches over the border of lines that came to
    /// nothing.
    pub(crate) fn settle(
        &self,
        views: &Views<'_>,
        mut hits: Vec<Hit>,
        first_line: usize,
    ) -> (Vec<Candidate>, Vec<(usize, usize)>) {
        let is_dropped = |hit: &mut Hit| hit.dropped;
        let dropped = hits.extract_if(.., is_dropped).filter(|hit| views.segments(hit.view).is_none()).collect();
        let lines = |placed: &Placed| (placed.span.start_line, placed.span.end_line);
        let mut swallowed: Vec<(usize, usize)> = place(views, dropped, first_line).iter().map(lines).collect();
        self.drop_public(views, &mut hits);
        if hits.is_empty() {
            return (Vec::new(), swallowed);
        }
        self.add_parts(views, &mut hits);
        drop_repeated(views, &mut hits);
        let masks = masks(views, &hits);
        let mut placed = place(views, hits, first_line);
        let allowed = self.drop_allowed(views, &mut placed);
        swallowed.extend(allowed.iter().map(lines).filter(|(first, last)| first < last && self.wants_excerpts()));
        placed.retain(|placed| placed.hit.part || placed.hit.confidence >= self.options.min_confidence);
        let mut candidates: Vec<Candidate> =
            placed.iter().map(|placed| self.candidate(views, &masks, placed)).collect();
        self.cover(views, &placed, &mut candidates);
        self.combine(&mut candidates);
        (candidates, swallowed)
    }

    /// Takes out what markers or the texts of allowlists let through, and notes which lists wait for a place.
    fn drop_allowed(&self, views: &Views<'_>, placed: &mut Vec<Placed>) -> Vec<Placed> {
        let mut lines = LineMemory::default();
        let is_allowed = |placed: &mut Placed| {
            let Traced { root, range, .. } = &placed.traced;
            if self.options.allow_markers && !placed.hit.part && lines.are_marked(*root, views.text(*root), range) {
                return true;
            }
            !self.leave(views, placed, &mut lines)
        };
        placed.extract_if(.., is_allowed).collect()
    }

    /// Whether the texts of the allowlists leave a hit standing.
    fn leave(&self, views: &Views<'_>, placed: &mut Placed, lines: &mut LineMemory) -> bool {
        let Placed { hit, pending, .. } = placed;
        let text = views.text(hit.view);
        let texts = Texts { secret: &text[hit.secret.clone()], matched: &text[hit.matched.clone()] };
        for (number, list) in self.lists(hit.rule) {
            let mut asks = Memory { scanner: self, lines, number, hit, text };
            match list.leave(&texts, &mut asks) {
                Leave::No => {}
                Leave::Everywhere => return false,
                Leave::AtItsPlaces => pending.push(number),
            }
        }
        true
    }

    fn candidate(&self, views: &Views<'_>, masks: &[Masks], placed: &Placed) -> Candidate {
        let Placed { hit, traced, spelled, span, pending } = placed;
        let (text, root) = (views.text(hit.view), views.text(traced.root));
        let secret = &text[hit.secret.clone()];
        let redaction = self.options.redaction;
        let lines = excerpt(root, &traced.range);
        // What was decoded stands in the content in another spelling, perhaps more than once.
        let spelled = match views.segments(hit.view) {
            Some(_) => &root[spelled.clone()],
            None => secret,
        };
        let secrets: &[&[u8]] = if spelled == secret { &[secret] } else { &[secret, spelled] };
        let body = Body {
            decoded: traced.decoded.clone(),
            confidence: hit.confidence,
            severity: hit.severity,
            secret: redaction.secret(secret),
            matched: redaction.part(text, &hit.matched, &masks[hit.view], secrets),
            line: redaction.part(root, &lines, &masks[traced.root], secrets),
            entropy: shannon(secret) as f32,
            digest: digest(&self.rules.rules[hit.rule].id, secret),
            pending: pending.clone(),
        };
        let (covered_by, components) = Default::default();
        Candidate { rule: hit.rule, span: *span, body: Arc::new(body), covered_by, components, part: hit.part }
    }

    /// Whether a secret holds a stop word of the list with this number.
    fn holds_stopword(&self, number: usize, list: &Allowlist, secret: &[u8]) -> bool {
        let automaton = self.words[number].get_or_init(|| stopwords(list));
        automaton.as_ref().is_some_and(|automaton| {
            use bstr::ByteSlice;
            automaton.is_match(&secret.to_lowercase())
        })
    }
}

fn stopwords(list: &Allowlist) -> Option<AhoCorasick> {
    AhoCorasick::new(list.stopwords.iter().map(|word| word.to_lowercase())).ok()
}

/// Takes out what only touches what was decoded and was found in a view before, too.
fn drop_repeated(views: &Views<'_>, hits: &mut Vec<Hit>) {
    let known: HashSet<(usize, usize, Range<usize>, bool)> =
        hits.iter().map(|hit| (hit.rule, hit.view, hit.secret.clone(), hit.part)).collect();
    hits.retain(|hit| {
        let mut at = views.before(hit.view, &hit.matched).and_then(|_| views.before(hit.view, &hit.secret));
        while let Some((view, secret)) = at {
            at = views.before(view, &secret);
            if known.contains(&(hit.rule, view, secret, hit.part)) {
                return false;
            }
        }
        true
    });
}

/// The secrets of each view, to be hidden wherever a part of it is shown.
fn masks(views: &Views<'_>, hits: &[Hit]) -> Vec<Masks> {
    let mut ranges: Vec<Vec<Range<usize>>> = views.iter().map(|_| Vec::new()).collect();
    for hit in hits {
        ranges[hit.view].push(hit.secret.clone());
        if views.segments(hit.view).is_some() {
            let traced = views.trace(hit.view, &hit.secret);
            ranges[traced.root].push(traced.range);
        }
    }
    ranges.into_iter().map(Masks::new).collect()
}

/// In order of place; hits at the same place in order of rule, then of secret.
fn place(views: &Views<'_>, hits: Vec<Hit>, first_line: usize) -> Vec<Placed> {
    let mut places: Vec<(Hit, Traced)> = hits
        .into_iter()
        .map(|hit| {
            let traced = views.trace_match(hit.view, &hit.matched);
            (hit, traced)
        })
        .collect();
    places.sort_by(|(a, at), (b, bt)| {
        let key = |hit: &Hit, traced: &Traced| {
            let Range { start, end } = traced.range;
            let Range { start: secret, end: secret_end } = hit.secret;
            let weight = (hit.confidence, hit.severity, hit.part);
            (traced.root, start, end, hit.rule, hit.view, (secret, secret_end, hit.matched.start), weight)
        };
        key(a, at).cmp(&key(b, bt))
    });
    let mut placed = Vec::with_capacity(places.len());
    for chunk in places.chunk_by(|(_, a), (_, b)| a.root == b.root) {
        let ranges: Vec<Range<usize>> = chunk.iter().map(|(_, traced)| traced.range.clone()).collect();
        let spans = spans(views.text(chunk[0].1.root), &ranges);
        let hits = chunk.iter().cloned().zip(spans);
        let below = first_line.saturating_sub(1);
        placed.extend(hits.map(|((hit, traced), span)| {
            let span = Span { start_line: span.start_line + below, end_line: span.end_line + below, ..span };
            let spelled = views.trace(hit.view, &hit.secret).range;
            Placed { hit, traced, spelled, span, pending: Vec::new() }
        }));
    }
    placed
}

/// What fingerprints are made from.
pub(crate) fn digest(rule: &str, secret: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(rule.as_bytes());
    hash.update([0]);
    hash.update(secret);
    Digest(hash.finalize().into())
}

/// The lines of the last match, and what was found out about them: many matches may stand on one long line.
#[derive(Default)]
struct LineMemory {
    view: usize,
    lines: Range<usize>,
    /// Whether `lines` are one line, so that they are the lines of every match within.
    single: bool,
    marked: Option<bool>,
    /// For each allowlist asked, whether it hits these lines.
    hits: HashMap<usize, bool>,
}

impl LineMemory {
    fn around(&mut self, view: usize, text: &[u8], range: &Range<usize>) -> Range<usize> {
        let inside = self.view == view && self.lines.start <= range.start && range.end <= self.lines.end;
        if !(self.single && inside) {
            work::count(range.len());
            let single = memchr::memchr(b'\n', &text[range.clone()]).is_none();
            *self = Self { view, lines: line_range(text, range), single, ..Self::default() };
        }
        self.lines.clone()
    }

    fn are_marked(&mut self, view: usize, text: &[u8], range: &Range<usize>) -> bool {
        let lines = self.around(view, text, range);
        *self.marked.get_or_insert_with(|| markers::stand_in(&text[lines]))
    }
}

struct Memory<'a> {
    scanner: &'a Scanner,
    lines: &'a mut LineMemory,
    number: usize,
    hit: &'a Hit,
    text: &'a [u8],
}

impl Asks for Memory<'_> {
    fn line(&mut self, list: &Allowlist) -> bool {
        let lines = self.lines.around(self.hit.view, self.text, &self.hit.matched);
        let text = &self.text[lines];
        *self.lines.hits.entry(self.number).or_insert_with(|| list.regex_hits(text))
    }

    fn word(&mut self, list: &Allowlist, secret: &[u8]) -> bool {
        self.scanner.holds_stopword(self.number, list, secret)
    }
}
