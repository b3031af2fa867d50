//! The repository's own encryption rules, asked about what is scanned.

mod opened;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;
use guard::{
    Breach, Configs, Everywhere, FileVersion, Gone, Kind, Mend, Names, Rules, Sibling, Tracked, is_resource,
    seems_encrypted,
};
use scan::{Confidence, Content, Finding, Place, Span};
use sops::config::Strictness;
use source::{Change, Repository, Staged};

use super::collector::Collector;
use super::rules::source_failure;
use super::{Request, What, refs};
use crate::config::ConfigFile;
use crate::failure::{Exit, Failure};
use crate::paths::one_line;
use crate::{config, files, ui};

const CONFIG: &str = ".sops.yaml";
/// Files that are read to tell what a change of the rules does to them.
const MOST_TRACKED: usize = 20_000;
const LIMIT: u64 = 64 << 20;

/// Rules ready to be asked.
pub(crate) struct Guarding {
    rules: Rules,
    names: Names,
    /// What the index has, in order of path.
    tracked: Vec<(BString, ObjectId)>,
    pub(crate) repository: Option<Repository>,
    /// The folder that rules name paths from.
    root: PathBuf,
    /// Whether the change touches the rules themselves.
    rules_changed: bool,
    least: Confidence,
    /// Whether contents are named by their paths in the repository and compared with what the index has at those.
    is_indexed: bool,
    /// Which breaches of older versions count.
    lasting: &'static [Kind],
    /// Whether the change is that of whoever scans, and not one that is reviewed.
    own_change: bool,
}

/// Breaches that stay, once they are in history: what stood in clear can be read there for ever.
const LASTING: [Kind; 3] = [Kind::NotEncrypted, Kind::ValueInClear, Kind::MetadataStripped];
/// Those that a push brings: also what someone can read who should not.
const PUSHED: [Kind; 5] =
    [Kind::NotEncrypted, Kind::ValueInClear, Kind::MetadataStripped, Kind::DecryptedTwin, Kind::RecipientUnlisted];

/// Reads the rules, unless the request does without or there are none. `tips` are the commits that a push brings:
/// their rules hold beside those of HEAD.
///
/// # Errors
/// When they cannot be read.
pub(crate) fn prepare(
    request: &Request,
    known: Option<&Repository>,
    tips: &[BString],
) -> Result<Option<Guarding>, Failure> {
    let asked = !matches!(request.what, What::Stdin | What::Message(_)) && !request.own.no_guard;
    if !asked || !request.flags.enable_rule.is_empty() {
        return Ok(None);
    }
    let home = request.what.home();
    if let Some(path) = &request.own.creation_rules {
        return asked_for(request, &home, path).map(Some);
    }
    let known = known.cloned().map_or_else(|| Repository::discover(&home), Ok);
    let Ok(repository) = known else { return outside(request, &home) };
    let repository = repository.with_object_folders(refs::quarantine());
    let failed = |error| source_failure(&error);
    let index_file = std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from);
    let configs = repository.tracked_of(index_file.as_deref(), |path| Rules::is_config(path)).map_err(failed)?;
    let staged = matches!(request.what, What::Staged(_));
    let mut now = Configs::new();
    let mut names: Vec<BString> = vec![CONFIG.into()];
    if repository.is_bare() {
        names.extend(names_at_base(request, &repository)?);
    }
    for (path, id) in configs {
        if staged {
            now.insert(path.clone(), repository.blob(id, LIMIT).map_err(failed)?);
        }
        names.push(path);
    }
    let mut base = Configs::new();
    for name in &names {
        // Rules that are not staged hold too: they say what their author wants encrypted.
        let path = repository.root().join(OsStr::from_bytes(name));
        if !now.contains_key(name) && path.symlink_metadata().is_ok() {
            now.insert(name.clone(), files::read(&path, LIMIT)?.expose().to_vec());
        }
        if let Some(text) = at_base(request, &repository, name.as_bstr())? {
            base.insert(name.clone(), text);
        }
    }
    if repository.is_bare() {
        now.clone_from(&base);
        now.extend(pushed_rules(&repository, tips)?);
    }
    if now.is_empty() && base.is_empty() {
        return Ok(None);
    }
    let tracked = repository.tracked(index_file.as_deref()).map_err(failed)?;
    Ok(Some(Guarding {
        rules_changed: base != now && !base.is_empty(),
        rules: Rules::new(Some(&base), &now),
        names: Names::new(tracked.iter().map(|(path, _)| path.as_slice())),
        root: repository.root().to_owned(),
        repository: Some(repository),
        least: request.own.confidence.into(),
        is_indexed: matches!(request.what, What::Unstaged(_)),
        tracked,
        lasting: if matches!(request.what, What::History(_)) { &LASTING } else { &PUSHED },
        own_change: is_own_change(request),
    }))
}

