//! An API server behind a proxy that lies, loses and delays (`testkit::cluster::FaultProxy`): every answer that a
//! controller can get ends in its reason or in nothing at all, never in half a Secret, and passes by itself.

use crate::controller::{
    Controller, SOON, VERSION, add_key, events, put, ready, sealed, secret, wait_ready, wait_reason,
};
use crate::installation::install;
use crate::make::Workshop;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use testkit::cluster::{Fault, FaultProxy, Rule, eventually, resource_path};
use testkit::{ApiServer, Peer, peer};

struct World {
    server: ApiServer,
    controller: Controller,
}

/// The server and the controller that the tests of this file share. The controller's first requests all fail once.
pub(crate) fn world(test: &str) -> Option<(&'static ApiServer, &'static FaultProxy, &'static Controller)> {
    static WORLD: OnceLock<Option<World>> = OnceLock::new();
    peer::require(test, [Peer::Controller, Peer::Plomb])?;
    let start = || {
        let server = ApiServer::start("controller-scripted")?;
        install(&server, "overlays/cluster");
        loosen(&server, "encryptedsecrets", "EncryptedSecret");
        loosen(&server, "rewraprequests", "RewrapRequest");
        add_key(&server, "plomb-key-test", "k1", "decrypt-only");
        for (method, parts, fault) in FIRST {
            server.faults().add(Rule::times(1, method, parts, fault));
        }
        let controller = Controller::start(&server, "scripted", &[]).leading();
        Some(World { server, controller })
    };
    let world = WORLD.get_or_init(start).as_ref()?;
    Some((&world.server, world.server.faults(), &world.controller))
}

/// How a Secret is made or changed.
const WRITES: &str = "POST PATCH";

/// What is in every request that writes this Secret, by whatever way.
fn writing(space: &str, name: &str) -> [String; 2] {
    [format!("/api/v1/namespaces/{space}/secrets"), format!("\"{name}\"")]
}

fn add(faults: &FaultProxy, times: usize, space: &str, name: &str, fault: Fault) {
    let [path, name] = writing(space, name);
    faults.add(Rule::times(times, WRITES, &[&path, &name], fault));
}

fn writes(faults: &FaultProxy, space: &str, name: &str) -> usize {
    let [path, name] = writing(space, name);
    faults.count(WRITES, &[&path, &name])
}

fn clear(faults: &FaultProxy, name: &str) {
    faults.clear(&format!("\"{name}\""));
}

/// One test at a time breaks watches, or measures how long something takes.
pub(crate) fn watches() -> MutexGuard<'static, ()> {
    static IN_USE: Mutex<()> = Mutex::new(());
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the controller meets when it starts.
const FIRST: [(&str, &[&str], Fault); 8] = [
    ("GET", &["/leases/"], Fault::Half),
    ("POST", &["/leases"], Fault::Status(500)),
    ("GET", &["/namespaces/plomb-system/secrets", "plomb.dev%2Fkey"], Fault::Short),
    ("GET", &["/namespaces/plomb-system/secrets", "sealed-secrets-key"], Fault::Half),
    ("GET", &["/api/v1/secrets", "plomb.dev%2Fmanaged"], Fault::Status(500)),
    ("GET", &["/encryptedsecrets", "limit=1"], Fault::Status(500)),
    ("GET", &["/encryptedsecrets", "limit=16"], Fault::Half),
    ("GET", &["/namespaces/kube-system"], Fault::Lost),
];

/// The definition as somebody may have edited it: whatever the schema would refuse gets through to the controller.
fn loosen(server: &ApiServer, plural: &str, kind: &str) {
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.plomb.dev");
    let mut versions = server.get(&path).json()["spec"]["versions"].clone();
    for version in versions.as_array_mut().expect("there are versions") {
        version["schema"] =
            json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        version.as_object_mut().expect("it is an object").remove("selectableFields");
    }
    let reply = server.merge(&path, &json!({"spec": {"versions": versions}}));
    assert!(reply.ok(), "{}", reply.message());
    // In force once nothing is refused any more.
    let odd = json!({
        "apiVersion": VERSION, "kind": kind, "metadata": {"name": "unbound"}, "spec": {"name": "../any"},
    });
    let place = format!("{}?dryRun=All", resource_path(VERSION, plural, "default", ""));
    let taken = || server.create(&place, &odd).ok().then_some(());
    assert!(eventually(SOON, taken).is_some(), "the definition of {kind} is loose");
}

