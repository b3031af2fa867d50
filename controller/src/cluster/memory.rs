//! What this process remembers of each resource: enough to skip what is done already, to wait longer after each
//! failure, and to know whom a new key wakes. All of it may be lost at any time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use kube::runtime::reflector::ObjectRef;
use sealed::status::Status;

use super::feud::Feud;
use super::kind::SealedObject;

/// One resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    /// Its uid: another object of the same name is another resource.
    pub(crate) uid: String,
    /// The version of it that was looked at last.
    pub(crate) resource_version: String,
    /// The version that came of the status written then; empty if none was.
    pub(crate) told_at: String,
    /// Its status as it was written then.
    pub(crate) status: Status,
    /// How often in a row it failed.
    pub(crate) failures: u32,
    /// Whether another set of keys may change what becomes of it.
    pub(crate) wants_keys: bool,
    /// Whether somebody changes its Secrets back.
    pub(crate) feud: Option<Feud>,
}

impl Remembered {
    /// Whether the status that is remembered is the one of this version of the object.
    pub(crate) fn knows(&self, resource_version: &str) -> bool {
        !resource_version.is_empty()
            && [&self.resource_version, &self.told_at].into_iter().any(|it| it == resource_version)
    }
}

/// The same as it is held: a status as a struct is thrice as large as its text.
struct Held {
    uid: Box<str>,
    resource_version: Box<str>,
    told_at: Box<str>,
    status: Box<str>,
    /// Status and reason of the condition `Ready`.
    ready: Option<(Arc<str>, Arc<str>)>,
    key_id: Option<Arc<str>>,
    failures: u32,
    wants_keys: bool,
    /// Few have one.
    feud: Option<Box<Feud>>,
}

/// Words that many resources share.
const WORDS: usize = 1024;

/// Every resource of one watch.
#[derive(Default)]
pub(crate) struct Memory {
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    held: HashMap<ObjectRef<SealedObject>, Held>,
    words: HashMap<Box<str>, Arc<str>>,
}

impl Memory {
    /// What is known of this very object.
    pub(crate) fn of(&self, id: &ObjectRef<SealedObject>, uid: &str) -> Option<Remembered> {
        let seen = self.locked();
        seen.held.get(id).filter(|held| *held.uid == *uid).map(Held::remembered)
    }

    /// The Secrets that a resource of this name had last.
    pub(crate) fn secrets(&self, id: &ObjectRef<SealedObject>) -> Vec<String> {
        let status = self.locked().held.get(id).map(Held::status).unwrap_or_default();
        status.secrets.into_iter().map(|secret| secret.name).collect()
    }

    /// Takes note. Of `id` only namespace and name are kept.
    pub(crate) fn put(&self, id: &ObjectRef<SealedObject>, seen: &Remembered) {
        let mut id = id.clone();
        id.extra = Default::default();
        self.locked().put(id, seen);
    }

    /// The resources for which another set of keys may make a difference.
    pub(crate) fn wanting_keys(&self) -> Vec<ObjectRef<SealedObject>> {
        self.locked().held.iter().filter(|(_, seen)| seen.wants_keys).map(|(id, _)| id.clone()).collect()
    }

    /// Forgets what is no longer there.
    pub(crate) fn keep(&self, is_there: impl Fn(&ObjectRef<SealedObject>) -> bool) {
        self.locked().held.retain(|id, _| is_there(id));
    }

    /// Forgets this resource.
    pub(crate) fn forget(&self, id: &ObjectRef<SealedObject>) {
        self.locked().held.remove(id);
    }

    /// How many resources are in which state: the status and reason of their condition `Ready`.
    pub(crate) fn states(&self) -> HashMap<(String, String), i64> {
        let mut states: HashMap<(Arc<str>, Arc<str>), i64> = HashMap::new();
        for ready in self.locked().held.values().filter_map(|seen| seen.ready.clone()) {
            *states.entry(ready).or_default() += 1;
        }
        states.into_iter().map(|((status, reason), count)| ((status.to_string(), reason.to_string()), count)).collect()
    }

    /// Every resource: namespace, name, whether it is ready.
    pub(crate) fn conditions(&self) -> Vec<(String, String, bool)> {
        let of = |(id, seen): (&ObjectRef<SealedObject>, &Held)| {
            let ready = *seen.ready.as_ref()?.0 == *"True";
            Some((id.namespace.clone().unwrap_or_default(), id.name.clone(), ready))
        };
        self.locked().held.iter().filter_map(of).collect()
    }

