//! SOPS files, both ways: Plain to Encrypted to Unlocked to Plain, and the rules that say how.
//!
//! States are types: plaintext can be had only from a [`Plain`], and a [`Plain`] only from
//! [`Unlocked::verify`] or by naming a reason to skip it. This crate opens no file and asks no clock.

mod base64;
pub mod change;
pub mod config;
pub mod environment;
mod error;
mod field;
mod layout;
mod look;
mod mac;
mod memory;
mod metadata;
mod misread;
mod open;
mod parts;
mod policy;
mod proof;
mod rekey;
mod restore;
pub mod rewrite;
mod seal;
mod selector;
mod survey;
mod timestamp;
mod value;
mod walk;

pub use config::{Config, ConfigError, CreationRule};
pub use error::{NoKey, Place, SopsError};
pub use look::{Look, has_block, is_block, look};
pub use memory::Memory;
pub use metadata::{Group, Metadata, SOPS_VERSION, WrappedKey};
pub use open::{Encrypted, MacSkip, Notice, Plain, Unlocked};
pub use parts::{Parts, SealedText};
pub use policy::{Policy, Untrusted, untrusted_recipients, wrap};
pub use rekey::{
    Examined, Readers, Replaced, Replacement, Standing, examine, has_plain_comments, indent_of, rekeyed, reseal,
    rewrapped,
};
pub use seal::{SealOptions, Sealed, Sealing, is_encrypted, metadata_entry, seal, seal_tree};
pub use selector::{Pattern, SELECTOR_FIELDS, Selector};
pub use survey::{Found, Met, Survey, each_value, survey};
pub use timestamp::Timestamp;
pub use value::{ValueError, check_shape, is_token};
