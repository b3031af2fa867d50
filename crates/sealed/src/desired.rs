//! The Secret that is wanted, and the one that is there.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use document::{Format as _, Map, Value};
use secret::SecretBytes;

use crate::manifest::{Manifest, ManifestError, ResourceId};
use crate::plan::Precondition;
use crate::{names, tree};

/// The label of every Secret that a controller of ours wrote: watches are scoped to it.
pub const MANAGED_LABEL: &str = "plomb.dev/managed";
/// The annotation that says which resource a Secret belongs to, also while no owner reference says so.
pub const SOURCE_ANNOTATION: &str = "plomb.dev/source";
/// How the annotations begin that say which resources have keys in a Secret of others, and take them along.
pub const MERGED_PREFIX: &str = "plomb.dev/merged-";
/// The same of resources whose keys stay when they go.
pub const LEFT_PREFIX: &str = "plomb.dev/left-";
/// The field manager of everything that a controller of ours writes, but for keys in Secrets of others.
pub const FIELD_MANAGER: &str = "plomb-controller";
/// The labels of Secrets that hold a controller's own keys: ours, and that of Sealed Secrets.
const KEY_LABELS: [&str; 2] = [crate::custody::KEY_LABEL, "sealedsecrets.bitnami.com/sealed-secrets-key"];

/// A Secret as it is to be. `Debug` shows names only.
#[derive(Default)]
pub struct DesiredSecret {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_: String,
    /// Whether it is immutable.
    pub immutable: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its values, decoded.
    pub data: BTreeMap<String, SecretBytes>,
    /// The resource that owns it, once it is known to an API server.
    pub owner: Option<Owner>,
}

/// The controller in a Secret's owner references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Such as `plomb.dev/v1alpha1`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// A Secret as it is. `Debug` shows names only.
#[derive(Default)]
pub struct LiveSecret {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
    /// Its type.
    pub type_: String,
    /// Whether it is immutable.
    pub immutable: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The owner reference with `controller: true`.
    pub owner: Option<Owner>,
    /// Who wrote which fields how: the entries of `managedFields` in their order.
    pub managed: Vec<ManagedEntry>,
    /// Its values; `None` where only the metadata was read.
    pub data: Option<BTreeMap<String, SecretBytes>>,
    /// When the API server took it; none if it does not tell.
    pub created: Option<sops::Timestamp>,
    /// Whether the resource that [`SOURCE_ANNOTATION`] names is known to be gone. The object does not tell: whoever
    /// reads it finds out.
    pub source_gone: bool,
}

/// An entry of `managedFields`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedEntry {
    /// The field manager.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// The sub-resource that was written; empty for the object itself.
    pub subresource: String,
    /// The keys of the Secret that it wrote.
    pub keys: Vec<String>,
}

impl std::fmt::Debug for DesiredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DesiredSecret({}/{}: {:?})", self.namespace, self.name, self.data.keys().collect::<Vec<_>>())
    }
}

impl std::fmt::Debug for LiveSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LiveSecret({}, {} at {})", self.name, self.uid, self.resource_version)
    }
}

impl DesiredSecret {
    /// What is wrong with it as a Secret: its names, its size, a key that its type needs.
    pub(crate) fn fault(&self) -> Option<String> {
        if !names::is_subdomain(&self.name) {
            return Some("this is no name for a Secret".to_owned());
        }
        if !self.namespace.is_empty() && !names::is_label(&self.namespace) {
            return Some(format!("{:?} is no namespace", self.namespace));
        }
        if let Some(label) = key_label(&self.labels) {
            return Some(format!("the label {label} is for the keys of a controller"));
        }
        if self.type_ == names::FILLED_TYPE {
            return Some(format!("Kubernetes itself fills a Secret of type {}, and would undo ours", self.type_));
        }
        if let Some(mark) = self.marks().find(|name| name.starts_with(names::OWN_PREFIX)) {
            return Some(format!("{mark} is a mark that only the controller sets"));
        }
        if self.size() > names::SECRET_LIMIT {
            return Some(format!("its values are larger than {} bytes", names::SECRET_LIMIT));
        }
        if let Some(missing) = names::missing_key(&self.type_, |key| self.data.contains_key(key)) {
            return Some(format!("a Secret of type {} needs {missing}", self.type_));
        }
        let key = names::json_key(&self.type_)?;
        let is_object = self.data.get(key).is_none_or(|value| names::is_json_object(value.expose()));
        (!is_object).then(|| format!("the value of {key} is no JSON object, which the type {} needs", self.type_))
    }

    /// The bytes of its values together.
    pub(crate) fn size(&self) -> usize {
        self.data.values().map(SecretBytes::len).sum()
    }

    /// The names of its labels and annotations.
    fn marks(&self) -> impl Iterator<Item = &str> {
        self.labels.keys().chain(self.annotations.keys()).map(String::as_str)
    }

