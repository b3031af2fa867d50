//! What Git tells its hooks about refs.

use std::path::PathBuf;

use bstr::{BString, ByteSlice as _};
use secret::SecretBytes;
use source::Selection;

/// `pre-push`: lines of local ref, local object, remote ref, remote object. What the remote has is left out; for a
/// ref that is new there, what any remote is known to have.
pub(crate) fn pushed(lines: &SecretBytes) -> Selection {
    let mut selection = Selection::default();
    for line in lines.expose().lines() {
        let fields: Vec<&[u8]> = line.fields().collect();
        let [_, local, _, remote] = fields[..] else { continue };
        if is_zero(local) {
            continue;
        }
        selection.include.push(local.into());
        selection.not_remotes |= is_zero(remote);
        selection.exclude_if_known.push(remote.into());
    }
    selection
}

/// `pre-receive`: lines of old object, new object, ref. Everything that the repository has already is left out.
pub(crate) fn received(lines: &SecretBytes) -> Selection {
    let new = lines.expose().lines().filter_map(|line| line.fields().nth(1).map(BString::from));
    Selection::brought(new)
}

/// The commits that a push brings, as either hook is told of them.
pub(crate) fn tips(lines: &SecretBytes) -> Vec<BString> {
    let new = lines.expose().lines().filter_map(|line| line.fields().nth(1));
    new.filter(|name| !is_zero(name)).map(BString::from).collect()
}

fn is_zero(name: &[u8]) -> bool {
    name.iter().all(|byte| *byte == b'0')
}

/// Where objects lie that are being received and are not accepted yet.
pub(crate) fn quarantine() -> Vec<PathBuf> {
    let one = std::env::var_os("GIT_OBJECT_DIRECTORY").map(PathBuf::from);
    let more = std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES");
    one.into_iter().chain(more.iter().flat_map(std::env::split_paths)).collect()
}
