//! One look at one resource: read, decide, write, tell. What it decides is `sealed`'s; here is the order.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kube::Client;
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;
use sealed::status::{Around, Condition, Outcome, ROLLBACK, SecretStatus, Status};
use sealed::{LiveSecret, Manifest, Opening, Plan, Refusal, SOURCE_ANNOTATION, Timestamp, begin};
use tokio::sync::watch;

use super::budget::{Budget, Share};
use super::custody::Snapshot;
use super::fault::Fault;
use super::feud::Feud;
use super::glance::Glance;
use super::herald::Herald;
use super::keyring::KeySet;
use super::kind::{Kind, SealedObject};
use super::lanes::{Lanes, Pass};
use super::memory::Remembered;
use super::metrics::Metrics;
use super::watch::Unit;
use super::{apply, aside, live, publish, retry};

/// How long opening one resource may take.
pub(super) const OPEN_LIMIT: Duration = Duration::from_secs(20);
/// How long reading and writing its Secrets may take, and then its status.
pub(super) const API_LIMIT: Duration = Duration::from_secs(60);
/// Races in a row before one is told as a failure.
const RACES: u32 = 5;

/// What all looks share.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) keys: watch::Receiver<Option<Arc<KeySet>>>,
    /// Whether it was decided about the cluster's own keys: before, nobody should be told that there is none.
    pub(crate) settled: watch::Sender<bool>,
    /// What was read for the last decision about the cluster's own keys.
    pub(crate) snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) herald: Herald,
    /// Who may do more than compare.
    pub(crate) lanes: Lanes,
    /// How much of it may be in memory.
    pub(crate) budget: Budget,
}

/// How a look ended.
enum Verdict {
    Unchanged,
    Done {
        plan: Plan,
        secrets: Vec<SecretStatus>,
        wrote: bool,
    },
    Refused(Refusal),
    ReadFailed(Fault),
    WriteFailed(Plan, Fault),
    /// All was written, and is changed back each time.
    Fought(Plan, Fault),
}

/// Looks at a resource, and says when to look again.
pub(crate) async fn reconcile(object: Arc<SealedObject>, unit: Arc<Unit>) -> Result<Action, Infallible> {
    if object.is_going() {
        return Ok(Action::await_change());
    }
    // Dropped with the look if the lease is lost meanwhile.
    let _ = unit.cluster.settled.subscribe().wait_for(|settled| *settled).await;
    let Some(keys) = unit.cluster.keys.borrow().clone() else { return Ok(Action::requeue(Duration::from_secs(1))) };
    let glance = Glance::new(&object, &unit, &keys);
    if let Some(wait) = glance.truce() {
        return Ok(Action::requeue(wait));
    }
    if let Some(wait) = glance.is_settled().await {
        return Ok(Action::requeue(wait));
    }
    let Some(pass) = unit.cluster.lanes.enter(object.namespace()).await else {
        return Ok(Action::requeue(retry::held_up()));
    };
    let Some(share) = unit.cluster.budget.take(object.weight()) else { return Ok(Action::requeue(retry::held_up())) };
    let place = Place { _pass: pass.into(), _share: share };
    let whole = match glance.whole().await {
        Ok(Some(whole)) => whole,
        // The watch tells, too.
        Ok(None) => return Ok(Action::await_change()),
        Err(fault) => return Ok(Action::requeue(glance.tell_unread(&fault).await)),
    };
    // It has grown meanwhile: the watch will tell by how much.
    if whole.weight() > object.weight() {
        return Ok(Action::requeue(retry::held_up()));
    }
    Ok(look_at(&whole, &unit, keys.clone(), &place).await)
}

/// What a look takes from the others. Given back when nobody works for it any more, and that may be long after its end: a
/// thread that opens something cannot be stopped.
#[derive(Clone)]
struct Place {
    _pass: Arc<Pass>,
    _share: Share,
}

/// Looks at an object that is there as a whole.
async fn look_at(object: &SealedObject, unit: &Unit, keys: Arc<KeySet>, place: &Place) -> Action {
    let started = Instant::now();
    let mut look = match Look::new(object, unit, keys.clone()) {
        Ok(look) => look,
        Err(fault) => {
            tell_unreadable(object, unit, &keys, &fault).await;
            return Action::await_change();
        }
    };
    let verdict = if look.glance().is_current().await {
        Verdict::Unchanged
    } else {
        let verdict = look.work(place).await;
        look.fought(verdict)
    };
    let wait = look.conclude(&verdict).await;
    count(unit, object, verdict.word(), started);
    Action::requeue(wait)
}

