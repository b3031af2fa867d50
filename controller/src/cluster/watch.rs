//! What wakes a resource: a change of its own, a change of one of its Secrets, a change of the keys, and time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::{Future, StreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{GetParams, ListParams};
use kube::core::{PartialObjectMeta, Request};
use kube::runtime::controller::{Config, Controller};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::{PredicateConfig, WatchStreamExt as _, watcher};
use kube::{Api, Resource as _};
use sealed::MANAGED_LABEL;
use tokio::sync::watch;

use super::fault::{Fault, said, watch_said};
use super::kind::{Kind, SealedObject};
use super::leave::{self, Gone};
use super::memory::{Memory, Remembered};
use super::metrics::Metrics;
use super::reconcile::{Cluster, reconcile};
use super::retry;
use super::secrets::{Secrets, Slim};

/// Between two looks for a kind whose CustomResourceDefinition is not there.
const WITHOUT_KIND: Duration = Duration::from_secs(30);
/// Objects per page of a list: a page is held as a whole, twice for a moment, and anybody may make objects of 1.5 MB.
pub(super) const PAGE: u32 = 16;
/// The same for Secrets, of which the metadata is read: annotations of 256 KiB and the names of all fields.
const SECRETS_PAGE: u32 = 48;

/// What a list in several pages brings is in the store when its last page is: whoever looks for an object of an earlier
/// page before that finds none, and drops it. So all that are not settled are woken at the end.
struct Pages {
    kind: Kind,
    bell: Bell,
    listed: Vec<ObjectRef<SealedObject>>,
}

impl Pages {
    fn follow(&mut self, event: &watcher::Result<watcher::Event<SealedObject>>) {
        match event {
            Ok(watcher::Event::InitApply(object)) if object.settled().is_none() => {
                self.listed.push(ObjectRef::new_with(object.name(), self.kind).within(object.namespace()));
            }
            Ok(watcher::Event::InitDone) => self.listed.drain(..).for_each(|id| self.bell.ring(id)),
            Ok(watcher::Event::Init) => self.listed.clear(),
            _ => {}
        }
    }
}

/// One kind in one scope (a namespace, or all), with what is remembered of its resources.
pub(crate) struct Unit {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) kind: Kind,
    pub(crate) namespace: Option<String>,
    /// None where Secrets are read by name only.
    pub(crate) secrets: Option<Secrets>,
    pub(crate) memory: Memory,
    store: Store<SealedObject>,
    /// Fills the store; taken by the one run.
    writer: Mutex<Option<Writer<SealedObject>>>,
    /// How far reading the resources has come.
    listing: watch::Sender<Listing>,
}

/// How far reading all objects of a watch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Nothing is known yet.
    Asked,
    /// The API server does not know the kind.
    Absent,
    /// We may not read them.
    Denied,
    /// All were read once.
    Listed,
}

/// A way to wake resources of one kind.
pub(crate) struct Bell {
    kind: Kind,
    to: UnboundedSender<ObjectRef<SealedObject>>,
}

/// A bell for `kind`, and what hears it.
pub(crate) fn bell(kind: Kind) -> (Bell, UnboundedReceiver<ObjectRef<SealedObject>>) {
    let (to, from) = mpsc::unbounded();
    (Bell { kind, to }, from)
}

impl Bell {
    /// The same bell for somebody else's hand.
    pub(crate) fn another(&self) -> Self {
        Self { kind: self.kind, to: self.to.clone() }
    }

    fn ring(&self, id: ObjectRef<SealedObject>) {
        // Nobody hears it once the unit has ended.
        let _ = self.to.unbounded_send(id);
    }
}

