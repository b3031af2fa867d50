//! Someone a data key can be wrapped to, and how a recipient is named in messages.

use std::fmt;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use secret::SecretBytes;
use sha2::{Digest, Sha256};

use crate::{Access, KeyError, kind::KINDS};

/// Someone a data key can be wrapped to.
pub trait Recipient: fmt::Debug + Send + Sync {
    /// Key kind: `x25519`, `hybrid`, `ssh-ed25519`, `ssh-rsa`, `plugin`.
    fn kind(&self) -> &'static str;

    /// The recipient's text as given, trimmed: what metadata stores.
    fn id(&self) -> &str;

    /// Wraps `key` (32 or 33 bytes): ASCII armor with a final newline.
    ///
    /// # Errors
    /// When the recipient cannot be encrypted to (a plugin failed, a bad key).
    fn wrap(&self, key: &SecretBytes) -> Result<String, KeyError>;

    /// The age crate's view of it, for files with several recipients; `None` for plugins, which wrap alone.
    #[doc(hidden)]
    fn to_age(&self) -> Option<&dyn age::Recipient> {
        None
    }
}

/// Reads a recipient of any kind that needs neither a person nor a plugin.
///
/// # Errors
/// When `text` is not a valid recipient. A secret key is refused as such and not echoed.
pub fn parse_recipient(text: &str) -> Result<Box<dyn Recipient>, KeyError> {
    parse_recipient_with(text, &Access::none())
}

/// Reads a recipient of any kind; plugin recipients only where `access` allows their plugin.
///
/// # Errors
/// As [`parse_recipient`], and when a plugin is not allowed.
pub fn parse_recipient_with(text: &str, access: &Access) -> Result<Box<dyn Recipient>, KeyError> {
    let text = text.trim();
    if looks_secret(text) {
        return Err(KeyError::SecretAsRecipient);
    }
    KINDS.iter().find_map(|kind| kind.recipient(text, access)).unwrap_or(Err(KeyError::NotARecipient))
}

/// Whether `text` is, or has in it, a secret key where a public one was asked for.
fn looks_secret(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    upper.contains("AGE-SECRET-KEY-") || upper.starts_with("AGE-PLUGIN-") || upper.starts_with("-----BEGIN ")
}

/// How messages name a recipient: an age recipient as its first 12 and last 8 characters, an SSH key as its type
/// and fingerprint. Long text of any other sort is shortened the same way; a secret key is not shown at all.
pub fn short_recipient(text: &str) -> String {
    let text = text.trim();
    if looks_secret(text) {
        return "(a secret key)".into();
    }
    if let Some(short) = ssh_fingerprint(text) {
        return short;
    }
    let chars: Vec<char> = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    match chars.len() {
        0..=24 => chars.into_iter().collect(),
        n => chars[..12].iter().chain(&['…']).chain(&chars[n - 8..]).collect(),
    }
}

/// Whether two texts name the same recipient: SSH keys are compared without their comment.
pub fn same_recipient(a: &str, b: &str) -> bool {
    fn key(text: &str) -> (&str, &str) {
        let mut words = text.split_ascii_whitespace();
        match text.trim_start().starts_with("ssh-") {
            true => (words.next().unwrap_or_default(), words.next().unwrap_or_default()),
            false => (text.trim(), ""),
        }
    }
    key(a) == key(b)
}

/// `ssh-ed25519 SHA256:…`, as `ssh-keygen -l` prints it.
fn ssh_fingerprint(text: &str) -> Option<String> {
    let mut words = text.split_ascii_whitespace();
    let name = words.next().filter(|name| name.starts_with("ssh-") && name.len() <= 16)?;
    let blob = BASE64_STANDARD.decode(words.next()?).ok()?;
    Some(format!("{name} SHA256:{}", BASE64_STANDARD_NO_PAD.encode(Sha256::digest(blob))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names() {
        let cases = [
            ("age1d8v3r9npq5jhdn306sl66jqrz50lkhdt6ghm2cc2v56hn473h9rskfwjju", "age1d8v3r9np…rskfwjju"),
            (" age1short ", "age1short"),
            ("AGE-SECRET-KEY-1CANARY", "(a secret key)"),
            ("", ""),
            (
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP8jUvgwxLcz/ksZVZU2bpZEbaLQWIJQ8Hs+O+YAd/39 vec",
                "ssh-ed25519 SHA256:OMh5tfQ0/HtFnTQqSBtmfwVA7V/JMsmKwyDg96afUT4",
            ),
        ];
        for (text, short) in cases {
            assert_eq!(short_recipient(text), short);
        }
    }

    #[test]
    fn comments_of_ssh_keys_do_not_count() {
        assert!(same_recipient("ssh-rsa AAAA one", "ssh-rsa AAAA  two words\n"));
        assert!(!same_recipient("ssh-rsa AAAA one", "ssh-rsa AAAB one"));
        assert!(same_recipient(" age1x", "age1x\n") && !same_recipient("age1x", "age1x y"));
    }

    #[test]
    fn secret_keys_are_refused_and_not_echoed() {
        for text in [
            "AGE-SECRET-KEY-1CANARYCANARY",
            "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary",
            " age-secret-key-pq-1canarycanary\n",
            "AGE-PLUGIN-YUBIKEY-1CANARY",
        ] {
            let error = parse_recipient(text).unwrap_err();
            assert_eq!(error, KeyError::SecretAsRecipient);
            assert!(!format!("{error} {error:?}").to_lowercase().contains("canary"));
        }
    }

    #[test]
    fn unknown_text_is_refused_and_not_echoed() {
        for text in ["", "canary", "pgp:canary", "AGE1CANARY", "ssh-dss AAAA canary", "age canary"] {
            let error = parse_recipient(text).unwrap_err();
            assert_eq!(error, KeyError::NotARecipient, "{text}");
            assert!(!error.to_string().contains("canary"));
        }
    }
}
