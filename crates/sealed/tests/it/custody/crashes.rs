//! Crashes between any two writes, a second leader that acts on what it saw earlier, and people who edit labels: after
//! all of it there is one active key, it is published, and nothing that anybody pinned is contradicted.

use proptest::prelude::*;
use sealed::custody::{Accept, Chain, DAY, KeyState, News, Step, decide};
use testkit::Dice;

use super::stage::{Seen, Stage};
use crate::made::Person;

/// What people who look at the cluster have seen of it.
struct Watch {
    pinned: Vec<Chain>,
    recipients: Vec<String>,
}

impl Watch {
    /// The chain goes on from every chain that was ever there, and whoever is published has a Secret.
    fn look(&mut self, stage: &Stage) {
        let published = stage.published();
        if published.damaged || published.statements.is_empty() {
            return;
        }
        let chain = Chain::verify(published.statements).expect("a published chain verifies");
        for pinned in &self.pinned {
            let key = chain.newest().fingerprint();
            let news = chain.follows(pinned, Accept { key: Some(&key), cluster_uid: None });
            assert!(matches!(news, Ok(News::Same | News::More(_))), "what was pinned holds: {news:?}");
        }
        let recipient = chain.newest().recipient.clone();
        assert!(stage.records().iter().any(|it| it.recipient == recipient), "published without a key");
        if !self.recipients.contains(&recipient) {
            self.recipients.push(recipient);
        }
        if self.pinned.last() != Some(&chain) {
            self.pinned.push(chain);
        }
    }
}

/// One leader's turn: it decides about what it sees, or saw, and dies after some of the steps.
fn turn(stage: &mut Stage, dice: &mut Dice, stale: &mut Option<Seen>, watch: &mut Watch) {
    let seen = match stale.take() {
        Some(old) if dice.chance(50) => old,
        _ => stage.look(),
    };
    let steps = decide(&stage.world(&seen));
    let survives = dice.below(steps.len() + 1);
    for step in steps.iter().take(survives) {
        stage.take(&seen, step);
        watch.look(stage);
    }
    if dice.chance(30) {
        *stale = Some(stage.look());
    }
}

/// Something happens from outside.
fn event(stage: &mut Stage, dice: &mut Dice) {
    let names: Vec<String> = stage.secrets.keys().cloned().collect();
    match dice.below(7) {
        0 | 1 => stage.now += DAY * i64::try_from(dice.below(120)).unwrap(),
        2 => stage.write_config_map(None),
        3 if !names.is_empty() => {
            let mut data = stage.config_map.clone().unwrap_or_default();
            let entry = *dice.pick(&["recipients.yaml", "escrow.age", "escrow.json", "recipient"]);
            data.insert(entry.to_owned(), "{ broken".to_owned());
            stage.write_config_map(Some(data));
        }
        4 if !names.is_empty() => {
            let name = dice.pick(&names).clone();
            stage.annotate(&name, "plomb.dev/revoke", "true");
        }
        5 => {
            let newest = stage.published().recipient().map(str::to_owned);
            let idle = stage.records().into_iter().filter(|it| Some(&it.recipient) != newest.as_ref());
            let idle: Vec<_> = idle.filter(|it| it.state == KeyState::DecryptOnly).collect();
            if !idle.is_empty() {
                let word = *dice.pick(&["revoked", "active"]);
                stage.label(&dice.pick(&idle).name.clone(), word);
            }
        }
        _ => {
            let recipients: Vec<String> = stage.records().into_iter().map(|it| it.recipient).collect();
            if !recipients.is_empty() {
                let name = format!("ns/r{}", stage.resources.len());
                let recipient = dice.pick(&recipients).clone();
                stage.resource(&name, &[&recipient]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_happens_it_comes_to_rest_in_order(seed in any::<u64>()) {
        let mut dice = Dice::new(seed);
        let person = Person::new(1);
        let mut stage = Stage::new(&[&person]);
        stage.reseed(seed);
        let mut watch = Watch { pinned: Vec::new(), recipients: Vec::new() };
        let mut stale = None;
        for _ in 0..40 {
            if dice.chance(25) {
                event(&mut stage, &mut dice);
            }
            turn(&mut stage, &mut dice, &mut stale, &mut watch);
        }
        let rest = stage.settle();
        watch.look(&stage);
        prop_assert!(!rest.iter().any(Step::is_write));
        let active = stage.active();
        let published = stage.published();
        prop_assert_eq!(published.recipient(), Some(active.recipient.as_str()));
        let escrow = published.escrow.unwrap();
        prop_assert!(escrow.is_whole());
        prop_assert_eq!(escrow.note.keys.len(), stage.secrets.len());
        for recipient in &watch.recipients {
            prop_assert!(stage.records().iter().any(|it| it.recipient == *recipient), "a published key was lost");
        }
    }
}

/// Two leaders make the first key at once.
#[test]
fn of_two_first_keys_one_stays() {
    let person = Person::new(1);
    let mut stage = Stage::new(&[&person]);
    let (one, two) = (stage.look(), stage.look());
    for seen in [&one, &two] {
        for step in decide(&stage.world(seen)) {
            assert!(stage.take(seen, &step));
        }
    }
    assert_eq!(stage.named(KeyState::Active).len(), 2);
    stage.settle();
    let active = stage.active();
    assert_eq!(stage.named(KeyState::DecryptOnly).len(), 1);
    assert_eq!(stage.chain().statements().len(), 1);
    assert_eq!(stage.chain().newest().recipient, active.recipient);
}

/// A renewal that died after each of its writes is completed.
#[test]
fn a_half_done_renewal_is_completed() {
    for writes in 0..6 {
        let person = Person::new(1);
        let mut stage = Stage::new(&[&person]);
        stage.settle();
        let old = stage.active();
        stage.now += 90 * DAY;
        for _ in 0..writes {
            let seen = stage.look();
            if let Some(step) = decide(&stage.world(&seen)).first() {
                stage.take(&seen, step);
            }
        }
        stage.settle();
        assert_eq!(stage.secrets.len(), 2, "after {writes} writes");
        assert_eq!(stage.named(KeyState::DecryptOnly), [old.name]);
        assert_eq!(stage.chain().newest().number, 2);
    }
}
