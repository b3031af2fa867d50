//! One Secret, several who want it: who owns it, whose keys are whose, and what comes back.

use crate::controller::{
    Controller, OWN, SOON, add_key, events, put, running, sealed, secret, wait_ready, wait_reason,
};
use crate::installation::{install, namespace};
use crate::make::{Workshop, map};
use serde_json::{Value, json};
use testkit::cluster::eventually;
use testkit::{ApiServer, Peer, peer};

/// A resource with this policy that makes one Secret called `of`.
fn resource(workshop: &Workshop, space: &str, name: &str, of: &str, values: &[(&str, &str)], conflict: &str) -> Value {
    let plain = json!({"metadata": {"name": of}, "stringData": map(values)});
    workshop.resource_with(space, name, &[plain], &json!({"policy": {"conflict": conflict}}))
}

/// Waits until a Secret has exactly these keys.
fn wait_keys(server: &ApiServer, path: &str, wanted: &[&str]) {
    let keys = || server.get(path).json()["data"].as_object().map(|data| data.keys().cloned().collect::<Vec<_>>());
    let found = eventually(SOON, || (keys()? == wanted).then_some(()));
    assert!(found.is_some(), "{path}: {wanted:?}: {}", server.get(path).text());
}

#[test]
fn mergers_keep_their_keys_and_give_back_their_own() {
    let test = "controller-mergers";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("mergers");
    let workshop = Workshop::new(test);
    let shared = secret(&space, "shared");
    let base = json!({"metadata": {"name": "shared"}, "stringData": {"base": "x"}});
    assert!(server.create(&secret(&space, ""), &base).ok());
    put(server, &resource(&workshop, &space, "ma", "shared", &[("akey", "a"), ("more", "a")], "Merge"));
    wait_keys(server, &shared, &["akey", "base", "more"]);
    put(server, &resource(&workshop, &space, "mb", "shared", &[("bkey", "b")], "Merge"));
    wait_keys(server, &shared, &["akey", "base", "bkey", "more"]);
    // Another one's key, and the whole of it.
    put(server, &resource(&workshop, &space, "mc", "shared", &[("bkey", "c")], "Merge"));
    put(server, &resource(&workshop, &space, "taker", "shared", &[("own", "c")], "Adopt"));
    for name in ["mc", "taker"] {
        let state = wait_reason(server, &sealed(&space, name), "OwnershipConflict");
        assert!(state["message"].as_str().unwrap().contains("shared"), "{state}");
    }
    assert!(server.delete(&sealed(&space, "taker")).ok() && server.delete(&sealed(&space, "mc")).ok());
    // A key less; and drift in the keys of both is put right, whoever merged last.
    put(server, &resource(&workshop, &space, "ma", "shared", &[("akey", "a")], "Merge"));
    wait_keys(server, &shared, &["akey", "base", "bkey"]);
    assert!(server.merge(&shared, &json!({"data": {"akey": "enp6", "bkey": null}})).ok());
    let wanted = map(&[("akey", "YQ=="), ("base", "eA=="), ("bkey", "Yg==")]);
    let right = || server.get(&shared).json()["data"] == wanted;
    assert!(eventually(SOON, || right().then_some(())).is_some(), "{}", server.get(&shared).text());
    wait_ready(server, &sealed(&space, "ma"));
    wait_ready(server, &sealed(&space, "mb"));
    let version = server.get(&shared).json()["metadata"]["resourceVersion"].clone();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(server.get(&shared).json()["metadata"]["resourceVersion"], version, "nothing flips");
    for (name, left) in [("mb", &["akey", "base"][..]), ("ma", &["base"])] {
        assert!(server.delete(&sealed(&space, name)).ok());
        wait_keys(server, &shared, left);
    }
    let after = server.get(&shared).json();
    assert!(after["metadata"]["labels"].is_null() && after["metadata"]["annotations"].is_null(), "{after}");
    peer::peer_test_ran(test);
}

/// A resource that merges into `shared`, with labels and annotations of its own.
fn marked_guest(workshop: &Workshop, space: &str, name: &str, value: &str) -> Value {
    let marks = json!({"name": "shared", "labels": {"tier": name}, "annotations": {"note": name}});
    let plain = json!({"metadata": marks, "stringData": map(&[(name, value)])});
    workshop.resource_with(space, name, &[plain], &json!({"policy": {"conflict": "Merge"}}))
}

