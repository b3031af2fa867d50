//! The one function that both `render` and the reconcile step call.

use sops::Timestamp;

use crate::desired::LiveSecret;
use crate::dialect::{Opened, for_kind};
use crate::keys::Keys;
use crate::manifest::Manifest;
use crate::plan::{Plan, plan};
use crate::reason::{Reason, Refusal};
use crate::status::Status;

/// What stands around a resource: the clock and the live Secrets, both read by the caller.
#[derive(Debug)]
pub struct Situation<'a> {
    /// Now; only compared with `suspendUntil`.
    pub now: Timestamp,
    /// The live Secrets of the resource's namespace that bear a wanted name, or belong to it.
    pub live: &'a [LiveSecret],
}

/// Opens a sealed resource and says what to do about its Secrets.
///
/// # Errors
/// With the reason: then nothing may be written for this resource, and its last good Secrets stay.
pub fn open_and_plan(resource: &Manifest, keys: &Keys, situation: &Situation<'_>) -> Result<Plan, Refusal> {
    let dialect = for_kind(&resource.id.api_version, &resource.id.kind).ok_or_else(|| not_sealed(resource))?;
    if dialect.is_suspended(resource, situation.now)? {
        return Err(Refusal::new(Reason::Suspended, "the resource asks to be left alone"));
    }
    let opened = open(resource, keys)?;
    plan(opened, &resource.id, &Status::of(resource), situation.live)
}

/// Opens a sealed resource: the Secrets that it stands for, whatever is live.
///
/// # Errors
/// As [`open_and_plan`], but for suspension and conflicts.
pub fn open(resource: &Manifest, keys: &Keys) -> Result<Opened, Refusal> {
    let dialect = for_kind(&resource.id.api_version, &resource.id.kind).ok_or_else(|| not_sealed(resource))?;
    let mut opened = dialect.open(resource, keys)?;
    opened.secrets.sort_by(|a, b| a.name.cmp(&b.name));
    match opened.secrets.iter().find_map(|secret| Some((&secret.name, secret.fault()?))) {
        Some((name, fault)) => Err(Refusal::new(Reason::InvalidSecret, format!("Secret {name}: {fault}"))),
        None => Ok(opened),
    }
}

fn not_sealed(resource: &Manifest) -> Refusal {
    let what = format!("{} of {} is no kind that can be opened here", resource.id.kind, resource.id.api_version);
    Refusal::new(Reason::InvalidFormat, what)
}
