//! `SealedSecret` of bitnami.com, with its existing keys.
//!
//! A value is `length of the RSA part (two bytes) | RSA-OAEP (SHA-256, labelled with the scope) of a session key |
//! AES-256-GCM under it with a nonce of zeros`. It names no key, so every key is tried.

use std::collections::BTreeMap;

use aes_gcm::aead::{Aead as _, KeyInit as _, generic_array::GenericArray};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use document::{Map, Value};
use secret::SecretBytes;

use super::{Dialect, Opened, Takeover};
use crate::binding::Scope;
use crate::desired::{DesiredSecret, texts};
use crate::keys::Keys;
use crate::manifest::Manifest;
use crate::reason::{Reason, Refusal};
use crate::resource::{OPAQUE, Policy};
use crate::status::Status;
use crate::{names, tree};

pub(crate) mod go_template;
mod rsa_key;
mod status;

pub use rsa_key::{RsaKey, RsaKeyError};

/// Every annotation of the dialect begins so.
pub(crate) const PREFIX: &str = "sealedsecrets.bitnami.com/";

/// The kind `SealedSecret` of `bitnami.com`.
pub(crate) struct SealedSecret;

impl Dialect for SealedSecret {
    fn group(&self) -> &'static str {
        "bitnami.com"
    }

    fn kind(&self) -> &'static str {
        "SealedSecret"
    }

    fn version(&self) -> &'static str {
        "v1alpha1"
    }

    fn plural(&self) -> &'static str {
        "sealedsecrets"
    }

    fn status(&self, next: &Status, resource: &Manifest, now: sops::Timestamp) -> serde_json::Value {
        status::synced(next, resource, now)
    }

    fn is_suspended(&self, _resource: &Manifest, _now: sops::Timestamp) -> Result<bool, Refusal> {
        Ok(false)
    }

    fn open(&self, resource: &Manifest, keys: &Keys) -> Result<Opened, Refusal> {
        let scope = scope(resource);
        let spec = tree::map(&resource.root, "spec").ok_or_else(|| invalid("there is no spec"))?;
        if spec.get("data").is_some_and(|node| !matches!(node.value, Value::Null)) {
            return Err(invalid("spec.data, the old form with everything in one value, is not supported"));
        }
        let mut data = values(spec, &label(resource, scope), keys.rsa())?;
        let empty = Map::default();
        let template = tree::map(spec, "template").unwrap_or(&empty);
        let metadata = tree::map(template, "metadata").unwrap_or(&empty);
        fill_templates(template, &mut data)?;
        if let Some(key) = data.keys().find(|key| !names::is_data_key(key)) {
            return Err(Refusal::new(Reason::InvalidSecret, format!("{key:?} is no key for a Secret")));
        }
        let annotations = texts(metadata, "annotations");
        let skip_owner = annotations.get(&format!("{PREFIX}skip-set-owner-references")).is_some_and(|it| it == "true");
        let secret = DesiredSecret {
            namespace: resource.id.namespace.clone(),
            name: resource.id.name.clone(),
            type_: tree::text(template, "type").filter(|it| !it.is_empty()).unwrap_or(OPAQUE).to_owned(),
            immutable: matches!(template.get("immutable").map(|node| &node.value), Some(Value::Bool(true))),
            labels: texts(metadata, "labels"),
            annotations,
            data,
            owner: None,
        };
        Ok(Opened {
            secrets: vec![secret],
            policy: Policy::default(),
            takeover: Takeover {
                adopt_if: Some("sealedsecrets.bitnami.com/managed"),
                merge_if: Some("sealedsecrets.bitnami.com/patch"),
                without_owner: skip_owner,
            },
            key_id: None,
            content_hash: None,
            scope: Some(scope),
            rewrap: None,
            modified: None,
        })
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(Reason::InvalidFormat, what)
}

/// The scope by the annotations of the object itself; the widest wins, as with the original.
pub(crate) fn scope(resource: &Manifest) -> Scope {
    let has = |name: &str| resource.mark("annotations", &format!("{PREFIX}{name}")) == Some("true");
    if has("cluster-wide") {
        Scope::Cluster
    } else if has("namespace-wide") {
        Scope::Namespace
    } else {
        Scope::Strict
    }
}

fn label(resource: &Manifest, scope: Scope) -> String {
    match scope {
        Scope::Strict => format!("{}/{}", resource.id.namespace, resource.id.name),
        Scope::Namespace => resource.id.namespace.clone(),
        Scope::Cluster => String::new(),
    }
}