#[test]
fn a_bad_start_is_got_over_and_logs_no_key() {
    let test = "controller-bad-start";
    let Some((server, faults, controller)) = world(test) else { return };
    for (_, parts, fault) in FIRST {
        let met = eventually(SOON, || (faults.met(fault) > 0).then_some(()));
        assert!(met.is_some(), "{parts:?} was never asked for: {}", controller.daemon.said());
    }
    let space = server.namespace("bad-start");
    put(server, &Workshop::new(test).resource(&space, "db", &[("password", "x")]));
    wait_ready(server, &sealed(&space, "db"));
    // A list of key Secrets without its end is no JSON; whoever logs what he could not read would log the keys.
    let keys = server.get(&secret(crate::controller::OWN, "")).json();
    let values = keys["items"].as_array().into_iter().flatten().flat_map(|key| key["data"].as_object());
    let values: Vec<&str> = values.flat_map(|data| data.values()).filter_map(Value::as_str).collect();
    assert!(!values.is_empty() && values.iter().all(|value| value.len() > 60), "{} values", values.len());
    let log = controller.daemon.said();
    for value in values {
        assert!(!log.contains(&value[..60]), "a key is in the log");
    }
    peer::peer_test_ran(test);
}

#[test]
fn what_the_api_server_answers_is_a_reason_and_passes() {
    let test = "controller-answers";
    let Some((server, faults, _)) = world(test) else { return };
    let workshop = Workshop::new(test);
    let space = server.namespace("answers");
    let cases = [
        ("internal", Fault::Status(500), "ApiUnavailable"),
        ("bad-gateway", Fault::Status(502), "ApiUnavailable"),
        ("forbidden", Fault::Status(403), "Forbidden"),
        ("unknown", Fault::Status(401), "Forbidden"),
        ("nowhere", Fault::Status(404), "NamespaceNotFound"),
        ("large", Fault::Status(413), "InvalidSecret"),
    ];
    for (name, fault, _) in cases {
        add(faults, usize::MAX, &space, name, fault);
        put(server, &workshop.resource(&space, name, &[("password", "x")]));
    }
    for (name, fault, reason) in cases {
        let state = wait_reason(server, &sealed(&space, name), reason);
        assert_eq!(state["status"], "False", "{name}: {state}");
        assert_eq!(server.get(&secret(&space, name)).status, 404, "{name}: {fault:?}");
        let told = eventually(SOON, || events(server, &space, name).into_iter().find(|(_, of, _)| of == reason));
        assert!(told.is_some_and(|(type_, ..)| type_ == "Warning"), "{name}: no event");
    }
    std::thread::sleep(Duration::from_secs(2));
    for (name, ..) in cases {
        // After 1 s, 2 s, 4 s: not in a tight loop.
        let tries = writes(faults, &space, name);
        assert!((1..=8).contains(&tries), "{name}: {tries} tries");
        clear(faults, name);
    }
    for (name, ..) in cases {
        wait_ready(server, &sealed(&space, name));
        assert_eq!(server.get(&secret(&space, name)).json()["data"]["password"], "eA==", "{name}");
    }
    peer::peer_test_ran(test);
}

