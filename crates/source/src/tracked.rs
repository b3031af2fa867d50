//! The files that the index names: what a repository tracks.

use std::collections::HashSet;
use std::path::Path;

use bstr::{BStr, BString};
use gix::ObjectId;
use gix::index::entry::Mode;
use gix::object::tree::EntryKind;

use crate::repository::Repository;
use crate::{SourceError, staged};

/// Trees that name each other's parts over and over unfold to more folders than any repository has: so many entries of
/// trees that were looked at already are looked at again.
const MOST_AGAIN: usize = 1 << 18;
const MOST_FOLDERS: usize = 1 << 20;
/// No system has longer paths.
const LONGEST_PATH: usize = 1 << 14;

impl Repository {
    /// Paths and blobs of the index, in order of path: regular files without a conflict. `index_file` is another
    /// index than the repository's own (`GIT_INDEX_FILE`). Empty before the first `git add`, and in a bare repository.
    ///
    /// # Errors
    /// When the index is damaged.
    pub fn tracked(&self, index_file: Option<&Path>) -> Result<Vec<(BString, ObjectId)>, SourceError> {
        self.tracked_of(index_file, |_| true)
    }

    /// Of [`Self::tracked`] those whose paths are `wanted`.
    ///
    /// # Errors
    /// As [`Self::tracked`].
    pub fn tracked_of(
        &self,
        index_file: Option<&Path>,
        wanted: impl Fn(&BStr) -> bool,
    ) -> Result<Vec<(BString, ObjectId)>, SourceError> {
        let Some(index) = staged::read_index(self, index_file)? else { return Ok(Vec::new()) };
        let is_file = |mode: Mode| mode == Mode::FILE || mode == Mode::FILE_EXECUTABLE;
        let entries = index.entries().iter().filter(|it| is_file(it.mode) && it.stage_raw() == 0);
        let entries = entries.filter(|it| wanted(it.path(&index)));
        Ok(entries.map(|it| (it.path(&index).to_owned(), it.id)).collect())
    }

    /// Of the files of some commits those whose paths are `wanted`: the first commit's first, each folder that several
    /// have alike looked through once.
    ///
    /// # Errors
    /// [`SourceError::Object`], [`SourceError::Repository`] for more folders than there can be.
    pub fn files_of(
        &self,
        commits: &[ObjectId],
        wanted: impl Fn(&BStr) -> bool,
    ) -> Result<Vec<(BString, ObjectId)>, SourceError> {
        let objects = self.objects();
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let (mut read, mut again) = (HashSet::new(), 0);
        for commit in commits {
            let mut trees = vec![(BString::default(), objects.tree_of(*commit)?)];
            while let Some((folder, tree)) = trees.pop() {
                let entries = objects.tree(tree)?;
                again += if read.insert(tree) { 0 } else { entries.len() };
                for entry in entries {
                    let path = BString::from([folder.as_slice(), &entry.name].concat());
                    match entry.mode.kind() {
                        EntryKind::Tree
                            if path.len() > LONGEST_PATH || seen.len() >= MOST_FOLDERS || again > MOST_AGAIN =>
                        {
                            return Err(self.broken("a commit has more folders than are looked through"));
                        }
                        EntryKind::Tree if seen.insert((path.clone(), entry.id)) => {
                            trees.push((BString::from([path.as_slice(), b"/"].concat()), entry.id));
                        }
                        EntryKind::Blob | EntryKind::BlobExecutable if wanted(path.as_ref()) => {
                            found.push((path, entry.id));
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(found)
    }

    /// The commit of HEAD; `None` before the first.
    ///
    /// # Errors
    /// As [`Repository::commit`].
    pub fn head(&self) -> Result<Option<ObjectId>, SourceError> {
        match self.local().head().is_ok_and(|head| head.is_unborn()) {
            true => Ok(None),
            false => self.commit(BStr::new("HEAD")).map(Some),
        }
    }

    /// A file as HEAD has it; `None` before the first commit or where HEAD lacks it.
    ///
    /// # Errors
    /// As [`Repository::read_at`].
    pub fn read_head(&self, path: &BStr) -> Result<Option<Vec<u8>>, SourceError> {
        match self.head()? {
            Some(_) => self.read_at(BStr::new("HEAD"), path),
            None => Ok(None),
        }
    }

    /// The address of the remote that the repository's own configuration names: `origin`, else any. Only a name for
    /// reports: nothing is ever fetched.
    pub fn remote_url(&self) -> Option<String> {
        let repo = self.local();
        let config = repo.config_snapshot();
        let origin = config.string("remote.origin.url").map(|url| url.to_string());
        let any = || {
            let names = repo.remote_names();
            names
                .iter()
                .find_map(|name| config.string(format!("remote.{name}.url").as_str()).map(|url| url.to_string()))
        };
        origin.or_else(any)
    }
}
