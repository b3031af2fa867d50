//! `EncryptedSecret`: a Kubernetes object that is itself a SOPS file.
//!
//! The types hold ciphertext and public parts only; plaintext never gets into them. Secrets stand in a map by name,
//! so that the name is part of every value's additional data and values cannot change places.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[cfg(feature = "crd")]
pub mod schema;

use crate::manifest::Manifest;
use crate::reason::{Reason, Refusal};
use crate::{names, tree};

/// Group and version.
pub const API_VERSION: &str = "plomb.dev/v1alpha1";
/// Kind.
pub const KIND: &str = "EncryptedSecret";
/// The one selector of an EncryptedSecret's file.
pub const ENCRYPTED_REGEX: &str = "^(data|stringData|binding)$";
/// The type of a Secret that names none.
pub const OPAQUE: &str = "Opaque";
/// Most Secrets in one resource.
pub const MAX_SECRETS: usize = 32;
/// Most keys in all Secrets of one resource.
pub const MAX_KEYS: usize = 512;

/// What stands beside `metadata` in the object.
#[allow(clippy::duplicated_attributes, reason = "every printcolumn has a type and a path of its own")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(kube::CustomResource, schemars::JsonSchema))]
#[cfg_attr(
    feature = "crd",
    kube(
        group = "plomb.dev",
        version = "v1alpha1",
        kind = "EncryptedSecret",
        doc = "Secrets, encrypted in a file of SOPS and bound to their place.",
        namespaced,
        no_spec,
        status = "crate::status::Status",
        shortname = "esec",
        category = "all-secrets",
        selectable = ".spec.suspend",
        printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
        printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
        printcolumn(name = "Secrets", type_ = "integer", json_path = ".status.secretCount"),
        printcolumn(name = "Key", type_ = "string", json_path = ".status.keyId"),
        printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
        printcolumn(name = "Scope", type_ = "string", json_path = ".status.scope", priority = 1),
        printcolumn(name = "LastSync", type_ = "date", json_path = ".status.lastSuccessTime", priority = 1),
        printcolumn(
            name = "Message",
            type_ = "string",
            json_path = ".status.conditions[?(@.type=='Ready')].message",
            priority = 1
        )
    )
)]
pub struct EncryptedSecretRoot {
    /// What is wanted.
    pub spec: EncryptedSecretSpec,
    /// The metadata of SOPS: who can open the file, and its MAC.
    #[cfg_attr(feature = "crd", schemars(schema_with = "schema::sops"))]
    pub sops: serde_json::Value,
}

/// The Secrets, encrypted, and how they are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptedSecretSpec {
    /// Leave the Secrets as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// When to go on by itself (RFC 3339); only with `suspend: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "crd", schemars(length(max = 40)))]
    pub suspend_until: Option<String>,
    /// How often the Secrets are compared even if nothing happened: 5m to 24h, such as `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "crd", schemars(length(max = 16), regex(pattern = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$")))]
    pub interval: Option<String>,
    /// Where the file may be used, encrypted; written by `plomb seal` and `plomb bind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Ciphertext>,
    /// What to do when the live Secrets are not as expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The Secrets by name.
    #[cfg_attr(feature = "crd", schemars(extend("minProperties" = 1, "maxProperties" = MAX_SECRETS)))]
    pub secrets: BTreeMap<String, SecretEntry>,
}

/// A value that is encrypted, or empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ciphertext(pub String);

/// One Secret. A key stands in only one of `data`, `stringData` and `template`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretEntry {
    /// Type of the Secret; `Opaque` if absent.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "crd", schemars(length(max = 253)))]
    pub type_: Option<String>,
    /// Whether the Secret is made immutable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,
    /// Labels of the Secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxProperties" = 64)))]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the Secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxProperties" = 64)))]
    pub annotations: BTreeMap<String, String>,
    /// Values that are text, encrypted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxProperties" = MAX_KEYS)))]
    pub string_data: BTreeMap<String, Ciphertext>,
    /// Values that are bytes: base64, encrypted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxProperties" = MAX_KEYS)))]
    pub data: BTreeMap<String, Ciphertext>,
    /// Values made of others: text in clear in which `${key}` stands for the decrypted value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "crd", schemars(extend("maxProperties" = 64)))]
    pub template: BTreeMap<String, String>,
}

