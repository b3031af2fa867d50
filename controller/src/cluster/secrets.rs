//! The Secrets that bear our label, without their values, and which of them belong to which resource. Tens of thousands
//! are held, so of each only what tells whose it is and which version it has.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use sealed::{LEFT_PREFIX, MERGED_PREFIX, SOURCE_ANNOTATION};
use tokio::sync::watch;

use super::kind::{Kind, SealedObject};
use super::watch::Listing;

/// What is kept of a Secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slim {
    pub(crate) namespace: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) uid: Box<str>,
    pub(crate) resource_version: Box<str>,
    owners: Box<[Owner]>,
    /// Annotations that say which resource the Secret, or a part of it, comes from: name and value.
    pub(crate) marks: Box<[(Box<str>, Box<str>)]>,
}

/// One that a Secret goes with.
#[derive(Debug, PartialEq, Eq)]
struct Owner {
    uid: Box<str>,
    /// Kind and name, if it is a sealed resource that controls the Secret.
    resource: Option<(Kind, Box<str>)>,
}

impl Slim {
    /// What is kept of it; nothing of one that has no name or namespace, which no API server hands out.
    fn of(secret: PartialObjectMeta<Secret>) -> Option<Self> {
        let metadata = secret.metadata;
        let owners = metadata.owner_references.into_iter().flatten().map(|owner| {
            let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
            let kind = Kind::by_group(group, &owner.kind).filter(|_| owner.controller == Some(true));
            Owner { uid: owner.uid.into(), resource: kind.map(|kind| (kind, owner.name.into())) }
        });
        let marks = metadata.annotations.into_iter().flatten().filter(|(name, _)| is_mark(name));
        Some(Self {
            namespace: metadata.namespace?.into(),
            name: metadata.name?.into(),
            uid: metadata.uid.unwrap_or_default().into(),
            resource_version: metadata.resource_version.unwrap_or_default().into(),
            owners: owners.collect(),
            marks: marks.map(|(name, value)| (name.into(), value.into())).collect(),
        })
    }

    /// The resources of this kind that it belongs to, or that have keys in it.
    pub(crate) fn sources(&self, kind: Kind) -> Vec<ObjectRef<SealedObject>> {
        let owned = self.owners.iter().filter_map(|owner| owner.resource.as_ref());
        let owned = owned.filter(|(of, _)| *of == kind).map(|(_, name)| &**name);
        let named = self.marks.iter().filter_map(|(_, source)| Kind::of_source(source));
        let named = named.filter(|(of, _)| *of == kind).map(|(_, name)| name);
        let names: BTreeSet<&str> = owned.chain(named).collect();
        names.into_iter().map(|name| ObjectRef::new_with(name, kind).within(&self.namespace)).collect()
    }

    fn is_owned_by(&self, uid: &str) -> bool {
        self.owners.iter().any(|owner| *owner.uid == *uid)
    }
}

/// Whether an annotation of this name says which resource a Secret, or a part of it, comes from.
fn is_mark(name: &str) -> bool {
    name == SOURCE_ANNOTATION || name.starts_with(MERGED_PREFIX) || name.starts_with(LEFT_PREFIX)
}

/// What is known of the Secrets of one scope.
#[derive(Clone)]
pub(crate) struct Secrets {
    known: Arc<Mutex<Known>>,
    listing: watch::Sender<Listing>,
}

type ByName = HashMap<Box<str>, HashMap<Box<str>, Arc<Slim>>>;

#[derive(Default)]
struct Known {
    /// By namespace and name.
    by_name: ByName,
    /// A list that is being read: it takes the other's place when it is whole.
    listed: ByName,
    /// Names by the uid of an owner. May name too many: the Secret has the last word.
    owned: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Secrets {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { known: Arc::default(), listing: watch::Sender::new(Listing::Asked) }
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

    /// Takes note of what a watch tells; gives back the Secrets that it is about. What went while nobody watched is in
    /// no event: it is only missing from the new list.
    pub(crate) fn follow(&self, event: Event<PartialObjectMeta<Secret>>) -> Vec<Arc<Slim>> {
        let mut known = self.locked();
        match event {
            Event::Apply(secret) => Slim::of(secret).map(|secret| known.see(secret)).into_iter().collect(),
            Event::InitApply(secret) => Slim::of(secret).map(|secret| known.list(secret)).into_iter().collect(),
            Event::Delete(secret) => Slim::of(secret).map(|secret| known.forget(secret)).into_iter().collect(),
            Event::Init => {
                known.listed = HashMap::new();
                Vec::new()
            }
            Event::InitDone => known.renew(),
        }
    }

    /// The Secret of this name.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Arc<Slim>> {
        self.locked().get(namespace, name).cloned()
    }

