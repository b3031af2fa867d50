//! Our own rule set: the records of `rules/*.toml`, turned into static data when the crate is built.

use std::sync::Arc;

use pattern::Pattern;

use crate::finding::{Confidence, Severity};
use crate::rule::{Check, Rule};
use crate::ruleset::RuleSet;

#[cfg(test)]
mod samples;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// One record as it stands in the rule files.
struct Record {
    id: &'static str,
    description: &'static str,
    regex: Option<&'static str>,
    path: Option<&'static str>,
    secret_group: usize,
    entropy: f64,
    keywords: &'static [&'static str],
    tags: &'static [&'static str],
    severity: Severity,
    confidence: Confidence,
    check: Option<Check>,
    detector: Option<&'static str>,
    source: &'static str,
}

/// Our own rules. Cheap: no regular expression is compiled here.
///
/// A rule that a structural detector emits has neither `regex` nor `path`: it only carries what reports show.
pub fn builtin() -> RuleSet {
    RuleSet { rules: RECORDS.iter().map(rule).collect(), allowlists: Vec::new(), structural: true }
}

/// The keywords of all rules with a regular expression: lower case, ascending, each once.
pub fn keywords() -> &'static [&'static str] {
    KEYWORDS
}

/// Whether a structural detector emits this rule: then it has no expression of its own.
pub(crate) fn is_detected(id: &str) -> bool {
    RECORDS.binary_search_by(|record| record.id.cmp(id)).is_ok_and(|found| RECORDS[found].detector.is_some())
}

/// Where a rule's format is documented: a public address, or the vendor's documentation by name.
pub fn source(id: &str) -> Option<&'static str> {
    let found = RECORDS.binary_search_by(|record| record.id.cmp(id)).ok()?;
    Some(RECORDS[found].source)
}

fn rule(record: &Record) -> Rule {
    Rule {
        id: Arc::from(record.id),
        description: Arc::from(record.description),
        regex: record.regex.map(lazy),
        path: record.path.map(lazy),
        secret_group: record.secret_group,
        entropy: record.entropy,
        keywords: record.keywords.iter().map(|&keyword| keyword.to_owned()).collect(),
        tags: record.tags.iter().map(|&tag| tag.to_owned()).collect(),
        skip_report: false,
        required: Vec::new(),
        allowlists: Vec::new(),
        severity: record.severity,
        confidence: record.confidence,
        check: record.check,
    }
}

fn lazy(source: &'static str) -> Pattern {
    Pattern::trusted(source)
}
