//! What the ring tries, in which order, and what it tells.

use secret::SecretBytes;

use super::*;
use crate::{Access, Effort, fixtures::Counter, generate_x25519, parse_identity, parse_recipient};

struct Pair {
    identity: Box<dyn Identity>,
    recipient: String,
}

fn pair(seed: u64) -> Pair {
    let (text, recipient) = generate_x25519(&mut Counter(seed));
    Pair { identity: parse_identity(text.expose(), &Access::none()).unwrap(), recipient }
}

fn wrap(recipient: &str, key: &SecretBytes) -> String {
    parse_recipient(recipient).unwrap().wrap(key).unwrap()
}

#[test]
fn the_fitting_identity_opens() {
    let key = SecretBytes::new(vec![7; 33]);
    let (one, two) = (pair(1), pair(2));
    let enc = wrap(&two.recipient, &key);
    let mut ring = Keyring::new();
    ring.add(one.identity, "one");
    assert!(!ring.has_recipient(&two.recipient));
    ring.add(two.identity, "two");
    assert!(ring.has_recipient(&two.recipient));
    assert_eq!(ring.unwrap(&enc).unwrap(), key);
}

#[test]
fn no_fit_and_damage_are_told_apart() {
    let key = SecretBytes::new(vec![7; 32]);
    let (one, two) = (pair(1), pair(2));
    let mut ring = Keyring::new();
    ring.add(one.identity, "file a");
    let unopened = ring.unwrap(&wrap(&two.recipient, &key)).unwrap_err();
    assert_eq!(unopened.damage(), None);
    assert_eq!(unopened.tried[0].outcome, Outcome::NotMine);
    assert_eq!(unopened.tried[0].source, "file a");
    assert_eq!(unopened.to_string(), "the identity at hand does not fit");

    let unopened = ring.unwrap(&wrap(&one.recipient, &SecretBytes::new(vec![7; 31]))).unwrap_err();
    assert_eq!(unopened.damage(), Some(&KeyError::KeyLength(31)));

    let unopened = ring.unwrap("-----BEGIN AGE").unwrap_err();
    assert!(matches!(unopened.unreadable, Some(KeyError::Armor(_))) && unopened.tried.is_empty());
    assert_eq!(Keyring::new().unwrap(&wrap(&one.recipient, &key)).unwrap_err().to_string(), "no identity at hand");
}

#[test]
fn costly_identities_are_asked_last() {
    struct Costly(Effort);
    impl Identity for Costly {
        fn kind(&self) -> &'static str {
            "test"
        }
        fn recipient(&self) -> Option<String> {
            Some(format!("{:?}", self.0))
        }
        fn effort(&self) -> Effort {
            self.0
        }
        fn open(&self, _: &WrappedKey) -> Option<Result<SecretBytes, KeyError>> {
            None
        }
    }
    let mut ring = Keyring::new();
    for effort in [Effort::Plugin, Effort::Compute, Effort::Passphrase, Effort::Compute] {
        ring.add(Box::new(Costly(effort)), "");
    }
    assert_eq!(ring.recipients().collect::<Vec<_>>(), ["Compute", "Compute", "Passphrase", "Plugin"]);
}

#[test]
fn debug_shows_no_identity() {
    let (text, _) = generate_x25519(&mut Counter(5));
    let mut ring = Keyring::new();
    ring.add(parse_identity(text.expose(), &Access::none()).unwrap(), "file a");
    ring.add_failed("file b", "not found");
    let shown = format!("{ring:?} {ring:#?}");
    assert!(shown.contains("file a") && shown.contains("not found"));
    assert!(!shown.to_uppercase().contains(text.expose()) && !shown.contains("AGE-SECRET"));
}

#[test]
fn a_label_changes_the_order_and_nothing_else() {
    let key = SecretBytes::new(vec![7; 32]);
    let (one, two) = (pair(1), pair(2));
    let mut ring = Keyring::new();
    ring.add(one.identity, "one");
    ring.add(two.identity, "two");
    for label in [&one.recipient, &two.recipient, "age1liar", ""] {
        assert_eq!(ring.unwrap_labelled(&wrap(&two.recipient, &key), label).unwrap(), key);
    }
    let foreign = wrap(&pair(3).recipient, &key);
    let sources = |label: &str| {
        let tried = ring.unwrap_labelled(&foreign, label).unwrap_err().tried;
        tried.into_iter().map(|tried| tried.source).collect::<Vec<_>>()
    };
    assert_eq!(sources(&two.recipient), ["two", "one"]);
    assert_eq!(sources("age1liar"), ["one", "two"]);
}

#[test]
fn a_ring_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Keyring>();
    shared::<Box<dyn crate::Recipient>>();
}
