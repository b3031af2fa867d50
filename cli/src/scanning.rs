//! A scan from the command line: rules and exceptions are read, a source is scanned, what is left is reported.

mod collector;
mod exceptions;
mod explain;
mod fix;
mod flags;
mod guarding;
mod log;
mod output;
mod refs;
mod rules;
mod sources;
mod vouched;

use std::path::PathBuf;
use std::sync::Arc;

use scan::{Options, Scanner};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use collector::{Collector, Watch};
pub(crate) use exceptions::{ALLOW_FILE, root_of};
pub(crate) use explain::explain;
pub(crate) use fix::fix;
pub(crate) use flags::{Flags, Level, OwnFlags};
pub(crate) use rules::{Surroundings, rules_of};

/// What is scanned, and how.
pub(crate) struct Request {
    /// What.
    pub(crate) what: What,
    /// gitleaks' flags.
    pub(crate) flags: Flags,
    /// Ours.
    pub(crate) own: OwnFlags,
    /// Whose manners.
    pub(crate) style: Style,
    /// `-v`.
    pub(crate) verbose: bool,
}

impl Request {
    /// Whether a change of somebody else is judged, which may not allow itself by comments on its lines.
    fn judges_a_change(&self) -> bool {
        self.own.config_from.is_some() || matches!(self.what, What::PreReceive(_))
    }
}

/// Whose manners: what is printed, and which defaults hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `plomb scan`.
    Plomb,
    /// Called as `gitleaks`, or `plomb gitleaks …`.
    Gitleaks,
}

/// Where the contents come from.
#[derive(Debug)]
pub(crate) enum What {
    /// Files and folders.
    Files {
        paths: Vec<PathBuf>,
        follow_symlinks: bool,
        /// Whether .gitignore is respected.
        gitignore: bool,
    },
    /// Standard input.
    Stdin,
    /// The index of the repository that a folder is in.
    Staged(PathBuf),
    /// What differs from the index.
    Unstaged(PathBuf),
    /// Commits.
    History(History),
    /// A commit message in a file.
    Message(PathBuf),
    /// Refs of a push on standard input, as `pre-push` gets them.
    PrePush(PathBuf),
    /// Refs on standard input, as `pre-receive` gets them.
    PreReceive(PathBuf),
}

impl What {
    /// The folder whose configuration and exceptions hold.
    fn home(&self) -> PathBuf {
        let here = || PathBuf::from(".");
        match self {
            Self::Files { paths, .. } => paths.first().cloned().unwrap_or_else(here),
            Self::Stdin | Self::Message(_) => here(),
            Self::Staged(repo) | Self::Unstaged(repo) | Self::PrePush(repo) | Self::PreReceive(repo) => repo.clone(),
            Self::History(history) => history.repo.clone(),
        }
    }
}

/// Which commits.
#[derive(Debug)]
pub(crate) struct History {
    /// The repository, or a folder in it.
    pub(crate) repo: PathBuf,
    /// `A..B`.
    pub(crate) range: Option<String>,
    /// Options of `git log`.
    pub(crate) log_opts: Option<String>,
    /// Which host links are made for.
    pub(crate) platform: Option<String>,
    /// Messages, too.
    pub(crate) messages: bool,
}

impl History {
    /// All of it.
    pub(crate) fn all(repo: PathBuf) -> Self {
        Self { repo, range: None, log_opts: None, platform: None, messages: false }
    }
}

/// Scans and reports.
///
/// # Errors
/// When rules, exceptions or the source itself cannot be read.
pub(crate) fn run(request: &Request, context: &mut Context) -> Outcome {
    output::check(request).map_err(not_begun)?;
    let found = find(request, context)?;
    output::write(request, &found).map_err(not_begun)?;
    Ok(found.exit(request))
}

/// Whatever keeps a scan from an answer has one exit code: the numbers of SOPS say nothing here.
fn not_begun(failure: Failure) -> Failure {
    if failure.exit == Exit::Usage { failure } else { failure.exit(Exit::Incomplete) }
}

