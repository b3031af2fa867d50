//! From a request to the contents that are scanned.

use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice as _};
use scan::report::Remote;
use scan::report::link::Platform;
use scan::{Place, Visitor};
use source::{Files, History, Limits, Repository, Selection, Source, SourceError, Staged, Stdin, Unstaged};

use secret::SecretBytes;

use super::collector::Collector;
use super::guarding::Guarding;
use super::rules::source_failure;
use super::{Request, What, log, refs};
use crate::failure::{Exit, Failure};
use crate::{files, ui};

/// The lines that Git gives a hook about the refs of a push, if the request is such a hook's; else nothing.
///
/// # Errors
/// When standard input cannot be read.
pub(crate) fn refs(request: &Request) -> Result<SecretBytes, Failure> {
    match request.what {
        What::PrePush(_) | What::PreReceive(_) => files::read_stdin(REFS_LIMIT),
        _ => Ok(SecretBytes::from("")),
    }
}

/// The repository whose index is asked for: opened once for all who read it.
pub(crate) fn repository(what: &What) -> Option<Repository> {
    match what {
        What::Staged(repo) | What::Unstaged(repo) => Repository::discover(repo).ok(),
        _ => None,
    }
}

/// Hands everything that the request asks for to the collector; `lines` is what [`refs`] read, `known` what
/// [`repository`] opened.
///
/// # Errors
/// When nothing can be read at all.
pub(crate) fn scan(
    request: &Request,
    lines: &SecretBytes,
    collector: &Collector<'_>,
    known: Option<&Repository>,
    guard: Option<&Guarding>,
) -> Result<(), Failure> {
    let limits = limits(request);
    let failed = |error: SourceError| source_failure(&error);
    let open = |repo: &Path| known.cloned().map_or_else(|| Repository::discover(repo).map_err(failed), Ok);
    match &request.what {
        What::Files { paths, follow_symlinks, gitignore } => {
            let targets = paths.clone();
            for path in paths {
                if path.symlink_metadata().is_err() {
                    return Err(Failure::new(Exit::Incomplete, "there is no such file or folder").in_file(path));
                }
            }
            let files = Files { targets, obey_gitignore: *gitignore, follow_links: *follow_symlinks, limits };
            each(&files, collector).map_err(failed)?;
            guard.map_or(Ok(()), |guard| guard.rules_of(paths, collector))
        }
        What::Stdin => each(&Stdin::new(Box::new(std::io::stdin()), limits), collector).map_err(failed),
        What::Staged(repo) => {
            let repository = open(repo)?;
            // `git commit FILE` commits from an index of its own, and names it to its hook.
            let index_file = std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from);
            let staged = Staged { index_file, under: under(&repository, repo), limits, ..Staged::new(&repository) };
            each(&staged, collector).map_err(failed)?;
            guard.map_or(Ok(()), |guard| guard.staged(&staged, collector))
        }
        What::Unstaged(repo) => {
            let repository = open(repo)?;
            let unstaged = Unstaged { under: under(&repository, repo), limits, ..Unstaged::new(&repository) };
            each(&unstaged, collector).map_err(failed)?;
            guard.map_or(Ok(()), |guard| guard.rules_themselves(None, &Place::File, collector))
        }
        What::Message(file) => message(file, limits, collector),
        What::History(wanted) => {
            let repository = Repository::discover(&wanted.repo).map_err(failed)?;
            let selection = selection(wanted, &repository)?;
            history(&repository, selection, wanted.messages, limits, collector)?;
            if let Some(Err(failure)) = guard.map(|guard| guard.tracked(request, collector)) {
                collector.unguarded(&failure);
            }
            Ok(())
        }
        What::PrePush(repo) => {
            let repository = Repository::discover(repo).map_err(failed)?;
            history(&repository, refs::pushed(lines)?, true, limits, collector)
        }
        What::PreReceive(repo) => {
            let repository = Repository::discover(repo).map_err(failed)?.with_object_folders(refs::quarantine());
            history(&repository, refs::received(lines)?, true, limits, collector)
        }
    }
}

/// Where commits can be read on the web, for links in reports: the remote that the repository names.
///
/// # Errors
/// When --platform names none that we know.
pub(crate) fn remote(request: &Request) -> Result<Option<Remote>, Failure> {
    let What::History(wanted) = &request.what else { return Ok(None) };
    let platform = match wanted.platform.as_deref() {
        None | Some("" | "unknown") => None,
        Some("none") => return Ok(None),
        Some(name) => match Platform::by_name(name) {
            Some(platform) => Some(platform),
            None => {
                let hint = "there are github, gitlab, azuredevops, gitea, bitbucket and none";
                return Err(Failure::new(Exit::Incomplete, "--platform names no host that is known").hint(hint));
            }
        },
    };
    let Ok(repository) = Repository::discover(&wanted.repo) else { return Ok(None) };
    Ok(repository.remote_url().and_then(|url| Remote::new(&url, platform)))
}

