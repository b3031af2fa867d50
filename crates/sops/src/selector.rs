//! Which values of a file are encrypted: one of six rules, or SOPS' default.

use document::Comment;
pub use pattern::Pattern;

/// Which values are encrypted. Decided by path (and comments), never by the look of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// All but values with a key on their path that ends so.
    UnencryptedSuffix(String),
    /// Only values with a key on their path that ends so.
    EncryptedSuffix(String),
    /// All but values with a key on their path in which the pattern is found.
    UnencryptedRegex(Pattern),
    /// Only values with a key on their path in which the pattern is found.
    EncryptedRegex(Pattern),
    /// All but values under or behind a comment in which the pattern is found.
    UnencryptedCommentRegex(Pattern),
    /// Only values under or behind a comment in which the pattern is found.
    EncryptedCommentRegex(Pattern),
}

impl Default for Selector {
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

/// The fields that hold selectors, in metadata and creation rules alike.
pub const SELECTOR_FIELDS: [&str; 6] = [
    "encrypted_comment_regex",
    "encrypted_regex",
    "encrypted_suffix",
    "unencrypted_comment_regex",
    "unencrypted_regex",
    "unencrypted_suffix",
];

impl Selector {
    /// The selector of a metadata or rule field.
    ///
    /// # Errors
    /// The sentence of [`Pattern::new`], or one that says that `field` is no selector.
    pub fn from_field(field: &str, text: &str) -> Result<Self, String> {
        Ok(match field {
            "unencrypted_suffix" => Self::UnencryptedSuffix(text.to_owned()),
            "encrypted_suffix" => Self::EncryptedSuffix(text.to_owned()),
            "unencrypted_regex" => Self::UnencryptedRegex(Pattern::new(text)?),
            "encrypted_regex" => Self::EncryptedRegex(Pattern::new(text)?),
            "unencrypted_comment_regex" => Self::UnencryptedCommentRegex(Pattern::new(text)?),
            "encrypted_comment_regex" => Self::EncryptedCommentRegex(Pattern::new(text)?),
            _ => return Err(format!("{field} is not a selector")),
        })
    }

    /// The field's name and text.
    pub fn field(&self) -> (&'static str, &str) {
        match self {
            Self::UnencryptedSuffix(text) => ("unencrypted_suffix", text),
            Self::EncryptedSuffix(text) => ("encrypted_suffix", text),
            Self::UnencryptedRegex(pattern) => ("unencrypted_regex", pattern.source()),
            Self::EncryptedRegex(pattern) => ("encrypted_regex", pattern.source()),
            Self::UnencryptedCommentRegex(pattern) => ("unencrypted_comment_regex", pattern.source()),
            Self::EncryptedCommentRegex(pattern) => ("encrypted_comment_regex", pattern.source()),
        }
    }

    /// Its regular expression, if it has one.
    pub(crate) fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::UnencryptedSuffix(_) | Self::EncryptedSuffix(_) => None,
            Self::UnencryptedRegex(pattern)
            | Self::EncryptedRegex(pattern)
            | Self::UnencryptedCommentRegex(pattern)
            | Self::EncryptedCommentRegex(pattern) => Some(pattern),
        }
    }

    /// Whether values below the top-level `key` are encrypted (comments not considered).
    pub fn selects_key(&self, key: &str) -> bool {
        Scope::default().under(self, key).encrypts(self)
    }

    fn key_matches(&self, key: &str) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => key.ends_with(suffix.as_str()),
            Self::UnencryptedRegex(pattern) | Self::EncryptedRegex(pattern) => pattern.is_match(key.as_bytes()),
            Self::UnencryptedCommentRegex(_) | Self::EncryptedCommentRegex(_) => false,
        }
    }

    fn comment_matches(&self, text: &[u8]) -> bool {
        match self {
            Self::UnencryptedCommentRegex(pattern) | Self::EncryptedCommentRegex(pattern) => pattern.is_match(text),
            _ => false,
        }
    }

    /// Whether the selector names what is encrypted (else what is not).
    fn names_encrypted(&self) -> bool {
        matches!(self, Self::EncryptedSuffix(_) | Self::EncryptedRegex(_) | Self::EncryptedCommentRegex(_))
    }
}

/// The selector's verdict while a walk goes down the tree. One per open container.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope {
    /// A key on the path, or a comment in front of a container on the path, matched.
    above: bool,
    /// A comment since the last entry of this container matched.
    here: bool,
}

impl Scope {
    /// The scope inside the value of `key`.
    pub(crate) fn under(self, selector: &Selector, key: &str) -> Self {
        Self { above: self.above || self.here || selector.key_matches(key), here: false }
    }

    /// The scope inside a list element that is itself a container.
    pub(crate) fn inside(self) -> Self {
        Self { above: self.above || self.here, here: false }
    }

    /// Whether a value at this place is encrypted.
    pub(crate) fn encrypts(self, selector: &Selector) -> bool {
        (self.above || self.here) == selector.names_encrypted()
    }

    /// Takes note of a comment and says whether the comment itself is encrypted. A comment that matches
    /// an `encrypted_comment_regex` stays plain itself; one that matches `unencrypted_comment_regex` too.
    pub(crate) fn comment(&mut self, selector: &Selector, comment: &Comment) -> bool {
        let before = self.above || self.here;
        self.here |= selector.comment_matches(comment.text.expose());
        let counts = if selector.names_encrypted() { before } else { before || self.here };
        counts == selector.names_encrypted()
    }

    /// Forgets the comments in front of an entry once it is behind.
    pub(crate) fn entry_done(&mut self) {
        self.here = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_decide_at_any_depth() {
        let selector = Selector::from_field("encrypted_regex", "^data$").unwrap();
        let root = Scope::default();
        assert!(!root.encrypts(&selector));
        assert!(root.under(&selector, "data").under(&selector, "x").inside().encrypts(&selector));
        let selector = Selector::default();
        assert!(root.under(&selector, "a").encrypts(&selector));
        assert!(!root.under(&selector, "a_unencrypted").under(&selector, "b").encrypts(&selector));
    }

    #[test]
    fn comments_cover_the_entry_that_follows() {
        let comment = |text: &str| Comment { text: text.into(), inline: false, span: None };
        let selector = Selector::from_field("encrypted_comment_regex", "secret").unwrap();
        let mut scope = Scope::default();
        assert!(!scope.comment(&selector, &comment(" secret")), "the matching comment stays plain");
        assert!(scope.comment(&selector, &comment(" more")), "later comments of the group do not");
        assert!(scope.under(&selector, "a").encrypts(&selector));
        scope.entry_done();
        assert!(!scope.under(&selector, "b").encrypts(&selector));
    }
}
