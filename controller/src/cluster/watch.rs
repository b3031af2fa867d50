//! What wakes a resource: a change of its own, a change of one of its Secrets, a change of the keys, and time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::{Future, StreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::core::PartialObjectMeta;
use kube::runtime::controller::{Config, Controller};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{PredicateConfig, WatchStreamExt as _, watcher};
use kube::{Api, Resource as _};
use sealed::{MANAGED_LABEL, SOURCE_ANNOTATION};
use tokio::sync::watch;

use super::kind::{Kind, SealedObject};
use super::memory::Memory;
use super::reconcile::{Cluster, reconcile};
use super::secrets::{Secrets, Slim};

/// Between two looks for a kind whose CustomResourceDefinition is not there.
const WITHOUT_KIND: Duration = Duration::from_secs(30);
/// Objects per page of a list.
const PAGE: u32 = 500;

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
    /// Whether the API server does not know the kind.
    absent: watch::Sender<bool>,
    /// Whether every resource has been read once.
    listed: watch::Sender<bool>,
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

    /// The resource of this bell's kind that a Secret belongs to.
    fn source_of(&self, secret: &PartialObjectMeta<Secret>) -> Option<ObjectRef<SealedObject>> {
        let metadata = &secret.metadata;
        let owners = metadata.owner_references.iter().flatten();
        let owned = owners.filter(|owner| owner.controller == Some(true)).find(|owner| {
            let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
            owner.kind == self.kind.0.kind() && group == self.kind.0.group()
        });
        let named = metadata.annotations.as_ref().and_then(|all| all.get(SOURCE_ANNOTATION)).and_then(|source| {
            let (kind, name) = source.split_once('/')?;
            (kind == format!("{}.{}", self.kind.0.kind(), self.kind.0.group())).then_some(name)
        });
        let name = owned.map(|owner| owner.name.as_str()).or(named)?;
        Some(ObjectRef::new_with(name, self.kind).within(metadata.namespace.as_deref()?))
    }
}

/// Watches the Secrets of a scope, and wakes the resources that they belong to. Comes back with the store once it
/// is filled; the watch goes on as long as the task that is handed to `spawn`.
pub(crate) async fn secrets(
    cluster: &Arc<Cluster>,
    namespace: Option<&str>,
    bells: Vec<Bell>,
    tasks: &mut tokio::task::JoinSet<()>,
) -> Secrets {
    let api = match namespace {
        Some(namespace) => Api::<PartialObjectMeta<Secret>>::namespaced(cluster.client.clone(), namespace),
        None => Api::all(cluster.client.clone()),
    };
    let (store, writer) = reflector::store();
    let config = watcher::Config::default().labels(&format!("{MANAGED_LABEL}=true")).page_size(PAGE).any_semantic();
    let stream = watcher(api, config).default_backoff().modify(slim).reflect(writer);
    let metrics = cluster.metrics.clone();
    let secrets = Secrets::new(store.clone());
    let known = secrets.clone();
    tasks.spawn(async move {
        let mut stream = std::pin::pin!(stream);
        let mut before = Vec::new();
        while let Some(event) = stream.next().await {
            match event {
                Ok(watcher::Event::Apply(secret) | watcher::Event::InitApply(secret)) => {
                    known.note(&secret);
                    ring_for(&bells, &secret);
                }
                Ok(watcher::Event::Delete(secret)) => {
                    known.forget(&secret);
                    ring_for(&bells, &secret);
                }
                Ok(watcher::Event::Init) => before = known.state(),
                Ok(watcher::Event::InitDone) => {
                    known.renew();
                    // What went while nobody watched is in no event: it is only missing from the new list.
                    let gone = |secret: &&Arc<Slim>| !known.holds(secret);
                    std::mem::take(&mut before).iter().filter(gone).for_each(|secret| ring_for(&bells, secret));
                }
                Err(error) => {
                    metrics.watch_error("Secret");
                    tracing::warn!(%error, "the watch of Secrets broke off");
                }
            }
        }
    });
    // The writer lives as long as the task.
    let _ = store.wait_until_ready().await;
    secrets
}

fn ring_for(bells: &[Bell], secret: &PartialObjectMeta<Secret>) {
    let heard = bells.iter().filter_map(|bell| Some((bell, bell.source_of(secret)?)));
    heard.for_each(|(bell, id)| bell.ring(id));
}

