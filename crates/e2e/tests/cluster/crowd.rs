//! A thousand broken resources beside a good one, and a crowd that comes at once.

use crate::controller::{Controller, SOON, add_key, put, recipient, running, sealed, secret, wait_ready, wait_reason};
use crate::installation::{install, objects};
use crate::make::Workshop;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::cluster::eventually;
use testkit::{ApiServer, Peer, fixtures, peer};

const BROKEN: usize = 1000;

#[test]
fn a_thousand_broken_resources_hold_up_nobody() {
    let test = "controller-poison";
    let Some((server, controller)) = running(test) else { return };
    let space = server.namespace("poison");
    let file = fixtures::folder("resources/refused/DecryptFailed.swapped-values.yaml");
    let mut broken = objects(&std::fs::read_to_string(file).unwrap()).remove(0);
    let workshop = Workshop::new(test);
    let good = |number: usize| workshop.resource(&space, &format!("good-{number}"), &[("password", "x")]);
    let made: Vec<Value> = (0..30).map(good).collect();
    let seen = || controller.metric(r#"plomb_decrypt_total{kind="EncryptedSecret",result="DecryptFailed"}"#);
    let before = seen();
    // While they pour in, and while they are refused, the good ones come.
    let mut times = Vec::new();
    for number in 0..BROKEN {
        broken["metadata"] = json!({"name": format!("broken-{number}"), "namespace": space});
        let reply = server.create(&sealed(&space, ""), &broken);
        assert!(reply.ok(), "{}", reply.message());
        if number % 40 == 39 {
            times.push(time_of(server, &space, &made[times.len()]));
        }
    }
    while times.len() < made.len() {
        times.push(time_of(server, &space, &made[times.len()]));
    }
    times.sort();
    let p99 = times[(times.len() * 99).div_ceil(100) - 1];
    peer::say(&format!("good ones beside {BROKEN} broken: median {:?}, p99 {p99:?}", times[times.len() / 2]));
    let all = eventually(Duration::from_secs(120), || (seen() - before >= BROKEN as f64).then_some(()));
    assert!(all.is_some(), "every broken one was looked at: {}", seen() - before);
    assert_eq!(server.get(&secret(&space, "db")).status, 404, "none of them made anything");
    // One second on a machine of its own; the whole suite runs beside this.
    assert!(p99 < Duration::from_secs(5), "{times:?}");
    peer::peer_test_ran(test);
}

fn time_of(server: &ApiServer, space: &str, resource: &Value) -> Duration {
    put(server, resource);
    wait_ready(server, &sealed(space, resource["metadata"]["name"].as_str().unwrap()))
}

#[test]
fn the_alerts_and_the_dashboard_ask_for_metrics_that_are_there() {
    let test = "controller-metrics";
    let Some((server, controller)) = running(test) else { return };
    let space = server.namespace("metrics");
    put(server, &Workshop::new(test).resource(&space, "db", &[("password", "x")]));
    wait_ready(server, &sealed(&space, "db"));
    let known = registered();
    for file in ["prometheus-rule.yaml", "dashboard.json"] {
        let text = std::fs::read_to_string(crate::installation::deploy("monitoring").join(file)).unwrap();
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        for name in text.split(word).filter(|word| word.starts_with("plomb_")) {
            let base = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(known.contains(&base.unwrap_or(name).to_owned()), "{file}: {name} is not among {known:?}");
        }
    }
    let counted = || {
        (controller.metric(r#"plomb_objects{kind="EncryptedSecret",ready="True",reason="Synced"}"#) >= 1.0)
            .then_some(())
    };
    assert!(eventually(SOON, counted).is_some(), "{}", controller.get("/metrics"));
    assert!(controller.get("/healthz").starts_with("HTTP/1.0 200"));
    peer::peer_test_ran(test);
}

#[test]
fn a_resource_that_is_gone_is_no_longer_counted() {
    let test = "controller-forgets";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(server) = ApiServer::start(test) else { return };
    install(&server, "overlays/cluster");
    add_key(&server, "plomb-key-test", "k1", "decrypt-only");
    let controller = Controller::start(&server, "forgets", &[]).leading();
    let space = server.namespace("forgets");
    let stranger = Workshop::sealing_to(test, &recipient("k2"));
    put(&server, &stranger.resource(&space, "broken", &[("password", "x")]));
    wait_reason(&server, &sealed(&space, "broken"), "KeyNotFound");
    // The alerts that we ship fire as long as there is one.
    let broken = || controller.metric(r#"plomb_objects{kind="EncryptedSecret",ready="False""#);
    assert!(eventually(SOON, || (broken() == 1.0).then_some(())).is_some(), "{}", controller.get("/metrics"));
    assert!(server.delete(&sealed(&space, "broken")).ok());
    assert!(eventually(SOON, || (broken() == 0.0).then_some(())).is_some(), "{}", controller.get("/metrics"));
    peer::peer_test_ran(test);
}

/// The names that the controller registers: it prints a family only once there is something in it.
fn registered() -> Vec<String> {
    let file = fixtures::workspace().join("controller/src/cluster/metrics.rs");
    let text = std::fs::read_to_string(file).unwrap();
    let names = text.split("to.register(\"").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(|name| format!("plomb_{name}")).collect()
}
