//! The leader looks after the cluster's own keys: reads what there is, asks `sealed::custody` what to do, does it, and
//! reads again, until nothing is left to do. Every decision stands there; a lost write needs nothing but another round.

pub(crate) mod read;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ObjectReference, Secret};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::runtime::events::EventType;
use kube::{Api, Client};
use sealed::custody::{self, ClusterRecipientStatus, KeyRecord, Published, RecordError, Settings, Step, Usage, World};
use sealed::{LiveSecret, Timestamp};
use secret::OsRandom;
use serde_json::json;

use super::FIELD_MANAGER;
use super::fault::Fault;
use super::keyring::{KEY_LABEL, manifest_of};
use super::live::{METADATA_ONLY, Metadata, path as secrets_path};
use super::reconcile::{Cluster, now};
use super::watch::Unit;

/// Between two rounds if nothing else asks for one.
const PERIOD: Duration = Duration::from_secs(60);
/// After a round that failed.
const AGAIN: Duration = Duration::from_secs(5);
/// Writes in a row; a decision that never comes to rest must not keep the API server busy.
const WRITES: usize = 32;

/// Why no first key is made while resources cannot be listed.
const UNREAD: &str = "ResourcesUnread";
/// Where `ClusterRecipient`s are.
const CLUSTER_RECIPIENTS: &str = "/apis/plomb.dev/v1alpha1/clusterrecipients";

/// What the leader needs to look after the keys.
pub(crate) struct Custodian {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) settings: Arc<Settings>,
    /// The name that people gave the cluster.
    pub(crate) cluster_name: String,
    /// Whether cluster-scoped objects may be read and written.
    pub(crate) cluster_wide: bool,
    /// Where sealed resources are, for counting which keys they need.
    pub(crate) units: Vec<Arc<Unit>>,
    /// What was said last, so that it is not said every minute.
    pub(crate) said: Mutex<Vec<String>>,
}

/// Everything that was read for one decision.
pub(crate) struct Snapshot {
    cluster: custody::Cluster,
    records: Vec<KeyRecord>,
    unreadable: Vec<RecordError>,
    published: Published,
    /// The version of the ConfigMap that was read; none if there is none.
    published_at: Option<String>,
    status: Option<ClusterRecipientStatus>,
    usage: Usage,
    now: Timestamp,
}

impl Snapshot {
    pub(crate) fn world<'a>(&'a self, settings: &'a Settings) -> World<'a> {
        World {
            cluster: &self.cluster,
            settings,
            records: &self.records,
            unreadable: &self.unreadable,
            published: &self.published,
            usage: &self.usage,
            now: self.now,
        }
    }
}