    /// Takes off the marks that say whose the Secret was: an EncryptedSecret may not ask for one. The labels of key
    /// Secrets stay, so that nobody makes a key of a controller into something else without a word.
    #[must_use]
    pub fn without_ownership_marks(mut self) -> Self {
        self.labels.retain(|name, _| !names::is_ownership_mark(name) || KEY_LABELS.contains(&name.as_str()));
        self.annotations.retain(|name, _| !names::is_ownership_mark(name));
        self
    }

    /// The Secret as a Kubernetes object in YAML, with `data` in base64.
    ///
    /// # Errors
    /// When the tree cannot be written, which no Secret of ours meets.
    pub fn to_yaml(&self) -> Result<SecretBytes, ManifestError> {
        crate::manifest::yaml(self.tree(None))
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// As [`Self::to_yaml`].
    pub fn to_json(&self) -> Result<SecretBytes, ManifestError> {
        Ok(document::format::Json.emit_value(&Value::Map(self.tree(None)), &document::EmitOptions::default())?)
    }

    /// The same for a write that must fail unless the Secret is still as it was `at`.
    ///
    /// # Errors
    /// As [`Self::to_yaml`].
    pub fn to_json_at(&self, at: Option<&Precondition>) -> Result<SecretBytes, ManifestError> {
        let root = self.tree(at);
        Ok(document::format::Json.emit_value(&Value::Map(root), &document::EmitOptions::default())?)
    }

    /// What makes `live` this Secret as a JSON merge patch, if it is still as it was `at`: keys that are not wanted are
    /// taken out, labels and annotations of others stay.
    ///
    /// # Errors
    /// As [`Self::to_yaml`].
    pub fn to_merge_patch(&self, at: &Precondition, live: &LiveSecret) -> Result<SecretBytes, ManifestError> {
        let mut root = self.tree(Some(at));
        if let Some(Value::Map(data)) = root.get_mut("data").map(|node| &mut node.value) {
            let keys = live.data.iter().flat_map(BTreeMap::keys).filter(|key| !self.data.contains_key(*key));
            keys.for_each(|key| data.push(key, Value::Null));
        }
        Ok(document::format::Json.emit_value(&Value::Map(root), &document::EmitOptions::default())?)
    }

    /// The same as an object of a list of manifests.
    pub fn to_manifest(&self) -> Manifest {
        let id = ResourceId::new("v1", "Secret", &self.namespace, &self.name);
        Manifest { id, has_namespace: true, documents: 1, at: (1, 1), root: self.tree(None) }
    }

    fn tree(&self, at: Option<&Precondition>) -> Map {
        let mut metadata = Map::default();
        if let Some(at) = at {
            metadata.push("uid", Value::str(&at.uid));
            metadata.push("resourceVersion", Value::str(&at.resource_version));
        }
        put_texts(&mut metadata, "annotations", &self.annotations);
        put_texts(&mut metadata, "labels", &self.labels);
        metadata.push("name", Value::str(&self.name));
        metadata.push("namespace", Value::str(&self.namespace));
        if let Some(owner) = &self.owner {
            metadata.push("ownerReferences", owner.tree());
        }
        let mut root = Map::default();
        root.push("apiVersion", Value::str("v1"));
        root.push("kind", Value::str("Secret"));
        root.push("metadata", Value::Map(metadata));
        // None where the type is somebody else's.
        if !self.type_.is_empty() {
            root.push("type", Value::str(&self.type_));
        }
        if self.immutable {
            root.push("immutable", Value::Bool(true));
        }
        let mut data = Map::default();
        for (key, value) in &self.data {
            data.push(key, Value::Str(SecretBytes::from(STANDARD.encode(value.expose()))));
        }
        root.push("data", Value::Map(data));
        root
    }
}

/// The label among these that marks a controller's own key.
fn key_label(labels: &BTreeMap<String, String>) -> Option<&'static str> {
    KEY_LABELS.into_iter().find(|label| labels.contains_key(*label))
}

fn put_texts(map: &mut Map, field: &str, texts: &BTreeMap<String, String>) {
    if texts.is_empty() {
        return;
    }
    let mut inner = Map::default();
    texts.iter().for_each(|(key, value)| inner.push(key, Value::str(value)));
    map.push(field, Value::Map(inner));
}

impl Owner {
    fn tree(&self) -> Value {
        let owner = serde_json::json!([{
            "apiVersion": self.api_version, "blockOwnerDeletion": true, "controller": true,
            "kind": self.kind, "name": self.name, "uid": self.uid,
        }]);
        tree::from_json(&owner)
    }

    /// Whether this is the resource `id`, by uid.
    pub fn is(&self, id: &ResourceId) -> bool {
        id.uid.as_ref().is_some_and(|uid| *uid == self.uid)
    }

    /// Whether this is an earlier resource of the same kind and name as `id` that is gone: names are unique, so
    /// another uid under the same name is dead.
    pub fn is_former(&self, id: &ResourceId) -> bool {
        let group = self.api_version.split_once('/').map_or("", |(group, _)| group);
        group == id.group() && self.kind == id.kind && self.name == id.name && !self.is(id)
    }
}

