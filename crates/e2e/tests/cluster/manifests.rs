//! The overlays and the chart: the API server takes every object, the pod keeps to PodSecurity `restricted`, and the
//! chart gives what kustomize gives.

use crate::installation::{cluster, deploy, kustomized, objects};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::cluster::resource_path;
use testkit::{Outcome, Peer, Scratch, peer};

/// An overlay, and the chart's values that mean the same.
const OVERLAYS: [(&str, &[&str]); 4] = [
    ("cluster", &[]),
    ("no-watch", &["profile=no-watch"]),
    ("ha", &["replicas=2"]),
    ("namespaced", &["watchNamespaces={apps}"]),
];

#[test]
fn the_api_server_takes_every_overlay() {
    let test = "cluster-overlays";
    let Some(server) = cluster(test) else { return };
    for (overlay, _) in OVERLAYS {
        let yaml = kustomized(server, &format!("overlays/{overlay}"));
        let words = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
        let applied = server.kubectl_stdin(words, yaml);
        assert!(applied.ok(), "{overlay}: {}", applied.errors());
        assert!(!applied.errors().contains("Warning"), "{overlay}: {}", applied.errors());
        let kinds = objects(&kustomized(server, &format!("overlays/{overlay}")));
        let is_wide = |it: &Value| it["kind"].as_str().is_some_and(|kind| kind.starts_with("Cluster"));
        assert_eq!(kinds.iter().any(is_wide), overlay != "namespaced", "{overlay}");
    }
    peer::peer_test_ran(test);
}

#[test]
fn the_pod_keeps_to_the_restricted_standard() {
    let test = "cluster-pod-security";
    let Some(server) = cluster(test) else { return };
    let all = objects(&kustomized(server, "overlays/ha"));
    let deployment = all.iter().find(|it| it["kind"] == "Deployment").unwrap();
    let template = &deployment["spec"]["template"];
    let pod = json!({"metadata": {"name": "try", "labels": template["metadata"]["labels"]}, "spec": template["spec"]});
    let path = resource_path("v1", "pods", "plomb-system", "") + "?dryRun=All&fieldValidation=Strict";
    let reply = server.create(&path, &pod);
    assert!(reply.ok(), "{}", reply.message());
    // The namespace does enforce it.
    let mut loose = pod.clone();
    loose["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
    let reply = server.create(&path, &loose);
    assert!(reply.status == 403 && reply.message().contains("restricted"), "{}", reply.message());
    peer::peer_test_ran(test);
}

#[test]
fn the_chart_gives_what_kustomize_gives() {
    let test = "cluster-chart";
    let Some([helm]) = peer::require(test, [Peer::Helm]) else { return };
    let Some(server) = cluster(test) else { return };
    let scratch = Scratch::new(test);
    for (overlay, values) in OVERLAYS {
        let mut set: Vec<&str> = values.iter().flat_map(|value| ["--set", value]).collect();
        // A namespaced installation owns nothing cluster-scoped: neither definition nor namespace.
        if overlay != "namespaced" {
            set.extend(["--include-crds", "--set", "createNamespace=true"]);
        }
        let rendered = template(&scratch, &helm, &set);
        assert!(rendered.ok(), "{overlay}: {}", rendered.errors());
        let ours = in_substance(objects(&rendered.text()));
        let theirs = in_substance(objects(&kustomized(server, &format!("overlays/{overlay}"))));
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{overlay}");
        for (name, object) in &ours {
            assert_eq!(object, &theirs[name], "{overlay}: {name}");
        }
        let words = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
        let applied = server.kubectl_stdin(words, rendered.text());
        assert!(applied.ok(), "{overlay}: {}", applied.errors());
    }
    peer::peer_test_ran(test);
}

#[test]
fn the_chart_refuses_values_that_mean_nothing() {
    let test = "cluster-chart-values";
    let Some([helm]) = peer::require(test, [Peer::Helm]) else { return };
    let scratch = Scratch::new(test);
    let refused = [
        ("replica=2", "replica"),
        ("profile=fast", "profile"),
        ("replicas=0", "replicas"),
        ("recoveryRecipients={AGE-SECRET-KEY-1}", "recoveryRecipients"),
        ("watchNamespaces={Not_A_Name}", "watchNamespaces"),
        ("keyRenewal=soon", "keyRenewal"),
    ];
    for (value, part) in refused {
        let rendered = template(&scratch, &helm, &["--set", value]);
        assert!(!rendered.ok() && rendered.errors().contains(part), "{value}: {}", rendered.errors());
    }
    let all = "image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef,\
               kinds={encryptedsecret,sealedsecret},keyRenewal=30d,keyKind=hybrid,bootstrap=wait,\
               recoveryRecipients={age1qqq,ssh-ed25519 AAAAC3Nz},extraArgs={--log-level=debug}";
    let rendered = template(&scratch, &helm, &["--set", all]);
    assert!(rendered.ok(), "{}", rendered.errors());
    for part in [
        "plomb-controller@sha256:",
        "--kinds=encryptedsecret,sealedsecret",
        "--key-renewal=30d",
        "--key-kind=hybrid",
        "--bootstrap=wait",
        "--recovery-recipient=age1qqq",
        "\"--recovery-recipient=ssh-ed25519 AAAAC3Nz\"",
        "--log-level=debug",
    ] {
        assert!(rendered.text().contains(part), "{part}");
    }
    peer::peer_test_ran(test);
}

fn template(scratch: &Scratch, helm: &std::path::Path, words: &[&str]) -> Outcome {
    let run = scratch.command(helm).args(["template", "plomb", "--namespace", "plomb-system"]);
    run.arg(deploy("chart/plomb-controller")).args(words).run()
}

/// Objects by kind, namespace and name, without the labels by which each tool marks its own.
fn in_substance(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let mut by_name = BTreeMap::new();
    for mut object in objects {
        let labels = ["/metadata/labels", "/spec/template/metadata/labels"];
        for place in labels {
            if let Some(labels) = object.pointer_mut(place).and_then(Value::as_object_mut) {
                for mark in ["instance", "managed-by", "version"] {
                    labels.remove(&format!("app.kubernetes.io/{mark}"));
                }
            }
        }
        // Rules of a role mean the same in any order.
        if let Some(rules) = object.get_mut("rules").and_then(Value::as_array_mut) {
            rules.sort_by_key(Value::to_string);
        }
        let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        let name = format!("{} {}/{}", object["kind"].as_str().unwrap(), part("namespace"), part("name"));
        assert!(by_name.insert(name.clone(), object).is_none(), "{name} is there twice");
    }
    by_name
}
