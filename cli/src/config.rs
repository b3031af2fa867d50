//! Finding `.sops.yaml`, and the policy it has for a file.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use secret::SecretBytes;
use sops::config::Strictness;
use sops::{Config, CreationRule, Policy};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::paths;

/// A configuration file and where it is.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    /// The file.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) config: Config,
}

const NAME: &str = ".sops.yaml";
const LIMIT: u64 = 4 << 20;

impl ConfigFile {
    /// Reads the configuration at `path`.
    ///
    /// # Errors
    /// When it cannot be read or is wrong, with the line.
    pub(crate) fn load(path: &Path, strictness: Strictness) -> Result<Self, Failure> {
        let text = files::read(path, LIMIT).map_err(|failure| failure.exit(Exit::Generic))?;
        Self::parse(path, &text, strictness)
    }

    /// The text of a configuration that the user named himself: a file or a stream.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn named_text(path: &Path) -> Result<SecretBytes, Failure> {
        files::read_named(path, LIMIT).map_err(|failure| failure.exit(Exit::Generic))
    }

    /// What `text`, read from `path`, says.
    ///
    /// # Errors
    /// When it is wrong, with the line.
    pub(crate) fn parse(path: &Path, text: &SecretBytes, strictness: Strictness) -> Result<Self, Failure> {
        let config = Config::parse(text.expose(), strictness).map_err(|error| Failure::from(error).in_file(path))?;
        Ok(Self { path: path.to_owned(), config })
    }

    /// The file's path as rules see it: without the configuration's folder where it lies below that.
    pub(crate) fn rule_path(&self, file: &Path) -> String {
        let file = paths::absolute(file);
        let folder = paths::absolute(&self.path);
        let folder = folder.parent().unwrap_or(Path::new("/"));
        let relative = file.strip_prefix(folder).unwrap_or(&file);
        relative.to_string_lossy().into_owned()
    }

    /// The creation rule for `file`, with its number from 1.
    ///
    /// # Errors
    /// When the configuration has rules but none for this file.
    pub(crate) fn rule_for(&self, file: &Path) -> Result<Option<(usize, &CreationRule)>, Failure> {
        if self.config.creation_rules.is_none() {
            return Ok(None);
        }
        match self.config.rule_for(&self.rule_path(file)) {
            Some((number, rule)) => Ok(Some((number + 1, rule))),
            None => {
                let what = format!("no matching creation rules found in {}", paths::shown(&self.path));
                let hint = format!("add a rule whose path_regex matches {}", paths::one_line(&self.rule_path(file)));
                Err(Failure::new(Exit::Generic, what).in_file(file).hint(hint))
            }
        }
    }
}

/// What a creation rule says, and where it stands: what is wrong with it is mended there, not in the file.
#[derive(Debug)]
pub(crate) struct Ruling {
    /// What it says.
    pub(crate) policy: Policy,
    /// The configuration's file.
    pub(crate) config: PathBuf,
    /// Line and column of the rule, from 1.
    pub(crate) at: (usize, usize),
}

impl Ruling {
    /// The one that `rule` of `found` makes.
    pub(crate) fn new(rule: &CreationRule, found: &ConfigFile) -> Self {
        Self { policy: rule.policy.clone(), config: found.path.clone(), at: (rule.line, rule.column) }
    }
}

/// The configuration that governs `file`: the nearest one from the file's folder up to the root of its
/// repository. Outside a repository the search ends where folders change owner or file system, at the home
/// folder, and at a folder that everybody may write to.
///
/// # Errors
/// When one is found whose owner could use it to choose recipients for somebody else's files.
pub(crate) fn nearest(file: &Path) -> Result<Option<PathBuf>, Failure> {
    Ok(search(file)?.found)
}

/// Where a configuration was looked for.
#[derive(Debug)]
pub(crate) struct Search {
    /// The folders, in order.
    pub(crate) visited: Vec<PathBuf>,
    /// What was found.
    pub(crate) found: Option<PathBuf>,
    /// Why the search ended.
    pub(crate) end: &'static str,
}

/// As [`nearest`], with the way that led there.
///
/// # Errors
/// As [`nearest`].
pub(crate) fn search(file: &Path) -> Result<Search, Failure> {
    let file = paths::absolute(file);
    let start = file.parent().unwrap_or(Path::new("/"));
    let root = start.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let first = std::fs::metadata(start).ok();
    let mut search = Search { visited: Vec::new(), found: None, end: "the root of the file system" };
    for folder in start.ancestors() {
        if root.is_none() && !is_same_realm(folder, first.as_ref()) {
            search.end = "outside of a repository the search ends where owner or file system change";
            break;
        }
        search.visited.push(folder.to_owned());
        let candidate = folder.join(NAME);
        if candidate.symlink_metadata().is_ok() {
            check_owner(&candidate, root)?;
            search.found = Some(candidate);
            search.end = "found there";
            break;
        }
        if Some(folder) == root {
            search.end = "the root of the repository";
            break;
        }
        if root.is_none() && home.as_deref() == Some(folder) {
            search.end = "the home folder";
            break;
        }
    }
    Ok(search)
}

/// What somebody may have taken for the configuration of `file`, which has none, and why it is not read.
pub(crate) fn passed_over(file: &Path) -> Option<String> {
    let search = search(file).ok().filter(|search| search.found.is_none())?;
    let misnamed = search.visited.iter().map(|folder| folder.join(".sops.yml")).find(|path| path.is_file());
    if let Some(path) = misnamed {
        return Some(format!("{} is not read: its name must be {NAME}", paths::shown(&paths::from_here(&path))));
    }
    let start = paths::absolute(file);
    let further = start.ancestors().skip(1 + search.visited.len()).map(|folder| folder.join(NAME));
    let path = further.into_iter().find(|path| path.is_file())?;
    let end = search.end;
    Some(format!("{} is not read, since the search ends before it ({end}); name it with --config", paths::shown(&path)))
}

/// Same owner and file system as the folder where the search began, and not open to everybody.
fn is_same_realm(folder: &Path, first: Option<&std::fs::Metadata>) -> bool {
    let (Ok(here), Some(first)) = (std::fs::metadata(folder), first) else { return false };
    (here.uid(), here.dev()) == (first.uid(), first.dev()) && here.mode() & 0o002 == 0
}

fn check_owner(config: &Path, root: Option<&Path>) -> Result<(), Failure> {
    let owner = std::fs::metadata(config).map_err(|error| Failure::io(config, "read it", &error))?.uid();
    let me = rustix::process::geteuid().as_raw();
    let of_root = root.and_then(|root| std::fs::metadata(root).ok()).map(|meta| meta.uid());
    if owner == me || owner == 0 || Some(owner) == of_root {
        return Ok(());
    }
    let what = "belongs to another user, who could choose the recipients of your files";
    Err(Failure::new(Exit::Generic, what).in_file(config).hint("name it with --config if it is to be used"))
}

/// The configuration that SOPS would use: from the current folder upwards, a hundred levels.
pub(crate) fn above_current_folder() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().take(100).map(|folder| folder.join(NAME)).find(|candidate| candidate.is_file())
}
