//! What was found, written down: one trait, one list, one file per format.
//!
//! A report is made from a [`Run`] alone: no clock, no environment, no file. The same run gives the same bytes.
//! Everything that is shown of a secret is what the engine's redaction left over ([`crate::finding::Shown`]).

use std::io;
use std::sync::Arc;

use crate::finding::{Confidence, Finding, Severity};
use crate::fingerprint::Fingerprints;
use crate::rule::Rule;
use crate::scanner::Redaction;
use crate::visitor::{Skipped, Unread};

mod csv;
pub(crate) mod fields;
mod gitlab;
mod html;
mod json;
mod junit;
pub mod link;
pub(crate) mod neutral;
pub(crate) mod sarif;
pub mod template;
pub mod text;
pub mod verbose;
mod writer;

#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod redacted;
#[cfg(test)]
mod snapshot;

pub use fields::Dialect;
pub use link::{Platform, Remote};
pub use template::{Template, TemplateError};
pub use text::Style;

/// A format that findings can be written in.
pub trait Report: Sync {
    /// What `--report-format` calls it.
    fn name(&self) -> &'static str;

    /// Writes the whole report; ends with a newline where gitleaks' does.
    ///
    /// # Errors
    /// Those of `out`.
    fn write(&self, run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()>;
}

/// Every format that needs nothing beside the run.
pub static REPORTS: &[&dyn Report] = &[
    &text::Text,
    &json::Json,
    &json::JsonLines,
    &sarif::Sarif,
    &csv::Csv,
    &junit::Junit,
    &gitlab::Gitlab,
    &html::Html,
    &verbose::Verbose,
];

/// The format of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Report> {
    REPORTS.iter().copied().find(|report| report.name() == name)
}

/// The format that a file's ending (without its dot) asks for; gitleaks knows `json`, `csv` and `sarif` only.
pub fn by_extension(extension: &str) -> Option<&'static dyn Report> {
    let name = match extension {
        "xml" => "junit",
        "htm" => "html",
        "txt" => "text",
        "json" | "jsonl" | "csv" | "sarif" | "html" => extension,
        _ => return None,
    };
    by_name(name)
}

/// One finished scan.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Who scanned.
    pub tool: Tool<'a>,
    /// What was found, sorted by [`Finding::order`].
    pub findings: &'a [Finding],
    /// The rules that were looked for, in the order reports show them.
    pub rules: &'a [RuleNote],
    /// What was asked for and could not be read.
    pub unread: &'a [Unread],
    /// What was left out by rule.
    pub skipped: &'a [Skipped],
    /// How much was looked at.
    pub counts: Counts,
    /// How much of secrets the findings show.
    pub redaction: Redaction,
    /// Whose habits the report follows.
    pub dialect: Dialect,
    /// Makes our own fingerprints.
    pub fingerprints: &'a Fingerprints,
    /// Where the repository can be read on the web, if that is known: makes links.
    pub remote: Option<&'a Remote>,
    /// When the scan began and ended (RFC 3339, UTC), if reports shall say it.
    pub times: Option<(&'a str, &'a str)>,
    /// The ways on that a person is told of, one sentence each.
    pub ways: &'a [&'a str],
    /// How text for people looks.
    pub style: Style,
}

impl Run<'_> {
    /// Whether secrets are shown as they are.
    pub(crate) fn shows_all(&self) -> bool {
        matches!(self.redaction, Redaction::Off | Redaction::Percent(0))
    }
}

/// The program that scanned.
#[derive(Clone, Copy, Debug)]
pub struct Tool<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version, `1.2.3`.
    pub version: &'a str,
    /// Where people read about it.
    pub uri: &'a str,
    /// Where rules are explained; `#RULE` is appended. Empty: nowhere.
    pub rules_uri: &'a str,
}

/// What reports say of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleNote {
    /// Its id.
    pub id: Arc<str>,
    /// One sentence.
    pub description: Arc<str>,
    /// How bad a hit is.
    pub severity: Severity,
    /// How sure a hit is.
    pub confidence: Confidence,
    /// Its tags.
    pub tags: Vec<String>,
}

impl From<&Rule> for RuleNote {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.id.clone(),
            description: rule.description.clone(),
            severity: rule.severity,
            confidence: rule.confidence,
            tags: rule.tags.clone(),
        }
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Contents: files, blobs, messages.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Commits walked; 0 outside history.
    pub commits: u64,
}

impl Severity {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Confidence {
    /// Lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
