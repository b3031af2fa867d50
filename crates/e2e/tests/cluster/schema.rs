//! The definition on a real API server: it is served, takes what opens, and refuses what should never get in.

use crate::installation::{cluster, deploy, objects};
use serde_json::{Value, json};
use std::path::Path;
use testkit::cluster::resource_path;
use testkit::{fixtures, peer};

const VERSION: &str = "plomb.dev/v1alpha1";

/// A file of `fixtures/resources/refused` that the API server itself refuses, and part of what it says.
const REFUSED: [(&str, &str); 6] = [
    ("Plaintext.not-encrypted.yaml", "sops: Required value"),
    ("Plaintext.value-in-clear.yaml", "should match '^$|^ENC"),
    ("SelectorMismatch.other-regex.yaml", "sops.encrypted_regex"),
    ("SelectorMismatch.whole-mac.yaml", "sops.mac_only_encrypted"),
    ("BindingMismatch.removed-binding.yaml", "spec.binding: Required value"),
    ("InvalidFormat.unknown-field.yaml", "unknown field"),
];

#[test]
fn the_definition_is_served_with_its_columns() {
    let test = "cluster-definition";
    let Some(server) = cluster(test) else { return };
    let definition = server.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/encryptedsecrets.plomb.dev");
    let conditions = definition.json()["status"]["conditions"].clone();
    for wanted in ["NamesAccepted", "Established"] {
        let found = conditions.as_array().unwrap().iter().find(|it| it["type"] == wanted);
        assert_eq!(found.unwrap()["status"], "True", "{conditions}");
    }
    // An unfit structural schema is served all the same, with this condition.
    assert!(!conditions.to_string().contains("NonStructuralSchema"), "{conditions}");
    let space = server.namespace("columns");
    assert!(server.create(&collection(&space), &strict(&space)).ok());
    let listed = server.kubectl(["get", "esec", "--namespace", &space]).text();
    let head: Vec<_> = listed.lines().next().unwrap_or_default().split_whitespace().collect();
    assert_eq!(head, ["NAME", "READY", "REASON", "SECRETS", "KEY", "AGE"], "{listed}");
    let by_category = server.kubectl(["get", "all-secrets", "--namespace", &space]).text();
    assert!(by_category.contains("shop"), "{by_category}");
    peer::peer_test_ran(test);
}

#[test]
fn what_opens_is_taken_and_kept_as_it_is() {
    let test = "cluster-schema-takes";
    let Some(server) = cluster(test) else { return };
    for file in files("opens") {
        let space = server.namespace("takes");
        let object = read(&file, &space);
        let reply = server.create(&strictly(&collection(&space)), &object);
        assert!(reply.ok(), "{}: {}", file.display(), reply.message());
        let name = object["metadata"]["name"].as_str().unwrap();
        let kept = server.get(&resource_path(VERSION, "encryptedsecrets", &space, name)).json();
        for part in ["sops", "spec"] {
            assert_eq!(kept[part], object[part], "{}: {part} was changed", file.display());
        }
    }
    peer::peer_test_ran(test);
}

#[test]
fn what_is_not_sealed_is_refused_at_the_door() {
    let test = "cluster-schema-refuses";
    let Some(server) = cluster(test) else { return };
    let space = server.namespace("refuses");
    for (name, part) in REFUSED {
        let file = fixtures::folder("resources/refused").join(name);
        let reply = server.create(&strictly(&collection(&space)), &read(&file, &space));
        let said = reply.message();
        assert!(!reply.ok() && said.contains(part), "{name}: {} {said}", reply.status);
        assert!(!said.contains("hunter2"), "{name}: the value is in the refusal: {said}");
    }
    for (change, part) in changes() {
        let mut object = strict(&space);
        merge(&mut object, change.clone());
        let reply = server.create(&strictly(&collection(&space)), &object);
        let said = reply.message();
        assert!(reply.status == 422 && said.contains(part), "{change}: {} {said}", reply.status);
    }
    peer::peer_test_ran(test);
}

/// Changes to a good resource, each of which the schema or a rule in it refuses.
fn changes() -> Vec<(Value, &'static str)> {
    let many: Value =
        (0..33).map(|it| (format!("s{it}"), json!({"type": "Opaque"}))).collect::<serde_json::Map<_, _>>().into();
    vec![
        (json!({"spec": {"suspendUntil": "2030-01-01T00:00:00Z"}}), "suspendUntil needs suspend"),
        (json!({"spec": {"policy": {"conflict": "Steal"}}}), "spec.policy.conflict"),
        (json!({"spec": {"interval": "soon"}}), "spec.interval"),
        (json!({"spec": {"binding": "e30="}}), "spec.binding"),
        (json!({"spec": {"secrets": {"db": {"data": {"blob": "aGVsbG8="}}}}}), "spec.secrets.db.data.blob"),
        (json!({"spec": {"secrets": many}}), "spec.secrets"),
        (json!({"sops": {"mac": "none"}}), "sops.mac"),
        (json!({"sops": {"lastmodified": null}}), "sops.lastmodified"),
    ]
}

/// The parts of the definition that users meet first lie in the committed file, too.
#[test]
fn the_committed_definition_is_the_installed_one() {
    let test = "cluster-definition-committed";
    let Some(server) = cluster(test) else { return };
    let committed = std::fs::read_to_string(deploy("crd/crd.yaml")).unwrap();
    for definition in objects(&committed) {
        let name = definition["metadata"]["name"].as_str().unwrap();
        let found = server.get(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")).json();
        assert_eq!(found["spec"]["versions"], definition["spec"]["versions"], "{name}: the API server changed it");
    }
    peer::peer_test_ran(test);
}

fn files(folder: &str) -> Vec<std::path::PathBuf> {
    fixtures::files_below(&fixtures::folder("resources").join(folder))
}

fn collection(space: &str) -> String {
    resource_path(VERSION, "encryptedsecrets", space, "")
}

fn strictly(path: &str) -> String {
    format!("{path}?fieldValidation=Strict")
}

fn strict(space: &str) -> Value {
    read(&fixtures::folder("resources/opens/strict.yaml"), space)
}

/// A resource as kubectl would send it, in another namespace.
fn read(file: &Path, space: &str) -> Value {
    let mut object = objects(&std::fs::read_to_string(file).unwrap()).remove(0);
    object["metadata"] = json!({"name": object["metadata"]["name"], "namespace": space});
    object.as_object_mut().unwrap().remove("status");
    object
}

fn merge(object: &mut Value, change: Value) {
    match (object, change) {
        (Value::Object(object), Value::Object(change)) => {
            for (key, value) in change {
                if value.is_null() {
                    object.remove(&key);
                } else {
                    merge(object.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (object, change) => *object = change,
    }
}
