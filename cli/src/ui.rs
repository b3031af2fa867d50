//! Output: results on stdout, messages on stderr, nothing half-written on failure.

use std::cell::RefCell;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use sops::Notice;

use crate::content::Content;
use crate::failure::{Exit, Failure, Outcome};

/// Writes a result to stdout, whole.
///
/// # Errors
/// When stdout is closed or full.
pub(crate) fn print(content: &(impl Content + ?Sized)) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    content.write_to(&mut out).and_then(|()| out.flush()).map_err(|error| {
        let text = error.to_string();
        let what = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        Failure::new(Exit::Output, format!("cannot write to standard output: {what}"))
    })
}

thread_local! {
    /// Lines held back while one of many files is worked on.
    static HELD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Writes a line to stderr; a closed stderr is no failure of its own.
pub(crate) fn note(line: &str) {
    if NO_NOTES.load(Ordering::Relaxed) {
        return;
    }
    let held = HELD.with_borrow_mut(|held| held.as_mut().map(|lines| lines.push(line.to_owned())));
    if held.is_none() {
        say(line);
    }
}

/// As [`note`], at once: what somebody must see to go on ("touch your key").
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Set where a note would end up in the result.
static NO_NOTES: AtomicBool = AtomicBool::new(false);

/// Leaves notes out if stdout and stderr are one file or pipe: some callers of SOPS (helm-secrets) join them and
/// take all that comes for the result. Failures are still told.
pub(crate) fn protect_result() {
    let (out, err) = (rustix::fs::fstat(io::stdout()), rustix::fs::fstat(io::stderr()));
    let same = matches!((out, err), (Ok(out), Ok(err)) if (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino));
    NO_NOTES.store(same && !io::stdout().is_terminal(), Ordering::Relaxed);
}

/// Runs `work` and gives the lines it noted on this thread, so that the caller prints them in order.
pub(crate) fn holding<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    HELD.set(Some(Vec::new()));
    let result = work();
    (result, HELD.take().unwrap_or_default())
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
    for notice in notices {
        let (at, more, what) = match notice {
            Notice::EmptyElement { at, more } => {
                (at, more, "SOPS reads an empty element where a comment without text stands in a list")
            }
            Notice::Rounded { at, more } => {
                (at, more, "SOPS rounds an integer beyond 64 bits; in quotes it keeps its digits")
            }
            Notice::PlainComment { .. } | Notice::LayoutIgnored => continue,
        };
        let place = at.map(|(line, column)| format!("{line}:{column}:")).unwrap_or_default();
        let more = if *more > 0 { format!(" (and {more} more)") } else { String::new() };
        note(&format!("warning: {name}:{place} {what}{more}"));
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
                say(&failure.to_string());
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

/// The answer to a question on standard input, whatever that is: it is put again until it is yes or no. `None` where
/// nothing is answered.
pub(crate) fn answer(question: &str) -> Option<bool> {
    loop {
        let _ = write!(io::stderr().lock(), "{} (y/n): ", crate::paths::one_line(question));
        let mut line = String::new();
        io::stdin().lock().take(MAX_ANSWER).read_line(&mut line).ok()?;
        match line.trim() {
            "" => return None,
            "y" | "yes" => return Some(true),
            "n" | "no" => return Some(false),
            _ => {}
        }
    }
}

/// No answer is longer, in bytes.
const MAX_ANSWER: u64 = 4096;

/// Prints a table: aligned, with a head, at a terminal; else one line per row, cells separated by tabs.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    if !io::stdout().is_terminal() {
        let text: String = rows.iter().map(|row| format!("{}\n", row.join("\t").trim_end())).collect();
        return print(text.as_bytes());
    }
    if rows.is_empty() {
        return Ok(());
    }
    let width = |text: &str| text.chars().count();
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0).max(width(head[column]));
    let widths: Vec<usize> = (0..head.len()).map(widest).collect();
    let line = |cells: Vec<&str>| {
        let cell = |(cell, wide): (&&str, &usize)| format!("{cell}{:pad$}", "", pad = wide - width(cell));
        let cells: Vec<String> = cells.iter().zip(&widths).map(cell).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    let text: String = std::iter::once(line(head.to_vec())).chain(body).collect();
    print(text.as_bytes())
}
