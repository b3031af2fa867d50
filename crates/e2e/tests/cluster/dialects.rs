//! Resources of the other projects: made by the real kubeseal and the real sops, opened by the controller.

use crate::controller::{OWN, SOON, events, put_at, running, secret};
use crate::installation::{objects, prod};
use serde_json::{Value, json};
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, fixtures, peer};

const BITNAMI: &str = "bitnami.com/v1alpha1";
const ISINDIR: &str = "isindir.github.com/v1alpha3";

#[test]
fn sealed_secrets_open_with_the_keys_they_were_sealed_to() {
    let test = "controller-sealed-secrets";
    let Some((server, _)) = running(test) else { return };
    for number in 1..=2 {
        add_tls_key(server, number);
    }
    let folder = fixtures::folder("sealed-secrets");
    let mut driven = 0;
    let _prod = prod();
    for file in fixtures::files_below(&folder) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.contains(".sealed.") {
            continue;
        }
        let resource = objects(&std::fs::read_to_string(&file).unwrap()).remove(0);
        let (space, own) = place(&resource);
        let _ = server.create("/api/v1/namespaces", &json!({"metadata": {"name": space}}));
        put_at(server, "sealedsecrets", &resource);
        if name.starts_with("negative.") {
            let told = eventually(SOON, || events(server, &space, &own).into_iter().find(|(of, ..)| of == "Warning"));
            assert!(told.is_some(), "{name}: no event");
            assert_eq!(server.get(&secret(&space, &own)).status, 404, "{name}");
        } else {
            // The Secret of a predecessor may come back for a moment, until the garbage collector has heard of its end.
            let wanted = plain(&name, &resource);
            let made = eventually(SOON, || {
                Some(server.get(&secret(&space, &own)).json()["data"].clone()).filter(|data| *data == wanted)
            });
            assert!(made.is_some(), "{name}: {}", {
                server.get(&resource_path(BITNAMI, "sealedsecrets", &space, &own)).text()
            });
        }
        assert!(server.delete(&resource_path(BITNAMI, "sealedsecrets", &space, &own)).ok());
        let gone = eventually(SOON, || (server.get(&secret(&space, &own)).status == 404).then_some(()));
        assert!(gone.is_some(), "{name}: its Secret stays");
        driven += 1;
    }
    assert!(driven >= 11, "{driven} files");
    peer::peer_test_ran(test);
}

/// What the file held before kubeseal: the Secret of the same first word, in base64.
fn plain(file: &str, resource: &Value) -> Value {
    let word = file.split('.').next().unwrap();
    let merged =
        if file.contains("merged") { "db.merged.unsealed.yaml".to_owned() } else { format!("{word}.secret.yaml") };
    let path = fixtures::folder("sealed-secrets").join(merged);
    let secret = objects(&std::fs::read_to_string(path).unwrap()).remove(0);
    let mut data = secret["data"].as_object().cloned().unwrap_or_default();
    // How that controller prints an empty value.
    data.values_mut().filter(|value| value.is_null()).for_each(|value| *value = json!(""));
    for (key, value) in secret["stringData"].as_object().into_iter().flatten() {
        use base64::Engine as _;
        let coded = base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap());
        data.insert(key.clone(), json!(coded));
    }
    let sealed = resource["spec"]["encryptedData"].as_object().unwrap();
    data.retain(|key, _| sealed.contains_key(key));
    data.into()
}

fn place(resource: &Value) -> (String, String) {
    let text = |name: &str| resource["metadata"][name].as_str().unwrap_or("default").to_owned();
    (text("namespace"), text("name"))
}

/// A key as the other controller stores it.
fn add_tls_key(server: &ApiServer, number: u32) {
    let body = std::fs::read_to_string(fixtures::folder("sealed-secrets").join(format!("key{number}.pkcs8.base64")));
    let kind = ["PRIVATE", "KEY"].join(" ");
    let pem = format!("-----BEGIN {kind}-----\n{}-----END {kind}-----\n", body.unwrap());
    let key = json!({
        "metadata": {"name": format!("sealed-secrets-key{number}"),
                     "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"}},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": "", "tls.key": pem},
    });
    let reply = server.create(&secret(OWN, ""), &key);
    assert!(reply.ok(), "{}", reply.message());
}

#[test]
fn sops_secrets_open_as_far_as_their_kind_can_hold_them() {
    let test = "controller-sops-secrets";
    let Some((server, _)) = running(test) else { return };
    let mut driven = 0;
    for name in ["mac-only-encrypted.yaml", "suffix.yaml", "regex.yaml"] {
        let file = fixtures::folder("sops-secrets").join(name);
        let mut resource = objects(&std::fs::read_to_string(&file).unwrap()).remove(0);
        let space = server.namespace("sops-secret");
        resource["metadata"]["namespace"] = json!(space);
        put_at(server, "sopssecrets", &resource);
        let (_, own) = place(&resource);
        let path = resource_path(ISINDIR, "sopssecrets", &space, &own);
        let listed = || {
            let secrets = server.get(&secret(&space, "")).json();
            Some(secrets["items"].as_array()?.len()).filter(|count| *count > 0)
        };
        let made = eventually(SOON, listed);
        assert!(made.is_some(), "{name}: {} {:?}", server.get(&path).text(), events(server, &space, &own));
        driven += 1;
    }
    assert_eq!(driven, 3);
    peer::peer_test_ran(test);
}
