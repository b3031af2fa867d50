//! `RewrapRequest`: what comes back, and that it is no oracle.

use document::Format as _;
use document::format::Yaml;
use keys::WrappedKey as Parsed;
use sealed::custody::{DAY, KeyState, keys as cluster_keys, rewrap_entries};
use sealed::{Reason, write};
use secret::SecretBytes;
use serde_json::Value;
use sops::Encrypted;

use super::stage::Stage;
use crate::made::{Person, api, draft, object};

/// A file for a person and the cluster's key, and the cluster after a renewal.
fn renewed() -> (Stage, Person, String, String) {
    let mut stage = Stage::new(&[]);
    stage.settle();
    let old = stage.active();
    let person = Person::new(1);
    let readers = [person.recipient.clone(), old.recipient.clone()];
    let file = sealed_for(&readers);
    stage.now += 90 * DAY;
    stage.settle();
    (stage, person, old.recipient, file)
}

fn sealed_for(readers: &[String]) -> String {
    let mut rng = testkit::FixedRandom::new(3);
    let key = secret::DataKey::generate(&mut rng);
    let policy = write::file_policy(sops::Policy { groups: vec![readers.to_vec()], ..sops::Policy::default() });
    let metadata = policy.metadata(&key, &keys::Access::none(), &mut rng).unwrap();
    let plain = write::plain_text(&draft()).unwrap();
    let sealing = sops::Sealing {
        key: &key,
        metadata,
        memory: sops::Memory::default(),
        options: sops::SealOptions::default(),
        rng: &mut rng,
        now: crate::made::NOW,
        created: crate::made::NOW,
    };
    let text = sops::seal(Yaml.parse(plain).unwrap(), sealing).unwrap().text.into_whole();
    text.expose_str().unwrap().to_owned()
}

fn answer(stage: &Stage, value: &Value, namespace: &str) -> Result<sealed::custody::Rewrapped, sealed::Refusal> {
    let seen = stage.look();
    let world = stage.world(&seen);
    rewrap_entries(&object(value), namespace, &cluster_keys(&world), &world)
}

#[test]
fn old_entries_of_the_cluster_are_replaced_and_people_stay_byte_for_byte() {
    let (stage, person, old, file) = renewed();
    let mut value = api(&file);
    let before = value["sops"]["age"].as_array().unwrap().clone();
    let got = answer(&stage, &value, "prod").unwrap();
    let current = stage.active().recipient;
    assert!(got.changed);
    let names: Vec<_> = got.age.iter().map(|entry| entry.recipient.as_str()).collect();
    assert_eq!(names, [person.recipient.as_str(), current.as_str()]);
    assert_eq!(got.age[0].enc, before[0]["enc"]);
    assert!(before[1]["recipient"] == old);
    // Put into the file it opens with the new key alone, and a second request changes nothing.
    value["sops"]["age"] = serde_json::to_value(&got.age).unwrap();
    assert!(!answer(&stage, &value, "prod").unwrap().changed);
    let mut later = Stage::new(&[]);
    later.cluster = stage.cluster.clone();
    later.secrets.extend(stage.secrets.iter().filter(|(name, _)| **name == stage.active().name).map(clone));
    let seen = later.look();
    assert!(sealed::open(&object(&value), &cluster_keys(&later.world(&seen))).is_ok());
    // The person's entry is the one that the real sops reads too.
    let text = serde_json::to_string(&value).unwrap();
    let doc = document::format::Json.parse(SecretBytes::from(text)).unwrap();
    assert!(Encrypted::new(doc).unwrap().data_key(&person.ring()).is_ok());
}

fn clone((name, stored): (&String, &super::stage::Stored)) -> (String, super::stage::Stored) {
    (name.clone(), stored.clone())
}

/// Whatever stands in the file, nothing is wrapped to anybody but the cluster.
#[test]
fn nobody_else_is_ever_wrapped_to() {
    let (stage, _, old, file) = renewed();
    let mallory = Person::new(66);
    let own = stage.records().into_iter().map(|it| it.recipient).collect::<Vec<_>>();
    let value = api(&file);
    let cluster_entry = value["sops"]["age"][1]["enc"].clone();
    let lies = [
        // The cluster's own wrapped key under another name.
        serde_json::json!([{"recipient": mallory.recipient, "enc": cluster_entry}]),
        serde_json::json!([{"recipient": mallory.recipient, "enc": cluster_entry}, {"recipient": old, "enc": cluster_entry}]),
        // A name without a key, beside the right one.
        serde_json::json!([{"recipient": mallory.recipient, "enc": "x"}, {"recipient": old, "enc": cluster_entry}]),
        serde_json::json!([{"recipient": mallory.recipient, "enc": ""}, {"recipient": old, "enc": cluster_entry}]),
        // The current name with an entry that is not for it.
        serde_json::json!([{"recipient": stage.active().recipient, "enc": cluster_entry}]),
    ];
    for lie in lies {
        let mut value = value.clone();
        value["sops"]["age"] = lie.clone();
        let Ok(got) = answer(&stage, &value, "prod") else { continue };
        for entry in &got.age {
            let is_own = own.contains(&entry.recipient);
            let was_there = lie.as_array().unwrap().iter().any(|it| it["enc"] == entry.enc);
            assert!(is_own || was_there, "{lie}");
            let opened = mallory.ring().unwrap(&entry.enc);
            assert!(opened.is_err(), "{lie}");
            if is_own {
                assert!(Parsed::parse(&entry.enc).is_ok());
            }
        }
        assert!(got.age.iter().any(|entry| entry.recipient == stage.active().recipient));
    }
}

#[test]
fn what_would_not_be_applied_is_not_wrapped_either() {
    let (mut stage, _, old, file) = renewed();
    let value = api(&file);
    let refused = |stage: &Stage, value: &Value, namespace: &str| answer(stage, value, namespace).unwrap_err().reason;
    assert_eq!(refused(&stage, &value, "dev"), Reason::BindingMismatch);
    let mut moved = value.clone();
    moved["metadata"]["namespace"] = "dev".into();
    assert_eq!(refused(&stage, &moved, "dev"), Reason::BindingMismatch);
    let mut swapped = value.clone();
    swapped["spec"]["secrets"]["other"] = swapped["spec"]["secrets"]["admin"].take();
    swapped["spec"]["secrets"].as_object_mut().unwrap().remove("admin");
    assert_eq!(refused(&stage, &swapped, "prod"), Reason::DecryptFailed);
    let mut removed = value.clone();
    removed["spec"]["secrets"]["admin"]["stringData"].as_object_mut().unwrap().remove("password");
    assert_eq!(refused(&stage, &removed, "prod"), Reason::MacMismatch);
    let mut kind = value.clone();
    kind["kind"] = "SopsSecret".into();
    assert_eq!(refused(&stage, &kind, "prod"), Reason::InvalidFormat);
    // The key that opens it is revoked, or nothing is published.
    let name = stage.records().into_iter().find(|it| it.recipient == old).unwrap().name;
    stage.label(&name, "revoked");
    assert_eq!(refused(&stage, &value, "prod"), Reason::KeyRevoked);
    stage.label(&name, KeyState::DecryptOnly.word());
    assert!(answer(&stage, &value, "prod").is_ok());
    stage.write_config_map(None);
    assert_eq!(refused(&stage, &value, "prod"), Reason::KeyNotFound);
}
