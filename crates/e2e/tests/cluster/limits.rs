//! Results that are as large as may be, or larger: told in time, and at nobody else's expense.

use crate::controller::{SOON, events, put, running, sealed, secret, wait_ready, wait_reason};
use crate::make::Workshop;
use serde_json::json;
use std::time::Instant;
use testkit::cluster::eventually;
use testkit::{ApiServer, peer};

/// What an API server takes as the values of one Secret.
const LIMIT: usize = 1 << 20;
#[test]
fn template_bombs_are_refused_in_time_beside_a_good_one() {
    let test = "controller-template-bombs";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("bombs");
    let workshop = Workshop::new(test);
    let value = "x".repeat(10_000);
    // 59 MB out of 65 kB, and a template that was cut off.
    let bomb = "${password}".repeat(5_900);
    let broken = format!("{}${{password", "${password|json}".repeat(100));
    let bombs: Vec<_> = (0..20)
        .map(|number| {
            let text = if number % 10 == 9 { &broken } else { &bomb };
            workshop.resource_templated(&space, &format!("bomb-{number}"), &[("password", value.as_str())], text)
        })
        .collect();
    let good = workshop.resource_templated(&space, "good", &[("password", "x")], "pq://${password}@host");
    let started = Instant::now();
    bombs.iter().for_each(|bomb| put(server, bomb));
    let put_all = started.elapsed();
    put(server, &good);
    let took = wait_ready(server, &sealed(&space, "good"));
    for number in 0..bombs.len() {
        let name = format!("bomb-{number}");
        let state = wait_reason(server, &sealed(&space, &name), "TemplateFailed");
        let message = state["message"].as_str().unwrap();
        assert!(message.contains("template made") && !message.contains("xxx"), "{message}");
        assert_eq!(server.get(&secret(&space, &name)).status, 404, "{name}");
    }
    let all = started.elapsed();
    peer::say(&format!(
        "20 template bombs (put in {put_all:.1?}): all told after {all:.1?}, a good one Ready in {took:.1?}"
    ));
    assert_eq!(made(server, &space, "good").1, "cHE6Ly94QGhvc3Q=");
    peer::peer_test_ran(test);
}

#[test]
fn many_secrets_that_templates_make_large_stay_within_memory() {
    let test = "controller-large-together";
    let Some((server, controller)) = running(test) else { return };
    let space = server.namespace("large-together");
    let workshop = Workshop::new(test);
    let value = "x".repeat(8_000);
    let secrets = |count: usize| -> Vec<_> {
        let of = |number| json!({"metadata": {"name": format!("s{number}")}, "stringData": {"k": value}});
        (0..count).map(of).collect()
    };
    let text = "${k}".repeat(125);
    // 32 MB out of 366 kB each, and as much as may be.
    for number in 0..16 {
        let name = format!("bomb-{number}");
        put(server, &workshop.resource_all_templated(&space, &name, &secrets(32), &text));
    }
    put(server, &workshop.resource_all_templated(&space, "large", &secrets(4), &text));
    wait_ready(server, &sealed(&space, "large"));
    for number in 0..16 {
        let state = wait_reason(server, &sealed(&space, &format!("bomb-{number}")), "TemplateFailed");
        let message = state["message"].as_str().unwrap();
        assert!(message.contains("larger than 4194304 bytes together"), "{message}");
    }
    assert_eq!(server.get(&secret(&space, "s31")).status, 404);
    let peak = controller.daemon.peak_memory().unwrap_or_default() >> 20;
    peer::say(&format!("16 resources of 32 MB each refused: {peak} MiB at most, in all tests so far"));
    peer::peer_test_ran(test);
}

#[test]
fn a_result_of_a_mebibyte_is_made_and_one_byte_more_is_refused() {
    let test = "controller-largest-result";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("largest");
    let workshop = Workshop::new(test);
    let value = "0123456789abcdef".repeat(LIMIT / 8 / 16);
    let template = "${password}".repeat(7);
    for (name, more, reason) in [("exact", "", "Synced"), ("over", "x", "InvalidSecret")] {
        let text = format!("{template}{more}");
        put(server, &workshop.resource_templated(&space, name, &[("password", value.as_str())], &text));
        let state = wait_reason(server, &sealed(&space, name), reason);
        assert!(!state["message"].as_str().unwrap().contains("0123456789"), "{state}");
    }
    let (password, result) = made(server, &space, "exact");
    assert!(password.len().div_ceil(4) * 3 >= LIMIT / 8 && result.len() > 7 * (password.len() - 4), "{}", result.len());
    assert_eq!(server.get(&secret(&space, "over")).status, 404);
    peer::peer_test_ran(test);
}

#[test]
fn an_object_nested_deeper_than_parsers_go_delays_nobody() {
    let test = "controller-nesting";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("nesting");
    let workshop = Workshop::new(test);
    // The shipped definition keeps what it does not know of the sops block.
    let mut deep = workshop.resource(&space, "deep", &[("password", "x")]);
    deep["sops"]["pit"] = (0..600).fold(json!("bottom"), |inner, _| json!({ "d": inner }));
    let reply = server.create(&sealed(&space, ""), &deep);
    assert!(reply.ok(), "{}", reply.message());
    put(server, &workshop.resource(&space, "good", &[("password", "x")]));
    wait_ready(server, &sealed(&space, "good"));
    wait_reason_of_deep(server, "encryptedsecret", &space, "deep", "InvalidFormat");
    let told = || events(server, &space, "deep").into_iter().find(|(_, reason, _)| reason == "InvalidFormat");
    assert!(eventually(SOON, told).is_some(), "no event");
    assert_eq!(server.get(&secret(&space, "deep")).status, 404);
    assert!(server.delete(&sealed(&space, "deep")).ok());
    peer::peer_test_ran(test);
}

/// Waits until a condition has this reason, of an object that is too deep for this test to read, too.
pub(crate) fn wait_reason_of_deep(server: &ApiServer, kind: &str, space: &str, name: &str, reason: &str) {
    let path = "-o=jsonpath={.status.conditions[*].reason}";
    let found = || server.kubectl(["get", kind, name, "--namespace", space, path]).text();
    let is = eventually(SOON, || found().contains(reason).then_some(()));
    assert!(is.is_some(), "{kind} {name} is never {reason}: {}", found());
}

/// The values `password` and `made` of a Secret, in base64.
fn made(server: &ApiServer, space: &str, name: &str) -> (String, String) {
    let live = server.get(&secret(space, name)).json();
    let text = |key: &str| live["data"][key].as_str().unwrap_or_default().to_owned();
    (text("password"), text("made"))
}
