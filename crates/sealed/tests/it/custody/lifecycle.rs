//! The table: what is decided in which world.

use sealed::custody::{Bootstrap, DAY, IDLE_ANNOTATION, KeyState, KeyType, Step, WaitReason};

use super::stage::Stage;
use crate::made::Person;

fn running() -> (Stage, Person) {
    let person = Person::new(1);
    let mut stage = Stage::new(&[&person]);
    assert_eq!(stage.settle(), []);
    (stage, person)
}

#[test]
fn a_first_start_makes_publishes_and_escrows_one_key() {
    let person = Person::new(1);
    let mut stage = Stage::new(&[&person]);
    assert_eq!(stage.decide(), [Step::Make { successor: false }]);
    assert_eq!(stage.settle(), []);
    let (active, chain) = (stage.active(), stage.chain());
    assert!(active.name.starts_with("plomb-key-") && active.name.len() == "plomb-key-20260101-0123ab".len());
    assert_eq!(chain.statements().len(), 1);
    assert_eq!((chain.newest().number, &chain.newest().recipient), (1, &active.recipient));
    let escrow = stage.published().escrow.unwrap();
    assert!(escrow.is_whole() && escrow.note.recovery == [person.recipient.clone()]);
    assert_eq!(stage.secrets.len(), 1);
}

/// Resources before the start, mode, and what comes of it.
#[test]
fn who_may_make_a_first_key() {
    let stranger = Person::new(9).recipient;
    let foreign = [stranger.as_str()];
    let cases: [(Bootstrap, &[&str], Option<&str>); 6] = [
        (Bootstrap::Auto, &[], None),
        (Bootstrap::Auto, &foreign, Some("UnknownRecipients")),
        (Bootstrap::Wait, &[], Some("WaitingForKey")),
        (Bootstrap::Wait, &foreign, Some("WaitingForKey")),
        (Bootstrap::New, &[], None),
        (Bootstrap::New, &foreign, None),
    ];
    for (bootstrap, recipients, waits) in cases {
        let mut stage = Stage::new(&[]);
        stage.settings.bootstrap = bootstrap;
        if !recipients.is_empty() {
            stage.resource("prod/db", recipients);
        }
        let steps = stage.settle();
        let reason = stage.waits();
        assert_eq!(reason.as_ref().map(WaitReason::word), waits, "{bootstrap:?} {recipients:?}");
        assert_eq!(stage.secrets.is_empty(), waits.is_some(), "{bootstrap:?} {steps:?}");
    }
}

#[test]
fn a_deleted_key_is_never_replaced_silently() {
    for used in [true, false] {
        let (mut stage, _) = running();
        let lost = stage.active();
        if used {
            stage.resource("prod/db", &[&lost.recipient]);
        }
        stage.secrets.clear();
        stage.settle();
        let reason = stage.waits().unwrap();
        assert_eq!(reason, WaitReason::KeyDeleted(lost.recipient.clone()));
        assert!(reason.to_string().contains("restore"), "{reason}");
        assert!(stage.secrets.is_empty());
        // The ConfigMap gone too: resources tell.
        let config_map = stage.config_map.clone();
        stage.write_config_map(None);
        if used {
            stage.settle();
            assert_eq!(stage.waits().unwrap().word(), "UnknownRecipients");
            assert!(stage.secrets.is_empty());
        }
        // A ConfigMap that cannot be read is not the same as none.
        let mut broken = config_map.clone().unwrap();
        broken.insert("recipients.yaml".into(), "statements: [{}]".into());
        stage.write_config_map(Some(broken));
        stage.settle();
        assert_eq!(stage.waits().unwrap().word(), "PublishedUnreadable");
        // Somebody who says `new` gets a new chain.
        stage.write_config_map(config_map);
        stage.settings.bootstrap = Bootstrap::New;
        stage.settle();
        assert_ne!(stage.active().recipient, lost.recipient);
        assert_eq!(stage.chain().newest().number, 1);
    }
}

