//! A sealed resource as it comes from the API server, of any kind that `sealed` knows.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicResourceScope;
use kube::runtime::reflector::ObjectRef;
use sealed::status::Status;
use sealed::{Dialect, Manifest};
use secret::SecretBytes;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, json};

use super::budget::{self, Budget, Share};
use super::fault::Fault;
use super::shallow;

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The annotation that asks for a look now: any new value does.
const RECONCILE_ANNOTATION: &str = "plomb.dev/reconcile-at";
/// What is in the text of every object with a status of ours.
const OBSERVED: &str = "\"observedGeneration\"";
/// Characters of that annotation's value that count.
const ASKED: usize = 256;
/// The longest text that is held between two looks, in bytes. What is larger is read again when its turn comes.
const LARGE: usize = 64 << 10;
/// Bytes of recipients that are held of one object. Whom a longer list names beyond them is not counted: it would take
/// more than 30 post-quantum ones, or a thousand others.
const RECIPIENTS: usize = 64 << 10;
/// Lists of recipients that are known for sharing.
const SHARED_LISTS: usize = 128;

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

/// An object as the watch gave it. Thousands of these are held, and anybody may make some that are as large as an API
/// server takes. So copies that the API server keeps for others (managed fields, the last applied configuration) are left
/// out, and nothing but what tells a change is kept of one with which all is well, and of a large one.
#[derive(Clone)]
pub(crate) struct SealedObject {
    metadata: ObjectMeta,
    /// The annotation that asks for a look.
    asked: Option<Box<str>>,
    /// Tells a change of the annotations.
    marks: u64,
    body: Body,
    /// What looking at it may take, as the budget counts.
    weight: u32,
    /// The room that its text has among all that are held.
    room: Share,
    /// Whom a SOPS file lists.
    recipients: Arc<[String]>,
}

/// What is held of an object beside its metadata.
#[derive(Clone)]
enum Body {
    /// All of it, as compact JSON.
    Whole(Arc<str>),
    /// Of a large one: what tells whether all is well, as JSON.
    Outline(Arc<str>),
    /// Nothing: whoever wants to do anything reads it again.
    Left,
    /// Nothing: it is nested too deeply to be read, or has too many parts.
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
        object(deserializer, LARGE)
    }
}

/// An object, whose text is kept if it has at most `limit` bytes.
fn object<'de, D: Deserializer<'de>>(deserializer: D, limit: usize) -> Result<SealedObject, D::Error> {
    let (mut object, is_whole) = shallow::read(deserializer)?;
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    let metadata = object.get("metadata").cloned().unwrap_or_default();
    let metadata = ObjectMeta::deserialize(metadata).map_err(D::Error::custom)?;
    let annotations = metadata.annotations.as_ref();
    let asked = annotations.and_then(|all| all.get(RECONCILE_ANNOTATION));
    let asked: Option<String> = asked.map(|asked| asked.chars().take(ASKED).collect());
    let marks = BuildHasherDefault::<DefaultHasher>::default().hash_one(annotations);
    let recipients = recipients(&object).into();
    let (body, weight) = body(&object, is_whole, limit);
    let asked = asked.map(String::into_boxed_str);
    Ok(SealedObject { metadata: needed(metadata), asked, marks, body, weight, room: Share::default(), recipients })
}

/// What is kept of an object, and what looking at it may take.
fn body(object: &Value, is_whole: bool, limit: usize) -> (Body, u32) {
    if !is_whole {
        return (Body::TooDeep, 0);
    }
    let text = object.to_string();
    let weight = budget::weight(&text);
    if text.len() <= limit {
        return (Body::Whole(text.into()), weight);
    }
    let outline = outline(object).to_string();
    (if outline.len() <= LARGE { Body::Outline(outline.into()) } else { Body::Left }, weight)
}

/// Name, status, and how often it wants to be looked at.
fn outline(object: &Value) -> Value {
    let of = |place: &str| object.pointer(place).cloned().unwrap_or_default();
    json!({
        "apiVersion": of("/apiVersion"),
        "kind": of("/kind"),
        "metadata": {"name": of("/metadata/name"), "namespace": of("/metadata/namespace"), "uid": of("/metadata/uid")},
        "spec": {"interval": of("/spec/interval")},
        "status": of("/status"),
    })
}

/// What names an object and tells a change of it.
fn needed(metadata: ObjectMeta) -> ObjectMeta {
    ObjectMeta {
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        resource_version: metadata.resource_version,
        generation: metadata.generation,
        deletion_timestamp: metadata.deletion_timestamp,
        ..ObjectMeta::default()
    }
}

