//! The writing side: plain Secrets become the text of an EncryptedSecret, and such a text is bound to its place.
//!
//! What is written here is the plaintext; SOPS' own encryption follows with [`file_policy`], so that every SOPS
//! opens the file.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use document::{Document, Edits, EmitOptions, Entry, Format, Item, Map, Path, Step, Value};
use secret::SecretBytes;

use crate::binding::{Binding, Scope};
use crate::desired::{DesiredSecret, texts, values};
use crate::error::WriteError;
use crate::manifest::{Manifest, ResourceId, of_document};
use crate::names;
use crate::reason::{Reason, Refusal};
use crate::resource::{API_VERSION, ENCRYPTED_REGEX, EncryptedSecretSpec, KIND, OPAQUE, Policy};
use crate::tree;

/// Holds the plaintext of every Secret that was ever applied with kubectl: never carried on.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An EncryptedSecret about to be written.
#[derive(Debug)]
pub struct Draft {
    /// Name of the resource.
    pub name: String,
    /// Its namespace; may be absent in cluster scope only.
    pub namespace: Option<String>,
    /// How far it may travel.
    pub scope: Scope,
    /// What to do when live Secrets are not as expected.
    pub policy: Policy,
    /// Its Secrets. Their namespace is not looked at.
    pub secrets: Vec<DesiredSecret>,
}

/// A policy of a creation rule as an EncryptedSecret needs it: its readers, and our selector and MAC scope.
pub fn file_policy(rule: sops::Policy) -> sops::Policy {
    let selector = sops::Selector::from_field("encrypted_regex", ENCRYPTED_REGEX).expect("the pattern is a constant");
    sops::Policy { selector: Some(selector), mac_only_encrypted: true, ..rule }
}

/// A plain Secret object. Owners, uid and other marks of a cluster, also those that say which resource it belonged to,
/// are left behind.
///
/// # Errors
/// When it is no Secret, or has values that a Secret cannot have.
pub fn secret_of(manifest: &Manifest) -> Result<DesiredSecret, WriteError> {
    if manifest.id.kind != "Secret" || manifest.id.api_version != "v1" {
        return Err(WriteError::NotASecret(manifest.id.to_string()));
    }
    check_texts(&manifest.root, &manifest.id.to_string())?;
    let empty = Map::default();
    let metadata = tree::map(&manifest.root, "metadata").unwrap_or(&empty);
    let mut annotations = texts(metadata, "annotations");
    annotations.remove(LAST_APPLIED);
    let data = values(&manifest.root).map_err(WriteError::NotBase64)?;
    let secret = DesiredSecret {
        namespace: manifest.id.namespace.clone(),
        name: manifest.id.name.clone(),
        type_: tree::text(&manifest.root, "type").filter(|it| !it.is_empty()).unwrap_or(OPAQUE).to_owned(),
        immutable: matches!(manifest.root.get("immutable").map(|node| &node.value), Some(Value::Bool(true))),
        labels: texts(metadata, "labels"),
        annotations,
        data,
        owner: None,
    };
    Ok(secret.without_ownership_marks())
}

/// The plaintext of the resource, bound and sorted, ready to be encrypted with [`file_policy`].
///
/// # Errors
/// Everything that a cluster would refuse, with its reason.
pub fn plain_text(draft: &Draft) -> Result<SecretBytes, WriteError> {
    let root = draft_tree(draft)?;
    let text = crate::manifest::yaml(root)?;
    // Read back as whoever opens the file will read it: names, limits, types.
    bound(text, &document::format::Yaml, Rebind { scope: None, moved: false }).map(|bound| bound.text)
}

fn draft_tree(draft: &Draft) -> Result<Map, WriteError> {
    if draft.namespace.is_none() && draft.scope != Scope::Cluster {
        return Err(WriteError::NoNamespace(draft.name.clone()));
    }
    if let Some((name, fault)) = draft.secrets.iter().find_map(|secret| Some((&secret.name, secret.fault()?))) {
        return Err(Refusal::new(Reason::InvalidSecret, format!("Secret {name}: {fault}")).into());
    }
    let mut metadata = Map::default();
    metadata.push("name", Value::str(&draft.name));
    if let Some(namespace) = &draft.namespace {
        metadata.push("namespace", Value::str(namespace));
    }
    let mut secrets = Map::default();
    let sorted: BTreeMap<&str, &DesiredSecret> = draft.secrets.iter().map(|it| (it.name.as_str(), it)).collect();
    sorted.values().for_each(|secret| secrets.push(&secret.name, Value::Map(entry_tree(secret))));
    let mut spec = Map::default();
    spec.push("secrets", Value::Map(secrets));
    if !draft.policy.is_default() {
        let policy = serde_json::to_value(draft.policy).expect("a struct of words is always JSON");
        spec.push("policy", tree::from_json(&policy));
    }
    tree::sort(&mut spec);
    // A binding of the right scope; `bound` computes the shape.
    let namespace = draft.namespace.as_deref().unwrap_or_default();
    let binding = Binding::new(draft.scope, namespace, &draft.name, &EncryptedSecretSpec::default());
    spec.items.insert(0, Item::Entry(entry("binding", Value::Str(SecretBytes::from(binding.text())))));
    let mut root = Map::default();
    root.push("apiVersion", Value::str(API_VERSION));
    root.push("kind", Value::str(KIND));
    root.push("metadata", Value::Map(metadata));
    root.push("spec", Value::Map(spec));
    Ok(root)
}