/// Whether the change that is judged was made by whoever asks: what is not committed yet, compared with nothing named.
fn is_own_change(request: &Request) -> bool {
    matches!(request.what, What::Files { .. } | What::Staged(_) | What::Unstaged(_))
        && request.own.config_from.is_none()
}

/// The one configuration that the user named holds everywhere, as it does for encrypting.
fn asked_for(request: &Request, home: &Path, path: &Path) -> Result<Guarding, Failure> {
    let text = files::read_named(path, LIMIT)?;
    if ConfigFile::parse(path, &text, Strictness::Strict)?.config.creation_rules.is_none() {
        return Err(Failure::new(Exit::Incomplete, "has no creation_rules: nothing would be judged").in_file(path));
    }
    let repository = Repository::discover(home).ok().map(|it| it.with_object_folders(refs::quarantine()));
    let root = repository.as_ref().map_or(PathBuf::from("/"), |repository| repository.root().to_owned());
    let index_file = std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from);
    let tracked = match &repository {
        Some(repository) => repository.tracked(index_file.as_deref()).map_err(|error| source_failure(&error))?,
        None => Vec::new(),
    };
    let bytes = |path: &Path| BString::from(path.as_os_str().as_bytes());
    let place = Everywhere { file: bytes(&crate::paths::absolute(path)), root: bytes(&root) };
    Ok(Guarding {
        rules: Rules::everywhere(&bytes(path), text.expose(), place),
        names: Names::new(tracked.iter().map(|(path, _)| path.as_slice())),
        root,
        repository,
        rules_changed: false,
        least: request.own.confidence.into(),
        is_indexed: matches!(request.what, What::Unstaged(_)),
        tracked,
        lasting: if matches!(request.what, What::History(_)) { &LASTING } else { &PUSHED },
        own_change: is_own_change(request),
    })
}

/// The rules in the commits that a push brings. Where several have a file at one path, the first counts.
fn pushed_rules(repository: &Repository, tips: &[BString]) -> Result<Configs, Failure> {
    let failed = |error| source_failure(&error);
    // A tag may lead to something that is no commit, and has no files.
    let commits: Vec<ObjectId> = tips.iter().filter_map(|tip| repository.commit(tip.as_bstr()).ok()).collect();
    let mut pushed = Configs::new();
    for (path, id) in repository.files_of(&commits, |path| Rules::is_config(path)).map_err(failed)? {
        if let Entry::Vacant(new) = pushed.entry(path) {
            new.insert(repository.blob(id, LIMIT).map_err(failed)?);
        }
    }
    Ok(pushed)
}

/// The revision before the change: the commit of `--config-from`, or where a range begins; `None` for HEAD.
fn base_of(request: &Request) -> Option<&str> {
    let range = match &request.what {
        What::History(history) => history.range.as_deref().and_then(|range| range.split_once("..")),
        _ => None,
    };
    let start = range.map(|(start, _)| start).filter(|start| !start.is_empty());
    request.own.config_from.as_deref().or(start)
}

