//! The API server freezes, dies and comes back; replicas die, freeze and take over; nothing is lost, and nobody writes
//! who may not.

use crate::controller::{Controller, OWN, SOON, add_key, put, sealed, secret, wait_ready, wait_reason};
use crate::installation::install;
use crate::make::Workshop;
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, Peer, peer};

/// A server with the shipped manifests and the test key.
fn own(test: &str) -> Option<ApiServer> {
    peer::require(test, [Peer::Controller, Peer::Plomb])?;
    let server = ApiServer::start(test)?;
    install(&server, "overlays/cluster");
    add_key(&server, "plomb-key-test", "k1", "decrypt-only");
    Some(server)
}

#[test]
fn a_frozen_and_a_killed_api_server_are_outlived() {
    let test = "controller-outage";
    let Some(server) = own(test) else { return };
    let workshop = Workshop::new(test);
    let controller = Controller::start(&server, "survivor", &[]).leading();
    let space = server.namespace("outage");
    put(&server, &workshop.resource(&space, "before", &[("password", "x")]));
    wait_ready(&server, &sealed(&space, "before"));
    // Longer than the lease lasts: it must stop leading by its own clock.
    server.freeze();
    let stopped = eventually(Duration::from_secs(25), || (controller.metric("plomb_leader") == 0.0).then_some(()));
    assert!(stopped.is_some(), "it does not lead without a lease");
    server.thaw();
    let started = Instant::now();
    put(&server, &workshop.resource(&space, "thawed", &[("password", "x")]));
    wait_late(&server, &sealed(&space, "thawed"));
    peer::say(&format!(
        "after 10 s of frozen API server: Ready {:.1} s after it thawed",
        started.elapsed().as_secs_f64()
    ));
    // Killed together with etcd; meanwhile nothing can be told to anybody.
    server.kill_and_restart();
    let started = Instant::now();
    put(&server, &workshop.resource(&space, "restarted", &[("password", "x")]));
    assert!(server.delete(&secret(&space, "before")).ok());
    wait_late(&server, &sealed(&space, "restarted"));
    let back = eventually(Duration::from_secs(60), || server.get(&secret(&space, "before")).ok().then_some(()));
    assert!(back.is_some(), "a Secret that was lost during the gap comes back");
    peer::say(&format!(
        "after a killed API server and etcd: Ready {:.1} s after they were back",
        started.elapsed().as_secs_f64()
    ));
    assert!(controller.daemon.is_running(), "no exit");
    controller.stop();
    peer::peer_test_ran(test);
}

fn wait_late(server: &ApiServer, path: &str) {
    let found = eventually(Duration::from_secs(90), || {
        crate::controller::ready(server, path).filter(|ready| ready["status"] == "True")
    });
    assert!(found.is_some(), "{path}: {}", server.get(path).text());
}

