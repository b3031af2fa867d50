//! A sealed resource as it comes from the API server, of any kind that `sealed` knows.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::DynamicResourceScope;
use kube::runtime::reflector::ObjectRef;
use sealed::{Dialect, Manifest};
use secret::SecretBytes;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::fault::Fault;
use super::shallow;

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

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

    /// The kind and the name that an annotation such as `EncryptedSecret.plomb.dev/db` gives.
    pub(crate) fn of_source(source: &str) -> Option<(Self, &str)> {
        let (of, name) = source.split_once('/')?;
        let is = |dialect: &&&'static dyn Dialect| of.split_once('.') == Some((dialect.kind(), dialect.group()));
        sealed::DIALECTS.iter().find(is).map(|dialect| (Self(*dialect), name))
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

/// An object as the watch gave it: its metadata, and the whole as compact JSON. Thousands of these are held, so
/// copies that the API server keeps for others (managed fields, the last applied configuration) are left out.
#[derive(Clone)]
pub(crate) struct SealedObject {
    metadata: ObjectMeta,
    /// Empty if the object is nested too deeply to be read.
    text: Arc<str>,
    /// Whom a SOPS file lists.
    recipients: Arc<[String]>,
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
        let text = if is_whole { object.to_string() } else { String::new() };
        Ok(Self { metadata, recipients: recipients(&object).into(), text: text.into() })
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

    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// The object as `sealed` reads it.
    ///
    /// # Errors
    /// When it is nested too deeply, or no object with a name, which no API server hands out.
    pub(crate) fn manifest(&self) -> Result<Manifest, Fault> {
        if self.text.is_empty() {
            return Err(Fault::new("InvalidFormat", "the object is nested too deeply to be read"));
        }
        let read = Manifest::from_api(SecretBytes::from(&*self.text));
        read.map_err(|error| Fault::new("InvalidFormat", format!("the object cannot be read: {error}")))
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
        assert!(read.manifest().is_ok() && !read.text.contains("managedFields") && !read.text.contains("copy"));
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
