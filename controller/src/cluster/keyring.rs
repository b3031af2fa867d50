//! The keys of the controller: Secrets in its own namespace, watched by their labels, and files. Whoever opens something
//! takes a snapshot of all of them.

use std::path::PathBuf;
use std::sync::Arc;

use futures::{StreamExt as _, future, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::reflector::{self, Store};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use sealed::bitnami::RsaKey;
use sealed::custody::NUMBER_ANNOTATION;
use sealed::{Keys, Manifest};
use secret::SecretBytes;
use tokio::sync::watch;

use super::fault::watch_said;
use super::metrics::Metrics;
use super::retry;
use super::watch::{denied, refused};
use crate::identities;

pub(crate) use sealed::custody::KEY_LABEL;
/// The label of the keys of Sealed Secrets; only those that say `active` are used.
const SEALED_SECRETS_LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";

/// A snapshot of all keys.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    /// The keys.
    pub(crate) keys: Keys,
    /// Names the set; changes exactly when a key comes, goes, is revoked, or another becomes the current one.
    pub(crate) id: String,
    /// The newest key of Sealed Secrets.
    pub(crate) newest_rsa: Option<NewestRsa>,
}

impl KeySet {
    fn rsa(&self) -> Option<&str> {
        self.newest_rsa.as_ref().map(|newest| newest.fingerprint.as_str())
    }
}

/// A key of Sealed Secrets: what seals to it, and what names it.
#[derive(Clone, Debug)]
pub(crate) struct NewestRsa {
    /// The certificate in PEM.
    pub(crate) certificate: String,
    pub(crate) fingerprint: String,
}

/// What the snapshots are made from.
pub(crate) struct Source {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Follows the keys for ever, and sends a snapshot whenever they change; the first once all are read.
pub(crate) async fn follow(source: Source, to: watch::Sender<Option<Arc<KeySet>>>) {
    let api: Api<Secret> = Api::namespaced(source.client.clone(), &source.namespace);
    let mut stores = Vec::new();
    let mut changes = stream::SelectAll::new();
    for label in [KEY_LABEL, SEALED_SECRETS_LABEL] {
        let (store, writer) = reflector::store();
        stores.push(store);
        let config = watcher::Config::default().labels(label);
        let stream = watcher(api.clone(), config).backoff(retry::Pauses::default()).reflect(writer);
        changes.push(stream.boxed());
    }
    let place = format!("key Secrets in {}", source.namespace);
    while let Some(change) = changes.next().await {
        if let Err(error) = change {
            source.metrics.watch_error("keys");
            if let Some(why) = denied(&error) {
                source.metrics.refused(&place, &why);
            }
            refused(&source.metrics, &place, &error);
            tracing::warn!(error = watch_said(&error), "the watch of the key Secrets broke off");
            continue;
        }
        // Until both lists have been read, a snapshot would lack keys that are there.
        if future::join_all(stores.iter().map(is_ready)).await.contains(&false) {
            continue;
        }
        let secrets: Vec<Arc<Secret>> = stores.iter().flat_map(Store::state).collect();
        let set = source.snapshot(&secrets);
        let is_new = to.borrow().as_ref().is_none_or(|old| old.id != set.id || old.rsa() != set.rsa());
        if is_new {
            tracing::info!(keys = set.keys.len(), keyset = %set.id, "keys at hand");
            to.send_replace(Some(Arc::new(set)));
        }
    }
}

async fn is_ready(store: &Store<Secret>) -> bool {
    let now = std::time::Duration::ZERO;
    tokio::time::timeout(now, store.wait_until_ready()).await.is_ok_and(|ready| ready.is_ok())
}

impl Source {
    fn snapshot(&self, secrets: &[Arc<Secret>]) -> KeySet {
        let mut keys = identities::collect(&self.files).unwrap_or_else(|failure| {
            tracing::error!(error = %failure, "key files");
            Keys::default()
        });
        let (mut used, mut revoked) = (0, Vec::new());
        for secret in secrets {
            let state = state(secret);
            match manifest_of(secret).and_then(|manifest| add(&mut keys, &manifest, state, &mut revoked)) {
                Ok(found) => used += found,
                Err(error) => tracing::error!(secret = %secret.name_any(), %error, "a key Secret is not used"),
            }
        }
        self.metrics.keys("used", used);
        self.metrics.keys("revoked", revoked.len());
        if let Some(current) = current(secrets) {
            keys = keys.with_current(current);
        }
        keys = keys.with_revoked(revoked);
        KeySet { id: keys.id(), keys, newest_rsa: newest_rsa(secrets) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Used,
    Revoked,
    Off,
}

fn state(secret: &Secret) -> State {
    let label = |name: &str| secret.labels().get(name).map(String::as_str);
    match (label(KEY_LABEL), label(SEALED_SECRETS_LABEL)) {
        (Some("revoked"), _) => State::Revoked,
        (Some(_), _) | (None, Some("active")) => State::Used,
        _ => State::Off,
    }
}

/// A Secret as `sealed` reads it.
///
/// # Errors
/// When it cannot be written as JSON, which no Secret meets.
pub(super) fn manifest_of(secret: &Secret) -> Result<Manifest, String> {
    let text = serde_json::to_string(secret).map_err(|_| "it cannot be read as JSON".to_owned())?;
    Manifest::from_api(SecretBytes::from(text)).map_err(|error| error.to_string())
}

fn add(keys: &mut Keys, secret: &Manifest, state: State, revoked: &mut Vec<String>) -> Result<usize, String> {
    match state {
        State::Off => Ok(0),
        State::Used => match keys.add_secret(secret).map_err(|error| error.to_string())? {
            0 => Err("no entry of it holds a key".to_owned()),
            found => Ok(found),
        },
        State::Revoked => {
            let mut alone = Keys::default();
            alone.add_secret(secret).map_err(|error| error.to_string())?;
            revoked.extend(alone.for_namespace("").recipients().map(str::to_owned));
            Ok(0)
        }
    }
}

/// The newest key of Sealed Secrets that is in use and can be read.
fn newest_rsa(secrets: &[Arc<Secret>]) -> Option<NewestRsa> {
    let is_active =
        |secret: &&Arc<Secret>| secret.labels().get(SEALED_SECRETS_LABEL).is_some_and(|state| state == "active");
    let mut active: Vec<_> = secrets.iter().filter(is_active).collect();
    active.sort_by_key(|secret| std::cmp::Reverse(secret.creation_timestamp()));
    active.into_iter().find_map(|secret| {
        let certificate = secret.data.as_ref()?.get("tls.crt")?;
        let certificate = String::from_utf8(certificate.0.clone()).ok()?;
        let keys = RsaKey::from_secret(&manifest_of(secret).ok()?).ok()?;
        Some(NewestRsa { certificate, fingerprint: keys.first()?.fingerprint().to_owned() })
    })
}

/// The recipient of the newest active key, as `sealed::custody` counts them.
fn current(secrets: &[Arc<Secret>]) -> Option<String> {
    let is_active = |secret: &&Arc<Secret>| secret.labels().get(KEY_LABEL).is_some_and(|state| state == "active");
    let number = |secret: &Secret| secret.annotations().get(NUMBER_ANNOTATION).and_then(|it| it.parse::<u32>().ok());
    let newest = secrets.iter().filter(is_active).max_by_key(|it| (number(it), it.creation_timestamp()))?;
    let mut alone = Keys::default();
    alone.add_secret(&manifest_of(newest).ok()?).ok()?;
    let ring = alone.for_namespace("");
    ring.recipients().next().map(str::to_owned)
}
