//! Who writes: the holder of a Lease. A holder that cannot renew stops by its own clock, before anybody else may take
//! the lease, whether or not the API server answers. Other replicas' clocks are never trusted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};

use super::FIELD_MANAGER;
use super::fault::said;
use super::metrics::Metrics;
use super::watch::is_denied;

/// How long others wait after the last renewal that they saw.
const DURATION: Duration = Duration::from_secs(15);
/// How long a holder goes on without a renewal.
const DEADLINE: Duration = Duration::from_secs(10);
/// Between two tries.
const RETRY: Duration = Duration::from_secs(2);

/// One candidate.
pub(crate) struct Elector {
    api: Api<Lease>,
    metrics: Arc<Metrics>,
    /// The lease, for people.
    place: String,
    name: String,
    holder: String,
    seen: Option<Seen>,
}

/// The lease as it was seen last, and when by our clock it last changed.
struct Seen {
    holder: String,
    renewed: Option<MicroTime>,
    since: Instant,
}

/// What one try gave.
enum Try {
    Held,
    HeldByOther,
}

impl Elector {
    /// A candidate for the lease `name`. `holder` must differ between replicas.
    pub(crate) fn new(client: Client, metrics: Arc<Metrics>, namespace: &str, name: String, holder: String) -> Self {
        let place = format!("Lease {name} in {namespace}");
        Self { api: Api::namespaced(client, namespace), metrics, place, name, holder, seen: None }
    }

    /// Waits until the lease is ours. Tells after each try whether somebody else holds it, as far as is known: for as
    /// long as a lease lasts, what was seen last counts.
    pub(crate) async fn acquire(&mut self, stands_by: impl Fn(bool)) {
        let mut held: Option<Instant> = None;
        loop {
            match tokio::time::timeout(DEADLINE / 2, self.try_once()).await {
                Ok(Ok(Try::Held)) => return,
                Ok(Ok(Try::HeldByOther)) => held = Some(Instant::now()),
                Ok(Err(error)) => tracing::warn!(error = said(&error), "cannot ask for the lease"),
                Err(_) => tracing::warn!("cannot ask for the lease: no answer"),
            }
            stands_by(held.is_some_and(|held| held.elapsed() < DURATION));
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Keeps the lease; comes back when it is lost.
    pub(crate) async fn hold(&mut self) {
        let mut renewed = Instant::now();
        loop {
            tokio::time::sleep(RETRY).await;
            let started = Instant::now();
            let left = DEADLINE.saturating_sub(renewed.elapsed());
            match tokio::time::timeout(left, self.try_once()).await {
                Ok(Ok(Try::Held)) => renewed = started,
                Ok(Ok(Try::HeldByOther)) => return,
                Ok(Err(error)) => tracing::warn!(error = said(&error), "cannot renew the lease"),
                Err(_) => {}
            }
            if renewed.elapsed() >= DEADLINE {
                return;
            }
        }
    }

    /// Gives the lease back, so that the next replica need not wait.
    pub(crate) async fn release(&mut self) {
        let Ok(Ok(Some(mut lease))) = tokio::time::timeout(RETRY, self.api.get_opt(&self.name)).await else { return };
        let Some(spec) = lease.spec.as_mut().filter(|spec| spec.holder_identity.as_ref() == Some(&self.holder)) else {
            return;
        };
        spec.holder_identity = Some(String::new());
        let _ = tokio::time::timeout(RETRY, self.api.replace(&self.name, &PostParams::default(), &lease)).await;
    }

    /// One try; tells whether it may be made at all.
    async fn try_once(&mut self) -> Result<Try, kube::Error> {
        let tried = self.attempt().await;
        match &tried {
            Ok(_) => self.metrics.unread(&self.place, None),
            Err(error) if is_denied(error) => self.metrics.refused(&self.place, &said(error)),
            Err(_) => {}
        }
        tried
    }

    /// Takes or renews the lease if that may be. The resource version of what was read makes it a compare-and-swap.
    async fn attempt(&mut self) -> Result<Try, kube::Error> {
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let Some(mut lease) = self.api.get_opt(&self.name).await? else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(self.spec(LeaseSpec::default())) };
            return won(self.api.create(&params, &lease).await);
        };
        let spec = lease.spec.take().unwrap_or_default();
        let held_by = spec.holder_identity.clone().unwrap_or_default();
        self.look(&held_by, spec.renew_time.as_ref());
        let is_free = held_by.is_empty() || self.seen.as_ref().is_some_and(|seen| seen.since.elapsed() > DURATION);
        if held_by != self.holder && !is_free {
            return Ok(Try::HeldByOther);
        }
        lease.spec = Some(self.spec(spec));
        won(self.api.replace(&self.name, &params, &lease).await)
    }

    /// Remembers when the lease last changed.
    fn look(&mut self, holder: &str, renewed: Option<&MicroTime>) {
        let same = self.seen.as_ref().is_some_and(|seen| seen.holder == holder && seen.renewed.as_ref() == renewed);
        if !same {
            self.seen = Some(Seen { holder: holder.to_owned(), renewed: renewed.cloned(), since: Instant::now() });
        }
    }

    fn spec(&self, old: LeaseSpec) -> LeaseSpec {
        let is_mine = old.holder_identity.as_ref() == Some(&self.holder);
        let now = MicroTime(Timestamp::now());
        LeaseSpec {
            holder_identity: Some(self.holder.clone()),
            lease_duration_seconds: Some(i32::try_from(DURATION.as_secs()).unwrap_or(15)),
            acquire_time: if is_mine { old.acquire_time } else { Some(now.clone()) },
            lease_transitions: Some(old.lease_transitions.unwrap_or(0).saturating_add(i32::from(!is_mine))),
            renew_time: Some(now),
            ..old
        }
    }
}

/// Somebody else who was faster is no error.
fn won(answer: Result<Lease, kube::Error>) -> Result<Try, kube::Error> {
    match answer {
        Ok(_) => Ok(Try::Held),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(Try::HeldByOther),
        Err(error) => Err(error),
    }
}
