//! What a file's values looked like encrypted, so that unchanged ones keep their ciphertext.
//!
//! Keyed by place, kind and the exact bytes given to GCM; each old token is used at most once, in document
//! order, so equal list elements never come to share a nonce and no (key, nonce) pair meets two plaintexts.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest as _, Sha256};

use crate::value::Kind;

/// Old tokens of one file under one data key.
#[derive(Clone, Default)]
pub struct Memory(HashMap<[u8; 32], VecDeque<String>>);

impl Memory {
    /// Remembers that `plaintext` at `aad` was written as `token`.
    pub(crate) fn remember(&mut self, aad: &[u8], kind: Kind, plaintext: &[u8], token: String) {
        self.0.entry(key(aad, kind, plaintext)).or_default().push_back(token);
    }

    /// Whether nothing is remembered.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next unused token for `plaintext` at `aad`.
    pub(crate) fn take(&mut self, aad: &[u8], kind: Kind, plaintext: &[u8]) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get_mut(&key(aad, kind, plaintext))?.pop_front()
    }
}

/// A digest, so that no plaintext is kept; the length in front keeps a place that ends in a kind's name from
/// meeting another place.
fn key(aad: &[u8], kind: Kind, plaintext: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((aad.len() as u64).to_le_bytes());
    hash.update(aad);
    hash.update(kind.name());
    hash.update([0]);
    hash.update(plaintext);
    hash.finalize().into()
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Memory({} places)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_is_used_once_in_order() {
        let mut memory = Memory::default();
        memory.remember(b"l:", Kind::Str, b"x", "1".into());
        memory.remember(b"l:", Kind::Str, b"x", "2".into());
        assert_eq!(memory.take(b"l:", Kind::Str, b"x").as_deref(), Some("1"));
        assert_eq!(memory.take(b"l:", Kind::Int, b"x"), None);
        assert_eq!(memory.take(b"l:", Kind::Str, b"x").as_deref(), Some("2"));
        assert_eq!(memory.take(b"l:", Kind::Str, b"x"), None);
    }
}
