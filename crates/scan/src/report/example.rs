//! Findings for the tests of this crate: built here because only this crate may wrap text as shown.

use std::sync::Arc;

use super::{Counts, Dialect, RuleNote, Run, Style, Tool};
use crate::finding::{Commit, Confidence, Digest, Finding, Origin, Place, Severity, Shown, Span};
use crate::fingerprint::Fingerprints;
use crate::scanner::Redaction;

/// A redacted finding of a file.
pub(crate) fn finding(rule: &str, path: &str, line: usize) -> Finding {
    Finding {
        rule: rule.into(),
        description: "A password that stands in clear text.".into(),
        severity: Severity::High,
        confidence: Confidence::Medium,
        tags: vec!["key".to_owned()],
        origin: Origin { path: path.into(), ..Origin::default() },
        span: Span {
            start_line: line,
            end_line: line,
            start_column: 3,
            end_column: 22,
            start_byte_column: 3,
            end_byte_column: 22,
        },
        run_start: 1,
        matched: Shown::new("word = \"REDACTED\"".to_owned()),
        secret: Shown::new("REDACTED".to_owned()),
        line: Shown::new("  word = \"REDACTED\" # é".to_owned()),
        entropy: 3.5,
        decoded: None,
        components: Vec::new(),
        digest: Digest([7; 32]),
    }
}

/// The same, brought by a commit.
pub(crate) fn committed(rule: &str, path: &str, line: usize) -> Finding {
    let mut found = finding(rule, path, line);
    found.origin.place = Place::Commit(Arc::new(Commit {
        id: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        author: "J. Doe <x>".to_owned(),
        email: "j@example.com".to_owned(),
        date: "2026-01-02T03:04:05Z".to_owned(),
        message: "Add \"it\"\n\nbody".to_owned(),
    }));
    found
}

/// What the notes of the findings' rules are, in order of their ids.
pub(crate) fn notes(findings: &[Finding]) -> Vec<RuleNote> {
    let mut notes: Vec<RuleNote> = Vec::new();
    for found in findings {
        if notes.iter().all(|note| note.id != found.rule) {
            notes.push(RuleNote {
                id: found.rule.clone(),
                description: found.description.clone(),
                severity: found.severity,
                confidence: found.confidence,
                tags: found.tags.clone(),
            });
        }
    }
    notes
}

/// A run over findings.
pub(crate) fn run<'a>(
    findings: &'a [Finding],
    rules: &'a [RuleNote],
    fingerprints: &'a Fingerprints,
    dialect: Dialect,
) -> Run<'a> {
    Run {
        tool: Tool {
            name: "plomb",
            version: "1.2.3",
            uri: "https://example.com/plomb",
            rules_uri: "https://example.com/plomb/rules",
        },
        findings,
        rules,
        unread: &[],
        skipped: &[],
        counts: Counts { contents: 12, bytes: 3_400_000, commits: 3 },
        redaction: Redaction::Full,
        dialect,
        fingerprints,
        remote: None,
        times: None,
        ways: &[],
        style: Style::default(),
    }
}
