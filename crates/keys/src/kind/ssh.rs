//! SSH keys: `ssh-ed25519 …` and `ssh-rsa …` lines, and private keys in OpenSSH or PEM form.

use std::{fmt, sync::OnceLock};

use age::secrecy::SecretString;
use age::ssh::{Identity as AgeIdentity, ParseRecipientKeyError, Recipient as AgeRecipient, UnsupportedKey};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use secret::SecretBytes;
use sha2::{Digest, Sha256};

use super::KeyKind;
use crate::{Access, Effort, Identity, KeyError, Recipient, WrappedKey, age_file, short_recipient};

const ED25519: &str = "ssh-ed25519";
const RSA: &str = "ssh-rsa";
const PRIVATE_PREFIX: &str = "-----BEGIN ";
/// Larger than any private key; the parser's time grows faster than its input.
const MAX_PRIVATE_LEN: usize = 64 << 10;

/// SSH keys.
pub(super) struct Ssh;

impl KeyKind for Ssh {
    fn recipient(&self, text: &str, _: &Access) -> Option<Result<Box<dyn Recipient>, KeyError>> {
        let word = text.split_once(' ')?.0;
        (word == ED25519 || word == RSA).then(|| Ok(Box::new(SshRecipient::parse(text)?) as _))
    }

    fn identity(&self, text: &str, access: &Access) -> Option<Result<Box<dyn Identity>, KeyError>> {
        text.starts_with(PRIVATE_PREFIX).then(|| parse_private_key(text.as_bytes(), "the SSH key", access))
    }
}

/// Reads a private key. `name` is how a prompt names it, if it is encrypted.
pub(crate) fn parse_private_key(bytes: &[u8], name: &str, access: &Access) -> Result<Box<dyn Identity>, KeyError> {
    if bytes.len() > MAX_PRIVATE_LEN {
        return Err(KeyError::Identity("too long for an SSH private key"));
    }
    let text = zeroize::Zeroizing::new(without_carriage_returns(bytes));
    let key = AgeIdentity::from_buffer(text.as_slice(), None)
        .map_err(|_| KeyError::Identity("not a valid SSH private key (only ssh-ed25519 and ssh-rsa are supported)"))?;
    Ok(Box::new(SshIdentity::new(key, name, access)?))
}

fn without_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() + 1);
    text.extend(bytes.trim_ascii().iter().filter(|&&byte| byte != b'\r'));
    text.push(b'\n');
    text
}

fn kind_of(key: &AgeRecipient) -> &'static str {
    match key {
        AgeRecipient::SshRsa(..) => RSA,
        AgeRecipient::SshEd25519(..) => ED25519,
    }
}

struct SshRecipient {
    text: String,
    key: AgeRecipient,
}

impl SshRecipient {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let refuse = |why| KeyError::Recipient { recipient: short_recipient(text), why };
        if text.chars().any(char::is_control) {
            return Err(refuse("more than one line"));
        }
        let key: AgeRecipient = text.parse().map_err(|error| {
            refuse(match error {
                ParseRecipientKeyError::RsaModulusTooSmall => "an RSA key under 2048 bits",
                ParseRecipientKeyError::RsaModulusTooLarge => "an RSA key that is too large",
                _ => "not a valid SSH public key (mistyped or cut off?)",
            })
        })?;
        match &key {
            AgeRecipient::SshEd25519(_, point) if point.is_small_order() => {
                Err(refuse("a weak public key that protects nothing"))
            }
            _ => Ok(Self { text: text.into(), key }),
        }
    }
}

impl Recipient for SshRecipient {
    fn kind(&self) -> &'static str {
        kind_of(&self.key)
    }

    fn id(&self) -> &str {
        &self.text
    }

    fn wrap(&self, key: &SecretBytes) -> Result<String, KeyError> {
        age_file::seal(&self.key, key).map_err(|_| KeyError::Encrypt {
            recipient: short_recipient(&self.text),
            why: "the key could not be encrypted",
        })
    }

    fn to_age(&self) -> Option<&dyn age::Recipient> {
        Some(&self.key)
    }
}

impl fmt::Debug for SshRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short_recipient(&self.text))
    }
}

struct SshIdentity {
    key: AgeIdentity,
    public: AgeRecipient,
    /// What a stanza for this key has as its first argument.
    tag: String,
    name: String,
    access: Access,
    unlocked: OnceLock<Result<AgeIdentity, KeyError>>,
}

impl SshIdentity {
    fn new(key: AgeIdentity, name: &str, access: &Access) -> Result<Self, KeyError> {
        if let AgeIdentity::Unsupported(why) = &key {
            return Err(KeyError::Identity(unsupported(why)));
        }
        let public = AgeRecipient::try_from(key.clone())
            .map_err(|_| KeyError::Identity("an SSH key of an unsupported type or size"))?;
        let (AgeRecipient::SshRsa(blob, _) | AgeRecipient::SshEd25519(blob, _)) = &public;
        let tag = BASE64_STANDARD_NO_PAD.encode(&Sha256::digest(blob)[..4]);
        Ok(Self { key, public, tag, name: name.into(), access: access.clone(), unlocked: OnceLock::new() })
    }

    fn is_addressed(&self, wrapped: &WrappedKey) -> bool {
        let kind = kind_of(&self.public);
        wrapped.stanzas().iter().any(|stanza| stanza.tag == kind && stanza.args.first() == Some(&self.tag))
    }

    /// The key, after its passphrase was asked for if it has one: once for all files.
    fn unlocked(&self) -> Result<&AgeIdentity, KeyError> {
        let AgeIdentity::Encrypted(locked) = &self.key else { return Ok(&self.key) };
        let opened = self.unlocked.get_or_init(|| {
            let passphrase = self.access.prompt().passphrase(&self.name);
            let passphrase = passphrase.ok_or_else(|| KeyError::NoPassphrase(self.name.clone()))?;
            let key = locked.decrypt(SecretString::from(passphrase.expose()));
            key.map(AgeIdentity::from).map_err(|_| KeyError::WrongPassphrase(self.name.clone()))
        });
        opened.as_ref().map_err(Clone::clone)
    }
}

fn unsupported(why: &UnsupportedKey) -> &'static str {
    match why {
        UnsupportedKey::EncryptedPem => {
            "an SSH key in the old encrypted PEM form; `ssh-keygen -p -f FILE` writes it in the new one"
        }
        UnsupportedKey::EncryptedSsh(_) => "an SSH key encrypted with an unsupported cipher",
        UnsupportedKey::Hardware(_) => "an SSH key on a hardware token, which cannot decrypt",
        UnsupportedKey::Type(_) => "an SSH key of an unsupported type (only ssh-ed25519 and ssh-rsa are supported)",
    }
}

impl Identity for SshIdentity {
    fn kind(&self) -> &'static str {
        kind_of(&self.public)
    }

    fn recipient(&self) -> Option<String> {
        Some(self.public.to_string())
    }

    fn effort(&self) -> Effort {
        match self.key {
            AgeIdentity::Encrypted(_) => Effort::Passphrase,
            _ => Effort::Compute,
        }
    }

    fn open(&self, wrapped: &WrappedKey) -> Option<Result<SecretBytes, KeyError>> {
        if !self.is_addressed(wrapped) {
            return None;
        }
        match self.unlocked() {
            Ok(key) => wrapped.open(key),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests;
