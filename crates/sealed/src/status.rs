//! What a resource says about itself: pure, so that the same outcome gives the same status and nothing is written
//! when nothing changed.

use serde::{Deserialize, Serialize};
use sops::Timestamp;

use crate::manifest::Manifest;
use crate::plan::{Action, Plan, Step};
use crate::reason::{Reason, Refusal};
use crate::tree;

/// The condition that says that an older file than one before it was applied.
pub const ROLLBACK: &str = "RollbackSuspected";

/// The state of a Secret that somebody else made, and into which keys are merged.
pub(crate) const MERGED: &str = "Merged";
/// Longest message of a condition, in bytes. What it is made of may be as long as whoever wrote the resource likes.
const MESSAGE_LIMIT: usize = 1024;

/// A message for a condition, cut between characters where it is too long.
pub fn message(text: impl Into<String>) -> String {
    let mut text = text.into();
    if text.len() > MESSAGE_LIMIT {
        let ellipsis = "…";
        let end = (0..=MESSAGE_LIMIT - ellipsis.len()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        text.truncate(end);
        text.push_str(ellipsis);
    }
    text
}

/// The status of an EncryptedSecret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of the reconcile annotation that was last acted upon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// When everything was as wanted last (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_time: Option<String>,
    /// HMAC-SHA256 under the file's data key over what the Secrets hold: tells that content changed, not what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_hash: Option<String>,
    /// Last 8 characters of the recipient whose key opened the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Names the keys that were at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyset_id: Option<String>,
    /// Scope of the binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The newest time of change (`sops.lastmodified`) of a file that was synced (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Number of Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_count: Option<i64>,
    /// Whether Secrets of an earlier success live on while this fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// The Secrets as they were last seen or written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxItems" = 64)))]
    pub secrets: Vec<SecretStatus>,
    /// The state, by type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(
        feature = "crd",
        schemars(extend(
            "maxItems" = 16,
            "x-kubernetes-list-type" = "map",
            "x-kubernetes-list-map-keys" = ["type"]
        ))
    )]
    pub conditions: Vec<Condition>,
}

/// One Secret of the resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SecretStatus {
    /// Its name.
    pub name: String,
    /// Its uid.
    #[serde(default)]
    pub uid: String,
    /// Its resource version when it was last seen as wanted.
    #[serde(default)]
    pub resource_version: String,
    /// `Synced`, `Drifted`, or `Merged`: somebody else made it, and keys are merged into it.
    #[serde(default)]
    pub state: String,
    /// Number of keys.
    #[serde(default)]
    pub keys: i64,
}

impl SecretStatus {
    /// What is noted of one step of a plan once it was taken; `uid` and `resource_version` are those that the API
    /// server gave. `None` for a removal.
    pub fn of(step: &Step, uid: &str, resource_version: &str) -> Option<Self> {
        let secret = step.secret.as_ref()?;
        let drifted = step.action == Action::Keep { drift: true };
        let synced = if step.is_guest { MERGED } else { "Synced" };
        Some(Self {
            name: step.name.clone(),
            uid: uid.to_owned(),
            resource_version: resource_version.to_owned(),
            state: if drifted { "Drifted" } else { synced }.to_owned(),
            keys: i64::try_from(secret.data.len()).unwrap_or(i64::MAX),
        })
    }
}

/// One condition, in Kubernetes' form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `Ready`, `Decrypted`, `Synced`, `RewrapNeeded`, `Stalled`.
    #[serde(rename = "type")]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The generation that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When the status last changed (RFC 3339).
    pub last_transition_time: String,
    /// One word: a reason of docs/cluster.md, or `Synced`.
    pub reason: String,
    /// One sentence, without any value.
    #[serde(default)]
    pub message: String,
}

