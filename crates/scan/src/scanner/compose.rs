//! What candidates mean to each other: generic ones that better ones cover, composites and their components.

use std::collections::BTreeSet;

use bstr::ByteSlice;

use crate::finding::Span;
use crate::machine;
use crate::rule::Requirement;
use crate::scanner::settle::Placed;
use crate::scanner::views::Views;
use crate::scanner::weigh::Hit;
use crate::scanner::{Candidate, Scanner};

/// Components of one requirement that a candidate remembers: enough to show, and hostile contents cannot square.
const REMEMBERED: usize = 32;

/// Components that are looked at for one requirement of one candidate, from the first line that is near enough.
const LOOKED_AT: usize = 4096;
/// Better candidates on either side of a generic one, on its line, that are compared with it.
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
        for (view, text) in views.iter() {
            machine::matches(regex, &text.text, 0..text.text.len(), &mut found);
            let weighed = found.drain(..).filter_map(|range| self.weigh(views, view, rule, range));
            hits.extend(weighed.map(|hit| Hit { part: true, ..hit }));
        }
    }

    fn index_of(&self, id: &str) -> Option<usize> {
        self.rules.rules.iter().position(|rule| &*rule.id == id)
    }

    /// Notes which better candidates on the same line hold the secret of a generic one.
    pub(crate) fn cover(&self, views: &Views<'_>, placed: &[Placed], candidates: &mut [Candidate]) {
        let generic: Vec<bool> = self.rules.rules.iter().map(|rule| is_generic(&rule.id)).collect();
        if !placed.iter().any(|placed| generic[placed.hit.rule]) {
            return;
        }
        let mut first = 0;
        for line in placed.chunk_by(|a, b| a.traced.root == b.traced.root && a.span.start_line == b.span.start_line) {
            let members = first..first + line.len();
            first = members.end;
            let (weak, strong): (Vec<usize>, Vec<usize>) =
                members.filter(|index| !placed[*index].hit.part).partition(|index| generic[placed[*index].hit.rule]);
            for weak in weak {
                let holds = |strong: &usize| secret(views, &placed[*strong]).contains_str(secret(views, &placed[weak]));
                let next = strong.partition_point(|strong| *strong < weak);
                let near = next.saturating_sub(COMPARED)..strong.len().min(next + COMPARED);
                candidates[weak].covered_by = strong[near].iter().copied().filter(holds).collect();
            }
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

/// gitleaks' test: such a rule gives way to every other one.
fn is_generic(id: &str) -> bool {
    id.to_ascii_lowercase().contains("generic")
}

fn secret<'v>(views: &'v Views<'_>, placed: &Placed) -> &'v [u8] {
    &views.text(placed.hit.view)[placed.hit.secret.clone()]
}

fn is_near(required: &Requirement, a: Span, b: Span) -> bool {
    let within = |limit: Option<usize>, a: usize, b: usize| limit.is_none_or(|limit| a.abs_diff(b) <= limit);
    within(required.within_lines, a.start_line, b.start_line)
        && within(required.within_columns, a.start_byte_column, b.start_byte_column)
}
