//! What this process remembers of each resource: enough to skip what is done already, to wait longer after each
//! failure, and to know whom a new key wakes. All of it may be lost at any time.

use std::collections::HashMap;
use std::sync::Mutex;

use kube::runtime::reflector::ObjectRef;
use sealed::status::Status;

use super::kind::SealedObject;

/// One resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    /// Its uid: another object of the same name is another resource.
    pub(crate) uid: String,
    /// The version of it that was looked at last.
    pub(crate) resource_version: String,
    /// Its status as it was written then.
    pub(crate) status: Status,
    /// How often in a row it failed.
    pub(crate) failures: u32,
    /// Whether another set of keys may change what becomes of it.
    pub(crate) wants_keys: bool,
}

/// Every resource of one watch.
#[derive(Default)]
pub(crate) struct Memory {
    seen: Mutex<HashMap<ObjectRef<SealedObject>, Remembered>>,
}

impl Memory {
    /// What is known of this very object.
    pub(crate) fn of(&self, id: &ObjectRef<SealedObject>, uid: &str) -> Option<Remembered> {
        self.locked().get(id).filter(|seen| seen.uid == uid).cloned()
    }

    /// The Secrets that a resource of this name had last.
    pub(crate) fn secrets(&self, id: &ObjectRef<SealedObject>) -> Vec<String> {
        let seen = self.locked();
        seen.get(id).into_iter().flat_map(|seen| &seen.status.secrets).map(|secret| secret.name.clone()).collect()
    }

    /// Takes note.
    pub(crate) fn put(&self, id: ObjectRef<SealedObject>, seen: Remembered) {
        self.locked().insert(id, seen);
    }

    /// The resources for which another set of keys may make a difference.
    pub(crate) fn wanting_keys(&self) -> Vec<ObjectRef<SealedObject>> {
        self.locked().iter().filter(|(_, seen)| seen.wants_keys).map(|(id, _)| id.clone()).collect()
    }

    /// Forgets what is no longer there.
    pub(crate) fn keep(&self, is_there: impl Fn(&ObjectRef<SealedObject>) -> bool) {
        self.locked().retain(|id, _| is_there(id));
    }

    /// How many resources are in which state: the status and reason of their condition `Ready`.
    pub(crate) fn states(&self) -> HashMap<(String, String), i64> {
        let mut states = HashMap::new();
        for seen in self.locked().values() {
            let Some(ready) = seen.status.condition("Ready") else { continue };
            *states.entry((ready.status.clone(), ready.reason.clone())).or_default() += 1;
        }
        states
    }

    /// Every resource: namespace, name, whether it is ready.
    pub(crate) fn conditions(&self) -> Vec<(String, String, bool)> {
        let of = |(id, seen): (&ObjectRef<SealedObject>, &Remembered)| {
            let ready = seen.status.condition("Ready")?.status == "True";
            Some((id.namespace.clone().unwrap_or_default(), id.name.clone(), ready))
        };
        self.locked().iter().filter_map(of).collect()
    }

    /// How many resources each key opened, by the last 8 characters of its recipient.
    pub(crate) fn key_use(&self) -> HashMap<String, i64> {
        let mut used = HashMap::new();
        for seen in self.locked().values() {
            if let Some(key) = &seen.status.key_id {
                *used.entry(key.clone()).or_default() += 1;
            }
        }
        used
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<ObjectRef<SealedObject>, Remembered>> {
        // A panic elsewhere leaves the map as it was: each change is one call.
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