/// The decoded values of a Secret object: `data` from base64, `stringData` as it stands and stronger.
///
/// # Errors
/// The key whose value is no base64, or no text.
pub(crate) fn values(root: &Map) -> Result<BTreeMap<String, SecretBytes>, String> {
    let mut values = BTreeMap::new();
    for entry in tree::map(root, "data").into_iter().flat_map(Map::entries) {
        let value = match &entry.value.value {
            Value::Null => SecretBytes::default(),
            Value::Str(text) => decode(text).ok_or_else(|| entry.key.to_string())?,
            _ => return Err(entry.key.to_string()),
        };
        values.insert(entry.key.to_string(), value);
    }
    for entry in tree::map(root, "stringData").into_iter().flat_map(Map::entries) {
        let Value::Str(text) = &entry.value.value else { return Err(entry.key.to_string()) };
        values.insert(entry.key.to_string(), text.duplicate());
    }
    Ok(values)
}

/// Base64 as the API server reads it: standard alphabet, line breaks passed over.
pub(crate) fn decode(text: &SecretBytes) -> Option<SecretBytes> {
    let compact = text.expose().iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n'));
    let compact = zeroize::Zeroizing::new(compact.collect::<Vec<u8>>());
    STANDARD.decode(&*compact).ok().map(SecretBytes::new)
}

impl LiveSecret {
    /// Whether it holds keys of a controller, which no resource may touch.
    pub(crate) fn is_key(&self) -> bool {
        key_label(&self.labels).is_some()
    }

    /// The field managers, for messages.
    pub fn managers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.managed.iter().map(|entry| entry.manager.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Reads a Secret as an API server gives it, with or without its values.
    ///
    /// # Errors
    /// When it is no Secret.
    pub fn of(manifest: &Manifest) -> Result<Self, ManifestError> {
        let bad = |what: String| ManifestError { what };
        let metadata = tree::map(&manifest.root, "metadata").ok_or_else(|| bad("there is no metadata".to_owned()))?;
        let text = |field: &str| tree::text(metadata, field).unwrap_or_default().to_owned();
        let has_values = manifest.root.get("data").is_some() || manifest.root.get("type").is_some();
        let data = values(&manifest.root).map_err(|key| bad(format!("the value of {key} is no base64")))?;
        Ok(Self {
            name: manifest.id.name.clone(),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            type_: tree::text(&manifest.root, "type").unwrap_or_default().to_owned(),
            immutable: matches!(manifest.root.get("immutable").map(|node| &node.value), Some(Value::Bool(true))),
            labels: texts(metadata, "labels"),
            annotations: texts(metadata, "annotations"),
            owner: owner(metadata),
            managed: managed(metadata),
            data: has_values.then_some(data),
            created: tree::text(metadata, "creationTimestamp").and_then(sops::Timestamp::parse),
            source_gone: false,
        })
    }
}

/// A map of texts under `field`.
pub(crate) fn texts(map: &Map, field: &str) -> BTreeMap<String, String> {
    let entries = tree::map(map, field).into_iter().flat_map(Map::entries);
    entries.filter_map(|entry| Some((entry.key.to_string(), entry.value.value.as_str()?.to_owned()))).collect()
}

fn owner(metadata: &Map) -> Option<Owner> {
    let list = metadata.get("ownerReferences")?.value.as_list()?;
    let controller = |map: &&Map| matches!(map.get("controller").map(|node| &node.value), Some(Value::Bool(true)));
    let found = list.nodes().filter_map(|node| node.value.as_map()).find(controller)?;
    let text = |field: &str| tree::text(found, field).unwrap_or_default().to_owned();
    Some(Owner { api_version: text("apiVersion"), kind: text("kind"), name: text("name"), uid: text("uid") })
}

fn managed(metadata: &Map) -> Vec<ManagedEntry> {
    let list = metadata.get("managedFields").and_then(|node| node.value.as_list());
    let entries = list.into_iter().flat_map(|list| list.nodes()).map(|node| {
        let text =
            |field: &str| node.value.as_map().and_then(|map| tree::text(map, field)).unwrap_or_default().to_owned();
        let (manager, operation) = (text("manager"), text("operation"));
        let keys = node.value.as_map().map(written_keys).unwrap_or_default();
        ManagedEntry { manager, operation, subresource: text("subresource"), keys }
    });
    entries.collect()
}

/// The keys of a Secret's data in an entry of `managedFields`.
fn written_keys(entry: &Map) -> Vec<String> {
    let fields = tree::map(entry, "fieldsV1").and_then(|fields| tree::map(fields, "f:data"));
    let names = fields.into_iter().flat_map(Map::entries).map(|entry| entry.key.to_string());
    names.filter_map(|name| name.strip_prefix("f:").map(str::to_owned)).collect()
}
