//! gitleaks' SARIF, for those who compare it byte by byte.

use std::io;

use super::super::Run;
use super::super::fields::{Fields, Sheet, lossy};
use super::super::writer::Writer;
use super::text;

pub(super) fn run(run: &Run<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    json.begin('{')?;
    json.begin_field("tool", '{')?;
    json.begin_field("driver", '{')?;
    json.text_field("name", "gitleaks")?;
    json.text_field("semanticVersion", "v8.0.0")?;
    json.text_field("informationUri", "https://github.com/gitleaks/gitleaks")?;
    json.begin_field("rules", '[')?;
    for rule in run.rules {
        json.begin('{')?;
        json.text_field("id", &*rule.id)?;
        text(json, "shortDescription", &rule.description)?;
        json.end('}')?;
    }
    json.end(']')?;
    json.end('}')?;
    json.end('}')?;
    json.begin_field("results", '[')?;
    Sheet::new(run).rows().try_for_each(|row| result(&row, json))?;
    json.end(']')?;
    json.end('}')
}

fn result(row: &Fields<'_>, json: &mut Writer<'_>) -> io::Result<()> {
    let finding = row.finding;
    let at = if row.commit.is_empty() { String::new() } else { format!(" at commit {}", row.commit) };
    json.begin('{')?;
    text(json, "message", &format!("{} has detected secret for file {}{at}.", finding.rule, lossy(row.path)))?;
    json.text_field("ruleId", &*finding.rule)?;
    json.begin_field("locations", '[')?;
    json.begin('{')?;
    json.begin_field("physicalLocation", '{')?;
    json.begin_field("artifactLocation", '{')?;
    json.text_field("uri", if row.symlink.is_empty() { row.path } else { row.symlink })?;
    json.end('}')?;
    json.begin_field("region", '{')?;
    json.raw_field("startLine", finding.span.start_line)?;
    json.raw_field("startColumn", row.start_column)?;
    json.raw_field("endLine", finding.span.end_line)?;
    json.raw_field("endColumn", row.end_column)?;
    text(json, "snippet", finding.secret.as_str())?;
    json.end('}')?;
    json.end('}')?;
    json.end('}')?;
    json.end(']')?;
    json.begin_field("partialFingerprints", '{')?;
    json.text_field("commitSha", row.commit)?;
    json.text_field("email", row.email)?;
    json.text_field("author", row.author)?;
    json.text_field("date", row.date)?;
    json.text_field("commitMessage", row.message)?;
    json.end('}')?;
    json.begin_field("properties", '{')?;
    json.list_field("tags", &finding.tags)?;
    json.end('}')?;
    json.end('}')
}
