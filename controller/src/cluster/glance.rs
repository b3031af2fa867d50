//! The first glance at a resource: whether nothing has changed since all was well. It decrypts nothing, writes nothing, and
//! needs no more of the object than what tells a change.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use kube::runtime::reflector::ObjectRef;
use sealed::status::{Around, Outcome};

use super::fault::Fault;
use super::keyring::KeySet;
use super::kind::SealedObject;
use super::memory::Remembered;
use super::reconcile::{API_LIMIT, count, now, object_name, unanswered, write_status};
use super::watch::Unit;
use super::{live, retry};

pub(super) struct Glance<'a> {
    pub(super) unit: &'a Unit,
    pub(super) object: &'a SealedObject,
    pub(super) keys: &'a KeySet,
    /// What is known of it.
    pub(super) before: Cow<'a, Remembered>,
}

impl<'a> Glance<'a> {
    pub(super) fn new(object: &'a SealedObject, unit: &'a Unit, keys: &'a KeySet) -> Self {
        let id = ObjectRef::from_obj_with(object, unit.kind);
        let before = Cow::Owned(unit.memory.of(&id, object.uid()).unwrap_or_default());
        Self { unit, object, keys, before }
    }

    /// How long its Secrets are left as they are, since somebody changes them back each time. A change of the resource, or
    /// somebody who asks, ends that.
    pub(super) fn truce(&self) -> Option<Duration> {
        let pause = self.before.feud?.pause(Instant::now())?;
        let status = &self.before.status;
        let same = status.observed_generation == self.object.generation() && self.object.asked(status).is_none();
        same.then_some(pause)
    }

    /// When to look again at an object that was settled and is as it was. `None`: more is to be done.
    pub(super) async fn is_settled(&self) -> Option<Duration> {
        let started = Instant::now();
        let interval_seconds = self.object.settled()?;
        if !self.before.knows(self.object.resource_version()) || !self.is_current().await {
            return None;
        }
        count(self.unit, self.object, "Unchanged", started);
        Some(retry::in_time(interval_seconds))
    }

    /// Whether nothing has changed since all was well: then nothing is decrypted and nothing written.
    pub(super) async fn is_current(&self) -> bool {
        let status = &self.before.status;
        let ready = status.condition("Ready").is_some_and(|ready| ready.status == "True");
        let is_asked_for = self.object.asked(status).is_some();
        if !ready || is_asked_for || status.observed_generation != self.object.generation() {
            return false;
        }
        let mut versions = Vec::new();
        for secret in &status.secrets {
            versions.push((secret.name.clone(), self.version(&secret.name).await));
        }
        let live = |name: &str| versions.iter().find(|(of, _)| of == name).and_then(|(_, version)| version.clone());
        status.is_current(self.object.generation(), &self.keys.id, live)
    }

    /// Uid and resource version of a live Secret; none if it is not there, or cannot be read in time.
    async fn version(&self, name: &str) -> Option<(String, String)> {
        let namespace = self.object.namespace();
        let Some(secrets) = &self.unit.secrets else {
            let asked = live::version(&self.unit.cluster.client, namespace, name);
            return tokio::time::timeout(API_LIMIT, asked).await.ok()?.unwrap_or_default();
        };
        let secret = secrets.get(namespace, name)?;
        Some((secret.uid.to_string(), secret.resource_version.to_string()))
    }

    /// The object as a whole: read anew if no more of it is held than what tells a change. `None`: it is gone.
    ///
    /// # Errors
    /// When the API server does not answer in time, or does not let us read it.
    pub(super) async fn whole(&self) -> Result<Option<Cow<'a, SealedObject>>, Fault> {
        if self.object.is_whole() {
            return Ok(Some(Cow::Borrowed(self.object)));
        }
        let read = tokio::time::timeout(API_LIMIT, self.unit.read(self.object)).await;
        Ok(read.unwrap_or_else(|_| Err(unanswered()))?.map(Cow::Owned))
    }

    /// Of an object that could not be read again. Says when to try again. Nothing is written over a status that is not
    /// known: it says which Secrets there are.
    pub(super) async fn tell_unread(&self, fault: &Fault) -> Duration {
        let (started, failures) = (Instant::now(), self.before.failures.saturating_add(1));
        let around = Around { generation: self.object.generation(), keyset_id: &self.keys.id, now: now() };
        let next = self.before.status.next(&Outcome::ReadFailed(fault.reason, &fault.message), around);
        tracing::warn!(kind = ?self.unit.kind, object = %object_name(self.object), %fault, "not read again");
        let uid = self.object.uid().to_owned();
        let mut seen = Remembered { uid, failures, ..self.before.clone().into_owned() };
        if self.before.knows(self.object.resource_version()) && next != self.before.status {
            let value = serde_json::to_value(&next).unwrap_or_default();
            match write_status(self.unit, self.object, &value).await {
                Ok(told_at) => (seen.status, seen.told_at) = (next, told_at),
                Err(_) => self.unit.cluster.metrics.status_error(),
            }
        }
        let id = ObjectRef::from_obj_with(self.object, self.unit.kind);
        self.unit.remember(&id, &seen);
        count(self.unit, self.object, fault.reason, started);
        retry::after_failure(failures)
    }
}
