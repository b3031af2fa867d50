//! Where a sealed file may be used: namespace, name and shape, encrypted inside the file.
//!
//! SOPS ciphertext alone can be replayed anywhere. The binding is an encrypted value like the others (the MAC covers
//! it, the data key is the file's own), so only somebody who can open the file can change it.

use secret::SecretBytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::manifest::ResourceId;
use crate::reason::{Reason, Refusal};
use crate::resource::{EncryptedSecretSpec, Policy, SecretEntry};

/// How far a file may travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Only under its namespace and name.
    #[default]
    Strict,
    /// Under any name in its namespace.
    Namespace,
    /// Anywhere in any cluster whose key opens it.
    Cluster,
}

impl Scope {
    /// The word in bindings, flags and status.
    pub fn word(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Namespace => "namespace",
            Self::Cluster => "cluster",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Strict, Self::Namespace, Self::Cluster].into_iter().find(|scope| scope.word() == word)
    }
}

/// The plaintext of `spec.binding`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// Name of the resource; only in strict scope. Fields stand in the order of RFC 8785.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace; not in cluster scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// How far the file may travel.
    pub scope: Scope,
    /// Digest of everything in clear that decides what the Secrets look like.
    pub shape: String,
    /// Version of this format: 1.
    pub v: u32,
}

impl Binding {
    /// The binding of a resource in `scope`.
    pub fn new(scope: Scope, namespace: &str, name: &str, spec: &EncryptedSecretSpec) -> Self {
        Self {
            name: (scope == Scope::Strict).then(|| name.to_owned()),
            namespace: (scope != Scope::Cluster).then(|| namespace.to_owned()),
            scope,
            shape: shape(spec),
            v: 1,
        }
    }

    /// The text to be encrypted.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a struct of strings is always JSON")
    }

    /// Reads a decrypted binding.
    ///
    /// # Errors
    /// [`Reason::BindingMismatch`] for what is no binding, or one of a later version.
    pub fn parse(text: &SecretBytes) -> Result<Self, Refusal> {
        let unread = || Refusal::new(Reason::BindingMismatch, "the binding is not one that this version reads");
        let binding: Self = serde_json::from_slice(text.expose()).map_err(|_| unread())?;
        let fits = match binding.scope {
            Scope::Strict => binding.name.is_some() && binding.namespace.is_some(),
            Scope::Namespace => binding.name.is_none() && binding.namespace.is_some(),
            Scope::Cluster => binding.name.is_none() && binding.namespace.is_none(),
        };
        if binding.v == 1 && fits { Ok(binding) } else { Err(unread()) }
    }

    /// Whether the file may be used as the resource `id`.
    ///
    /// # Errors
    /// [`Reason::BindingMismatch`] with what is expected.
    pub fn check_place(&self, id: &ResourceId) -> Result<(), Refusal> {
        let namespace = self.namespace.as_deref().is_none_or(|namespace| namespace == id.namespace);
        let name = self.name.as_deref().is_none_or(|name| name == id.name);
        if namespace && name {
            return Ok(());
        }
        let bound = match (&self.namespace, &self.name) {
            (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
            (Some(namespace), None) => format!("namespace {namespace}"),
            _ => "nothing".to_owned(),
        };
        let message = format!("the file is bound to {bound} and was used as {}/{}", id.namespace, id.name);
        Err(Refusal::new(Reason::BindingMismatch, message).hint("plomb bind --move FILE, if it is to live here"))
    }

    /// Whether the clear parts are those that were sealed.
    ///
    /// # Errors
    /// [`Reason::ShapeMismatch`].
    pub fn check_shape(&self, spec: &EncryptedSecretSpec) -> Result<(), Refusal> {
        if self.shape == shape(spec) {
            return Ok(());
        }
        let message = "names, types, labels, key names, templates or policy differ from what was sealed";
        Err(Refusal::new(Reason::ShapeMismatch, message).hint("plomb bind FILE, if the change is yours"))
    }
}

/// What the shape is computed from.
#[derive(Serialize)]
struct Shape<'a> {
    policy: Option<&'a Policy>,
    secrets: serde_json::Map<String, serde_json::Value>,
}

/// `sha256:` and the digest of the canonical JSON (RFC 8785) of policy and Secrets without ciphertext. Absent and
/// empty are the same.
pub fn shape(spec: &EncryptedSecretSpec) -> String {
    let secrets = spec.secrets.iter().map(|(name, entry)| (name.clone(), entry_shape(entry))).collect();
    let policy = spec.policy.as_ref().filter(|policy| !policy.is_default());
    let shape = serde_json::to_value(Shape { policy, secrets }).expect("structs of strings are always JSON");
    let mut text = String::new();
    canonical(&shape, &mut text);
    format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())))
}

