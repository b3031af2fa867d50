//! Good resources beside bad ones, and beside a namespace where everything takes long; and resources of which little is
//! held, since all was well.

use crate::controller::{SOON, put, ready, sealed, secret, wait_ready, wait_reason};
use crate::make::Workshop;
use crate::scripted::{watches, world};
use serde_json::json;
use std::time::Duration;
use testkit::cluster::{Fault, Rule, eventually};
use testkit::peer;

/// How many of the controller's 16 places one namespace may have.
const WIDTH: usize = 12;

#[test]
fn a_slow_namespace_holds_up_no_other() {
    let test = "controller-slow-namespace";
    let Some((server, faults, _)) = world(test) else { return };
    let workshop = Workshop::new(test);
    let (slow, space) = (server.namespace("slow"), server.namespace("beside-slow"));
    let names: Vec<String> = (0..40).map(|number| format!("slow-{number}")).collect();
    let made: Vec<_> = names.iter().map(|name| workshop.resource(&slow, name, &[("password", "x")])).collect();
    let good = workshop.resource(&space, "good", &[("password", "x")]);
    let _watches = watches();
    // As an admission webhook that hangs makes it.
    let path = format!("/api/v1/namespaces/{slow}/secrets");
    faults.add(Rule::always("POST", &[&path], Fault::Held));
    made.iter().for_each(|object| put(server, object));
    // As many as may hang at a time.
    let hang = || faults.count("POST", &[&path]);
    assert!(eventually(SOON, || (hang() >= WIDTH).then_some(())).is_some(), "{} hang", hang());
    put(server, &good);
    wait_ready(server, &sealed(&space, "good"));
    let waiting =
        names.iter().filter(|name| ready(server, &sealed(&slow, name)).is_none_or(|it| it["status"] != "True"));
    assert_eq!(waiting.count(), names.len(), "all of them still wait");
    faults.clear(&path);
    for name in &names {
        wait_ready(server, &sealed(&slow, name));
    }
    peer::peer_test_ran(test);
}

#[test]
fn what_was_well_is_read_again_before_anything_is_done() {
    let test = "controller-read-again";
    let Some((server, faults, controller)) = world(test) else { return };
    let workshop = Workshop::new(test);
    let space = server.namespace("read-again");
    put(server, &workshop.resource(&space, "db", &[("password", "x")]));
    wait_ready(server, &sealed(&space, "db"));
    let path = format!("/namespaces/{space}/encryptedsecrets/db");
    let reads = || faults.count("GET", &[&path]);
    // Its own Secret and its own status come back by the watch: nothing is read for that.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(reads(), 0, "nothing is read while nothing is to be done");
    faults.add(Rule::always("GET", &[&path], Fault::Status(403)));
    let theirs = json!({"data": {"password": "dGhlaXJz"}});
    assert!(server.merge(&secret(&space, "db"), &theirs).ok());
    let state = wait_reason(server, &sealed(&space, "db"), "Forbidden");
    assert_eq!(state["status"], "False", "{state}");
    faults.clear(&path);
    wait_ready(server, &sealed(&space, "db"));
    assert_eq!(server.get(&secret(&space, "db")).json()["data"]["password"], "eA==");
    // A resource that is gone by then is no failure.
    let errors = controller.metric("plomb_status_errors_total");
    assert!(server.delete(&sealed(&space, "db")).ok());
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(controller.metric("plomb_status_errors_total"), errors);
    peer::peer_test_ran(test);
}

#[test]
fn keys_that_were_merged_once_more_beside_a_deletion_are_given_back() {
    let test = "controller-late-merge";
    let Some((server, faults, _)) = world(test) else { return };
    let workshop = Workshop::new(test);
    let space = server.namespace("late-merge");
    let shared = secret(&space, "shared");
    let base = json!({"metadata": {"name": "shared"}, "stringData": {"base": "x"}});
    assert!(server.create(&secret(&space, ""), &base).ok());
    let plain = json!({"metadata": {"name": "shared"}, "stringData": {"akey": "a"}});
    let merges = workshop.resource_with(&space, "ma", &[plain], &json!({"policy": {"conflict": "Merge"}}));
    put(server, &merges);
    wait_ready(server, &sealed(&space, "ma"));
    let keys = || {
        let data = server.get(&shared).json()["data"].clone();
        data.as_object().map(|data| data.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
    };
    assert_eq!(keys(), ["akey", "base"]);
    // A look reads the Secret, and is told so late that the resource is gone and its keys were given back.
    let path = format!("/namespaces/{space}/secrets/shared");
    faults.add(Rule::times(1, "GET", &[&path], Fault::Held));
    let before = faults.count("GET", &[&path]);
    let asked = json!({"metadata": {"annotations": {"plomb.dev/reconcile-at": "now"}}});
    assert!(server.merge(&sealed(&space, "ma"), &asked).ok());
    let begun = || (faults.count("GET", &[&path]) > before).then_some(());
    assert!(eventually(SOON, begun).is_some(), "the look has begun");
    assert!(server.delete(&sealed(&space, "ma")).ok());
    let given = || (keys() == ["base"]).then_some(());
    assert!(eventually(SOON, given).is_some(), "at once: {:?}", keys());
    faults.clear(&path);
    std::thread::sleep(Duration::from_secs(4));
    assert!(eventually(SOON, given).is_some(), "and for good: {}", server.get(&shared).text());
    let after = server.get(&shared).json();
    assert!(after["metadata"]["annotations"].is_null(), "{after}");
    peer::peer_test_ran(test);
}
