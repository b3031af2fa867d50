//! The CustomResourceDefinitions, generated from the types: what an API server can check, it checks.
//!
//! Plaintext where ciphertext belongs is refused by a pattern; every map and every text has a limit; nothing in the
//! spec has a default, since a default would change what the shape was computed over.

use std::borrow::Cow;

use kube::CustomResourceExt as _;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{Ciphertext, EncryptedSecret};
use crate::custody::{ClusterRecipient, RewrapRequest};

/// Most characters of one encrypted value: one MiB in base64, encrypted, in base64 again.
const CIPHERTEXT_LIMIT: u64 = 2 << 20;
/// Most characters of any other text that has no limit of its own.
const TEXT_LIMIT: u64 = 64 << 10;
/// Most members of any other map that has no limit of its own.
const MAP_LIMIT: u64 = 512;

impl JsonSchema for Ciphertext {
    fn schema_name() -> Cow<'static, str> {
        "Ciphertext".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": CIPHERTEXT_LIMIT,
            "pattern": r"^$|^ENC\[AES256_GCM,",
        })
    }
}

/// The block of SOPS: what must be there is declared, the rest is kept as it is.
pub(crate) fn sops(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "description": "The metadata of SOPS: who can open the file, and its MAC.",
        "required": ["encrypted_regex", "lastmodified", "mac", "mac_only_encrypted", "version"],
        "properties": {
            "encrypted_regex": {"type": "string", "maxLength": 64, "pattern": r"^\^\(data\|stringData\|binding\)\$$"},
            "lastmodified": {"type": "string", "maxLength": 40},
            "mac": {"type": "string", "maxLength": 1024, "pattern": r"^ENC\[AES256_GCM,"},
            "mac_only_encrypted": {"type": "boolean", "enum": [true]},
            "version": {"type": "string", "maxLength": 32},
        },
        "x-kubernetes-preserve-unknown-fields": true,
    })
}

/// An object of any form, kept as it is.
pub(crate) fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// Every definition, as an API server takes them.
pub fn definitions() -> [Value; 3] {
    [definition(), cluster_recipient(), rewrap_request()]
}

/// A definition with everything bounded, and its schema to be changed.
fn bounded_definition(crd: &impl serde::Serialize, change: impl FnOnce(&mut Value)) -> Value {
    let mut definition = serde_json::to_value(crd).expect("a definition is always JSON");
    let root = "/spec/versions/0/schema/openAPIV3Schema";
    let schema = definition.pointer_mut(root).expect("kube puts the schema there");
    bounded(schema);
    change(schema);
    definition
}

fn cluster_recipient() -> Value {
    bounded_definition(&ClusterRecipient::crd(), |_| {})
}

fn rewrap_request() -> Value {
    bounded_definition(&RewrapRequest::crd(), |schema| {
        let spec = schema.pointer_mut("/properties/spec").expect("the field exists");
        spec["x-kubernetes-validations"] = json!([{
            "rule": "has(self.name) != has(self.object)",
            "message": "either name or object",
        }, {
            "rule": "self == oldSelf",
            "message": "a request is not changed; make another one",
        }]);
    })
}

/// The definition of EncryptedSecret.
pub fn definition() -> Value {
    bounded_definition(&EncryptedSecret::crd(), |schema| {
        let spec = schema.pointer_mut("/properties/spec").expect("the field exists");
        spec["required"] = json!(["binding", "secrets"]);
        spec["x-kubernetes-validations"] = json!([{
            "rule": "!has(self.suspendUntil) || (has(self.suspend) && self.suspend)",
            "message": "suspendUntil needs suspend: true",
        }]);
    })
}

/// All of them as YAML text, with a head that says where it comes from.
pub fn definitions_yaml() -> String {
    let text = |definition: &Value| {
        let document::Value::Map(root) = crate::tree::from_json(definition) else {
            unreachable!("a definition is an object")
        };
        let text = crate::manifest::yaml(root).expect("a definition holds nothing that YAML cannot");
        text.expose_str().expect("YAML is text").to_owned()
    };
    let texts = definitions().iter().map(text).collect::<Vec<_>>().join("---\n");
    format!("# Generated from the types in crates/sealed by `plomb-controller crd`.\n{texts}")
}

/// Takes out what structural schemas do not know and gives everything a limit.
fn bounded(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    members.remove("default");
    // Null is then dropped by the API server instead of kept.
    members.remove("nullable");
    if members.get("additionalProperties") == Some(&Value::Bool(false)) {
        members.remove("additionalProperties");
    }
    if members.contains_key("additionalProperties") {
        members.entry("maxProperties").or_insert(MAP_LIMIT.into());
    }
    let is_text = members.get("type") == Some(&json!("string"));
    if is_text && !members.contains_key("enum") && !members.contains_key("format") {
        members.entry("maxLength").or_insert(TEXT_LIMIT.into());
    }
    for (key, value) in members {
        match key.as_str() {
            "properties" => value.as_object_mut().into_iter().flat_map(|all| all.values_mut()).for_each(bounded),
            "additionalProperties" | "items" => bounded(value),
            _ => {}
        }
    }
}