/// Watches the Secrets of a scope, and wakes the resources that they belong to. The watch goes on as long as the task
/// that is handed to `tasks`.
pub(crate) fn secrets(
    cluster: &Arc<Cluster>,
    namespace: Option<&str>,
    bells: Vec<Bell>,
    tasks: &mut tokio::task::JoinSet<()>,
) -> Secrets {
    let api = match namespace {
        Some(namespace) => Api::<PartialObjectMeta<Secret>>::namespaced(cluster.client.clone(), namespace),
        None => Api::all(cluster.client.clone()),
    };
    let config = watcher::Config::default().labels(&format!("{MANAGED_LABEL}=true")).page_size(SECRETS_PAGE);
    let stream = watcher(api, config).backoff(retry::Pauses::default());
    let metrics = cluster.metrics.clone();
    let secrets = Secrets::new();
    let place = place("Secret", namespace);
    let known = secrets.clone();
    tasks.spawn(async move {
        let mut stream = std::pin::pin!(stream);
        while let Some(event) = stream.next().await {
            match event {
                Ok(event) => {
                    let is_whole = matches!(event, watcher::Event::InitDone);
                    known.follow(event).iter().for_each(|secret| ring_for(&bells, secret));
                    if is_whole {
                        known.tell(Listing::Listed);
                        metrics.unread(&place, None);
                    }
                }
                Err(error) => {
                    metrics.watch_error("Secret");
                    if let Some(why) = denied(&error) {
                        known.deny();
                        metrics.unread(&place, Some(&why));
                    }
                    refused(&metrics, &place, &error);
                    tracing::warn!(place, error = watch_said(&error), "the watch of Secrets broke off");
                }
            }
        }
    });
    secrets
}

/// What a watch reads, for people.
fn place(kind: &str, namespace: Option<&str>) -> String {
    namespace.map_or_else(|| kind.to_owned(), |namespace| format!("{kind} in {namespace}"))
}

/// Whether the answer is that we may not, or that there is nothing to ask about: no waiting helps.
pub(super) fn is_denied(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404))
}

/// Why a list was refused, if it was.
pub(super) fn denied(error: &watcher::Error) -> Option<String> {
    match error {
        watcher::Error::InitialListFailed(error) if is_denied(error) => Some(said(error)),
        _ => None,
    }
}

/// Tells of a watch that was refused though all may be listed: what changes goes unseen. Nothing says when that ends but
/// that it is not said again.
pub(super) fn refused(metrics: &Metrics, place: &str, error: &watcher::Error) {
    if let watcher::Error::WatchStartFailed(error) = error
        && is_denied(error)
    {
        metrics.refused(place, &said(error));
    }
}

fn ring_for(bells: &[Bell], secret: &Slim) {
    bells.iter().for_each(|bell| secret.sources(bell.kind).into_iter().for_each(|id| bell.ring(id)));
}

/// The name in such an annotation, if it is one of a resource of this kind.
fn named(kind: Kind, source: &str) -> Option<&str> {
    Kind::of_source(source).filter(|(of, _)| *of == kind).map(|(_, name)| name)
}

impl Unit {
    pub(crate) fn new(cluster: &Arc<Cluster>, kind: Kind, namespace: Option<String>, secrets: Option<Secrets>) -> Self {
        let writer = Writer::new(kind);
        Self {
            cluster: cluster.clone(),
            kind,
            namespace,
            secrets,
            memory: Memory::default(),
            store: writer.as_reader(),
            writer: Mutex::new(Some(writer)),
            listing: watch::Sender::new(Listing::Asked),
        }
    }

    /// Waits until every resource has been read, or it is known that there are none for us. Not by the store's own way
    /// of waiting: that wakes only who asked last, and the controller on this store asks, too.
    pub(crate) async fn wait_until_listed(&self) {
        let _ = self.listing.subscribe().wait_for(|listing| *listing != Listing::Asked).await;
    }

    /// Whether there may be resources that were never read.
    pub(crate) fn is_unread(&self) -> bool {
        *self.listing.borrow() == Listing::Denied
    }

    /// What it reads, for people.
    pub(crate) fn place(&self) -> String {
        place(self.kind.0.kind(), self.namespace.as_deref())
    }

    /// The resource of this name, if it is there.
    pub(crate) fn holds(&self, id: &ObjectRef<SealedObject>) -> bool {
        self.store.get(id).is_some()
    }

    /// The resource of this unit's kind that an annotation of a Secret in `namespace` names.
    pub(crate) fn source(&self, source: &str, namespace: &str) -> Option<ObjectRef<SealedObject>> {
        named(self.kind, source).map(|name| ObjectRef::new_with(name, self.kind).within(namespace))
    }

    /// The resources as they are known.
    pub(crate) fn objects(&self) -> Vec<Arc<SealedObject>> {
        self.store.state()
    }

