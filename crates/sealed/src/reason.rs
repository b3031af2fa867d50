//! Why a resource is refused: one word per failure, for conditions, events, metrics and exit reports.

use std::fmt;

/// The word that stands in a condition's `reason`. docs/cluster.md explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The resource says that it is to be left alone.
    Suspended,
    /// The resource is not of the declared form.
    InvalidFormat,
    /// The file holds more than this one resource.
    MultipleDocuments,
    /// A name in clear is one that the selector would take for a place of ciphertext.
    ReservedName,
    /// The file encrypts other places than an EncryptedSecret does, or its MAC covers others.
    SelectorMismatch,
    /// A value is not encrypted.
    Plaintext,
    /// No key at hand is among the recipients.
    KeyNotFound,
    /// The only fitting key is revoked.
    KeyRevoked,
    /// A key fits, but a value or the data key does not open.
    DecryptFailed,
    /// The MAC does not fit the values.
    MacMismatch,
    /// The MAC fits the values in another order than that of their keys.
    KeyOrder,
    /// The file is bound to another namespace or name, or to none.
    BindingMismatch,
    /// Secrets, key names, types, labels, templates or policy are not those that were sealed.
    ShapeMismatch,
    /// A template names what is not there, or its text is broken.
    TemplateFailed,
    /// A template uses something that is not supported.
    TemplateUnsupported,
    /// What would come out is no valid Secret.
    InvalidSecret,
    /// The Secret belongs to somebody else.
    OwnershipConflict,
    /// The live Secret is immutable and differs.
    ImmutableConflict,
    /// The live Secret has another type.
    TypeConflict,
    /// The Secret of somebody else that keys were merged into is gone.
    SecretMissing,
}

impl Reason {
    /// Every reason, in the order of the table in docs/cluster.md.
    pub const ALL: [Self; 20] = [
        Self::Suspended,
        Self::InvalidFormat,
        Self::MultipleDocuments,
        Self::ReservedName,
        Self::SelectorMismatch,
        Self::Plaintext,
        Self::KeyNotFound,
        Self::KeyRevoked,
        Self::DecryptFailed,
        Self::MacMismatch,
        Self::KeyOrder,
        Self::BindingMismatch,
        Self::ShapeMismatch,
        Self::TemplateFailed,
        Self::TemplateUnsupported,
        Self::InvalidSecret,
        Self::OwnershipConflict,
        Self::ImmutableConflict,
        Self::TypeConflict,
        Self::SecretMissing,
    ];

    /// The word. It is part of the interface: dashboards and alerts name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Suspended => "Suspended",
            Self::InvalidFormat => "InvalidFormat",
            Self::MultipleDocuments => "MultipleDocuments",
            Self::ReservedName => "ReservedName",
            Self::SelectorMismatch => "SelectorMismatch",
            Self::Plaintext => "Plaintext",
            Self::KeyNotFound => "KeyNotFound",
            Self::KeyRevoked => "KeyRevoked",
            Self::DecryptFailed => "DecryptFailed",
            Self::MacMismatch => "MacMismatch",
            Self::KeyOrder => "KeyOrder",
            Self::BindingMismatch => "BindingMismatch",
            Self::ShapeMismatch => "ShapeMismatch",
            Self::TemplateFailed => "TemplateFailed",
            Self::TemplateUnsupported => "TemplateUnsupported",
            Self::InvalidSecret => "InvalidSecret",
            Self::OwnershipConflict => "OwnershipConflict",
            Self::ImmutableConflict => "ImmutableConflict",
            Self::TypeConflict => "TypeConflict",
            Self::SecretMissing => "SecretMissing",
        }
    }

    /// Whether only a key that appears, or is allowed again, can help.
    pub fn waits_for_key(self) -> bool {
        matches!(self, Self::KeyNotFound | Self::KeyRevoked)
    }

    /// Whether a change of the live Secret can help.
    pub fn waits_for_secret(self) -> bool {
        matches!(self, Self::OwnershipConflict | Self::ImmutableConflict | Self::TypeConflict | Self::SecretMissing)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why nothing is written. The message says where, never what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Refusal {
    /// The word.
    pub reason: Reason,
    /// One sentence, without any value.
    pub message: String,
    /// The command to type, where one mends it.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), hint: None }
    }

    /// The same with the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_distinct_and_spelled_as_their_variants() {
        for reason in Reason::ALL {
            assert_eq!(reason.word(), format!("{reason:?}"));
        }
        let words: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
    }
}
