//! `SopsSecret` of isindir.github.com: templates of Secrets in a list, encrypted by SOPS.
//!
//! Its files were made for an operator that checks no MAC: it covers metadata that an API server changes, and values
//! whose order an API server does not keep. So it is checked for files, and not for objects of a cluster. There is no
//! binding either: whoever may create such an object in a namespace gets its values there (docs/cluster.md says so).

use document::{Node, Value};
use sops::{Encrypted, MacSkip, Plain, SopsError};

use super::native::{data_key, key_id};
use super::{Dialect, Opened, Takeover};
use crate::desired::{DesiredSecret, texts, values};
use crate::keys::Keys;
use crate::manifest::{Manifest, ResourceId};
use crate::reason::{Reason, Refusal};
use crate::resource::{OPAQUE, Policy};
use crate::status::Status;
use crate::{names, tree};

/// The kind `SopsSecret` of `isindir.github.com`.
pub(crate) struct SopsSecret;

impl Dialect for SopsSecret {
    fn group(&self) -> &'static str {
        "isindir.github.com"
    }

    fn kind(&self) -> &'static str {
        "SopsSecret"
    }

    fn version(&self) -> &'static str {
        "v1alpha3"
    }

    fn plural(&self) -> &'static str {
        "sopssecrets"
    }

    /// One text, `Healthy` when all is well, as tools that read it expect; else the reason and what it means, which
    /// its own operator leaves to its log.
    fn status(&self, next: &Status, _resource: &Manifest, _now: sops::Timestamp) -> serde_json::Value {
        let message = match next.condition("Ready") {
            Some(ready) if ready.status == "True" => "Healthy".to_owned(),
            Some(ready) if ready.status == "Unknown" => "Reconciliation is suspended".to_owned(),
            Some(ready) => format!("{}: {}", ready.reason, ready.message),
            None => "Unknown".to_owned(),
        };
        serde_json::json!({ "message": message })
    }

    fn is_suspended(&self, resource: &Manifest, _now: sops::Timestamp) -> Result<bool, Refusal> {
        let suspend = tree::map(&resource.root, "spec").and_then(|spec| spec.get("suspend"));
        Ok(matches!(suspend.map(|node| &node.value), Some(Value::Bool(true))))
    }

    fn open(&self, resource: &Manifest, keys: &Keys) -> Result<Opened, Refusal> {
        if resource.documents > 1 {
            let what = "the file holds more documents than this one; its MAC covers them all";
            return Err(Refusal::new(Reason::MultipleDocuments, what));
        }
        let plain = unlocked(resource, keys)?;
        let root = &plain.document().branches.first().expect("the tree was one document").root;
        let list = tree::map(root, "spec").and_then(|spec| spec.get("secretTemplates")?.value.as_list());
        let list = list.ok_or_else(|| invalid("spec.secretTemplates is no list"))?;
        let secrets: Vec<_> = list.nodes().map(|node| build(node, &resource.id)).collect::<Result<_, _>>()?;
        check_names(&secrets)?;
        Ok(Opened {
            modified: Some(plain.metadata().lastmodified),
            secrets,
            policy: Policy::default(),
            takeover: Takeover { adopt_if: Some("sopssecret/managed"), ..Takeover::default() },
            key_id: key_id(plain.metadata(), keys, &resource.id.namespace),
            content_hash: None,
            scope: None,
            rewrap: keys.rewrap(plain.metadata().recipients()),
        })
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(Reason::InvalidFormat, what)
}

/// The decrypted tree. What an API server adds (status, uid, managed fields) is left out: it is not in the file.
fn unlocked(resource: &Manifest, keys: &Keys) -> Result<Plain, Refusal> {
    let mut root = resource.root.duplicate();
    root.items.retain(|item| !matches!(item, document::Item::Entry(entry) if &*entry.key == "status"));
    let live = resource.id.uid.is_some();
    if live && let Some(Value::Map(metadata)) = root.get_mut("metadata").map(|node| &mut node.value) {
        const OWN: [&str; 4] = ["annotations", "labels", "name", "namespace"];
        metadata.items.retain(|item| matches!(item, document::Item::Entry(entry) if OWN.contains(&&*entry.key)));
    }
    let bad = |error: SopsError| match error {
        SopsError::NotEncrypted => Refusal::new(Reason::Plaintext, "there is no sops block: the file is not encrypted"),
        error => invalid(&error.to_string()),
    };
    let encrypted = Encrypted::new(tree::document(root)).map_err(bad)?;
    let key = data_key(&encrypted, keys, &resource.id.namespace)?;
    let unlocked = encrypted.unlock(key, false);
    let unlocked = unlocked.map_err(|error| Refusal::new(Reason::DecryptFailed, error.to_string()))?;
    if live {
        return Ok(unlocked.skip_mac(MacSkip::ApiServerOwnsMetadata));
    }
    unlocked.verify().map_err(|error| Refusal::new(Reason::MacMismatch, error.to_string()))
}

fn build(node: &Node, id: &ResourceId) -> Result<DesiredSecret, Refusal> {
    let template = node.value.as_map().ok_or_else(|| invalid("an item of spec.secretTemplates is no map"))?;
    let name = tree::text(template, "name").ok_or_else(|| invalid("an item of spec.secretTemplates has no name"))?;
    let type_ = tree::text(template, "type").filter(|type_| !type_.is_empty()).unwrap_or(OPAQUE);
    let data = values(template).map_err(|key| {
        Refusal::new(Reason::InvalidSecret, format!("Secret {name}: the value of {key} is no base64, or no text"))
    })?;
    if let Some(key) = data.keys().find(|key| !names::is_data_key(key)) {
        return Err(Refusal::new(Reason::InvalidSecret, format!("Secret {name}: {key:?} is no key for a Secret")));
    }
    Ok(DesiredSecret {
        namespace: id.namespace.clone(),
        name: name.to_owned(),
        type_: type_.to_owned(),
        labels: texts(template, "labels"),
        annotations: texts(template, "annotations"),
        data,
        ..DesiredSecret::default()
    })
}

fn check_names(secrets: &[DesiredSecret]) -> Result<(), Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    for secret in secrets {
        if !names::is_subdomain(&secret.name) {
            return Err(Refusal::new(Reason::InvalidSecret, "an item of spec.secretTemplates has no valid name"));
        }
        if !seen.insert(&secret.name) {
            return Err(Refusal::new(Reason::InvalidSecret, format!("two templates are named {}", secret.name)));
        }
    }
    if secrets.is_empty() { Err(invalid("spec.secretTemplates is empty")) } else { Ok(()) }
}