/// What to do when the live Secrets are not as expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// A Secret of that name is there and belongs to nobody or somebody else.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conflict: Conflict,
    /// The resource is deleted, or no longer names a Secret.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deletion: Deletion,
    /// The live Secret is immutable or of another type, and differs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub immutable: Immutable,
    /// Somebody changed the live Secret.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drift: Drift,
}

impl Policy {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A Secret of that name is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
pub enum Conflict {
    /// Leave it and say so.
    #[default]
    Fail,
    /// Take it over, unless another controller owns it.
    Adopt,
    /// Put the keys beside those that are there.
    Merge,
}

/// The resource goes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
pub enum Deletion {
    /// The Secrets go too.
    #[default]
    Delete,
    /// The Secrets stay.
    Orphan,
}

/// The live Secret cannot be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
pub enum Immutable {
    /// Leave it and say so.
    #[default]
    Fail,
    /// Delete it and make it anew.
    Recreate,
}

/// The live Secret was changed by somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "crd", derive(schemars::JsonSchema))]
pub enum Drift {
    /// Change it back.
    #[default]
    Revert,
    /// Leave it and say so.
    Report,
}

impl EncryptedSecretSpec {
    /// Reads the spec of an object, and checks every name in clear.
    ///
    /// # Errors
    /// [`Reason::InvalidFormat`], [`Reason::ReservedName`], [`Reason::InvalidSecret`], naming the field.
    pub fn of(manifest: &Manifest) -> Result<Self, Refusal> {
        check_root(manifest)?;
        let spec = tree::map(&manifest.root, "spec").map(tree::to_json);
        let spec = spec.ok_or_else(|| Refusal::new(Reason::InvalidFormat, "there is no spec"))?;
        let spec: Self = serde_path_to_error::deserialize(spec).map_err(|error| unread(&error))?;
        spec.check()?;
        Ok(spec)
    }

    /// The policy, with the defaults where it says nothing.
    pub fn policy(&self) -> Policy {
        self.policy.unwrap_or_default()
    }

    /// `interval` in seconds: one hour if absent.
    ///
    /// # Errors
    /// [`Reason::InvalidFormat`] outside 5m to 24h.
    pub fn interval_seconds(&self) -> Result<u64, Refusal> {
        let bad =
            || Refusal::new(Reason::InvalidFormat, "spec.interval is not of the form 1h, 30m, between 5m and 24h");
        self.interval.as_deref().map_or(Ok(3600), |text| interval_seconds(text).ok_or_else(bad))
    }

    /// Whether the resource is to be left alone at `now`.
    ///
    /// # Errors
    /// [`Reason::InvalidFormat`] when `suspendUntil` is no time or stands without `suspend`.
    pub fn is_suspended(&self, now: sops::Timestamp) -> Result<bool, Refusal> {
        let suspend = self.suspend.unwrap_or(false);
        let Some(until) = &self.suspend_until else { return Ok(suspend) };
        let bad = |what: &str| Refusal::new(Reason::InvalidFormat, what);
        if !suspend {
            return Err(bad("spec.suspendUntil stands without suspend: true"));
        }
        let until = sops::Timestamp::parse(until).ok_or_else(|| bad("spec.suspendUntil is not a time (RFC 3339)"))?;
        Ok(now < until)
    }

    fn check(&self) -> Result<(), Refusal> {
        let keys: usize = self.secrets.values().map(|entry| entry.keys().count()).sum();
        if self.secrets.is_empty() || self.secrets.len() > MAX_SECRETS || keys > MAX_KEYS {
            let what = format!("a resource holds 1 to {MAX_SECRETS} Secrets with at most {MAX_KEYS} keys together");
            return Err(Refusal::new(Reason::InvalidFormat, what));
        }
        self.interval_seconds()?;
        self.secrets.iter().try_for_each(|(name, entry)| {
            refuse_reserved(name, "the name of a Secret")?;
            if !names::is_subdomain(name) {
                return Err(Refusal::new(Reason::InvalidSecret, format!("{name:?} is no name for a Secret")));
            }
            entry.check(name)
        })
    }
}

impl SecretEntry {
    /// Every key that the Secret will have.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.data.keys().chain(self.string_data.keys()).chain(self.template.keys())
    }

