//! Bytes that must not be seen.
//!
//! Values, data keys and passphrases live in the types of this crate. They are zeroed on drop, cannot be
//! printed (their `Debug` gives the type name only), and are compared in constant time. Reading one is
//! [`SecretBytes::expose`], a word that a review can search for. This crate must never learn to serialise
//! or display what it holds.

mod data_key;
mod random;

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use data_key::DataKey;
pub use random::{OsRandom, Random};

/// Bytes of any length that are zeroed on drop and never printed.
#[derive(Default)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership of `bytes`; they are zeroed when the value is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Keep the borrow short and never format it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, if they are UTF-8.
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Gives the bytes away; the caller answers for wiping them.
    pub fn into_inner(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A second copy, made on purpose (`Clone` is not implemented so that copies can be searched for).
    pub fn duplicate(&self) -> Self {
        Self::new(self.0.to_vec())
    }
}

impl From<&str> for SecretBytes {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

impl From<String> for SecretBytes {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        ct_eq(self.expose(), other.expose())
    }
}

impl Eq for SecretBytes {}

/// Text that is zeroed on drop and never printed.
#[derive(Default, PartialEq, Eq)]
pub struct SecretString(SecretBytes);

impl SecretString {
    /// Takes ownership of `text`.
    pub fn new(text: String) -> Self {
        Self(SecretBytes::from(text))
    }

    /// The text. Keep the borrow short and never format it.
    pub fn expose(&self) -> &str {
        self.0.expose_str().expect("made from a String, so it is UTF-8")
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString(..)")
    }
}

/// Equality in time that depends on the lengths only.
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_content() {
        let canary = "Canary-7f3a";
        let shown = format!(
            "{:?} {:#?} {:?}",
            SecretBytes::from(canary),
            SecretString::new(canary.into()),
            DataKey::try_from(SecretBytes::new(vec![b'C'; 32])).unwrap(),
        );
        assert!(!shown.contains("Canary") && !shown.contains("67"), "{shown}");
    }

    #[test]
    fn equality_looks_at_every_byte() {
        assert_eq!(SecretBytes::from("abc"), SecretBytes::from("abc"));
        assert_ne!(SecretBytes::from("abc"), SecretBytes::from("abd"));
        assert_ne!(SecretBytes::from("abc"), SecretBytes::from("ab"));
    }
}