/// A file before the change.
fn at_base(request: &Request, repository: &Repository, name: &BStr) -> Result<Option<Vec<u8>>, Failure> {
    let text = match base_of(request) {
        Some(revision) => repository.read_at(BStr::new(revision), name),
        None => repository.read_head(name),
    };
    text.map_err(|error| source_failure(&error))
}

/// The paths of all rules before the change.
fn names_at_base(request: &Request, repository: &Repository) -> Result<Vec<BString>, Failure> {
    let commit = match base_of(request) {
        Some(revision) => repository.commit(BStr::new(revision)).map(Some),
        None => repository.head(),
    };
    let commit = commit.map_err(|error| source_failure(&error))?;
    let configs = repository.files_of(commit.as_slice(), |path| Rules::is_config(path));
    let configs = configs.map_err(|error| source_failure(&error))?;
    Ok(configs.into_iter().map(|(path, _)| path).filter(|path| path != CONFIG).collect())
}

/// Without a repository: the nearest configuration above what is scanned.
fn outside(request: &Request, home: &Path) -> Result<Option<Guarding>, Failure> {
    let probe = if home.is_dir() { home.join("file") } else { home.to_owned() };
    let Some(path) = config::nearest(&probe)? else { return Ok(None) };
    let now = Configs::from([(CONFIG.into(), files::read(&path, LIMIT)?.expose().to_vec())]);
    Ok(Some(Guarding {
        rules: Rules::new(None, &now),
        names: Names::default(),
        repository: None,
        root: path.parent().unwrap_or(Path::new("/")).to_owned(),
        rules_changed: false,
        least: request.own.confidence.into(),
        is_indexed: false,
        tracked: Vec::new(),
        lasting: &LASTING,
        own_change: is_own_change(request),
    }))
}

impl Guarding {
    /// What the rules say of one content of the work tree.
    pub(crate) fn content(&self, content: &Content<'_>) -> Vec<Finding> {
        content.paths.iter().flat_map(|path| self.file(path, content.bytes)).collect()
    }

    fn file(&self, shown: &BString, bytes: &[u8]) -> Vec<Finding> {
        // Nothing inside of an archive is governed.
        if shown.find_byte(b'!').is_some() {
            return Vec::new();
        }
        let (inside, old) = match self.is_indexed {
            true => (Some(shown.clone()), self.indexed_version(shown)),
            false => (self.inside(shown.as_bstr()), None),
        };
        let Some(inside) = inside else { return Vec::new() };
        let mut findings = self.check(&inside, bytes, old.as_deref(), Place::File);
        findings.iter_mut().for_each(|finding| finding.origin.path = shown.clone());
        findings
    }

    /// What the index has at a path.
    fn indexed_version(&self, path: &BString) -> Option<Vec<u8>> {
        let at = self.tracked.binary_search_by(|(tracked, _)| tracked.cmp(path)).ok()?;
        self.repository.as_ref()?.blob(self.tracked[at].1, LIMIT).ok()
    }

    /// The files beside a path that it could be the decrypted copy of.
    fn originals_of(&self, path: &BString) -> Vec<(BString, Option<Vec<u8>>)> {
        self.names.originals_of(path).map(|path| (path.clone(), self.indexed_version(path))).collect()
    }

    /// What the rules say of one version of a file, at each path that it ever had: only what is wrong with it for ever.
    pub(crate) fn version(&self, content: &Content<'_>) -> Vec<Finding> {
        let outside = content.paths.iter().filter(|path| path.find_byte(b'!').is_none());
        let all = outside.flat_map(|path| self.breaches(path, content.bytes, None));
        self.findings(all.filter(|breach| self.lasting.contains(&breach.kind)).collect(), &Place::File)
    }

    fn check(&self, path: &BString, bytes: &[u8], old: Option<&[u8]>, place: Place) -> Vec<Finding> {
        self.findings(self.breaches(path, bytes, old), &place)
    }