#[test]
fn a_replica_takes_over_and_the_old_leader_writes_nothing() {
    let test = "controller-takeover";
    let Some(server) = own(test) else { return };
    let workshop = Workshop::new(test);
    let first = Controller::start(&server, "first", &[]).leading();
    let second = Controller::start(&server, "second", &[]);
    let stands_by = eventually(SOON, || second.is_ready().then_some(()));
    assert!(stands_by.is_some() && second.metric("plomb_leader") == 0.0, "ready, without leading");
    let space = server.namespace("takeover");
    put(&server, &workshop.resource(&space, "one", &[("password", "x")]));
    wait_ready(&server, &sealed(&space, "one"));
    // Paused beyond its lease, as by a stopped virtual machine.
    first.daemon.signal("STOP");
    let started = Instant::now();
    let second = second.leading();
    peer::say(&format!("a paused leader is replaced after {:.1} s", started.elapsed().as_secs_f64()));
    put(&server, &workshop.resource(&space, "two", &[("password", "x")]));
    wait_late(&server, &sealed(&space, "two"));
    first.daemon.signal("CONT");
    let steps_back = eventually(Duration::from_secs(20), || (first.metric("plomb_leader") == 0.0).then_some(()));
    assert!(steps_back.is_some(), "the old leader sees that it lost");
    let lease = resource_path("coordination.k8s.io/v1", "leases", OWN, "plomb-controller");
    assert_eq!(server.get(&lease).json()["spec"]["holderIdentity"], "second");
    let version = |name: &str| server.get(&secret(&space, name)).json()["metadata"]["resourceVersion"].clone();
    let before = (version("one"), version("two"));
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((version("one"), version("two")), before, "two leaders would write twice");
    // Told to stop, it gives the lease back at once.
    second.stop();
    assert_ne!(server.get(&lease).json()["spec"]["holderIdentity"], "second", "given back, not left to run out");
    let started = Instant::now();
    let first = first.leading();
    peer::say(&format!("a released lease is taken after {:.1} s", started.elapsed().as_secs_f64()));
    put(&server, &workshop.resource(&space, "three", &[("password", "x")]));
    wait_late(&server, &sealed(&space, "three"));
    drop(first);
    peer::peer_test_ran(test);
}

#[test]
fn a_restart_with_nothing_to_do_does_nothing() {
    let test = "controller-restart";
    let Some(server) = own(test) else { return };
    let workshop = Workshop::new(test);
    let space = server.namespace("restart");
    let first = Controller::start(&server, "first", &[]).leading();
    let names: Vec<String> = (0..20).map(|number| format!("r{number}")).collect();
    for name in &names {
        put(&server, &workshop.resource(&space, name, &[("password", "x")]));
    }
    for name in &names {
        wait_ready(&server, &sealed(&space, name));
    }
    first.stop();
    let second = Controller::start(&server, "second", &[]).leading();
    let looked =
        || (second.metric(r#"plomb_reconcile_total{kind="EncryptedSecret",result="Unchanged"}"#) >= 20.0).then_some(());
    assert!(eventually(SOON, looked).is_some(), "{}", second.get("/metrics"));
    for counter in ["plomb_decrypt_total", "plomb_secret_writes_total"] {
        assert_eq!(second.metric(counter), 0.0, "{counter}: {}", second.get("/metrics"));
    }
    // A key that is gone changes nothing that is there, and a broken one harms nobody.
    let broken = json!({"metadata": {"name": "broken", "labels": {"plomb.dev/key": "active"}}, "stringData": {"identity.agekey": "no key"}});
    assert!(server.create(&secret(OWN, ""), &broken).ok());
    assert!(server.delete(&secret(OWN, "plomb-key-test")).ok());
    put(&server, &workshop.resource(&space, "late", &[("password", "x")]));
    wait_reason(&server, &sealed(&space, "late"), "KeyNotFound");
    assert_eq!(server.get(&secret(&space, "r0")).status, 200);
    add_key(&server, "plomb-key-test", "k1", "decrypt-only");
    wait_ready(&server, &sealed(&space, "late"));
    peer::peer_test_ran(test);
}

#[test]
fn a_namespace_that_ends_is_told_apart() {
    let test = "controller-terminating";
    // Without a controller manager a namespace stays in its last state for ever.
    let Some(server) = own(test) else { return };
    let workshop = Workshop::new(test);
    let _controller = Controller::start(&server, "only", &[]).leading();
    let space = server.namespace("ending");
    put(&server, &workshop.resource(&space, "db", &[("password", "x")]));
    wait_ready(&server, &sealed(&space, "db"));
    assert!(server.delete(&format!("/api/v1/namespaces/{space}")).ok());
    assert!(server.delete(&secret(&space, "db")).ok());
    wait_reason(&server, &sealed(&space, "db"), "NamespaceTerminating");
    assert_eq!(server.get(&secret(&space, "db")).status, 404);
    peer::peer_test_ran(test);
}
