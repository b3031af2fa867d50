//! The columns that gitleaks gives a finding, under its names and in its order; every machine format is made of them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;

use bstr::{BStr, ByteSlice};

use super::Run;
use super::writer::{Writer, float};
use crate::finding::{Finding, Place, Presence};

/// Whose habits a report follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Ours, the default. Columns are code points and true; JSON has fields more, CSV is safe to open in a
    /// spreadsheet, SARIF has levels, help and real fingerprints.
    #[default]
    Plomb,
    /// gitleaks 8.30.1 to the byte: columns are bytes, one too high on every line but the first of a file or of a run of
    /// added lines; nothing is added.
    Gitleaks,
}

/// What gitleaks writes as the date of a change that is not committed yet.
const NO_DATE: &str = "0001-01-01T00:00:00Z";

/// A run and what all of its rows need to know.
pub(crate) struct Sheet<'a> {
    pub(crate) run: &'a Run<'a>,
    /// Commits whose message holds a secret: the message is not shown beside any finding.
    hidden: HashSet<&'a str>,
}

impl<'a> Sheet<'a> {
    pub(crate) fn new(run: &'a Run<'a>) -> Self {
        let hidden = run.findings.iter().filter_map(|finding| match &finding.origin.place {
            Place::Message(commit) if !run.shows_all() => Some(commit.id.as_str()),
            _ => None,
        });
        Self { run, hidden: hidden.collect() }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Fields<'a>> {
        self.run.findings.iter().map(|finding| self.fields(finding))
    }

    pub(crate) fn fields(&self, finding: &'a Finding) -> Fields<'a> {
        let mut fields = Fields::of(finding, self.run.dialect);
        fields.link = self.run.remote.and_then(|remote| remote.link(finding)).unwrap_or_default();
        if self.hidden.contains(fields.commit) {
            fields.message = HIDDEN;
        }
        fields
    }
}

/// What stands for a message that holds a secret.
const HIDDEN: &str = "REDACTED";

/// One finding as gitleaks' columns.
pub(crate) struct Fields<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) start_column: usize,
    pub(crate) end_column: usize,
    pub(crate) path: &'a BStr,
    pub(crate) symlink: &'a BStr,
    pub(crate) commit: &'a str,
    pub(crate) link: String,
    pub(crate) author: &'a str,
    pub(crate) email: &'a str,
    pub(crate) date: &'a str,
    pub(crate) message: &'a str,
    pub(crate) fingerprint: Vec<u8>,
}

impl<'a> Fields<'a> {
    /// The columns that need nothing but the finding.
    pub(crate) fn of(finding: &'a Finding, dialect: Dialect) -> Self {
        let (start_column, end_column) = columns(finding, dialect);
        let commit = finding.origin.commit().map(AsRef::as_ref);
        let no_date = if finding.origin.place == Place::Index { NO_DATE } else { "" };
        Self {
            finding,
            start_column,
            end_column,
            path: finding.origin.path.as_bstr(),
            symlink: finding.origin.symlink.as_ref().map_or(BStr::new(""), |link| link.as_bstr()),
            commit: commit.map_or("", |commit| &commit.id),
            link: String::new(),
            author: commit.map_or("", |commit| &commit.author),
            email: commit.map_or("", |commit| &commit.email),
            date: commit.map_or(no_date, |commit| &commit.date),
            message: commit.map_or("", |commit| &commit.message),
            fingerprint: fingerprint(finding),
        }
    }

    /// The first line of the commit's message; nothing if it holds a secret.
    pub(crate) fn subject(&self) -> &'a str {
        if self.message == HIDDEN { "" } else { self.message.lines().next().unwrap_or_default() }
    }

    /// Every field, as one JSON object.
    pub(crate) fn write(&self, run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
        let finding = self.finding;
        json.begin('{')?;
        json.text_field("RuleID", &*finding.rule)?;
        json.text_field("Description", &*finding.description)?;
        json.raw_field("StartLine", finding.span.start_line)?;
        json.raw_field("EndLine", finding.span.end_line)?;
        json.raw_field("StartColumn", self.start_column)?;
        json.raw_field("EndColumn", self.end_column)?;
        json.text_field("Match", finding.matched.as_str())?;
        json.text_field("Secret", finding.secret.as_str())?;
        json.text_field("File", self.path)?;
        json.text_field("SymlinkFile", self.symlink)?;
        json.text_field("Commit", self.commit)?;
        if !self.link.is_empty() {
            json.text_field("Link", &self.link)?;
        }
        json.raw_field("Entropy", float(finding.entropy))?;
        json.text_field("Author", self.author)?;
        json.text_field("Email", self.email)?;
        json.text_field("Date", self.date)?;
        json.text_field("Message", self.message)?;
        json.list_field("Tags", &finding.tags)?;
        json.text_field("Fingerprint", &self.fingerprint)?;
        if run.dialect == Dialect::Plomb {
            self.write_ours(run, json)?;
        }
        json.end('}')
    }

    /// What gitleaks does not know, after everything that it does.
    fn write_ours(&self, run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
        let finding = self.finding;
        json.text_field("Severity", finding.severity.name())?;
        json.text_field("Confidence", finding.confidence.name())?;
        json.text_field("ValueFingerprint", run.fingerprints.of(finding))?;
        if let Some(state) = state(finding.origin.presence) {
            json.text_field("State", state)?;
        }
        if finding.components.is_empty() {
            return Ok(());
        }
        json.begin_field("Required", '[')?;
        for component in &finding.components {
            json.begin('{')?;
            json.text_field("RuleID", &*component.rule)?;
            json.raw_field("StartLine", component.span.start_line)?;
            json.raw_field("EndLine", component.span.end_line)?;
            json.raw_field("StartColumn", component.span.start_column)?;
            json.raw_field("EndColumn", component.span.end_column)?;
            json.text_field("Secret", component.secret.as_str())?;
            json.end('}')?;
        }
        json.end(']')
    }
}

/// Whether the tip of a ref still holds it, in one word.
pub(crate) fn state(presence: Presence) -> Option<&'static str> {
    match presence {
        Presence::Unknown => None,
        Presence::Present => Some("present"),
        Presence::Removed => Some("removed"),
    }
}

/// Start and end column as a dialect counts them.
pub(crate) fn columns(finding: &Finding, dialect: Dialect) -> (usize, usize) {
    let span = &finding.span;
    match dialect {
        Dialect::Plomb => (span.start_column, span.end_column),
        Dialect::Gitleaks => (
            span.start_byte_column + usize::from(span.start_line > finding.run_start),
            span.end_byte_column + usize::from(span.end_line > finding.run_start),
        ),
    }
}

/// gitleaks' fingerprint with the path's own bytes.
pub(crate) fn fingerprint(finding: &Finding) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(commit) = finding.origin.commit() {
        out.extend_from_slice(commit.id.as_bytes());
        out.push(b':');
    }
    out.extend_from_slice(&finding.origin.path);
    out.extend_from_slice(format!(":{}:{}", finding.rule, finding.span.start_line).as_bytes());
    out
}

/// Bytes as text, as Go reads them: U+FFFD for every byte that is no UTF-8.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let chunks = bytes.utf8_chunks();
    Cow::Owned(chunks.map(|chunk| chunk.valid().to_owned() + &"\u{fffd}".repeat(chunk.invalid().len())).collect())
}
