//! The committed version of a file: read from the object database, nothing else. No hook, filter, pager or
//! external program runs, and the repository's own configuration is not trusted.

use std::path::{Path, PathBuf};

use secret::SecretBytes;

use crate::paths;

/// The content of `file` in HEAD; `None` outside a repository, before the first commit, or when HEAD does not
/// have the file.
///
/// # Errors
/// In words, when there is a repository that cannot be read, or the committed file is larger than `limit`.
pub(crate) fn version(file: &Path, limit: u64) -> Result<Option<SecretBytes>, String> {
    let Some((root, inside)) = locate(file) else { return Ok(None) };
    if let Some(why) = source::fault(&root, true) {
        return Err(why);
    }
    let options = gix::open::Options::isolated().with(gix::sec::Trust::Reduced).bail_if_untrusted(false);
    let repo = gix::open_opts(root, options).map_err(|error| error.to_string())?;
    let head = repo.head().map_err(|error| error.to_string())?;
    if head.is_unborn() {
        return Ok(None);
    }
    let tree = repo.head_commit().and_then(|commit| commit.tree()).map_err(|error| error.to_string())?;
    let entry = tree.lookup_entry_by_path(&inside).map_err(|error| error.to_string())?;
    let Some(entry) = entry.filter(|entry| entry.mode().is_blob()) else { return Ok(None) };
    let header = repo.find_header(entry.oid().to_owned()).map_err(|error| error.to_string())?;
    if header.size() > limit {
        return Err("the committed file is too large".to_owned());
    }
    let mut object = entry.object().map_err(|error| error.to_string())?;
    Ok(Some(SecretBytes::new(std::mem::take(&mut object.data))))
}

/// The root of the repository that `file` is in, and the file's path below it. Links are followed first, as
/// writing does: the file that changes is the one they lead to.
fn locate(file: &Path) -> Option<(PathBuf, PathBuf)> {
    let file = file.canonicalize().unwrap_or_else(|_| {
        let file = paths::absolute(file);
        let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
        folder.zip(file.file_name()).map_or(file.clone(), |(folder, name)| folder.join(name))
    });
    let root = file.ancestors().skip(1).find(|folder| folder.join(".git").symlink_metadata().is_ok())?;
    let inside = file.strip_prefix(root).ok()?;
    Some((root.to_owned(), inside.to_owned()))
}
