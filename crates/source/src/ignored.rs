//! What Git leaves out of a folder: `.gitignore` files, `.git/info/exclude`, the user's own list.
//!
//! The files are read here and not by the walk: whoever wrote the folder wrote them too, and a link to a device, a pipe
//! or a list without end in their place must not stop us. As in Git, a `.gitignore` that is a link is not followed.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bstr::ByteSlice;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, Match, WalkBuilder};

use crate::files::{open, open_through_links};

/// A longer list of patterns is not obeyed.
const LARGEST_LIST: u64 = 1 << 20;

/// A longer `.git` file or `commondir` leads nowhere.
const LARGEST_POINTER: u64 = 8 << 10;

/// A walk through a folder that enters no `.git` and follows no link; with `obey_gitignore`, without what Git ignores.
pub fn walk(folder: &Path, obey_gitignore: bool) -> WalkBuilder {
    let mut walk = WalkBuilder::new(folder);
    walk.standard_filters(false).follow_links(false);
    let ignored = obey_gitignore.then(|| Ignored::new(folder)).flatten();
    walk.filter_entry(move |entry| {
        let wanted =
            || entry.file_name() != ".git" && !ignored.as_ref().is_some_and(|ignored| ignored.leaves_out(entry));
        entry.depth() == 0 || wanted()
    });
    walk
}

/// The lists that hold in a folder and below it, each read once.
struct Ignored {
    /// The folder as it was named, and where it really is.
    named: PathBuf,
    real: PathBuf,
    folders: RwLock<HashMap<PathBuf, Arc<Folder>>>,
    global: OnceLock<Gitignore>,
}

/// What holds for the entries of one folder.
struct Folder {
    /// The folder above, up to that of the repository.
    above: Option<Arc<Folder>>,
    /// Its `.gitignore`.
    own: Gitignore,
    /// Of the repository's folder: `.git/info/exclude`.
    exclude: Gitignore,
    /// Whether there is a repository; nothing is ignored without one.
    in_repository: bool,
}

impl Ignored {
    fn new(folder: &Path) -> Option<Self> {
        let real = folder.canonicalize().ok()?;
        let (folders, global) = (RwLock::default(), OnceLock::new());
        Some(Self { named: folder.to_owned(), real, folders, global })
    }

    fn leaves_out(&self, entry: &DirEntry) -> bool {
        let Ok(inside) = entry.path().strip_prefix(&self.named) else { return false };
        let path = self.real.join(inside);
        let Some(folder) = path.parent().map(|folder| self.folder(folder)) else { return false };
        if !folder.in_repository {
            return false;
        }
        let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
        let mut level = Some(&folder);
        while let Some(folder) = level {
            for list in [&folder.own, &folder.exclude] {
                match list.matched(&path, is_dir) {
                    Match::None => {}
                    found => return found.is_ignore(),
                }
            }
            level = folder.above.as_ref();
        }
        let global = self.global.get_or_init(|| GitignoreBuilder::new(&self.real).build_global().0);
        global.matched(&path, is_dir).is_ignore()
    }

    /// The lists of a folder and of those above it.
    fn folder(&self, path: &Path) -> Arc<Folder> {
        let mut missing = Vec::new();
        let mut above = None;
        for folder in path.ancestors() {
            if let Some(known) = self.folders.read().unwrap_or_else(PoisonError::into_inner).get(folder) {
                above = Some(known.clone());
                break;
            }
            let git = folder.join(".git").symlink_metadata().is_ok();
            missing.push((folder, git));
            if git {
                break;
            }
        }
        for (path, git) in missing.into_iter().rev() {
            let folder = Arc::new(Folder::read(path, git, above.take()));
            self.folders.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), folder.clone());
            above = Some(folder);
        }
        above.unwrap_or_else(|| Arc::new(Folder::read(path, false, None)))
    }
}

impl Folder {
    fn read(path: &Path, git: bool, above: Option<Arc<Self>>) -> Self {
        let in_repository = git || above.as_ref().is_some_and(|above| above.in_repository);
        let (mut own, mut exclude) = (Gitignore::empty(), Gitignore::empty());
        if in_repository {
            let file = path.join(".gitignore");
            own = list(path, &file, open(&file));
        }
        if git {
            let file = common_folder(&path.join(".git")).join("info/exclude");
            exclude = list(path, &file, open_through_links(&file));
        }
        Self { above: above.filter(|_| !git), own, exclude, in_repository }
    }
}

/// A list of patterns. What is no regular file, too large or no pattern ignores nothing.
fn list(folder: &Path, file: &Path, opened: std::io::Result<Option<(File, u64)>>) -> Gitignore {
    let Some(text) = contents(opened, LARGEST_LIST).filter(|text| !text.is_empty()) else { return Gitignore::empty() };
    let mut builder = GitignoreBuilder::new(folder);
    builder.allow_unclosed_class(false);
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    for line in text.lines().filter_map(|line| line.to_str().ok()) {
        let _ = builder.add_line(Some(file.to_owned()), line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// Where the lists of a repository lie: of a linked work tree or a submodule, elsewhere.
fn common_folder(git: &Path) -> PathBuf {
    let pointer = |file: &Path| {
        let text = contents(open_through_links(file), LARGEST_POINTER)?;
        let text = text.lines().next()?.to_str().ok()?.to_owned();
        Some(text.strip_prefix("gitdir: ").map_or(text.clone(), str::to_owned))
    };
    let folder = if git.is_dir() {
        git.to_owned()
    } else {
        let Some(folder) = pointer(git) else { return git.to_owned() };
        git.with_file_name(folder)
    };
    pointer(&folder.join("commondir")).map_or(folder.clone(), |common| folder.join(common))
}

/// All of a file that is no larger than `limit`.
pub(crate) fn contents(opened: std::io::Result<Option<(File, u64)>>, limit: u64) -> Option<Vec<u8>> {
    let (file, _) = opened.ok()??;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= limit).then_some(bytes)
}
