//! Findings for a person at a terminal: where, what, why, and how to go on.

pub(super) mod excerpt;

use std::fmt::Write as _;
use std::io::{self, Write};

use bstr::ByteSlice;

use super::fields::{Fields, Sheet};
use super::neutral::{one_line, show};
use super::{Report, Run};
use crate::finding::{Finding, Place, Presence, Severity};

/// How text for people looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used; what they say is always said in words too.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100 }
    }
}

/// How many unread or skipped things are named one by one.
const NAMED: usize = 20;

/// Text for people.
pub(super) struct Text;

impl Report for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        let sheet = Sheet::new(run);
        for group in run.findings.chunk_by(|one, other| one.origin.path == other.origin.path) {
            out.write_all(heading(group, run.style).as_bytes())?;
            for finding in group {
                out.write_all(entry(&sheet.fields(finding), run).as_bytes())?;
            }
        }
        out.write_all(left_out(run).as_bytes())?;
        if !run.findings.is_empty() && !run.ways.is_empty() {
            writeln!(out, "{}", paint("What to do:", BOLD, run.style))?;
            for (number, way) in run.ways.iter().enumerate() {
                writeln!(out, "  {}. {way}", number + 1)?;
            }
            writeln!(out)?;
        }
        writeln!(out, "{}", summary(run))
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const YELLOW: &str = "33";

fn paint(text: &str, code: &str, style: Style) -> String {
    if style.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

fn heading(group: &[Finding], style: Style) -> String {
    let name = place_name(&group[0]);
    let count = match group.len() {
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    format!("{} ({count})\n", paint(&name, BOLD, style))
}

/// The path, or what stands for it.
pub(super) fn place_name(finding: &Finding) -> String {
    match (&finding.origin.place, finding.origin.path.is_empty()) {
        (_, false) => show(&finding.origin.path),
        (Place::Message(_), true) => "(commit message)".to_owned(),
        (Place::Commit(_), true) => "(commit)".to_owned(),
        (Place::File | Place::Index | Place::Stream, true) => "(standard input)".to_owned(),
    }
}

fn entry(fields: &Fields<'_>, run: &Run<'_>) -> String {
    let finding = fields.finding;
    let style = run.style;
    let mut out = String::new();
    let rule = paint(&show(finding.rule.as_bytes()), severity_colour(finding.severity), style);
    let sure = format!("({}, {} confidence)", finding.severity.name(), finding.confidence.name());
    let _ = writeln!(out, "  {}  {rule}  {sure}", position(finding));
    out.push_str(&excerpt::lines(finding, run));
    out.push_str(&wrapped(&show(one_line(&finding.description).as_bytes()), style.width));
    if !fields.commit.is_empty() {
        let _ = writeln!(out, "    {}", show(commit_line(fields).as_bytes()));
    }
    if let Some(decoded) = &finding.decoded {
        let _ = writeln!(out, "    decoded from {}", decoded.kinds.join(", then "));
    }
    for component in &finding.components {
        let place = format!("{}:{}", component.span.start_line, component.span.start_column);
        let _ = writeln!(out, "    together with {} at {place}", show(component.rule.as_bytes()));
    }
    if !fields.link.is_empty() {
        let _ = writeln!(out, "    {}", show(fields.link.as_bytes()));
    }
    let _ = writeln!(out, "    {}\n", paint(&run.fingerprints.of(finding), DIM, style));
    out
}

/// `path:line:col`, which terminals and editors open; only the path for a finding about the file itself.
fn position(finding: &Finding) -> String {
    let name = place_name(finding);
    match finding.span.start_line {
        0 => name,
        line => format!("{name}:{line}:{}", finding.span.start_column),
    }
}

fn commit_line(fields: &Fields<'_>) -> String {
    let id = fields.commit.get(..12).unwrap_or(fields.commit);
    let day = fields.date.get(..10).unwrap_or(fields.date);
    let subject: String = fields.subject().chars().take(60).collect();
    let state = match fields.finding.origin.presence {
        Presence::Unknown => "",
        Presence::Present => ", still there today",
        Presence::Removed => ", removed since, but history keeps it",
    };
    let separator = if subject.is_empty() { "" } else { ": " };
    format!("commit {id} ({day}, {}){state}{separator}{subject}", fields.author)
}

fn severity_colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => RED,
        Severity::Medium | Severity::Low => YELLOW,
    }
}

/// A sentence, indented, in lines that fit.
fn wrapped(sentence: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in sentence.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && 4 + column + 1 + length > width.max(40) {
            out.push('\n');
            column = 0;
        }
        out.push_str(if column == 0 { "    " } else { " " });
        out.push_str(word);
        column += length + 1;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// What was not read and what was skipped, named.
fn left_out(run: &Run<'_>) -> String {
    let mut out = String::new();
    let unread = run.unread.iter().map(|unread| (unread.what.as_bstr(), unread.why.as_str()));
    let skipped = run.skipped.iter().map(|skipped| (skipped.what.as_bstr(), skipped.why));
    list(&mut out, &paint("Not read; this scan is incomplete:", RED, run.style), unread);
    list(&mut out, "Skipped by rule:", skipped);
    out
}

fn list<'a>(out: &mut String, title: &str, items: impl ExactSizeIterator<Item = (&'a bstr::BStr, &'a str)>) {
    let count = items.len();
    if count == 0 {
        return;
    }
    let _ = writeln!(out, "{title}");
    for (what, why) in items.take(NAMED) {
        let _ = writeln!(out, "  {}: {}", show(what), show(why.as_bytes()));
    }
    if count > NAMED {
        let _ = writeln!(out, "  and {} more", count - NAMED);
    }
    out.push('\n');
}

fn summary(run: &Run<'_>) -> String {
    let counts = run.counts;
    let commits = match counts.commits {
        0 => String::new(),
        1 => " of 1 commit".to_owned(),
        count => format!(" of {count} commits"),
    };
    let contents = if counts.contents == 1 { "1 content".to_owned() } else { format!("{} contents", counts.contents) };
    let scanned = format!("{contents}{commits} ({})", size(counts.bytes));
    let incomplete = if run.unread.is_empty() { "" } else { "; NOT EVERYTHING WAS READ" };
    let found = match run.findings.len() {
        0 if counts.contents == 0 => return format!("Nothing was scanned{incomplete}."),
        0 => "No secrets found".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    format!("{found}{} in {scanned}{incomplete}.", by_severity(run.findings))
}

fn by_severity(findings: &[Finding]) -> String {
    let levels = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
    let counted = levels.map(|level| (findings.iter().filter(|found| found.severity == level).count(), level.name()));
    let shown: Vec<String> =
        counted.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) }
}

/// Bytes in the unit that leaves a short number.
pub(super) fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} bytes"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{:.1} {name}", bytes as f64 / unit)
}