    fn breaches(&self, path: &BString, bytes: &[u8], old: Option<&[u8]>) -> Vec<Breach> {
        let originals = self.originals_of(path);
        let siblings = siblings(&originals);
        let seems = |bytes| seems_encrypted(path, bytes);
        let meant = self.rules.covers(path) || is_resource(bytes);
        if siblings.is_empty() && !meant && !seems(bytes) && !old.is_some_and(seems) {
            return Vec::new();
        }
        self.rules.check(&FileVersion { path, bytes, old, siblings: &siblings })
    }

    /// What mends a file, and nothing if no rule speaks of it.
    pub(crate) fn mend(&self, path: &BString, bytes: &[u8], old: Option<&[u8]>) -> Mend {
        let originals = self.originals_of(path);
        let siblings = siblings(&originals);
        self.rules.mend(&FileVersion { path, bytes, old, siblings: &siblings })
    }

    /// The path that rules know a file by; `None` outside.
    pub(crate) fn inside(&self, shown: &BStr) -> Option<BString> {
        let path = crate::paths::absolute(Path::new(OsStr::from_bytes(shown)));
        Some(BString::from(path.strip_prefix(&self.root).ok()?.as_os_str().as_bytes()))
    }

    /// The file of a path that rules know.
    pub(crate) fn file_of(&self, inside: &BStr) -> PathBuf {
        crate::paths::from_here(&self.root.join(OsStr::from_bytes(inside)))
    }

    fn findings(&self, breaches: Vec<Breach>, place: &Place) -> Vec<Finding> {
        let sure = folded(breaches).into_iter().filter(|breach| breach.confidence >= self.least);
        sure.map(|breach| breach.finding(place.clone())).collect()
    }

    /// What the rules say of the files that the repository tracks now, beside its history, and of their own change.
    ///
    /// # Errors
    /// When the index or a blob cannot be read.
    pub(crate) fn tracked(&self, request: &Request, collector: &Collector<'_>) -> Result<(), Failure> {
        let Some(repository) = &self.repository else { return Ok(()) };
        let tracked = repository.tracked(None).map_err(|error| source_failure(&error))?;
        let moves = match base_of(request) {
            Some(base) => {
                opened::since(repository, BStr::new(base), &tracked).map_err(|error| source_failure(&error))?
            }
            None => BTreeMap::new(),
        };
        for (path, id) in tracked {
            let is_copy = || self.names.originals_of(&path).next().is_some();
            if !self.rules.covers(&path) && !moves.contains_key(&path) && !is_copy() {
                continue;
            }
            let bytes = repository.blob(id, LIMIT).map_err(|error| source_failure(&error))?;
            let old = match moves.get(&path) {
                Some(old) => Some(old.clone()),
                None => at_base(request, repository, path.as_bstr())?,
            };
            collector.add(self.check(&path, &bytes, old.as_deref(), Place::File));
        }
        self.rules_themselves(None, &Place::File, collector)
    }

    /// What the rules say of everything that is staged, and of their own change.
    ///
    /// # Errors
    /// When the index or a blob cannot be read.
    pub(crate) fn staged(&self, staged: &Staged<'_>, collector: &Collector<'_>) -> Result<(), Failure> {
        let failed = |error| source_failure(&error);
        let changes = staged.changes().map_err(failed)?;
        let removed = opened::removed(staged.repository, &changes);
        let gone = Gone::new(removed.iter().map(|(path, bytes)| (path.as_slice(), bytes.as_slice())));
        for change in changes {
            let Some(new) = change.new.filter(|_| change.regular) else { continue };
            let Ok(bytes) = staged.repository.blob(new, LIMIT) else { continue };
            let old = old_of(staged.repository, &change);
            let old = opened::before(&gone, &change.path, &bytes, old);
            collector.add(self.check(&change.path, &bytes, old.as_deref(), Place::Index));
        }
        self.rules_themselves(staged.index_file.as_deref(), &Place::Index, collector)
    }

