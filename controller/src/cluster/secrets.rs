//! The Secrets that bear our label, without their values, and which of them belong to which resource.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};
use tokio::sync::watch;

use super::watch::Listing;

/// A Secret without its values.
pub(crate) type Slim = PartialObjectMeta<Secret>;

/// What is known of the Secrets of one scope.
#[derive(Clone)]
pub(crate) struct Secrets {
    store: Store<Slim>,
    /// Names by the uid of an owner. May name too many: the store has the last word.
    owned: Arc<Mutex<HashMap<String, Vec<String>>>>,
    listing: watch::Sender<Listing>,
}

impl Secrets {
    /// The Secrets of `store`, of which [`Secrets::note`] is told.
    pub(crate) fn new(store: Store<Slim>) -> Self {
        Self { store, owned: Arc::default(), listing: watch::Sender::new(Listing::Asked) }
    }

    /// How far reading them has come.
    pub(crate) fn listing(&self) -> watch::Receiver<Listing> {
        self.listing.subscribe()
    }

    /// Takes note of how far reading them has come.
    pub(crate) fn tell(&self, listing: Listing) {
        self.listing.send_replace(listing);
    }

    /// Takes note that we may not read them; what was read before stays.
    pub(crate) fn deny(&self) {
        self.listing.send_if_modified(|listing| {
            let is_new = *listing == Listing::Asked;
            if is_new {
                *listing = Listing::Denied;
            }
            is_new
        });
    }

    /// The Secret of this name.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Arc<Slim>> {
        self.store.get(&ObjectRef::new(name).within(namespace))
    }

    /// The names of the Secrets in `namespace` that the resource with this uid owns.
    pub(crate) fn owned_by(&self, namespace: &str, uid: &str) -> Vec<String> {
        let names = self.locked().get(uid).cloned().unwrap_or_default();
        let is_owned =
            |name: &String| self.get(namespace, name).is_some_and(|secret| owners(&secret).any(|it| it == uid));
        names.into_iter().filter(is_owned).collect()
    }

    /// Takes note of a Secret that is there, or has changed.
    pub(crate) fn note(&self, secret: &Slim) {
        let Some(name) = &secret.metadata.name else { return };
        let mut owned = self.locked();
        for uid in owners(secret) {
            let names = owned.entry(uid.to_owned()).or_default();
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }

    /// Forgets a Secret that is gone.
    pub(crate) fn forget(&self, secret: &Slim) {
        let mut owned = self.locked();
        for uid in owners(secret) {
            let Some(names) = owned.get_mut(uid) else { continue };
            names.retain(|name| Some(name) != secret.metadata.name.as_ref());
            if names.is_empty() {
                owned.remove(uid);
            }
        }
    }

    /// Forgets what is not in the store.
    pub(crate) fn renew(&self) {
        self.locked().clear();
        self.store.state().iter().for_each(|secret| self.note(secret));
    }

    /// All of them.
    pub(crate) fn state(&self) -> Vec<Arc<Slim>> {
        self.store.state()
    }

    /// Whether a Secret of the same name and namespace is there.
    pub(crate) fn holds(&self, secret: &Slim) -> bool {
        self.store.get(&ObjectRef::from_obj(secret)).is_some()
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Vec<String>>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owners(secret: &Slim) -> impl Iterator<Item = &str> {
    secret.metadata.owner_references.iter().flatten().map(|owner| owner.uid.as_str())
}

#[cfg(test)]
mod tests {
    use kube::core::ObjectMeta;
    use kube::runtime::reflector;
    use kube::runtime::watcher::Event;

    use super::*;

    fn secret(name: &str, owner: &str) -> Slim {
        let owner = k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference {
            uid: owner.to_owned(),
            ..Default::default()
        };
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some("apps".to_owned()),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        };
        PartialObjectMeta { metadata, ..PartialObjectMeta::default() }
    }

    #[test]
    fn a_resource_owns_what_the_store_says_now() {
        let (store, mut writer) = reflector::store();
        let secrets = Secrets::new(store);
        let mut see = |secret: Slim| {
            writer.apply_watcher_event(&Event::Apply(secret.clone()));
            secrets.note(&secret);
        };
        see(secret("one", "u1"));
        see(secret("two", "u1"));
        see(secret("other", "u2"));
        assert_eq!(secrets.owned_by("apps", "u1"), ["one", "two"]);
        assert!(secrets.owned_by("elsewhere", "u1").is_empty() && secrets.owned_by("apps", "u3").is_empty());
        // It changes hands: the old note stays, the store decides.
        see(secret("two", "u2"));
        assert_eq!(secrets.owned_by("apps", "u1"), ["one"]);
        assert_eq!(secrets.owned_by("apps", "u2"), ["other", "two"]);
        writer.apply_watcher_event(&Event::Delete(secret("one", "u1")));
        secrets.forget(&secret("one", "u1"));
        assert!(secrets.owned_by("apps", "u1").is_empty());
        secrets.renew();
        assert_eq!(secrets.owned_by("apps", "u2").len(), 2);
        assert_eq!(secrets.locked().len(), 1, "nothing is kept of who owns nothing");
    }
}
