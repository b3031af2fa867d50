//! Reading the index file and the tree it is compared with.

use std::path::Path;
use std::sync::Arc;

use gix::ObjectId;

use crate::SourceError;
use crate::objects::Objects;
use crate::repository::Repository;

/// The index; `None` if there is none yet. Read once for a repository and its clones.
pub(crate) fn read(
    repository: &Repository,
    other: Option<&Path>,
) -> Result<Option<Arc<gix::index::File>>, SourceError> {
    repository.index_once(other, || read_now(repository, other))
}

/// The index as it is at this moment.
///
/// Its checksum is not verified, as Git does not: hashing a large index would cost more than everything else here.
pub(crate) fn read_now(repository: &Repository, other: Option<&Path>) -> Result<Option<gix::index::File>, SourceError> {
    let repo = repository.local();
    let path = other.map_or_else(|| repo.index_path(), Path::to_owned);
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.is_file() => {}
        _ => return Err(repository.broken("the index is not a regular file")),
    }
    let options = gix::index::decode::Options { thread_limit: Some(1), ..Default::default() };
    let damaged = || repository.broken("the index is damaged");
    let file = gix::index::File::at(path, repo.object_hash(), true, options).map_err(|_| damaged())?;
    // What follows searches in it.
    let sorted = file.entries().is_sorted_by(|a, b| a.path(&file) <= b.path(&file));
    if sorted { Ok(Some(file)) } else { Err(damaged()) }
}

/// The tree of HEAD; the empty tree before the first commit.
pub(crate) fn head_tree(repository: &Repository, objects: &Objects) -> Result<ObjectId, SourceError> {
    let repo = repository.local();
    let head = repo.head().map_err(|_| repository.broken("HEAD cannot be read"))?;
    if head.is_unborn() {
        return Ok(ObjectId::empty_tree(repo.object_hash()));
    }
    let id = head.id().ok_or_else(|| repository.broken("HEAD leads nowhere"))?.detach();
    let commit = objects.peel(id).ok_or_else(|| repository.broken("HEAD is not a commit"))?;
    objects.tree_of(commit)
}
