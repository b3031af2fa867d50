//! From candidates to findings: what depends on path, commit and lines.

use bstr::{BStr, ByteSlice};

use crate::allowlist::Spot;
use crate::finding::{Component, Finding, Origin, Shown, Span};
use crate::rule::Rule;
use crate::scanner::settle::digest;
use crate::scanner::{Candidate, Scanner, Seen};
use crate::visitor::Lines;

/// A component may need components of its own; rules that need each other must come to an end.
const NESTING: usize = 4;

/// The candidates of a content at one place.
struct Bench<'a> {
    scanner: &'a Scanner,
    candidates: &'a [Candidate],
    spot: Spot<'a>,
    /// For each rule, once asked, whether path and commit let it speak.
    admitted: Vec<Option<bool>>,
}

impl Scanner {
    pub(crate) fn judge_at(&self, seen: &Seen, origin: &Origin, lines: Lines<'_>) -> Vec<Finding> {
        let spot = spot(origin);
        if self.lets_through(spot) {
            return Vec::new();
        }
        let candidates = &seen.candidates[..];
        let mut bench = Bench { scanner: self, candidates, spot, admitted: vec![None; self.rules.rules.len()] };
        let stands: Vec<bool> = candidates
            .iter()
            .map(|candidate| !candidate.part && lines.touch(candidate.span.start_line, candidate.span.end_line))
            .enumerate()
            .map(|(index, wanted)| wanted && bench.stands(index, 0))
            .collect();
        let covered = |candidate: &Candidate| candidate.covered_by.iter().any(|other| stands[*other]);
        let kept = (0..candidates.len()).filter(|index| stands[*index] && !covered(&candidates[*index]));
        let mut findings: Vec<Finding> = kept.map(|index| bench.finding(index, origin, lines)).collect();
        findings.extend(self.name_findings(origin));
        findings.sort_by(|a, b| a.order().cmp(&b.order()));
        findings.dedup();
        findings
    }

    /// What the path alone amounts to.
    pub(crate) fn name_findings(&self, origin: &Origin) -> Vec<Finding> {
        let spot = spot(origin);
        let named = self.naming_rules(origin.path.as_bstr()).filter(|(index, _)| self.admits(*index, spot));
        if self.lets_through(spot) {
            return Vec::new();
        }
        named.map(|(_, rule)| name_finding(rule, origin)).collect()
    }

    /// Whether a path is a finding by itself at some place.
    pub(crate) fn is_named(&self, path: &BStr) -> bool {
        self.naming_rules(path).next().is_some()
    }

    /// Whether a rule looks at this place.
    fn admits(&self, index: usize, spot: Spot<'_>) -> bool {
        let rule = &self.rules.rules[index];
        let mut lists = (self.first_list[index]..).zip(&rule.allowlists);
        rule.path.as_ref().is_none_or(|path| path.is_match(spot.path))
            && !lists.any(|(number, list)| list.allows_spot(spot, &|| self.paths_of(number, list)))
    }

    fn naming_rules<'a>(&'a self, path: &'a BStr) -> impl Iterator<Item = (usize, &'a Rule)> {
        let names = |rule: &Rule| {
            rule.regex.is_none()
                && rule.confidence >= self.options.min_confidence
                && rule.path.as_ref().is_some_and(|pattern| pattern.is_match(path))
        };
        let reported = self.rules.rules.iter().enumerate().filter(|(index, _)| self.reported[*index]);
        reported.filter(move |(_, rule)| names(rule))
    }
}

impl Bench<'_> {
    /// Whether a candidate, with all it requires, is let stand at this place.
    fn stands(&mut self, index: usize, depth: usize) -> bool {
        let candidate = &self.candidates[index];
        let rule = &self.scanner.rules.rules[candidate.rule];
        let spot = self.spot;
        let scanner = self.scanner;
        if !*self.admitted[candidate.rule].get_or_insert_with(|| scanner.admits(candidate.rule, spot)) {
            return false;
        }
        let covers = |number: &usize| {
            let list = scanner.list(candidate.rule, *number);
            list.covers_spot(spot, &|| scanner.paths_of(*number, list))
        };
        if candidate.body.pending.iter().any(covers) {
            return false;
        }
        if rule.required.is_empty() || depth >= NESTING {
            return true;
        }
        candidate.components.iter().all(|met| met.iter().any(|other| self.stands(*other, depth + 1)))
    }

    fn finding(&mut self, index: usize, origin: &Origin, lines: Lines<'_>) -> Finding {
        let candidate = &self.candidates[index];
        let rule = &self.scanner.rules.rules[candidate.rule];
        let components = candidate.components.iter().flatten().copied();
        let standing: Vec<usize> = components.filter(|other| self.stands(*other, 1)).collect();
        let mut tags = rule.tags.clone();
        if let Some(decoded) = &candidate.body.decoded {
            tags.extend(decoded.kinds.iter().map(|kind| format!("decoded:{kind}")));
            tags.push(format!("decode-depth:{}", decoded.depth));
        }
        Finding {
            rule: rule.id.clone(),
            description: rule.description.clone(),
            severity: candidate.body.severity,
            confidence: candidate.body.confidence,
            tags,
            origin: origin.clone(),
            span: candidate.span,
            run_start: lines.run_start(candidate.span.start_line),
            matched: candidate.body.matched.clone(),
            secret: candidate.body.secret.clone(),
            line: candidate.body.line.clone(),
            entropy: candidate.body.entropy,
            decoded: candidate.body.decoded.clone(),
            components: standing.into_iter().map(|other| self.component(other)).collect(),
            digest: candidate.body.digest,
        }
    }

    fn component(&self, index: usize) -> Component {
        let candidate = &self.candidates[index];
        let rule = self.scanner.rules.rules[candidate.rule].id.clone();
        Component { rule, span: candidate.span, secret: candidate.body.secret.clone() }
    }
}

fn spot(origin: &Origin) -> Spot<'_> {
    Spot { path: origin.path.as_bstr(), commit: origin.commit().map(|commit| commit.id.as_str()) }
}

fn name_finding(rule: &Rule, origin: &Origin) -> Finding {
    Finding {
        rule: rule.id.clone(),
        description: rule.description.clone(),
        severity: rule.severity,
        confidence: rule.confidence,
        tags: rule.tags.clone(),
        origin: origin.clone(),
        span: Span::default(),
        run_start: 1,
        matched: Shown::new(format!("file detected: {}", origin.path)),
        secret: Shown::default(),
        line: Shown::default(),
        entropy: 0.0,
        decoded: None,
        components: Vec::new(),
        digest: digest(&rule.id, b""),
    }
}
