//! What a rule is, wherever it was read from.

use std::sync::Arc;

use pattern::Pattern;

use crate::allowlist::Allowlist;
use crate::finding::{Confidence, Severity};

/// Another rule that must match near this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Id of the other rule.
    pub id: String,
    /// Greatest distance of the starting lines.
    pub within_lines: Option<usize>,
    /// Greatest distance of the starting columns.
    pub within_columns: Option<usize>,
}

/// One kind of secret and how it is recognised.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Kebab-case, unique in its set.
    pub id: Arc<str>,
    /// One sentence.
    pub description: Arc<str>,
    /// What is searched in contents; compiled on first use.
    pub regex: Option<Pattern>,
    /// Which paths it looks at; with no `regex`, the path itself is the finding.
    pub path: Option<Pattern>,
    /// Capture group of the secret; 0 = the first that is not empty, else the whole match.
    pub secret_group: usize,
    /// A secret of this Shannon entropy or less is dropped; 0 = no limit.
    pub entropy: f64,
    /// Lower-case words of which one must stand in the content; empty = always run.
    pub keywords: Vec<String>,
    /// For people and reports.
    pub tags: Vec<String>,
    /// Only a part of other rules, not reported by itself.
    pub skip_report: bool,
    /// Other rules that must match nearby.
    pub required: Vec<Requirement>,
    /// What is let through.
    pub allowlists: Vec<Allowlist>,
    /// How bad a hit is.
    pub severity: Severity,
    /// How sure a hit is.
    pub confidence: Confidence,
    /// A last judgement on the secret by code: a checksum, a decoder, a classifier. `None` = the regex decides.
    pub check: Option<Check>,
}

/// Judges a regex match: the secret, and the text around it.
pub type Check = fn(&Suspect<'_>) -> Verdict;

/// What a check sees of a match: not what stands round it, so that its verdict holds wherever the same match stands.
#[derive(Clone, Copy)]
pub struct Suspect<'a> {
    /// The secret.
    pub secret: &'a [u8],
    /// The whole match.
    pub matched: &'a [u8],
}

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Cannot be one: dropped.
    No,
    /// As the rule says.
    Yes,
    /// As the rule says, but this sure and this bad.
    As(Confidence, Severity),
}
