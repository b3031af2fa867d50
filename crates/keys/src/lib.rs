//! Who may open a file: parse recipients and identities, wrap and unwrap a data key, split it over key groups.
//!
//! An `enc` text is what SOPS stores per recipient: the ASCII armor of one age file whose payload is the data
//! key (32 bytes) or a Shamir share of it (33 bytes). This crate reads no file, no environment and no clock.
//! What it cannot do alone (ask for a passphrase, start a plugin) the caller grants with an [`Access`].

mod access;
mod age_file;
mod encrypted_file;
mod error;
mod generate;
mod identity;
mod key_file;
mod keyring;
mod kind;
mod recipient;
mod shamir;
mod wrapped;

#[cfg(test)]
mod fixtures;

pub use access::{Access, Prompt};
pub use encrypted_file::{EncryptedFile, encrypt_file};
pub use error::KeyError;
pub use generate::{generate_hybrid, generate_x25519};
pub use identity::{Effort, Identity, parse_identity};
pub use key_file::{parse_key_file, parse_key_variable};
pub use keyring::{FailedSource, Keyring, Outcome, Tried, Unopened};
pub use recipient::{Recipient, parse_recipient, parse_recipient_with, same_recipient, short_recipient};
pub use shamir::{combine, split};
pub use wrapped::WrappedKey;
