//! The one function that both `render` and the reconcile step call.

use secret::SecretBytes;
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

/// Opens a sealed resource and says what to do about its Secrets: [`begin`] and [`Opening::plan`] in one, for a caller
/// that knows the live Secrets before.
///
/// # Errors
/// With the reason: then nothing may be written for this resource, and its last good Secrets stay.
pub fn open_and_plan(resource: &Manifest, keys: &Keys, situation: &Situation<'_>) -> Result<Plan, Refusal> {
    // Without any Secret there is nothing that a status could tell of them: an object that was exported is like a new one.
    let status = if situation.live.is_empty() { Status::default() } else { Status::of(resource) };
    begin(resource, keys, situation.now)?.plan(resource, &status, situation.live)
}

/// A resource that is open. Which live Secrets matter is known only now: some kinds encrypt the names too.
#[derive(Debug)]
pub struct Opening {
    opened: Opened,
}

impl Opening {
    /// The names of the Secrets that it stands for, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.opened.secrets.iter().map(|secret| secret.name.as_str())
    }

    /// Lets go of what a plan does not need of the values of a live Secret: those that are as they should be are held
    /// once, and of the others only that they are not.
    pub fn lighten(&self, live: &mut LiveSecret) {
        let wanted = self.opened.secrets.iter().find(|secret| secret.name == live.name);
        for (key, value) in live.data.iter_mut().flatten() {
            *value = match wanted.and_then(|secret| secret.data.get(key)) {
                Some(wanted) if wanted == value => wanted.duplicate(),
                Some(wanted) if wanted.is_empty() => SecretBytes::from("other"),
                Some(_) | None => SecretBytes::default(),
            };
        }
    }

    /// What to do, given the live Secrets of the resource's namespace that bear these names or belong to the resource.
    ///
    /// # Errors
    /// A conflict with what is there; then nothing may be written for this resource.
    pub fn plan(self, resource: &Manifest, status: &Status, live: &[LiveSecret]) -> Result<Plan, Refusal> {
        plan(self.opened, &resource.id, status, live)
    }
}

/// Opens a sealed resource, unless it asks to be left alone at `now`.
///
/// # Errors
/// With the reason: then nothing may be written for this resource, and its last good Secrets stay.
pub fn begin(resource: &Manifest, keys: &Keys, now: Timestamp) -> Result<Opening, Refusal> {
    let dialect = for_kind(&resource.id.api_version, &resource.id.kind).ok_or_else(|| not_sealed(resource))?;
    if dialect.is_suspended(resource, now)? {
        return Err(Refusal::new(Reason::Suspended, "the resource asks to be left alone"));
    }
    Ok(Opening { opened: open(resource, keys)? })
}

/// Opens a sealed resource: the Secrets that it stands for, whatever is live.
///
/// # Errors
/// As [`open_and_plan`], but for suspension and conflicts.
pub fn open(resource: &Manifest, keys: &Keys) -> Result<Opened, Refusal> {
    let dialect = for_kind(&resource.id.api_version, &resource.id.kind).ok_or_else(|| not_sealed(resource))?;
    let mut opened = dialect.open(resource, keys)?;
    opened.secrets.sort_by(|a, b| a.name.cmp(&b.name));
    // So that a live value that is the same need not be held beside it.
    for value in opened.secrets.iter_mut().flat_map(|secret| secret.data.values_mut()) {
        *value = std::mem::take(value).shared();
    }
    match opened.secrets.iter().find_map(|secret| Some((&secret.name, secret.fault()?))) {
        Some((name, fault)) => Err(Refusal::new(Reason::InvalidSecret, format!("Secret {name}: {fault}"))),
        None => Ok(opened),
    }
}

fn not_sealed(resource: &Manifest) -> Refusal {
    let what = format!("{} of {} is no kind that can be opened here", resource.id.kind, resource.id.api_version);
    Refusal::new(Reason::InvalidFormat, what)
}
