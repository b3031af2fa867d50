//! Post-quantum keys: round trips and the traps of the key encapsulation.

use super::*;
use crate::{
    fixtures::{self, Counter},
    parse_identity, parse_key_file, parse_recipient,
};

fn bytes_of(recipient: &str) -> Vec<u8> {
    decode(recipient, RECIPIENT_HRP).unwrap().to_vec()
}

fn refused(bytes: &[u8]) -> bool {
    matches!(parse_recipient(&bech32_encode(RECIPIENT_HRP, bytes)), Err(KeyError::Recipient { .. }))
}

#[test]
fn a_new_key_opens_what_is_wrapped_for_it() {
    let (text, recipient) = generate(&mut Counter(1));
    assert!(text.expose().starts_with(IDENTITY_PREFIX) && recipient.len() == 1959);
    let identity = parse_identity(text.expose(), &Access::none()).unwrap();
    assert_eq!(identity.recipient().as_deref(), Some(recipient.as_str()));
    let key = SecretBytes::new((0..33).collect());
    let parsed = parse_recipient(&recipient).unwrap();
    let enc = parsed.wrap(&key).unwrap();
    assert_eq!(identity.unwrap(&enc).unwrap().unwrap(), key);
    assert_ne!(enc, parsed.wrap(&key).unwrap());

    let other = parse_identity(generate(&mut Counter(2)).0.expose(), &Access::none()).unwrap();
    assert!(other.unwrap(&enc).is_none());
}

#[test]
fn the_recipient_of_a_key_of_age_keygen() {
    let file = fixtures::read("keys/identities/pq.txt");
    let recipient = parse_key_file(&file, "", &Access::none()).unwrap()[0].recipient().unwrap();
    let listed = String::from_utf8(fixtures::read("keys/identities/recipients.json")).unwrap();
    assert!(listed.contains(&format!("\"pq\": \"{recipient}\"")));
}

/// FIPS 203, 7.2: a coefficient of q or more is not a public key.
#[test]
fn coefficients_beyond_the_modulus_are_refused() {
    let sound = bytes_of(&generate(&mut Counter(3)).1);
    assert!(!refused(&sound));
    for at in [0, 3, 600, 1149] {
        let mut bytes = sound.clone();
        (bytes[at], bytes[at + 1]) = (0xff, bytes[at + 1] | 0x0f);
        assert!(refused(&bytes), "coefficient at byte {at}");
    }
}

#[test]
fn weak_and_malformed_recipients_are_refused() {
    let sound = bytes_of(&generate(&mut Counter(4)).1);
    let weak = [&sound[..sound.len() - 32], &[0; 32]].concat();
    let long = [&sound[..], &[0]].concat();
    for bytes in [&weak[..], &long, &sound[1..], &[]] {
        assert!(refused(bytes));
    }
    let text = bech32_encode(RECIPIENT_HRP, &sound);
    for bad in [&text[..1900], &text.replace("age1pq1", "age1px1"), &format!("{text}q")] {
        assert!(parse_recipient(bad).is_err());
    }
}

#[test]
fn malformed_identities_are_refused() {
    let (text, _) = generate(&mut Counter(5));
    let text = text.expose();
    let x25519 = crate::generate_x25519(&mut Counter(5)).0;
    let relabelled = x25519.expose().replace("KEY-1", "KEY-PQ-1");
    for bad in [&text[..60], &text.to_lowercase(), &format!("{text}Q"), &relabelled] {
        assert!(parse_identity(bad, &Access::none()).is_err());
    }
}
