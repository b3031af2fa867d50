//! The refs of a repository of which some cannot be read: each file, and each line of `packed-refs`, by itself.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;

use super::Refs;
use crate::files::open_through_links;
use crate::ignored::contents;

/// A ref holds one line.
const LOOSE_BYTES: u64 = 64 << 10;
const PACKED_BYTES: u64 = 1 << 30;
/// Deeper folders of refs cannot be named.
const DEEPEST: usize = 256;

/// What a ref holds.
enum Held {
    Id(ObjectId),
    /// The name of another.
    Name(BString),
    Nothing,
}

/// All that can be read; the rest is named.
pub(super) fn read(repo: &gix::Repository) -> Refs {
    let mut refs = Refs::default();
    let mut found = packed(repo, &mut refs.broken);
    for name in loose_names(repo.common_dir()) {
        match held(repo, &repo.common_dir().join(Path::new(std::ffi::OsStr::from_bytes(&name)))) {
            Held::Id(id) => {
                found.insert(name, id);
            }
            // What it leads to is in this list as well.
            Held::Name(_) => {}
            Held::Nothing => refs.broken.push(name),
        }
    }
    match held(repo, &repo.git_dir().join("HEAD")) {
        Held::Id(id) => refs.add(BStr::new("HEAD"), id),
        Held::Name(name) => found.get(&name).copied().into_iter().for_each(|id| refs.add(BStr::new("HEAD"), id)),
        Held::Nothing => refs.broken.push("HEAD".into()),
    }
    found.iter().for_each(|(name, id)| refs.add(name.as_bstr(), *id));
    refs
}

fn packed(repo: &gix::Repository, broken: &mut Vec<BString>) -> BTreeMap<BString, ObjectId> {
    let text = contents(open_through_links(&repo.common_dir().join("packed-refs")), PACKED_BYTES).unwrap_or_default();
    let mut found = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with(b"#") || line.starts_with(b"^") {
            continue;
        }
        let parts = line.split_once_str(" ").filter(|(_, name)| name.starts_with(b"refs/"));
        match parts.and_then(|(id, name)| Some((own_id(repo, id)?, name))) {
            Some((id, name)) => {
                found.insert(name.into(), id);
            }
            None => broken.push(format!("packed-refs, line {}", index + 1).into()),
        }
    }
    found
}

/// The names of the files below `refs`.
fn loose_names(common: &Path) -> Vec<BString> {
    let mut names = Vec::new();
    let mut waiting = vec![(common.join("refs"), BString::from("refs/"), DEEPEST)];
    while let Some((folder, prefix, depth)) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = BString::from([prefix.as_slice(), entry.file_name().as_bytes()].concat());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth > 0 => {
                    waiting.push((entry.path(), BString::from([name.as_slice(), b"/"].concat()), depth - 1));
                }
                Ok(_) if !name.ends_with(b".lock") => names.push(name),
                _ => {}
            }
        }
    }
    names.sort();
    names
}

fn held(repo: &gix::Repository, file: &Path) -> Held {
    let text = contents(open_through_links(file), LOOSE_BYTES).unwrap_or_default();
    let text = text.trim_ascii();
    match text.strip_prefix(b"ref:") {
        Some(name) => Held::Name(name.trim_ascii().into()),
        None => own_id(repo, text).map_or(Held::Nothing, Held::Id),
    }
}

fn own_id(repo: &gix::Repository, text: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(text).ok().filter(|id| id.kind() == repo.object_hash())
}
