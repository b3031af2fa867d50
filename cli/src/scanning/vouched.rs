//! Comments that allow a line, where a change is judged by the commit of `--config-from`: only those count that the
//! commit has too, or one that led to it. A change cannot allow itself by them.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use bstr::{BStr, BString, ByteSlice as _};
use scan::{Content, Finding, Lines, Options, Origin, Place, Scanner};
use source::Repository;

use super::rules::source_failure;
use super::{Found, Request, What, options};
use crate::failure::Failure;

/// What scans of one version of a file find, by the findings' digests.
#[derive(Default)]
struct Version {
    /// All of it.
    all: HashSet<[u8; 32]>,
    /// What no comment allows.
    told: HashSet<[u8; 32]>,
}

/// The versions of files that may vouch for findings.
struct Base<'b> {
    repository: Repository,
    revision: &'b BStr,
    /// Commits that led to the base.
    ancestors: HashSet<String>,
    strict: Scanner,
    obeying: Scanner,
    known: BTreeMap<(BString, BString), Version>,
}

/// Takes out what a comment allows that is not the change's own.
///
/// # Errors
/// When the commit of `--config-from` cannot be read.
pub(crate) fn drop_vouched(request: &Request, found: &mut Found) -> Result<(), Failure> {
    let Some(revision) = &request.own.config_from else { return Ok(()) };
    if request.flags.ignore_gitleaks_allow || found.findings.is_empty() {
        return Ok(());
    }
    let failed = |error| source_failure(&error);
    let repository = Repository::discover(&request.what.home()).map_err(failed)?;
    let revision = BStr::new(revision);
    let has_commits = found.findings.iter().any(|finding| finding.origin.commit().is_some());
    let ancestors = if has_commits { repository.ancestors(revision).map_err(failed)? } else { HashSet::new() };
    let scanner = |allow_markers| Scanner::new(found.rules.clone(), Options { allow_markers, ..options(request) });
    let (strict, obeying) = (scanner(false), scanner(true));
    let mut base = Base { repository, revision, ancestors, strict, obeying, known: BTreeMap::new() };
    let in_folders = matches!(request.what, What::Files { .. });
    found.findings.retain(|finding| !base.vouches(finding, in_folders));
    Ok(())
}

impl Base<'_> {
    /// Whether the base, or the commit of the finding if it led to the base, has the same secret at the same path under
    /// a comment that allows it.
    fn vouches(&mut self, finding: &Finding, in_folders: bool) -> bool {
        let path = &finding.origin.path;
        let inside =
            if in_folders { self.repository.inside(Path::new(&*path.to_path_lossy())) } else { Some(path.clone()) };
        let (Some(path), true) = (inside, is_file(finding)) else { return false };
        let own = finding.origin.commit().filter(|commit| self.ancestors.contains(&commit.id));
        let own = own.map(|commit| BString::from(commit.id.as_str()));
        let digest = finding.digest.0;
        own.into_iter().chain([self.revision.to_owned()]).any(|revision| {
            let version = self.version(revision, &path);
            version.all.contains(&digest) && !version.told.contains(&digest)
        })
    }

    /// What a file holds in a commit; nothing, if no comment in it could allow anything.
    fn version(&mut self, revision: BString, path: &BString) -> &Version {
        let Self { repository, strict, obeying, known, .. } = self;
        known.entry((revision, path.clone())).or_insert_with_key(|(revision, path)| {
            let text = repository.read_at(revision.as_bstr(), path.as_bstr()).ok().flatten();
            let Some(text) = text.filter(|text| scan::holds_allow_marker(text)) else { return Version::default() };
            Version { all: digests(strict, path, &text), told: digests(obeying, path, &text) }
        })
    }
}

/// Whether a finding stands in a file, and not in a message.
fn is_file(finding: &Finding) -> bool {
    matches!(finding.origin.place, Place::File | Place::Index | Place::Commit(_))
}

fn digests(scanner: &Scanner, path: &BString, text: &[u8]) -> HashSet<[u8; 32]> {
    let paths = std::slice::from_ref(path);
    let seen = scanner.scan(&Content { bytes: text, paths, base: None, first_line: 1 });
    let origin = Origin { path: path.clone(), ..Origin::default() };
    scanner.judge(&seen, &origin, Lines::All).into_iter().map(|finding| finding.digest.0).collect()
}
