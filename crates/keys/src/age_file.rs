//! One age file, read strictly. The header grammar is checked here (the age crate accepts two old forms that the
//! specification forbids); checksum and payload are the age crate's work.

mod armor;
#[cfg(test)]
mod cctv;
mod header;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};

use age::secrecy::ExposeSecret;
use age_core::format::{FileKey, Stanza};
use secret::SecretBytes;

use crate::KeyError;

/// Length of the payload's nonce, which follows the header.
const NONCE_LEN: usize = 16;
/// Length of the payload's tag, per chunk.
const TAG_LEN: usize = 16;
/// The stanza type of a passphrase.
const SCRYPT: &str = "scrypt";

/// Whether `bytes` start like an age file, with or without armor.
pub(crate) fn is_age_file(bytes: &[u8]) -> bool {
    bytes.starts_with(header::MAGIC) || bytes.trim_ascii_start().starts_with(armor::BEGIN.as_bytes())
}

/// How much of an age file is read before it is refused.
pub(crate) struct Limits {
    /// Bytes of the file, without armor.
    pub(crate) bytes: usize,
    /// Recipient stanzas in the header.
    pub(crate) stanzas: usize,
}

impl Limits {
    /// An `enc` text: one recipient (and the random stanza that some writers add), 33 bytes.
    pub(crate) const ENC: Self = Self { bytes: 64 << 10, stanzas: 64 };
    /// A passphrase-protected key file.
    pub(crate) const KEY_FILE: Self = Self { bytes: 1 << 20, stanzas: 64 };
}

/// An age file whose header is known to be well-formed.
pub(crate) struct AgeFile {
    bytes: Vec<u8>,
    stanzas: Vec<Stanza>,
    /// Bytes before the payload's nonce.
    header_len: usize,
}

impl AgeFile {
    /// Reads an armored file.
    pub(crate) fn from_armor(text: &[u8], limits: &Limits) -> Result<Self, KeyError> {
        if text.len() > limits.bytes * 3 / 2 {
            return Err(KeyError::Armor("too long"));
        }
        Self::parse(armor::decode(text)?, limits)
    }

    /// Reads a file with or without armor.
    pub(crate) fn from_either(bytes: &[u8], limits: &Limits) -> Result<Self, KeyError> {
        match bytes.starts_with(header::MAGIC) {
            true => Self::parse(bytes.to_vec(), limits),
            false => Self::from_armor(bytes, limits),
        }
    }

    /// Reads a binary file.
    pub(crate) fn parse(bytes: Vec<u8>, limits: &Limits) -> Result<Self, KeyError> {
        if bytes.len() > limits.bytes {
            return Err(KeyError::Header("file too long"));
        }
        let (stanzas, header_len) = header::parse(&bytes, limits.stanzas)?;
        if bytes.len() - header_len < NONCE_LEN {
            return Err(KeyError::Header("the file ends after it"));
        }
        if stanzas.len() > 1 && stanzas.iter().any(|stanza| stanza.tag == SCRYPT) {
            return Err(KeyError::Header("a passphrase stanza beside another one"));
        }
        Ok(Self { bytes, stanzas, header_len })
    }

    /// The recipient stanzas.
    pub(crate) fn stanzas(&self) -> &[Stanza] {
        &self.stanzas
    }

    /// Whether it is protected by a passphrase.
    pub(crate) fn is_for_passphrase(&self) -> bool {
        self.stanzas.iter().any(|stanza| stanza.tag == SCRYPT)
    }

    /// Opens it with `identity`; gives at most `max` bytes. `None`: not made for this identity.
    pub(crate) fn open(&self, identity: &dyn age::Identity, max: usize) -> Option<Result<SecretBytes, KeyError>> {
        let file_key = identity.unwrap_stanzas(&self.stanzas)?;
        Some(file_key.map_err(KeyError::from).and_then(|file_key| self.read_payload(file_key, max)))
    }

    fn read_payload(&self, file_key: FileKey, max: usize) -> Result<SecretBytes, KeyError> {
        let sealed = self.bytes.len() - self.header_len - NONCE_LEN;
        let decryptor = age::Decryptor::new_buffered(self.bytes.as_slice())?;
        let known = Known(file_key);
        let mut reader = decryptor.decrypt(std::iter::once(&known as &dyn age::Identity))?;
        if sealed.saturating_sub(TAG_LEN) > max {
            return Err(KeyError::KeyLength(sealed - TAG_LEN));
        }
        // Room for all of it: a growing buffer would leave copies behind.
        let mut payload = zeroize::Zeroizing::new(Vec::with_capacity(sealed + 1));
        reader.read_to_end(&mut payload).map_err(|_| KeyError::Payload)?;
        Ok(SecretBytes::new(std::mem::take(&mut *payload)))
    }
}

/// A file key that is already unwrapped, so that the age crate does the rest.
struct Known(FileKey);

impl age::Identity for Known {
    fn unwrap_stanza(&self, _: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        Some(Ok(FileKey::new(Box::new(*self.0.expose_secret()))))
    }
}

/// Encrypts `payload` to one recipient: ASCII armor with a final newline.
pub(crate) fn seal(recipient: &dyn age::Recipient, payload: &SecretBytes) -> Result<String, age::EncryptError> {
    seal_to_all(std::iter::once(recipient), payload)
}

/// The same to several, any of whom can open it.
pub(crate) fn seal_to_all<'r>(
    recipients: impl Iterator<Item = &'r dyn age::Recipient>,
    payload: &SecretBytes,
) -> Result<String, age::EncryptError> {
    let mut bytes = Vec::new();
    let mut writer = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut bytes)?;
    writer.write_all(payload.expose())?;
    writer.finish()?;
    Ok(armor::encode(&bytes))
}
