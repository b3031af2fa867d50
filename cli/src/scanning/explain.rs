//! Why a line is flagged, or is not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bstr::ByteSlice as _;
use scan::{Confidence, Finding};

use super::{Level, OwnFlags, Request, What};
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::{one_line, shown};
use crate::{files, ui};

/// The lines of larger files are not counted.
const LIMIT: u64 = 64 << 20;

/// Says what the rules think of one line: `FILE:LINE`. Exit code 0 if nothing on it would be reported, else 1.
///
/// # Errors
/// When the place is none, or the file cannot be read.
pub(crate) fn explain(request: Request, place: &str, context: &mut Context) -> Outcome {
    let wrong = || Failure::new(Exit::Usage, "--explain wants FILE:LINE");
    let (file, line) = place.rsplit_once(':').ok_or_else(wrong)?;
    let line: usize = line.parse().ok().filter(|line| *line > 0).ok_or_else(wrong)?;
    let file = PathBuf::from(file);
    let what = || What::Files { paths: vec![file.clone()], follow_symlinks: true, gitignore: false };
    let usual = Request { what: what(), ..request };
    let reported = on_line(super::find(&usual, context)?.findings, line);
    let everything = Request {
        what: what(),
        flags: super::Flags { ignore_gitleaks_allow: true, baseline_path: None, ..usual.flags.clone() },
        own: OwnFlags { confidence: Level::Low, ..usual.own.clone() },
        ..usual
    };
    let least = Confidence::from(usual.own.confidence);
    let told: BTreeSet<_> = reported.iter().map(key).collect();
    let candidates = on_line(super::find_bare(&everything, context)?.findings, line);
    for finding in &candidates {
        let verdict = match told.contains(&key(finding)) {
            true => "reported",
            false if finding.confidence < least => "not reported: too unsure (--confidence low shows it)",
            false => "not reported: an allow marker, an allow file or a baseline accepts it",
        };
        let (rule, sure) = (&finding.rule, finding.confidence.name());
        let text =
            format!("{}:{line}:{} {rule} ({sure} confidence): {verdict}", shown(&file), finding.span.start_column);
        ui::print(format!("{}\n  {}\n", one_line(&text), one_line(&finding.description)).as_bytes())?;
    }
    if candidates.is_empty() {
        within(&file, line)?;
        ui::print(format!("{}:{line}: no rule takes anything here for a secret\n", shown(&file)).as_bytes())?;
    }
    Ok(if reported.is_empty() { Exit::Ok } else { Exit::Child(1) })
}

/// Says so if a file has no such line.
fn within(file: &Path, line: usize) -> Result<(), Failure> {
    let Ok(text) = files::read(file, LIMIT) else { return Ok(()) };
    let last = text.expose().lines().count();
    if line <= last {
        return Ok(());
    }
    let what = if last == 1 { "it has 1 line".to_owned() } else { format!("it has {last} lines") };
    Err(Failure::new(Exit::Usage, format!("--explain: there is no line {line}: {what}")).in_file(file))
}

fn on_line(findings: Vec<Finding>, line: usize) -> Vec<Finding> {
    findings.into_iter().filter(|it| it.span.start_line <= line && line <= it.span.end_line).collect()
}

fn key(finding: &Finding) -> (String, usize, usize) {
    (finding.rule.to_string(), finding.span.start_line, finding.span.start_column)
}
