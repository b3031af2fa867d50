//! What the controller counts. docs/metrics.md lists every name; a test compares.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::compat;

/// The kind whose resources are counted under the names of Sealed Secrets.
const SEALED_SECRET: &str = "SealedSecret";

/// Labels: name and value.
type Labels = Vec<(&'static str, String)>;

/// Why something cannot be read.
struct Unread {
    why: String,
    /// How long that is believed; until something else is said if it is open.
    until: Option<Instant>,
}

/// How long a refusal is believed of which nobody says when it ends. Whoever is refused asks again sooner.
const BELIEVED: Duration = Duration::from_secs(60);

/// Every instrument, and the registry that prints them.
pub(crate) struct Metrics {
    registry: Registry,
    objects: Family<Labels, Gauge>,
    reconciles: Family<Labels, Counter>,
    seconds: Histogram,
    decrypts: Family<Labels, Counter>,
    decrypt_seconds: Histogram,
    writes: Family<Labels, Counter>,
    drift: Counter,
    keys: Family<Labels, Gauge>,
    key_use: Family<Labels, Gauge>,
    leader: Gauge,
    watch_errors: Family<Labels, Counter>,
    unread: Family<Labels, Gauge>,
    unread_places: Mutex<BTreeMap<String, Unread>>,
    status_errors: Counter,
    events_lost: Counter,
    /// The names of Sealed Secrets, if they are asked for.
    compat: Option<compat::Names>,
}

impl Metrics {
    /// `compat`: also under the names of Sealed Secrets.
    pub(crate) fn new(compat: bool) -> Self {
        let mut new = Self {
            registry: Registry::with_prefix("plomb"),
            objects: Family::default(),
            reconciles: Family::default(),
            seconds: Histogram::new(buckets()),
            decrypts: Family::default(),
            decrypt_seconds: Histogram::new(buckets()),
            writes: Family::default(),
            drift: Counter::default(),
            keys: Family::default(),
            key_use: Family::default(),
            leader: Gauge::default(),
            watch_errors: Family::default(),
            unread: Family::default(),
            unread_places: Mutex::default(),
            status_errors: Counter::default(),
            events_lost: Counter::default(),
            compat: compat.then(compat::Names::new),
        };
        let to = &mut new.registry;
        to.register("objects", "Sealed resources, by kind and condition Ready", new.objects.clone());
        to.register("reconcile", "Looks at a resource, by kind and result", new.reconciles.clone());
        to.register("reconcile_seconds", "Time of a look that was not skipped", new.seconds.clone());
        to.register("decrypt", "Openings of a resource, by kind and result", new.decrypts.clone());
        to.register("decrypt_seconds", "Time of an opening", new.decrypt_seconds.clone());
        to.register("secret_writes", "Changes of Secrets, by action and result", new.writes.clone());
        to.register("drift_reverted", "Secrets that somebody changed and that were put right", new.drift.clone());
        to.register("keys", "Keys at hand, by state", new.keys.clone());
        to.register("key_use", "Resources that a key opened last, by key", new.key_use.clone());
        to.register("leader", "1 while this replica writes", new.leader.clone());
        to.register("watch_errors", "Watches that broke off and were started again, by kind", new.watch_errors.clone());
        to.register("watch_unread", "1 for what cannot be read, by place", new.unread.clone());
        to.register("status_errors", "Statuses that could not be written", new.status_errors.clone());
        to.register("events_lost", "Events that were not published because too many waited", new.events_lost.clone());
        new
    }

    /// One look at a resource. `result` is `Unchanged`, `Synced` or a reason.
    pub(crate) fn reconciled(&self, kind: &str, result: &str, took: Duration) {
        self.reconciles.get_or_create(&vec![("kind", kind.to_owned()), ("result", result.to_owned())]).inc();
        if result != "Unchanged" {
            self.seconds.observe(took.as_secs_f64());
        }
    }

    /// One opening. `result` is `Opened` or a reason.
    pub(crate) fn decrypted(&self, kind: &str, result: &str, took: Duration) {
        self.decrypts.get_or_create(&vec![("kind", kind.to_owned()), ("result", result.to_owned())]).inc();
        self.decrypt_seconds.observe(took.as_secs_f64());
    }

    /// One write of a Secret. `result` is `Done` or a reason.
    pub(crate) fn wrote(&self, action: &str, result: &str) {
        self.writes.get_or_create(&vec![("action", action.to_owned()), ("result", result.to_owned())]).inc();
    }

    /// A Secret that somebody changed was put right.
    pub(crate) fn drift_reverted(&self) {
        self.drift.inc();
    }

    /// The states of all resources of a kind, counted anew.
    pub(crate) fn objects(&self, kind: &str, states: impl IntoIterator<Item = ((String, String), i64)>) {
        for ((ready, reason), count) in states {
            let labels = vec![("kind", kind.to_owned()), ("ready", ready), ("reason", reason)];
            self.objects.get_or_create(&labels).set(count);
        }
    }

    /// Before [`Self::objects`] and [`Self::key_use`] are counted anew: states that nothing is in any more go.
    pub(crate) fn recount(&self) {
        self.objects.clear();
        self.key_use.clear();
    }

    /// Resources that `key` opened last.
    pub(crate) fn key_use(&self, key: String, count: i64) {
        self.key_use.get_or_create(&vec![("key", key)]).inc_by(count);
    }

    /// How many keys are in a state.
    pub(crate) fn keys(&self, state: &str, count: usize) {
        self.keys.get_or_create(&vec![("state", state.to_owned())]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Whether this replica leads.
    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// A watch broke off.
    pub(crate) fn watch_error(&self, kind: &str) {
        self.watch_errors.get_or_create(&vec![("kind", kind.to_owned())]).inc();
    }

    /// Whether what `place` names cannot be listed, and why.
    pub(crate) fn unread(&self, place: &str, why: Option<&str>) {
        self.note_unread(place, why, None);
    }

    /// `place` may not be watched, or not be asked for, as was said just now.
    pub(crate) fn refused(&self, place: &str, why: &str) {
        self.note_unread(place, Some(why), Some(Instant::now() + BELIEVED));
    }

    fn note_unread(&self, place: &str, why: Option<&str>, until: Option<Instant>) {
        let labels = vec![("place", place.to_owned())];
        let mut places = self.unread_places.lock().unwrap_or_else(PoisonError::into_inner);
        match why {
            Some(why) => {
                places.insert(place.to_owned(), Unread { why: why.to_owned(), until });
                self.unread.get_or_create(&labels).set(1);
            }
            None => {
                places.remove(place);
                self.unread.remove(&labels);
            }
        }
    }

    /// What cannot be read, and why.
    pub(crate) fn unread_places(&self) -> BTreeMap<String, String> {
        let now = Instant::now();
        let mut places = self.unread_places.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|place, unread| {
            let lasts = unread.until.is_none_or(|until| now < until);
            if !lasts {
                self.unread.remove(&vec![("place", place.clone())]);
            }
            lasts
        });
        places.iter().map(|(place, unread)| (place.clone(), unread.why.clone())).collect()
    }

    /// A status could not be written.
    pub(crate) fn status_error(&self) {
        self.status_errors.inc();
    }

    /// An event found too many before it.
    pub(crate) fn event_lost(&self) {
        self.events_lost.inc();
    }

    /// One look at a resource of a kind in a namespace that did something, for the names of Sealed Secrets.
    pub(crate) fn looked(&self, kind: &str, namespace: &str, result: &str) {
        if kind == SEALED_SECRET && result != "Unchanged" {
            self.compat.iter().for_each(|names| names.looked(namespace, result));
        }
    }

    /// The resources of a kind, counted anew: namespace, name, whether all is well.
    pub(crate) fn conditions(&self, kind: &str, all: impl IntoIterator<Item = (String, String, bool)>) {
        if kind == SEALED_SECRET
            && let Some(names) = &self.compat
        {
            names.conditions(all);
        }
    }

    /// An answer to kubeseal.
    pub(crate) fn answered(&self, path: &'static str, method: &str, code: u16) {
        self.compat.iter().for_each(|names| names.answered(path, method, code));
    }

    /// Everything in OpenMetrics text.
    pub(crate) fn text(&self) -> String {
        // What is no longer believed goes.
        let _ = self.unread_places();
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        self.compat.iter().for_each(|names| names.append(&mut text));
        text
    }
}

/// From half a millisecond to eight seconds.
fn buckets() -> impl Iterator<Item = f64> {
    prometheus_client::metrics::histogram::exponential_buckets(0.0005, 2.0, 15)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_name_is_documented() {
        let source = include_str!("metrics.rs").split("#[cfg(test)]").next().unwrap();
        let names = source.split("to.register(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let names: Vec<&str> = names.collect();
        let docs = include_str!("../../../docs/metrics.md");
        let missing: Vec<_> = names.iter().filter(|name| !docs.contains(&format!("`plomb_{name}"))).collect();
        assert!(names.len() > 10 && missing.is_empty(), "docs/metrics.md lacks {missing:?}");
    }
}
