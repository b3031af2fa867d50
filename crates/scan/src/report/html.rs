//! One HTML page that needs nothing but itself: no request leaves it, and its content security policy says so.
//!
//! The findings lie in it as JSON, escaped so that no text of a repository can end the block; the script puts them on
//! the page as text, never as markup. Lists are filled as they are opened, so that ten thousand findings stay quick.

use std::collections::HashMap;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::fields::{Fields, Sheet, state};
use super::junit::escaped;
use super::neutral::{one_line, show};
use super::text::{excerpt, place_name, size};
use super::writer::Writer;
use super::{Report, Run};

/// The page.
pub(super) struct Html;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
const BODY: &str = include_str!("html/page.html");

/// Columns of a line that are shown.
const ROOM: usize = 160;

impl Report for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        let tool = escaped(run.tool.name);
        writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")?;
        writeln!(out, "<meta name=\"referrer\" content=\"no-referrer\">")?;
        writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
        writeln!(out, "<title>{} findings – {tool}</title>\n<style>{STYLE}</style>\n</head>", run.findings.len())?;
        out.write_all(BODY.replace("TOOL", &tool).as_bytes())?;
        write!(out, "<script type=\"application/json\" id=\"data\">")?;
        data(run, &mut Writer::new(out, None))?;
        writeln!(out, "</script>\n<script>{SCRIPT}</script>\n</body>\n</html>")
    }
}

/// What the policy names a style or script by.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

fn data(run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    json.begin('{')?;
    json.text_field("tool", format!("{} {}", run.tool.name, run.tool.version))?;
    if let Some((began, ended)) = run.times {
        json.text_field("began", began)?;
        json.text_field("ended", ended)?;
    }
    json.raw_field("contents", run.counts.contents)?;
    json.text_field("size", size(run.counts.bytes))?;
    json.raw_field("commits", run.counts.commits)?;
    json.begin_field("unread", '[')?;
    for unread in run.unread {
        json.string(format!("{}: {}", show(&unread.what), show(unread.why.as_bytes())).as_bytes())?;
    }
    json.end(']')?;
    json.begin_field("skipped", '[')?;
    for skipped in run.skipped {
        json.string(format!("{}: {}", show(&skipped.what), skipped.why).as_bytes())?;
    }
    json.end(']')?;
    json.list_field("ways", run.ways)?;
    findings(run, json)?;
    json.end('}')
}

fn findings(run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    let sheet = Sheet::new(run);
    let mut rules: HashMap<&str, usize> = HashMap::new();
    let mut described = Vec::new();
    for finding in run.findings {
        rules.entry(&finding.rule).or_insert_with(|| {
            described.push((&finding.rule, one_line(&finding.description)));
            described.len() - 1
        });
    }
    json.begin_field("rules", '[')?;
    for (id, description) in described {
        json.list([show(id.as_bytes()), show(description.as_bytes())])?;
    }
    json.end(']')?;
    json.begin_field("findings", '[')?;
    sheet.rows().try_for_each(|row| one(&row, rules[&*row.finding.rule], run, json))?;
    json.end(']')
}

fn one(row: &Fields<'_>, rule: usize, run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    let finding = row.finding;
    json.begin('{')?;
    json.raw_field("rule", rule)?;
    json.text_field("severity", finding.severity.name())?;
    json.text_field("confidence", finding.confidence.name())?;
    json.text_field("path", place_name(finding))?;
    json.raw_field("line", finding.span.start_line)?;
    json.raw_field("column", finding.span.start_column)?;
    if let Some(cut) = excerpt::around(finding, run, ROOM) {
        json.key("text")?;
        json.list([cut.before, cut.marked, cut.after])?;
    }
    if !row.commit.is_empty() {
        json.text_field("commit", show(row.commit.as_bytes()))?;
        json.text_field("author", show(row.author.as_bytes()))?;
        json.text_field("date", show(row.date.as_bytes()))?;
        json.text_field("subject", show(row.subject().as_bytes()))?;
    }
    if let Some(state) = state(finding.origin.presence) {
        json.text_field("state", state)?;
    }
    if let Some(decoded) = &finding.decoded {
        json.text_field("decoded", decoded.kinds.join(", then "))?;
    }
    if !finding.components.is_empty() {
        let with = finding.components.iter().map(|part| format!("{} (line {})", part.rule, part.span.start_line));
        json.list_field("with", with.map(|text| show(text.as_bytes())))?;
    }
    if row.link.starts_with("https://") {
        json.text_field("link", &row.link)?;
    }
    json.text_field("fingerprint", run.fingerprints.of(finding))?;
    json.end('}')
}