fn entry_shape(entry: &SecretEntry) -> serde_json::Value {
    let mut clear = SecretEntry { data: Default::default(), string_data: Default::default(), ..entry.clone() };
    clear.type_ = clear.type_.filter(|type_| type_ != crate::resource::OPAQUE);
    clear.immutable = clear.immutable.filter(|immutable| *immutable);
    let mut shape = serde_json::to_value(clear).expect("a struct of strings is always JSON");
    for (field, keys) in [("data", &entry.data), ("stringData", &entry.string_data)] {
        if !keys.is_empty() {
            shape[field] = keys.keys().cloned().collect::<Vec<_>>().into();
        }
    }
    shape
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 8785 for what a shape holds: members sorted by UTF-16 code units, no blanks; null members left out.
pub(crate) fn canonical(value: &serde_json::Value, out: &mut String) {
    use serde_json::Value as V;
    match value {
        V::Object(map) => {
            let mut members: Vec<_> = map.iter().filter(|(_, value)| !value.is_null()).collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                canonical(&V::String(key.clone()), out);
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        V::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> EncryptedSecretSpec {
        serde_json::from_str(text).unwrap()
    }

    const PLAIN: &str = r#"{"binding":"","secrets":{"a":{"stringData":{"k":"","j":""}}}}"#;

    #[test]
    fn the_canonical_form_is_that_of_the_rfc() {
        let value = serde_json::json!({"\u{20ac}": "\u{1f}\"\\\n\u{e9}", "\r": [true, 1], "\u{1f600}": null, "1": {}});
        let mut text = String::new();
        canonical(&value, &mut text);
        assert_eq!(text, "{\"\\r\":[true,1],\"1\":{},\"\u{20ac}\":\"\\u001f\\\"\\\\\\n\u{e9}\"}");
        // U+FB33 sorts behind a surrogate pair by code point, before it by UTF-16 code unit.
        text.clear();
        canonical(&serde_json::json!({"\u{fb33}": 1, "\u{1f600}": 2}), &mut text);
        assert_eq!(text, "{\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn absent_and_default_are_the_same_shape() {
        let explicit = r#"{"secrets":{"a":{"type":"Opaque","immutable":false,"labels":{},"stringData":{"j":"x","k":""}}},
                           "policy":{"conflict":"Fail"},"suspend":true,"interval":"1h"}"#;
        assert_eq!(shape(&spec(PLAIN)), shape(&spec(explicit)));
    }

    #[test]
    fn everything_in_clear_that_decides_counts() {
        let changed = [
            r#"{"secrets":{"b":{"stringData":{"k":"","j":""}}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":""}}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":"","i":""}}}}"#,
            r#"{"secrets":{"a":{"data":{"k":"","j":""}}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""},"type":"x"}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""},"immutable":true}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""},"labels":{"a":"b"}}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""},"annotations":{"a":"b"}}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""},"template":{"t":"${k}"}}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""}},"b":{}}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""}}},"policy":{"conflict":"Adopt"}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""}}},"policy":{"deletion":"Orphan"}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""}}},"policy":{"immutable":"Recreate"}}"#,
            r#"{"secrets":{"a":{"stringData":{"k":"","j":""}}},"policy":{"drift":"Report"}}"#,
        ];
        let mut shapes: Vec<_> = changed.iter().map(|text| shape(&spec(text))).collect();
        shapes.push(shape(&spec(PLAIN)));
        shapes.sort();
        shapes.dedup();
        assert_eq!(shapes.len(), changed.len() + 1);
    }

    #[test]
    fn a_binding_survives_and_holds_only_in_its_place() {
        let id =
            |namespace: &str, name: &str| ResourceId::new("plomb.dev/v1alpha1", "EncryptedSecret", namespace, name);
        for (scope, other_name, other_namespace) in
            [(Scope::Strict, false, false), (Scope::Namespace, true, false), (Scope::Cluster, true, true)]
        {
            let binding = Binding::new(scope, "prod", "db", &spec(PLAIN));
            let again = Binding::parse(&SecretBytes::from(binding.text())).unwrap();
            assert_eq!(again, binding);
            assert!(again.check_place(&id("prod", "db")).is_ok());
            assert_eq!(again.check_place(&id("prod", "x")).is_ok(), other_name);
            assert_eq!(again.check_place(&id("x", "db")).is_ok(), other_namespace);
        }
        for broken in ["", "{}", r#"{"scope":"strict","shape":"","v":1}"#, r#"{"scope":"cluster","shape":"","v":2}"#] {
            let refused = Binding::parse(&SecretBytes::from(broken)).unwrap_err();
            assert_eq!(refused.reason, Reason::BindingMismatch);
        }
    }
}
