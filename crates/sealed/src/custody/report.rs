//! The status of `ClusterRecipient`, and the keys that resources are opened with: both follow from the records.

use keys::Keyring;

use super::cluster_recipient::{ClusterRecipientStatus, KeyStatus};
use super::lifecycle::World;
use super::record::{KeyRecord, KeyState};
use super::step::Step;
use crate::keys::Keys;
use crate::status::Condition;

/// Every key that may open resources, with those that may not any more, and the one that files should be wrapped to.
pub fn keys(world: &World<'_>) -> Keys {
    let mut ring = Keyring::new();
    let usable = world.records.iter().filter(|record| record.state != KeyState::Revoked);
    for record in usable {
        // A record holds an identity that was read before.
        if let Ok(identity) = record.identity() {
            ring.add(identity, format!("Secret {}/{}", world.settings.namespace, record.name));
        }
    }
    let revoked = world.records.iter().filter(|record| record.state == KeyState::Revoked);
    let keys = Keys::new(ring).with_revoked(revoked.map(|record| record.recipient.clone()));
    let said = world.winner().filter(|winner| world.published.recipient() == Some(winner.recipient.as_str()));
    match said {
        Some(winner) => keys.with_current(winner.recipient.clone()),
        None => keys,
    }
}

/// The status that follows from the world as it is and what was decided about it. Times of conditions that did not
/// change are those of `old`, so that the same world gives the same status.
pub fn status(world: &World<'_>, steps: &[Step], old: Option<&ClusterRecipientStatus>) -> ClusterRecipientStatus {
    let published = world.published;
    let newest = published.statements.last();
    let escrow = published.escrow.as_ref();
    let mut status = ClusterRecipientStatus {
        cluster: Some(world.cluster.name.clone()),
        cluster_uid: Some(world.cluster.uid.clone()),
        recipient: newest.map(|newest| newest.recipient.clone()),
        number: newest.map(|newest| i64::from(newest.number)),
        fingerprint: newest.map(super::Statement::fingerprint),
        statements: published.statements.clone(),
        escrow: escrow.map(|escrow| escrow.file.clone()),
        escrow_note: escrow.map(|escrow| escrow.note.clone()),
        older_escrows: published.older.clone(),
        keys: world.records.iter().map(|record| key_status(world, record)).collect(),
        conditions: Vec::new(),
    };
    status.keys.sort_by(|a, b| (&b.created, &a.secret).cmp(&(&a.created, &b.secret)));
    let escrowed = world.escrow().condition();
    for (type_, (state, reason, message)) in [("Escrowed", escrowed), ("Ready", ready(world, steps))] {
        let before = old.and_then(|old| old.conditions.iter().find(|it| it.type_ == type_ && it.status == state));
        let since = before.map_or_else(|| world.now.to_string(), |before| before.last_transition_time.clone());
        status.conditions.push(Condition {
            type_: type_.to_owned(),
            status: state.to_owned(),
            observed_generation: None,
            last_transition_time: since,
            reason: reason.to_owned(),
            message: crate::status::message(message),
        });
    }
    status
}

/// Whether files can be wrapped to this cluster, and whether anything waits for a person.
fn ready(world: &World<'_>, steps: &[Step]) -> (&'static str, &'static str, String) {
    let said = world.winner().is_some_and(|it| world.published.recipient() == Some(it.recipient.as_str()));
    let state = if said { "True" } else { "False" };
    let waiting = steps.iter().find_map(|step| match step {
        Step::Wait(reason) => Some(reason),
        _ => None,
    });
    match waiting {
        Some(reason) => (state, reason.word(), reason.to_string()),
        None if said => (state, "Published", missed(steps)),
        None => (state, "Pending", "the recipient is about to be published".to_owned()),
    }
}

/// The keys that resources need and that are gone, with the resources.
fn missed(steps: &[Step]) -> String {
    let texts = steps.iter().filter_map(|step| match step {
        Step::Miss { recipient, needed_by } => {
            Some(format!("the key of {} is gone, and resources need it: {needed_by}", keys::short_recipient(recipient)))
        }
        _ => None,
    });
    texts.collect::<Vec<_>>().join("; ")
}

fn key_status(world: &World<'_>, record: &KeyRecord) -> KeyStatus {
    KeyStatus {
        id: record.id().to_owned(),
        secret: record.name.clone(),
        state: record.state.word().to_owned(),
        created: record.created.to_string(),
        used_by: i64::try_from(world.usage.used_by(&record.recipient)).unwrap_or(i64::MAX),
        not_needed_since: record.idle_since.map(|since| since.to_string()),
    }
}
