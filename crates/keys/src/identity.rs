//! Someone who may be able to open a wrapped key.

use std::fmt;

use secret::SecretBytes;

use crate::{Access, KeyError, WrappedKey, kind::KINDS};

/// What an identity needs before it can answer. The keyring asks the cheap ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Only computation.
    Compute,
    /// Perhaps a person's passphrase.
    Passphrase,
    /// A process is started, which may want a person too.
    Plugin,
}

/// Someone who may be able to open a wrapped key.
pub trait Identity: Send + Sync {
    /// Key kind, as [`crate::Recipient::kind`], or `passphrase` for a protected key file.
    fn kind(&self) -> &'static str;

    /// The recipient that belongs to it, where it can be told without asking for a passphrase or plugin.
    fn recipient(&self) -> Option<String>;

    /// What it needs before it can answer.
    fn effort(&self) -> Effort {
        Effort::Compute
    }

    /// Opens a parsed `enc`: `None` if it was not made for this identity, an error if it was but is damaged.
    fn open(&self, wrapped: &WrappedKey) -> Option<Result<SecretBytes, KeyError>>;

    /// Opens `enc`: `None` if it was not made for this identity, an error if it was but is damaged.
    fn unwrap(&self, enc: &str) -> Option<Result<SecretBytes, KeyError>> {
        match WrappedKey::parse(enc) {
            Ok(wrapped) => self.open(&wrapped),
            Err(error) => Some(Err(error)),
        }
    }
}

impl fmt::Debug for dyn Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.kind())
    }
}

/// Reads one identity in its text form. SSH keys and protected key files come through [`crate::parse_key_file`].
///
/// # Errors
/// When `text` is not a valid identity. It is never echoed.
pub fn parse_identity(text: &str, access: &Access) -> Result<Box<dyn Identity>, KeyError> {
    let text = text.trim();
    KINDS.iter().find_map(|kind| kind.identity(text, access)).unwrap_or(Err(KeyError::NotAnIdentity))
}
