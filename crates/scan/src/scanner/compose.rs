//! What candidates mean to each other: generic ones that better ones cover, composites and their components.

use std::collections::BTreeSet;
use std::ops::Range;

use bstr::ByteSlice;

use crate::finding::Span;
use crate::rule::{Requirement, Rule};
use crate::scanner::settle::Placed;
use crate::scanner::views::Views;
use crate::scanner::weigh::Hit;
use crate::scanner::{Candidate, Scanner};

/// Components of one requirement that a candidate remembers: enough to show, and hostile contents cannot square.
const REMEMBERED: usize = 32;

/// Components that are looked at for one requirement of one candidate, from the first line that is near enough.
const LOOKED_AT: usize = 4096;
/// Candidates on either side of one that are compared with it.
const COMPARED: usize = 64;

impl Scanner {
    /// Adds the matches of every rule that a rule with hits needs, and of those that these need.
    pub(crate) fn add_parts(&self, views: &Views<'_>, hits: &mut Vec<Hit>) {
        let mut todo: Vec<usize> = hits.iter().map(|hit| hit.rule).collect::<BTreeSet<_>>().into_iter().collect();
        let mut done = BTreeSet::new();
        while let Some(rule) = todo.pop() {
            for component in self.rules.rules[rule].required.iter().filter_map(|required| self.index_of(&required.id)) {
                if done.insert(component) {
                    self.add_part(views, component, hits);
                    todo.push(component);
                }
            }
        }
    }

    fn add_part(&self, views: &Views<'_>, rule: usize, hits: &mut Vec<Hit>) {
        let Some(regex) = &self.rules.rules[rule].regex else { return };
        let mut found = Vec::new();
        self.search.with_machine(rule, |machine| {
            for (view, text) in views.iter() {
                machine.matches(regex, &text.text, 0..text.text.len(), &mut found);
                let weighed = found.drain(..).filter_map(|range| self.weigh(views, view, rule, range, machine));
                hits.extend(weighed.filter(|hit| !hit.dropped).map(|hit| Hit { part: true, ..hit }));
            }
        });
    }

    pub(crate) fn index_of(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Notes which better candidates each one gives way to.
    pub(crate) fn cover(&self, views: &Views<'_>, placed: &[Placed], candidates: &mut [Candidate]) {
        let ranks = &self.ranks;
        for (index, weak) in placed.iter().enumerate().filter(|(_, placed)| !placed.hit.part) {
            let covers = |other: &usize| {
                let strong = &placed[*other];
                let ranks = [ranks[weak.hit.rule], ranks[strong.hit.rule]];
                let better = match self.rules.structural {
                    true => gives_way(weak, strong, ranks, *other < index),
                    false => !ranks[0].0 && ranks[1].0 && is_held(views, weak, strong),
                };
                *other != index && !strong.hit.part && better
            };
            let near = index.saturating_sub(COMPARED)..placed.len().min(index + COMPARED);
            candidates[index].covered_by = near.filter(covers).collect();
        }
    }

    /// Notes for every composite candidate which others meet its requirements.
    pub(crate) fn combine(&self, candidates: &mut [Candidate]) {
        let mut parts: Vec<usize> = (0..candidates.len()).filter(|index| candidates[*index].part).collect();
        parts.sort_by_key(|index| (candidates[*index].rule, candidates[*index].span.start_line, *index));
        for index in 0..candidates.len() {
            let required = &self.rules.rules[candidates[index].rule].required;
            let meets = |requirement: &Requirement| self.meeting(requirement, index, candidates, &parts);
            candidates[index].components = required.iter().map(meets).collect();
        }
    }

    /// Those of `parts`, ordered by rule and line, that meet a requirement of a candidate.
    fn meeting(&self, required: &Requirement, index: usize, candidates: &[Candidate], parts: &[usize]) -> Vec<usize> {
        let Some(rule) = self.index_of(&required.id) else { return Vec::new() };
        let span = candidates[index].span;
        let from = span.start_line.saturating_sub(required.within_lines.unwrap_or(usize::MAX));
        let key = |part: &usize| (candidates[*part].rule, candidates[*part].span.start_line);
        let first = parts.partition_point(|part| key(part) < (rule, from));
        let of_rule = parts[first..].iter().take_while(|part| candidates[**part].rule == rule).take(LOOKED_AT);
        let near = of_rule.filter(|part| is_near(required, span, candidates[**part].span));
        near.copied().take(REMEMBERED).collect()
    }
}

/// How special a rule is: a generic one is the least, and an expression says more than a detector.
pub(super) type Rank = (bool, bool);

pub(super) fn rank(rule: &Rule) -> Rank {
    let generic = rule.id.to_ascii_lowercase().contains("generic") || rule.tags.iter().any(|tag| tag == "generic");
    (!generic, rule.regex.is_some())
}

/// gitleaks' test: the secret of a generic match is a part of a better one's that starts on the same line.
fn is_held(views: &Views<'_>, weak: &Placed, strong: &Placed) -> bool {
    weak.traced.root == strong.traced.root
        && weak.span.start_line == strong.span.start_line
        && secret(views, strong).contains_str(secret(views, weak))
}

/// Our own rules' test: the secrets overlap, and the other rule is better, or the same rule said it before.
fn gives_way(weak: &Placed, strong: &Placed, ranks: [Rank; 2], before: bool) -> bool {
    let overlap = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    let same = match weak.hit.view == strong.hit.view {
        true => overlap(&weak.hit.secret, &strong.hit.secret),
        false => weak.traced.root == strong.traced.root && overlap(&weak.spelled, &strong.spelled),
    };
    let (less, equal) = (weak.hit.confidence < strong.hit.confidence, weak.hit.confidence == strong.hit.confidence);
    same && match weak.hit.rule == strong.hit.rule {
        true => less || equal && before,
        false => ranks[0] < ranks[1],
    }
}

fn secret<'v>(views: &'v Views<'_>, placed: &Placed) -> &'v [u8] {
    &views.text(placed.hit.view)[placed.hit.secret.clone()]
}

fn is_near(required: &Requirement, a: Span, b: Span) -> bool {
    let within = |limit: Option<usize>, a: usize, b: usize| limit.is_none_or(|limit| a.abs_diff(b) <= limit);
    within(required.within_lines, a.start_line, b.start_line)
        && within(required.within_columns, a.start_byte_column, b.start_byte_column)
}
