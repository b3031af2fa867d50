//! Key Secrets: what is written is read back, and what cannot be read names the Secret and tells nothing.

use std::collections::BTreeMap;

use keys::{Access, Keyring, parse_key_file};
use sealed::custody::{KeyRecord, KeyState, KeyType};

use super::stage::{Stage, Stored, live};

fn made(key_type: KeyType) -> (Stage, KeyRecord) {
    let mut stage = Stage::new(&[]);
    stage.settings.key_type = key_type;
    stage.settle();
    let record = stage.active();
    (stage, record)
}

#[test]
fn a_record_survives_its_secret_and_others_can_read_it() {
    for (key_type, prefix) in [(KeyType::X25519, "age1"), (KeyType::Hybrid, "age1pq1")] {
        let (stage, record) = made(key_type);
        let secret = &stage.secrets[&record.name];
        assert_eq!(secret.labels["plomb.dev/key"], "active");
        assert_eq!(secret.annotations["plomb.dev/number"], "1");
        assert!(record.recipient.starts_with(prefix) && record.is_hybrid() == (key_type == KeyType::Hybrid));
        let entry = &secret.data["identity.agekey"];
        let identities = parse_key_file(entry, "x", &Access::none()).unwrap();
        assert_eq!(identities[0].recipient().as_ref(), Some(&record.recipient));
        let again = KeyRecord::of(&live(&record.name, secret)).unwrap();
        assert_eq!(again.to_secret("n").data, record.to_secret("n").data);
        assert_eq!((again.created, again.number()), (record.created, 1));
        let shown = format!("{record:?}");
        assert!(!shown.contains("SECRET-KEY") && shown.contains("active"), "{shown}");
        let yaml = record.to_secret("plomb-system").to_yaml().unwrap();
        let manifest = &crate::made::manifests(yaml.expose_str().unwrap())[0];
        let mut keys = sealed::Keys::new(Keyring::new());
        assert_eq!(keys.add_secret(manifest).unwrap(), 1, "render takes it as it is");
    }
}

#[test]
fn a_key_that_was_brought_along_can_open_but_not_speak() {
    let (stage, record) = made(KeyType::X25519);
    let entry = stage.secrets[&record.name].data["identity.agekey"].clone();
    let secret = |state: &str, entries: &[&str]| Stored {
        labels: BTreeMap::from([("plomb.dev/key".to_owned(), state.to_owned())]),
        data: entries.iter().map(|name| ((*name).to_owned(), entry.clone())).collect(),
        ..Stored::default()
    };
    let flux = KeyRecord::of(&live("sops-age", &secret("decrypt-only", &["age.agekey"]))).unwrap();
    assert_eq!((flux.state, &flux.recipient, flux.number()), (KeyState::DecryptOnly, &record.recipient, 0));
    assert!(KeyRecord::of(&live("sops-age", &secret("decrypt-only", &["keys.txt"]))).is_ok());
    for (state, entries, why) in [
        ("active", &["age.agekey"][..], "no statement key"),
        ("decrypt-only", &["a.agekey", "b.agekey"], "more than one"),
        ("decrypt-only", &["a.txt", "b.txt"], "more than one"),
        ("decrypt-only", &[], "no entry"),
    ] {
        let error = KeyRecord::of(&live("sops-age", &secret(state, entries))).unwrap_err();
        assert_eq!(error.name, "sops-age");
        assert!(error.why.contains(why), "{error}");
    }
}

#[test]
fn broken_secrets_are_named_and_not_shown() {
    let (mut stage, record) = made(KeyType::X25519);
    let good = stage.touch(&record.name).clone();
    let canary = || b"AGE-SECRET-KEY-1CANARY".to_vec();
    type Change = fn(&mut Stored, Vec<u8>);
    let changes: [(Change, &str); 9] = [
        (|it, canary| drop(it.data.insert("identity.agekey".into(), canary)), "identity.agekey"),
        (|it, canary| drop(it.data.insert("statement.key".into(), canary)), "statement.key"),
        (|it, canary| drop(it.data.insert("statements.json".into(), canary)), "statements.json"),
        (|it, _| drop(it.data.remove("identity.agekey")), "identity.agekey"),
        (|it, _| drop(it.data.remove("statement.key")), "statement key"),
        (|it, _| drop(it.labels.insert("plomb.dev/key".into(), "canary".into())), "label"),
        (|it, _| it.labels.clear(), "label"),
        (|it, _| drop(it.annotations.insert("plomb.dev/created".into(), "canary".into())), "created"),
        (
            |it, _| {
                let twice = it.data["identity.agekey"].repeat(2);
                it.data.insert("identity.agekey".into(), twice);
            },
            "2 identities",
        ),
    ];
    for (change, why) in changes {
        let mut broken = good.clone();
        change(&mut broken, canary());
        let error = KeyRecord::of(&live(&record.name, &broken)).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(&record.name), "{error}");
        assert!(!error.to_lowercase().contains("canary"), "{error}");
    }
}
