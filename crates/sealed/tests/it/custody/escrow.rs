//! The backup: who opens it, what comes out, and what a damaged or foreign one does.

use sealed::custody::{DAY, KeyRecord, KeyState, RestoreError, restore};
use sealed::{DesiredSecret, LiveSecret};
use testkit::Scratch;
use testkit::peer::{self, Peer};

use super::stage::Stage;
use crate::made::Person;

fn escrowed(person: &Person) -> (Stage, String) {
    let mut stage = Stage::new(&[person]);
    stage.settle();
    stage.now += 90 * DAY;
    stage.settle();
    let file = stage.published().escrow.unwrap().file;
    (stage, file)
}

fn desired(record: &KeyRecord) -> DesiredSecret {
    record.to_secret("plomb-system")
}

#[test]
fn a_wiped_cluster_comes_back_with_every_key() {
    let person = Person::new(1);
    let (before, file) = escrowed(&person);
    let restored = restore(file.as_bytes(), &person.ring()).unwrap();
    assert_eq!(restored.active(), Some(before.active().recipient.as_str()));
    let mut after = Stage::new(&[&person]);
    after.cluster.uid = "uid-new".into();
    after.settings.bootstrap = sealed::custody::Bootstrap::Wait;
    after.settle();
    assert!(after.secrets.is_empty());
    for secret in &restored.secrets {
        let record = KeyRecord::of(&LiveSecret::of(secret).unwrap()).unwrap();
        after.create(&desired(&record));
    }
    after.now = before.now;
    after.settle();
    for state in [KeyState::Active, KeyState::DecryptOnly] {
        assert_eq!(after.named(state), before.named(state));
    }
    assert_eq!(after.chain().newest().fingerprint(), before.chain().newest().fingerprint());
}

#[test]
fn nobody_else_opens_it_and_damage_is_told() {
    let person = Person::new(1);
    let (_, file) = escrowed(&person);
    assert!(matches!(restore(file.as_bytes(), &Person::new(2).ring()), Err(RestoreError::Unopened(_))));
    for cut in [0, 10, 100, file.len() / 2, file.len() - 40] {
        assert!(restore(&file.as_bytes()[..cut], &person.ring()).is_err(), "{cut}");
    }
    for at in (0..file.len()).step_by(97) {
        let mut bytes = file.clone().into_bytes();
        bytes[at] ^= 1;
        assert!(restore(&bytes, &person.ring()).is_err(), "{at}");
    }
    for foreign in ["", "{}", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", "canary: ["] {
        let to = [keys::parse_recipient(&person.recipient).unwrap()];
        let file = keys::encrypt_file(&to, &secret::SecretBytes::from(foreign)).unwrap();
        let error = restore(file.as_bytes(), &person.ring()).unwrap_err();
        assert!(matches!(error, RestoreError::Content(_)), "{error}");
        assert!(!error.to_string().contains("canary"));
    }
}

#[test]
fn the_real_age_opens_an_escrow() {
    let test = "the_real_age_opens_an_escrow";
    let Some([age]) = peer::require(test, [Peer::Age]) else { return };
    for person in [Person::new(1), Person::hybrid(2)] {
        let (stage, file) = escrowed(&person);
        let scratch = Scratch::new("escrow");
        let identity = scratch.write("key.txt", person.key_file());
        let escrow = scratch.write("escrow.age", &file);
        let run = scratch.command(&age).args(["-d", "-i"]).arg(identity).arg(escrow).run();
        let objects = crate::made::manifests(&run.text());
        assert_eq!(objects.len(), 2);
        for object in &objects {
            let record = KeyRecord::of(&LiveSecret::of(object).unwrap()).unwrap();
            assert!(stage.records().iter().any(|it| it.recipient == record.recipient));
        }
    }
    peer::peer_test_ran(test);
}
