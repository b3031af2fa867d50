//! What was accepted before: .gitleaksignore, our own allow file, and a baseline.

use std::path::{Path, PathBuf};

use bstr::BStr;
use scan::ignore::{Allow, Day, GitleaksIgnore, Malformed, allow::Verdict};
use scan::{Baseline, Confidence, Finding, Fingerprints};

use super::{Found, Level, Request, What};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::paths::{one_line, shown};

/// Our own list of accepted findings, at the root of a repository or beside what is scanned.
pub(crate) const ALLOW_FILE: &str = ".plomb-allow";
const GITLEAKS_FILE: &str = ".gitleaksignore";
const LIMIT: u64 = 256 << 20;

/// All exceptions of a scan.
pub(crate) struct Exceptions {
    gitleaks: Vec<(String, GitleaksIgnore)>,
    allow: Vec<(String, Allow)>,
    baseline: Option<Baseline>,
    redaction: scan::Redaction,
    /// Whether the scan saw everything that the exceptions are about: else "unused" says nothing.
    is_whole: bool,
    /// Whether entries that name a commit were asked about.
    is_history: bool,
}

/// Reads them. Where they lie in the repository they come from the commit of `--config-from`, if that is given.
///
/// # Errors
/// When one cannot be read, or the baseline is none.
pub(crate) fn load(request: &Request) -> Result<Exceptions, Failure> {
    let home = request.what.home();
    let mut exceptions = Exceptions {
        gitleaks: Vec::new(),
        allow: Vec::new(),
        baseline: request.flags.baseline_path.as_deref().map(baseline).transpose()?,
        redaction: request.flags.redaction(),
        is_whole: is_whole(request, &home),
        is_history: matches!(request.what, What::History(_)),
    };
    let given = &request.flags.gitleaks_ignore_path;
    let piped = files::is_stream(given).then(|| files::read_named(given, LIMIT)).transpose()?;
    let piped = piped.map(|text| (named(given), text.expose().to_vec()));
    let lists = super::rules::texts(request, GITLEAKS_FILE, &gitleaks_places(request, &home))?;
    for (name, text) in piped.into_iter().chain(lists) {
        let (list, wrong) = GitleaksIgnore::parse(&text);
        tell(&name, &wrong);
        exceptions.gitleaks.push((name, list));
    }
    for (name, text) in super::rules::texts(request, ALLOW_FILE, &[root_of(&home).join(ALLOW_FILE)])? {
        let (list, wrong) = Allow::parse(&text);
        tell(&name, &wrong);
        exceptions.allow.push((name, list));
    }
    Ok(exceptions)
}

/// Whether a scan sees all that exceptions can be about: every file or every commit, every rule, every finding that is
/// reported by default.
fn is_whole(request: &Request, home: &Path) -> bool {
    let absolute = crate::paths::absolute;
    let all = match &request.what {
        What::Files { paths, .. } => {
            paths.iter().any(|path| path.is_dir() && absolute(path) == absolute(&root_of(home)))
        }
        What::History(wanted) => wanted.range.is_none() && wanted.log_opts.is_none(),
        _ => false,
    };
    let default = Confidence::from(Level::default());
    all && request.flags.enable_rule.is_empty()
        && !request.own.no_guard
        && Confidence::from(request.own.confidence) <= default
}

/// Whether an entry of gitleaks' names a commit.
fn names_commit(entry: &BStr) -> bool {
    let first = entry.split(|byte| *byte == b':').next().unwrap_or_default();
    matches!(first.len(), 40 | 64) && first.iter().all(u8::is_ascii_hexdigit)
}

/// Every place where gitleaks looks for its file, and the root of the repository.
fn gitleaks_places(request: &Request, home: &Path) -> Vec<PathBuf> {
    let given = &request.flags.gitleaks_ignore_path;
    let first = if given.is_dir() { given.join(GITLEAKS_FILE) } else { given.clone() };
    vec![first, home.join(GITLEAKS_FILE), root_of(home).join(GITLEAKS_FILE)]
}

/// The root of the repository that a path is in; else the path's folder.
pub(crate) fn root_of(home: &Path) -> PathBuf {
    let absolute = crate::paths::absolute(home);
    let root = absolute.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
    let folder = || if home.is_dir() { absolute.clone() } else { absolute.parent().unwrap_or(&absolute).to_owned() };
    crate::paths::from_here(&root.map_or_else(folder, Path::to_owned))
}

fn baseline(path: &Path) -> Result<Baseline, Failure> {
    let text = files::read_named(path, LIMIT)?;
    Baseline::parse(text.expose()).map_err(|error| Failure::new(Exit::Incomplete, error.to_string()).in_file(path))
}

fn tell(name: &str, wrong: &[Malformed]) {
    for line in wrong.iter().take(3) {
        crate::ui::note(&format!("warning: {name}:{}: {}", line.line, line.what));
    }
    if wrong.len() > 3 {
        crate::ui::note(&format!("warning: {name}: {} more lines cannot be read", wrong.len() - 3));
    }
}

impl Exceptions {
    /// Takes accepted findings out, and notes what of the lists is of no use any more.
    pub(crate) fn apply(mut self, found: &mut Found, context: &Context) {
        let today = Day::parse(&context.now().to_string()).expect("a timestamp begins with a day");
        let fingerprints = Fingerprints::default();
        found.findings.retain(|finding| !self.accepts(finding, &fingerprints, today));
        let note = |text: String| one_line(&text);
        for (name, list) in &self.allow {
            let over = list.expired(today).map(|it| format!("{name}:{}: this exception is over", it.line));
            found.notes.extend(over.map(note));
        }
        if !self.is_whole || !found.unread.is_empty() {
            return;
        }
        for (name, list) in &self.allow {
            let unused = list.unused().map(|it| format!("{name}:{}: accepts nothing any more", it.line));
            found.notes.extend(unused.map(note));
        }
        for (name, list) in &self.gitleaks {
            let unused = list.unused().filter(|(_, entry)| self.is_history || !names_commit(entry));
            let unused = unused.map(|(line, _)| format!("{name}:{line}: ignores nothing any more"));
            found.notes.extend(unused.map(note));
        }
    }

    fn accepts(&mut self, finding: &Finding, fingerprints: &Fingerprints, today: Day) -> bool {
        let mut accepted = false;
        // Every list is asked: an entry that another list makes superfluous still fits.
        for (_, list) in &mut self.gitleaks {
            accepted |= list.allows(finding);
        }
        for (_, list) in &mut self.allow {
            accepted |= list.judge(&fingerprints.of(finding), today) == Verdict::Allowed;
        }
        let known = |baseline: &Baseline| baseline.knows(finding, fingerprints, self.redaction);
        accepted || self.baseline.as_ref().is_some_and(known)
    }
}

/// The name of a configuration file as messages show it.
pub(crate) fn named(path: &Path) -> String {
    let name = shown(path);
    name.strip_prefix("./").map_or(name.clone(), str::to_owned)
}
