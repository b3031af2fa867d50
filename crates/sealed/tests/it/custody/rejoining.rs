//! Keys that come back after another first key was made: the chain that people pinned goes on, the younger one ends.

use sealed::custody::{Accept, Chain, DAY, KeyState, News, Step, decide};

use super::stage::Stage;
use crate::made::Person;

/// A cluster whose key was renewed so often, and what people pinned of it.
fn lost(renewals: usize) -> (Stage, Chain) {
    let person = Person::new(1);
    let mut stage = Stage::new(&[&person]);
    stage.settle();
    for _ in 0..renewals {
        stage.now += 90 * DAY;
        stage.settle();
    }
    let chain = stage.chain();
    (stage, chain)
}

/// A new cluster that made a key of its own, renewed so often.
fn anew(old: &Stage, renewals: usize) -> Stage {
    let mut stage = Stage::new(&[&Person::new(1)]);
    stage.cluster.uid = "uid-2".into();
    stage.reseed(99);
    stage.now = old.now + DAY;
    stage.settle();
    for _ in 0..renewals {
        stage.now += 90 * DAY;
        stage.settle();
    }
    // The old keys are as old as they are; their own renewal is another story.
    stage.settings.renew_after = 0;
    stage
}

/// Restores the key Secrets of `old` that `wanted` picks.
fn restore(stage: &mut Stage, old: &Stage, wanted: impl Fn(usize) -> bool) {
    let mut records = old.records();
    records.sort_by_key(sealed::custody::KeyRecord::number);
    let picked = records.iter().enumerate().filter(|(at, _)| wanted(*at));
    picked.for_each(|(_, record)| stage.create(&record.to_secret("plomb-system")));
}

fn check(stage: &mut Stage, old: &Stage, pinned: &Chain, own: &[String]) {
    stage.settle();
    let chain = stage.chain();
    let news = chain.follows(pinned, Accept { key: None, cluster_uid: Some("uid-2") });
    assert_eq!(news, Ok(News::More(1)), "what was pinned goes on");
    assert_eq!(stage.active().recipient, old.active().recipient, "files in Git are wrapped to this one");
    let (kept, records) = (stage.named(KeyState::DecryptOnly), stage.records());
    for name in own {
        assert!(kept.contains(name), "the key made meanwhile opens what was wrapped to it");
        let record = records.iter().find(|record| record.name == *name).unwrap();
        assert_eq!(record.statements, [], "and says nothing any more");
    }
    let escrow = stage.published().escrow.unwrap();
    assert_eq!(escrow.note.keys.len(), stage.secrets.len(), "every key is in the backup");
    assert!(stage.decide().iter().all(|step| !step.is_write()), "it comes to rest");
    stage.write_config_map(None);
    stage.settle();
    let news = stage.chain().follows(&chain, Accept::default());
    assert_eq!(news, Ok(News::Same), "and is the same when only the Secrets are left");
}

#[test]
fn the_pinned_chain_goes_on_whatever_was_made_meanwhile() {
    for before in [0, 1, 2, 4] {
        for meanwhile in [0, 1, 5] {
            let (old, pinned) = lost(before);
            let mut stage = anew(&old, meanwhile);
            let own: Vec<String> = stage.secrets.keys().cloned().collect();
            restore(&mut stage, &old, |_| true);
            check(&mut stage, &old, &pinned, &own);
        }
    }
}

#[test]
fn the_newest_key_alone_is_enough() {
    let (old, pinned) = lost(3);
    let mut stage = anew(&old, 4);
    let own: Vec<String> = stage.secrets.keys().cloned().collect();
    restore(&mut stage, &old, |at| at == 3);
    stage.settle();
    let news = stage.chain().follows(&pinned, Accept { key: None, cluster_uid: Some("uid-2") });
    assert_eq!((news, stage.active().recipient), (Ok(News::More(1)), old.active().recipient));
    assert_eq!(stage.named(KeyState::DecryptOnly), own);
}

#[test]
fn keys_that_come_one_by_one_end_in_the_same_chain() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (old, pinned) = lost(2);
        let mut stage = anew(&old, 0);
        let own: Vec<String> = stage.secrets.keys().cloned().collect();
        for wanted in order {
            restore(&mut stage, &old, |at| at == wanted);
            stage.settle();
        }
        check(&mut stage, &old, &pinned, &own);
    }
}

#[test]
fn old_keys_that_only_decrypt_change_nothing_until_one_is_active() {
    let (mut old, pinned) = lost(1);
    let newest = old.active().name;
    old.label(&newest, "decrypt-only");
    let mut stage = anew(&old, 0);
    let own = stage.active();
    let chain = stage.chain();
    restore(&mut stage, &old, |_| true);
    stage.settle();
    assert_eq!((stage.active().recipient, stage.chain()), (own.recipient, chain));
    old.label(&newest, "active");
    stage.label(&newest, "active");
    check(&mut stage, &old, &pinned, &[own.name]);
}

#[test]
fn a_crash_after_any_write_changes_nothing() {
    for dies_at in 0..8 {
        let (old, pinned) = lost(1);
        let mut stage = anew(&old, 0);
        let own: Vec<String> = stage.secrets.keys().cloned().collect();
        restore(&mut stage, &old, |_| true);
        let mut written = 0;
        while written < dies_at {
            let seen = stage.look();
            let steps = decide(&stage.world(&seen));
            let Some(step) = steps.iter().find(|step| step.is_write()) else { break };
            stage.take(&seen, &step.clone());
            written += 1;
        }
        check(&mut stage, &old, &pinned, &own);
    }
}

#[test]
fn younger_keys_that_somebody_brings_do_not_take_over() {
    let (mut stage, pinned) = lost(1);
    let other = anew(&stage, 0);
    let own = stage.active().recipient;
    restore(&mut stage, &other, |_| true);
    stage.settle();
    assert!(stage.chain().follows(&pinned, Accept::default()).is_ok());
    assert_eq!(stage.active().recipient, own);
    assert!(!matches!(stage.decide().as_slice(), [Step::Wait(_), ..]));
}
