//! Each reason of docs/cluster.md, driven on a real API server: the condition, the event, and no Secret.

use crate::controller::{SOON, add_key, events, put, recipient, running, sealed, secret, wait_ready, wait_reason};
use crate::installation::{objects, prod};
use crate::make::{Workshop, map};
use serde_json::{Value, json};
use testkit::cluster::eventually;
use testkit::{ApiServer, fixtures, peer};

/// Refused by the API server itself (`schema.rs`), so that no controller ever sees them.
pub(crate) const AT_THE_DOOR: [&str; 5] = [
    "Plaintext.not-encrypted.yaml",
    "Plaintext.value-in-clear.yaml",
    "SelectorMismatch.other-regex.yaml",
    "SelectorMismatch.whole-mac.yaml",
    "BindingMismatch.removed-binding.yaml",
];

/// Cannot be in a cluster at all: an API server keeps one object per request, and only fields that it knows.
pub(crate) const NEVER_STORED: [&str; 2] = ["MultipleDocuments.two.yaml", "InvalidFormat.unknown-field.yaml"];

#[test]
fn every_refused_file_ends_in_its_reason_and_in_no_secret() {
    let test = "controller-refusals";
    let Some((server, _)) = running(test) else { return };
    let files = fixtures::files_below(&fixtures::folder("resources/refused"));
    let _prod = prod();
    let mut driven = 0;
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        if AT_THE_DOOR.contains(&name) || NEVER_STORED.contains(&name) {
            continue;
        }
        let reason = name.split('.').next().unwrap();
        let resource = objects(&std::fs::read_to_string(&file).unwrap()).remove(0);
        let own = resource["metadata"]["name"].as_str().unwrap().to_owned();
        // Each in a namespace of the right name, unless the wrong one is the point.
        let space = resource["metadata"]["namespace"].as_str().unwrap().to_owned();
        let _ = server.create("/api/v1/namespaces", &json!({"metadata": {"name": space}}));
        put(server, &resource);
        let state = wait_reason(server, &sealed(&space, &own), reason);
        let wanted = if reason == "Suspended" { "Unknown" } else { "False" };
        assert_eq!(state["status"], wanted, "{name}: {state}");
        let told = eventually(SOON, || {
            events(server, &space, &own).into_iter().find(|(_, of, note)| of == reason && !note.is_empty())
        });
        assert!(told.is_some(), "{name}: no event");
        for secret_name in resource["spec"]["secrets"].as_object().unwrap().keys() {
            assert_eq!(server.get(&secret(&space, secret_name)).status, 404, "{name}: {secret_name} was made");
        }
        assert!(server.delete(&sealed(&space, &own)).ok());
        driven += 1;
    }
    assert!(driven == 18, "{driven} files");
    peer::peer_test_ran(test);
}

#[test]
fn the_last_good_secret_stays_while_a_resource_is_refused() {
    let test = "controller-stale";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("stale");
    let workshop = Workshop::new(test);
    let good = workshop.resource(&space, "db", &[("password", "right"), ("user", "app")]);
    put(server, &good);
    wait_ready(server, &sealed(&space, "db"));
    let before = server.get(&secret(&space, "db")).json();
    // Somebody without a key gives the administrator's ciphertext another name.
    let mut swapped = good.clone();
    let values = &good["spec"]["secrets"]["db"]["stringData"];
    swapped["spec"]["secrets"]["db"]["stringData"] = json!({"password": values["user"], "user": values["password"]});
    put(server, &swapped);
    let state = wait_reason(server, &sealed(&space, "db"), "DecryptFailed");
    assert!(!state["message"].as_str().unwrap().contains("right"), "{state}");
    let after = server.get(&secret(&space, "db")).json();
    assert_eq!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
    assert_eq!(server.get(&sealed(&space, "db")).json()["status"]["stale"], true);
    put(server, &good);
    wait_ready(server, &sealed(&space, "db"));
    peer::peer_test_ran(test);
}

