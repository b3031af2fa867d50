//! SopsSecrets made by the real sops, all of fixtures/sops-secrets; as files and as an API server hands them back.

use keys::{Access, Keyring, parse_key_file};
use sealed::{Keys, Reason, open};
use secret::SecretBytes;
use serde_json::json;

use crate::made::{api, object, plan};

pub(crate) fn keys() -> Keys {
    let text = std::fs::read(testkit::fixtures::folder("keys/identities").join("k1.txt")).unwrap();
    let mut ring = Keyring::new();
    let identities = parse_key_file(&text, "k1", &Access::none()).unwrap();
    identities.into_iter().for_each(|identity| ring.add(identity, "k1"));
    Keys::new(ring)
}

fn files() -> Vec<(String, String)> {
    let files = testkit::fixtures::files_below(&testkit::fixtures::folder("sops-secrets"));
    let files = files.iter().filter(|path| path.extension().is_some_and(|end| end != "md"));
    files.map(|path| (path.to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())).collect()
}

fn check(opened: &sealed::Opened, name: &str) {
    let [bytes, db, pull] = opened.secrets.as_slice() else { panic!("{name}: {opened:?}") };
    assert_eq!((db.name.as_str(), db.type_.as_str(), db.namespace.as_str()), ("app-db", "Opaque", "prod"), "{name}");
    assert_eq!(db.data["password"].expose(), b"correct horse", "{name}");
    assert_eq!((db.labels["app"].as_str(), db.annotations["team"].as_str()), ("shop", "payments"), "{name}");
    assert_eq!(pull.type_, "kubernetes.io/dockerconfigjson", "{name}");
    assert_eq!(bytes.data["blob"].expose(), [0, 1, 2, 3, 255, 0, 128, 127, 127], "{name}");
}

#[test]
fn every_file_opens_as_a_file_and_as_an_object() {
    let files = files();
    assert_eq!(files.len(), 5);
    for (name, text) in files {
        let found = sealed::manifest::read(SecretBytes::from(text.as_str()), &name, "").unwrap();
        check(&open(&found[0], &keys()).unwrap(), &name);
        let mut live = api(&text);
        live["status"] = json!({"message": "Healthy"});
        check(&open(&object(&live), &keys()).unwrap(), &name);
        assert_eq!(open(&found[0], &Keys::default()).unwrap_err().reason, Reason::KeyNotFound);
    }
}

#[test]
fn a_changed_file_is_refused() {
    for (name, text) in files() {
        let mut found = api(&text);
        for added in ["uid", "generation", "resourceVersion", "creationTimestamp", "managedFields"] {
            found["metadata"].as_object_mut().unwrap().remove(added);
        }
        found["spec"]["secretTemplates"].as_array_mut().unwrap().swap(0, 1);
        let refusal = open(&object(&found), &keys()).unwrap_err();
        assert_eq!(refusal.reason, Reason::MacMismatch, "{name}");
    }
}

#[test]
fn suspension_holds() {
    let mut live = api(&files()[1].1);
    live["spec"]["suspend"] = json!(true);
    assert_eq!(plan(&object(&live), &keys()).unwrap_err().reason, Reason::Suspended);
}