/// Names of refs and objects that a hook is given.
const REFS_LIMIT: u64 = 64 << 20;

fn history(
    repository: &Repository,
    selection: Selection,
    messages: bool,
    limits: Limits,
    collector: &Collector<'_>,
) -> Result<(), Failure> {
    if repository.is_shallow() {
        ui::note("note: this clone is shallow: history before its first commits is not here and not scanned");
    }
    let history = History { selection, messages, limits, ..History::new(repository) };
    each(&history, collector).map_err(|error| source_failure(&error))
}

/// The commits that a range or options of `git log` choose.
fn selection(wanted: &super::History, repository: &Repository) -> Result<Selection, Failure> {
    let range = match (&wanted.range, &wanted.log_opts) {
        (Some(range), _) => range,
        (None, Some(options)) => return log::selection(options),
        (None, None) => return Ok(Selection::all()),
    };
    let hint = "commits are chosen by A..B, A...B, B and --all";
    let selection = Selection::parse([BStr::new(range)]).map_err(|error| source_failure(&error).hint(hint))?;
    let nothing = |why: &str| {
        let what = format!("--range {}: {why}", crate::paths::one_line(range));
        Err(Failure::new(Exit::Incomplete, what).hint(hint))
    };
    if range.trim_matches('.').is_empty() {
        return nothing("both ends are empty, and nothing would be scanned");
    }
    if !selection.has_a_start() {
        return nothing("names no commits, only such that are left out");
    }
    let tips = selection.include.iter().chain(selection.either.iter().flat_map(|(one, other)| [one, other]));
    for tip in tips {
        let name = tip.strip_suffix(b"^!").unwrap_or(tip);
        if repository.commit(name.as_bstr()).is_err() && repository.exists(tip.as_bstr()) {
            return nothing("does not lead to a commit");
        }
    }
    Ok(selection)
}

fn each<'s>(source: &'s dyn Source, collector: &'s Collector<'_>) -> Result<(), SourceError> {
    let new_visitor = || -> Box<dyn Visitor + 's> { collector.worker() };
    source.each(&new_visitor)
}

/// The folder that was named, as the repository knows it; the whole repository for its root.
fn under(repository: &Repository, folder: &Path) -> BString {
    repository.inside(folder).unwrap_or_default()
}

fn limits(request: &Request) -> Limits {
    let flags = &request.flags;
    let megabytes = flags.max_target_megabytes;
    let usual = Limits::default();
    Limits {
        max_target_bytes: (megabytes > 0).then_some(megabytes * 1_000_000),
        archive_depth: flags.max_archive_depth.unwrap_or(usual.archive_depth),
        ..usual
    }
}

/// A commit message. Comment lines count: whether Git drops them depends on flags and settings that no hook is told.
fn message(file: &Path, limits: Limits, collector: &Collector<'_>) -> Result<(), Failure> {
    let text = files::read(file, 64 << 20)?;
    // So Git tells its hooks that nobody edits the message: then it cuts nothing off.
    let edited = std::env::var_os("GIT_EDITOR").is_none_or(|editor| editor != ":");
    let kept = if edited { above_the_change(text.expose()) } else { text.expose() };
    let stream = Stdin::new(Box::new(std::io::Cursor::new(kept.to_vec())), limits);
    each(&stream, collector).map_err(|error| source_failure(&error))
}

/// The line below which `git commit -v` shows the change itself, behind a comment's sign.
const SCISSORS: &[u8] = b" ------------------------ >8 ------------------------";

/// A message without the change below its scissors, which the hook before has seen and Git drops. What else stands there
/// its author wrote.
fn above_the_change(text: &[u8]) -> &[u8] {
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let sign = line.trim_ascii_end().strip_suffix(SCISSORS).filter(|sign| (1..=4).contains(&sign.len()));
        if let Some(sign) = sign {
            let below = text[at + line.len()..].lines();
            let first = below.into_iter().find(|line| !line.starts_with(sign) && !line.trim_ascii().is_empty());
            if first.is_none_or(|line| line.starts_with(b"diff ")) {
                return &text[..at];
            }
        }
        at += line.len();
    }
    text
}
