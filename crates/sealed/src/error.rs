//! What keeps a file from being sealed or bound: where, never what.

use crate::manifest::ManifestError;
use crate::reason::Refusal;

/// A failure of the writing side.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The text cannot be read or written.
    #[error("{0}")]
    Manifest(#[from] ManifestError),
    /// The object would be refused by a cluster for the same reason.
    #[error("{}", .0.message)]
    Refused(#[from] Refusal),
    /// The object is not of the kind that is needed.
    #[error("{0} is not a Secret")]
    NotASecret(String),
    /// The object is not an EncryptedSecret, or stands beside others in its file.
    #[error("the file is not one EncryptedSecret")]
    NotAResource,
    /// A value that a Secret cannot hold.
    #[error("{place} is a {kind}; a Secret holds text: write it in quotes")]
    NotText {
        /// Where.
        place: String,
        /// What it is instead.
        kind: &'static str,
    },
    /// A value under `data` that is no base64.
    #[error("the value of {0} under data is not base64; text belongs under stringData")]
    NotBase64(String),
    /// Neither the object nor the caller names a namespace.
    #[error("{0} names no namespace, and the file is to be bound to one")]
    NoNamespace(String),
    /// The file is bound to another place than the one that its metadata names.
    #[error("the file is bound to another place than {0}")]
    Moved(String),
    /// An edit was made that cannot be written.
    #[error("the result did not read back as intended; nothing was written")]
    Proof,
}

impl From<document::FormatError> for WriteError {
    fn from(error: document::FormatError) -> Self {
        Self::Manifest(error.into())
    }
}
