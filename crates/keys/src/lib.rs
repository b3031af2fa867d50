//! Who may open a file: parse recipients and identities, wrap and unwrap a data key, split it over key groups.
//!
//! An `enc` text is what SOPS stores per recipient: the ASCII armor of one age file whose payload is the data
//! key (32 bytes) or a Shamir share of it (33 bytes). This crate reads no file, no environment and no clock.

use std::fmt;

use secret::SecretBytes;

/// Someone a data key can be wrapped to.
pub trait Recipient: fmt::Debug + Send + Sync {
    /// Key kind: `x25519`, `hybrid`, `ssh-ed25519`, `ssh-rsa`, `plugin`.
    fn kind(&self) -> &'static str;

    /// The recipient's text as given, trimmed: what metadata stores.
    fn id(&self) -> &str;

    /// Wraps `key` (32 or 33 bytes): ASCII armor with a final newline.
    ///
    /// # Errors
    /// When the recipient cannot be encrypted to (a plugin failed, a bad key).
    fn wrap(&self, key: &SecretBytes) -> Result<String, KeyError>;
}

/// Someone who may be able to open a wrapped key.
pub trait Identity: Send + Sync {
    /// Key kind, as [`Recipient::kind`].
    fn kind(&self) -> &'static str;

    /// The recipient that belongs to it, where it can be told without asking for a passphrase or plugin.
    fn recipient(&self) -> Option<String>;

    /// Opens `enc`: `None` if it was not made for this identity, an error if it was but is damaged.
    fn unwrap(&self, enc: &str) -> Option<Result<SecretBytes, KeyError>>;
}

/// What can be wrong with a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Placeholder for the variants to come.
    #[error("unknown")]
    Unknown,
}
