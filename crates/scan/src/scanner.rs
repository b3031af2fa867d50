//! The engine: contents in, candidates out; candidates and a place in, findings out.

use std::sync::Arc;

use bstr::BString;

use crate::finding::{Decoded, Finding, Origin, Span};
use crate::ruleset::RuleSet;
use crate::visitor::Lines;

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
    pub min_confidence: crate::finding::Confidence,
    /// Only these rules, if any are named.
    pub enabled: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            redaction: Redaction::Full,
            max_decode_depth: 5,
            allow_markers: true,
            min_confidence: crate::finding::Confidence::Medium,
            enabled: Vec::new(),
        }
    }
}

/// One possible secret of a content, before any path, commit or line filter.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Index of the rule in the scanner's set.
    pub rule: usize,
    /// Where the match lies.
    pub span: Span,
    /// What it was decoded from.
    pub decoded: Option<Decoded>,
}

/// What a scanner found in one content, and what it needs to scan a delta of it faster.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Possible secrets, in order of place.
    pub candidates: Vec<Candidate>,
}

impl Seen {
    /// Whether nothing here can become a finding at any place.
    pub fn is_quiet(&self) -> bool {
        self.candidates.is_empty()
    }
}

/// Rules made ready. Shared by all workers; holds no state of a scan.
#[derive(Debug)]
pub struct Scanner {
    rules: Arc<RuleSet>,
    options: Options,
}

impl Scanner {
    /// Makes rules ready. Regular expressions are compiled when a keyword first asks for them.
    pub fn new(rules: Arc<RuleSet>, options: Options) -> Self {
        Self { rules, options }
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
    pub fn scan(&self, content: &crate::content::Content<'_>) -> Seen {
        let _ = content;
        Seen::default()
    }

    /// What the candidates of a content amount to at a place: path, commit and line filters, allowlists, redaction.
    pub fn judge(&self, seen: &Seen, origin: &Origin, lines: Lines<'_>) -> Vec<Finding> {
        let _ = (seen, origin, lines);
        Vec::new()
    }

    /// Findings that a path alone makes, whatever the content.
    pub fn judge_path(&self, path: &BString) -> Vec<Finding> {
        let _ = path;
        Vec::new()
    }
}
