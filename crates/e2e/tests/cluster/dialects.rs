//! Resources of the other projects: made by the real kubeseal and the real sops, opened by the controller.

use crate::controller::{OWN, SOON, events, put_at, running, secret};
use crate::installation::{objects, prod};
use serde_json::{Value, json};
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, Peer, Scratch, fixtures, peer};

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
    unsupported_template(server);
    peer::peer_test_ran(test);
}

/// A template may not look into the controller's surroundings.
fn unsupported_template(server: &ApiServer) {
    let file = fixtures::folder("sealed-secrets").join("db.cluster-wide.sealed.yaml");
    let mut resource = objects(&std::fs::read_to_string(file).unwrap()).remove(0);
    let space = server.namespace("templates");
    resource["metadata"]["name"] = json!("template");
    resource["metadata"]["namespace"] = json!(space);
    resource["spec"]["template"]["data"] = json!({"home": "{{ env \"HOME\" }}"});
    put_at(server, "sealedsecrets", &resource);
    let of = |event: &(String, String, String)| event.1 == "TemplateUnsupported";
    let told = eventually(SOON, || events(server, &space, "template").into_iter().find(of));
    assert!(told.is_some(), "{:?}", events(server, &space, "template"));
    assert_eq!(server.get(&secret(&space, "template")).status, 404);
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
    let Some([sops]) = peer::require(test, [Peer::Sops]) else { return };
    let scratch = Scratch::new(test);
    for name in ["mac-only-encrypted.yaml", "suffix.yaml", "regex.yaml", "regex.json"] {
        let file = fixtures::folder("sops-secrets").join(name);
        let key = fixtures::folder("keys/identities/k1.txt");
        let plain = scratch.command(&sops).arg("decrypt").arg(&file).env("SOPS_AGE_KEY_FILE", key).run();
        assert!(plain.ok(), "{name}: {}", plain.errors());
        let wanted = templates(&objects(&plain.text())[0]);
        assert_eq!(wanted.len(), 3, "{name}");
        let mut resource = objects(&std::fs::read_to_string(&file).unwrap()).remove(0);
        let space = server.namespace("sops-secret");
        resource["metadata"]["namespace"] = json!(space);
        put_at(server, "sopssecrets", &resource);
        let (_, own) = place(&resource);
        let path = resource_path(ISINDIR, "sopssecrets", &space, &own);
        let listed = || {
            let secrets = server.get(&secret(&space, "")).json();
            let made = secrets["items"].as_array()?.iter().map(content).collect::<Vec<_>>();
            Some(made).filter(|made| made.len() == wanted.len())
        };
        let made = eventually(SOON, listed);
        let made =
            made.unwrap_or_else(|| panic!("{name}: {} {:?}", server.get(&path).text(), events(server, &space, &own)));
        assert_eq!(made, wanted, "{name}");
        let healthy = || (server.get(&path).json()["status"]["message"] == "Healthy").then_some(());
        assert!(eventually(SOON, healthy).is_some(), "{name}: {}", server.get(&path).text());
    }
    peer::peer_test_ran(test);
}

/// The Secrets that a decrypted SopsSecret describes, by name, as [`content`] gives live ones.
fn templates(plain: &Value) -> Vec<Value> {
    use base64::Engine as _;
    let coded = |value: &Value| json!(base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap()));
    let of = |template: &Value| {
        let mut data = template["data"].as_object().cloned().unwrap_or_default();
        let texts = template["stringData"].as_object().into_iter().flatten();
        data.extend(texts.map(|(key, value)| (key.clone(), coded(value))));
        let type_ = template["type"].as_str().unwrap_or("Opaque");
        let (labels, annotations) = (&template["labels"], &template["annotations"]);
        json!({"name": template["name"], "type": type_, "data": data, "labels": labels, "annotations": annotations})
    };
    let mut all: Vec<Value> = plain["spec"]["secretTemplates"].as_array().unwrap().iter().map(of).collect();
    all.sort_by_key(|it| it["name"].to_string());
    all
}

/// Name, type, values and marks of a live Secret, without the marks that are ours.
fn content(live: &Value) -> Value {
    let without = |field: &str, own: &str| {
        let mut marks = live["metadata"][field].clone();
        marks.as_object_mut().unwrap().remove(own);
        if marks == json!({}) { json!(null) } else { marks }
    };
    let (labels, annotations) = (without("labels", "plomb.dev/managed"), without("annotations", "plomb.dev/source"));
    json!({"name": live["metadata"]["name"], "type": live["type"], "data": live["data"], "labels": labels, "annotations": annotations})
}
