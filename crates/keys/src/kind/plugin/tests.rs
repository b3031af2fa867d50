//! Plugins: names, permission, messages.

use super::*;
use crate::{parse_identity, parse_recipient, parse_recipient_with};

fn recipient(name: &str) -> String {
    age_core::primitives::bech32_encode(bech32::Hrp::parse_unchecked(&format!("age1{name}")), b"test")
}

fn identity(name: &str) -> String {
    let hrp = format!("age-plugin-{name}-");
    age_core::primitives::bech32_encode(bech32::Hrp::parse_unchecked(&hrp), b"test").to_uppercase()
}

#[test]
fn only_allowed_plugins_are_started() {
    let key = SecretBytes::new(vec![1; 32]);
    let parsed = parse_recipient(&recipient("yubikey")).unwrap();
    assert_eq!((parsed.kind(), parsed.id()), (NAME, recipient("yubikey").as_str()));
    assert_eq!(parsed.wrap(&key), Err(KeyError::PluginNotAllowed("yubikey".into())));

    let enc = parse_recipient(&crate::generate_x25519(&mut crate::fixtures::Counter(1)).1).unwrap().wrap(&key).unwrap();
    let parsed = parse_identity(&identity("yubikey"), &Access::none()).unwrap();
    assert_eq!((parsed.kind(), parsed.effort()), (NAME, Effort::Plugin));
    assert_eq!(parsed.unwrap(&enc).unwrap(), Err(KeyError::PluginNotAllowed("yubikey".into())));
}

#[test]
fn an_allowed_plugin_that_is_missing_is_named() {
    struct Nobody;
    impl Prompt for Nobody {
        fn passphrase(&self, _: &str) -> Option<secret::SecretString> {
            None
        }
    }
    let name = "surely-not-there";
    let access = Access::new(Arc::new(Nobody), [name.to_owned()]);
    let error = parse_recipient_with(&recipient(name), &access).unwrap().wrap(&SecretBytes::default()).unwrap_err();
    assert_eq!(error, not_found(name));
}

#[test]
fn names_are_never_paths() {
    for name in ["../x", "a/b", "a.b", "a b", "", "ä", "a_b", "A", &"x".repeat(65)] {
        assert!(!is_name(name), "{name}");
    }
    for bad in [recipient("a.b"), recipient("a/b"), recipient("a_b"), "age1yubikey1".into(), "age11q".into()] {
        assert!(parse_recipient(&bad).is_err(), "{bad}");
    }
    for bad in [identity("a/b"), identity("a.b"), "AGE-PLUGIN-1".into(), "AGE-PLUGIN--1QQQQQQ".into()] {
        assert!(parse_identity(&bad, &Access::none()).is_err(), "{bad}");
    }
}

#[test]
fn messages_are_harmless_on_a_terminal() {
    assert_eq!(clean("a\x1b[31mb\r\n\u{202e}c\u{2068}d"), "a[31mbcd");
    assert_eq!(clean(&"x".repeat(9999)).len(), MAX_MESSAGE_LEN);
}
