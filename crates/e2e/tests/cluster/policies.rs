//! The optional ValidatingAdmissionPolicies, in force on a real API server.

use crate::installation::{cluster, install, objects};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::cluster::{Reply, eventually, resource_path};
use testkit::{ApiServer, fixtures, peer};

const CIPHERTEXT: &str = "ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]";

#[test]
fn ciphertext_and_plaintext_are_refused_where_they_do_not_belong() {
    let test = "cluster-policies";
    let Some(server) = cluster(test) else { return };
    let space = server.namespace("policies");
    install(server, "policies");
    // A policy is in force some seconds after it was made; each kind has its own.
    let bad = [secret("raw", CIPHERTEXT), sops_secret("plain", "hunter2"), sealed_secret("plain", "aHVudGVyMg==")];
    for object in &bad {
        let refused = || Some(create(server, &space, object, true)).filter(|reply| reply.status == 422);
        let reply = eventually(Duration::from_secs(60), refused).expect("the policy comes into force");
        let said = reply.message();
        assert!(said.contains("plomb-no-") && !said.contains("hunter2"), "{said}");
    }
    let said = create(server, &space, &bad[0], true).message();
    assert!(said.contains("data.password is ciphertext of SOPS"), "{said}");
    // As `data`, and as a change of a Secret that is there.
    let secrets = resource_path("v1", "secrets", &space, "");
    assert!(server.create(&secrets, &secret("good", "ENC is a word")).ok());
    let patch = json!({"data": {"more": "RU5DW0FFUzI1Nl9HQ00sZGF0YTo="}});
    assert_eq!(server.merge(&resource_path("v1", "secrets", &space, "good"), &patch).status, 422);
    // What is right passes.
    for object in [sops_secret("sealed", CIPHERTEXT), sealed_secret("sealed", &"A".repeat(368)), fixture()] {
        let reply = create(server, &space, &object, false);
        assert!(reply.ok(), "{}", reply.message());
    }
    peer::peer_test_ran(test);
}

fn create(server: &ApiServer, space: &str, object: &Value, dry: bool) -> Reply {
    let (version, plural) = match object["kind"].as_str() {
        Some("SopsSecret") => ("isindir.github.com/v1alpha3", "sopssecrets"),
        Some("SealedSecret") => ("bitnami.com/v1alpha1", "sealedsecrets"),
        _ => ("v1", "secrets"),
    };
    let path = resource_path(version, plural, space, "");
    server.create(&if dry { format!("{path}?dryRun=All") } else { path }, object)
}

fn secret(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": value}})
}

fn sops_secret(name: &str, value: &str) -> Value {
    let template = json!({"name": name, "stringData": {"password": value, "empty": ""}});
    json!({"apiVersion": "isindir.github.com/v1alpha3", "kind": "SopsSecret", "metadata": {"name": name},
           "spec": {"secretTemplates": [template]}})
}

fn sealed_secret(name: &str, value: &str) -> Value {
    json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": name},
           "spec": {"encryptedData": {"password": value}}})
}

/// One that the real kubeseal made.
fn fixture() -> Value {
    let file = fixtures::folder("sealed-secrets").join("db.strict.sealed.yaml");
    let mut object = objects(&std::fs::read_to_string(file).unwrap()).remove(0);
    object["metadata"] = json!({"name": "real"});
    object
}
