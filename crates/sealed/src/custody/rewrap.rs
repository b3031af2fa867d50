//! Wrapping a file's data key to the cluster's current recipient, for a `RewrapRequest`.
//!
//! The data key is opened, so this must not become an oracle: the file is checked as if it were to be applied (form,
//! MAC, binding to the namespace), and the one recipient that is wrapped to is the cluster's own, published one.

use keys::{parse_recipient, same_recipient};
use sops::WrappedKey;

use super::lifecycle::World;
use super::rewrap_request::AgeEntry;
use crate::dialect::native;
use crate::keys::Keys;
use crate::manifest::Manifest;
use crate::reason::{Reason, Refusal};
use crate::resource::{API_VERSION, KIND};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    /// The whole new list `sops.age`: entries of people as they were, those of older cluster keys replaced.
    pub age: Vec<AgeEntry>,
    /// The recipient that is now in it.
    pub recipient: String,
    /// Whether the list is another one than before.
    pub changed: bool,
}

/// The new `sops.age` of a resource: the cluster's older recipients are replaced by the current one, every other entry
/// stays byte for byte. `namespace` is that of the request; the resource must be of the same one, and bound to it.
///
/// # Errors
/// Every refusal that applying the resource would meet; [`Reason::BindingMismatch`] for a resource of another namespace;
/// [`Reason::KeyNotFound`] while no recipient is published.
pub fn rewrap_entries(
    resource: &Manifest,
    namespace: &str,
    keys: &Keys,
    world: &World<'_>,
) -> Result<Rewrapped, Refusal> {
    if resource.id.api_version != API_VERSION || resource.id.kind != KIND {
        let what = format!("{} is no EncryptedSecret: nothing binds it to a place", resource.id);
        return Err(Refusal::new(Reason::InvalidFormat, what));
    }
    if resource.id.namespace != namespace {
        let what = format!("{} is of another namespace than the request, which is in {namespace}", resource.id);
        return Err(Refusal::new(Reason::BindingMismatch, what));
    }
    let current = published(world)?;
    crate::open::open(resource, keys)?;
    let (_, plain) = native::unlocked(resource, keys)?;
    let [group] = plain.metadata().groups.as_slice() else {
        let what = "the file has key groups; somebody whom it lists can say plomb rewrap";
        return Err(Refusal::new(Reason::InvalidFormat, what));
    };
    let opens = |entry: &WrappedKey| {
        let ring = keys.for_namespace(&resource.id.namespace);
        ring.unwrap_labelled(&entry.enc, &entry.recipient).is_ok_and(|share| share == plain.key().to_secret())
    };
    let is_own = |name: &str| world.records.iter().any(|record| same_recipient(&record.recipient, name));
    let kept = group.age.iter().find(|entry| same_recipient(&entry.recipient, current) && opens(entry));
    let new = match kept {
        Some(kept) => kept.clone(),
        None => {
            let failed = |error: keys::KeyError| Refusal::new(Reason::DecryptFailed, error.to_string());
            let enc = parse_recipient(current).and_then(|it| it.wrap(&plain.key().to_secret())).map_err(failed)?;
            WrappedKey { recipient: current.to_owned(), enc }
        }
    };
    let mut age: Vec<WrappedKey> = Vec::new();
    let mut new = Some(new);
    for entry in &group.age {
        match is_own(&entry.recipient) {
            true => age.extend(new.take()),
            false => age.push(entry.clone()),
        }
    }
    age.extend(new);
    let changed = age != group.age;
    let entry = |entry: WrappedKey| AgeEntry { enc: entry.enc, recipient: entry.recipient };
    Ok(Rewrapped { age: age.into_iter().map(entry).collect(), recipient: current.to_owned(), changed })
}

/// The recipient of the active key, once it is published: nobody else is ever wrapped to.
fn published<'w>(world: &World<'w>) -> Result<&'w str, Refusal> {
    let active = world.winner();
    let active = active.filter(|winner| world.published.recipient() == Some(winner.recipient.as_str()));
    let none = || Refusal::new(Reason::KeyNotFound, "the cluster has not published a recipient of an active key");
    Ok(active.ok_or_else(none)?.recipient.as_str())
}