fn entry(key: &str, value: Value) -> Entry {
    Entry { key: key.into(), key_span: document::Span::default(), value: document::Node::new(value) }
}

/// Text goes under `stringData`, where people can read and edit it; bytes under `data`.
fn entry_tree(secret: &DesiredSecret) -> Map {
    let mut out = Map::default();
    let (mut data, mut string_data) = (Map::default(), Map::default());
    for (key, value) in &secret.data {
        match value.expose_str().filter(|text| is_plain_text(text)) {
            Some(text) => string_data.push(key, Value::str(text)),
            None => data.push(key, Value::Str(SecretBytes::from(STANDARD.encode(value.expose())))),
        }
    }
    for (field, map) in [("data", data), ("stringData", string_data)] {
        if !map.items.is_empty() {
            out.push(field, Value::Map(map));
        }
    }
    for (field, marks) in [("annotations", &secret.annotations), ("labels", &secret.labels)] {
        if !marks.is_empty() {
            let mut map = Map::default();
            marks.iter().for_each(|(key, value)| map.push(key, Value::str(value)));
            out.push(field, Value::Map(map));
        }
    }
    if secret.immutable {
        out.push("immutable", Value::Bool(true));
    }
    if secret.type_ != OPAQUE {
        out.push("type", Value::str(&secret.type_));
    }
    out
}

/// What every YAML and JSON reader gives back as it was.
fn is_plain_text(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, '\n' | '\t') || !(c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')))
}

/// How a text is to be bound.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rebind {
    /// The scope; that of the old binding if none is given, strict without one.
    pub scope: Option<Scope>,
    /// Whether the place may differ from that of the old binding.
    pub moved: bool,
}

/// A text with a fitting binding.
#[derive(Debug)]
pub struct Bound {
    /// The plaintext.
    pub text: SecretBytes,
    /// Its binding.
    pub binding: Binding,
    /// Whether keys were put into another order.
    pub sorted: bool,
    /// Whether keys were put in quotes that kubectl would read as something else than text.
    pub quoted: bool,
    /// Whether the binding is another one than before.
    pub changed: bool,
    /// Why a cluster will refuse it all the same, such as a broken template.
    pub doubt: Option<Refusal>,
}

/// Whether a parsed file is an EncryptedSecret, plain or encrypted.
pub fn is_resource(doc: &Document) -> bool {
    let root = doc.branches.first().map(|branch| &branch.root);
    let is = |field: &str, wanted: &str| root.and_then(|root| tree::text(root, field)) == Some(wanted);
    is("kind", KIND) && is("apiVersion", API_VERSION)
}

/// Whether the binding of a decrypted text fits its place and shape, or there is none yet. Only such a text may be
/// bound again without a person's word: a change by somebody else must not be blessed on the way.
pub fn is_in_order(doc: &Document) -> bool {
    let Some(branch) = doc.branches.first() else { return false };
    let Some(old) = old_binding(&branch.root) else { return true };
    let id = id_of(&branch.root);
    blanked(&branch.root).is_ok_and(|spec| old.check_place(&id).is_ok() && old.check_shape(&spec).is_ok())
}

