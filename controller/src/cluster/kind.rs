//! A sealed resource as it comes from the API server, of any kind that `sealed` knows.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicResourceScope;
use kube::runtime::reflector::ObjectRef;
use sealed::status::Status;
use sealed::{Dialect, Manifest};
use secret::SecretBytes;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::fault::Fault;
use super::shallow;

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The annotation that asks for a look now: any new value does.
const RECONCILE_ANNOTATION: &str = "plomb.dev/reconcile-at";
/// What is in the text of every object with a status of ours.
const OBSERVED: &str = "\"observedGeneration\"";
/// Lists of recipients that are known for sharing.
const SHARED_LISTS: usize = 1024;

/// A kind of sealed resource, as the client wants it named.
#[derive(Clone, Copy)]
pub(crate) struct Kind(pub(crate) &'static dyn Dialect);

impl Kind {
    /// The kind that a setting names in any case, with or without a plural s.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        let is = |dialect: &&&'static dyn Dialect| {
            dialect.kind().eq_ignore_ascii_case(name) || dialect.plural().eq_ignore_ascii_case(name)
        };
        sealed::DIALECTS.iter().find(is).map(|dialect| Self(*dialect))
    }

    /// The kind of this group and kind.
    pub(crate) fn by_group(group: &str, kind: &str) -> Option<Self> {
        let is = |dialect: &&&'static dyn Dialect| dialect.kind() == kind && dialect.group() == group;
        sealed::DIALECTS.iter().find(is).map(|dialect| Self(*dialect))
    }

    /// The kind and the name that an annotation such as `EncryptedSecret.plomb.dev/db` gives.
    pub(crate) fn of_source(source: &str) -> Option<(Self, &str)> {
        let (of, name) = source.split_once('/')?;
        let (kind, group) = of.split_once('.')?;
        Self::by_group(group, kind).map(|kind| (kind, name))
    }

    fn key(self) -> (&'static str, &'static str) {
        (self.0.group(), self.0.kind())
    }

    /// The path of a resource, for requests that the client has no type for.
    pub(crate) fn path(self, namespace: &str) -> String {
        format!("/apis/{}/{}/namespaces/{namespace}/{}", self.0.group(), self.0.version(), self.0.plural())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.kind())
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Kind {}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// An object as the watch gave it. Thousands of these are held, so copies that the API server keeps for others (managed
/// fields, the last applied configuration) are left out, and nothing but what tells a change is kept of one with which
/// all is well.
#[derive(Clone)]
pub(crate) struct SealedObject {
    metadata: ObjectMeta,
    body: Body,
    /// Whom a SOPS file lists.
    recipients: Arc<[String]>,
}

/// What is held of an object beside its metadata.
#[derive(Clone)]
enum Body {
    /// All of it, as compact JSON.
    Whole(Arc<str>),
    /// Nothing: it is nested too deeply to be read.
    TooDeep,
    /// Nothing: its status says that all was well. Whoever wants to do anything reads it again.
    Settled {
        /// How often it wants to be looked at.
        interval_seconds: u64,
    },
}

impl fmt::Debug for SealedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedObject({}/{})", self.namespace(), self.name())
    }
}

impl<'de> Deserialize<'de> for SealedObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut object, is_whole) = shallow::read(deserializer)?;
        if let Some(metadata) = object.get_mut("metadata").and_then(serde_json::Value::as_object_mut) {
            metadata.remove("managedFields");
            if let Some(annotations) = metadata.get_mut("annotations").and_then(serde_json::Value::as_object_mut) {
                annotations.remove(LAST_APPLIED);
            }
        }
        let metadata = object.get("metadata").cloned().unwrap_or_default();
        let metadata = ObjectMeta::deserialize(metadata).map_err(D::Error::custom)?;
        let body = if is_whole { Body::Whole(object.to_string().into()) } else { Body::TooDeep };
        Ok(Self { metadata: needed(metadata), recipients: recipients(&object).into(), body })
    }
}

/// What names an object and tells a change of it.
fn needed(metadata: ObjectMeta) -> ObjectMeta {
    ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resource_version: metadata.resource_version,
        generation: metadata.generation,
        annotations: metadata.annotations.filter(|annotations| !annotations.is_empty()),
        deletion_timestamp: metadata.deletion_timestamp,
        ..ObjectMeta::default()
    }
}

