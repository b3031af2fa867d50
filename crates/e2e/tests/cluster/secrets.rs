//! From a sealed resource to its Secret and back to nothing: bytes, conditions, events, drift, changes, deletion.

use crate::controller::{SOON, events, put, ready, running, sealed, secret, wait_ready, wait_reason};
use crate::installation::{objects, prod};
use crate::make::{Workshop, map};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testkit::cluster::eventually;
use testkit::{ApiServer, Peer, Scratch, fixtures, peer};

#[test]
fn a_cluster_makes_what_render_makes() {
    let test = "controller-as-rendered";
    let Some((server, _)) = running(test) else { return };
    let Some([program]) = peer::require(test, [Peer::Controller]) else { return };
    let scratch = Scratch::new(test);
    let _prod = prod();
    for name in ["strict.yaml", "cluster.yaml", "namespace.yaml", "template.yaml", "edited-by-sops.yaml"] {
        let file = fixtures::folder("resources/opens").join(name);
        let identity = fixtures::folder("keys/identities/k1.txt");
        let rendered = scratch.command(&program).args(["render", "--identity"]).arg(identity).arg(&file).run();
        assert!(rendered.ok(), "{name}: {}", rendered.errors());
        let resource = objects(&std::fs::read_to_string(&file).unwrap()).remove(0);
        let (space, own) =
            (resource["metadata"]["namespace"].as_str().unwrap(), resource["metadata"]["name"].as_str().unwrap());
        put(server, &resource);
        wait_ready(server, &sealed(space, own));
        let wanted = objects(&rendered.text());
        for wanted in &wanted {
            let live = server.get(&secret(space, wanted["metadata"]["name"].as_str().unwrap())).json();
            assert_eq!(live["data"], wanted["data"], "{name}");
            assert_eq!(live["type"], wanted["type"], "{name}");
            for (key, value) in wanted["metadata"]["labels"].as_object().into_iter().flatten() {
                assert_eq!(&live["metadata"]["labels"][key], value, "{name}");
            }
        }
        let status = server.get(&sealed(space, own)).json()["status"].clone();
        assert_eq!(status["secretCount"], wanted.len(), "{name}: {status}");
        assert_eq!(status["keyId"].as_str().map(str::len), Some(8), "{name}: {status}");
        clear(server, space, own, &wanted);
    }
    peer::peer_test_ran(test);
}

/// Deletes a resource and waits until the garbage collector took its Secrets.
fn clear(server: &ApiServer, space: &str, name: &str, secrets: &[Value]) {
    assert!(server.delete(&sealed(space, name)).ok());
    for gone in secrets {
        let path = secret(space, gone["metadata"]["name"].as_str().unwrap());
        let found = eventually(SOON, || (server.get(&path).status == 404).then_some(()));
        assert!(found.is_some(), "{path} outlives its resource");
    }
}

#[test]
fn what_leaves_the_resource_leaves_the_secret() {
    let test = "controller-leaves";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("leaves");
    let workshop = Workshop::new(test);
    let first = json!({"metadata": {"name": "db", "labels": {"team": "a", "tier": "gold"}},
        "stringData": {"user": "app", "password": "x"}});
    put(server, &workshop.resource_of(&space, "db", &first));
    wait_ready(server, &sealed(&space, "db"));
    let path = secret(&space, "db");
    assert!(server.merge(&path, &json!({"metadata": {"labels": {"theirs": "stays"}}})).ok());
    // The second change is made to a Secret that was created, the third to one that was applied.
    for (team, values) in [("b", json!({"password": "y"})), ("c", json!({"token": "z"}))] {
        let next = json!({"metadata": {"name": "db", "labels": {"team": team}}, "stringData": values});
        put(server, &workshop.resource_of(&space, "db", &next));
        wait_ready(server, &sealed(&space, "db"));
        let live = server.get(&path).json();
        let labels = &live["metadata"]["labels"];
        assert_eq!((&labels["team"], &labels["theirs"]), (&json!(team), &json!("stays")), "{labels}");
        assert!(labels["tier"].is_null(), "{labels}");
        let keys = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&live["data"]), keys(&values));
        let entries = live["metadata"]["managedFields"].as_array().unwrap().iter();
        let ours: Vec<&Value> = entries.filter(|entry| entry["manager"] == "plomb-controller").collect();
        assert!(ours.len() == 1 && ours[0]["operation"] == "Apply", "{ours:?}");
    }
    peer::peer_test_ran(test);
}

