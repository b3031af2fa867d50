//! Reading manifests: files with one or more Kubernetes objects, and objects as an API server gives them back.

use document::{Document, Format, Map, Value};
use secret::SecretBytes;

use crate::tree;

/// Which object something is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceId {
    /// Such as `plomb.dev/v1alpha1`.
    pub api_version: String,
    /// Such as `EncryptedSecret`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Given by an API server.
    pub uid: Option<String>,
    /// Given by an API server.
    pub generation: Option<i64>,
}

impl ResourceId {
    /// An object that no API server knows yet.
    pub fn new(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let owned = str::to_owned;
        Self {
            api_version: owned(api_version),
            kind: owned(kind),
            namespace: owned(namespace),
            name: owned(name),
            uid: None,
            generation: None,
        }
    }

    /// The group, without the version.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

impl std::fmt::Display for ResourceId {
    /// `EncryptedSecret prod/db`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// One object of a file. Its tree may hold secrets: `Debug` shows the id only.
pub struct Manifest {
    /// Which object it is.
    pub id: ResourceId,
    /// Whether the object says its namespace itself.
    pub has_namespace: bool,
    /// How many documents its file holds.
    pub documents: usize,
    /// Line and column of the document in its file, from 1.
    pub at: (usize, usize),
    pub(crate) root: Map,
}

impl std::fmt::Debug for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Manifest({})", self.id)
    }
}

/// A file that cannot be read as manifests.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct ManifestError {
    /// What is wrong, with line and column, without any content.
    pub what: String,
}

impl From<document::FormatError> for ManifestError {
    fn from(error: document::FormatError) -> Self {
        Self { what: error.to_string() }
    }
}

/// The format of a file by its name: JSON by its ending, else YAML.
pub fn format_of(name: &str) -> &'static dyn Format {
    if name.ends_with(".json") { &document::format::Json } else { &document::format::Yaml }
}

/// Reads the objects of a file; `name` is its name. Items of a `List` or `ResourceList` are objects of their own.
/// `namespace` is that of objects which name none. Documents that are no Kubernetes objects are left out.
///
/// # Errors
/// When the text is no YAML or JSON.
pub fn read(text: SecretBytes, name: &str, namespace: &str) -> Result<Vec<Manifest>, ManifestError> {
    Ok(of_document(format_of(name).parse(text)?, namespace))
}

/// The same for a file that is parsed already.
pub fn of_document(mut doc: Document, namespace: &str) -> Vec<Manifest> {
    let branches = std::mem::take(&mut doc.branches);
    let documents = branches.iter().filter(|branch| branch.root.entries().next().is_some()).count();
    let mut found = Vec::new();
    for branch in branches {
        let at = if doc.source.is_empty() { (1, 1) } else { doc.place(branch.site.span.start) };
        collect(branch.root, namespace, documents, at, &mut found);
    }
    found
}

/// Objects on their way through a pipe.
#[derive(Debug)]
pub struct Stream {
    /// The objects in order. Each counts as a file of its own: whoever piped it in read it from one.
    pub objects: Vec<Manifest>,
    /// Whether they came as the `ResourceList` of a KRM function, and are to go on as one.
    pub is_list: bool,
}

/// Reads what `kustomize build` prints, or what it hands to a function.
///
/// # Errors
/// When the text is no YAML, or a document is no Kubernetes object: nothing may get lost on the way.
pub fn stream(text: SecretBytes, namespace: &str) -> Result<Stream, ManifestError> {
    let doc = document::format::Yaml.parse(text)?;
    let is_list = doc.branches.len() == 1 && tree::text(&doc.branches[0].root, "kind") == Some("ResourceList");
    let strange = |branch: &&document::Branch| {
        branch.root.entries().next().is_some()
            && (tree::text(&branch.root, "kind").is_none() || tree::text(&branch.root, "apiVersion").is_none())
    };
    if let Some(branch) = doc.branches.iter().find(strange) {
        let (line, _) = doc.place(branch.site.span.start);
        return Err(ManifestError { what: format!("the document at line {line} is no Kubernetes object") });
    }
    let mut objects = of_document(doc, namespace);
    objects.iter_mut().for_each(|object| object.documents = 1);
    Ok(Stream { objects, is_list })
}

/// Prints objects as a stream of documents, or as a `ResourceList` with what went wrong among its results.
///
/// # Errors
/// When a tree cannot be written.
pub fn print_stream(objects: &[Manifest], is_list: bool, faults: &[String]) -> Result<SecretBytes, ManifestError> {
    if !is_list {
        let mut out = zeroize::Zeroizing::new(Vec::new());
        for object in objects {
            if !out.is_empty() {
                out.extend_from_slice(b"---\n");
            }
            out.extend_from_slice(object.to_yaml()?.expose());
        }
        return Ok(SecretBytes::new(std::mem::take(&mut *out)));
    }
    let item = |object: &Manifest| document::Element::Node(document::Node::new(Value::Map(object.root.duplicate())));
    let mut root = Map::default();
    root.push("apiVersion", Value::str("config.kubernetes.io/v1"));
    root.push("kind", Value::str("ResourceList"));
    root.push("items", Value::List(document::List { items: objects.iter().map(item).collect() }));
    if !faults.is_empty() {
        let results = faults.iter().map(|fault| serde_json::json!({"message": fault, "severity": "error"}));
        root.push("results", tree::from_json(&results.collect::<Vec<_>>().into()));
    }
    yaml(root)
}

