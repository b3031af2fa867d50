//! A whole age file for several people, such as a backup of keys: what `age -d` opens too.

use std::fmt;

use secret::SecretBytes;

use crate::{KeyError, Keyring, Recipient, Unopened, WrappedKey, age_file, short_recipient};

/// Encrypts `payload` to every one of `recipients`, any of whom can open it: ASCII armor with a final newline.
///
/// # Errors
/// When there is no recipient, one is a plugin's, or post-quantum recipients are mixed with others, which would make
/// the file as weak as the weakest of them.
pub fn encrypt_file(recipients: &[Box<dyn Recipient>], payload: &SecretBytes) -> Result<String, KeyError> {
    let refuse = |name: &str, why| KeyError::Encrypt { recipient: short_recipient(name), why };
    let first = recipients.first().ok_or_else(|| refuse("nobody", "no recipient is named"))?;
    let mixed = recipients.iter().find(|other| (other.kind() == "hybrid") != (first.kind() == "hybrid"));
    if let Some(mixed) = mixed {
        return Err(refuse(mixed.id(), "post-quantum recipients cannot be mixed with others"));
    }
    let one = |recipient: &'_ Box<dyn Recipient>| {
        recipient.to_age().is_none().then(|| refuse(recipient.id(), "a plugin's recipient cannot share a file"))
    };
    if let Some(error) = recipients.iter().find_map(one) {
        return Err(error);
    }
    let all = recipients.iter().filter_map(|recipient| recipient.to_age());
    age_file::seal_to_all(all, payload).map_err(|_| refuse(first.id(), "the file could not be encrypted"))
}

/// An age file, with or without armor, that was read strictly and is not opened yet.
pub struct EncryptedFile(WrappedKey);

impl EncryptedFile {
    /// Reads armor and header; at most `max` bytes of payload will be given out.
    ///
    /// # Errors
    /// When armor or header are damaged, or the file is longer than such a payload can make it.
    pub fn parse(bytes: &[u8], max: usize) -> Result<Self, KeyError> {
        WrappedKey::of_file(bytes, max).map(Self)
    }

    /// Opens it with the first identity that can.
    ///
    /// # Errors
    /// When none can: what happened with each.
    pub fn open(&self, ring: &Keyring) -> Result<SecretBytes, Unopened> {
        ring.open(&self.0)
    }
}

impl fmt::Debug for EncryptedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::Counter;
    use crate::{Access, generate_hybrid, generate_x25519, parse_identity, parse_recipient};

    fn ring(identity: &secret::SecretString) -> Keyring {
        let mut ring = Keyring::new();
        ring.add(parse_identity(identity.expose(), &Access::none()).unwrap(), "test");
        ring
    }

    #[test]
    fn every_recipient_opens_it_and_nobody_else() {
        let payload = SecretBytes::new(vec![7; 70_000]);
        for generate in [generate_x25519, generate_hybrid] {
            let people: Vec<_> = (1..4).map(|seed| generate(&mut Counter(seed))).collect();
            let recipients: Vec<_> = people[..2].iter().map(|(_, name)| parse_recipient(name).unwrap()).collect();
            let text = encrypt_file(&recipients, &payload).unwrap();
            let file = EncryptedFile::parse(text.as_bytes(), 1 << 20).unwrap();
            for (identity, _) in &people[..2] {
                assert_eq!(file.open(&ring(identity)).unwrap(), payload);
            }
            assert!(file.open(&ring(&people[2].0)).is_err());
            assert!(EncryptedFile::parse(text.as_bytes(), 10).is_err_and(|error| !error.to_string().is_empty()));
            let cut = EncryptedFile::parse(&text.as_bytes()[..text.len() / 2], 1 << 20);
            assert!(cut.is_err());
        }
    }

    #[test]
    fn nobody_and_a_mixed_company_are_refused() {
        let payload = SecretBytes::from("x");
        assert!(encrypt_file(&[], &payload).is_err());
        let both = [generate_x25519(&mut Counter(1)).1, generate_hybrid(&mut Counter(2)).1];
        let both: Vec<_> = both.iter().map(|name| parse_recipient(name).unwrap()).collect();
        assert!(encrypt_file(&both, &payload).is_err());
    }
}
