//! What Git tells its hooks about refs.

use std::path::PathBuf;

use bstr::{BString, ByteSlice as _};
use secret::SecretBytes;
use source::Selection;

use crate::failure::{Exit, Failure};

/// `pre-push`: lines of local ref, local object, remote ref, remote object. What the remote has is left out; for a
/// ref that is new there, what any remote is known to have.
///
/// # Errors
/// When a line is none of these: a push that is not understood is not clean.
pub(crate) fn pushed(lines: &SecretBytes) -> Result<Selection, Failure> {
    let mut selection = Selection::default();
    for (number, line) in told(lines) {
        // The local ref is what the user typed, and may hold spaces: `:/fix of the day`.
        let fields: Vec<&[u8]> = line.fields().collect();
        let [_, .., local, _, remote] = fields[..] else { return Err(misread(number, "pre-push")) };
        if !is_object(local) || !is_object(remote) {
            return Err(misread(number, "pre-push"));
        }
        if is_zero(local) {
            continue;
        }
        selection.include.push(local.into());
        selection.not_remotes |= is_zero(remote);
        selection.exclude_if_known.push(remote.into());
    }
    Ok(selection)
}

/// `pre-receive`: lines of old object, new object, ref. Everything that the repository has already is left out.
///
/// # Errors
/// As [`pushed`].
pub(crate) fn received(lines: &SecretBytes) -> Result<Selection, Failure> {
    let mut new = Vec::new();
    for (number, line) in told(lines) {
        let fields: Vec<&[u8]> = line.fields().collect();
        match fields[..] {
            [old, object, _, ..] if is_object(old) && is_object(object) => new.push(BString::from(object)),
            _ => return Err(misread(number, "pre-receive")),
        }
    }
    Ok(Selection::brought(new))
}

/// The commits that a push brings, as either hook is told of them.
pub(crate) fn tips(lines: &SecretBytes) -> Vec<BString> {
    let mut tips = Vec::new();
    for (_, line) in told(lines) {
        let fields: Vec<&[u8]> = line.fields().collect();
        let tip = match fields[..] {
            [old, new, _] if is_object(old) => new,
            [_, .., local, _, _] => local,
            _ => continue,
        };
        if !is_zero(tip) {
            tips.push(tip.into());
        }
    }
    tips
}

/// The lines that are not empty, with their numbers from 1.
fn told(lines: &SecretBytes) -> impl Iterator<Item = (usize, &[u8])> {
    let numbered = lines.expose().lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim_ascii().is_empty())
}

fn misread(number: usize, hook: &str) -> Failure {
    let what = format!("standard input, line {number}: this is not what Git tells the hook {hook}");
    Failure::new(Exit::Incomplete, what)
}

/// Whether a word is the name of an object: SHA-1 or SHA-256.
fn is_object(name: &[u8]) -> bool {
    matches!(name.len(), 40 | 64) && name.iter().all(u8::is_ascii_hexdigit)
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