    /// How many resources each key opened, by the last 8 characters of its recipient.
    pub(crate) fn key_use(&self) -> HashMap<String, i64> {
        let mut used: HashMap<Arc<str>, i64> = HashMap::new();
        for key in self.locked().held.values().filter_map(|seen| seen.key_id.clone()) {
            *used.entry(key).or_default() += 1;
        }
        used.into_iter().map(|(key, count)| (key.to_string(), count)).collect()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Seen> {
        // A panic elsewhere leaves the map as it was: each change is one call.
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Seen {
    fn put(&mut self, id: ObjectRef<SealedObject>, seen: &Remembered) {
        let status = &seen.status;
        let ready = status.condition("Ready").map(|ready| (self.word(&ready.status), self.word(&ready.reason)));
        let held = Held {
            uid: seen.uid.as_str().into(),
            resource_version: seen.resource_version.as_str().into(),
            told_at: seen.told_at.as_str().into(),
            status: serde_json::to_string(status).unwrap_or_default().into(),
            ready,
            key_id: status.key_id.as_deref().map(|key| self.word(key)),
            failures: seen.failures,
            wants_keys: seen.wants_keys,
            feud: seen.feud.map(Box::new),
        };
        self.held.insert(id, held);
    }

    fn word(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return known.clone();
        }
        // A status may hold whatever somebody wrote there.
        if self.words.len() >= WORDS {
            self.words.clear();
        }
        let made: Arc<str> = word.into();
        self.words.insert(word.into(), made.clone());
        made
    }
}

impl Held {
    fn status(&self) -> Status {
        serde_json::from_str(&self.status).unwrap_or_default()
    }

    fn remembered(&self) -> Remembered {
        Remembered {
            uid: self.uid.to_string(),
            resource_version: self.resource_version.to_string(),
            told_at: self.told_at.to_string(),
            status: self.status(),
            failures: self.failures,
            wants_keys: self.wants_keys,
            feud: self.feud.as_deref().copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sealed::status::{Condition, SecretStatus};

    use super::*;
    use crate::cluster::kind::Kind;

    #[test]
    fn what_was_put_comes_back() {
        let memory = Memory::default();
        let kind = Kind::by_name("encryptedsecret").unwrap();
        let id = ObjectRef::new_with("db", kind).within("apps");
        let ready = Condition {
            type_: "Ready".to_owned(),
            status: "True".to_owned(),
            reason: "Synced".to_owned(),
            ..Condition::default()
        };
        let secret = SecretStatus { name: "one".to_owned(), keys: 2, ..SecretStatus::default() };
        let status = Status {
            observed_generation: Some(4),
            key_id: Some("abcdefgh".to_owned()),
            secrets: vec![secret],
            conditions: vec![ready],
            ..Status::default()
        };
        let seen = Remembered {
            uid: "u".to_owned(),
            resource_version: "7".to_owned(),
            told_at: "8".to_owned(),
            status: status.clone(),
            failures: 3,
            wants_keys: true,
            feud: Some(Feud::after(None, std::time::Instant::now())),
        };
        memory.put(&id, &seen);
        let found = memory.of(&id, "u").unwrap();
        assert_eq!((found.status, found.failures, found.wants_keys), (status, 3, true));
        assert_eq!(found.feud, seen.feud);
        assert!(seen.knows("7") && seen.knows("8") && !seen.knows("9") && !Remembered::default().knows(""));
        assert!(memory.of(&id, "another").is_none());
        assert_eq!(memory.secrets(&id), ["one"]);
        assert_eq!(memory.states(), HashMap::from([(("True".to_owned(), "Synced".to_owned()), 1)]));
        assert_eq!(memory.key_use(), HashMap::from([("abcdefgh".to_owned(), 1)]));
        assert_eq!(memory.conditions(), [("apps".to_owned(), "db".to_owned(), true)]);
        assert_eq!(memory.wanting_keys().len(), 1);
        memory.forget(&ObjectRef::new_with("other", kind).within("apps"));
        assert!(memory.of(&id, "u").is_some());
        memory.forget(&id);
        assert!(memory.of(&id, "u").is_none() && memory.states().is_empty(), "what is gone is not counted");
        memory.put(&id, &seen);
        memory.keep(|_| false);
        assert!(memory.of(&id, "u").is_none());
    }
}