    /// Holds no more of an object with which all is well than is needed; its status is remembered.
    fn settle(&self, object: &mut SealedObject) {
        let Some(status) = object.settle(self.kind) else { return };
        let id = ObjectRef::from_obj_with(object, self.kind);
        let (uid, resource_version) = (object.uid().to_owned(), object.resource_version().to_owned());
        // What was written here is known already, and with it how the object fared.
        if self.memory.of(&id, &uid).is_some_and(|seen| seen.knows(&resource_version)) {
            return;
        }
        let wants_keys = status.wants_rewrap();
        self.memory.put(&id, &Remembered { uid, resource_version, status, wants_keys, ..Remembered::default() });
    }

    /// Takes note of how a resource fares, unless it is gone by now.
    pub(crate) fn remember(&self, id: &ObjectRef<SealedObject>, seen: &Remembered) {
        if self.holds(id) {
            self.memory.put(id, seen);
        }
    }

    /// The object as it is now; none if it is gone.
    ///
    /// # Errors
    /// When the API server does not answer, or does not let us read it.
    pub(crate) async fn read(&self, object: &SealedObject) -> Result<Option<SealedObject>, Fault> {
        let doing = format!("read {:?} {}", self.kind, object.name());
        let bad = |error: &dyn std::fmt::Display| Fault::new("ApiUnavailable", format!("cannot {doing}: {error}"));
        let request = Request::new(self.kind.path(object.namespace())).get(object.name(), &GetParams::default());
        let text = match self.cluster.client.request_text(request.map_err(|error| bad(&error))?).await {
            Ok(text) => text,
            Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(None),
            Err(error) => return Err(Fault::of(&doing, &error)),
        };
        SealedObject::read(&text).map(Some).map_err(|_| bad(&"the answer is no object"))
    }

