//! Files that a change renames and decrypts at once: what was encrypted is gone, and a new file has its values in clear.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString};
use gix::ObjectId;
use guard::{Gone, seems_encrypted};
use source::{Change, Repository, SourceError};

use super::LIMIT;

/// Files of a change that are looked into; one that removes or adds more is no rename of a secret.
const MOST: usize = 5_000;

/// What a change removes: paths and contents.
pub(super) fn removed(repository: &Repository, changes: &[Change]) -> Vec<(BString, Vec<u8>)> {
    let gone = changes.iter().filter(|change| change.new.is_none()).take(MOST);
    gone.filter_map(|change| Some((change.path.clone(), repository.blob(change.old?, LIMIT).ok()?))).collect()
}

/// The version before of a file: the encrypted one that it is in clear, if it was none or another one's.
pub(super) fn before(gone: &Gone<'_>, path: &BString, bytes: &[u8], old: Option<Vec<u8>>) -> Option<Vec<u8>> {
    if old.as_ref().is_some_and(|old| seems_encrypted(path, old)) {
        return old;
    }
    gone.original_of(path, bytes).map(<[u8]>::to_vec).or(old)
}

/// Of the files that are tracked now and were not in a commit: those that are in clear what was encrypted there and is
/// gone, with what it was.
pub(super) fn since(
    repository: &Repository,
    base: &BStr,
    tracked: &[(BString, ObjectId)],
) -> Result<BTreeMap<BString, Vec<u8>>, SourceError> {
    let before = repository.files_of(&[repository.commit(base)?], |_| true)?;
    let now: BTreeSet<&BString> = tracked.iter().map(|(path, _)| path).collect();
    let known: BTreeSet<&BString> = before.iter().map(|(path, _)| path).collect();
    let read = |id: ObjectId| repository.blob(id, LIMIT).ok();
    let removed = before.iter().filter(|(path, _)| !now.contains(path)).take(MOST);
    let removed: Vec<(&BString, Vec<u8>)> = removed.filter_map(|(path, id)| Some((path, read(*id)?))).collect();
    let gone = Gone::new(removed.iter().map(|(path, bytes)| (path.as_slice(), bytes.as_slice())));
    if gone.is_empty() {
        return Ok(BTreeMap::new());
    }
    let fresh = tracked.iter().filter(|(path, _)| !known.contains(path)).take(MOST);
    let opened = fresh.filter_map(|(path, id)| {
        let bytes = read(*id)?;
        Some((path.clone(), gone.original_of(path, &bytes)?.to_vec()))
    });
    Ok(opened.collect())
}
