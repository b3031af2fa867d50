//! `plomb allow`: accepts a finding by its fingerprint, with a reason, for a time or for good.

use std::path::Path;

use scan::ignore::allow::{self, Allow, Entry};
use scan::ignore::{Day, Malformed};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::{from_here, shown};
use crate::scanning::{ALLOW_FILE, root_of};
use crate::{files, ui};

/// Accept findings: they are written to .plomb-allow, and scans pass them over
///
/// The fingerprint stands below each finding of `plomb scan`. It covers rule, path and value: another secret in the
/// same place is still found, and lines may move.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Fingerprints: plomb:v1:RULE:PATH:HASH
    #[arg(required = true)]
    fingerprints: Vec<String>,
    /// Why it is no secret, or may stay
    #[arg(long, value_name = "WHY", required_unless_present = "remove")]
    reason: Option<String>,
    /// The last day on which this holds
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
    /// Take the entries out again
    #[arg(long, conflicts_with_all = ["reason", "until"])]
    remove: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let path = root_of(Path::new(".")).join(ALLOW_FILE);
    let before = match path.symlink_metadata() {
        Ok(_) => files::read(&path, 64 << 20)?.expose().to_vec(),
        Err(_) => Vec::new(),
    };
    let after = match args.remove {
        true => without(&before, &args.fingerprints, &path)?,
        false => with(&before, args, &path, &context.now().to_string())?,
    };
    let name = shown(&from_here(&path));
    if after == before {
        ui::note(&format!("{name} is as it was: it says this already"));
        return Ok(Exit::Ok);
    }
    files::replace(&path, &after)?;
    ui::note(&format!("{name} is written: commit it"));
    Ok(Exit::Ok)
}

/// `now` begins with today's date.
fn with(before: &[u8], args: Args, path: &Path, now: &str) -> Result<Vec<u8>, Failure> {
    let until = args.until.as_deref().map(day).transpose()?;
    if until.is_some() && until < Day::parse(now) {
        return Err(Failure::new(Exit::Usage, "--until names a day that has passed: nothing would be accepted"));
    }
    let reason = args.reason.unwrap_or_default();
    let entry = |fingerprint| Entry { line: 0, fingerprint, until, reason: reason.clone() };
    let entries: Vec<Entry> = args.fingerprints.into_iter().map(entry).collect();
    allow::add_all(before, entries).map_err(|Malformed { line, what }| {
        let hint = "copy the fingerprint from below the finding: plomb:v1:RULE:PATH:HASH";
        Failure::new(Exit::Usage, format!("entry {line}: {what}")).in_file(&from_here(path)).hint(hint)
    })
}

fn without(before: &[u8], fingerprints: &[String], path: &Path) -> Result<Vec<u8>, Failure> {
    let (list, _) = Allow::parse(before);
    let mut lines = Vec::new();
    for wanted in fingerprints {
        let found: Vec<usize> =
            list.entries().iter().filter(|it| it.fingerprint == *wanted).map(|it| it.line).collect();
        if found.is_empty() {
            let what = format!("no entry has the fingerprint {}", crate::paths::one_line(wanted));
            return Err(Failure::new(Exit::Generic, what).in_file(&from_here(path)));
        }
        lines.extend(found);
    }
    Ok(allow::remove(before, &lines))
}

fn day(text: &str) -> Result<Day, Failure> {
    let whole = Day::parse(text).filter(|_| text.len() == 10);
    whole.ok_or_else(|| Failure::new(Exit::Usage, "--until wants a day as YYYY-MM-DD"))
}
