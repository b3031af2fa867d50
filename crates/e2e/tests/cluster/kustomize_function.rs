//! `plomb-controller` as an exec function of the real kustomize, and as a plugin of the one inside kubectl, which
//! starts no exec functions.

use crate::installation::objects;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::path::Path;
use testkit::{Outcome, Peer, Run, Scratch, fixtures, peer};

#[test]
fn kustomize_renders_sealed_resources() {
    let test = "cluster-kustomize-function";
    let wanted = [Peer::Controller, Peer::Kustomize, Peer::Kubectl];
    let Some([controller, kustomize, kubectl]) = peer::require(test, wanted) else { return };
    let scratch = Scratch::new(test);
    let sealed = std::fs::read(fixtures::folder("resources/opens/strict.yaml")).unwrap();
    overlay(&scratch, &controller, &sealed);
    let function = ["build", "--enable-alpha-plugins", "--enable-exec", "."];
    looks_right(&scratch, &controller, &build(&scratch, &kustomize, &function).run());
    // Without a key the build fails, and says which resource and why.
    let other = fixtures::folder("keys/identities/k2.txt");
    let refused = build(&scratch, &kustomize, &function).env("SOPS_AGE_KEY_FILE", other).run();
    assert!(!refused.ok() && refused.errors().contains("KeyNotFound"), "{}", refused.errors());
    // The older form: a program at a place that the kind of the configuration names; it is given the file's name.
    let plugins = scratch.path("plugins");
    let script = format!("#!/bin/sh\nexec '{}' render -\n", controller.display());
    let plugin = scratch.write("plugins/plomb.dev/v1alpha1/render/Render", script);
    std::fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    scratch.write("render.yaml", "apiVersion: plomb.dev/v1alpha1\nkind: Render\nmetadata: {name: render}\n");
    let words = ["kustomize", "--enable-alpha-plugins", "."];
    looks_right(&scratch, &controller, &build(&scratch, &kubectl, &words).env("KUSTOMIZE_PLUGIN_HOME", plugins).run());
    peer::peer_test_ran(test);
}

fn looks_right(scratch: &Scratch, controller: &Path, built: &Outcome) {
    assert!(built.ok(), "{}", built.errors());
    let all = objects(&built.text());
    let secret = |name: &str| all.iter().find(|it| it["kind"] == "Secret" && it["metadata"]["name"] == name);
    let db = secret("db").expect("the Secret is there");
    assert_eq!(db["metadata"]["namespace"], "prod");
    assert_eq!(value(db, "password"), expected(scratch, controller, "db", "password"));
    assert!(secret("db-admin").is_some() && secret("pull").is_some());
    assert!(!built.text().contains("EncryptedSecret"), "the sealed resource gave way");
    assert!(all.iter().any(|it| it["kind"] == "ConfigMap"), "everything else goes through");
}

fn overlay(scratch: &Scratch, controller: &Path, sealed: &[u8]) {
    scratch.write("shop.secret.yaml", sealed);
    scratch.write("settings.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: prod}}\n");
    let function = format!(
        "apiVersion: plomb.dev/v1alpha1\nkind: Render\nmetadata:\n  name: render\n  annotations:\n    \
         config.kubernetes.io/function: |\n      exec:\n        path: {}\n",
        controller.display()
    );
    scratch.write("render.yaml", function);
    let resources = "resources: [shop.secret.yaml, settings.yaml]\ntransformers: [render.yaml]\n";
    scratch.write("kustomization.yaml", resources);
}

fn build(scratch: &Scratch, program: &Path, words: &[&str]) -> Run {
    scratch.command(program).args(words).env("SOPS_AGE_KEY_FILE", fixtures::folder("keys/identities/k1.txt"))
}

/// What `render` itself makes of the file.
fn expected(scratch: &Scratch, controller: &Path, name: &str, key: &str) -> String {
    let key_file = fixtures::folder("keys/identities/k1.txt");
    let rendered: Outcome =
        scratch.command(controller).args(["render", "--identity"]).arg(key_file).arg("shop.secret.yaml").run();
    let all = objects(&rendered.text());
    value(all.iter().find(|it| it["metadata"]["name"] == name).expect("it renders"), key)
}

fn value(secret: &Value, key: &str) -> String {
    let bytes = STANDARD.decode(secret["data"][key].as_str().expect("the key is there")).expect("it is base64");
    String::from_utf8(bytes).expect("it is text")
}