    /// The names of the Secrets in `namespace` that the resource with this uid owns.
    pub(crate) fn owned_by(&self, namespace: &str, uid: &str) -> Vec<String> {
        let known = self.locked();
        let names = known.owned.get(uid).into_iter().flatten().map(|name| &**name);
        let is_owned = |name: &&str| known.get(namespace, name).is_some_and(|secret| secret.is_owned_by(uid));
        names.filter(is_owned).map(str::to_owned).collect()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<Slim>> {
        self.locked().by_name.values().flat_map(HashMap::values).cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn get(&self, namespace: &str, name: &str) -> Option<&Arc<Slim>> {
        self.by_name.get(namespace)?.get(name)
    }

    fn see(&mut self, secret: Slim) -> Arc<Slim> {
        let secret = Arc::new(secret);
        self.note(&secret);
        put(&mut self.by_name, &secret);
        secret
    }

    fn list(&mut self, secret: Slim) -> Arc<Slim> {
        let secret = Arc::new(secret);
        put(&mut self.listed, &secret);
        secret
    }

    fn forget(&mut self, secret: Slim) -> Arc<Slim> {
        if let Some(others) = self.by_name.get_mut(&secret.namespace) {
            others.remove(&secret.name);
            if others.is_empty() {
                self.by_name.remove(&secret.namespace);
            }
        }
        for owner in &secret.owners {
            let Some(names) = self.owned.get_mut(&owner.uid) else { continue };
            names.retain(|name| *name != secret.name);
            if names.is_empty() {
                self.owned.remove(&owner.uid);
            }
        }
        Arc::new(secret)
    }

    /// The list is whole: gives back what was there before and is not in it.
    fn renew(&mut self) -> Vec<Arc<Slim>> {
        let listed = std::mem::take(&mut self.listed);
        let before = std::mem::replace(&mut self.by_name, listed);
        self.owned = HashMap::new();
        let all: Vec<Arc<Slim>> = self.by_name.values().flat_map(HashMap::values).cloned().collect();
        all.iter().for_each(|secret| self.note(secret));
        let before = before.into_values().flat_map(HashMap::into_values);
        before.filter(|secret| self.get(&secret.namespace, &secret.name).is_none()).collect()
    }

    fn note(&mut self, secret: &Slim) {
        for owner in &secret.owners {
            let names = self.owned.entry(owner.uid.clone()).or_default();
            if !names.contains(&secret.name) {
                names.push(secret.name.clone());
            }
        }
    }
}

fn put(all: &mut ByName, secret: &Arc<Slim>) {
    match all.get_mut(&secret.namespace) {
        Some(others) => others.insert(secret.name.clone(), secret.clone()),
        None => all.entry(secret.namespace.clone()).or_default().insert(secret.name.clone(), secret.clone()),
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use kube::core::ObjectMeta;

    use super::*;

    fn secret(name: &str, owner: &str) -> PartialObjectMeta<Secret> {
        let owner = OwnerReference {
            uid: owner.to_owned(),
            name: format!("of-{owner}"),
            api_version: "plomb.dev/v1alpha1".to_owned(),
            kind: "EncryptedSecret".to_owned(),
            controller: Some(true),
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

    fn names(found: &[Arc<Slim>]) -> Vec<&str> {
        found.iter().map(|secret| &*secret.name).collect()
    }

    #[test]
    fn a_resource_owns_what_was_seen_last() {
        let secrets = Secrets::new();
        for (name, owner) in [("one", "u1"), ("two", "u1"), ("other", "u2")] {
            assert_eq!(names(&secrets.follow(Event::Apply(secret(name, owner)))), [name]);
        }
        assert_eq!(secrets.owned_by("apps", "u1"), ["one", "two"]);
        assert!(secrets.owned_by("elsewhere", "u1").is_empty() && secrets.owned_by("apps", "u3").is_empty());
        // It changes hands: the old note stays, the Secret decides.
        secrets.follow(Event::Apply(secret("two", "u2")));
        assert_eq!(secrets.owned_by("apps", "u1"), ["one"]);
        assert_eq!(secrets.owned_by("apps", "u2"), ["other", "two"]);
        secrets.follow(Event::Delete(secret("one", "u1")));
        assert!(secrets.owned_by("apps", "u1").is_empty() && secrets.get("apps", "one").is_none());
        assert_eq!(secrets.all().len(), 2);
    }

    #[test]
    fn a_new_list_counts_once_it_is_whole_and_tells_what_is_gone() {
        let secrets = Secrets::new();
        for (name, owner) in [("one", "u1"), ("two", "u1")] {
            secrets.follow(Event::Apply(secret(name, owner)));
        }
        secrets.follow(Event::Init);
        assert_eq!(names(&secrets.follow(Event::InitApply(secret("two", "u1")))), ["two"]);
        assert_eq!(secrets.all().len(), 2, "what was known stays until the list is whole");
        assert_eq!(names(&secrets.follow(Event::InitDone)), ["one"]);
        assert_eq!((secrets.owned_by("apps", "u1"), secrets.all().len()), (vec!["two".to_owned()], 1));
        assert_eq!(secrets.locked().owned.len(), 1);
    }

    #[test]
    fn whose_it_is_is_in_owners_and_marks() {
        let [native, sealed] = ["encryptedsecret", "sealedsecret"].map(|name| Kind::by_name(name).unwrap());
        let mut marked = secret("shared", "u1");
        marked.metadata.annotations = Some(BTreeMap::from([
            (SOURCE_ANNOTATION.to_owned(), "EncryptedSecret.plomb.dev/second".to_owned()),
            (format!("{MERGED_PREFIX}x"), "SealedSecret.bitnami.com/third".to_owned()),
            ("other".to_owned(), "EncryptedSecret.plomb.dev/nobody".to_owned()),
        ]));
        let seen = Slim::of(marked).unwrap();
        let found = |kind| seen.sources(kind).into_iter().map(|id| id.name).collect::<Vec<_>>();
        assert_eq!(
            (found(native), found(sealed)),
            (vec!["of-u1".to_owned(), "second".to_owned()], vec!["third".to_owned()])
        );
        assert_eq!(seen.marks.len(), 2);
        // Without control it is another's.
        let mut watched = secret("x", "u1");
        watched.metadata.owner_references.as_mut().unwrap()[0].controller = None;
        assert!(Slim::of(watched).unwrap().sources(native).is_empty());
    }
}