    fn check(&self, name: &str) -> Result<(), Refusal> {
        let invalid = |what: String| Refusal::new(Reason::InvalidSecret, format!("Secret {name}: {what}"));
        for key in self.labels.keys().chain(self.annotations.keys()).chain(self.template.keys()) {
            refuse_reserved(key, "a label, annotation or template key")?;
        }
        let mut seen = std::collections::BTreeSet::new();
        for key in self.keys() {
            if !names::is_data_key(key) {
                return Err(invalid(format!("{key:?} is no key for a Secret")));
            }
            if !seen.insert(key) {
                return Err(invalid(format!("the key {key} stands in more than one of data, stringData and template")));
            }
        }
        let label = self.labels.iter().find(|(key, value)| !names::is_qualified(key) || !names::is_label_value(value));
        if let Some((key, _)) = label {
            return Err(invalid(format!("the label {key:?} is not one that Kubernetes accepts")));
        }
        if let Some(key) = self.annotations.keys().find(|key| !names::is_qualified(key)) {
            return Err(invalid(format!("the annotation {key:?} is not one that Kubernetes accepts")));
        }
        let mark = self.labels.keys().chain(self.annotations.keys()).find(|key| names::is_ownership_mark(key));
        match mark {
            Some(mark) => Err(invalid(format!("{mark} says whose a Secret is: only a controller sets it"))),
            None => Ok(()),
        }
    }
}

/// Fields beside spec, sops, status and metadata do not exist; names in metadata must not be those of ciphertext.
fn check_root(manifest: &Manifest) -> Result<(), Refusal> {
    const FIELDS: [&str; 6] = ["apiVersion", "kind", "metadata", "spec", "sops", "status"];
    if let Some(entry) = manifest.root.entries().find(|entry| !FIELDS.contains(&&*entry.key)) {
        return Err(Refusal::new(Reason::InvalidFormat, format!("{} is not a field of an EncryptedSecret", entry.key)));
    }
    let metadata = tree::map(&manifest.root, "metadata");
    for field in ["labels", "annotations"] {
        for entry in metadata.and_then(|metadata| tree::map(metadata, field)).into_iter().flat_map(|map| map.entries())
        {
            refuse_reserved(&entry.key, "a label or annotation of the resource")?;
        }
    }
    Ok(())
}

fn refuse_reserved(name: &str, what: &str) -> Result<(), Refusal> {
    if !names::is_reserved(name) {
        return Ok(());
    }
    let message = format!("{what} is {name}: everything below such a key is ciphertext");
    Err(Refusal::new(Reason::ReservedName, message))
}

/// Says where the spec differs from its types. serde's own text may quote values, so only its kind is told.
fn unread(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let inner = error.inner().to_string();
    let field = inner.split('`').nth(1).filter(|name| name.len() <= 253).unwrap_or_default();
    let path = error.path().to_string();
    let what = match inner.as_str() {
        text if text.starts_with("unknown field") => format!("spec.{path} is not a field that exists"),
        text if text.starts_with("missing field") => format!("spec: at {path} the field {field} is missing"),
        text if text.starts_with("unknown variant") => format!("spec.{path} is not one of the words that it may be"),
        _ => format!("spec.{path} is of the wrong kind"),
    };
    Refusal::new(Reason::InvalidFormat, what)
}

/// What `spec.interval` says, if it says something that may be.
pub(crate) fn interval_seconds(text: &str) -> Option<u64> {
    seconds(text).filter(|seconds| (300..=86_400).contains(seconds))
}