/// Binds the decrypted text of an EncryptedSecret to the place that its metadata names, with its keys in the order
/// that an API server gives them. Bytes that need no change stay.
///
/// # Errors
/// [`WriteError::Moved`] when the old binding is for another place, and everything that a cluster would refuse.
pub fn bound(text: SecretBytes, format: &'static dyn Format, how: Rebind) -> Result<Bound, WriteError> {
    let doc = format.parse(text)?;
    if doc.branches.len() != 1 || !is_resource(&doc) {
        return Err(WriteError::NotAResource);
    }
    let root = &doc.branches[0].root;
    let id = id_of(root);
    let spec = blanked(root)?;
    let old = old_binding(root);
    let scope = how.scope.or(old.as_ref().map(|old| old.scope)).unwrap_or_default();
    let narrower = |old: &Binding| how.scope.is_some_and(|scope| scope != old.scope);
    if let Some(old) = &old
        && !how.moved
        && (old.check_place(&id).is_err() || narrower(old))
    {
        return Err(WriteError::Moved(format!("{} {}/{}", scope.word(), id.namespace, id.name)));
    }
    if scope != Scope::Cluster && id.namespace.is_empty() {
        return Err(WriteError::NoNamespace(id.name));
    }
    let binding = Binding::new(scope, &id.namespace, &id.name, &spec);
    let spec_map = tree::map(root, "spec").expect("the spec was read above");
    let doubt = doubt(&spec, spec_map, &id);
    let unsorted = tree::sort(&mut spec_map.duplicate());
    let misread = has_misread_keys(&doc);
    let changed = old.as_ref() != Some(&binding);
    if !unsorted && !misread && !changed {
        return Ok(Bound { text: doc.source.duplicate(), binding, sorted: false, quoted: false, changed, doubt });
    }
    let value = Value::Str(SecretBytes::from(binding.text()));
    let has_place = spec_map.get("binding").is_some();
    let text = if unsorted || misread || !has_place { rewritten(&doc, value)? } else { edited(&doc, value)? };
    check(&text, format, &binding)?;
    Ok(Bound { text, binding, sorted: unsorted, quoted: misread, changed, doubt })
}

/// What a cluster would say to the Secrets themselves: their templates are filled, and the results looked at.
fn doubt(spec: &EncryptedSecretSpec, tree: &Map, id: &ResourceId) -> Option<Refusal> {
    let made = match crate::dialect::native::built(spec, tree, id) {
        Ok(made) => made,
        Err(refusal) => return Some(refusal),
    };
    let fault = |made: &DesiredSecret| Some(format!("Secret {}: {}", made.name, made.fault()?));
    made.iter().find_map(fault).map(|fault| Refusal::new(Reason::InvalidSecret, fault))
}

/// Whether a key stands without quotes that kubectl would read as something else than text, such as `y`: the object that
/// reaches the cluster would have another one.
pub fn has_misread_keys(doc: &Document) -> bool {
    let source = doc.source.expose();
    let is_file = |key: &str| key != "sops";
    doc.format.name() == "yaml" && doc.branches.iter().any(|branch| misreads(&branch.root, source, &is_file))
}

fn misreads(map: &Map, source: &[u8], counts: &dyn Fn(&str) -> bool) -> bool {
    map.entries().filter(|entry| counts(&entry.key)).any(|entry| {
        let is_plain = source.get(entry.key_span.range()) == Some(entry.key.as_bytes());
        let inner = || entry.value.value.as_map().is_some_and(|inner| misreads(inner, source, &|_| true));
        (is_plain && names::is_misread(&entry.key) && is_written_in_quotes(&entry.key)) || inner()
    })
}

/// Whether a key is put in quotes where a tree is printed. Not every text that some reader takes for a number is.
fn is_written_in_quotes(key: &str) -> bool {
    let mut map = Map::default();
    map.push(key, Value::str(""));
    crate::manifest::yaml(map).is_ok_and(|text| !text.expose().starts_with(key.as_bytes()))
}

/// The new text must read as bound; else nothing is given out.
fn check(text: &SecretBytes, format: &'static dyn Format, binding: &Binding) -> Result<(), WriteError> {
    let doc = format.parse(text.duplicate())?;
    let root = &doc.branches.first().ok_or(WriteError::Proof)?.root;
    let sorted = tree::map(root, "spec").is_some_and(|spec| !tree::sort(&mut spec.duplicate()));
    let fits = old_binding(root).as_ref() == Some(binding) && binding.check_shape(&blanked(root)?).is_ok();
    if sorted && fits { Ok(()) } else { Err(WriteError::Proof) }
}

/// One token changed in place.
fn edited(doc: &Document, value: Value) -> Result<SecretBytes, WriteError> {
    let path = Path(vec![Step::Key("spec".into()), Step::Key("binding".into())]);
    let mut edits = Edits::new();
    doc.format.replace(doc, 0, &path, &value, &mut edits)?;
    edits.apply(doc.source.expose()).ok_or(WriteError::Proof)
}

