//! Objects as large as an API server keeps, by the hundred, of somebody who may make them in one namespace.

use crate::controller::{Controller, VERSION, add_key, put, sealed, wait_ready};
use crate::installation::install;
use crate::make::Workshop;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, Peer, peer};

/// How many of each form; together larger than what a controller may have, once they are held.
const LONG: usize = 100;
const WIDE: usize = 8;
const REQUESTS: usize = 24;
/// Bytes of each.
const SIZE: usize = 1_300_000;
/// What a pod of ours may have, less what the system counts beside it.
const MEMORY: u64 = 240 << 20;

#[test]
fn hundreds_of_the_largest_objects_stay_within_the_memory_of_a_pod() {
    let test = "controller-largest-objects";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(server) = ApiServer::start(test) else { return };
    install(&server, "overlays/cluster");
    add_key(&server, "plomb-key-test", "k1", "decrypt-only");
    let workshop = Workshop::new(test);
    let (evil, good) = (server.namespace("evil"), server.namespace("good"));
    let strange = workshop.resource(&evil, "strange", &[("password", "x")]);
    let ask = |number: usize| {
        let request = json!({
            "apiVersion": VERSION, "kind": "RewrapRequest", "metadata": {"name": format!("ask-{number}")},
            "spec": {"object": long(&strange, "long")},
        });
        assert!(server.create(&resource_path(VERSION, "rewraprequests", &evil, ""), &request).ok());
    };
    let make = |object: &Value| {
        let reply = server.create(&sealed(&evil, ""), object);
        assert!(reply.ok(), "{}", reply.message());
    };
    // One half is there when the controller starts, the other comes while it runs.
    let half = |controller: Option<&Controller>, from: usize| {
        (from..LONG).step_by(2).for_each(|number| make(&long(&strange, &format!("long-{number}"))));
        (from..WIDE).step_by(2).for_each(|number| make(&wide(&strange, &format!("wide-{number}"))));
        (from..REQUESTS).step_by(2).for_each(ask);
        let Some(controller) = controller else { return };
        put(&server, &workshop.resource(&good, &format!("good-{from}"), &[("password", "x")]));
        wait_ready(&server, &sealed(&good, &format!("good-{from}")));
        within(controller);
    };
    half(None, 0);
    let controller = Controller::start(&server, "first", &[]).leading();
    half(Some(&controller), 1);
    all_told(&server, &controller, &evil);
    within(&controller);
    controller.stop();
    // All of them are listed.
    let controller = Controller::start(&server, "second", &[]).leading();
    put(&server, &workshop.resource(&good, "last", &[("password", "x")]));
    wait_ready(&server, &sealed(&good, "last"));
    within(&controller);
    controller.stop();
    peer::peer_test_ran(test);
}

/// Every long one was refused, and every request answered. What has too many parts is told, and not counted.
fn all_told(server: &ApiServer, controller: &Controller, space: &str) {
    let refused = || controller.metric(r#"plomb_objects{kind="EncryptedSecret",ready="False""#);
    let all = eventually(Duration::from_secs(300), || (refused() >= LONG as f64).then_some(()));
    assert!(all.is_some(), "{} {}", refused(), controller.daemon.said());
    let path = "-o=jsonpath={.items[*].status.completionTime}";
    let words = ["get", "rewraprequests", "--namespace", space, "--chunk-size=10", path];
    let answered = || server.kubectl(words).text().split(' ').filter(|time| !time.is_empty()).count();
    let all = eventually(Duration::from_secs(120), || (answered() == REQUESTS).then_some(()));
    assert!(all.is_some(), "{} {}", answered(), controller.daemon.said());
}

fn within(controller: &Controller) {
    let peak = controller.daemon.peak_memory().expect("it runs");
    peer::say(&format!("{LONG} long and {WIDE} wide objects, {REQUESTS} requests: {} MiB at most", peak >> 20));
    assert!(peak < MEMORY, "{} MiB", peak >> 20);
}

/// One value, as long as the whole may be.
fn long(resource: &Value, name: &str) -> Value {
    let value = format!("ENC[AES256_GCM,data:{},iv:aaaa,tag:aaaa,type:str]", "A".repeat(SIZE));
    let mut object = named(resource, name);
    object["spec"]["secrets"]["strange"]["stringData"]["password"] = json!(value);
    object
}

/// As many parts as fit.
fn wide(resource: &Value, name: &str) -> Value {
    let mut object = named(resource, name);
    object["sops"]["parts"] = json!(vec![1; SIZE / 2]);
    object
}

fn named(resource: &Value, name: &str) -> Value {
    let mut object = resource.clone();
    object["metadata"]["name"] = json!(name);
    object
}
