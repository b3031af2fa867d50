//! The drop-in mode for gitleaks: called as `gitleaks`, or as `plomb gitleaks …`, we take gitleaks 8.30's command
//! lines. docs/gitleaks.md lists what differs on purpose.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::scanning::{self, Flags, History, Level, OwnFlags, Request, Style, What};
use crate::ui;

/// The version whose command lines are taken.
const VERSION: &str = "8.30.1\n";

/// Find secrets in code, past or present (plomb in gitleaks' place)
#[derive(Debug, Parser)]
#[command(
    name = "gitleaks",
    version = "version 8.30.1",
    disable_version_flag = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    /// Print the version
    #[arg(long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Scan the history of a repository, or what is staged
    Git(Git),
    /// Scan files and folders
    #[command(aliases = ["file", "directory"])]
    Dir(Dir),
    /// Scan standard input
    Stdin(Stdin),
    #[command(hide = true)]
    Detect(Detect),
    #[command(hide = true)]
    Protect(Protect),
    /// Print the version
    Version,
    /// Print a completion script
    Completion { shell: clap_complete::Shell },
}

/// Flags of every command.
#[derive(Debug, clap::Args)]
struct Common {
    /// Rules to use
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print each finding
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, clap::Args)]
struct Git {
    /// The repository
    #[arg(default_value = ".")]
    repo: PathBuf,
    /// Options of `git log` that choose commits
    #[arg(long, allow_hyphen_values = true)]
    log_opts: Option<String>,
    /// Which host links are made for
    #[arg(long)]
    platform: Option<String>,
    /// Scan what is changed and not staged
    #[arg(long)]
    pre_commit: bool,
    /// Scan what is staged
    #[arg(long)]
    staged: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Dir {
    /// Files and folders
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Scan the files that links lead to
    #[arg(long)]
    follow_symlinks: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Stdin {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Detect {
    #[arg(short, long, default_value = ".")]
    source: PathBuf,
    #[arg(long)]
    no_git: bool,
    #[arg(long)]
    pipe: bool,
    #[arg(long)]
    follow_symlinks: bool,
    #[arg(long, allow_hyphen_values = true)]
    log_opts: Option<String>,
    #[arg(long)]
    platform: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Protect {
    #[arg(short, long, default_value = ".")]
    source: PathBuf,
    #[arg(long)]
    staged: bool,
    #[arg(long, allow_hyphen_values = true)]
    log_opts: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Runs a gitleaks command line; the first word is the program's name.
pub(crate) fn run(argv: Vec<OsString>) -> Outcome {
    let words = command_first(argv.get(1..).unwrap_or_default());
    let argv = std::iter::once(OsString::from("gitleaks")).chain(words);
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    let (what, common) = match cli.command {
        Command::Git(git) => git.into_parts(),
        Command::Dir(dir) => (files(dir.paths, dir.follow_symlinks), dir.common),
        Command::Stdin(stdin) => (What::Stdin, stdin.common),
        Command::Detect(detect) => detect.into_parts(),
        Command::Protect(Protect { source, staged, common, .. }) => {
            (if staged { What::Staged(source) } else { What::Unstaged(source) }, common)
        }
        Command::Version => {
            ui::print(VERSION.as_bytes())?;
            return Ok(Exit::Ok);
        }
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "gitleaks", &mut script);
            ui::print(&script)?;
            return Ok(Exit::Ok);
        }
    };
    let request = request(what, common);
    scanning::run(&request, &mut Context::new(Mode::Plomb)).map_err(|failure| failure.exit(Exit::Generic))
}

fn request(what: What, common: Common) -> Request {
    let Common { config, verbose, mut flags } = common;
    flags.max_archive_depth = flags.max_archive_depth.or(Some(0));
    // gitleaks has no confidence: every rule counts. It asks nobody which files must be encrypted.
    let own =
        OwnFlags { rules: config, confidence: Level::Medium, no_guard: true, compat: true, ..OwnFlags::default() };
    Request { what, flags, own, style: Style::Gitleaks, verbose }
}

fn files(paths: Vec<PathBuf>, follow_symlinks: bool) -> What {
    What::Files { paths, follow_symlinks, gitignore: false }
}

impl Git {
    fn into_parts(self) -> (What, Common) {
        let what = match (self.staged, self.pre_commit) {
            (true, _) => What::Staged(self.repo),
            (false, true) => What::Unstaged(self.repo),
            (false, false) => history(self.repo, self.log_opts, self.platform),
        };
        (what, self.common)
    }
}

impl Detect {
    fn into_parts(self) -> (What, Common) {
        let what = match (self.pipe, self.no_git) {
            (true, _) => What::Stdin,
            (false, true) => files(vec![self.source], self.follow_symlinks),
            (false, false) => history(self.source, self.log_opts, self.platform),
        };
        (what, self.common)
    }
}

fn history(repo: PathBuf, log_opts: Option<String>, platform: Option<String>) -> What {
    What::History(History { log_opts, platform, ..History::all(repo) })
}

/// Flags whose value may be the next word.
const WITH_VALUE: [&str; 18] = [
    "-b",
    "--baseline-path",
    "-c",
    "--config",
    "--diagnostics",
    "--diagnostics-dir",
    "--enable-rule",
    "--exit-code",
    "-i",
    "--gitleaks-ignore-path",
    "-l",
    "--log-level",
    "--max-archive-depth",
    "--max-decode-depth",
    "-f",
    "-r",
    "--timeout",
    "--max-target-megabytes",
];
const MORE_WITH_VALUE: [&str; 7] =
    ["--report-format", "--report-path", "--report-template", "--log-opts", "--platform", "-s", "--source"];

/// gitleaks takes its flags before the command, too: the command is moved to the front.
fn command_first(words: &[OsString]) -> Vec<OsString> {
    let takes_value = |word: &OsStr| WITH_VALUE.iter().chain(&MORE_WITH_VALUE).any(|flag| word == *flag);
    let mut index = 0;
    while let Some(word) = words.get(index) {
        if takes_value(word) {
            index += 2;
        } else if word.as_encoded_bytes().starts_with(b"-") {
            index += 1;
        } else {
            let mut moved = vec![word.clone()];
            moved.extend(words[..index].iter().cloned());
            moved.extend(words[index + 1..].iter().cloned());
            return moved;
        }
    }
    words.to_vec()
}

/// gitleaks' exit codes for command lines that it does not understand.
fn misunderstood(error: &clap::Error) -> Outcome {
    use clap::error::ErrorKind as Kind;
    let _ = error.print();
    match error.kind() {
        Kind::DisplayHelp | Kind::DisplayVersion | Kind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(Exit::Ok),
        Kind::UnknownArgument => Err(Failure::new(Exit::Child(126), "")),
        _ => Err(Failure::new(Exit::Generic, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::command_first;

    #[test]
    fn flags_may_stand_before_the_command() {
        let moved = |line: &str| {
            let words: Vec<_> = line.split(' ').map(Into::into).collect();
            let moved = command_first(&words);
            moved.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(moved("-v -c x.toml git . --staged"), "git -v -c x.toml . --staged");
        assert_eq!(moved("dir . -r -"), "dir . -r -");
        assert_eq!(moved("--redact=20 -f json detect -s x"), "detect --redact=20 -f json -s x");
        assert_eq!(moved("--help"), "--help");
    }
}
