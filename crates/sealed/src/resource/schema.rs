//! The CustomResourceDefinition, generated from the types: what an API server can check, it checks.
//!
//! Plaintext where ciphertext belongs is refused by a pattern; every map and every text has a limit; nothing in the
//! spec has a default, since a default would change what the shape was computed over.

use std::borrow::Cow;

use kube::CustomResourceExt as _;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{Ciphertext, EncryptedSecret};

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

/// The CustomResourceDefinition as an API server takes it.
pub fn definition() -> Value {
    let mut definition = serde_json::to_value(EncryptedSecret::crd()).expect("a definition is always JSON");
    let root = "/spec/versions/0/schema/openAPIV3Schema";
    let schema = definition.pointer_mut(root).expect("kube puts the schema there");
    bounded(schema);
    let spec = schema.pointer_mut("/properties/spec").expect("the field exists");
    spec["required"] = json!(["binding", "secrets"]);
    spec["x-kubernetes-validations"] = json!([{
        "rule": "!has(self.suspendUntil) || (has(self.suspend) && self.suspend)",
        "message": "suspendUntil needs suspend: true",
    }]);
    definition
}

/// The same as YAML text, with a head that says where it comes from.
pub fn definition_yaml() -> String {
    let Value::Object(members) = definition() else { unreachable!("a definition is an object") };
    let mut root = document::Map::default();
    members.iter().for_each(|(key, value)| root.push(key, crate::tree::from_json(value)));
    let text = crate::manifest::yaml(root).expect("a definition holds nothing that YAML cannot");
    let text = text.expose_str().expect("YAML is text");
    format!("# Generated from the types in crates/sealed/src/resource.rs by `plomb-controller crd`.\n{text}")
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
