//! SARIF 2.1.0: ours for code scanning services, gitleaks' to the byte in its dialect.

mod gitleaks;

use std::collections::HashMap;
use std::io::{self, Write};

use bstr::{BStr, ByteSlice};

use super::fields::{Dialect, Fields, Sheet, state};
use super::neutral::show;
use super::writer::Writer;
use super::{Report, RuleNote, Run};
use crate::finding::{Confidence, Finding, Severity, Span};
use crate::fingerprint::percent;

/// SARIF. Columns are code points, the end column is the one behind the match, as the standard wants.
pub(super) struct Sarif;

/// Under which name results carry our fingerprint.
pub(crate) const FINGERPRINT: &str = "plomb/v1";

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

impl Report for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut json = Writer::new(out, Some(" "));
        json.begin('{')?;
        json.text_field("$schema", SCHEMA)?;
        json.text_field("version", "2.1.0")?;
        json.begin_field("runs", '[')?;
        match run.dialect {
            Dialect::Gitleaks => gitleaks::run(run, &mut json)?,
            Dialect::Plomb => one_run(run, &mut json)?,
        }
        json.end(']')?;
        json.end('}')?;
        out.write_all(b"\n")
    }
}

fn one_run(run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    let rules = rules(run);
    let index: HashMap<&str, usize> = rules.iter().enumerate().map(|(index, rule)| (&*rule.id, index)).collect();
    json.begin('{')?;
    json.begin_field("tool", '{')?;
    json.begin_field("driver", '{')?;
    json.text_field("name", run.tool.name)?;
    json.text_field("semanticVersion", run.tool.version)?;
    json.text_field("informationUri", run.tool.uri)?;
    json.begin_field("rules", '[')?;
    rules.iter().try_for_each(|note| rule(note, run, json))?;
    json.end(']')?;
    json.end('}')?;
    json.end('}')?;
    invocation(run, json)?;
    json.text_field("columnKind", "unicodeCodePoints")?;
    json.begin_field("results", '[')?;
    let mut seen = HashMap::new();
    for row in Sheet::new(run).rows() {
        let fingerprint = run.fingerprints.of(row.finding);
        let nth = seen.entry(fingerprint.clone()).and_modify(|nth| *nth += 1).or_insert(1);
        result(&row, index[&*row.finding.rule], &format!("{fingerprint}:{nth}"), &fingerprint, json)?;
    }
    json.end(']')?;
    json.end('}')
}

/// The run's rules, and those of findings that no rule of the run names.
fn rules(run: &Run<'_>) -> Vec<RuleNote> {
    let mut rules = run.rules.to_vec();
    let mut known: std::collections::HashSet<_> = rules.iter().map(|rule| rule.id.clone()).collect();
    for finding in run.findings {
        if known.insert(finding.rule.clone()) {
            rules.push(RuleNote {
                id: finding.rule.clone(),
                description: finding.description.clone(),
                severity: finding.severity,
                confidence: finding.confidence,
                tags: Vec::new(),
            });
        }
    }
    rules
}

fn rule(rule: &RuleNote, run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    json.begin('{')?;
    json.text_field("id", &*rule.id)?;
    text(json, "shortDescription", &rule.description)?;
    text(json, "fullDescription", &rule.description)?;
    if !run.tool.rules_uri.is_empty() {
        json.text_field("helpUri", format!("{}#{}", run.tool.rules_uri, uri(rule.id.as_bytes())))?;
    }
    let help = format!(
        "{} Treat the value as known to others: revoke or rotate it first, then take it out of the file and, if it was \
         committed, out of the history. If it is no secret, accept the finding by its fingerprint.",
        rule.description
    );
    text(json, "help", &help)?;
    json.begin_field("defaultConfiguration", '{')?;
    json.text_field("level", level(rule.severity))?;
    json.end('}')?;
    json.begin_field("properties", '{')?;
    let tags = ["security", "secret"].into_iter().chain(rule.tags.iter().map(String::as_str));
    json.list_field("tags", tags)?;
    json.text_field("precision", precision(rule.confidence))?;
    json.text_field("security-severity", score(rule.severity))?;
    json.end('}')?;
    json.end('}')
}

fn invocation(run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    json.begin_field("invocations", '[')?;
    json.begin('{')?;
    json.raw_field("executionSuccessful", run.unread.is_empty())?;
    if let Some((began, ended)) = run.times {
        json.text_field("startTimeUtc", began)?;
        json.text_field("endTimeUtc", ended)?;
    }
    json.begin_field("toolExecutionNotifications", '[')?;
    for unread in run.unread {
        notification("error", "Not read", unread.what.as_bstr(), &unread.why, json)?;
    }
    for skipped in run.skipped {
        notification("note", "Skipped", skipped.what.as_bstr(), skipped.why, json)?;
    }
    json.end(']')?;
    json.end('}')?;
    json.end(']')
}

fn notification(level: &str, what: &str, name: &BStr, why: &str, json: &mut Writer<'_>) -> io::Result<()> {
    json.begin('{')?;
    json.text_field("level", level)?;
    text(json, "message", &format!("{what}: {}: {why}", show(name)))?;
    json.begin_field("locations", '[')?;
    json.begin('{')?;
    json.begin_field("physicalLocation", '{')?;
    artifact(name, json)?;
    json.end('}')?;
    json.end('}')?;
    json.end(']')?;
    json.end('}')
}

