//! What is wrong with a pattern, and where in it.

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression is invalid at character {}: {reason}", .offset + 1)]
pub struct PatternError {
    /// Byte offset in the pattern.
    pub offset: usize,
    /// Why, one phrase.
    pub reason: String,
}

impl PatternError {
    pub(crate) fn new(offset: usize, reason: impl Into<String>) -> Self {
        Self { offset, reason: reason.into() }
    }
}

/// A pattern that we can use and Go cannot: gitleaks stops at it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression is invalid at character {}: {reason}", .offset + 1)]
pub struct Warning {
    /// Byte offset in the pattern.
    pub offset: usize,
    /// What Go refuses, one phrase.
    pub reason: &'static str,
}
