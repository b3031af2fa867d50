//! SSH keys of both kinds.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use secret::SecretString;

use super::*;
use crate::{Prompt, fixtures, parse_key_file, parse_recipient};

/// Gives one answer and counts how often it was asked.
struct Answer(&'static str, AtomicUsize);

impl Prompt for Answer {
    fn passphrase(&self, what: &str) -> Option<SecretString> {
        assert_eq!(what, "id_locked");
        self.1.fetch_add(1, Ordering::Relaxed);
        Some(SecretString::new(self.0.into()))
    }
}

fn key(name: &str) -> Vec<u8> {
    fixtures::read(&format!("keys/identities/{name}"))
}

fn public(name: &str) -> String {
    String::from_utf8(key(&format!("{name}.pub"))).unwrap()
}

fn identity(name: &str) -> Result<Box<dyn Identity>, KeyError> {
    parse_key_file(&key(name), name, &Access::none()).map(|mut found| found.remove(0))
}

#[test]
fn both_types_open_what_is_wrapped_for_them() {
    let data_key = SecretBytes::new((0..33).collect());
    for (name, kind) in [("ssh_ed25519", ED25519), ("ssh_rsa", RSA), ("ssh_rsa_pem", RSA)] {
        let recipient = parse_recipient(&public(name)).unwrap();
        let identity = identity(name).unwrap();
        assert_eq!((recipient.kind(), identity.kind()), (kind, kind));
        assert_eq!(recipient.id(), public(name).trim());
        assert!(crate::same_recipient(&identity.recipient().unwrap(), recipient.id()));
        assert_eq!(identity.unwrap(&recipient.wrap(&data_key).unwrap()).unwrap().unwrap(), data_key);
        let without_comment = public(name).split(' ').take(2).collect::<Vec<_>>().join(" ");
        assert!(parse_recipient(&without_comment).is_ok());
    }
    let other = parse_recipient(&public("ssh_ed25519_locked")).unwrap().wrap(&data_key).unwrap();
    assert!(identity("ssh_ed25519").unwrap().unwrap(&other).is_none());
}

#[test]
fn a_locked_key_asks_once_and_only_when_addressed() {
    let data_key = SecretBytes::new(vec![5; 32]);
    let enc = parse_recipient(&public("ssh_ed25519_locked")).unwrap().wrap(&data_key).unwrap();
    let foreign = parse_recipient(&public("ssh_ed25519")).unwrap().wrap(&data_key).unwrap();
    let open = |answer: &'static str| {
        let prompt = Arc::new(Answer(answer, AtomicUsize::new(0)));
        let access = Access::new(prompt.clone(), []);
        let identity = parse_key_file(&key("ssh_ed25519_locked"), "id_locked", &access).unwrap().remove(0);
        assert_eq!(identity.effort(), Effort::Passphrase);
        assert!(identity.unwrap(&foreign).is_none());
        assert_eq!(prompt.1.load(Ordering::Relaxed), 0);
        let results = [identity.unwrap(&enc).unwrap(), identity.unwrap(&enc).unwrap()];
        assert_eq!(prompt.1.load(Ordering::Relaxed), 1);
        results
    };
    assert!(open("open sesame").into_iter().all(|result| result.unwrap() == data_key));
    for result in open("wrong") {
        assert_eq!(result.unwrap_err(), KeyError::WrongPassphrase("id_locked".into()));
    }
    let identity = identity("ssh_ed25519_locked").unwrap();
    assert_eq!(identity.unwrap(&enc).unwrap().unwrap_err(), KeyError::NoPassphrase("ssh_ed25519_locked".into()));
}

#[test]
fn windows_line_ends_and_other_types() {
    let crlf = String::from_utf8(key("ssh_ed25519")).unwrap().replace('\n', "\r\n");
    assert_eq!(parse_key_file(crlf.as_bytes(), "", &Access::none()).unwrap()[0].kind(), ED25519);
    for (name, hint) in [("ssh_ecdsa", "unsupported type"), ("ssh_rsa_pem_locked", "ssh-keygen -p")] {
        let error = identity(name).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
    }
    for (text, hint) in [
        (public("ssh_ecdsa"), "not a recipient"),
        ("ssh-ed25519 AAAA".into(), "mistyped"),
        (format!("{} \n{}", public("ssh_rsa"), public("ssh_rsa")), "more than one line"),
    ] {
        let error = parse_recipient(&text).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
    }
}

#[test]
fn cut_and_damaged_private_keys_are_errors() {
    for name in ["ssh_ed25519", "ssh_rsa", "ssh_rsa_pem", "ssh_ed25519_locked", "ssh_rsa_pem_locked"] {
        let whole = key(name);
        for len in (0..whole.len() - 10).step_by(17) {
            let mut cut = b"-----BEGIN ".to_vec();
            cut.extend(whole.iter().skip(11).take(len.saturating_sub(11)));
            assert!(parse_key_file(&cut, name, &Access::none()).is_err(), "{name} cut at {len}");
        }
        for at in (40..whole.len()).step_by(29) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x15;
            let _ = parse_key_file(&damaged, name, &Access::none());
        }
    }
}

#[test]
fn weak_public_keys_are_refused() {
    use base64::prelude::BASE64_STANDARD;
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20\x01".to_vec();
    blob.extend([0; 31]);
    let text = format!("ssh-ed25519 {}", BASE64_STANDARD.encode(blob));
    assert!(parse_recipient(&text).unwrap_err().to_string().contains("weak"), "{text}");
}