#[test]
fn the_escrow_of_a_lost_key_is_kept_beside_the_new_one_while_resources_need_it() {
    let (mut stage, person) = running();
    let lost = stage.active();
    stage.resource("prod/db", &[&lost.recipient]);
    let before = stage.published().escrow.unwrap();
    stage.secrets.clear();
    stage.settings.bootstrap = Bootstrap::New;
    let steps = stage.settle();
    assert_ne!(stage.active().recipient, lost.recipient);
    let published = stage.published();
    assert_eq!(
        published.escrow.as_ref().unwrap().note.keys,
        [stage.active().recipient],
        "the new key is in the backup"
    );
    assert_eq!(published.older, std::slice::from_ref(&before), "the only copy of the lost key");
    let seen = stage.look();
    let world = stage.world(&seen);
    let (status, reason, message) = world.escrow().condition();
    assert_eq!((status, reason), ("True", "Escrowed"));
    assert!(message.contains(keys::short_recipient(&lost.recipient).as_str()), "{message}");
    // Without a ConfigMap the status is the memory; both give every key back.
    let said = sealed::custody::status(&world, &steps, None);
    assert_eq!(sealed::custody::Published::read(None, Some(&said)), published);
    let map = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": stage.config_map});
    let object = serde_json::json!({"apiVersion": "plomb.dev/v1alpha1", "kind": "ClusterRecipient",
        "metadata": {"name": "prod"}, "status": said});
    for text in [map.to_string(), object.to_string()] {
        let files = sealed::custody::escrows_in(text.into());
        let mut all = sealed::custody::restore(&files[0], &person.ring()).unwrap();
        all.add(sealed::custody::restore(&files[1], &person.ring()).unwrap());
        let found: Vec<_> = all.records.iter().map(|record| record.recipient.clone()).collect();
        assert_eq!((files.len(), found), (2, vec![stage.active().recipient, lost.recipient.clone()]));
    }
    drop(seen);
    // Nothing needs it any more.
    stage.resources.clear();
    stage.settle();
    let after = stage.published();
    assert_eq!((after.escrow.unwrap().note.keys, after.older.len()), (vec![stage.active().recipient], 0));
}

#[test]
fn every_lost_key_stays_in_a_file_however_many_are_lost() {
    let (mut stage, person) = running();
    let (mut lost, mut is_full) = (Vec::new(), false);
    while !is_full {
        let old = stage.active();
        stage.resource(&format!("evil/{}", old.name), &[&old.recipient]);
        stage.now += 90 * DAY;
        stage.settle();
        stage.secrets.remove(&old.name);
        stage.settle();
        lost.push(old.recipient);
        assert!(lost.len() < 40, "it says when no more can be kept");
        let seen = stage.look();
        let (status, reason, _) = stage.world(&seen).escrow().condition();
        is_full = status == "False";
        assert_eq!(reason, if is_full { "KeyMissing" } else { "Escrowed" });
    }
    let published = stage.published();
    let files = published.older.iter().chain(&published.escrow);
    let open = |file: &sealed::custody::EscrowFile| sealed::custody::restore(file.file.as_bytes(), &person.ring());
    let found: Vec<_> = files.flat_map(|file| open(file).unwrap().records).map(|record| record.recipient).collect();
    assert!(lost.iter().all(|name| found.contains(name)), "nothing is given up");
    assert_eq!(published.older.len(), 8);
}

