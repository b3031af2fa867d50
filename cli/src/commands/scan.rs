//! `plomb scan`: secrets in files, in what is staged, in history, in what is about to be pushed.

use std::path::PathBuf;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;
use crate::scanning::{self, Flags, History, OwnFlags, Request, Style, What};

/// Find secrets, and files that must be encrypted and are not
///
/// Without a sub-command: files and folders. Exit codes: 0 nothing found, 1 findings, 2 something could not be read.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    source: Option<Source>,
    #[command(flatten)]
    files: Files,
    /// Scan what is staged: what the next commit will hold
    #[arg(long, conflicts_with_all = ["unstaged", "history"])]
    staged: bool,
    /// Scan what is changed and not staged yet
    #[arg(long, conflicts_with = "history")]
    unstaged: bool,
    /// Scan the whole history of the repository
    #[arg(long, visible_alias = "git")]
    history: bool,
    /// Encrypt what is found under its creation rule, and stage it again
    #[arg(long)]
    fix: bool,
    /// Say for one line of a file which rules looked at it and what they thought of it
    #[arg(long, value_name = "FILE:LINE", conflicts_with_all = ["staged", "unstaged", "history", "fix"])]
    explain: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// The history of a repository, or part of it
    Git(Git),
    /// Files and folders
    #[command(visible_aliases = ["file", "directory"])]
    Dir(Files),
    /// Standard input
    Stdin(Plain),
    /// The message of a commit (for the hook commit-msg)
    #[command(visible_alias = "commit-msg")]
    Message(Message),
    /// What is about to be pushed (for the hook pre-push; refs on standard input)
    PrePush(Refs),
    /// What is about to be received (for the hook pre-receive; refs on standard input)
    PreReceive(Refs),
}

/// Files and folders.
#[derive(Debug, clap::Args)]
pub(crate) struct Files {
    /// Files and folders; the current folder if none is given
    paths: Vec<PathBuf>,
    /// Scan the files that links lead to
    #[arg(long)]
    follow_symlinks: bool,
    /// Scan what .gitignore leaves out, too
    #[arg(long)]
    no_gitignore: bool,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    own: OwnFlags,
}

/// History.
#[derive(Debug, clap::Args)]
pub(crate) struct Git {
    /// The repository, or a folder in it
    #[arg(default_value = ".")]
    repo: PathBuf,
    /// Only the commits of a range: A..B
    #[arg(long, value_name = "A..B", conflicts_with = "log_opts")]
    range: Option<String>,
    /// Options of `git log` that choose commits (ranges, --all, --branches, --since …)
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    log_opts: Option<String>,
    /// Which host links to commits are made for
    #[arg(long, value_name = "HOST")]
    platform: Option<String>,
    /// Scan what is staged instead
    #[arg(long)]
    staged: bool,
    /// Scan what is changed and not staged yet instead; with --staged, what is staged
    #[arg(long)]
    pre_commit: bool,
    /// Scan messages of commits and tags, and notes, too
    #[arg(long)]
    messages: bool,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    own: OwnFlags,
}

/// No arguments of its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Plain {
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    own: OwnFlags,
}

/// A commit message.
#[derive(Debug, clap::Args)]
pub(crate) struct Message {
    /// The file with the message
    file: PathBuf,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    own: OwnFlags,
}

/// Refs on standard input.
#[derive(Debug, clap::Args)]
pub(crate) struct Refs {
    /// What Git gives the hook: name and address of the remote; not used
    #[arg(hide = true)]
    remote: Vec<String>,
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    own: OwnFlags,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let here = || PathBuf::from(".");
    let (what, flags, mut own) = match args.source {
        Some(Source::Git(git)) => git.into_parts(),
        Some(Source::Dir(files)) => files.into_parts(),
        Some(Source::Stdin(plain)) => (What::Stdin, plain.flags, plain.own),
        Some(Source::Message(message)) => (What::Message(message.file), message.flags, message.own),
        Some(Source::PrePush(refs)) => (What::PrePush(here()), refs.flags, refs.own),
        Some(Source::PreReceive(refs)) => (What::PreReceive(here()), refs.flags, refs.own),
        None => {
            let repo = args.files.paths.first().cloned().unwrap_or_else(here);
            let (files, flags, own) = args.files.into_parts();
            let what = match () {
                () if args.staged => What::Staged(repo),
                () if args.unstaged => What::Unstaged(repo),
                () if args.history => What::History(History::all(repo)),
                () => files,
            };
            (what, flags, own)
        }
    };
    own.creation_rules = context.config.clone().filter(|_| context.config_is_asked_for);
    let request = Request { what, flags, own, style: Style::Plomb, verbose: context.verbose };
    match args.explain {
        Some(place) => scanning::explain(request, &place, context),
        None if args.fix => scanning::fix(&request, context),
        None => scanning::run(&request, context),
    }
}

impl Files {
    fn into_parts(self) -> (What, Flags, OwnFlags) {
        let paths = if self.paths.is_empty() { vec![PathBuf::from(".")] } else { self.paths };
        let what = What::Files { paths, follow_symlinks: self.follow_symlinks, gitignore: !self.no_gitignore };
        (what, self.flags, self.own)
    }
}

impl Git {
    fn into_parts(self) -> (What, Flags, OwnFlags) {
        let what = match (self.staged, self.pre_commit) {
            (true, _) => What::Staged(self.repo),
            (false, true) => What::Unstaged(self.repo),
            (false, false) => What::History(History {
                repo: self.repo,
                range: self.range,
                log_opts: self.log_opts,
                platform: self.platform,
                messages: self.messages,
            }),
        };
        (what, self.flags, self.own)
    }
}