#[test]
fn drift_is_put_right_and_a_lost_secret_comes_back() {
    let test = "controller-drift";
    let Some((server, controller)) = running(test) else { return };
    let space = server.namespace("drift");
    let workshop = Workshop::new(test);
    put(server, &workshop.resource(&space, "db", &[("password", "right"), ("user", "app")]));
    wait_ready(server, &sealed(&space, "db"));
    let path = secret(&space, "db");
    let wanted = server.get(&path).json()["data"].clone();
    let reverted = controller.metric("plomb_drift_reverted_total");
    let changes = [
        json!({"data": {"password": "d3Jvbmc="}}),
        json!({"data": {"extra": "eA=="}}),
        json!({"data": {"user": null}}),
    ];
    for change in &changes {
        assert!(server.merge(&path, change).ok());
        let right = eventually(SOON, || (server.get(&path).json()["data"] == wanted).then_some(()));
        assert!(right.is_some(), "{change}: {}", server.get(&path).text());
    }
    assert!(server.delete(&path).ok());
    let back = eventually(SOON, || (server.get(&path).json()["data"] == wanted).then_some(()));
    assert!(back.is_some(), "the Secret comes back");
    // Two changes that meet in one look are put right at once, and counted once.
    let counted =
        eventually(SOON, || (controller.metric("plomb_drift_reverted_total") >= reverted + 3.0).then_some(()));
    assert!(counted.is_some(), "{}", controller.get("/metrics"));
    // Reported, not reverted, where the resource says so.
    let spec = json!({"policy": {"drift": "Report"}});
    let plain = json!({"metadata": {"name": "watched"}, "stringData": {"password": "right"}});
    put(server, &workshop.resource_with(&space, "watched", &[plain], &spec));
    wait_ready(server, &sealed(&space, "watched"));
    assert!(server.merge(&secret(&space, "watched"), &changes[0]).ok());
    wait_reason(server, &sealed(&space, "watched"), "Drifted");
    assert_eq!(server.get(&secret(&space, "watched")).json()["data"]["password"], "d3Jvbmc=");
    peer::peer_test_ran(test);
}

#[test]
fn changes_reach_the_secret_and_what_is_gone_goes() {
    let test = "controller-changes";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("changes");
    let workshop = Workshop::new(test);
    let plain = |name: &str, value: &str| json!({"metadata": {"name": name}, "stringData": {"password": value}});
    let both = [plain("one", "first"), plain("two", "second")];
    put(server, &workshop.resource_with(&space, "pair", &both, &json!({})));
    wait_ready(server, &sealed(&space, "pair"));
    let first = server.get(&secret(&space, "one")).json();
    // A new value, and a Secret that is named no more.
    put(server, &workshop.resource_with(&space, "pair", &[plain("one", "changed")], &json!({})));
    wait_ready(server, &sealed(&space, "pair"));
    let second = server.get(&secret(&space, "one")).json();
    assert_eq!(value(&second, "password"), "changed");
    assert_eq!(second["metadata"]["uid"], first["metadata"]["uid"], "changed in place");
    assert_eq!(server.get(&secret(&space, "two")).status, 404);
    let told = events(server, &space, "pair");
    assert!(told.iter().any(|(type_, reason, _)| type_ == "Normal" && reason == "Synced"), "{told:?}");
    // Whoever looks again without a change writes nothing.
    let asked = json!({"metadata": {"annotations": {"plomb.dev/reconcile-at": "now"}}});
    assert!(server.merge(&sealed(&space, "pair"), &asked).ok());
    let path = sealed(&space, "pair");
    let handled =
        eventually(SOON, || (server.get(&path).json()["status"]["lastHandledReconcileAt"] == "now").then_some(()));
    assert!(handled.is_some(), "{}", server.get(&path).text());
    let third = server.get(&secret(&space, "one")).json();
    assert_eq!(third["metadata"]["resourceVersion"], second["metadata"]["resourceVersion"]);
    peer::peer_test_ran(test);
}