#[test]
fn a_key_is_renewed_when_it_is_old() {
    let (mut stage, _) = running();
    let old = stage.active();
    stage.now += 90 * DAY - 1;
    assert_eq!(stage.decide(), []);
    stage.now += 1;
    assert_eq!(stage.decide(), [Step::Make { successor: false }]);
    stage.settle();
    let (new, chain) = (stage.active(), stage.chain());
    assert_ne!(new.recipient, old.recipient);
    assert_eq!(stage.named(KeyState::DecryptOnly), std::slice::from_ref(&old.name));
    assert_eq!(chain.newest().number, 2);
    assert_eq!(chain.newest().statement_key, chain.statements()[0].statement_key, "what people pinned stays");
    assert_eq!(stage.published().escrow.unwrap().note.keys.len(), 2);
    // Never by itself when it is off.
    stage.settings.renew_after = 0;
    stage.now += 10_000 * DAY;
    assert!(!stage.settle().iter().any(Step::is_write));
    assert_eq!(stage.active().recipient, new.recipient);
}

#[test]
fn a_key_that_is_gone_and_needed_stops_no_renewal_and_is_told_with_the_resources() {
    let (mut stage, _) = running();
    let old = stage.active();
    stage.now += 90 * DAY;
    stage.settle();
    let second = stage.active();
    stage.resource("evil/ghost", &[&old.recipient]);
    stage.secrets.remove(&old.name);
    let steps = stage.settle();
    let [Step::Miss { recipient, needed_by }] = steps.as_slice() else { panic!("{steps:?}") };
    assert_eq!((recipient, needed_by.to_string().as_str()), (&old.recipient, "evil/ghost"));
    let seen = stage.look();
    let status = sealed::custody::status(&stage.world(&seen), &steps, None);
    let of = |type_: &str| status.conditions.iter().find(|it| it.type_ == type_).unwrap().clone();
    let (ready, escrowed) = (of("Ready"), of("Escrowed"));
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("True", "Published"));
    assert!(ready.message.contains("evil/ghost"), "{}", ready.message);
    assert_eq!((escrowed.status.as_str(), escrowed.reason.as_str()), ("True", "Escrowed"));
    drop(seen);
    stage.now += 90 * DAY;
    stage.settle();
    assert_ne!(stage.active().recipient, second.recipient, "renewed");
    let published = stage.published();
    let mut here: Vec<_> = stage.records().into_iter().map(|record| record.recipient).collect();
    here.sort();
    assert_eq!(published.escrow.unwrap().note.keys, here);
    assert!(published.older.iter().any(|file| file.note.keys.contains(&old.recipient)), "no key is lost");
}

#[test]
fn an_unreadable_key_secret_stops_everything_that_could_lose_it() {
    let (mut stage, _) = running();
    let name = stage.active().name;
    stage.now += 100 * DAY;
    let good = stage.secrets[&name].data["identity.agekey"].clone();
    for broken in [b"canary".to_vec(), Vec::new(), vec![0xff; 40]] {
        stage.touch(&name).data.insert("identity.agekey".into(), broken);
        let Some(WaitReason::Unreadable(errors)) = stage.waits() else { panic!("{:?}", stage.decide()) };
        assert_eq!(errors[0].name, name);
        assert!(!errors[0].to_string().contains("canary"));
        assert_eq!(stage.decide().len(), 1);
        let seen = stage.look();
        let (status, reason, message) = stage.world(&seen).escrow().condition();
        assert_eq!((status, reason), ("False", "KeyUnreadable"), "not that there is none");
        assert!(message.contains(&name) && !message.contains("canary"), "{message}");
    }
    stage.touch(&name).data.insert("identity.agekey".into(), good);
    stage.settle();
    assert_eq!(stage.secrets.len(), 2, "renewed once it can be read again");
}