#[test]
fn a_guest_takes_no_labels_and_never_owns_its_host() {
    let test = "controller-merge-guests";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("guests");
    let workshop = Workshop::new(test);
    let shared = secret(&space, "shared");
    let host = |base: &str| {
        let metadata = json!({"name": "shared", "labels": {"tier": "orig"}});
        let reply = server.create(&secret(&space, ""), &json!({"metadata": metadata, "stringData": {"base": base}}));
        assert!(reply.ok(), "{}", reply.message());
    };
    host("x");
    for name in ["la", "lb"] {
        put(server, &marked_guest(&workshop, &space, name, "v"));
    }
    wait_keys(server, &shared, &["base", "la", "lb"]);
    for name in ["la", "lb"] {
        wait_ready(server, &sealed(&space, name));
    }
    let live = server.get(&shared).json();
    assert_eq!(
        (&live["metadata"]["labels"]["tier"], &live["metadata"]["annotations"]["note"]),
        (&json!("orig"), &json!(null))
    );
    std::thread::sleep(std::time::Duration::from_secs(2));
    let version = |live: &Value| live["metadata"]["resourceVersion"].clone();
    assert_eq!(version(&server.get(&shared).json()), version(&live), "nobody fights");
    // Its owner makes it anew, and nobody stands in his way.
    assert!(server.delete(&shared).ok());
    for name in ["la", "lb"] {
        let state = wait_reason(server, &sealed(&space, name), "SecretMissing");
        assert!(state["message"].as_str().unwrap().contains("Secret shared is gone"), "{state}");
    }
    assert_eq!(server.get(&shared).status, 404, "it is not theirs to make");
    host("y");
    wait_keys(server, &shared, &["base", "la", "lb"]);
    assert!(server.get(&shared).json()["metadata"]["ownerReferences"].is_null());
    for (name, left) in [("la", &["base", "lb"][..]), ("lb", &["base"])] {
        assert!(server.delete(&sealed(&space, name)).ok());
        wait_keys(server, &shared, left);
    }
    assert_eq!(server.get(&shared).json()["metadata"]["labels"], json!({"tier": "orig"}));
    // Where there was never one, the first makes it and owns it, and makes it again.
    put(server, &resource(&workshop, &space, "fresh", "own", &[("k", "v")], "Merge"));
    let own = secret(&space, "own");
    for _ in 0..2 {
        wait_keys(server, &own, &["k"]);
        assert_eq!(server.get(&own).json()["metadata"]["ownerReferences"][0]["name"], "fresh");
        wait_ready(server, &sealed(&space, "fresh"));
        assert!(server.delete(&own).ok());
    }
    wait_keys(server, &own, &["k"]);
    peer::peer_test_ran(test);
}

#[test]
fn no_resource_forges_whose_a_secret_is() {
    let test = "controller-forged-marks";
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("forged");
    let workshop = Workshop::new(test);
    let good = resource(&workshop, &space, "forger", "db", &[("k", "v")], "Merge");
    for mark in ["sealedsecrets.bitnami.com/managed", "plomb.dev/source", "plomb.dev/merged-x"] {
        let mut forged = good.clone();
        forged["spec"]["secrets"]["db"]["annotations"] = json!({mark: "true"});
        put(server, &forged);
        let refused = || {
            let ready = crate::controller::ready(server, &sealed(&space, "forger"))?;
            (ready["reason"] == "InvalidSecret" && ready["message"].as_str()?.contains(mark)).then_some(())
        };
        assert!(eventually(SOON, refused).is_some(), "{mark}: {}", server.get(&sealed(&space, "forger")).text());
    }
    assert_eq!(server.get(&secret(&space, "db")).status, 404);
    peer::peer_test_ran(test);
}

