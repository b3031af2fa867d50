//! The CustomResourceDefinitions that come out of the types.

use sealed::resource::schema::{definition, definitions, definitions_yaml};
use serde_json::Value;

fn schema() -> Value {
    schema_of(&definition())
}

fn schema_of(definition: &Value) -> Value {
    definition.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap().clone()
}

/// Every schema below one, with its path.
fn each(schema: &Value, path: &str, see: &mut dyn FnMut(&str, &Value)) {
    see(path, schema);
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        each(inner, &format!("{path}.{key}"), see);
    }
    for key in ["additionalProperties", "items"] {
        if schema[key].is_object() {
            each(&schema[key], &format!("{path}[]"), see);
        }
    }
}

#[test]
fn they_are_structural_and_everything_is_bounded() {
    for (definition, fields) in definitions().iter().zip([40, 30, 15]) {
        let mut seen = 0;
        each(&schema_of(definition), "", &mut |path, schema| {
            seen += 1;
            let preserves = schema["x-kubernetes-preserve-unknown-fields"] == true;
            assert!(schema["type"].is_string() || preserves, "{path} has no type");
            assert!(schema.get("default").is_none(), "{path} has a default");
            assert_ne!(schema["additionalProperties"], false, "{path}");
            if schema["additionalProperties"].is_object() {
                assert!(schema["maxProperties"].is_u64(), "{path} is a map without limit");
            }
            if schema["type"] == "array" {
                assert!(schema["maxItems"].is_u64(), "{path} is a list without limit");
            }
            if schema["type"] == "string" && schema.get("enum").is_none() && schema.get("format").is_none() {
                assert!(schema["maxLength"].is_u64(), "{path} is a text without limit");
            }
            for banned in ["$ref", "definitions", "$defs", "oneOf", "patternProperties", "const"] {
                assert!(schema.get(banned).is_none(), "{path} has {banned}");
            }
        });
        assert!(seen > fields, "{seen}");
    }
}

#[test]
fn what_is_published_has_a_status_only() {
    let all = definitions();
    let names: Vec<_> = all.iter().map(|it| it["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["encryptedsecrets.plomb.dev", "clusterrecipients.plomb.dev", "rewraprequests.plomb.dev"]);
    let scopes: Vec<_> = all.iter().map(|it| it["spec"]["scope"].as_str().unwrap()).collect();
    assert_eq!(scopes, ["Namespaced", "Cluster", "Namespaced"]);
    let published = schema_of(&all[1]);
    let fields: Vec<_> = published["properties"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["status"]);
    for definition in &all {
        assert!(definition["spec"]["versions"][0]["subresources"]["status"].is_object());
    }
    let request = schema_of(&all[2]);
    assert_eq!(request["properties"]["spec"]["x-kubernetes-validations"][0]["rule"], "has(self.name) != has(self.object)");
}

#[test]
fn ciphertext_is_asked_for_where_it_belongs() {
    let mut places = Vec::new();
    each(&schema(), "", &mut |path, schema| {
        if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("ENC")) {
            places.push(path.to_owned());
        }
    });
    places.sort();
    let wanted = [".sops.mac", ".spec.binding", ".spec.secrets[].data[]", ".spec.secrets[].stringData[]"];
    assert_eq!(places, wanted);
}

#[test]
fn names_columns_and_status_are_there() {
    let definition = definition();
    let spec = &definition["spec"];
    assert_eq!(definition["metadata"]["name"], "encryptedsecrets.plomb.dev");
    assert_eq!(spec["scope"], "Namespaced");
    assert_eq!(spec["names"]["shortNames"], serde_json::json!(["esec"]));
    let version = &spec["versions"][0];
    assert!(version["subresources"]["status"].is_object());
    let columns: Vec<_> =
        version["additionalPrinterColumns"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(columns, ["Ready", "Reason", "Secrets", "Key", "Age", "Scope", "LastSync", "Message"]);
    assert_eq!(schema()["properties"]["spec"]["required"], serde_json::json!(["binding", "secrets"]));
    let conditions = &schema()["properties"]["status"]["properties"]["conditions"];
    assert_eq!(conditions["x-kubernetes-list-map-keys"], serde_json::json!(["type"]));
}

#[test]
fn the_text_is_yaml_that_says_the_same() {
    let text = definitions_yaml();
    let read = sealed::manifest::read(secret::SecretBytes::from(text.as_str()), "crd.yaml", "").unwrap();
    let again = read.iter().map(|it| serde_json::from_slice(it.to_json().unwrap().expose()).unwrap());
    assert_eq!(again.collect::<Vec<Value>>(), definitions());
}

#[test]
fn a_sealed_file_fits_the_types() {
    let me = crate::made::Person::new(1);
    let object = crate::made::api(&crate::made::file(&crate::made::draft(), &me));
    let typed: sealed::resource::EncryptedSecret = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(typed.spec.spec.secrets.len(), 2);
    let back = serde_json::to_vec(&typed).unwrap();
    let resource = sealed::Manifest::from_api(secret::SecretBytes::new(back)).unwrap();
    assert!(crate::made::plan(&resource, &me.keys()).is_ok(), "an object read through the types opens");
}
