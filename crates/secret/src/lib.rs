//! Bytes that must not be seen.
//!
//! Values, data keys and passphrases live in the types of this crate. They are zeroed on drop, cannot be
//! printed (their `Debug` gives the type name only), and are compared in constant time. Reading one is
//! [`SecretBytes::expose`], a word that a review can search for. This crate must never learn to serialise
//! or display what it holds.

mod data_key;
mod random;

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use data_key::DataKey;
pub use random::{OsRandom, Random};

/// Bytes of any length that are zeroed on drop and never printed. Of shared bytes several values hold parts; they are
/// zeroed when the last one is dropped.
#[derive(Default)]
pub struct SecretBytes(Held);

enum Held {
    Own(Zeroizing<Vec<u8>>),
    /// From one byte to another of what several hold.
    Part(Arc<Zeroizing<Vec<u8>>>, u32, u32),
}

impl Default for Held {
    fn default() -> Self {
        Self::Own(Zeroizing::default())
    }
}

impl SecretBytes {
    /// Takes ownership of `bytes`; they are zeroed when the value is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Held::Own(Zeroizing::new(bytes)))
    }

    /// The same bytes, of which [`SecretBytes::part`] gives parts without copying them. (Beyond 4 GiB it copies.)
    pub fn shared(self) -> Self {
        match self.0 {
            Held::Own(bytes) => match u32::try_from(bytes.len()) {
                Ok(length) => Self(Held::Part(Arc::new(bytes), 0, length)),
                Err(_) => Self(Held::Own(bytes)),
            },
            part @ Held::Part(..) => Self(part),
        }
    }

    /// `bytes` to keep: not copied if they lie in these bytes and these are shared.
    pub fn part(&self, bytes: &[u8]) -> Self {
        let Held::Part(all, ..) = &self.0 else { return Self::new(bytes.to_vec()) };
        let from = (bytes.as_ptr() as usize).checked_sub(all.as_ptr() as usize);
        let within = from.filter(|from| *from < all.len() && bytes.len() <= all.len() - from);
        match within.map(|from| (u32::try_from(from), u32::try_from(from + bytes.len()))) {
            Some((Ok(from), Ok(to))) => Self(Held::Part(Arc::clone(all), from, to)),
            _ => Self::new(bytes.to_vec()),
        }
    }

    /// The bytes. Keep the borrow short and never format it.
    pub fn expose(&self) -> &[u8] {
        match &self.0 {
            Held::Own(bytes) => bytes,
            Held::Part(all, from, to) => &all[*from as usize..*to as usize],
        }
    }

    /// The bytes as text, if they are UTF-8.
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(self.expose()).ok()
    }

    /// Gives the bytes away (a copy if others hold them, too); the caller answers for wiping them.
    pub fn into_inner(self) -> Vec<u8> {
        match self.0 {
            Held::Own(mut bytes) => std::mem::take(&mut *bytes),
            Held::Part(all, from, to) if from == 0 && to as usize == all.len() => {
                Arc::try_unwrap(all).map_or_else(|all| all.to_vec(), |mut bytes| std::mem::take(&mut *bytes))
            }
            Held::Part(all, from, to) => all[from as usize..to as usize].to_vec(),
        }
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.expose().len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    /// A second holder of the same bytes, made on purpose (`Clone` is not implemented so that they can be searched for):
    /// a copy, if they are not shared.
    pub fn duplicate(&self) -> Self {
        self.part(self.expose())
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
    fn parts_of_shared_bytes_are_no_copies() {
        let all = SecretBytes::from("key: value").shared();
        let part = all.part(&all.expose()[5..]);
        assert_eq!((part.expose(), part.len()), (b"value".as_slice(), 5));
        assert!(
            std::ptr::eq(part.expose(), &all.expose()[5..]) && std::ptr::eq(part.duplicate().expose(), part.expose())
        );
        assert!(std::ptr::eq(part.part(&part.expose()[1..2]).expose(), &part.expose()[1..2]));
        let elsewhere = b"value".to_vec();
        assert!(!std::ptr::eq(all.part(&elsewhere).expose(), elsewhere.as_slice()));
        assert_eq!(all.part(b""), SecretBytes::default());
        drop(all);
        assert_eq!(part.into_inner(), b"value");
        let whole = SecretBytes::from("alone").shared();
        let place = whole.expose().as_ptr();
        let inner = whole.into_inner();
        assert_eq!(inner.as_ptr(), place);
    }

    #[test]
    fn sharing_costs_no_room() {
        assert_eq!(size_of::<SecretBytes>(), size_of::<Vec<u8>>());
    }

    #[test]
    fn equality_looks_at_every_byte() {
        assert_eq!(SecretBytes::from("abc"), SecretBytes::from("abc"));
        assert_ne!(SecretBytes::from("abc"), SecretBytes::from("abd"));
        assert_ne!(SecretBytes::from("abc"), SecretBytes::from("ab"));
    }
}