impl Custodian {
    /// Looks after the keys for ever. Once the first decision is carried out, resources may be told whether there is a
    /// key for them.
    pub(crate) async fn run(self: Arc<Self>) {
        for unit in &self.units {
            unit.wait_until_listed().await;
        }
        let mut keys = self.cluster.keys.clone();
        loop {
            keys.mark_unchanged();
            let round = tokio::time::timeout(PERIOD, self.round()).await;
            let wait = match round.unwrap_or_else(|_| Err(late())) {
                Ok(snapshot) => {
                    self.wait_for_key(&snapshot).await;
                    self.cluster.snapshots.send_replace(Some(Arc::new(snapshot)));
                    self.cluster.settled.send_replace(true);
                    PERIOD
                }
                Err(fault) => {
                    tracing::warn!(%fault, "cannot look after the keys");
                    AGAIN
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                changed = keys.changed() => if changed.is_err() { return },
            }
        }
    }

    /// The watch of the key Secrets is a moment behind what was just written.
    async fn wait_for_key(&self, snapshot: &Snapshot) {
        let Some(wanted) = snapshot.published.recipient() else { return };
        let mut keys = self.cluster.keys.clone();
        let has = |set: &Option<Arc<super::keyring::KeySet>>| {
            set.as_ref().is_some_and(|set| set.keys.for_namespace("").recipients().any(|it| it == wanted))
        };
        let _ = tokio::time::timeout(AGAIN, keys.wait_for(has)).await;
    }

    async fn round(&self) -> Result<Snapshot, Fault> {
        for _ in 0..WRITES {
            let snapshot = self.read().await?;
            let world = snapshot.world(&self.settings);
            let steps = self.withheld(custody::decide(&world), &world);
            if let Some(step) = steps.iter().find(|step| step.is_write()) {
                self.take(&snapshot, step).await?;
                continue;
            }
            self.report(&snapshot, &steps).await?;
            return Ok(snapshot);
        }
        Err(Fault::new("Internal", format!("no rest after {WRITES} writes about keys")))
    }

    /// While resources cannot be read, nobody knows which keys they need: then no first key is made, and none is called
    /// superfluous.
    fn withheld(&self, mut steps: Vec<Step>, world: &World<'_>) -> Vec<Step> {
        let unread: Vec<String> = self.units.iter().filter(|unit| unit.is_unread()).map(|unit| unit.place()).collect();
        if unread.is_empty() || self.settings.bootstrap == custody::Bootstrap::New {
            return steps;
        }
        let all = steps.len();
        let is_first = world.records.is_empty();
        steps.retain(|step| !(is_first && matches!(step, Step::Make { .. })));
        if steps.len() < all {
            let note = format!("no first key is made while these cannot be read: {}", unread.join(", "));
            self.say(EventType::Warning, UNREAD, &note);
        }
        steps.retain(|step| !matches!(step, Step::MarkIdle { .. } | Step::MayRetire { .. }));
        steps
    }

    /// Reads everything anew, past all caches.
    async fn read(&self) -> Result<Snapshot, Fault> {
        let client = &self.cluster.client;
        let mut snapshot = Snapshot {
            cluster: custody::Cluster { name: self.cluster_name.clone(), uid: self.cluster_uid().await? },
            records: Vec::new(),
            unreadable: Vec::new(),
            published: Published::default(),
            published_at: None,
            status: None,
            usage: Usage::default(),
            now: now(),
        };
        let api: Api<Secret> = Api::namespaced(client.clone(), &self.settings.namespace);
        let listed = api.list(&ListParams::default().labels(KEY_LABEL)).await;
        for secret in listed.map_err(|error| Fault::of("list the key Secrets", &error))? {
            let name = secret.metadata.name.clone().unwrap_or_default();
            let live = manifest_of(&secret).and_then(|it| LiveSecret::of(&it).map_err(|error| error.to_string()));
            match live.map_err(|why| RecordError { name, why }).and_then(|live| KeyRecord::of(&live)) {
                Ok(record) => snapshot.records.push(record),
                Err(error) => snapshot.unreadable.push(error),
            }
        }
        let cluster = self.cluster_wide.then_some(self.cluster_name.as_str());
        let shown = read::shown(client, &self.settings.namespace, &self.settings.name, cluster).await?;
        (snapshot.published, snapshot.published_at, snapshot.status) = (shown.published, shown.at, shown.status);
        let objects: Vec<_> = self.units.iter().flat_map(|unit| unit.objects()).collect();
        let named: Vec<(String, &[String])> = objects
            .iter()
            .filter(|object| !object.recipients().is_empty())
            .map(|object| (format!("{}/{}", object.namespace(), object.name()), object.recipients()))
            .collect();
        let resources = named.iter().map(|(name, recipients)| (name.as_str(), recipients.iter().map(String::as_str)));
        snapshot.usage = Usage::of(&snapshot.records, &snapshot.published, resources);
        Ok(snapshot)
    }

    /// What tells this cluster from one that was set up anew under its name. Without rights beyond namespaces, the
    /// controller's own namespace stands for it.
    async fn cluster_uid(&self) -> Result<String, Fault> {
        if !self.cluster_wide {
            return Ok(format!("namespace {}", self.settings.namespace));
        }
        let found = Api::<Namespace>::all(self.cluster.client.clone()).get("kube-system").await;
        let found = found.map_err(|error| Fault::of("read the namespace kube-system", &error))?;
        Ok(found.metadata.uid.unwrap_or_default())
    }

    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.cluster.client.clone(), &self.settings.namespace)
    }

    fn config_map_name(&self) -> String {
        Published::config_map_name(&self.settings.name)
    }

    async fn take(&self, snapshot: &Snapshot, step: &Step) -> Result<(), Fault> {
        let world = &snapshot.world(&self.settings);
        match step {
            Step::Make { successor } => self.make(world, *successor).await?,
            Step::Publish | Step::Escrow => self.publish(world, snapshot.published_at.as_deref()).await?,
            Step::Restate { .. } | Step::Demote { .. } | Step::Revoke { .. } | Step::MarkIdle { .. } => {
                self.patch(world, step).await?;
            }
            Step::MayRetire { .. } | Step::Miss { .. } | Step::Wait(_) => {}
        }
        if let Some((type_, reason, note)) = words(step) {
            self.say(type_, reason, &note);
        }
        Ok(())
    }

    async fn make(&self, world: &World<'_>, successor: bool) -> Result<(), Fault> {
        let record = custody::make(world, successor, &mut OsRandom::default());
        let doing = format!("create key Secret {}", record.name);
        let internal = |error: String| Fault::new("Internal", format!("cannot {doing}: {error}"));
        let body = record.to_secret(&self.settings.namespace).to_json().map_err(|error| internal(error.to_string()))?;
        let uri = format!("{}?fieldManager={FIELD_MANAGER}", secrets_path(&self.settings.namespace));
        let request = http::Request::builder().method(Method::POST).uri(uri);
        let request = request
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(http::header::ACCEPT, METADATA_ONLY)
            .body(body.expose().to_vec())
            .map_err(|error| internal(error.to_string()))?;
        self.cluster.client.request::<Metadata>(request).await.map_err(|error| Fault::of(&doing, &error))?;
        tracing::info!(target: "audit", secret = %record.name, recipient = %record.recipient, "key made");
        let note = format!("a new key was made: Secret {}, recipient {}", record.name, record.recipient);
        self.say(EventType::Normal, "KeyMade", &note);
        Ok(())
    }

    /// Writes the ConfigMap over the version `at` that was read, and no other: a leader that was paused must not put an
    /// older chain back.
    async fn publish(&self, world: &World<'_>, at: Option<&str>) -> Result<(), Fault> {
        let name = self.config_map_name();
        let data: BTreeMap<String, String> = custody::publish(world).to_config_map();
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.settings.namespace, "resourceVersion": at},
            "data": data,
        });
        let written = match at {
            Some(_) => {
                let params = PatchParams::apply(FIELD_MANAGER).force();
                self.config_maps().patch(&name, &params, &Patch::Apply(&map)).await.map(|_| ())
            }
            None => {
                let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
                let map: ConfigMap = serde_json::from_value(map).map_err(|_| Fault::new("Internal", "no ConfigMap"))?;
                self.config_maps().create(&params, &map).await.map(|_| ())
            }
        };
        written.map_err(|error| Fault::of("write the ConfigMap of recipients", &error))?;
        let recovery: Vec<&str> = self.settings.recovery.names().collect();
        let fingerprint =
            custody::publish(world).statements.last().map(custody::Statement::fingerprint).unwrap_or_default();
        tracing::info!(target: "audit", %fingerprint, "published");
        let what = match recovery.as_slice() {
            [] => "published; no recovery recipient was given, so nobody can restore the keys".to_owned(),
            names => format!("published, and backed up for {}", names.join(", ")),
        };
        self.say(EventType::Normal, "Published", &format!("{what}; fingerprint {fingerprint}"));
        Ok(())
    }

    async fn patch(&self, world: &World<'_>, step: &Step) -> Result<(), Fault> {
        // Decided about a Secret that is gone: the next round sees that.
        let Some((name, patch)) = custody::patch(world, step) else { return Ok(()) };
        let api: Api<Secret> = Api::namespaced(self.cluster.client.clone(), &self.settings.namespace);
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let written = api.patch_metadata(&name, &params, &Patch::Merge(&patch)).await;
        written.map(|_| ()).map_err(|error| Fault::of(&format!("patch key Secret {name}"), &error))
    }

    /// The status of the ClusterRecipient, and what people should hear.
    async fn report(&self, snapshot: &Snapshot, steps: &[Step]) -> Result<(), Fault> {
        let world = snapshot.world(&self.settings);
        if self.cluster_wide {
            let next = custody::status(&world, steps, snapshot.status.as_ref());
            if snapshot.status.as_ref() != Some(&next) {
                self.write_status(&next).await?;
            }
        }
        for (type_, reason, note) in steps.iter().filter_map(words) {
            self.say(type_, reason, &note);
        }
        // What no longer holds may be said again when it does.
        let now: Vec<String> =
            steps.iter().filter_map(words).map(|(_, reason, note)| format!("{reason} {note}")).collect();
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|said| now.contains(said) || said.starts_with(UNREAD));
        Ok(())
    }

    async fn write_status(&self, status: &ClusterRecipientStatus) -> Result<(), Fault> {
        let head = json!({
            "apiVersion": "plomb.dev/v1alpha1", "kind": "ClusterRecipient", "metadata": {"name": self.cluster_name},
        });
        let mut whole = head.clone();
        whole["status"] = serde_json::to_value(status).unwrap_or_default();
        let place = format!("{CLUSTER_RECIPIENTS}/{}", self.cluster_name);
        apply(&self.cluster.client, &place, &head).await?;
        apply(&self.cluster.client, &format!("{place}/status"), &whole).await
    }

    /// An event about the ConfigMap of recipients, and a line in the log; each once until something else is said.
    fn say(&self, type_: EventType, reason: &str, note: &str) {
        let text = format!("{reason} {note}");
        {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.contains(&text) {
                return;
            }
            said.push(text);
        }
        tracing::info!(reason, note, "keys");
        let about = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("ConfigMap".to_owned()),
            name: Some(self.config_map_name()),
            namespace: Some(self.settings.namespace.clone()),
            ..ObjectReference::default()
        };
        self.cluster.herald.tell(about, type_, reason, note);
    }
}

