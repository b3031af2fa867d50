//! What `git stash list` shows: the log of `refs/stash`, newest first.

use bstr::{BStr, ByteSlice as _};
use gix::ObjectId;

use crate::files::open_through_links;
use crate::ignored::contents;

/// A line is some hundred bytes.
const LOG_BYTES: u64 = 16 << 20;

/// The stashes that the log names, the newest first; nothing where there is no log or it is none.
pub(super) fn read(repo: &gix::Repository) -> Vec<ObjectId> {
    let path = repo.common_dir().join("logs/refs/stash");
    let text = contents(open_through_links(&path), LOG_BYTES).unwrap_or_default();
    // An old id, a new one, who and when.
    let new = |line: &BStr| ObjectId::from_hex(line.splitn_str(3, " ").nth(1)?).ok();
    let ids = text.lines().filter_map(|line| new(line.as_bstr()));
    let mut ids: Vec<ObjectId> = ids.filter(|id| id.kind() == repo.object_hash() && !id.is_null()).collect();
    ids.reverse();
    ids
}
