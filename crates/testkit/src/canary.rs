//! Strings that must not be seen: a test puts them into plaintext and then looks for them everywhere else.

use crate::fixtures::files_below;
use std::path::{Path, PathBuf};

/// A set of secret strings to look for, in clear and as base64.
#[derive(Clone, Debug)]
pub struct Canary {
    needles: Vec<Vec<u8>>,
}

impl Canary {
    /// Looks for these strings. Choose them 12 bytes or longer, so that chance does not find them.
    pub fn new(secrets: &[&str]) -> Self {
        let mut needles = Vec::new();
        for secret in secrets {
            needles.push(secret.as_bytes().to_vec());
            needles.extend((0..3).map(|shift| base64_core(secret.as_bytes(), shift)));
        }
        Self { needles }
    }

    /// Looks for what every secret of a fixture starts with: `canary-`.
    pub fn of_fixtures() -> Self {
        Self { needles: [MARK.as_bytes().to_vec(), base64_core(MARK.as_bytes(), 0)].into() }
    }

    /// Does one of the strings occur in these bytes?
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle))
    }

    /// The files below a folder that contain one of the strings, leaving out the paths that start with one of `except`.
    pub fn files_with_it(&self, folder: &Path, except: &[&Path]) -> Vec<PathBuf> {
        let mut found = files_below(folder);
        found.retain(|path| !except.iter().any(|allowed| path.starts_with(allowed)));
        found.retain(|path| std::fs::read(path).is_ok_and(|bytes| self.is_in(&bytes)));
        found
    }
}

const MARK: &str = "canary-";

/// Words of a command line that asks for plaintext: only then may standard output show a canary.
const GIVES_PLAINTEXT: [&str; 10] =
    ["decrypt", "-d", "--decrypt", "exec-env", "exec-file", "edit", "publish", "demo", "unseal", "render"];

/// Checks what a run of `plomb` said.
///
/// # Panics
/// When it shows a fixture's secret where none may be.
pub fn check_run(args: &[String], stdout: &[u8], stderr: &[u8]) {
    let canary = Canary::of_fixtures();
    // Who names it on the command line shows it already.
    if args.iter().any(|word| word.contains(MARK)) {
        return;
    }
    assert!(!canary.is_in(stderr), "plomb {args:?} shows a canary on standard error");
    let asked = args.iter().any(|word| GIVES_PLAINTEXT.contains(&word.as_str()));
    assert!(asked || !canary.is_in(stdout), "plomb {args:?} shows a canary on standard output");
}

/// Checks the folders that are nobody's place for a secret.
///
/// # Panics
/// When a file in one of them holds a fixture's secret.
pub fn check_leftovers(folders: &[PathBuf], except: &[&Path]) {
    let canary = Canary::of_fixtures();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let found = canary.files_with_it(folder, except);
        assert!(found.is_empty(), "canaries were left in {found:?}");
    }
}

/// The base64 letters that depend on `bytes` alone when they stand `shift` bytes after a group's start.
fn base64_core(bytes: &[u8], shift: usize) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut padded = vec![0; shift];
    padded.extend_from_slice(bytes);
    let whole = padded.len() / 3 * 3;
    let letters = padded[..whole].chunks(3).flat_map(|group| {
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        [18, 12, 6, 0].map(|at| LETTERS[usize::try_from(bits >> at & 63).expect("six bits")])
    });
    letters.skip(if shift == 0 { 0 } else { 4 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_is_found_and_silence_is_not() {
        let canary = Canary::new(&["canary-0123456789"]);
        assert!(canary.is_in(b"password: canary-0123456789\n"));
        assert!(!canary.is_in(b"password: canary-012345678\n"));
    }

    #[test]
    fn a_run_that_tells_is_caught() {
        let args = |word: &str| vec![word.to_owned(), "f".to_owned()];
        let caught = |word: &str, stdout: &[u8], stderr: &[u8]| {
            std::panic::catch_unwind(|| check_run(&args(word), stdout, stderr)).is_err()
        };
        assert!(caught("verify", b"", b"error: canary-1"));
        assert!(caught("decrypt", b"", b"error: canary-1"));
        assert!(caught("status", b"canary-1", b""));
        assert!(caught("status", b"Y2FuYXJ5LTE=", b""));
        assert!(!caught("decrypt", b"canary-1", b""));
        assert!(!caught("status", b"all is well", b"really"));
    }

    #[test]
    fn base64_is_found_at_every_offset() {
        let canary = Canary::new(&["canary-0123456789"]);
        for encoded in ["Y2FuYXJ5LTAxMjM0NTY3ODk=", "eGNhbmFyeS0wMTIzNDU2Nzg5", "eHhjYW5hcnktMDEyMzQ1Njc4OQ=="] {
            assert!(canary.is_in(encoded.as_bytes()), "{encoded}");
        }
    }
}