pub(super) fn count(unit: &Unit, object: &SealedObject, word: &str, started: Instant) {
    unit.cluster.metrics.reconciled(unit.kind.0.kind(), word, started.elapsed());
    unit.cluster.metrics.looked(unit.kind.0.kind(), object.namespace(), word);
}

/// Of an object that cannot be read, nothing but its name is known, and no status to go on from.
async fn tell_unreadable(object: &SealedObject, unit: &Unit, keys: &KeySet, fault: &Fault) {
    tracing::error!(kind = ?unit.kind, object = %object_name(object), %fault, "not a readable object");
    let refusal = Refusal::new(sealed::Reason::InvalidFormat, fault.message.clone());
    let around = Around { generation: object.generation(), keyset_id: &keys.id, now: now() };
    let status = Status::default().next(&Outcome::Refused(&refusal), around);
    // What another kind's status is made of lies in what cannot be read.
    if unit.kind.0.remembers() {
        let value = serde_json::to_value(&status).unwrap_or_default();
        if let Err(fault) = write_status(unit, object, &value).await {
            unit.cluster.metrics.status_error();
            tracing::warn!(kind = ?unit.kind, object = %object_name(object), %fault, "status not written");
        }
    }
    let about = object.reference(unit.kind);
    unit.cluster.herald.tell(about, EventType::Warning, refusal.reason.word(), &refusal.message);
}

/// Gives back the version of the object that came of it.
pub(super) async fn write_status(
    unit: &Unit,
    object: &SealedObject,
    value: &serde_json::Value,
) -> Result<String, Fault> {
    let written = publish::status(&unit.cluster.client, unit.kind, object, value);
    tokio::time::timeout(API_LIMIT, written).await.unwrap_or_else(|_| Err(unanswered()))
}

pub(super) fn unanswered() -> Fault {
    Fault::new("ApiUnavailable", format!("no answer within {} s", API_LIMIT.as_secs()))
}

pub(super) fn object_name(object: &SealedObject) -> String {
    format!("{}/{}", object.namespace(), object.name())
}

/// The clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

impl Verdict {
    fn word(&self) -> &'static str {
        match self {
            Self::Unchanged => "Unchanged",
            Self::Done { .. } => "Synced",
            Self::Refused(refusal) => refusal.reason.word(),
            Self::ReadFailed(fault) | Self::WriteFailed(_, fault) | Self::Fought(_, fault) => fault.reason,
        }
    }

    /// What went wrong.
    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::ReadFailed(fault) | Self::WriteFailed(_, fault) => Some(fault),
            Self::Unchanged | Self::Done { .. } | Self::Refused(_) | Self::Fought(..) => None,
        }
    }
}

struct Look<'a> {
    unit: &'a Unit,
    object: &'a SealedObject,
    manifest: Arc<Manifest>,
    keys: Arc<KeySet>,
    before: Remembered,
    /// With whoever changes its Secrets back.
    feud: Option<Feud>,
}

impl<'a> Look<'a> {
    fn new(object: &'a SealedObject, unit: &'a Unit, keys: Arc<KeySet>) -> Result<Self, Fault> {
        let manifest = Arc::new(object.manifest()?);
        let id = ObjectRef::from_obj_with(object, unit.kind);
        let mut before = unit.memory.of(&id, object.uid()).unwrap_or_default();
        // The object tells more than we remember once it has changed since, except where its kind cannot tell.
        if unit.kind.0.remembers() && !before.knows(object.resource_version()) {
            before.status = Status::of(&manifest);
        }
        let feud = before.feud;
        Ok(Self { unit, object, manifest, keys, before, feud })
    }

    fn client(&self) -> &Client {
        &self.unit.cluster.client
    }