#[test]
fn the_first_owner_stays_and_keys_are_nobodys() {
    let test = "controller-first-owner";
    let Some((server, controller)) = running(test) else { return };
    let space = server.namespace("first-owner");
    let workshop = Workshop::new(test);
    put(server, &resource(&workshop, &space, "owner", "db", &[("mine", "x")], "Fail"));
    wait_ready(server, &sealed(&space, "owner"));
    for (name, conflict) in [("merger", "Merge"), ("thief", "Adopt")] {
        put(server, &resource(&workshop, &space, name, "db", &[("his", "x")], conflict));
        let state = wait_reason(server, &sealed(&space, name), "OwnershipConflict");
        assert!(state["message"].as_str().unwrap().contains("owner"), "{state}");
    }
    wait_keys(server, &secret(&space, "db"), &["mine"]);
    assert_eq!(server.get(&secret(&space, "db")).json()["metadata"]["ownerReferences"][0]["name"], "owner");
    // While nobody controls it, the marks say whose it is; and it is put right at once.
    let strip = r#"[{"op": "remove", "path": "/metadata/ownerReferences"}]"#;
    let reply = server.send("PATCH", &secret(&space, "db"), "application/json-patch+json", strip);
    assert!(reply.ok(), "{}", reply.message());
    let owner = || server.get(&secret(&space, "db")).json()["metadata"]["ownerReferences"][0]["name"] == "owner";
    assert!(eventually(SOON, || owner().then_some(())).is_some(), "{}", server.get(&secret(&space, "db")).text());
    // Left behind, and taken up by a new resource of that name. Until that is there, a Secret that nobody owns is there for
    // the taking, which is not what is tried here.
    for name in ["merger", "thief"] {
        assert!(server.delete(&sealed(&space, name)).ok());
    }
    let config = server.kubeconfig();
    let left =
        server.kubectl_with(&config).args(["delete", "encryptedsecret", "owner", "-n", &space, "--cascade=orphan"]);
    let left = left.run();
    assert!(left.ok(), "{}", left.errors());
    put(server, &resource(&workshop, &space, "owner", "db", &[("mine", "y")], "Fail"));
    wait_ready(server, &sealed(&space, "owner"));
    let uid = server.get(&sealed(&space, "owner")).json()["metadata"]["uid"].clone();
    let live = server.get(&secret(&space, "db")).json();
    assert_eq!((&live["metadata"]["ownerReferences"][0]["uid"], &live["data"]["mine"]), (&uid, &json!("eQ==")));
    // One that a SealedSecret of that name left, as `plomb convert` leaves it.
    let marks = json!({"name": "left", "labels": {"plomb.dev/managed": "true"},
        "annotations": {"plomb.dev/source": "SealedSecret.bitnami.com/left"}});
    assert!(server.create(&secret(&space, ""), &json!({"metadata": marks, "stringData": {"old": "x"}})).ok());
    put(server, &resource(&workshop, &space, "left", "left", &[("new", "x")], "Fail"));
    wait_ready(server, &sealed(&space, "left"));
    wait_keys(server, &secret(&space, "left"), &["new"]);
    assert_eq!(server.get(&secret(&space, "left")).json()["metadata"]["ownerReferences"][0]["kind"], "EncryptedSecret");
    // The controller's own keys.
    let key = secret(OWN, "plomb-key-test");
    let before = server.get(&key).json();
    for (name, conflict) in [("merges", "Merge"), ("adopts", "Adopt")] {
        put(server, &resource(&workshop, OWN, name, "plomb-key-test", &[("identity.agekey", "junk")], conflict));
        wait_reason(server, &sealed(OWN, name), "OwnershipConflict");
    }
    let after = server.get(&key).json();
    assert_eq!((&after["data"], &after["metadata"]["labels"]), (&before["data"], &before["metadata"]["labels"]));
    for name in ["merges", "adopts"] {
        assert!(server.delete(&sealed(OWN, name)).ok());
    }
    assert!(controller.daemon.is_running());
    peer::peer_test_ran(test);
}

#[test]
fn what_may_not_be_listed_holds_up_nobody_else() {
    let test = "controller-denied-lists";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(server) = ApiServer::start(test) else { return };
    for name in [OWN, "apps"] {
        server.apply(namespace(name));
    }
    install(&server, "crd");
    install(&server, "overlays/namespaced");
    // One tenant has no role at all, and in the other one kind may not be listed.
    let role = "/apis/rbac.authorization.k8s.io/v1/namespaces/apps/roles/plomb-controller-watched";
    let mut rules = server.get(role).json()["rules"].clone();
    let all = rules.clone();
    rules.as_array_mut().unwrap().retain(|rule| !rule["resources"].to_string().contains("\"sopssecrets\""));
    assert_ne!(rules, all);
    assert!(server.merge(role, &json!({"rules": rules})).ok());
    let args = ["--watch-namespace=missing", "--watch-namespace=apps"];
    let controller = Controller::start(&server, "denied", &args).leading();
    // Nobody knows whether what was not read has a key already.
    let of = |(_, reason, _): &(String, String, String)| reason == "ResourcesUnread";
    let told = eventually(SOON, || events(&server, OWN, "plomb-recipients").into_iter().find(of));
    assert!(told.is_some_and(|(.., note)| note.contains("SopsSecret in apps")), "{}", controller.daemon.said());
    add_key(&server, "plomb-key-test", "k1", "decrypt-only");
    put(&server, &Workshop::new(test).resource("apps", "db", &[("password", "x")]));
    wait_ready(&server, &sealed("apps", "db"));
    let is_ready = || controller.get("/readyz").contains("\r\n\r\nok\n").then_some(());
    assert!(eventually(SOON, is_ready).is_some(), "{}", controller.get("/readyz"));
    let body = controller.get("/readyz");
    for place in ["EncryptedSecret in missing", "Secret in missing", "SopsSecret in apps"] {
        assert!(body.contains(&format!("cannot read {place}: ")), "{body}");
        let metric = format!("plomb_watch_unread{{place=\"{place}\"}}");
        assert_eq!(controller.metric(&metric), 1.0, "{}", controller.get("/metrics"));
    }
    assert!(!body.contains("EncryptedSecret in apps"), "{body}");
    assert!(controller.daemon.said().contains("cannot list"), "{}", controller.daemon.said());
    // Taken up as soon as it may be.
    assert!(server.merge(role, &json!({"rules": all})).ok());
    let taken = || (!controller.get("/readyz").contains("SopsSecret in apps")).then_some(());
    assert!(eventually(std::time::Duration::from_secs(60), taken).is_some(), "{}", controller.get("/readyz"));
    peer::peer_test_ran(test);
}
