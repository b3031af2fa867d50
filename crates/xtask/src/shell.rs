//! Starting programs from the workspace root, and saying what happens.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The result of a check or a step: nothing to say, or what is wrong.
pub(crate) type Result<T = ()> = std::result::Result<T, String>;

/// A line on standard output.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A command that will run in the workspace root.
pub(crate) fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(testkit::fixtures::workspace());
    command
}

/// Runs a command with our own output; an error names it.
pub(crate) fn run(command: &mut Command) -> Result {
    let name = format!("{command:?}");
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}")) }
}

/// Runs a command and gives back its standard output.
pub(crate) fn output(words: &[&str]) -> Result<String> {
    let result = command(words).stderr(Stdio::inherit()).output();
    let output = result.map_err(|error| format!("{}: {error}", words.join(" ")))?;
    if !output.status.success() {
        return Err(format!("{}: {}", words.join(" "), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program on PATH.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// The text of a file, with an error that names it.
pub(crate) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Problems as one error, or none.
pub(crate) fn none_of(problems: Vec<String>) -> Result {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}
