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
    let metadata = tree::map(root, "metadata")?;
    let own = tree::text(metadata, "namespace").filter(|own| !own.is_empty());
    let mut id = ResourceId::new(
        tree::text(root, "apiVersion")?,
        tree::text(root, "kind")?,
        own.unwrap_or(namespace),
        tree::text(metadata, "name")?,
    );
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
        let no_object = || ManifestError { what: "not one Kubernetes object".to_owned() };
        if found.len() == 1 { found.pop().ok_or_else(no_object) } else { Err(no_object()) }
    }

    /// A label or annotation of the object: `field` is `labels` or `annotations`.
    pub fn mark(&self, field: &str, key: &str) -> Option<&str> {
        tree::text(tree::map(tree::map(&self.root, "metadata")?, field)?, key)
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
    fn debug_shows_no_content() {
        let text = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {k: canary}}";
        let found = read(SecretBytes::from(text), "x.yaml", "n").unwrap();
        assert!(!format!("{found:?}").contains("canary"));
    }
}
