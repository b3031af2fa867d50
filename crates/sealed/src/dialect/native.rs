//! Opening an EncryptedSecret. The order of the checks is the order of the table in docs/cluster.md: form, keys,
//! values and MAC, binding, templates, validity.

use document::{Item, Map};
use hmac::{Hmac, Mac as _};
use secret::{DataKey, SecretBytes};
use sha2::Sha256;
use sops::{Encrypted, Plain, SopsError};

use super::{Dialect, Opened, Takeover};
use crate::binding::{Binding, hex};
use crate::desired::{DesiredSecret, decode};
use crate::keys::Keys;
use crate::manifest::{Manifest, ResourceId};
use crate::reason::{Reason, Refusal};
use crate::resource::{Ciphertext, ENCRYPTED_REGEX, EncryptedSecretSpec, KIND, OPAQUE, SecretEntry, interval_seconds};
use crate::status::Status;
use crate::{names, template, tree};

/// The kind `EncryptedSecret` of `plomb.dev`.
pub(crate) struct EncryptedSecret;

impl Dialect for EncryptedSecret {
    fn group(&self) -> &'static str {
        "plomb.dev"
    }

    fn kind(&self) -> &'static str {
        KIND
    }

    fn version(&self) -> &'static str {
        "v1alpha1"
    }

    fn plural(&self) -> &'static str {
        "encryptedsecrets"
    }

    fn interval_seconds(&self, resource: &Manifest) -> u64 {
        // Of a large resource a controller holds no more of the spec than this.
        let text = tree::map(&resource.root, "spec").and_then(|spec| tree::text(spec, "interval"));
        text.and_then(interval_seconds).unwrap_or(3600)
    }

    fn suspended_until(&self, resource: &Manifest) -> Option<sops::Timestamp> {
        sops::Timestamp::parse(EncryptedSecretSpec::of(resource).ok()?.suspend_until.as_deref()?)
    }

    fn status(&self, next: &Status, _resource: &Manifest, _now: sops::Timestamp) -> serde_json::Value {
        serde_json::to_value(next).unwrap_or_default()
    }

    fn remembers(&self) -> bool {
        true
    }

    fn is_suspended(&self, resource: &Manifest, now: sops::Timestamp) -> Result<bool, Refusal> {
        EncryptedSecretSpec::of(resource)?.is_suspended(now)
    }

    fn open(&self, resource: &Manifest, keys: &Keys) -> Result<Opened, Refusal> {
        let (spec, plain) = unlocked(resource, keys)?;
        let root = &plain.document().branches.first().expect("the tree was one document").root;
        let opened_spec = tree::map(root, "spec").expect("the spec was read before");
        let binding = binding(opened_spec)?;
        binding.check_place(&resource.id)?;
        binding.check_shape(&spec)?;
        let secrets = built(&spec, opened_spec, &resource.id)?;
        Ok(Opened {
            content_hash: Some(content_hash(plain.key(), &secrets)),
            secrets,
            policy: spec.policy(),
            takeover: Takeover::default(),
            key_id: key_id(plain.metadata(), keys, &resource.id.namespace),
            scope: Some(binding.scope),
            rewrap: keys.rewrap(plain.metadata().recipients()),
            modified: Some(plain.metadata().lastmodified),
        })
    }
}

/// The spec and the decrypted, verified tree.
pub(crate) fn unlocked(resource: &Manifest, keys: &Keys) -> Result<(EncryptedSecretSpec, Plain), Refusal> {
    if resource.documents > 1 {
        let what = "the file holds more documents than this one; its MAC covers them all";
        return Err(
            Refusal::new(Reason::MultipleDocuments, what).hint("keep each EncryptedSecret in a file of its own")
        );
    }
    let spec = EncryptedSecretSpec::of(resource)?;
    let mut root = spec_and_metadata(&resource.root)?;
    let file_order = root.duplicate();
    let moved = tree::sort(&mut root);
    let encrypted = encrypted(root)?;
    check_selector(&encrypted)?;
    check_ciphertext(&spec)?;
    let key = data_key(&encrypted, keys, &resource.id.namespace)?;
    let plain = verify(encrypted, &key).map_err(|refusal| {
        if refusal.reason == Reason::MacMismatch && is_other_order(file_order, moved, &key) {
            key_order()
        } else {
            refusal
        }
    })?;
    Ok((spec, plain))
}

/// Only what is encrypted and the metadata of SOPS: what an API server adds around it does not matter.
fn spec_and_metadata(root: &Map) -> Result<Map, Refusal> {
    let mut kept = root.duplicate();
    kept.items.retain(|item| matches!(item, Item::Entry(entry) if &*entry.key == "spec" || &*entry.key == "sops"));
    if kept.get("sops").is_some() {
        return Ok(kept);
    }
    let refusal = Refusal::new(Reason::Plaintext, "there is no sops block: the file is not encrypted");
    Err(refusal.hint("plomb seal makes a sealed file of a plain Secret"))
}

fn encrypted(root: Map) -> Result<Encrypted, Refusal> {
    let bad = |error: SopsError| Refusal::new(Reason::InvalidFormat, error.to_string());
    Encrypted::new(tree::document(root)).map_err(bad)
}

