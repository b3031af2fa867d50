//! Putting a file into the index: the one thing here that writes. No filter and no attribute is applied: what is
//! staged is the bytes as given.

use bstr::BStr;
use gix::index::entry::{Stage, Stat};

use crate::repository::Repository;
use crate::{SourceError, staged};

impl Repository {
    /// Stages `bytes` as the content of `path`, which the index must have already. The file of the work tree is looked
    /// at for its times only, so that Git sees it as unchanged if it holds the same bytes.
    ///
    /// # Errors
    /// When the index has no such entry, or objects or index cannot be written.
    pub fn stage(&self, path: &BStr, bytes: &[u8]) -> Result<(), SourceError> {
        let Some(mut index) = staged::index::read_now(self, None)? else {
            return Err(self.broken("there is no index"));
        };
        let place = index.entry_index_by_path_and_stage(path, Stage::Unconflicted);
        let place = place.ok_or_else(|| self.broken("the index has no entry for the file"))?;
        let repo = self.local();
        let blob = repo.write_blob(bytes).map_err(|_| self.broken("an object cannot be written"))?.detach();
        let file = gix::index::fs::Metadata::from_path_no_follow(&self.root().join(gix_path(path)));
        let entry = &mut index.entries_mut()[place];
        entry.id = blob;
        entry.stat = file.ok().and_then(|meta| Stat::from_fs(&meta).ok()).unwrap_or_default();
        // The trees that the index remembers hold the old blob.
        index.remove_tree();
        self.forget_index();
        index.write(gix::index::write::Options::default()).map_err(|_| self.broken("the index cannot be written"))
    }
}

fn gix_path(path: &BStr) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt as _;
    std::path::Path::new(std::ffi::OsStr::from_bytes(path))
}
