//! What is not staged yet: tracked files of the work tree against the index.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use bstr::{BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stat};
use gix::index::{Entry, State};
use scan::Visitor;

use crate::feed::Feed;
use crate::files;
use crate::repository::Repository;
use crate::staged::{self, COMPARED_BYTES};
use crate::{Limits, Source, SourceError};

/// Tracked files that differ from the index, as they lie in the work tree; untracked files are not among them.
#[derive(Debug)]
pub struct Unstaged<'r> {
    /// The repository; a bare one has nothing here.
    pub repository: &'r Repository,
    /// Only paths below this folder of the repository; empty: all.
    pub under: BString,
    /// Limits.
    pub limits: Limits,
}

impl<'r> Unstaged<'r> {
    /// The whole work tree of a repository.
    pub fn new(repository: &'r Repository) -> Self {
        Self { repository, under: BString::default(), limits: Limits::default() }
    }

    fn entry(&self, feed: &mut Feed<'_>, index: &State, entry: &Entry) -> std::io::Result<()> {
        let path = entry.path(index).to_owned();
        let file = self.repository.root().join(std::ffi::OsStr::from_bytes(&path));
        let outside = path.starts_with(b"/") || path.split_str("/").any(|part| part == b"..");
        if outside {
            feed.unread(&path, "a path that leads out of the work tree");
            return Ok(());
        }
        let Ok(metadata) = gix::index::fs::Metadata::from_path_no_follow(&file) else { return Ok(()) };
        let options = gix::index::entry::stat::Options::default();
        let unchanged = Stat::from_fs(&metadata)
            .is_ok_and(|stat| stat.matches(&entry.stat, options) && !entry.stat.is_racy(index.timestamp(), options));
        let unborn = entry.flags.contains(Flags::INTENT_TO_ADD);
        if unchanged && !unborn || metadata.is_dir() {
            return Ok(());
        }
        if feed.limits.too_large(metadata.len()) {
            feed.skipped(&path, "larger than the limit");
            return Ok(());
        }
        let Some(bytes) = content(&file, metadata.is_symlink())? else { return Ok(()) };
        let hash = gix::objs::compute_hash(entry.id.kind(), gix::objs::Kind::Blob, &bytes);
        if hash.is_ok_and(|id| id == entry.id) {
            return Ok(());
        }
        let objects = self.repository.objects();
        staged::visit(feed, &path, &bytes, &mut || {
            if unborn { None } else { objects.blob(entry.id, COMPARED_BYTES).ok() }
        });
        Ok(())
    }
}

impl Source for Unstaged<'_> {
    fn each<'s>(&self, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) -> Result<(), SourceError> {
        let Some(index) = staged::index::read(self.repository, None)? else { return Ok(()) };
        if self.repository.is_bare() {
            return Err(self.repository.broken("it has no work tree"));
        }
        let mut visitor = new_visitor();
        let mut feed = Feed { limits: &self.limits, visitor: &mut *visitor };
        let folder = BString::from([self.under.as_slice(), b"/"].concat());
        let file_modes = [Mode::FILE, Mode::FILE_EXECUTABLE, Mode::SYMLINK];
        for entry in index.entries().iter().filter(|entry| file_modes.contains(&entry.mode)) {
            let path = entry.path(&index);
            if self.under.is_empty() || path == self.under.as_bstr() || path.starts_with(&folder) {
                let outcome = self.entry(&mut feed, &index, entry);
                outcome.unwrap_or_else(|error| feed.unread(&path.to_owned(), error.kind()));
            }
        }
        Ok(())
    }
}

/// The bytes of a file, or where a link leads; nothing for devices.
fn content(file: &Path, link: bool) -> std::io::Result<Option<Vec<u8>>> {
    if link {
        return Ok(Some(std::fs::read_link(file)?.into_os_string().into_vec()));
    }
    let Some((file, size)) = files::open(file)? else { return Ok(None) };
    let mut bytes = Vec::new();
    File::take(file, size).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