fn check_selector(encrypted: &Encrypted) -> Result<(), Refusal> {
    let metadata = encrypted.metadata();
    let right = metadata.selector.field() == ("encrypted_regex", ENCRYPTED_REGEX) && metadata.mac_only_encrypted;
    if right {
        return Ok(());
    }
    let what = format!("an EncryptedSecret has encrypted_regex: {ENCRYPTED_REGEX} and mac_only_encrypted: true");
    Err(Refusal::new(Reason::SelectorMismatch, what).hint("plomb unseal FILE, then plomb seal"))
}

/// Every place of ciphertext holds a token or nothing.
fn check_ciphertext(spec: &EncryptedSecretSpec) -> Result<(), Refusal> {
    let is_sealed = |value: &Ciphertext| value.0.is_empty() || sops::is_token(value.0.as_bytes());
    let clear = |place: String| {
        Refusal::new(Reason::Plaintext, format!("the value of {place} is not encrypted"))
            .hint("the value was in a file or a cluster in clear: replace it, then plomb seal")
    };
    for (name, entry) in &spec.secrets {
        for (field, values) in [("data", &entry.data), ("stringData", &entry.string_data)] {
            if let Some((key, _)) = values.iter().find(|(_, value)| !is_sealed(value)) {
                return Err(clear(format!("spec.secrets.{name}.{field}.{key}")));
            }
        }
    }
    match &spec.binding {
        Some(binding) if sops::is_token(binding.0.as_bytes()) => Ok(()),
        Some(binding) if !binding.0.is_empty() => Err(clear("spec.binding".to_owned())),
        _ => Err(Refusal::new(Reason::BindingMismatch, "the file is not bound to a place").hint("plomb bind FILE")),
    }
}

/// Recipients that a refusal names.
const NAMED: usize = 10;

/// The data key of a file, or why there is none.
pub(crate) fn data_key(encrypted: &Encrypted, keys: &Keys, namespace: &str) -> Result<DataKey, Refusal> {
    let ring = keys.for_namespace(namespace);
    let metadata = encrypted.metadata();
    let allowed = !metadata.recipients().all(|recipient| keys.is_revoked(recipient));
    if allowed && let Ok(key) = encrypted.data_key_by(ring, keys.current()) {
        return Ok(key);
    }
    let short = |names: Vec<&str>| {
        let more = names.len().saturating_sub(NAMED);
        let named: Vec<String> = names.into_iter().take(NAMED).map(keys_short).collect();
        match (named.is_empty(), more) {
            (true, _) => "none".to_owned(),
            (false, 0) => named.join(", "),
            (false, more) => format!("{} and {more} more", named.join(", ")),
        }
    };
    if let Some(revoked) = metadata.recipients().find(|recipient| keys.is_revoked(recipient)) {
        let what = format!("only the revoked key {} could open it", keys_short(revoked));
        return Err(Refusal::new(Reason::KeyRevoked, what).hint("plomb rewrap, by somebody whom the file lists"));
    }
    if let Some(own) = metadata.recipients().find(|recipient| ring.has_recipient(recipient)) {
        let what = format!("the data key wrapped to {} does not open", keys_short(own));
        return Err(Refusal::new(Reason::DecryptFailed, what));
    }
    let (file, own) = (short(metadata.recipients().collect()), short(ring.recipients().collect()));
    Err(Refusal::new(Reason::KeyNotFound, format!("it can be opened by {file}; the keys here are {own}")))
}

fn keys_short(recipient: &str) -> String {
    ::keys::short_recipient(recipient)
}

fn duplicate(key: &DataKey) -> DataKey {
    DataKey::try_from(key.to_secret()).expect("a data key has the length of one")
}

fn verify(encrypted: Encrypted, key: &DataKey) -> Result<Plain, Refusal> {
    let unlocked = encrypted.unlock(duplicate(key), false);
    let unlocked = unlocked.map_err(|error| Refusal::new(Reason::DecryptFailed, error.to_string()))?;
    unlocked.verify().map_err(|error| Refusal::new(Reason::MacMismatch, error.to_string()))
}

fn key_order() -> Refusal {
    let what = "keys are not in bytewise order, which an API server gives them: the MAC does not fit there";
    Refusal::new(Reason::KeyOrder, what).hint("plomb bind FILE")
}

/// More work than this is not done to tell a wrong order from a change.
const GUESSES: usize = 64;

/// Whether the MAC fits another order of the keys: that of the file, or one in which one key was appended (as `sops
/// set` does) before an API server sorted it. Only ever chooses the words of a refusal.
fn is_other_order(file: Map, moved: bool, key: &DataKey) -> bool {
    let fits = |root: Map| encrypted(root).is_ok_and(|encrypted| verify(encrypted, key).is_ok());
    if moved {
        return fits(file);
    }
    let places = appendable(&file);
    places.len() <= GUESSES && places.into_iter().any(|place| fits(with_last(&file, &place)))
}