/// Of a Secret, only who owns it and which version it has matters.
fn slim(secret: &mut PartialObjectMeta<Secret>) {
    secret.metadata.managed_fields = None;
    secret.metadata.labels = None;
    if let Some(annotations) = &mut secret.metadata.annotations {
        annotations.retain(|name, _| name == SOURCE_ANNOTATION);
    }
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
            absent: watch::Sender::new(false),
            listed: watch::Sender::new(false),
        }
    }

    /// Waits until every resource has been read, or it is known that there can be none. Not by the store's own way of
    /// waiting: that wakes only who asked last, and the controller on this store asks, too.
    pub(crate) async fn wait_until_listed(&self) {
        let (mut absent, mut listed) = (self.absent.subscribe(), self.listed.subscribe());
        tokio::select! {
            _ = listed.wait_for(|listed| *listed) => {}
            _ = absent.wait_for(|absent| *absent) => {}
        }
    }

    /// The resources as they are known.
    pub(crate) fn objects(&self) -> Vec<Arc<SealedObject>> {
        self.store.state()
    }

    fn api(&self) -> Api<SealedObject> {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.cluster.client.clone(), namespace, &self.kind),
            None => Api::all_with(self.cluster.client.clone(), &self.kind),
        }
    }

    /// Waits until the API server knows the kind.
    async fn wait_for_kind(&self) {
        let mut told = false;
        loop {
            let error = match self.api().list(&ListParams::default().limit(1)).await {
                Ok(_) => return,
                Err(error) => error,
            };
            // By code: of a group that it does not know at all, the API server gives no reason.
            let is_missing = matches!(&error, kube::Error::Api(status) if status.code == 404);
            self.absent.send_replace(is_missing);
            if !told {
                let kind = self.kind;
                if is_missing {
                    tracing::info!(?kind, "the API server does not know this kind yet");
                } else {
                    tracing::warn!(?kind, %error, "cannot list");
                }
                told = true;
            }
            tokio::time::sleep(if is_missing { WITHOUT_KIND } else { Duration::from_secs(5) }).await;
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
        let config = watcher::Config::default().page_size(PAGE).any_semantic();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(writer) = writer else { return };
        let store = self.store.clone();
        let (errors, lists) = (self.clone(), self.clone());
        let changes = watcher(self.api(), config)
            .default_backoff()
            .inspect(move |event| {
                if let Err(error) = event {
                    errors.cluster.metrics.watch_error(errors.kind.0.kind());
                    tracing::warn!(kind = ?errors.kind, %error, "the watch broke off");
                }
            })
            .reflect(writer)
            .inspect(move |event| {
                if let Ok(watcher::Event::InitDone) = event {
                    lists.listed.send_replace(true);
                }
            })
            .applied_objects()
            // Our own statuses must not wake us.
            .predicate_filter(changed, PredicateConfig::default());
        let settings = Config::default().concurrency(self.cluster.concurrency);
        let controller = Controller::for_stream_with(changes, store.clone(), self.kind)
            .with_config(settings)
            .reconcile_on(woken)
            .graceful_shutdown_on(stop);
        let looks = controller.run(reconcile, |_, error, _| match *error {}, self.clone());
        tokio::select! {
            () = looks.for_each(|_| std::future::ready(())) => {}
            () = self.clone().wake_for_keys(bell, store) => {}
        }
    }

    /// Wakes the resources that other keys may help, whenever the keys change.
    async fn wake_for_keys(self: Arc<Self>, bell: Bell, store: Store<SealedObject>) {
        let mut keys = self.cluster.keys.clone();
        keys.mark_unchanged();
        loop {
            if keys.changed().await.is_err() {
                // The sender lives as long as the process.
                std::future::pending::<()>().await;
            }
            self.memory.keep(|id| store.get(id).is_some());
            self.memory.wanting_keys().into_iter().for_each(|id| bell.ring(id));
        }
    }
}

/// What of an object can change what becomes of it: its spec (by generation), its marks, and that it is another object
/// of the same name.
fn changed(object: &SealedObject) -> Option<u64> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    let metadata = object.meta();
    (&metadata.uid, metadata.generation, &metadata.annotations, metadata.deletion_timestamp.is_some())
        .hash(&mut hasher);
    Some(hasher.finish())
}