/// Opens every value, or names all those that do not open.
fn values(spec: &Map, label: &str, keys: &[RsaKey]) -> Result<BTreeMap<String, SecretBytes>, Refusal> {
    let mut values = BTreeMap::new();
    let mut closed = Vec::new();
    for entry in tree::map(spec, "encryptedData").into_iter().flat_map(Map::entries) {
        let text = match &entry.value.value {
            Value::Str(text) => text,
            _ => return Err(invalid(&format!("spec.encryptedData.{} is no text", entry.key))),
        };
        let sealed = STANDARD.decode(text.expose().trim_ascii());
        let sealed = sealed.map_err(|_| invalid(&format!("spec.encryptedData.{} is no base64", entry.key)))?;
        match unseal(&sealed, label, keys) {
            Some(value) => {
                values.insert(entry.key.to_string(), value);
            }
            None => closed.push(entry.key.to_string()),
        }
    }
    if closed.is_empty() {
        return Ok(values);
    }
    let what = format!("none of the {} keys here opens {}", keys.len(), closed.join(", "));
    let hint = "sealed for another cluster, name or namespace, or with a key that is not here";
    Err(Refusal::new(Reason::KeyNotFound, what).hint(hint))
}

/// Opens one value with the first key that can.
pub fn unseal(sealed: &[u8], label: &str, keys: &[RsaKey]) -> Option<SecretBytes> {
    let (length, rest) = sealed.split_first_chunk::<2>()?;
    let (wrapped, body) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let open = |key: &RsaKey| {
        let session = key.decrypt(wrapped, label.as_bytes())?;
        if session.len() != 32 {
            return None;
        }
        let cipher = aes_gcm::Aes256Gcm::new(GenericArray::from_slice(session.expose()));
        cipher.decrypt(GenericArray::from_slice(&[0; 12]), body).ok().map(SecretBytes::new)
    };
    keys.iter().find_map(open)
}

/// The object with every value sealed anew to the key `to`; all else stays as it is.
///
/// # Errors
/// When it cannot be opened with the keys at hand.
pub fn reseal(
    resource: &Manifest,
    keys: &Keys,
    to: &RsaKey,
    random: &mut dyn secret::Random,
) -> Result<serde_json::Value, Refusal> {
    let label = label(resource, scope(resource));
    let spec = tree::map(&resource.root, "spec").ok_or_else(|| invalid("there is no spec"))?;
    let mut object = tree::to_json(&resource.root);
    for (name, value) in values(spec, &label, keys.rsa())? {
        let sealed = seal(&value, &label, to, random).ok_or_else(|| invalid("a value cannot be sealed"))?;
        object["spec"]["encryptedData"][name] = STANDARD.encode(sealed).into();
    }
    Ok(object)
}

/// Seals one value; the session key is used for it alone, so the nonce of zeros meets it once.
fn seal(value: &SecretBytes, label: &str, to: &RsaKey, random: &mut dyn secret::Random) -> Option<Vec<u8>> {
    let mut session = zeroize::Zeroizing::new([0; 32]);
    random.fill(&mut *session);
    let wrapped = to.encrypt(&SecretBytes::new(session.to_vec()), label.as_bytes())?;
    let cipher = aes_gcm::Aes256Gcm::new(GenericArray::from_slice(&*session));
    let body = cipher.encrypt(GenericArray::from_slice(&[0; 12]), value.expose()).ok()?;
    let length = u16::try_from(wrapped.len()).ok()?.to_be_bytes();
    Some([&length[..], &wrapped, &body].concat())
}

/// Fills `template.data`; its keys are stronger than encrypted ones, as with the original.
fn fill_templates(template: &Map, data: &mut BTreeMap<String, SecretBytes>) -> Result<(), Refusal> {
    let (mut left, mut work) = (names::SECRET_LIMIT, go_template::Work::new());
    let mut made = Vec::new();
    for entry in tree::map(template, "data").into_iter().flat_map(Map::entries) {
        let text = entry.value.value.as_str();
        let text = text.ok_or_else(|| invalid(&format!("spec.template.data.{} is no text", entry.key)))?;
        let filled = go_template::fill(text, data, left, &mut work)
            .map_err(|error| Refusal::new(error.reason(), format!("template {}: {error}", entry.key)))?;
        left -= filled.len();
        made.push((entry.key.to_string(), filled));
    }
    data.extend(made);
    Ok(())
}