/// The age recipients in the metadata of SOPS, in groups or not.
fn recipients(object: &serde_json::Value) -> Vec<String> {
    let sops = &object["sops"];
    let groups = sops["key_groups"].as_array().into_iter().flatten();
    let entries = std::iter::once(sops).chain(groups).flat_map(|group| group["age"].as_array().into_iter().flatten());
    entries.filter_map(|entry| entry["recipient"].as_str()).map(str::to_owned).collect()
}

impl kube::Resource for SealedObject {
    type DynamicType = Kind;
    type Scope = DynamicResourceScope;

    fn kind(kind: &Kind) -> Cow<'_, str> {
        kind.0.kind().into()
    }

    fn group(kind: &Kind) -> Cow<'_, str> {
        kind.0.group().into()
    }

    fn version(kind: &Kind) -> Cow<'_, str> {
        kind.0.version().into()
    }

    fn plural(kind: &Kind) -> Cow<'_, str> {
        kind.0.plural().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl SealedObject {
    pub(crate) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(crate) fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    pub(crate) fn resource_version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    pub(crate) fn generation(&self) -> Option<i64> {
        self.metadata.generation
    }

    /// Whether it is about to go: then its Secrets are left to the garbage collector.
    pub(crate) fn is_going(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// The age recipients of a SOPS file; none of a kind that has others.
    pub(crate) fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Whether the SOPS file lists one of these recipients.
    pub(crate) fn lists_any(&self, recipients: &[&str]) -> bool {
        self.recipients.iter().any(|own| recipients.contains(&own.trim()))
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// All that is held of it, as JSON; empty for one that is not there as a whole.
    pub(crate) fn text(&self) -> &str {
        match &self.body {
            Body::Whole(text) => text,
            Body::TooDeep | Body::Settled { .. } => "",
        }
    }

    /// The object as `sealed` reads it.
    ///
    /// # Errors
    /// When it is nested too deeply, or no object with a name, which no API server hands out.
    pub(crate) fn manifest(&self) -> Result<Manifest, Fault> {
        let text = match &self.body {
            Body::Whole(text) => text,
            Body::TooDeep => return Err(Fault::new("InvalidFormat", "the object is nested too deeply to be read")),
            Body::Settled { .. } => return Err(Fault::new("Internal", "the object was not read again")),
        };
        let read = Manifest::from_api(SecretBytes::from(&**text));
        read.map_err(|error| Fault::new("InvalidFormat", format!("the object cannot be read: {error}")))
    }

    /// Lets go of all but the metadata if the object's own status says that all is well and nothing was asked for
    /// since; gives back that status.
    pub(crate) fn settle(&mut self, kind: Kind) -> Option<Status> {
        // A glance first: most that are new have no status at all.
        let has_status = matches!(&self.body, Body::Whole(text) if text.contains(OBSERVED));
        if !has_status || !kind.0.remembers() || self.is_going() {
            return None;
        }
        let manifest = self.manifest().ok()?;
        let status = Status::of(&manifest);
        let is_ready = status.condition("Ready").is_some_and(|ready| ready.status == "True");
        let is_new = status.observed_generation.is_none() || status.observed_generation != self.generation();
        if !is_ready || is_new || self.asked(&status).is_some() {
            return None;
        }
        self.body = Body::Settled { interval_seconds: kind.0.interval_seconds(&manifest) };
        Some(status)
    }

    /// How often an object that was settled wants to be looked at; none for one that is there as a whole.
    pub(crate) fn settled(&self) -> Option<u64> {
        match self.body {
            Body::Settled { interval_seconds } => Some(interval_seconds),
            Body::Whole(_) | Body::TooDeep => None,
        }
    }

    /// The value of the annotation that asks for a look, if `status` does not say that it was acted upon.
    pub(crate) fn asked(&self, status: &Status) -> Option<&str> {
        let asked = self.annotation(RECONCILE_ANNOTATION)?;
        (status.last_handled_reconcile_at.as_deref() != Some(asked)).then_some(asked)
    }

    /// Shares the list of recipients with objects that have the same.
    pub(crate) fn share_recipients(&mut self, known: &mut HashSet<Arc<[String]>>) {
        match known.get(&self.recipients) {
            Some(same) => self.recipients = same.clone(),
            None => {
                // Everybody's own lists must not pile up.
                if known.len() >= SHARED_LISTS {
                    known.clear();
                }
                known.insert(self.recipients.clone());
            }
        }
    }

    /// What events are about.
    pub(crate) fn reference(&self, kind: Kind) -> ObjectReference {
        ObjectRef::from_obj_with(self, kind).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::WatchEvent;

    fn object(sops: &str) -> String {
        format!(
            r#"{{"apiVersion":"plomb.dev/v1alpha1","kind":"EncryptedSecret","metadata":{{"name":"db","namespace":"a",
            "annotations":{{"{LAST_APPLIED}":"copy","kept":"yes"}},"managedFields":[{{"manager":"x"}}]}},"sops":{sops}}}"#
        )
    }

    #[test]
    fn copies_are_left_out_and_recipients_found() {
        let groups = r#"{"age":[{"recipient":"one"}],"key_groups":[{"age":[{"recipient":"two"}]}]}"#;
        let read: SealedObject = serde_json::from_str(&object(groups)).unwrap();
        let found: Vec<_> = read.recipients().iter().map(String::as_str).collect();
        assert_eq!((read.namespace(), read.name(), found), ("a", "db", vec!["one", "two"]));
        assert_eq!((read.annotation("kept"), read.annotation(LAST_APPLIED)), (Some("yes"), None));
        assert!(
            read.manifest().is_ok()
                && matches!(&read.body, Body::Whole(text) if !text.contains("managedFields") && !text.contains("copy"))
        );
    }

    fn with_status(generation: i64, ready: &str, asked: &str) -> SealedObject {
        let text = format!(
            r#"{{"apiVersion":"plomb.dev/v1alpha1","kind":"EncryptedSecret","metadata":{{"name":"db","namespace":"a",
            "uid":"u","resourceVersion":"7","generation":{generation},"labels":{{"a":"b"}},
            "annotations":{{"{RECONCILE_ANNOTATION}":"{asked}"}}}},"spec":{{"interval":"2h","binding":"ENC","secrets":{{"a":{{}}}}}},"sops":{{}},
            "status":{{"observedGeneration":3,"lastHandledReconcileAt":"one","conditions":[{{"type":"Ready",
            "status":"{ready}","reason":"Synced","lastTransitionTime":"2026-01-01T00:00:00Z"}}]}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn of_one_that_is_settled_only_what_tells_a_change_is_kept() {
        let kind = Kind::by_name("encryptedsecret").unwrap();
        let mut done = with_status(3, "True", "one");
        let status = done.settle(kind).unwrap();
        assert_eq!((status.observed_generation, done.asked(&status)), (Some(3), None));
        assert_eq!((done.settled(), done.name(), done.generation()), (Some(7200), "db", Some(3)));
        assert!(matches!(done.body, Body::Settled { .. }) && done.metadata.labels.is_none());
        assert_eq!(done.manifest().unwrap_err().reason, "Internal", "whoever wants more reads it again");
        for mut open in [with_status(4, "True", "one"), with_status(3, "False", "one"), with_status(3, "True", "two")] {
            assert!(open.settle(kind).is_none() && open.settled().is_none() && open.manifest().is_ok());
        }
        let mut other = with_status(3, "True", "one");
        assert!(other.settle(Kind::by_name("sealedsecret").unwrap()).is_none(), "its status cannot tell");
    }

    #[test]
    fn equal_lists_of_recipients_are_one() {
        let read = || serde_json::from_str::<SealedObject>(&object(r#"{"age":[{"recipient":"one"}]}"#)).unwrap();
        let (mut a, mut b, mut known) = (read(), read(), HashSet::new());
        a.share_recipients(&mut known);
        b.share_recipients(&mut known);
        assert!(Arc::ptr_eq(&a.recipients, &b.recipients) && known.len() == 1);
    }

    #[test]
    fn one_that_is_nested_too_deeply_spoils_no_list_and_no_watch() {
        let deep = object(&format!("{}1{}", "{\"d\":[".repeat(5000), "]}".repeat(5000)));
        let read: Vec<SealedObject> = serde_json::from_str(&format!("[{},{deep}]", object("{}"))).unwrap();
        assert_eq!(read.len(), 2);
        assert!(read[0].manifest().is_ok() && read[1].manifest().is_err(), "it is refused on its own");
        let event = format!(r#"{{"type":"ADDED","object":{deep}}}"#);
        let read: WatchEvent<SealedObject> = serde_json::from_str(&event).unwrap();
        assert!(matches!(read, WatchEvent::Added(object) if object.name() == "db"));
    }
}