    /// As [`Self::rules_themselves`], of what concerns these files and folders: what lies in them, and the rules above them.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn rules_of(&self, targets: &[PathBuf], collector: &Collector<'_>) -> Result<(), Failure> {
        let targets: Vec<PathBuf> = targets.iter().map(|target| crate::paths::absolute(target)).collect();
        let concerns = |finding: &Finding| {
            let path = self.root.join(OsStr::from_bytes(&finding.origin.path));
            let rules = Rules::is_config(&finding.origin.path);
            let governs = |target: &PathBuf| rules && path.parent().is_some_and(|folder| target.starts_with(folder));
            targets.iter().any(|target| path.starts_with(target) || governs(target))
        };
        let findings = self.about_rules(None, &Place::File)?;
        collector.add(findings.into_iter().filter(concerns).collect());
        Ok(())
    }

    /// What is wrong with the rules, and what their change does to the files of the repository.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(crate) fn rules_themselves(
        &self,
        index_file: Option<&Path>,
        place: &Place,
        collector: &Collector<'_>,
    ) -> Result<(), Failure> {
        collector.add(self.about_rules(index_file, place)?);
        Ok(())
    }

    fn about_rules(&self, index_file: Option<&Path>, place: &Place) -> Result<Vec<Finding>, Failure> {
        let mut contents = Vec::new();
        if let (Some(repository), true) = (&self.repository, self.rules_changed) {
            let tracked = repository.tracked(index_file).map_err(|error| source_failure(&error))?;
            contents.extend(tracked.into_iter().take(MOST_TRACKED).map(|(path, id)| {
                let bytes = repository.blob(id, LIMIT).ok();
                (path, bytes)
            }));
        }
        let tracked: Vec<Tracked<'_>> =
            contents.iter().map(|(path, bytes)| Tracked { path, bytes: bytes.as_deref() }).collect();
        let breaches = self.rules.check_rules(&tracked);
        // Whoever adds a reader himself is told, and goes on; whoever reviews that has a finding.
        let (told, found): (Vec<_>, Vec<_>) =
            breaches.into_iter().partition(|breach| self.own_change && breach.kind == Kind::RuleRecipientAdded);
        for breach in told {
            ui::note(&one_line(&format!("note: {}:{}: {}", breach.path, breach.span.start_line, breach.message)));
        }
        Ok(self.findings(found, place))
    }
}

/// A file that is in clear as a whole is one finding, from its first value to its last, not one more for each value.
fn folded(mut breaches: Vec<Breach>) -> Vec<Breach> {
    let is_value = |breach: &Breach| breach.kind == Kind::ValueInClear && breach.value.is_some();
    let is_whole = |breach: &Breach| matches!(breach.kind, Kind::NotEncrypted | Kind::MetadataStripped);
    let (Some(first), Some(last)) = (breaches.iter().find(|it| is_value(it)), breaches.iter().rfind(|it| is_value(it)))
    else {
        return breaches;
    };
    let (first, last) = (first.span, last.span);
    let Some(whole) = breaches.iter_mut().find(|breach| is_whole(breach)) else { return breaches };
    let Span { end_line, end_column, end_byte_column, .. } = last;
    whole.span = Span { end_line, end_column, end_byte_column, ..first };
    breaches.retain(|breach| !is_value(breach));
    breaches
}

fn siblings(originals: &[(BString, Option<Vec<u8>>)]) -> Vec<Sibling<'_>> {
    originals.iter().map(|(path, bytes)| Sibling { path, bytes: bytes.as_deref() }).collect()
}

/// The blob that a change replaces, at its old path if it was renamed.
pub(crate) fn old_of(repository: &Repository, change: &Change) -> Option<Vec<u8>> {
    let old = change.old.or(change.renamed_from.as_ref().map(|from| from.1))?;
    repository.blob(old, LIMIT).ok()
}