/// `1h30m` in seconds.
fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut rest) = (0_u64, text);
    for (unit, factor) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((digits, after)) = rest.split_once(unit) {
            let number: u64 = digits.parse().ok()?;
            total = total.checked_add(number.checked_mul(factor)?)?;
            rest = after;
        }
    }
    (rest.is_empty() && !text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secret::SecretBytes;

    fn read(spec: &str) -> Result<EncryptedSecretSpec, Refusal> {
        let text = format!("apiVersion: {API_VERSION}\nkind: {KIND}\nmetadata: {{name: a}}\nspec: {spec}\n");
        EncryptedSecretSpec::of(&crate::manifest::read(SecretBytes::from(text), "a.yaml", "n").unwrap()[0])
    }

    #[test]
    fn a_spec_is_read() {
        let spec =
            read("{interval: 1h30m, binding: ENC, secrets: {a: {type: x, stringData: {k: v}, template: {t: x}}}}");
        let spec = spec.unwrap();
        assert_eq!(spec.interval_seconds(), Ok(5400));
        assert_eq!(spec.secrets["a"].keys().collect::<Vec<_>>(), ["k", "t"]);
        assert_eq!(spec.policy(), Policy::default());
    }

    #[test]
    fn what_is_wrong_is_named_and_values_are_not() {
        let cases = [
            ("{secrets: {a: {stringData: {k: [canary]}}}}", Reason::InvalidFormat, "spec.secrets.a.stringData.k"),
            ("{secrets: {a: {stringDate: {k: canary}}}}", Reason::InvalidFormat, "stringDate"),
            ("{secrets: {a: canary}}", Reason::InvalidFormat, "spec.secrets.a"),
            ("{binding: x}", Reason::InvalidFormat, "secrets is missing"),
            ("{policy: {drift: canary}, secrets: {a: {}}}", Reason::InvalidFormat, "spec.policy.drift"),
            ("{secrets: {}}", Reason::InvalidFormat, "1 to 32"),
            ("{interval: 1m, secrets: {a: {}}}", Reason::InvalidFormat, "interval"),
            ("{interval: canary, secrets: {a: {}}}", Reason::InvalidFormat, "interval"),
            ("{secrets: {data: {}}}", Reason::ReservedName, "name of a Secret is data"),
            ("{secrets: {a: {labels: {binding: x}}}}", Reason::ReservedName, "binding"),
            ("{secrets: {a: {template: {stringData: x}}}}", Reason::ReservedName, "stringData"),
            ("{secrets: {A: {}}}", Reason::InvalidSecret, "\"A\""),
            ("{secrets: {a: {data: {k: x}, stringData: {k: x}}}}", Reason::InvalidSecret, "more than one"),
            ("{secrets: {a: {data: {'k k': x}}}}", Reason::InvalidSecret, "k k"),
            ("{secrets: {a: {labels: {a: 'b c'}}}}", Reason::InvalidSecret, "label"),
            ("{secrets: {a: {labels: {plomb.dev/managed: 'true'}}}}", Reason::InvalidSecret, "plomb.dev/managed"),
            (
                "{secrets: {a: {annotations: {sealedsecrets.bitnami.com/managed: 'true'}}}}",
                Reason::InvalidSecret,
                "sealedsecrets.bitnami.com/managed says whose",
            ),
            (
                "{secrets: {a: {annotations: {sopssecret/managed: 'true'}}}}",
                Reason::InvalidSecret,
                "sopssecret/managed",
            ),
        ];
        for (spec, reason, part) in cases {
            let refusal = read(spec).unwrap_err();
            assert_eq!(refusal.reason, reason, "{spec}: {refusal}");
            assert!(refusal.message.contains(part), "{spec}: {refusal}");
            assert!(!refusal.to_string().contains("canary"), "{refusal}");
        }
    }

    #[test]
    fn suspension_ends_by_itself() {
        let now = sops::Timestamp::parse("2026-01-02T00:00:00Z").unwrap();
        let suspended = |text: &str| read(&format!("{{{text} secrets: {{a: {{}}}}}}")).unwrap().is_suspended(now);
        assert_eq!(suspended(""), Ok(false));
        assert_eq!(suspended("suspend: true,"), Ok(true));
        assert_eq!(suspended("suspend: true, suspendUntil: '2026-01-02T00:00:01Z',"), Ok(true));
        assert_eq!(suspended("suspend: true, suspendUntil: '2026-01-02T00:00:00Z',"), Ok(false));
        assert!(suspended("suspendUntil: '2026-01-02T00:00:01Z',").is_err());
        assert!(suspended("suspend: true, suspendUntil: soon,").is_err());
    }
}