fn result(row: &Fields<'_>, rule: usize, nth: &str, fingerprint: &str, json: &mut Writer<'_>) -> io::Result<()> {
    let finding = row.finding;
    json.begin('{')?;
    json.text_field("ruleId", &*finding.rule)?;
    json.raw_field("ruleIndex", rule)?;
    json.text_field("level", level(finding.severity))?;
    text(json, "message", &message(row))?;
    json.begin_field("locations", '[')?;
    location(row, json)?;
    json.end(']')?;
    if !finding.components.is_empty() {
        related(finding, json)?;
    }
    json.begin_field("partialFingerprints", '{')?;
    json.text_field(FINGERPRINT, fingerprint)?;
    // The only one that GitHub reads; numbered, so that two places of one value stay two alerts.
    json.text_field("primaryLocationLineHash", nth)?;
    json.end('}')?;
    if !row.link.is_empty() {
        json.text_field("hostedViewerUri", &row.link)?;
    }
    properties(row, json)?;
    json.end('}')
}

fn message(row: &Fields<'_>) -> String {
    let at = if row.commit.is_empty() { String::new() } else { format!(" (commit {})", row.commit) };
    let removed = match state(row.finding.origin.presence) {
        Some("removed") => " It has been removed since, but the history keeps it.",
        _ => "",
    };
    format!("{}{at}{removed}", row.finding.description)
}

fn location(row: &Fields<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    let finding = row.finding;
    json.begin('{')?;
    if row.path.is_empty() {
        let name = if row.commit.is_empty() { "standard input" } else { "commit message" };
        json.begin_field("logicalLocations", '[')?;
        json.begin('{')?;
        json.text_field("name", name)?;
        json.text_field("fullyQualifiedName", format!("{name} {}", row.commit).trim_end())?;
        json.end('}')?;
        json.end(']')?;
        return json.end('}');
    }
    json.begin_field("physicalLocation", '{')?;
    artifact(row.path, json)?;
    json.begin_field("region", '{')?;
    region(&finding.span, json)?;
    json.end('}')?;
    if finding.span.start_line > 0 {
        json.begin_field("contextRegion", '{')?;
        json.raw_field("startLine", finding.span.start_line)?;
        json.raw_field("endLine", finding.span.end_line)?;
        text(json, "snippet", finding.line.as_str())?;
        json.end('}')?;
    }
    json.end('}')?;
    json.end('}')
}

/// Line 0, a finding about the file itself, is given as line 1: services drop results without a line.
fn region(span: &Span, json: &mut Writer<'_>) -> io::Result<()> {
    json.raw_field("startLine", span.start_line.max(1))?;
    if span.start_line > 0 {
        json.raw_field("startColumn", span.start_column)?;
        json.raw_field("endLine", span.end_line)?;
        json.raw_field("endColumn", span.end_column + 1)?;
    }
    Ok(())
}

fn related(finding: &Finding, json: &mut Writer<'_>) -> io::Result<()> {
    json.begin_field("relatedLocations", '[')?;
    for (id, component) in finding.components.iter().enumerate() {
        json.begin('{')?;
        json.raw_field("id", id + 1)?;
        json.begin_field("physicalLocation", '{')?;
        artifact(finding.origin.path.as_bstr(), json)?;
        json.begin_field("region", '{')?;
        region(&component.span, json)?;
        json.end('}')?;
        json.end('}')?;
        text(json, "message", &format!("Together with {}", component.rule))?;
        json.end('}')?;
    }
    json.end(']')
}

fn properties(row: &Fields<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    let finding = row.finding;
    json.begin_field("properties", '{')?;
    json.list_field("tags", &finding.tags)?;
    json.text_field("severity", finding.severity.name())?;
    json.text_field("confidence", finding.confidence.name())?;
    json.text_field("gitleaksFingerprint", &row.fingerprint)?;
    if let Some(state) = state(finding.origin.presence) {
        json.text_field("state", state)?;
    }
    if !row.commit.is_empty() {
        json.text_field("commit", row.commit)?;
        json.text_field("author", row.author)?;
        json.text_field("email", row.email)?;
        json.text_field("date", row.date)?;
    }
    if !row.symlink.is_empty() {
        json.text_field("symlink", row.symlink)?;
    }
    json.end('}')
}

fn text(json: &mut Writer<'_>, key: &str, text: &str) -> io::Result<()> {
    json.begin_field(key, '{')?;
    json.text_field("text", text)?;
    json.end('}')
}

fn artifact(path: &BStr, json: &mut Writer<'_>) -> io::Result<()> {
    json.begin_field("artifactLocation", '{')?;
    match path.strip_prefix(b"/") {
        Some(absolute) => json.text_field("uri", format!("file:///{}", uri(absolute)))?,
        None => {
            json.text_field("uri", uri(path.strip_prefix(b"./").unwrap_or(path)))?;
            json.text_field("uriBaseId", "%SRCROOT%")?;
        }
    }
    json.end('}')
}

/// A path as part of a URI: everything is percent-encoded that could mean something else.
fn uri(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(*byte)),
            _ => percent(&[*byte], &mut out),
        }
    }
    out
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// As CVSS counts; GitHub sorts by it.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    }
}