#[test]
fn a_person_who_revokes_the_active_key_gets_a_successor_first() {
    let (mut stage, _) = running();
    let old = stage.active();
    stage.resource("prod/db", &[&old.recipient]);
    stage.annotate(&old.name, "plomb.dev/revoke", "true");
    let mut said = Vec::new();
    for _ in 0..10 {
        let seen = stage.look();
        let steps = sealed::custody::decide(&stage.world(&seen));
        for step in steps {
            stage.take(&seen, &step);
            said.push(step);
        }
    }
    let at = |wanted: &dyn Fn(&Step) -> bool| said.iter().position(wanted).unwrap();
    let made = at(&|step| *step == Step::Make { successor: true });
    let published = at(&|step| *step == Step::Publish);
    let revoked = at(&|step| matches!(step, Step::Revoke { .. }));
    assert!(made < published && published < revoked, "{said:?}");
    let Step::Revoke { losers, .. } = &said[revoked] else { unreachable!() };
    assert_eq!((losers.count, losers.first.as_slice()), (1, &["prod/db".to_owned()][..]));
    assert_eq!(stage.named(KeyState::Revoked), [old.name]);
    let chain = stage.chain();
    let (first, second) = (&chain.statements()[0], chain.newest());
    assert_ne!(first.statement_key, second.statement_key, "the old statement key may be known to somebody");
    assert!(second.is_endorsed_by(&first.statement_key));
    // The next renewal keeps the new statement key.
    stage.now += 90 * DAY;
    stage.settle();
    assert_eq!(stage.chain().newest().statement_key, second.statement_key);
}

#[test]
fn a_label_that_a_person_edits_is_respected() {
    let (mut stage, _) = running();
    let only = stage.active();
    stage.label(&only.name, "revoked");
    stage.settle();
    assert_eq!(stage.waits(), Some(WaitReason::NoneActive));
    assert_eq!(stage.named(KeyState::Revoked), std::slice::from_ref(&only.name));
    let seen = stage.look();
    let keys = sealed::custody::keys(&stage.world(&seen));
    assert!(keys.is_empty() && keys.is_revoked(&only.recipient));
    drop(seen);
    stage.settings.bootstrap = Bootstrap::New;
    stage.settle();
    let chain = stage.chain();
    assert_eq!(chain.newest().number, 2);
    assert_ne!(chain.newest().statement_key, chain.statements()[0].statement_key);
    // A word that is no state is not guessed at.
    let new = stage.active().name;
    stage.label(&new, "Active");
    assert_eq!(stage.waits().unwrap().word(), "KeyUnreadable");
}

#[test]
fn of_two_active_keys_the_newest_wins_and_an_old_one_can_be_brought_back() {
    let (mut stage, _) = running();
    let old = stage.active();
    stage.now += 90 * DAY;
    stage.settle();
    let new = stage.active();
    stage.label(&old.name, "active");
    stage.settle();
    assert_eq!(stage.active().name, new.name);
    assert_eq!(stage.named(KeyState::DecryptOnly), std::slice::from_ref(&old.name));
    // Somebody takes the new one out of use: the old one is stated anew, the chain only ever grows.
    let before = stage.chain();
    stage.label(&old.name, "active");
    stage.label(&new.name, "decrypt-only");
    stage.now -= 80 * DAY;
    stage.settle();
    assert_eq!(stage.active().name, old.name);
    let after = stage.chain();
    assert_eq!((after.newest().number, &after.newest().recipient), (3, &old.recipient));
    assert!(after.follows(&before, sealed::custody::Accept::default()).is_ok());
}

#[test]
fn a_key_may_go_when_nothing_needed_it_for_long_enough() {
    let (mut stage, _) = running();
    let old = stage.active();
    stage.resource("prod/db", &[&old.recipient]);
    stage.now += 90 * DAY;
    stage.settle();
    assert_eq!(stage.decide(), []);
    let new = stage.active();
    stage.resources[0].1.push(new.recipient.clone());
    stage.settle();
    let since = stage.secrets[&old.name].annotations[IDLE_ANNOTATION].clone();
    assert_eq!(since, sops::Timestamp(stage.now).to_string());
    // It is needed again, and then not: the clock starts anew.
    stage.resource("prod/late", &[&old.recipient]);
    stage.settle();
    assert!(!stage.secrets[&old.name].annotations.contains_key(IDLE_ANNOTATION));
    stage.resources.pop();
    stage.settle();
    stage.now += 30 * DAY - 1;
    assert_eq!(stage.settle(), []);
    stage.now += 1;
    let since = sops::Timestamp(stage.now - 30 * DAY);
    assert_eq!(stage.settle(), [Step::MayRetire { secret: old.name.clone(), since }]);
    stage.secrets.remove(&old.name);
    assert_eq!(stage.settle(), []);
    assert_eq!(stage.published().escrow.unwrap().note.keys, [new.recipient]);
    assert_eq!(stage.chain().statements().len(), 2, "what was said stays said");
}

