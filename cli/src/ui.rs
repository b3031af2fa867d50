//! Output: results on stdout, messages on stderr, nothing half-written on failure.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use sops::Notice;

use crate::failure::{Exit, Failure, Outcome};

/// Writes a result to stdout, whole.
///
/// # Errors
/// When stdout is closed or full.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| {
        let text = error.to_string();
        let what = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        Failure::new(Exit::Output, format!("cannot write to standard output: {what}"))
    })
}

/// Writes a line to stderr; a closed stderr is no failure of its own.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether somebody sits at the terminal and can be asked.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Tells about a file what is no failure.
pub(crate) fn notices(file: &std::path::Path, notices: &[Notice]) {
    let plain: Vec<_> = notices.iter().filter(|notice| matches!(notice, Notice::PlainComment { .. })).collect();
    let name = crate::paths::shown(file);
    if let Some(Notice::PlainComment { at }) = plain.first() {
        let place = at.map(|(line, column)| format!("{line}:{column}:")).unwrap_or_default();
        let more = if plain.len() > 1 { format!(" (and {} more)", plain.len() - 1) } else { String::new() };
        note(&format!("warning: {name}:{place} a comment that should be encrypted is not{more}"));
    }
    if notices.contains(&Notice::LayoutIgnored) {
        note(&format!("note: {name}: the stored layout does not fit; shown in the usual style"));
    }
}

/// Prints the failure, if any, and gives the exit code.
pub(crate) fn finish(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            if !failure.what.is_empty() {
                note(&failure.to_string());
            }
            ExitCode::from(failure.exit.code())
        }
    }
}

/// Asks a question that only "yes" answers; no terminal means no.
pub(crate) fn confirm(question: &str) -> bool {
    if !is_interactive() {
        return false;
    }
    let _ = write!(io::stderr().lock(), "{} [y/N] ", crate::paths::one_line(question));
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer).is_ok();
    read && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
