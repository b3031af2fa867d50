//! A key file behind a passphrase: asked for when first needed, once, then kept open.

use std::sync::OnceLock;

use age::secrecy;
use age_core::format::{FileKey, Stanza};
use secret::SecretBytes;

use crate::{
    Access, Effort, Identity, KeyError, WrappedKey,
    age_file::{AgeFile, Limits},
    key_file,
};

/// The highest scrypt work factor that is accepted, as a power of two: age's own limit.
pub(crate) const MAX_WORK_FACTOR: u8 = 22;

/// A passphrase as the age crate's identity; a wrong one is no match rather than damage.
pub(crate) struct Passphrase(age::scrypt::Identity);

impl Passphrase {
    pub(crate) fn new(passphrase: &str) -> Self {
        let mut key = age::scrypt::Identity::new(secrecy::SecretString::from(passphrase));
        key.set_max_work_factor(MAX_WORK_FACTOR);
        Self(key)
    }
}

impl age::Identity for Passphrase {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        match age::Identity::unwrap_stanza(&self.0, stanza) {
            Some(Err(age::DecryptError::DecryptionFailed)) => None,
            other => other,
        }
    }
}

/// A key file behind a passphrase.
pub(crate) struct LockedFile {
    file: AgeFile,
    name: String,
    access: Access,
    opened: OnceLock<Result<Vec<Box<dyn Identity>>, KeyError>>,
}

impl LockedFile {
    /// Reads an age file, armored or not, that is encrypted with a passphrase.
    pub(crate) fn parse(bytes: &[u8], name: &str, access: &Access) -> Result<Self, KeyError> {
        let file = AgeFile::from_either(bytes, &Limits::KEY_FILE)?;
        if !file.is_for_passphrase() {
            return Err(KeyError::Identity("an encrypted file, but not encrypted with a passphrase"));
        }
        Ok(Self { file, name: name.into(), access: access.clone(), opened: OnceLock::new() })
    }

    fn identities(&self) -> &Result<Vec<Box<dyn Identity>>, KeyError> {
        self.opened.get_or_init(|| {
            let text = self.ask_and_decrypt()?;
            key_file::parse_lines(text.expose(), &self.access)
        })
    }

    fn ask_and_decrypt(&self) -> Result<SecretBytes, KeyError> {
        let passphrase = self.access.prompt().passphrase(&self.name);
        let passphrase = passphrase.ok_or_else(|| KeyError::NoPassphrase(self.name.clone()))?;
        let text = self.file.open(&Passphrase::new(passphrase.expose()), Limits::KEY_FILE.bytes);
        text.unwrap_or_else(|| Err(KeyError::WrongPassphrase(self.name.clone())))
    }
}

impl Identity for LockedFile {
    fn kind(&self) -> &'static str {
        "passphrase"
    }

    /// Known once the file is open, and then only if it holds a single identity.
    fn recipient(&self) -> Option<String> {
        match self.opened.get()? {
            Ok(identities) if identities.len() == 1 => identities[0].recipient(),
            _ => None,
        }
    }

    fn effort(&self) -> Effort {
        Effort::Passphrase
    }

    fn open(&self, wrapped: &WrappedKey) -> Option<Result<SecretBytes, KeyError>> {
        let identities = match self.identities() {
            Ok(identities) => identities,
            Err(error) => return Some(Err(error.clone())),
        };
        let mut failed = None;
        for identity in identities {
            match identity.open(wrapped) {
                Some(Ok(key)) => return Some(Ok(key)),
                Some(Err(error)) => failed = failed.or(Some(error)),
                None => {}
            }
        }
        failed.map(Err)
    }
}

#[cfg(test)]
mod tests;