/// The age recipients in the metadata of SOPS, in groups or not.
fn recipients(object: &Value) -> Vec<String> {
    let sops = &object["sops"];
    let groups = sops["key_groups"].as_array().into_iter().flatten();
    let entries = std::iter::once(sops).chain(groups).flat_map(|group| group["age"].as_array().into_iter().flatten());
    let mut left = RECIPIENTS;
    let fits = |recipient: &&str| {
        // What a text takes beside its characters.
        let room = left.checked_sub(recipient.len() + size_of::<String>());
        left = room.unwrap_or_default();
        room.is_some()
    };
    entries.filter_map(|entry| entry["recipient"].as_str()).take_while(fits).map(str::to_owned).collect()
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

    /// An answer of the API server, as a whole however large it is.
    ///
    /// # Errors
    /// When it is no object.
    pub(crate) fn read(text: &str) -> serde_json::Result<Self> {
        object(&mut serde_json::Deserializer::from_str(text), usize::MAX)
    }

    /// Tells a change of the annotations.
    pub(crate) fn marks(&self) -> u64 {
        self.marks
    }

    /// What looking at it may take, as [`Budget::take`] counts.
    pub(crate) fn weight(&self) -> u32 {
        self.weight
    }

    /// Whether nothing has to be read again to look at it.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.body, Body::Whole(_) | Body::TooDeep)
    }

    /// Keeps the text only while there is room for it among all that are held.
    pub(crate) fn make_room(&mut self, budget: &Budget) {
        let room = match &self.body {
            Body::Whole(text) => budget.hold(text.len()),
            Body::Outline(_) => None,
            Body::Left | Body::TooDeep | Body::Settled { .. } => return,
        };
        match room {
            Some(room) => self.room = room,
            None => self.body = Body::Left,
        }
    }

    /// The object as `sealed` reads it.
    ///
    /// # Errors
    /// When it is nested too deeply or of too many parts, or no object with a name, which no API server hands out.
    pub(crate) fn manifest(&self) -> Result<Manifest, Fault> {
        let text = match &self.body {
            Body::Whole(text) => text,
            Body::TooDeep => return Err(Fault::new("InvalidFormat", shallow::UNREADABLE)),
            Body::Outline(_) | Body::Left | Body::Settled { .. } => {
                return Err(Fault::new("Internal", "the object was not read again"));
            }
        };
        manifest(text)
    }

    /// Lets go of all but the metadata if the object's own status says that all is well and nothing was asked for
    /// since; gives back that status.
    pub(crate) fn settle(&mut self, kind: Kind) -> Option<Status> {
        let (Body::Whole(text) | Body::Outline(text)) = &self.body else { return None };
        // A glance first: most that are new have no status at all.
        if !text.contains(OBSERVED) || !kind.0.remembers() || self.is_going() {
            return None;
        }
        let manifest = manifest(text).ok()?;
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
            Body::Whole(_) | Body::Outline(_) | Body::Left | Body::TooDeep => None,
        }
    }

    /// The value of the annotation that asks for a look, if `status` does not say that it was acted upon.
    pub(crate) fn asked(&self, status: &Status) -> Option<&str> {
        let asked = self.asked.as_deref()?;
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

fn manifest(text: &str) -> Result<Manifest, Fault> {
    let read = Manifest::from_api(SecretBytes::from(text));
    read.map_err(|error| Fault::new("InvalidFormat", format!("the object cannot be read: {error}")))
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
    fn of_a_large_one_no_text_is_held() {
        let kind = Kind::by_name("encryptedsecret").unwrap();
        let large = |status: &str| {
            let text = format!(
                r#"{{"apiVersion":"plomb.dev/v1alpha1","kind":"EncryptedSecret","metadata":{{"name":"db","namespace":"a",
                "uid":"u","generation":3,"annotations":{{"big":"{0}"}}}},"spec":{{"interval":"2h","binding":"{0}"}},
                "sops":{{"age":[{{"recipient":"one"}}]}},"status":{status}}}"#,
                "x".repeat(1_300_000)
            );
            let whole = SealedObject::read(&text).unwrap();
            (serde_json::from_str::<SealedObject>(&text).unwrap(), whole)
        };
        let (mut held, whole) = large("{}");
        assert!(!held.is_whole() && held.manifest().is_err() && held.recipients() == ["one"]);
        assert!(whole.is_whole() && whole.manifest().is_ok(), "read by itself it is there");
        assert!(held.weight() > 5_000 && held.weight() == whole.weight());
        assert!(held.settle(kind).is_none());
        held.make_room(&Budget::new());
        assert!(matches!(held.body, Body::Left) && held.metadata.annotations.is_none());
        let ready = r#"{"type":"Ready","status":"True","reason":"Synced","lastTransitionTime":"2026-01-01T00:00:00Z"}"#;
        let (mut held, _) = large(&format!(r#"{{"observedGeneration":3,"conditions":[{ready}]}}"#));
        assert!(held.settle(kind).is_some() && held.settled() == Some(7200), "a restart opens it no second time");
    }

    #[test]
    fn all_texts_together_have_a_limit() {
        let budget = Budget::new();
        let text = object(&format!(r#"{{"mac":"{}"}}"#, "x".repeat(50_000)));
        let mut held = Vec::new();
        for _ in 0..1000 {
            let mut read: SealedObject = serde_json::from_str(&text).unwrap();
            assert!(read.is_whole());
            read.make_room(&budget);
            held.push(read);
        }
        let whole = held.iter().filter(|object| object.is_whole()).count();
        assert!((100..1000).contains(&whole), "{whole}");
        held.clear();
        let mut read: SealedObject = serde_json::from_str(&text).unwrap();
        read.make_room(&budget);
        assert!(read.is_whole(), "what goes makes room");
    }

    #[test]
    fn of_a_long_list_of_recipients_a_part_is_held() {
        let entries: Vec<String> = (0..20_000).map(|n| format!(r#"{{"recipient":"age1{n:058}"}}"#)).collect();
        let read: SealedObject =
            serde_json::from_str(&object(&format!(r#"{{"age":[{}]}}"#, entries.join(",")))).unwrap();
        assert!((500..2_000).contains(&read.recipients().len()), "{}", read.recipients().len());
    }

    #[test]
    fn a_change_of_annotations_is_told() {
        let with = |text: &str| -> SealedObject {
            serde_json::from_str(&object("{}").replace(r#""kept":"yes""#, text)).unwrap()
        };
        assert_eq!(with(r#""kept":"yes""#).marks(), with(r#""kept":"yes""#).marks());
        assert_ne!(with(r#""kept":"yes""#).marks(), with(r#""kept":"no""#).marks());
        let long = with(&format!(r#""{RECONCILE_ANNOTATION}":"{}""#, "é".repeat(100_000)));
        assert_eq!(long.asked(&Status::default()).map(|asked| asked.chars().count()), Some(ASKED));
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