/// What a scan found, after all exceptions.
pub(crate) struct Found {
    /// In the order of reports.
    pub(crate) findings: Vec<scan::Finding>,
    /// What was asked for and not read.
    pub(crate) unread: Vec<scan::Unread>,
    /// What was left out by rule.
    pub(crate) skipped: Vec<scan::Skipped>,
    /// How much was looked at.
    pub(crate) counts: collector::Counts,
    /// The rules, for reports that list them.
    pub(crate) rules: Arc<scan::RuleSet>,
    /// Notes on exceptions: stale, expired.
    pub(crate) notes: Vec<String>,
    /// Where the repository can be read on the web.
    pub(crate) remote: Option<scan::report::Remote>,
}

impl Found {
    fn exit(&self, request: &Request) -> Exit {
        if !self.unread.is_empty() {
            return Exit::Incomplete;
        }
        if self.findings.is_empty() { Exit::Ok } else { Exit::Child(request.flags.exit_code) }
    }
}

/// Scans and applies the exceptions.
///
/// # Errors
/// As [`run`].
pub(crate) fn find(request: &Request, context: &mut Context) -> Result<Found, Failure> {
    let exceptions = exceptions::load(request).map_err(not_begun)?;
    let mut found = find_bare(request, context).map_err(not_begun)?;
    exceptions.apply(&mut found, context);
    Ok(found)
}

/// Scans, without any exception.
///
/// # Errors
/// As [`run`].
pub(crate) fn find_bare(request: &Request, _context: &mut Context) -> Result<Found, Failure> {
    let rules = Arc::new(rules::load(request)?);
    all_known(&request.flags.enable_rule, &rules)?;
    let scanner = Scanner::new(rules.clone(), options(request));
    let lines = sources::refs(request)?;
    let repository = sources::repository(&request.what);
    // Where the rules for encryption cannot be read, all else is scanned.
    let (guard, unguarded) = match guarding::prepare(request, repository.as_ref(), &refs::tips(&lines)) {
        Ok(guard) => (guard, None),
        Err(failure) => (None, Some(failure)),
    };
    let watch = match (&guard, &request.what) {
        (Some(guard), What::Files { .. } | What::Unstaged(_)) => Watch::Files(guard),
        (Some(guard), What::History(_) | What::PrePush(_) | What::PreReceive(_)) => Watch::Versions(guard),
        _ => Watch::Nothing,
    };
    let collector = Collector::new(&scanner, watch, request.flags.timeout);
    unguarded.iter().for_each(|failure| collector.unguarded(failure));
    sources::scan(request, &lines, &collector, repository.as_ref(), guard.as_ref())?;
    let mut found = collector.finish(rules);
    vouched::drop_vouched(request, &mut found)?;
    drop_repeated(&mut found.findings);
    found.remote = sources::remote(request)?;
    Ok(found)
}

/// What is wrong with a file as it is tracked now, and was brought by a commit that is named too, is told once.
fn drop_repeated(findings: &mut Vec<scan::Finding>) {
    let key = |finding: &scan::Finding| (finding.rule.clone(), finding.digest.0);
    let brought =
        findings.iter().filter(|it| it.origin.presence == scan::Presence::Present && it.origin.commit().is_some());
    let brought: std::collections::HashSet<_> = brought.map(key).collect();
    let is_guards = |finding: &scan::Finding| finding.tags.iter().any(|tag| tag == "guard");
    findings.retain(|it| it.origin.commit().is_some() || !is_guards(it) || !brought.contains(&key(it)));
}

/// A rule that is asked for and does not exist would find nothing, and say so.
fn all_known(wanted: &[String], rules: &scan::RuleSet) -> Result<(), Failure> {
    let unknown = wanted.iter().find(|id| rules.rules.iter().all(|rule| rule.id.as_ref() != id.as_str()));
    let Some(id) = unknown else { return Ok(()) };
    let what = format!("--enable-rule: there is no rule {}", crate::paths::one_line(id));
    Err(Failure::new(Exit::Incomplete, what).hint("`plomb rules list` shows all"))
}

fn options(request: &Request) -> Options {
    Options {
        redaction: request.flags.redaction(),
        max_decode_depth: request.flags.max_decode_depth,
        allow_markers: !request.flags.ignore_gitleaks_allow && !request.judges_a_change(),
        min_confidence: request.own.confidence.into(),
        enabled: request.flags.enable_rule.clone(),
    }
}