/// A round that waits for an answer for ever would be the last; a lost write needs nothing but another round.
fn late() -> Fault {
    Fault::new("ApiUnavailable", format!("no end within {} s", PERIOD.as_secs()))
}

/// Server-side apply of an object that holds no secret.
async fn apply(client: &Client, place: &str, body: &serde_json::Value) -> Result<(), Fault> {
    let doing = "write the ClusterRecipient";
    let uri = format!("{place}?fieldManager={FIELD_MANAGER}&force=true");
    let request = http::Request::builder().method(Method::PATCH).uri(uri);
    let request = request.header(http::header::CONTENT_TYPE, "application/apply-patch+yaml");
    let request = request.body(body.to_string().into_bytes());
    let request = request.map_err(|error| Fault::new("Internal", format!("cannot {doing}: {error}")))?;
    client.request::<Metadata>(request).await.map(|_| ()).map_err(|error| Fault::of(doing, &error))
}

/// What people should hear of a step; the others speak for themselves.
fn words(step: &Step) -> Option<(EventType, &'static str, String)> {
    match step {
        Step::Demote { secret } => {
            Some((EventType::Normal, "KeyReplaced", format!("Secret {secret} only decrypts from now on")))
        }
        Step::Revoke { secret, losers } => {
            let note = format!("Secret {secret} is revoked; resources that nothing opens now: {}", losers.count);
            let names = if losers.count == 0 { String::new() } else { format!(" ({losers})") };
            Some((EventType::Warning, "KeyRevoked", note + &names))
        }
        Step::MayRetire { secret, since } => {
            let note = format!("no resource needs Secret {secret} since {since}: it may be deleted");
            Some((EventType::Normal, "KeyNotNeeded", note))
        }
        Step::Miss { recipient, needed_by } => {
            let note =
                format!("the key of {recipient} is gone, and {} resources need it: {needed_by}", needed_by.count);
            Some((EventType::Warning, "KeyMissing", note))
        }
        Step::Wait(reason) => Some((EventType::Warning, reason.word(), reason.to_string())),
        Step::Make { .. } | Step::Restate { .. } | Step::Publish | Step::Escrow | Step::MarkIdle { .. } => None,
    }
}