#[test]
fn a_storm_of_refusals_is_waited_out() {
    let test = "controller-storms";
    let Some((server, faults, controller)) = world(test) else { return };
    let workshop = Workshop::new(test);
    let space = server.namespace("storms");
    let of = |name: &str| format!("/namespaces/{space}/secrets/{name}");
    // An endless conflict is told, with few tries.
    add(faults, usize::MAX, &space, "fought", Fault::Status(409));
    put(server, &workshop.resource(&space, "fought", &[("password", "x")]));
    wait_reason(server, &sealed(&space, "fought"), "Conflict");
    let is_audit = |line: &&str| line.contains(r#""name":"fought""#) && line.contains("decrypted");
    let decrypted = controller.daemon.said().lines().filter(is_audit).count();
    let tries = writes(faults, &space, "fought");
    assert!((6..=10).contains(&tries) && (6..=10).contains(&decrypted), "{tries} tries, {decrypted} decryptions");
    clear(faults, "fought");
    // Storms that end: nobody hears of them.
    let cases = [("many", 429, 5), ("overloaded", 503, 5), ("late", 504, 5), ("raced", 409, 3)];
    for (name, code, times) in cases {
        faults.add(Rule::times(times, "GET", &[&of(name)], Fault::Status(if code == 409 { 503 } else { code })));
        add(faults, times, &space, name, Fault::Status(code));
        put(server, &workshop.resource(&space, name, &[("password", "x")]));
    }
    for (name, code, times) in cases {
        wait_ready(server, &sealed(&space, name));
        assert_eq!(writes(faults, &space, name), times + 1, "{name}");
        let warned: Vec<_> = events(server, &space, name).into_iter().filter(|(of, ..)| of == "Warning").collect();
        assert!(warned.is_empty(), "{code}: {warned:?}");
    }
    wait_ready(server, &sealed(&space, "fought"));
    peer::peer_test_ran(test);
}

#[test]
fn lost_and_late_answers_leave_whole_secrets() {
    let test = "controller-lost-answers";
    let Some((server, faults, controller)) = world(test) else { return };
    let workshop = Workshop::new(test);
    let space = server.namespace("lost");
    let of = |name: &str| format!("/namespaces/{space}/secrets/{name}");
    for (name, method, fault) in [
        ("lost", WRITES, Fault::Lost),
        ("half", WRITES, Fault::Half),
        ("torn", WRITES, Fault::Short),
        ("unread", "GET", Fault::Half),
        ("late", WRITES, Fault::Held),
    ] {
        match method {
            WRITES => add(faults, 1, &space, name, fault),
            _ => faults.add(Rule::times(1, method, &[&of(name)], fault)),
        }
        put(server, &workshop.resource(&space, name, &[("password", "x")]));
    }
    // Whoever waits holds up nobody.
    let _watches = watches();
    let neighbour = workshop.resource(&space, "neighbour", &[("password", "x")]);
    put(server, &neighbour);
    wait_ready(server, &sealed(&space, "neighbour"));
    assert!(server.get(&secret(&space, "late")).status == 404, "it still waits");
    clear(faults, "late");
    for name in ["lost", "half", "torn", "unread", "late"] {
        wait_ready(server, &sealed(&space, name));
        assert_eq!(server.get(&secret(&space, name)).json()["data"], json!({"password": "eA=="}), "{name}");
        assert_eq!(writes(faults, &space, name), 1, "{name}: what was done is not done again");
    }
    // The second Secret of a pair is refused: the first is not made either.
    let [path, second] = writing(&space, "pair-2");
    faults.add(Rule::always("POST", &[&path, &second, "dryRun=All"], Fault::Status(500)));
    let pair = ["pair-1", "pair-2"].map(|name| json!({"metadata": {"name": name}, "stringData": {"a": "x", "b": "y"}}));
    let pair = workshop.resource_with(&space, "pair", &pair, &json!({}));
    put(server, &pair);
    let state = wait_reason(server, &sealed(&space, "pair"), "ApiUnavailable");
    assert!(state["message"].as_str().unwrap().contains("pair-2"), "{state}");
    assert_eq!(["pair-1", "pair-2"].map(|name| server.get(&secret(&space, name)).status), [404, 404]);
    // It would be taken, and then is not: the first is whole, and the resource says what lacks. (A real write's query ends
    // where its body begins.)
    faults.add(Rule::always("POST", &[&path, &second, "Strict {"], Fault::Status(500)));
    faults.clear("dryRun=All");
    let first = || server.get(&secret(&space, "pair-1")).ok().then_some(());
    assert!(eventually(SOON, first).is_some(), "the first is made");
    assert_eq!(server.get(&secret(&space, "pair-1")).json()["data"], json!({"a": "eA==", "b": "eQ=="}));
    let state = wait_reason(server, &sealed(&space, "pair"), "ApiUnavailable");
    assert!(state["message"].as_str().unwrap().contains("pair-2"), "{state}");
    assert_eq!(server.get(&secret(&space, "pair-2")).status, 404);
    clear(faults, "pair-2");
    // A status that cannot be written is written later, and the Secret only once.
    let errors = controller.metric("plomb_status_errors_total");
    faults.add(Rule::times(
        2,
        "PATCH",
        &[&format!("/namespaces/{space}/encryptedsecrets/mute/status")],
        Fault::Status(500),
    ));
    put(server, &workshop.resource(&space, "mute", &[("password", "x")]));
    wait_ready(server, &sealed(&space, "mute"));
    assert_eq!(writes(faults, &space, "mute"), 1, "one write");
    assert!(controller.metric("plomb_status_errors_total") >= errors + 2.0, "{}", controller.get("/metrics"));
    wait_ready(server, &sealed(&space, "pair"));
    peer::peer_test_ran(test);
}

#[test]
fn nothing_is_missed_while_watches_are_broken() {
    let test = "controller-broken-watches";
    let Some((server, faults, controller)) = world(test) else { return };
    let workshop = Workshop::new(test);
    let space = server.namespace("watches");
    for name in ["kept", "changed", "lost"] {
        put(server, &workshop.resource(&space, name, &[("password", "x")]));
    }
    for name in ["kept", "changed", "lost"] {
        wait_ready(server, &sealed(&space, name));
    }
    let version = server.get(&secret(&space, "kept")).json()["metadata"]["resourceVersion"].clone();
    let before = controller.metric("plomb_watch_errors_total");
    let _watches = watches();
    // Broken off, not let in again, and then told that all was too long ago.
    for part in ["encryptedsecrets", "/api/v1/secrets"] {
        faults.add(Rule::times(2, "GET", &[part, "watch=true"], Fault::Status(500)));
        faults.add(Rule::times(1, "GET", &[part, "watch=true"], Fault::Expired));
    }
    faults.cut_watches();
    put(server, &workshop.resource(&space, "changed", &[("password", "y")]));
    put(server, &workshop.resource(&space, "new", &[("password", "x")]));
    assert!(server.delete(&secret(&space, "lost")).ok());
    wait_ready(server, &sealed(&space, "new"));
    let value = |name: &str| server.get(&secret(&space, name)).json()["data"]["password"].clone();
    for (name, wanted) in [("changed", "eQ=="), ("lost", "eA==")] {
        let right = eventually(SOON, || (value(name) == wanted).then_some(()));
        assert!(right.is_some(), "{name}: {}", server.get(&sealed(&space, name)).text());
    }
    let told = eventually(SOON, || {
        (faults.met(Fault::Expired) >= 2 && controller.metric("plomb_watch_errors_total") > before).then_some(())
    });
    assert!(told.is_some(), "{} {}", faults.met(Fault::Expired), controller.get("/metrics"));
    // All was listed anew; what was right is not written again.
    assert_eq!(server.get(&secret(&space, "kept")).json()["metadata"]["resourceVersion"], version);
    assert!(ready(server, &sealed(&space, "kept")).is_some());
    assert!(controller.daemon.is_running() && controller.metric("plomb_leader") == 1.0);
    peer::peer_test_ran(test);
}

#[test]
fn a_replica_without_a_leader_is_not_ready() {
    let test = "controller-leaderless";
    let Some((server, faults, leader)) = world(test) else { return };
    let _watches = watches();
    // With a lease of its own, which it may not ask for, and keys that it may list and not watch.
    let (lease, keys) = ("/leases/leaderless-controller", "labelSelector=plomb.dev%2Fkey");
    faults.add(Rule::always("GET", &[lease], Fault::Status(403)));
    faults.add(Rule::always("GET", &[keys, "watch=true"], Fault::Status(403)));
    let alone = Controller::start(server, "leaderless", &["--name=leaderless"]);
    let asked = || (faults.count("GET", &[lease]) > 2).then_some(());
    assert!(eventually(SOON, asked).is_some(), "it asks again and again");
    assert!(alone.get("/readyz").starts_with("HTTP/1.0 503"), "{}", alone.get("/readyz"));
    for place in ["Lease leaderless-controller in plomb-system", "key Secrets in plomb-system"] {
        let told = || alone.get("/readyz").contains(&format!("cannot read {place}: ")).then_some(());
        assert!(eventually(SOON, told).is_some(), "{place}: {}", alone.get("/readyz"));
    }
    assert_eq!(alone.metric("plomb_leader"), 0.0);
    alone.stop();
    faults.clear(lease);
    faults.clear(keys);
    // Where one leads, the next stands by.
    let second = Controller::start(server, "stands-by", &[]);
    assert!(eventually(SOON, || second.is_ready().then_some(())).is_some(), "{}", second.get("/readyz"));
    assert_eq!((second.metric("plomb_leader"), leader.metric("plomb_leader")), (0.0, 1.0));
    second.stop();
    peer::peer_test_ran(test);
}
