//! Exit codes and messages of the controller's commands. The only file that knows exit numbers.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Ok,
    /// At least one resource was refused; the report says which and why.
    Refused,
    /// Something could not be read or written.
    Failed,
    /// The command line cannot be understood.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Refused => 1,
            Exit::Failed => 2,
            Exit::Usage => 64,
        })
    }
}

/// A command that could not be done.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    pub(crate) exit: Exit,
}

impl Failure {
    /// Something that could not be read or written.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), exit: Exit::Failed }
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { what: what.into(), exit: Exit::Usage }
    }

    /// A failed operation of the operating system.
    pub(crate) fn io(path: &Path, doing: &str, error: &std::io::Error) -> Self {
        let text = error.to_string();
        let why = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
        Self::new(format!("{}: cannot {doing}: {why}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.what))
    }
}

/// Text on one line: a file's name must not forge a line of the report.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A line on standard error; a closed one is no failure of its own.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", one_line(line));
}

/// A result on standard output, whole.
///
/// # Errors
/// When it is closed or full.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| Failure::io(Path::new("standard output"), "write to it", &error))
}
