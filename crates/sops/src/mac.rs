//! The file's MAC: SHA-512 over the canonical bytes of the values in document order, no separators.
//!
//! What it does not cover (keys, nulls, empty strings, comments, metadata) is a property of the format;
//! docs/security-model.md says what follows from it.

use secret::ct_eq;
use sha2::{Digest as _, Sha256, Sha512};

/// The hash while it runs over a file.
pub(crate) struct Running {
    hash: Sha512,
    only_encrypted: bool,
}

/// A finished MAC as upper-case hex. Kept out of messages: over known structure it is a guessing oracle.
#[derive(Clone)]
pub(crate) struct Mac(String);

impl Running {
    /// A hash for a file with or without `mac_only_encrypted`; the former starts from SHA-256("sops") so
    /// that the two can never be equal.
    pub(crate) fn new(only_encrypted: bool) -> Self {
        let mut hash = Sha512::new();
        if only_encrypted {
            hash.update(Sha256::digest(b"sops"));
        }
        Self { hash, only_encrypted }
    }

    /// Counts a value's canonical bytes in, if the scope covers it.
    pub(crate) fn value(&mut self, bytes: &[u8], encrypted: bool) {
        if encrypted || !self.only_encrypted {
            self.hash.update(bytes);
        }
    }

    /// The MAC of everything seen.
    pub(crate) fn finish(self) -> Mac {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(128);
        for byte in self.hash.finalize() {
            write!(text, "{byte:02X}").expect("writing to a String cannot fail");
        }
        Mac(text)
    }
}

impl Mac {
    /// The text that is encrypted into the `mac` field.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `stored` (the decrypted field) is this MAC.
    pub(crate) fn matches(&self, stored: &[u8]) -> bool {
        ct_eq(self.as_bytes(), stored)
    }
}

impl std::fmt::Debug for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mac(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_decides_what_counts() {
        let mac = |only, values: &[(&str, bool)]| {
            let mut running = Running::new(only);
            values.iter().for_each(|(text, encrypted)| running.value(text.as_bytes(), *encrypted));
            running.finish().0
        };
        assert_eq!(mac(false, &[("ab", true), ("c", false)]), mac(false, &[("a", false), ("bc", true)]));
        assert_eq!(mac(true, &[("a", true), ("b", false)]), mac(true, &[("a", true)]));
        assert_ne!(mac(true, &[("a", true)]), mac(false, &[("a", true)]));
    }
}
