//! The files that the index names: what a repository tracks.

use std::path::Path;

use bstr::{BStr, BString};
use gix::ObjectId;
use gix::index::entry::Mode;

use crate::repository::Repository;
use crate::{SourceError, staged};

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

    /// A file as HEAD has it; `None` before the first commit or where HEAD lacks it.
    ///
    /// # Errors
    /// As [`Repository::read_at`].
    pub fn read_head(&self, path: &BStr) -> Result<Option<Vec<u8>>, SourceError> {
        if self.local().head().is_ok_and(|head| head.is_unborn()) {
            return Ok(None);
        }
        self.read_at(BStr::new("HEAD"), path)
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
