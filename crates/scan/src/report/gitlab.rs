//! GitLab's code quality report: what its merge request widget reads.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::fields::{Sheet, lossy};
use super::writer::Writer;
use super::{Report, Run};
use crate::finding::Severity;

/// A JSON list of issues. Fingerprints are stable over line shifts and unique in the report.
pub(super) struct Gitlab;

impl Report for Gitlab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut json = Writer::new(out, Some(" "));
        let mut seen: HashMap<String, usize> = HashMap::new();
        json.begin('[')?;
        for row in Sheet::new(run).rows() {
            let finding = row.finding;
            let path = lossy(row.path);
            let key = format!("{} {}", run.fingerprints.of(finding), row.commit);
            let nth = seen.entry(key.clone()).and_modify(|nth| *nth += 1).or_insert(1);
            json.begin('{')?;
            json.text_field("description", &*finding.description)?;
            json.text_field("check_name", &*finding.rule)?;
            json.text_field("fingerprint", hash(&format!("{key} {nth}")))?;
            json.text_field("severity", severity(finding.severity))?;
            json.begin_field("location", '{')?;
            json.text_field("path", path.strip_prefix("./").unwrap_or(&path))?;
            json.begin_field("lines", '{')?;
            json.raw_field("begin", finding.span.start_line.max(1))?;
            json.raw_field("end", finding.span.end_line.max(1))?;
            json.end('}')?;
            json.end('}')?;
            json.end('}')?;
        }
        json.end(']')?;
        out.write_all(b"\n")
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
    }
}
