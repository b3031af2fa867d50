//! Where the definition's schema was weakened, the controller refuses by itself what should never have got in.

use crate::controller::{SOON, VERSION, events, put, sealed, secret, wait_ready, wait_reason};
use crate::installation::objects;
use crate::limits::wait_reason_of_deep;
use crate::make::Workshop;
use crate::reasons::AT_THE_DOOR;
use crate::scripted::{watches, world};
use serde_json::{Value, json};
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, fixtures, peer};

#[test]
fn what_a_weak_schema_lets_in_is_refused_by_the_controller() {
    let test = "controller-undefended";
    let Some((server, ..)) = world(test) else { return };
    for name in AT_THE_DOOR.into_iter().chain(["InvalidFormat.unknown-field.yaml"]) {
        let file = fixtures::folder("resources/refused").join(name);
        let resource = objects(&std::fs::read_to_string(file).unwrap()).remove(0);
        refused(server, &resource, name.split('.').next().unwrap());
    }
    // Forms that no file of ours has.
    let space = server.namespace("undefended");
    let good = Workshop::new(test).resource(&space, "db", &[("password", "x"), ("user", "y")]);
    let changes: [(&str, Value, &str); 7] = [
        ("/spec/binding", json!(""), "BindingMismatch"),
        ("/spec/secrets", json!([]), "InvalidFormat"),
        ("/spec/secrets/db/stringData/password", json!("hunter2"), "Plaintext"),
        ("/spec/secrets/db/stringData/password", json!({"deep": {"deeper": 1}}), "InvalidFormat"),
        ("/sops/age", json!("nobody"), "InvalidFormat"),
        ("/sops/mac_only_encrypted", json!(false), "SelectorMismatch"),
        ("/sops", json!(null), "InvalidFormat"),
    ];
    for (place, value, reason) in changes {
        let mut changed = good.clone();
        *changed.pointer_mut(place).unwrap() = value;
        refused(server, &changed, reason);
    }
    put(server, &good);
    wait_ready(server, &sealed(&space, "db"));
    peer::peer_test_ran(test);
}

/// A condition, an event, and no Secret.
fn refused(server: &ApiServer, resource: &Value, reason: &str) {
    let text = |name: &str| resource["metadata"][name].as_str().unwrap().to_owned();
    let (space, name) = (text("namespace"), text("name"));
    let _ = server.create("/api/v1/namespaces", &json!({"metadata": {"name": space}}));
    put(server, resource);
    let state = wait_reason(server, &sealed(&space, &name), reason);
    assert!(!state["message"].as_str().unwrap().contains("hunter2"), "{state}");
    let told = eventually(SOON, || events(server, &space, &name).into_iter().find(|(_, of, _)| of == reason));
    assert!(told.is_some(), "{reason}: no event");
    let secrets = server.get(&secret(&space, "")).json();
    assert_eq!(secrets["items"], json!([]), "{reason}: a Secret was made");
    assert!(server.delete(&sealed(&space, &name)).ok());
}

#[test]
fn an_object_that_nobody_can_read_delays_nobody() {
    let test = "controller-unreadable";
    let Some((server, _, _)) = world(test) else { return };
    let workshop = Workshop::new(test);
    let space = server.namespace("unreadable");
    put(server, &workshop.resource(&space, "before", &[("password", "x")]));
    wait_ready(server, &sealed(&space, "before"));
    // Deeper than parsers go, and larger than a resource needs to be.
    let mut deep = workshop.resource(&space, "deep", &[("password", "x")]);
    deep["sops"]["pit"] = (0..600).fold(json!("bottom"), |inner, _| json!({ "d": inner }));
    let mut wide = workshop.resource(&space, "wide", &[("password", "x")]);
    wide["spec"]["secrets"] =
        (0..20_000).map(|it| (format!("s{it}"), json!({}))).collect::<serde_json::Map<_, _>>().into();
    for object in [&deep, &wide] {
        let reply = server.create(&sealed(&space, ""), object);
        assert!(reply.ok(), "the API server keeps it: {}", reply.message());
    }
    let _watches = watches();
    let beside = |name: &str| {
        put(server, &workshop.resource(&space, name, &[("password", "x")]));
        wait_ready(server, &sealed(&space, name));
    };
    beside("while-watching");
    // Nor when all is listed anew.
    let lists = || server.faults().count("GET", &["/encryptedsecrets", "limit=16"]);
    let before = lists();
    server.faults().cut_watches();
    for part in ["encryptedsecrets", "/api/v1/secrets"] {
        server.faults().add(testkit::cluster::Rule::times(
            1,
            "GET",
            &[part, "watch=true"],
            testkit::cluster::Fault::Expired,
        ));
    }
    let relisted = eventually(SOON, || (lists() > before).then_some(()));
    assert!(relisted.is_some(), "all is listed anew");
    beside("after-a-list");
    for name in ["deep", "wide"] {
        wait_reason_of_deep(server, "encryptedsecret", &space, name, "InvalidFormat");
        assert!(server.delete(&sealed(&space, name)).ok());
        assert_eq!(server.get(&secret(&space, name)).status, 404);
    }
    peer::peer_test_ran(test);
}

#[test]
fn a_request_with_an_odd_name_is_answered_and_asks_for_nothing() {
    let test = "controller-odd-requests";
    let Some((server, faults, _)) = world(test) else { return };
    let space = server.namespace("odd-requests");
    let of = |name: &str| resource_path(VERSION, "rewraprequests", &space, name);
    let names = [
        "../apps/odd-one",
        "../../../../../../api/v1/namespaces/apps/secrets/odd-one",
        "odd-one?x=y",
        "odd-one/status",
        "odd-one b",
        "",
        "Odd-one",
    ];
    for (number, name) in names.into_iter().enumerate() {
        let request = json!({
            "apiVersion": VERSION, "kind": "RewrapRequest",
            "metadata": {"name": format!("odd-{number}"), "namespace": space}, "spec": {"name": name},
        });
        let reply = server.create(&of(""), &request);
        assert!(reply.ok(), "{name:?}: {}", reply.message());
    }
    for number in 0..names.len() {
        let path = of(&format!("odd-{number}"));
        let done = || Some(server.get(&path).json()["status"].clone()).filter(|it| it["completionTime"].is_string());
        let status = eventually(SOON, done).unwrap_or_else(|| panic!("{}", server.get(&path).text()));
        let said = &status["conditions"][0];
        assert_eq!((&said["status"], &said["reason"]), (&json!("False"), &json!("InvalidFormat")), "{status}");
        assert!(server.delete(&path).ok());
    }
    for part in ["../", "odd-one", "Odd-one"] {
        assert_eq!(faults.count("GET", &[part]), 0, "{part}");
    }
    peer::peer_test_ran(test);
}
