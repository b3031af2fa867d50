//! No secret shows in what the crate prints: every public type that can hold one, and every error about one.

use std::sync::Arc;

use keys::{Access, Keyring, WrappedKey, generate_hybrid, generate_x25519, parse_identity, parse_key_file, split};
use secret::{OsRandom, Random, SecretBytes};

/// Finds `secret` in `shown`, as text in any case, as hex and as a list of decimal bytes.
fn is_in(secret: &[u8], shown: &str) -> bool {
    let shown = shown.to_lowercase();
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = String::from_utf8_lossy(secret).to_lowercase();
    let list = format!("{:?}", &secret[..8]);
    [hex.as_str(), text.as_str(), list.trim_matches(['[', ']'])].iter().any(|form| shown.contains(form))
}

#[test]
fn identities_and_keys_are_never_printed() {
    let random: &mut dyn Random = &mut OsRandom::new();
    for (text, recipient) in [generate_x25519(random), generate_hybrid(random)] {
        let mut data_key = vec![0; 32];
        random.fill(&mut data_key);
        let identity = parse_identity(text.expose(), &Access::none()).unwrap();
        let enc = keys::parse_recipient(&recipient).unwrap().wrap(&SecretBytes::new(data_key.clone())).unwrap();
        let opened = identity.unwrap(&enc);
        let shares = split(&SecretBytes::new(data_key.clone()), 2, 3, random);
        let mut shown = format!("{identity:?} {text:?} {opened:?} {shares:?} {:?}", WrappedKey::parse(&enc));
        let mut ring = Keyring::new();
        ring.add(identity, "file");
        shown += &format!("{ring:?} {ring:#?} {:?}", ring.unwrap(&enc));
        assert!(!is_in(text.expose().as_bytes(), &shown), "{shown}");
        assert!(!is_in(&data_key, &shown), "{shown}");
    }
}

#[test]
fn errors_never_echo_what_was_typed() {
    const CANARY: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let texts = [
        format!("AGE-SECRET-KEY-1{}", CANARY.to_uppercase()),
        format!("AGE-SECRET-KEY-PQ-1{}", CANARY.to_uppercase()),
        format!("AGE-PLUGIN-X-1{}", CANARY.to_uppercase()),
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----\n"),
        format!("-----BEGIN AGE ENCRYPTED FILE-----\n{CANARY}\n"),
        format!("password {CANARY}"),
        CANARY.to_owned(),
    ];
    for text in texts {
        let mut shown = format!("{:?}", parse_identity(&text, &Access::none()));
        shown += &format!("{:?}", parse_key_file(text.as_bytes(), "file", &Access::none()));
        shown += &format!("{:?}", keys::parse_key_variable(&text, &Access::none()));
        shown += &format!("{:?} {}", keys::parse_recipient(&text), keys::short_recipient(&text));
        shown += &format!("{:?}", Keyring::new().unwrap(&text));
        assert!(!is_in(CANARY.as_bytes(), &shown), "{shown}");
    }
}

/// A prompt's answer stays inside too.
#[test]
fn access_shows_plugins_only() {
    struct Answer(#[expect(dead_code, reason = "only there to be looked for")] &'static str);
    impl keys::Prompt for Answer {
        fn passphrase(&self, _: &str) -> Option<secret::SecretString> {
            None
        }
    }
    let access = Access::new(Arc::new(Answer("canary")), ["yubikey".to_owned()]);
    assert!(format!("{access:?}").contains("yubikey") && !format!("{access:?}").contains("canary"));
}
