//! A resource that merged keys into Secrets of others is gone: they get back what is theirs, without the resource's keys.
//! No finalizer holds the resource for that. What was deleted while nobody watched is found when all has been listed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
use kube::runtime::reflector::ObjectRef;
use sealed::{MERGED_PREFIX, Share};

use super::fault::Fault;
use super::kind::SealedObject;
use super::reconcile::{API_LIMIT, unanswered};
use super::watch::Unit;
use super::{apply, live, retry};

/// Tries before it is left to the next start.
const TRIES: u32 = 6;

/// Who is gone.
pub(crate) enum Gone {
    /// This resource.
    One(ObjectRef<SealedObject>),
    /// Whoever is not in the list that was just read.
    Unseen,
}

/// Gives back for ever.
pub(crate) async fn follow(unit: Arc<Unit>, mut gone: UnboundedReceiver<Gone>) {
    while let Some(gone) = gone.next().await {
        let shares = match &gone {
            Gone::One(id) => shares_of(&unit, id),
            Gone::Unseen => unseen(&unit),
        };
        // What is remembered of it was needed to the last; it is neither counted nor held any longer.
        match &gone {
            Gone::One(id) if !unit.holds(id) => unit.memory.forget(id),
            Gone::One(_) => {}
            Gone::Unseen => unit.memory.keep(|id| unit.holds(id)),
        }
        for (namespace, secret, source) in shares {
            settle(&unit, &namespace, &secret, &source).await;
        }
    }
    // The sender lives as long as the watch.
    std::future::pending::<()>().await;
}

/// Namespace and name of a Secret, and the resource that has keys in it.
type Shared = (String, String, String);

/// The Secrets that the resource had when it was looked at last, and those that bear its mark.
fn shares_of(unit: &Unit, id: &ObjectRef<SealedObject>) -> Vec<Shared> {
    let namespace = id.namespace.clone().unwrap_or_default();
    let source = format!("{}.{}/{}", unit.kind.0.kind(), unit.kind.0.group(), id.name);
    let marked = marked(unit).filter(|(space, _, of)| *space == namespace && *of == source).map(|(_, name, _)| name);
    let names: BTreeSet<String> = unit.memory.secrets(id).into_iter().chain(marked).collect();
    names.into_iter().map(|name| (namespace.clone(), name, source.clone())).collect()
}

/// Marks of resources that are not there.
fn unseen(unit: &Unit) -> Vec<Shared> {
    let is_gone = |(namespace, _, source): &Shared| unit.source(source, namespace).is_some_and(|id| !unit.holds(&id));
    marked(unit).filter(is_gone).collect()
}

/// Every mark in a watched Secret by which keys are merged into it.
fn marked(unit: &Unit) -> impl Iterator<Item = Shared> {
    let all = unit.secrets.iter().flat_map(super::secrets::Secrets::all);
    all.flat_map(|secret| {
        let marks = secret.marks.iter().filter(|(name, _)| name.starts_with(MERGED_PREFIX));
        let of = |source: &str| (secret.namespace.to_string(), secret.name.to_string(), source.to_owned());
        marks.map(|(_, source)| of(source)).collect::<Vec<_>>()
    })
}

async fn settle(unit: &Unit, namespace: &str, name: &str, source: &str) {
    for attempt in 1..=TRIES {
        // Made anew meanwhile: it goes on with them.
        if unit.source(source, namespace).is_none_or(|id| unit.holds(&id)) {
            return;
        }
        let given = tokio::time::timeout(API_LIMIT, give_back(unit, namespace, name, source)).await;
        match given.unwrap_or_else(|_| Err(unanswered())) {
            Ok(()) => return,
            Err(fault) if fault.is_race() => tokio::time::sleep(retry::at_once()).await,
            Err(fault) => {
                tracing::warn!(namespace, name, source, %fault, "keys not given back");
                tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
            }
        }
    }
}

async fn give_back(unit: &Unit, namespace: &str, name: &str, source: &str) -> Result<(), Fault> {
    let client = &unit.cluster.client;
    let Some(live) = live::get(client, namespace, name).await? else { return Ok(()) };
    let share = Share::of_source(source);
    if !share.is_in(&live) {
        return Ok(());
    }
    let taken = apply::take(client, namespace, &share.give_back(&live), Some(&live)).await;
    unit.cluster.metrics.wrote("Release", taken.as_ref().map_or_else(|fault| fault.reason, |_| "Done"));
    taken?;
    tracing::info!(namespace, name, source, "its keys are given back");
    Ok(())
}