    fn api(&self) -> Api<SealedObject> {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.cluster.client.clone(), namespace, &self.kind),
            None => Api::all_with(self.cluster.client.clone(), &self.kind),
        }
    }

    /// Waits until the API server knows the kind and lets us list it, and the Secrets beside it have been read.
    async fn wait_for_kind(&self) {
        for attempt in 0_u32.. {
            let error = match self.api().list(&ListParams::default().limit(1)).await {
                Ok(_) => break,
                Err(error) => error,
            };
            // By code: of a group that it does not know at all, the API server gives no reason.
            let is_missing = matches!(&error, kube::Error::Api(status) if status.code == 404);
            let place = self.place();
            if is_missing {
                self.listing.send_replace(Listing::Absent);
                self.cluster.metrics.unread(&place, None);
                if attempt == 0 {
                    tracing::info!(place, "the API server does not know this kind yet");
                }
            } else {
                if is_denied(&error) {
                    self.listing.send_replace(Listing::Denied);
                }
                self.cluster.metrics.unread(&place, Some(&said(&error)));
                // Again and again, less and less often.
                if attempt.is_power_of_two() || attempt == 0 {
                    tracing::warn!(place, error = said(&error), "cannot list; nothing is done there");
                }
            }
            tokio::time::sleep(if is_missing { WITHOUT_KIND } else { retry::after_denial(attempt) }).await;
        }
        self.cluster.metrics.unread(&self.place(), None);
        self.wait_for_secrets().await;
    }

    /// Without the Secrets of its scope, a unit would take what it wrote for missing.
    async fn wait_for_secrets(&self) {
        let Some(secrets) = &self.secrets else { return };
        let mut listing = secrets.listing();
        loop {
            match *listing.borrow_and_update() {
                Listing::Listed => return,
                Listing::Denied => drop(self.listing.send_replace(Listing::Denied)),
                Listing::Asked | Listing::Absent => {}
            }
            if listing.changed().await.is_err() {
                // The sender lives as long as the watch.
                std::future::pending::<()>().await;
            }
        }
    }

    /// What a change of the list means.
    fn follow(&self, event: &Result<watcher::Event<SealedObject>, watcher::Error>, gone: &UnboundedSender<Gone>) {
        match event {
            Ok(watcher::Event::InitDone) => {
                self.listing.send_replace(Listing::Listed);
                self.cluster.metrics.unread(&self.place(), None);
                let _ = gone.unbounded_send(Gone::Unseen);
            }
            Ok(watcher::Event::Delete(object)) => {
                let _ = gone.unbounded_send(Gone::One(ObjectRef::from_obj_with(object, self.kind)));
            }
            Ok(_) => {}
            Err(error) => {
                if let Some(why) = denied(error) {
                    self.cluster.metrics.unread(&self.place(), Some(&why));
                }
                refused(&self.cluster.metrics, &self.place(), error);
            }
        }
    }

    /// A Secret names a resource that is gone: a look that ran while it was deleted may have merged its keys once more.
    fn leave_again(&self, id: &ObjectRef<SealedObject>, gone: &UnboundedSender<Gone>) {
        // Before all has been read, everything looks as if it were gone.
        if *self.listing.borrow() == Listing::Listed && !self.holds(id) {
            let _ = gone.unbounded_send(Gone::One(id.clone()));
        }
    }

    /// Looks after the resources of the unit until `stop`; those that are being worked on then are finished.
    pub(crate) async fn run(
        self: Arc<Self>,
        woken: UnboundedReceiver<ObjectRef<SealedObject>>,
        bell: Bell,
        stop: impl Future<Output = ()> + Send + Sync + 'static,
    ) {
        let mut stop = Box::pin(stop);
        tokio::select! {
            () = self.wait_for_kind() => {}
            () = &mut stop => return,
        }
        let config = watcher::Config::default().page_size(PAGE);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return };
        let store = self.store.clone();
        let (errors, lists, lighter, absent) = (self.clone(), self.clone(), self.clone(), self.clone());
        let mut recipients = HashSet::new();
        let mut pages = Pages { kind: self.kind, bell: bell.another(), listed: Vec::new() };
        let (to, gone) = mpsc::unbounded();
        let again = to.clone();
        let woken = woken.inspect(move |id| absent.leave_again(id, &again));
        let changes = watcher(self.api(), config)
            .backoff(retry::Pauses::default())
            .inspect(move |event| {
                if let Err(error) = event {
                    errors.cluster.metrics.watch_error(errors.kind.0.kind());
                    tracing::warn!(kind = ?errors.kind, error = watch_said(error), "the watch broke off");
                }
            })
            .modify(move |object| {
                object.share_recipients(&mut recipients);
                lighter.settle(object);
                object.make_room(&lighter.cluster.budget);
            })
            .reflect(writer)
            .inspect(move |event| pages.follow(event))
            .inspect(move |event| lists.follow(event, &to))
            .applied_objects()
            // Our own statuses must not wake us.
            .predicate_filter(changed, PredicateConfig::default());
        let settings = Config::default().concurrency(self.cluster.lanes.waiting());
        let controller = Controller::for_stream_with(changes, store.clone(), self.kind)
            .with_config(settings)
            .reconcile_on(woken)
            .graceful_shutdown_on(stop);
        let looks = controller.run(reconcile, |_, error, _| match *error {}, self.clone());
        tokio::select! {
            () = looks.for_each(|_| std::future::ready(())) => {}
            () = self.clone().wake_for_keys(bell, store) => {}
            () = leave::follow(self.clone(), gone) => {}
        }
    }

    /// Wakes the resources that other keys may help, and those that list a key which fares otherwise now, whenever the
    /// keys change. All others fare as they did.
    async fn wake_for_keys(self: Arc<Self>, bell: Bell, store: Store<SealedObject>) {
        let mut keys = self.cluster.keys.clone();
        let mut before = keys.borrow_and_update().clone();
        loop {
            if keys.changed().await.is_err() {
                // The sender lives as long as the process.
                std::future::pending::<()>().await;
            }
            self.memory.keep(|id| store.get(id).is_some());
            let now = keys.borrow_and_update().clone();
            let mut woken: HashSet<_> = self.memory.wanting_keys().into_iter().collect();
            if let (Some(before), Some(now)) = (&before, &now) {
                let changed = now.keys.changed_since(&before.keys);
                let listing = self.objects().into_iter().filter(|object| object.lists_any(&changed));
                woken.extend(
                    listing.map(|object| ObjectRef::new_with(object.name(), self.kind).within(object.namespace())),
                );
            }
            before = now;
            woken.into_iter().for_each(|id| bell.ring(id));
        }
    }
}

/// What of an object can change what becomes of it: its spec (by generation), its marks, and that it is another object
/// of the same name.
fn changed(object: &SealedObject) -> Option<u64> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    let metadata = object.meta();
    (&metadata.uid, metadata.generation, object.marks(), metadata.deletion_timestamp.is_some()).hash(&mut hasher);
    Some(hasher.finish())
}