/// The encrypted keys as steps below the root.
fn appendable(root: &Map) -> Vec<[String; 4]> {
    let mut places = Vec::new();
    let secrets = tree::map(root, "spec").and_then(|spec| tree::map(spec, "secrets"));
    for secret in secrets.into_iter().flat_map(Map::entries) {
        for field in ["data", "stringData"] {
            let values = secret.value.value.as_map().and_then(|secret| tree::map(secret, field));
            for entry in values.into_iter().flat_map(Map::entries) {
                places.push(["secrets", &secret.key, field, &entry.key].map(str::to_owned));
            }
        }
    }
    places
}

/// A copy in which the key at `place` stands last in its map.
fn with_last(root: &Map, [secrets, secret, field, key]: &[String; 4]) -> Map {
    let mut copy = root.duplicate();
    let mut map = &mut copy;
    for step in ["spec", secrets, secret, field] {
        let Some(document::Value::Map(inner)) = map.get_mut(step).map(|node| &mut node.value) else {
            return root.duplicate();
        };
        map = inner;
    }
    map.items.sort_by_key(|item| matches!(item, Item::Entry(entry) if *entry.key == **key));
    copy
}

fn binding(spec: &Map) -> Result<Binding, Refusal> {
    match spec.get("binding").map(|node| &node.value) {
        Some(document::Value::Str(text)) => Binding::parse(text),
        _ => Binding::parse(&SecretBytes::default()),
    }
}

/// The Secrets from their decrypted values, as long as they are not too large together.
pub(crate) fn built(spec: &EncryptedSecretSpec, opened: &Map, id: &ResourceId) -> Result<Vec<DesiredSecret>, Refusal> {
    let mut secrets = Vec::new();
    let mut size = 0;
    for (name, entry) in &spec.secrets {
        let secret = build(name, entry, opened, id)?;
        size += secret.size();
        if size > names::RESOURCE_LIMIT {
            let what = format!("the values of its Secrets are larger than {} bytes together", names::RESOURCE_LIMIT);
            return Err(Refusal::new(Reason::TemplateFailed, what).hint("several resources in place of one"));
        }
        secrets.push(secret);
    }
    Ok(secrets)
}

/// One Secret from its decrypted values.
fn build(name: &str, entry: &SecretEntry, spec: &Map, id: &ResourceId) -> Result<DesiredSecret, Refusal> {
    let place = tree::map(spec, "secrets").and_then(|secrets| tree::map(secrets, name));
    let place = place.expect("the tree has what the types were read from");
    let invalid = |key: &str, what: &str| Refusal::new(Reason::InvalidSecret, format!("Secret {name}: {key} {what}"));
    let mut secret = DesiredSecret {
        namespace: id.namespace.clone(),
        name: name.to_owned(),
        type_: entry.type_.clone().unwrap_or_else(|| OPAQUE.to_owned()),
        immutable: entry.immutable.unwrap_or(false),
        labels: entry.labels.clone(),
        annotations: entry.annotations.clone(),
        ..DesiredSecret::default()
    };
    for field in ["data", "stringData"] {
        for value in tree::map(place, field).into_iter().flat_map(Map::entries) {
            let document::Value::Str(text) = &value.value.value else {
                return Err(invalid(&value.key, "is a number or truth value; as a Secret it is text, in quotes"));
            };
            let bytes = match field {
                "data" => decode(text).ok_or_else(|| invalid(&value.key, "is not base64, which data holds"))?,
                _ => text.duplicate(),
            };
            secret.data.insert(value.key.to_string(), bytes);
        }
    }
    let mut left = names::SECRET_LIMIT;
    let mut made = Vec::new();
    for (key, text) in &entry.template {
        let filled = template::fill(text, |key| secret.data.get(key), left)
            .map_err(|error| Refusal::new(Reason::TemplateFailed, format!("Secret {name}, template {key}: {error}")))?;
        left -= filled.len();
        made.push((key.clone(), filled));
    }
    secret.data.extend(made);
    Ok(secret)
}

/// HMAC-SHA256 under the data key: equal for equal content of one file, and no oracle for who reads the status.
fn content_hash(key: &DataKey, secrets: &[DesiredSecret]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    let mut part = |bytes: &[u8]| {
        mac.update(&(bytes.len() as u64).to_be_bytes());
        mac.update(bytes);
    };
    for secret in secrets {
        part(secret.name.as_bytes());
        part(secret.type_.as_bytes());
        for (key, value) in &secret.data {
            part(key.as_bytes());
            part(value.expose());
        }
        part(b"");
    }
    hex(&mac.finalize().into_bytes())
}

/// The end of the recipient that a key at hand belongs to.
pub(crate) fn key_id(metadata: &sops::Metadata, keys: &Keys, namespace: &str) -> Option<String> {
    let ring = keys.for_namespace(namespace);
    let is_current =
        |recipient: &&str| keys.current().is_some_and(|current| ::keys::same_recipient(recipient, current));
    let mut own: Vec<&str> = metadata.recipients().filter(|recipient| ring.has_recipient(recipient)).collect();
    // The one that is tried first.
    own.sort_by_key(|recipient| !is_current(recipient));
    let own = own.first()?;
    Some(own.get(own.len().saturating_sub(8)..)?.to_owned())
}
