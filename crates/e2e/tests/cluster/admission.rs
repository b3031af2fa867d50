//! All or nothing on a real API server: what somebody refuses there leaves the last good Secrets as they were.

use crate::controller::{SOON, put, ready, running, sealed, secret, wait_ready, wait_reason};
use crate::installation::install;
use crate::make::Workshop;
use crate::scripted::world;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::cluster::{Fault, Rule, eventually};
use testkit::{ApiServer, peer};

/// What the shipped policy refuses in a Secret, in base64.
const REFUSED: &str = "RU5DW0FFUzI1Nl9HQ00sZGF0YTo=";

fn plain(name: &str, value: &str) -> Value {
    json!({"metadata": {"name": name}, "stringData": {"password": value}})
}

fn immutable(name: &str, value: &str) -> Value {
    json!({"metadata": {"name": name}, "immutable": true, "stringData": {"password": value}})
}

/// The same as [`plain`] with a value that the policy refuses.
fn refused(name: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"password": REFUSED}})
}

/// Waits for the refusal; it names the policy, and nothing of what it refused.
fn wait_denied(server: &ApiServer, path: &str) {
    let state = wait_reason(server, path, "AdmissionDenied");
    let message = state["message"].as_str().unwrap();
    let named = message.contains("ValidatingAdmissionPolicy plomb-no-ciphertext-in-secrets");
    assert!(named && !message.contains("AES256") && !message.contains("()"), "{message}");
}

#[test]
fn what_a_policy_refuses_changes_no_secret_of_the_resource() {
    let test = "controller-admission";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("admission");
    install(server, "policies");
    let mut probe = refused("probe");
    (probe["apiVersion"], probe["kind"]) = (json!("v1"), json!("Secret"));
    let in_force =
        || (server.create(&format!("{}?dryRun=All", secret(&space, "")), &probe).status == 422).then_some(());
    assert!(eventually(Duration::from_secs(60), in_force).is_some(), "the policy comes into force");
    let workshop = Workshop::new(test);
    let live = |name: &str| server.get(&secret(&space, name)).json();
    let none = json!({});
    // A change of two, of which the second is refused; and a third that would go.
    let first = [plain("aa", "v1"), plain("gone", "v1"), plain("zz", "v1")];
    put(server, &workshop.resource_with(&space, "pair", &first, &none));
    wait_ready(server, &sealed(&space, "pair"));
    let before = ["aa", "gone", "zz"].map(live);
    put(server, &workshop.resource_with(&space, "pair", &[plain("aa", "v2"), refused("zz")], &none));
    wait_denied(server, &sealed(&space, "pair"));
    assert_eq!(["aa", "gone", "zz"].map(live), before);
    put(server, &workshop.resource_with(&space, "pair", &[plain("aa", "v2"), plain("zz", "v2")], &none));
    wait_ready(server, &sealed(&space, "pair"));
    assert_eq!([live("aa"), live("zz")].map(|live| live["data"]["password"].clone()), ["djI=", "djI="]);
    assert_eq!(server.get(&secret(&space, "gone")).status, 404);
    // Two that are new.
    put(server, &workshop.resource_with(&space, "fresh", &[plain("new-aa", "v1"), refused("new-zz")], &none));
    wait_denied(server, &sealed(&space, "fresh"));
    assert_eq!(server.get(&secret(&space, "new-aa")).status, 404);
    // One that would be deleted first.
    let recreate = json!({"policy": {"immutable": "Recreate"}});
    put(server, &workshop.resource_with(&space, "fixed", &[immutable("fixed", "v1")], &recreate));
    wait_ready(server, &sealed(&space, "fixed"));
    let before = live("fixed");
    let mut bad = refused("fixed");
    bad["immutable"] = json!(true);
    put(server, &workshop.resource_with(&space, "fixed", &[bad], &recreate));
    wait_denied(server, &sealed(&space, "fixed"));
    assert_eq!(live("fixed"), before);
    put(server, &workshop.resource_with(&space, "fixed", &[immutable("fixed", "v2")], &recreate));
    wait_ready(server, &sealed(&space, "fixed"));
    assert_eq!(live("fixed")["data"]["password"], "djI=");
    peer::peer_test_ran(test);
}

#[test]
fn only_what_is_more_than_one_write_is_rehearsed() {
    let test = "controller-rehearsal";
    let Some((server, faults, _)) = world(test) else { return };
    let space = server.namespace("rehearsal");
    let workshop = Workshop::new(test);
    let path = format!("/api/v1/namespaces/{space}/secrets");
    let rehearsed = || faults.count("POST PATCH DELETE", &[&path, "dryRun"]);
    for value in ["v1", "v2", "v3"] {
        put(server, &workshop.resource(&space, "one", &[("password", value)]));
        wait_ready(server, &sealed(&space, "one"));
    }
    assert_eq!(rehearsed(), 0, "the ordinary case takes no request more");
    // A role without the right to create.
    let recreate = json!({"policy": {"immutable": "Recreate"}});
    let of = |value: &str| workshop.resource_with(&space, "fixed", &[immutable("fixed", value)], &recreate);
    put(server, &of("v1"));
    wait_ready(server, &sealed(&space, "fixed"));
    let before = server.get(&secret(&space, "fixed")).json();
    faults.add(Rule::always("POST", &[&path], Fault::Status(403)));
    put(server, &of("v2"));
    wait_reason(server, &sealed(&space, "fixed"), "Forbidden");
    assert_eq!(server.get(&secret(&space, "fixed")).json(), before, "what is there stays");
    assert!(rehearsed() > 0);
    faults.clear(&path);
    wait_ready(server, &sealed(&space, "fixed"));
    assert_eq!(server.get(&secret(&space, "fixed")).json()["data"]["password"], "djI=");
    peer::peer_test_ran(test);
}

#[test]
fn whoever_changes_a_secret_back_each_time_is_told_of_and_waited_for() {
    let test = "controller-feud";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("feud");
    let workshop = Workshop::new(test);
    put(server, &workshop.resource(&space, "db", &[("password", "right")]));
    wait_ready(server, &sealed(&space, "db"));
    let path = secret(&space, "db");
    let right = server.get(&path).json()["data"].clone();
    let is_told = || ready(server, &sealed(&space, "db")).filter(|state| state["reason"] == "Conflict");
    let mut told = None;
    for _ in 0..30 {
        assert!(server.merge(&path, &json!({"data": {"password": "d3Jvbmc="}})).ok());
        let put_right = eventually(SOON, || (server.get(&path).json()["data"] == right).then_some(()));
        assert!(put_right.is_some(), "it is put right, if late");
        told = eventually(Duration::from_millis(500), is_told);
        if told.is_some() {
            break;
        }
    }
    let told = told.expect("it is told");
    assert_eq!(told["status"], "False");
    assert!(told["message"].as_str().unwrap().contains("somebody changes db back"), "{told}");
    // A change of the resource is not held up, and peace is noticed.
    put(server, &workshop.resource(&space, "db", &[("password", "v2")]));
    wait_ready(server, &sealed(&space, "db"));
    assert_eq!(server.get(&path).json()["data"]["password"], "djI=");
    peer::peer_test_ran(test);
}
