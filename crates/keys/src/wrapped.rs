//! One `enc` text, read once: armor and header are checked before any identity is asked.

use std::fmt;

use secret::{DataKey, SecretBytes};

use crate::{
    KeyError,
    age_file::{AgeFile, Limits},
};

/// A Shamir share is a data key and one byte more.
const SHARE_LEN: usize = DataKey::LEN + 1;

/// One parsed `enc` text: an age file that holds a data key or a share of one. [`crate::EncryptedFile`] lends its inside
/// to files that hold something else.
pub struct WrappedKey(AgeFile, Payload);

/// What may come out.
#[derive(Clone, Copy)]
enum Payload {
    /// A data key or a share of one.
    Key,
    /// Anything of at most this many bytes.
    UpTo(usize),
}

impl WrappedKey {
    /// Reads the armor and the age header, and refuses what no SOPS file holds.
    ///
    /// # Errors
    /// When armor or header are damaged, too long, or made for a passphrase.
    pub fn parse(enc: &str) -> Result<Self, KeyError> {
        let file = AgeFile::from_armor(enc.as_bytes(), &Limits::ENC)?;
        if file.is_for_passphrase() {
            return Err(KeyError::PassphraseEntry);
        }
        Ok(Self(file, Payload::Key))
    }

    /// An age file, with or without armor, that holds at most `max` bytes of anything.
    pub(crate) fn of_file(bytes: &[u8], max: usize) -> Result<Self, KeyError> {
        let limits = Limits { bytes: max + (64 << 10), stanzas: 64 };
        Ok(Self(AgeFile::from_either(bytes, &limits)?, Payload::UpTo(max)))
    }

    /// The stanza types of its header, in order (`X25519`, `mlkem768x25519`, …).
    pub fn stanza_types(&self) -> impl Iterator<Item = &str> {
        self.0.stanzas().iter().map(|stanza| stanza.tag.as_str())
    }

    /// The stanzas of its header.
    #[cfg(feature = "ssh")]
    pub(crate) fn stanzas(&self) -> &[age_core::format::Stanza] {
        self.0.stanzas()
    }

    /// Opens it with `identity` and checks that a key or share comes out.
    pub(crate) fn open(&self, identity: &dyn age::Identity) -> Option<Result<SecretBytes, KeyError>> {
        match self.1 {
            Payload::UpTo(max) => self.0.open(identity, max),
            Payload::Key => Some(self.0.open(identity, SHARE_LEN)?.and_then(|key| match key.len() {
                DataKey::LEN | SHARE_LEN => Ok(key),
                other => Err(KeyError::KeyLength(other)),
            })),
        }
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.stanza_types()).finish()
    }
}
