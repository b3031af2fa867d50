//! What can go wrong with an encrypted file: where, never what.

use document::{FormatError, Path};
use keys::KeyError;
use thiserror::Error;

use crate::value::ValueError;

/// A place in a file, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Line and column from 1.
    pub at: Option<(usize, usize)>,
    /// Path of the value in its document.
    pub path: Path,
    /// Document number from 0.
    pub document: usize,
}

/// A failure of the engine.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SopsError {
    /// The text cannot be read or written in its format.
    #[error("{0}")]
    Format(#[from] FormatError),
    /// The file carries a `sops` block already (or a key that would become one).
    #[error("the file is encrypted already: it has a `sops` entry")]
    AlreadyEncrypted,
    /// No metadata in the first document.
    #[error("sops metadata not found: the file is not encrypted")]
    NotEncrypted,
    /// Metadata that cannot be used.
    #[error("the sops metadata is broken: {0}")]
    Metadata(String),
    /// Metadata that cannot be used, with the line and column of the field.
    #[error("the sops metadata is broken: {what}")]
    MetadataAt {
        /// Line and column from 1.
        at: (usize, usize),
        /// What is wrong.
        what: String,
    },
    /// The selector is invalid.
    #[error("{field}: {why}")]
    Selector {
        /// Which field.
        field: String,
        /// Why.
        why: String,
    },
    /// The selector selects nothing, so nothing would be encrypted.
    #[error("nothing would be encrypted: {0}")]
    NothingSelected(String),
    /// A value that could not come back equal.
    #[error("the value {what}")]
    Unsealable {
        /// Where.
        place: Place,
        /// Why, as the rest of a sentence.
        what: &'static str,
    },
    /// A value that cannot be decrypted.
    #[error("the value{} {source}", shown(&place.path))]
    Value {
        /// Where.
        place: Place,
        /// Why.
        source: ValueError,
    },
    /// No identity opened enough of the wrapped keys.
    #[error("no identity at hand opens the file")]
    NoKey(Box<NoKey>),
    /// The file has no recipients at all.
    #[error("the file lists no keys")]
    NoRecipients,
    /// The MAC is missing.
    #[error("the file has no MAC: it was removed, or the file was cut")]
    NoMac,
    /// The MAC does not fit the values.
    #[error("the MAC does not fit: values were changed, added, removed or moved after encryption")]
    MacMismatch,
    /// Wrapping for a recipient failed, or a recipient is unusable.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// A key kind of the policy that we cannot wrap to.
    #[error("cannot wrap the data key for {0}: only age and ssh recipients are supported")]
    ForeignKey(String),
    /// Key groups that make no sense.
    #[error("{0}")]
    Groups(String),
    /// The edited text did not read back as intended; nothing is written.
    #[error("the result did not read back as intended ({0}); nothing was written")]
    Proof(&'static str),
    /// A path given by the user that does not fit the file.
    #[error("{0}")]
    Path(String),
}

/// Why the data key could not be had.
#[derive(Debug, Default)]
pub struct NoKey {
    /// The file's recipients, one per entry, with what happened to each.
    pub entries: Vec<(String, String)>,
    /// How many key groups were opened, and how many are needed.
    pub opened: usize,
    /// Needed groups.
    pub needed: usize,
    /// The first identity or entry that could not be used, beside those that simply do not fit.
    pub trouble: Option<KeyError>,
}

/// ` ["a"][0]`, or nothing for the root.
fn shown(path: &Path) -> String {
    if path.0.is_empty() { String::new() } else { format!(" {path}") }
}