/// Printed anew with sorted keys; comments stay before the key that they stood before.
fn rewritten(doc: &Document, value: Value) -> Result<SecretBytes, WriteError> {
    let mut root = doc.branches[0].root.duplicate();
    let Some(Value::Map(spec)) = root.get_mut("spec").map(|node| &mut node.value) else {
        return Err(WriteError::NotAResource);
    };
    match spec.get_mut("binding") {
        Some(node) => *node = document::Node::new(value),
        None => spec.push("binding", value),
    }
    sort_with_comments(spec);
    let indent = Some(sops::rewrite::detect_indent(doc.source.expose(), doc.format.name()).unwrap_or(2));
    let branch = document::Branch { root, site: document::Site::default() };
    Ok(doc.format.emit(&[branch], &EmitOptions { indent })?)
}

fn sort_with_comments(map: &mut Map) {
    let mut groups: Vec<(Box<str>, Vec<Item>)> = Vec::new();
    let mut waiting = Vec::new();
    for item in std::mem::take(&mut map.items) {
        match item {
            Item::Comment(comment) if comment.inline && !groups.is_empty() => {
                groups.last_mut().expect("looked at just before").1.push(Item::Comment(comment));
            }
            Item::Comment(comment) => waiting.push(Item::Comment(comment)),
            Item::Entry(mut entry) => {
                entry.value.alias = None;
                if let Value::Map(inner) = &mut entry.value.value {
                    sort_with_comments(inner);
                }
                let key = entry.key.clone();
                waiting.push(Item::Entry(entry));
                groups.push((key, std::mem::take(&mut waiting)));
            }
        }
    }
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    map.items = groups.into_iter().flat_map(|(_, items)| items).chain(waiting).collect();
}

/// What may be told of a decrypted resource: its spec with every value left out.
fn blanked(root: &Map) -> Result<EncryptedSecretSpec, WriteError> {
    let mut copy = root.duplicate();
    copy.items.retain(|item| !matches!(item, Item::Entry(entry) if &*entry.key == "sops"));
    let name = id_of(root).to_string();
    if let Some(Value::Map(spec)) = copy.get_mut("spec").map(|node| &mut node.value) {
        if let Some(node) = spec.get_mut("binding") {
            node.value = Value::str("");
        }
        if let Some(Value::Map(secrets)) = spec.get_mut("secrets").map(|node| &mut node.value) {
            for item in &mut secrets.items {
                if let Item::Entry(secret) = item
                    && let Value::Map(fields) = &mut secret.value.value
                {
                    check_texts(fields, &format!("{name}: Secret {}", secret.key))?;
                    blank_values(fields);
                }
            }
        }
    }
    let doc = tree::document(copy);
    let manifest = of_document(doc, "").pop().ok_or(WriteError::NotAResource)?;
    Ok(EncryptedSecretSpec::of(&manifest)?)
}

fn blank_values(fields: &mut Map) {
    for field in ["data", "stringData"] {
        if let Some(Value::Map(values)) = fields.get_mut(field).map(|node| &mut node.value) {
            for item in &mut values.items {
                if let Item::Entry(value) = item {
                    value.value = document::Node::new(Value::str(""));
                }
            }
        }
    }
}

/// Numbers and truth values have many spellings; a Secret's value is one text. Base64 must be base64.
fn check_texts(fields: &Map, name: &str) -> Result<(), WriteError> {
    for field in ["data", "stringData"] {
        for value in tree::map(fields, field).into_iter().flat_map(Map::entries) {
            let place = || format!("{name}: the value of {} under {field}", value.key);
            match &value.value.value {
                Value::Str(text) if field == "data" && crate::desired::decode(text).is_none() => {
                    return Err(WriteError::NotBase64(value.key.to_string()));
                }
                Value::Str(_) => {}
                Value::Null if field == "data" => {}
                other => return Err(WriteError::NotText { place: place(), kind: other.kind() }),
            }
        }
    }
    Ok(())
}

fn old_binding(root: &Map) -> Option<Binding> {
    let node = tree::map(root, "spec")?.get("binding")?;
    match &node.value {
        Value::Str(text) => Binding::parse(text).ok(),
        _ => None,
    }
}

fn id_of(root: &Map) -> ResourceId {
    let metadata = tree::map(root, "metadata");
    let text = |field: &str| metadata.and_then(|metadata| tree::text(metadata, field)).unwrap_or_default();
    ResourceId::new(API_VERSION, KIND, text("namespace"), text("name"))
}

/// Keys of a Secret that YAML 1.1 readers take for something else: [`plain_text`] quotes them, and whoever edits the
/// file by hand must too.
pub fn misread_keys(secret: &DesiredSecret) -> Vec<&str> {
    secret.data.keys().map(String::as_str).filter(|key| names::is_misread(key)).collect()
}