fn collect(root: Map, namespace: &str, documents: usize, at: (usize, usize), found: &mut Vec<Manifest>) {
    if tree::text(&root, "kind").is_some_and(|kind| kind == "List" || kind == "ResourceList")
        && let Some(items) = root.get("items").and_then(|node| node.value.as_list())
    {
        for node in items.nodes() {
            if let Value::Map(item) = &node.value {
                // An item stands alone: a sealed one is a file of its own to an API server.
                collect(item.duplicate(), namespace, 1, at, found);
            }
        }
        return;
    }
    let Some((id, has_namespace)) = id(&root, namespace) else { return };
    found.push(Manifest { id, has_namespace, documents, at, root });
}

fn id(root: &Map, namespace: &str) -> Option<(ResourceId, bool)> {
    let (api_version, kind) = (tree::text(root, "apiVersion")?, tree::text(root, "kind")?);
    let empty = Map::default();
    let metadata = tree::map(root, "metadata").unwrap_or(&empty);
    let own = tree::text(metadata, "namespace").filter(|own| !own.is_empty());
    // Objects with generateName have none.
    let name = tree::text(metadata, "name").unwrap_or_default();
    let mut id = ResourceId::new(api_version, kind, own.unwrap_or(namespace), name);
    id.uid = tree::text(metadata, "uid").filter(|uid| !uid.is_empty()).map(str::to_owned);
    id.generation = metadata.get("generation").and_then(|node| match node.value {
        Value::Int(number) => Some(number),
        _ => None,
    });
    Some((id, own.is_some()))
}

impl Manifest {
    /// An object as an API server hands it back, serialised as JSON.
    ///
    /// # Errors
    /// When it is no JSON, or no object with a kind and a name.
    pub fn from_api(json: SecretBytes) -> Result<Self, ManifestError> {
        let mut found = read(json, "object.json", "")?;
        found.retain(|object| !object.id.name.is_empty());
        let no_object = || ManifestError { what: "not one Kubernetes object".to_owned() };
        if found.len() == 1 { found.pop().ok_or_else(no_object) } else { Err(no_object()) }
    }

    /// A label or annotation of the object: `field` is `labels` or `annotations`.
    pub fn mark(&self, field: &str, key: &str) -> Option<&str> {
        tree::text(tree::map(tree::map(&self.root, "metadata")?, field)?, key)
    }

    /// What the object says about itself, as JSON; null without any.
    pub fn status(&self) -> serde_json::Value {
        tree::map(&self.root, "status").map(tree::to_json).unwrap_or_default()
    }

    /// Whether it carries the metadata of SOPS.
    pub fn is_sops(&self) -> bool {
        self.root.get("sops").is_some()
    }

    /// The object as YAML text.
    ///
    /// # Errors
    /// When the tree cannot be written.
    pub fn to_yaml(&self) -> Result<SecretBytes, ManifestError> {
        yaml(self.root.duplicate())
    }

    /// The object as JSON in one line or more, for a list of objects.
    ///
    /// # Errors
    /// When the tree cannot be written.
    pub fn to_json(&self) -> Result<SecretBytes, ManifestError> {
        Ok(document::format::Json.emit_value(&Value::Map(self.root.duplicate()), &document::EmitOptions::default())?)
    }
}

/// A tree as YAML in Kubernetes' usual layout: two blanks per level.
pub(crate) fn yaml(root: Map) -> Result<SecretBytes, ManifestError> {
    let branch = document::Branch { root, site: document::Site::default() };
    Ok(document::format::Yaml.emit(&[branch], &document::EmitOptions { indent: Some(2) })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str, name: &str) -> Vec<String> {
        read(SecretBytes::from(text), name, "default").unwrap().iter().map(|found| found.id.to_string()).collect()
    }

    #[test]
    fn objects_are_found_wherever_they_stand() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a, namespace: n}}\n\
                    - {apiVersion: v1, kind: B, metadata: {name: b}}\n---\nvalues: 1\n---\n\
                    {apiVersion: v1, kind: C, metadata: {name: c}}\n";
        assert_eq!(ids(text, "x.yaml"), ["A n/a", "B default/b", "C default/c"]);
        assert_eq!(ids(r#"{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}"#, "x.json"), ["A default/a"]);
    }

    #[test]
    fn a_stream_goes_through_as_it_came() {
        let text = "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n---\napiVersion: batch/v1\nkind: Job\nmetadata:\n  \
                    generateName: j-\n";
        let read = stream(SecretBytes::from(text), "n").unwrap();
        assert!(!read.is_list && read.objects.iter().all(|object| object.documents == 1));
        assert_eq!(print_stream(&read.objects, false, &[]).unwrap().expose_str(), Some(text));
        let list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n  - apiVersion: v1\n    kind: A\n    \
                    metadata:\n      name: a\n";
        let read = stream(SecretBytes::from(list), "n").unwrap();
        assert!(read.is_list);
        let printed = print_stream(&read.objects, true, &["x".to_owned()]).unwrap();
        assert_eq!(printed.expose_str().unwrap(), format!("{list}results:\n  - message: x\n    severity: error\n"));
        assert!(stream(SecretBytes::from("a: canary\n"), "n").unwrap_err().what.contains("line 1"));
    }

    #[test]
    fn debug_shows_no_content() {
        let text = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: canary}}";
        let found = read(SecretBytes::from(text), "x.yaml", "n").unwrap();
        assert!(!format!("{found:?}").contains("canary"));
    }
}
