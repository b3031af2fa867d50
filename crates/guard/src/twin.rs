//! Decrypted copies beside their encrypted files: by their names, and by what is in both where the caller has both.

use std::collections::HashMap;

use bstr::{BString, ByteSlice as _};
use document::Format;
use scan::Confidence;
use sops::{Look, look};

use crate::breach::{Breach, Kind};
use crate::claim::is_sealed_otherwise;
use crate::file::{FileVersion, Sibling, format_of, is_encrypted, shell_word};
use crate::places;
use crate::rules::{folder_of, name_of};

/// Parts of names that say "decrypted".
const OPENED: [&str; 8] = ["dec", "decrypted", "plain", "plaintext", "clear", "cleartext", "unencrypted", "decoded"];

/// Parts of names that say "encrypted".
const SEALED: [&str; 4] = ["enc", "sops", "encrypted", "crypted"];

/// Ends of names of files that other tools encrypted.
const SEALED_ENDS: [&str; 3] = ["age", "gpg", "asc"];

/// What a name says of its file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Opened,
    Sealed,
    None,
}

/// A name without the parts that say what was done to the file, and what they say.
fn core(path: &[u8]) -> (Vec<String>, Mark) {
    let name = name_of(path).to_str_lossy().to_ascii_lowercase();
    let mut mark = Mark::None;
    let mut parts: Vec<String> = Vec::new();
    for part in name.split(['.', '-', '_']) {
        match part {
            _ if OPENED.contains(&part) => mark = Mark::Opened,
            _ if SEALED.contains(&part) => mark = Mark::Sealed,
            _ => parts.push(part.to_owned()),
        }
    }
    if name.rsplit_once('.').is_some_and(|(_, end)| SEALED_ENDS.contains(&end)) {
        parts.pop();
        mark = Mark::Sealed;
    }
    (parts, mark)
}

/// The paths of a repository, to find the few files that one could be the decrypted copy of without comparing each
/// with each.
#[derive(Debug, Default)]
pub struct Names(HashMap<(BString, Vec<String>), Vec<BString>>);

impl Names {
    /// Takes down paths, with `/`, from the repository's root.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut names: HashMap<_, Vec<BString>> = HashMap::new();
        for path in paths {
            names.entry((folder_of(path).into(), core(path).0)).or_default().push(path.into());
        }
        Self(names)
    }

    /// The files beside `path` that it could be the decrypted copy of: what [`FileVersion::siblings`] needs.
    pub fn originals_of<'n>(&'n self, path: &'n [u8]) -> impl Iterator<Item = &'n BString> {
        let alike = self.0.get(&(folder_of(path).into(), core(path).0));
        alike.into_iter().flatten().filter(move |other| copy_mark(path, other).is_some())
    }
}

/// Whether, going by their names, `file` could be the decrypted copy of `sibling`; with what its own name says.
fn copy_mark(file: &[u8], sibling: &[u8]) -> Option<Mark> {
    if file == sibling || folder_of(file) != folder_of(sibling) {
        return None;
    }
    let ((name, mark), (other, sealed)) = (core(file), core(sibling));
    let fits = match mark {
        Mark::Opened => sealed != Mark::Opened,
        Mark::None => sealed == Mark::Sealed,
        Mark::Sealed => false,
    };
    (fits && name == other && name.iter().any(|part| !part.is_empty())).then_some(mark)
}

/// Whether a name beside it makes the file worth a look.
pub(crate) fn is_candidate(file: &FileVersion<'_>) -> bool {
    file.siblings.iter().any(|sibling| copy_mark(file.path, sibling.path).is_some())
}

/// The breach of a file that has no `sops` block itself.
pub(crate) fn check(file: &FileVersion<'_>, format: &'static dyn Format) -> Option<Breach> {
    let mut best: Option<(Confidence, &Sibling<'_>)> = None;
    for sibling in file.siblings {
        let Some(mark) = copy_mark(file.path, sibling.path) else { continue };
        let sure = likeness(file, format, sibling, mark);
        if let Some(sure) = sure.filter(|sure| best.is_none_or(|(best, _)| *sure > best)) {
            best = Some((sure, sibling));
        }
    }
    let (sure, sibling) = best?;
    let name = shell_word(name_of(sibling.path));
    let message = format!("the file is in clear what {name} beside it keeps encrypted");
    let own = shell_word(file.path);
    let next = format!("git rm --cached {own}, add it to .gitignore, and change what was pushed at its source");
    Some(Breach::of_file(Kind::DecryptedTwin, file.path, message).about(name).sure(sure).next(next))
}

fn likeness(
    file: &FileVersion<'_>,
    format: &'static dyn Format,
    sibling: &Sibling<'_>,
    mark: Mark,
) -> Option<Confidence> {
    let opened = mark == Mark::Opened;
    let Some(bytes) = sibling.bytes else {
        return Some(if opened { Confidence::Medium } else { Confidence::Low });
    };
    if file.bytes.trim_ascii().is_empty() {
        return None;
    }
    if is_sealed_otherwise(bytes) {
        return Some(if opened { Confidence::High } else { Confidence::Medium });
    }
    if !is_encrypted(sibling.path, bytes) {
        return None;
    }
    let Look::Encrypted(mut other) = look(bytes, format_of(sibling.path, bytes)) else {
        return opened.then_some(Confidence::Medium);
    };
    if !other.document().format.edits_in_place() || !format.edits_in_place() {
        return Some(if opened { Confidence::High } else { Confidence::Medium });
    }
    let sealed = places::sealed(&mut other);
    let clear = places::clear(file.bytes, format);
    let shared = clear.keys().filter(|place| sealed.contains_key(place)).count();
    match (opened, places::is_opened(&clear, &sealed)) {
        (_, true) => Some(Confidence::High),
        (true, false) if shared * 2 >= sealed.len() && shared > 0 => Some(Confidence::High),
        // A name that says so is enough.
        (true, false) => Some(Confidence::Medium),
        // `values.yaml` beside `values.enc.yaml` may have defaults for the same keys.
        (false, false) => (shared * 2 >= sealed.len() && shared > 0).then_some(Confidence::Low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_copies() {
        let is_copy = |file: &str, sibling: &str| copy_mark(file.as_bytes(), sibling.as_bytes()).is_some();
        for (file, sibling) in [
            ("secrets.dec.yaml", "secrets.yaml"),
            ("secrets.yaml.dec", "secrets.yaml"),
            ("secrets.plain.yaml", "secrets.enc.yaml"),
            ("a/x.yaml", "a/x.enc.yaml"),
            ("x.yaml", "x.sops.yaml"),
            ("x.yaml", "x.yaml.enc"),
            ("x.yaml", "enc.x.yaml"),
            (".env", ".env.enc"),
            ("tls.key", "tls.key.gpg"),
            ("db-decrypted.json", "db.json"),
        ] {
            assert!(is_copy(file, sibling), "{file} {sibling}");
            let names = Names::new([file.as_bytes(), sibling.as_bytes(), b"other"]);
            assert_eq!(names.originals_of(file.as_bytes()).collect::<Vec<_>>(), [sibling]);
        }
        for (file, sibling) in [
            ("x.yaml", "x.yaml"),
            ("x.yaml", "y.enc.yaml"),
            ("a/x.yaml", "b/x.enc.yaml"),
            ("x.enc.yaml", "x.yaml"),
            ("x.yaml", "x.json"),
            ("dec", "enc"),
            ("x.yaml", "x.dec.yaml"),
        ] {
            assert!(!is_copy(file, sibling), "{file} {sibling}");
        }
    }
}