/// What a step did, or why it did nothing.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// Everything is as the plan says; the Secrets as they are now.
    Done(&'a Plan, Vec<SecretStatus>),
    /// Refused.
    Refused(&'a Refusal),
    /// The plan was right and writing failed: reason and message.
    WriteFailed(&'a Plan, &'a str, &'a str),
    /// What is there could not be read, so that there is no plan: reason and message.
    ReadFailed(&'a str, &'a str),
}

/// What stands around an outcome.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// `metadata.generation`.
    pub generation: Option<i64>,
    /// The keys that were at hand.
    pub keyset_id: &'a str,
    /// Now.
    pub now: Timestamp,
}

impl Status {
    /// Reads the status of an object; what cannot be read counts as none.
    pub fn of(manifest: &Manifest) -> Self {
        let status = tree::map(&manifest.root, "status").map(tree::to_json);
        status.and_then(|status| serde_json::from_value(status).ok()).unwrap_or_default()
    }

    /// The condition of a type.
    pub fn condition(&self, type_: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == type_)
    }

    /// Whether the file should be wrapped to another key of the cluster.
    pub fn wants_rewrap(&self) -> bool {
        self.condition("RewrapNeeded").is_some_and(|needed| needed.status == "True")
    }

    /// Whether everything is as it was when this status was written: nothing needs to be decrypted or written.
    /// `live` gives uid and resource version of a Secret.
    pub fn is_current(
        &self,
        generation: Option<i64>,
        keyset_id: &str,
        live: impl Fn(&str) -> Option<(String, String)>,
    ) -> bool {
        let seen = |secret: &SecretStatus| {
            live(&secret.name).is_some_and(|(uid, version)| uid == secret.uid && version == secret.resource_version)
        };
        generation.is_some()
            && self.observed_generation == generation
            && self.keyset_id.as_deref() == Some(keyset_id)
            && self.condition("Ready").is_some_and(|ready| ready.status == "True")
            && self.secret_count == i64::try_from(self.secrets.len()).ok()
            && self.secrets.iter().all(seen)
    }

    /// The status after `outcome`. Times change only where something else does.
    #[must_use]
    pub fn next(&self, outcome: &Outcome<'_>, around: Around<'_>) -> Self {
        let mut next = self.clone();
        next.observed_generation = around.generation;
        next.keyset_id = Some(around.keyset_id.to_owned());
        match outcome {
            Outcome::Done(plan, secrets) => next.done(plan, secrets.clone(), around),
            Outcome::Refused(refusal) => next.refused(refusal, around),
            Outcome::WriteFailed(plan, reason, message) => {
                next.opened(plan);
                next.set("Decrypted", "True", "Decrypted", "", around);
                next.set("Synced", "False", reason, message, around);
                next.fail(reason, message, false, around);
            }
            Outcome::ReadFailed(reason, message) => {
                next.set("Synced", "False", reason, message, around);
                next.fail(reason, message, false, around);
            }
        }
        next.conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
        if matches!(outcome, Outcome::Done(..)) && (next != *self || self.last_success_time.is_none()) {
            next.last_success_time = Some(around.now.to_string());
        }
        next
    }

    fn opened(&mut self, plan: &Plan) {
        self.content_hash.clone_from(&plan.content_hash);
        self.key_id.clone_from(&plan.key_id);
        self.scope = plan.scope.map(|scope| scope.word().to_owned());
    }

    fn done(&mut self, plan: &Plan, mut secrets: Vec<SecretStatus>, around: Around<'_>) {
        self.opened(plan);
        secrets.sort_by(|a, b| a.name.cmp(&b.name));
        self.secret_count = i64::try_from(secrets.len()).ok();
        self.stale = false;
        let drifted: Vec<&str> = plan.drifted().collect();
        let message = match drifted.as_slice() {
            [] if secrets.len() == 1 => "1 Secret is as the resource says".to_owned(),
            [] => format!("{} Secrets are as the resource says", secrets.len()),
            names => format!("changed by somebody and left so: {}", names.join(", ")),
        };
        self.secrets = secrets;
        let word = if drifted.is_empty() { "Synced" } else { "Drifted" };
        self.set("Decrypted", "True", "Decrypted", "", around);
        self.set("Synced", if drifted.is_empty() { "True" } else { "False" }, word, &message, around);
        self.set("Ready", "True", word, &message, around);
        let (needed, why) = match &plan.rewrap {
            Some(why) => ("True", why.as_str()),
            None => ("False", ""),
        };
        self.set("RewrapNeeded", needed, if plan.rewrap.is_some() { "OldKey" } else { "Current" }, why, around);
        self.set("Stalled", "False", word, "", around);
        self.compare_age(plan.modified, around);
    }

    /// A file that is older than one before it is as valid as that; nothing but its age tells a rollback.
    fn compare_age(&mut self, modified: Option<Timestamp>, around: Around<'_>) {
        let Some(modified) = modified else { return };
        let newest = self.last_modified.as_deref().and_then(Timestamp::parse);
        match newest.filter(|newest| newest.0 > modified.0) {
            Some(newest) => {
                let what = format!("the file is of {modified}, and one of {newest} was there before");
                self.set(ROLLBACK, "True", "OlderFile", &what, around);
            }
            None => {
                self.last_modified = Some(modified.to_string());
                if self.condition(ROLLBACK).is_some() {
                    self.set(ROLLBACK, "False", "Current", "", around);
                }
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal, around: Around<'_>) {
        let (word, text) = (refusal.reason.word(), refusal.message.as_str());
        if refusal.reason == Reason::Suspended {
            self.set("Ready", "Unknown", word, text, around);
            return;
        }
        let opened = if refusal.reason.waits_for_secret() { "True" } else { "False" };
        self.set("Decrypted", opened, if opened == "True" { "Decrypted" } else { word }, text, around);
        self.set("Synced", "False", word, text, around);
        let stalled = !refusal.reason.waits_for_key() && !refusal.reason.waits_for_secret();
        self.fail(word, text, stalled, around);
    }

    fn fail(&mut self, reason: &str, message: &str, stalled: bool, around: Around<'_>) {
        self.stale = self.last_success_time.is_some();
        self.set("Ready", "False", reason, message, around);
        self.set("Stalled", if stalled { "True" } else { "False" }, reason, "", around);
    }

    fn set(&mut self, type_: &str, status: &str, reason: &str, message: &str, around: Around<'_>) {
        let old = self.conditions.iter().position(|condition| condition.type_ == type_);
        let since = old.map(|at| self.conditions.remove(at)).filter(|old| old.status == status);
        self.conditions.push(Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            observed_generation: around.generation,
            last_transition_time: since.map_or_else(|| around.now.to_string(), |old| old.last_transition_time),
            reason: reason.to_owned(),
            message: self::message(message),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(now: i64) -> Around<'static> {
        Around { generation: Some(2), keyset_id: "k", now: Timestamp(now) }
    }

    fn seen() -> Vec<SecretStatus> {
        let owned = str::to_owned;
        vec![SecretStatus {
            name: owned("a"),
            uid: owned("u"),
            resource_version: owned("1"),
            state: owned("Synced"),
            keys: 1,
        }]
    }

    #[test]
    fn the_same_outcome_gives_the_same_status() {
        let plan = Plan::default();
        let first = Status::default().next(&Outcome::Done(&plan, seen()), around(1));
        assert_eq!(first.condition("Ready").unwrap().status, "True");
        assert_eq!(first.next(&Outcome::Done(&plan, seen()), around(99)), first);
        let live = |version: &'static str| move |_: &str| Some(("u".to_owned(), version.to_owned()));
        assert!(first.is_current(Some(2), "k", live("1")));
        assert!(!first.is_current(Some(3), "k", live("1")));
        assert!(!first.is_current(Some(2), "other", live("1")));
        assert!(!first.is_current(Some(2), "k", live("2")));
        assert!(!first.is_current(Some(2), "k", |_| None));
    }

    #[test]
    fn no_message_grows_with_what_it_is_about() {
        let refusal = Refusal::new(Reason::KeyNotFound, "ä".repeat(20_000));
        let status = Status::default().next(&Outcome::Refused(&refusal), around(1));
        for condition in &status.conditions {
            assert!(condition.message.len() <= MESSAGE_LIMIT, "{}", condition.message.len());
        }
        assert!(status.condition("Ready").unwrap().message.ends_with('…'));
        assert_eq!(status.next(&Outcome::Refused(&refusal), around(2)), status, "it is the same the next time");
        assert_eq!(message("short"), "short");
    }

    #[test]
    fn an_older_file_is_suspected_until_a_newer_one_comes() {
        let plan = |modified| Plan { modified: Some(Timestamp(modified)), ..Plan::default() };
        let after = |status: &Status, modified| status.next(&Outcome::Done(&plan(modified), seen()), around(900));
        let is_suspected = |status: &Status| status.condition(ROLLBACK).map(|it| it.status == "True");
        let first = after(&Status::default(), 100);
        assert_eq!((is_suspected(&first), first.last_modified.as_deref()), (None, Some("1970-01-01T00:01:40Z")));
        let older = after(&first, 50);
        assert_eq!((is_suspected(&older), &older.last_modified), (Some(true), &first.last_modified));
        assert_eq!(is_suspected(&after(&older, 50)), Some(true), "at the next look too");
        assert_eq!(older.condition("Ready").unwrap().status, "True", "it is synced all the same");
        assert_eq!(is_suspected(&after(&older, 101)), Some(false));
    }

    #[test]
    fn a_failure_keeps_what_is_known_and_tells_its_age() {
        let plan = Plan::default();
        let good = Status::default().next(&Outcome::Done(&plan, seen()), around(1));
        let refusal = Refusal::new(Reason::KeyNotFound, "no key");
        let failed = good.next(&Outcome::Refused(&refusal), around(50));
        assert!(failed.stale && failed.last_success_time == good.last_success_time && failed.secrets == good.secrets);
        let ready = failed.condition("Ready").unwrap();
        assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "KeyNotFound"));
        assert_eq!(failed.condition("Stalled").unwrap().status, "False");
        let other = failed.next(&Outcome::Refused(&Refusal::new(Reason::MacMismatch, "x")), around(70));
        let ready = other.condition("Ready").unwrap();
        assert_eq!(
            (ready.reason.as_str(), ready.last_transition_time.as_str()),
            ("MacMismatch", "1970-01-01T00:00:50Z")
        );
        assert_eq!(other.condition("Stalled").unwrap().status, "True");
        assert!(!other.is_current(Some(2), "k", |_| Some(("u".into(), "1".into()))));
        let back = other.next(&Outcome::Done(&plan, seen()), around(90));
        assert!(!back.stale && back.last_success_time.as_deref() == Some("1970-01-01T00:01:30Z"));
    }
}
