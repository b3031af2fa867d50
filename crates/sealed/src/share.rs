//! Keys of a resource in a Secret of somebody else (`policy.conflict: Merge`): they are written under a field manager of
//! the resource's own, so that no two resources take each other's away, and an empty apply gives back exactly them.

use sha2::{Digest as _, Sha256};

use crate::desired::{DesiredSecret, FIELD_MANAGER, LEFT_PREFIX, LiveSecret, MANAGED_LABEL, MERGED_PREFIX};
use crate::manifest::ResourceId;
use crate::plan::{Action, Precondition, Step};

/// Longest field manager that an API server takes.
const MANAGER_LIMIT: usize = 128;

/// What one resource has in Secrets of others. It hangs on kind and name, not on the uid: a resource that is made anew
/// goes on with the keys of its predecessor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    source: String,
    /// Whether the keys stay when the resource goes.
    stays: bool,
}

/// What [`crate::SOURCE_ANNOTATION`] says of a resource: `KIND.GROUP/NAME`.
pub fn source(id: &ResourceId) -> String {
    format!("{}.{}/{}", id.kind, id.group(), id.name)
}

impl Share {
    pub(crate) fn of(id: &ResourceId, stays: bool) -> Self {
        Self { source: source(id), stays }
    }

    /// The share that `source` (`KIND.GROUP/NAME`) takes along when it goes.
    pub fn of_source(source: &str) -> Self {
        Self { source: source.to_owned(), stays: false }
    }

    /// Its field manager.
    pub fn manager(&self) -> String {
        let readable = format!("{FIELD_MANAGER}/{}", self.source);
        if readable.len() <= MANAGER_LIMIT { readable } else { format!("{FIELD_MANAGER}/{}", self.digest()) }
    }

    fn digest(&self) -> String {
        Sha256::digest(&self.source).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    fn annotation(&self) -> String {
        format!("{}{}", if self.stays { LEFT_PREFIX } else { MERGED_PREFIX }, self.digest())
    }

    /// Whether the live Secret says that the resource has keys in it.
    pub fn is_in(&self, live: &LiveSecret) -> bool {
        live.annotations.get(&self.annotation()) == Some(&self.source) && live.labels.contains_key(MANAGED_LABEL)
    }

    /// The step that takes the resource's keys out of a Secret, and leaves all else.
    pub fn give_back(&self, live: &LiveSecret) -> Step {
        let action = Action::Release(Precondition::of(live));
        Step {
            name: live.name.clone(),
            action,
            secret: None,
            note: None,
            manager: Some(self.manager()),
            is_guest: false,
        }
    }

    /// What is applied to the Secret: the resource's own marks and keys, and nothing that is the owner's. Where somebody
    /// else made it, labels and annotations are: two who want other values of one would take it from each other for ever,
    /// and a value that was there before does not come back.
    pub(crate) fn marked(&self, mut secret: DesiredSecret, is_guest: bool) -> DesiredSecret {
        if is_guest {
            secret.labels.clear();
            secret.annotations.clear();
        }
        secret.labels.insert(MANAGED_LABEL.to_owned(), "true".to_owned());
        secret.annotations.insert(self.annotation(), self.source.clone());
        secret.type_.clear();
        secret.immutable = false;
        secret
    }

    /// A wanted key that another resource merged into the Secret, and that resource's field manager.
    pub(crate) fn rival<'a>(&self, wanted: &'a DesiredSecret, live: &'a LiveSecret) -> Option<(&'a str, &'a str)> {
        let (own, others) = (self.manager(), format!("{FIELD_MANAGER}/"));
        let rivals = live.managed.iter().filter(|entry| entry.manager.starts_with(&others) && entry.manager != own);
        let mut written = rivals.flat_map(|entry| entry.keys.iter().map(|key| (key.as_str(), entry.manager.as_str())));
        written.find(|(key, _)| wanted.data.contains_key(*key))
    }
}