#[test]
fn recovery_recipients_decide_about_the_escrow() {
    let (classic, hybrid) = (Person::new(1), Person::hybrid(2));
    let cases: [(KeyType, &[&Person], &str); 6] = [
        (KeyType::X25519, &[], "NoRecoveryRecipients"),
        (KeyType::Hybrid, &[], "NoRecoveryRecipients"),
        (KeyType::X25519, &[&classic], "Escrowed"),
        (KeyType::X25519, &[&hybrid], "Escrowed"),
        (KeyType::Hybrid, &[&hybrid, &classic], "Escrowed"),
        (KeyType::Hybrid, &[&classic], "NotPostQuantum"),
    ];
    for (key_type, recovery, reason) in cases {
        let mut stage = Stage::new(recovery);
        stage.settings.key_type = key_type;
        let steps = stage.settle();
        let seen = stage.look();
        let world = stage.world(&seen);
        let (status, said, message) = world.escrow().condition();
        assert_eq!((said, status == "True"), (reason, reason == "Escrowed"), "{key_type:?} {message}");
        assert_eq!(seen_recovery(&stage).len(), usize::from(reason == "Escrowed"));
        let first = sealed::custody::status(&world, &steps, None);
        let mut later = world;
        later.now.0 += 1000;
        assert_eq!(sealed::custody::status(&later, &steps, Some(&first)), first, "the same world, the same status");
        assert_eq!(first.conditions[0].reason, reason);
        assert_eq!(first.keys[0].state, "active");
        // Without a ConfigMap the status is the memory.
        let again = sealed::custody::Published::read(None, Some(&first));
        assert_eq!(again, stage.published());
    }
}

fn seen_recovery(stage: &Stage) -> Vec<String> {
    stage.published().escrow.map(|escrow| escrow.note.recovery).unwrap_or_default()
}

#[test]
fn other_recovery_recipients_give_another_escrow() {
    let (mut stage, _) = running();
    let before = stage.published().escrow.unwrap();
    let other = Person::new(5);
    stage.settings.recovery = sealed::custody::Recovery::parse([&other.recipient]).unwrap();
    assert_eq!(stage.decide(), [Step::Escrow]);
    stage.settle();
    assert_ne!(stage.published().escrow.unwrap(), before);
    // Somebody else's file is replaced, and so is one with a note that was edited.
    for change in ["escrow.age", "escrow.json"] {
        let mut data = stage.config_map.clone().unwrap();
        data.entry(change.to_owned()).and_modify(|text| *text = text.replacen('a', "b", 1));
        stage.write_config_map(Some(data));
        stage.settle();
        assert!(stage.published().escrow.unwrap().is_whole());
    }
}

#[test]
fn a_chain_that_somebody_else_wrote_is_replaced() {
    let (mut stage, person) = running();
    let (mine, chain) = (stage.config_map.clone(), stage.chain());
    let mut other = Stage::new(&[&person]);
    other.cluster = stage.cluster.clone();
    other.reseed(8);
    other.settle();
    stage.write_config_map(other.config_map.clone());
    stage.settle();
    assert_eq!(stage.chain(), chain);
    assert_eq!(stage.config_map.as_ref().map(|it| &it["recipient"]), mine.as_ref().map(|it| &it["recipient"]));
}