#[test]
fn a_missing_key_wakes_those_that_waited_for_it() {
    let test = "controller-key-comes";
    let Some((server, controller)) = running(test) else { return };
    let space = server.namespace("keys");
    let other = Workshop::sealing_to(test, &recipient("k2"));
    let ours = Workshop::new(&format!("{test}-ours"));
    put(server, &ours.resource(&space, "good", &[("password", "x")]));
    wait_ready(server, &sealed(&space, "good"));
    for number in 0..5 {
        put(server, &other.resource(&space, &format!("waits-{number}"), &[("password", "x")]));
    }
    for number in 0..5 {
        let state = wait_reason(server, &sealed(&space, &format!("waits-{number}")), "KeyNotFound");
        // Who could open it, and which keys are here.
        let message = state["message"].as_str().unwrap();
        assert!(message.contains(&recipient("k2")[54..]) && message.contains(&recipient("k1")[54..]), "{message}");
    }
    let opened = controller.metric(r#"plomb_decrypt_total{kind="EncryptedSecret",result="Opened"}"#);
    let version = server.get(&secret(&space, "good")).json()["metadata"]["resourceVersion"].clone();
    add_key(server, "plomb-key-late", "k2", "decrypt-only");
    let started = std::time::Instant::now();
    for number in 0..5 {
        wait_ready(server, &sealed(&space, &format!("waits-{number}")));
    }
    peer::say(&format!("five waiting resources Ready {:.2} s after their key came", started.elapsed().as_secs_f64()));
    assert_eq!(server.get(&secret(&space, "good")).json()["metadata"]["resourceVersion"], version);
    let now = controller.metric(r#"plomb_decrypt_total{kind="EncryptedSecret",result="Opened"}"#);
    assert!(now >= opened + 5.0, "{opened} {now}");
    // Revoked: what only that key opens is refused, what is there stays.
    let revoke = json!({"metadata": {"labels": {"plomb.dev/key": "revoked"}}});
    assert!(server.merge(&secret(crate::controller::OWN, "plomb-key-late"), &revoke).ok());
    put(server, &other.resource(&space, "waits-0", &[("password", "changed")]));
    wait_reason(server, &sealed(&space, "waits-0"), "KeyRevoked");
    assert_eq!(server.get(&secret(&space, "waits-0")).status, 200);
    assert!(server.delete(&secret(crate::controller::OWN, "plomb-key-late")).ok());
    peer::peer_test_ran(test);
}

#[test]
fn a_foreign_secret_is_kept_taken_or_merged_as_the_policy_says() {
    let test = "controller-ownership";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("ownership");
    let workshop = Workshop::new(test);
    for name in ["fail", "adopt", "merge"] {
        let foreign = json!({"metadata": {"name": name}, "stringData": {"password": "theirs", "other": "theirs"}});
        assert!(server.create(&secret(&space, ""), &foreign).ok());
        let ours = json!({"metadata": {"name": name}, "stringData": {"password": "ours"}});
        let policy = json!({"policy": {"conflict": format!("{}{}", name[..1].to_uppercase(), &name[1..])}});
        put(server, &workshop.resource_with(&space, name, &[ours], &policy));
    }
    wait_reason(server, &sealed(&space, "fail"), "OwnershipConflict");
    wait_ready(server, &sealed(&space, "adopt"));
    wait_ready(server, &sealed(&space, "merge"));
    let keys = |name: &str| server.get(&secret(&space, name)).json()["data"].clone();
    let (theirs, ours) = ("dGhlaXJz", "b3Vycw==");
    assert_eq!(keys("fail"), map(&[("password", theirs), ("other", theirs)]));
    assert_eq!(keys("adopt"), map(&[("password", ours)]));
    assert_eq!(keys("merge"), map(&[("password", ours), ("other", theirs)]));
    // A second look changes nothing, and what was only merged outlives the resource.
    assert!(server.merge(&secret(&space, "merge"), &json!({"data": {"password": theirs}})).ok());
    let merged = map(&[("password", ours), ("other", theirs)]);
    let right = eventually(SOON, || (keys("merge") == merged).then_some(()));
    assert!(right.is_some(), "{}", keys("merge"));
    assert!(server.delete(&sealed(&space, "merge")).ok());
    // The foreign one goes, and the loser is served without anybody's help.
    assert!(server.delete(&secret(&space, "fail")).ok());
    wait_ready(server, &sealed(&space, "fail"));
    // Two resources, one Secret: the first stays the owner, and nothing flips.
    let same = json!({"metadata": {"name": "fail"}, "stringData": {"password": "second"}});
    put(server, &workshop.resource_with(&space, "second", &[same], &json!({"policy": {"conflict": "Adopt"}})));
    let state = wait_reason(server, &sealed(&space, "second"), "OwnershipConflict");
    assert!(state["message"].as_str().unwrap().contains("fail"), "{state}");
    assert_eq!(keys("fail"), map(&[("password", ours)]));
    assert_eq!(keys("merge")["other"], theirs, "the garbage collector left it alone");
    peer::peer_test_ran(test);
}

#[test]
fn what_cannot_be_changed_is_kept_or_made_anew_as_the_policy_says() {
    let test = "controller-immutable";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("immutable");
    let workshop = Workshop::new(test);
    let of = |name: &str, type_: &str, value: &str| json!({"metadata": {"name": name}, "type": type_, "immutable": true, "stringData": {"password": value}});
    for (name, policy) in [("fails", "Fail"), ("renews", "Recreate")] {
        let spec = json!({"policy": {"immutable": policy}});
        put(server, &workshop.resource_with(&space, name, &[of(name, "Opaque", "first")], &spec));
        wait_ready(server, &sealed(&space, name));
        put(server, &workshop.resource_with(&space, name, &[of(name, "Opaque", "second")], &spec));
    }
    wait_reason(server, &sealed(&space, "fails"), "ImmutableConflict");
    wait_ready(server, &sealed(&space, "renews"));
    let password = |name: &str| server.get(&secret(&space, name)).json()["data"]["password"].clone();
    assert_eq!((password("fails"), password("renews")), (json!("Zmlyc3Q="), json!("c2Vjb25k")));
    // Another type.
    for (name, policy, reason) in [("typed", "Fail", "TypeConflict"), ("retyped", "Recreate", "Synced")] {
        let spec = json!({"policy": {"immutable": policy}});
        let mut secret = of(name, "example.org/a", "x");
        secret["immutable"] = json!(false);
        put(server, &workshop.resource_with(&space, name, &[secret.clone()], &spec));
        wait_ready(server, &sealed(&space, name));
        secret["type"] = json!("example.org/b");
        put(server, &workshop.resource_with(&space, name, &[secret], &spec));
        wait_reason(server, &sealed(&space, name), reason);
    }
    assert_eq!(server.get(&secret(&space, "typed")).json()["type"], "example.org/a");
    assert_eq!(server.get(&secret(&space, "retyped")).json()["type"], "example.org/b");
    peer::peer_test_ran(test);
}

#[test]
fn what_the_api_server_refuses_has_a_reason_and_is_tried_again() {
    let test = "controller-api-refusals";
    let Some((server, _)) = running(test) else { return };
    let workshop = Workshop::new(test);
    // A full quota; nobody counts here, so the test does.
    let space = server.namespace("quota");
    let quotas = format!("/api/v1/namespaces/{space}/resourcequotas");
    let hard = json!({"secrets": "0"});
    assert!(server.create(&quotas, &json!({"metadata": {"name": "none"}, "spec": {"hard": hard}})).ok());
    let status = json!({"status": {"hard": hard, "used": {"secrets": "0"}}});
    assert!(server.merge(&format!("{quotas}/none/status"), &status).ok());
    let full = || refuses_secrets(server, &space).then_some(());
    assert!(eventually(SOON, full).is_some(), "the quota is in force");
    put(server, &workshop.resource(&space, "db", &[("password", "x")]));
    wait_reason(server, &sealed(&space, "db"), "QuotaExceeded");
    assert!(server.delete(&format!("{quotas}/none")).ok());
    wait_ready(server, &sealed(&space, "db"));
    peer::peer_test_ran(test);
}

fn refuses_secrets(server: &ApiServer, space: &str) -> bool {
    let path = format!("{}?dryRun=All", secret(space, ""));
    let reply: Value = server.create(&path, &json!({"metadata": {"name": "try"}})).json();
    reply["message"].as_str().is_some_and(|message| message.contains("exceeded quota"))
}