#[test]
fn an_orphan_stays_and_everything_else_is_collected() {
    let test = "controller-deletion";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("deletion");
    let workshop = Workshop::new(test);
    put(server, &workshop.resource(&space, "owned", &[("password", "x")]));
    let plain = json!({"metadata": {"name": "kept"}, "stringData": {"password": "x"}});
    put(server, &workshop.resource_with(&space, "kept", &[plain], &json!({"policy": {"deletion": "Orphan"}})));
    for name in ["owned", "kept"] {
        wait_ready(server, &sealed(&space, name));
        assert!(server.delete(&sealed(&space, name)).ok());
        // No finalizer holds it.
        let gone = eventually(SOON, || (server.get(&sealed(&space, name)).status == 404).then_some(()));
        assert!(gone.is_some(), "{name} does not go");
    }
    let gone = eventually(SOON, || (server.get(&secret(&space, "owned")).status == 404).then_some(()));
    assert!(gone.is_some(), "the garbage collector takes what is owned");
    assert_eq!(server.get(&secret(&space, "kept")).status, 200);
    // A whole namespace goes without anything stuck.
    put(server, &workshop.resource(&space, "last", &[("password", "x")]));
    wait_ready(server, &sealed(&space, "last"));
    assert!(server.delete(&format!("/api/v1/namespaces/{space}")).ok());
    let gone = eventually(SOON, || (server.get(&format!("/api/v1/namespaces/{space}")).status == 404).then_some(()));
    assert!(gone.is_some(), "{}", server.get(&format!("/api/v1/namespaces/{space}")).text());
    peer::peer_test_ran(test);
}

#[test]
fn suspended_means_left_alone() {
    let test = "controller-suspend";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("suspend");
    let workshop = Workshop::new(test);
    let mut resource = workshop.resource(&space, "db", &[("password", "right")]);
    put(server, &resource);
    wait_ready(server, &sealed(&space, "db"));
    resource["spec"]["suspend"] = json!(true);
    put(server, &resource);
    let state = wait_reason(server, &sealed(&space, "db"), "Suspended");
    assert_eq!(state["status"], "Unknown", "{state}");
    assert!(server.merge(&secret(&space, "db"), &json!({"data": {"password": "d3Jvbmc="}})).ok());
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(server.get(&secret(&space, "db")).json()["data"]["password"], "d3Jvbmc=", "a person may work on it");
    resource["spec"]["suspend"] = json!(false);
    put(server, &resource);
    wait_ready(server, &sealed(&space, "db"));
    let right =
        eventually(SOON, || (value(&server.get(&secret(&space, "db")).json(), "password") == "right").then_some(()));
    assert!(right.is_some());
    // Until a time: it goes on by itself.
    let until = server.scratch().command("date").args(["-u", "-d", "+4 seconds", "+%Y-%m-%dT%H:%M:%SZ"]).run();
    resource["spec"]["suspend"] = json!(true);
    resource["spec"]["suspendUntil"] = json!(until.text().trim());
    put(server, &resource);
    wait_reason(server, &sealed(&space, "db"), "Suspended");
    wait_ready(server, &sealed(&space, "db"));
    assert!(ready(server, &sealed(&space, "db")).is_some());
    peer::peer_test_ran(test);
}

/// No value shows up where it does not belong: log, conditions, events, metrics.
#[test]
fn values_are_nowhere_but_in_the_secret() {
    let test = "controller-silence";
    let Some((server, controller)) = running(test) else { return };
    let space = server.namespace("silence");
    let workshop = Workshop::new(test);
    let canary = "canary-4f1c-value-in-clear";
    let object = workshop.resource(&space, "db", &[("password", canary)]);
    put(server, &object);
    wait_ready(server, &sealed(&space, "db"));
    // The API server refuses this one for its own reasons, and quotes what it refuses.
    let tls = json!({"metadata": {"name": "tls"}, "type": "kubernetes.io/tls",
                     "stringData": map(&[("tls.crt", canary), ("tls.key", canary)])});
    put(server, &workshop.resource_of(&space, "tls", &tls));
    let told = eventually(SOON, || ready(server, &sealed(&space, "tls")));
    let mut places = vec![controller.daemon.said(), controller.get("/metrics"), told.unwrap_or_default().to_string()];
    places.push(server.get(&sealed(&space, "db")).text());
    places.extend(events(server, &space, "tls").into_iter().map(|event| format!("{event:?}")));
    let coded = STANDARD.encode(canary);
    for place in &places {
        assert!(!place.contains(canary) && !place.contains(&coded), "{place}");
    }
    let log = controller.daemon.said();
    let audited = log.lines().any(|line| line.contains("audit") && line.contains(&space) && line.contains("decrypted"));
    assert!(audited, "an audit line per decryption");
    let is_json = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object());
    assert!(log.lines().all(is_json), "JSON lines only: {log}");
    peer::peer_test_ran(test);
}

/// A value of a Secret as text.
fn value(secret: &Value, key: &str) -> String {
    let bytes = STANDARD.decode(secret["data"][key].as_str().unwrap_or_default()).expect("it is base64");
    String::from_utf8(bytes).expect("it is text")
}