    fn glance(&self) -> Glance<'_> {
        Glance { unit: self.unit, object: self.object, keys: &self.keys, before: Cow::Borrowed(&self.before) }
    }

    async fn work(&self, place: &Place) -> Verdict {
        let opening = match self.open(place.clone()).await {
            Ok(Ok(opening)) => opening,
            Ok(Err(refusal)) => return Verdict::Refused(refusal),
            Err(fault) => return Verdict::ReadFailed(fault),
        };
        match tokio::time::timeout(API_LIMIT, self.act(opening)).await {
            Ok(verdict) => verdict,
            Err(_) => Verdict::ReadFailed(unanswered()),
        }
    }

    /// Opens the resource beside everything else. What is too slow goes on in its place.
    async fn open(&self, place: Place) -> Result<Result<Opening, Refusal>, Fault> {
        let (manifest, keys) = (self.manifest.clone(), self.keys.clone());
        let started = Instant::now();
        let opened = aside::within(OPEN_LIMIT, move || {
            let _place = place;
            begin(&manifest, &keys.keys, now())
        });
        let opened = opened.await;
        let word = match &opened {
            Ok(Ok(_)) => "Opened",
            Ok(Err(refusal)) => refusal.reason.word(),
            Err(fault) => fault.reason,
        };
        self.unit.cluster.metrics.decrypted(self.unit.kind.0.kind(), word, started.elapsed());
        opened
    }

    /// Compares with what is there, and does what is to be done.
    async fn act(&self, opening: Opening) -> Verdict {
        let names: BTreeSet<String> = opening.names().map(str::to_owned).chain(self.known()).collect();
        let mut live = Vec::new();
        let unread = if self.is_new(&names) { BTreeSet::new() } else { names };
        for name in &unread {
            match live::get(self.client(), self.object.namespace(), name).await {
                Ok(Some(mut found)) => {
                    found.source_gone = self.is_source_gone(&found).await;
                    opening.lighten(&mut found);
                    live.push(found);
                }
                Ok(None) => {}
                Err(fault) => return Verdict::ReadFailed(fault),
            }
        }
        let plan = match opening.plan(&self.manifest, &self.before.status, &live) {
            Ok(plan) => plan,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        self.audit(&plan);
        let rehearsed = apply::rehearse(self.client(), self.object.namespace(), &plan, &live).await;
        let taken = match rehearsed {
            Ok(()) => self.take(&plan, &live).await,
            Err(fault) => Err(fault),
        };
        match taken {
            Ok(secrets) => Verdict::Done { wrote: !plan.is_done(), plan, secrets },
            Err(fault) => Verdict::WriteFailed(plan, fault),
        }
    }

    /// Whether another resource that a Secret without owner says it comes from is gone. When in doubt, it is there.
    async fn is_source_gone(&self, live: &LiveSecret) -> bool {
        let own = sealed::source(&self.manifest.id);
        let from = live.annotations.get(SOURCE_ANNOTATION).filter(|from| live.owner.is_none() && **from != own);
        let Some((kind, name)) = from.and_then(|from| Kind::of_source(from)) else { return false };
        live::is_gone(self.client(), kind, self.object.namespace(), name).await
    }

    /// Whether there is most likely no Secret of the only name that counts: then it is created without a look at what
    /// is there, and if something is, the creation fails and the next look reads it. With several Secrets, one that
    /// fails would leave the others.
    fn is_new(&self, names: &BTreeSet<String>) -> bool {
        let namespace = self.object.namespace();
        let known =
            |name: &String| self.unit.secrets.as_ref().is_some_and(|secrets| secrets.get(namespace, name).is_some());
        let untouched = self.before.failures == 0 && self.before.status.last_success_time.is_none();
        untouched && names.len() == 1 && !names.iter().any(known)
    }

    /// The Secrets that belong to the resource already, wanted or not.
    fn known(&self) -> impl Iterator<Item = String> {
        let noted = self.before.status.secrets.iter().map(|secret| secret.name.clone());
        let (namespace, uid) = (self.object.namespace(), self.object.uid());
        let owned = self.unit.secrets.iter().flat_map(move |secrets| secrets.owned_by(namespace, uid));
        noted.chain(owned)
    }

    async fn take(&self, plan: &Plan, live: &[LiveSecret]) -> Result<Vec<SecretStatus>, Fault> {
        let mut secrets = Vec::new();
        for step in &plan.steps {
            let is = |live: &&LiveSecret| live.name == step.name;
            let taken = apply::take(self.client(), self.object.namespace(), step, live.iter().find(is)).await;
            let action = format!("{:?}", step.action);
            let action = action.split(['(', ' ']).next().unwrap_or_default();
            if action != "Keep" {
                self.unit.cluster.metrics.wrote(action, taken.as_ref().map_or_else(|fault| fault.reason, |_| "Done"));
            }
            if let Some((uid, version)) = taken? {
                secrets.extend(SecretStatus::of(step, &uid, &version));
            }
        }
        Ok(secrets)
    }

    /// Who opened what with which key: one line per decryption.
    fn audit(&self, plan: &Plan) {
        tracing::info!(
            target: "audit",
            kind = ?self.unit.kind,
            namespace = self.object.namespace(),
            name = self.object.name(),
            uid = self.object.uid(),
            generation = self.object.generation(),
            key = plan.key_id.as_deref().unwrap_or_default(),
            secrets = plan.steps.len(),
            "decrypted"
        );
    }

    /// Tells what came out, and says when to look again.
    async fn conclude(&self, verdict: &Verdict) -> Duration {
        let races = self.before.failures < RACES;
        if verdict.fault().is_some_and(Fault::is_race) && races {
            self.remember(self.before.status.clone(), None, self.before.failures + 1, false);
            return retry::at_once();
        }
        let around = Around { generation: self.object.generation(), keyset_id: &self.keys.id, now: now() };
        let before = &self.before.status;
        let mut next = match verdict {
            Verdict::Unchanged => before.clone(),
            Verdict::Done { plan, secrets, .. } => before.next(&Outcome::Done(plan, secrets.clone()), around),
            Verdict::Refused(refusal) => before.next(&Outcome::Refused(refusal), around),
            Verdict::ReadFailed(fault) => before.next(&Outcome::ReadFailed(fault.reason, &fault.message), around),
            Verdict::WriteFailed(plan, fault) | Verdict::Fought(plan, fault) => {
                before.next(&Outcome::WriteFailed(plan, fault.reason, &fault.message), around)
            }
        };
        if let Some(asked) = self.object.asked(before) {
            next.last_handled_reconcile_at = Some(asked.to_owned());
        }
        let told_at = self.tell(&next, verdict, around).await;
        let told = told_at.is_some();
        let done = matches!(verdict, Verdict::Unchanged | Verdict::Done { .. } | Verdict::Fought(..));
        let failed = !done || !told;
        let failures = if failed { self.before.failures.saturating_add(1) } else { 0 };
        let wants_keys =
            matches!(verdict, Verdict::Refused(refusal) if refusal.reason.waits_for_key()) || next.wants_rewrap();
        let wait = self.wait(verdict, failures, told);
        // A status that could not be written is not remembered, so that it is tried again.
        self.remember(if told { next } else { before.clone() }, told_at, failures, wants_keys);
        wait
    }

    fn wait(&self, verdict: &Verdict, failures: u32, told: bool) -> Duration {
        let dialect = self.unit.kind.0;
        match verdict {
            _ if !told => retry::after_failure(failures),
            Verdict::Unchanged | Verdict::Done { .. } => retry::in_time(dialect.interval_seconds(&self.manifest)),
            Verdict::Refused(refusal) => {
                let until =
                    (refusal.reason == sealed::Reason::Suspended).then(|| dialect.suspended_until(&self.manifest));
                let seconds = until.flatten().map(|until| u64::try_from(until.0 - now().0).unwrap_or(1));
                retry::after_refusal(refusal, failures, seconds)
            }
            Verdict::Fought(..) => self.feud.and_then(|feud| feud.pause(Instant::now())).unwrap_or_else(retry::at_once),
            Verdict::ReadFailed(fault) if fault.reason == aside::TIMED_OUT => retry::after_timeout(failures),
            Verdict::ReadFailed(fault) | Verdict::WriteFailed(_, fault) => {
                // Races were tried again at once before the first of them was told.
                let told = if fault.is_race() { failures.saturating_sub(RACES) } else { failures };
                retry::after_failure(told)
            }
        }
    }

    fn remember(&self, status: Status, told_at: Option<String>, failures: u32, wants_keys: bool) {
        let id = ObjectRef::from_obj_with(self.object, self.unit.kind);
        let (uid, resource_version) = (self.object.uid().to_owned(), self.object.resource_version().to_owned());
        let (told_at, feud) = (told_at.unwrap_or_default(), self.feud);
        self.unit.remember(&id, &Remembered { uid, resource_version, told_at, status, failures, wants_keys, feud });
    }

    /// Writes the status and an event, if there is something new to say. Gives back the version of the object that came
    /// of it, empty if nothing had to be written; `None` if what had to be was not.
    async fn tell(&self, next: &Status, verdict: &Verdict, around: Around<'_>) -> Option<String> {
        let dialect = self.unit.kind.0;
        let value = dialect.status(next, &self.manifest, around.now);
        let is_new = if dialect.remembers() { *next != self.before.status } else { value != self.manifest.status() };
        let written = if is_new { write_status(self.unit, self.object, &value).await } else { Ok(String::new()) };
        match written {
            Ok(told_at) => {
                self.announce(next, verdict);
                Some(told_at)
            }
            Err(fault) => {
                self.unit.cluster.metrics.status_error();
                tracing::warn!(kind = ?self.unit.kind, object = %object_name(self.object), %fault, "status not written");
                None
            }
        }
    }

    fn announce(&self, next: &Status, verdict: &Verdict) {
        let Some(ready) = next.condition("Ready") else { return };
        let said = |old: &Condition| old.reason == ready.reason && old.message == ready.message;
        let about = self.object.reference(self.unit.kind);
        let herald = &self.unit.cluster.herald;
        let object = object_name(self.object);
        match verdict {
            Verdict::Unchanged => {}
            Verdict::Done { wrote, plan, .. } => {
                self.warn_of_rollback(next);
                if !wrote {
                    return;
                }
                self.count_drift(plan);
                let notes: Vec<&str> = plan.steps.iter().filter_map(|step| step.note.as_deref()).collect();
                let note = if notes.is_empty() { ready.message.clone() } else { notes.join("; ") };
                tracing::info!(kind = ?self.unit.kind, %object, "synced");
                herald.tell(about, EventType::Normal, &ready.reason, &note);
            }
            Verdict::Refused(_) | Verdict::ReadFailed(_) | Verdict::WriteFailed(..) | Verdict::Fought(..) => {
                if let Verdict::Fought(plan, _) = verdict {
                    self.count_drift(plan);
                }
                if self.before.status.condition("Ready").is_some_and(said) {
                    return;
                }
                let hint = match verdict {
                    Verdict::Refused(refusal) => refusal.hint.as_deref().map(|hint| format!(" ({hint})")),
                    _ => None,
                };
                let note = format!("{}{}", ready.message, hint.unwrap_or_default());
                tracing::warn!(kind = ?self.unit.kind, %object, reason = %ready.reason, message = %note, "not synced");
                let suspended = ready.reason == "Suspended";
                let type_ = if suspended { EventType::Normal } else { EventType::Warning };
                herald.tell(about, type_, &ready.reason, &note);
            }
        }
    }

    /// Says once that an older file than one before it was applied.
    fn warn_of_rollback(&self, next: &Status) {
        let of = |status: &Status| status.condition(ROLLBACK).filter(|it| it.status == "True").cloned();
        let (Some(now), None) = (of(next), of(&self.before.status)) else { return };
        let object = object_name(self.object);
        tracing::warn!(kind = ?self.unit.kind, %object, message = %now.message, "rollback suspected");
        let about = self.object.reference(self.unit.kind);
        self.unit.cluster.herald.tell(about, EventType::Warning, ROLLBACK, &now.message);
    }

    /// The Secrets that had to be written although their resource is as it was: somebody changed them.
    fn put_right<'p>(&self, plan: &'p Plan) -> Vec<&'p str> {
        use sealed::Action;
        let same = self.before.status.observed_generation == self.object.generation();
        let known = |name: &str| self.before.status.secrets.iter().any(|secret| secret.name == name);
        let put_right = |step: &&sealed::Step| {
            same && known(&step.name)
                && !matches!(step.action, Action::Keep { .. } | Action::Remove(_) | Action::Release(_))
        };
        plan.steps.iter().filter(put_right).map(|step| step.name.as_str()).collect()
    }

    fn count_drift(&self, plan: &Plan) {
        self.put_right(plan).iter().for_each(|_| self.unit.cluster.metrics.drift_reverted());
    }

    /// Takes note of a change that was put right; one too many in a row is told, and not at once put right again.
    fn fought(&mut self, verdict: Verdict) -> Verdict {
        let Verdict::Done { plan, secrets, wrote } = verdict else { return verdict };
        let names = self.put_right(&plan).join(", ");
        if names.is_empty() {
            return Verdict::Done { plan, secrets, wrote };
        }
        let feud = Feud::after(self.before.feud, Instant::now());
        self.feud = Some(feud);
        if !feud.is_on() {
            return Verdict::Done { plan, secrets, wrote };
        }
        let what = format!("somebody changes {names} back again and again; it is put right less and less often");
        Verdict::Fought(plan, Fault::new("Conflict", what))
    }
}
