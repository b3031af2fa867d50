//! What people ask the controller's program about a cluster: `doctor`, and `keys export`.

use crate::controller::{Controller, OWN, SOON, put, recipient, sealed, secret, wait_ready, wait_reason};
use crate::installation::{install, namespace};
use crate::limits::wait_reason_of_deep;
use crate::make::Workshop;
use serde_json::{Value, json};
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, Outcome, Peer, fixtures, peer};

/// A server with the shipped manifests, and a controller that made its key and backed it up for k2.
fn own(test: &str, more: &[&str]) -> Option<(ApiServer, Controller)> {
    peer::require(test, [Peer::Controller, Peer::Plomb])?;
    let server = ApiServer::start(test)?;
    install(&server, "overlays/cluster");
    let recovery = format!("--recovery-recipient={}", recipient("k2"));
    let controller = Controller::start(&server, "only", &[&[recovery.as_str()], more].concat()).leading();
    let map = resource_path("v1", "configmaps", OWN, "plomb-recipients");
    let escrowed = || server.get(&map).json()["data"]["escrow.age"].is_string().then_some(());
    assert!(eventually(SOON, escrowed).is_some(), "{}", controller.daemon.said());
    Some((server, controller))
}

/// The controller's program with the administrator's kubeconfig.
fn ask(server: &ApiServer, workshop: &Workshop, words: &[&str]) -> Outcome {
    let program = Peer::Controller.find().expect("the test asked for it");
    let config = server.kubeconfig();
    workshop.scratch.command(program).args(words).arg("--kubeconfig").arg(config).run()
}

/// One object that no parser reads to its end hides none of the others.
fn deep_objects_hide_no_others(server: &ApiServer, workshop: &Workshop) {
    let space = server.namespace("deep");
    let mut deep = workshop.resource(&space, "deep", &[("password", "x")]);
    deep["sops"]["pit"] = (0..600).fold(json!("bottom"), |inner, _| json!({ "d": inner }));
    assert!(server.create(&sealed(&space, ""), &deep).ok());
    wait_reason_of_deep(server, "encryptedsecret", &space, "deep", "InvalidFormat");
    let found = ask(server, workshop, &["doctor"]);
    assert!(
        found.code == Some(1) && found.text().contains(&format!("InvalidFormat: {space}/deep")),
        "{}",
        found.text()
    );
    assert!(!found.text().contains("cannot be listed"), "{}", found.text());
    assert!(server.delete(&sealed(&space, "deep")).ok());
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let test = "controller-doctor";
    // Nobody tells the doctor the cluster's name: what is published does.
    let Some((server, controller)) = own(test, &["--cluster-name=truenas"]) else { return };
    let workshop = Workshop::new(test);
    let well = eventually(SOON, || {
        let found = ask(&server, &workshop, &["doctor"]);
        found.ok().then(|| found.text())
    });
    let well = well.unwrap_or_else(|| panic!("{}", ask(&server, &workshop, &["doctor"]).text()));
    assert!(well.ends_with("nothing is wrong\n"), "{well}");
    for area in ["server", "kinds", "rights", "leader", "keys", "recipient", "backup", "resources"] {
        assert!(well.lines().any(|line| line.starts_with("ok") && line.contains(area)), "{area}: {well}");
    }
    deep_objects_hide_no_others(&server, &workshop);
    // A key that cannot be read: its labels still say that it is active.
    let keys = format!("{}?labelSelector=plomb.dev/key=active", secret(OWN, ""));
    let key = server.get(&keys).json()["items"][0].clone();
    let path = secret(OWN, key["metadata"]["name"].as_str().unwrap());
    assert!(server.merge(&path, &json!({"data": {"identity.agekey": "anVuaw=="}})).ok());
    let unread = eventually(SOON, || {
        let found = ask(&server, &workshop, &["doctor"]);
        (found.code == Some(1) && found.text().contains("KeyUnreadable")).then(|| found.text())
    });
    let unread = unread.unwrap_or_else(|| panic!("{}", ask(&server, &workshop, &["doctor"]).text()));
    for what in ["WRONG  recipient  Ready=", "WRONG  recipient  Escrowed=False, KeyUnreadable: "] {
        assert!(unread.contains(what), "{what}: {unread}");
    }
    assert!(server.merge(&path, &json!({"data": {"identity.agekey": key["data"]["identity.agekey"]}})).ok());
    let again = eventually(SOON, || ask(&server, &workshop, &["doctor"]).ok().then_some(()));
    assert!(again.is_some(), "{}", ask(&server, &workshop, &["doctor"]).text());
    // A resource that nobody can open, a right that is gone, a leader that is gone, a backup that somebody touched.
    let space = server.namespace("ill");
    put(&server, &workshop.resource(&space, "db", &[("password", "x")]));
    wait_reason(&server, &sealed(&space, "db"), "KeyNotFound");
    assert!(server.delete("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/plomb-controller").ok());
    controller.stop();
    let map = resource_path("v1", "configmaps", OWN, "plomb-recipients");
    assert!(server.merge(&map, &json!({"data": {"escrow.age": "-----BEGIN AGE ENCRYPTED FILE-----\n"}})).ok());
    let ill = ask(&server, &workshop, &["doctor", "--json"]);
    assert_eq!(ill.code, Some(1), "{}", ill.errors());
    let findings: Vec<Value> = serde_json::from_str(&ill.text()).unwrap();
    let wrong = |area: &str, what: &str| {
        let is = |finding: &&Value| finding["area"] == area && finding["state"] == "wrong";
        let mut of_area = findings.iter().filter(is);
        assert!(
            of_area.any(|finding| finding["what"].as_str().unwrap().contains(what)),
            "{area} {what}: {findings:#?}"
        );
    };
    wrong("resources", &format!("KeyNotFound: {space}/db"));
    wrong("rights", "may not list encryptedsecrets.plomb.dev in all namespaces");
    wrong("leader", "no controller leads");
    wrong("backup", "is not what the controller wrote");
    assert!(!ill.text().contains("AGE-SECRET"), "no key in the report");
    peer::peer_test_ran(test);
}

/// The way that the manual names: the program in the pod, with the pod's own token and nothing more.
#[test]
fn the_doctor_needs_no_more_than_the_controllers_own_token() {
    let test = "controller-doctor-own-token";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(server) = ApiServer::start(test) else { return };
    let workshop = Workshop::new(test);
    let ways: [(&str, &[&str]); 3] = [
        ("overlays/cluster", &[]),
        ("overlays/no-watch", &["--profile=no-watch"]),
        ("overlays/namespaced", &["--watch-namespace=apps"]),
    ];
    for (at, (folder, flags)) in ways.into_iter().enumerate() {
        if at > 0 {
            server.wipe();
        }
        for name in [OWN, "apps"] {
            server.apply(namespace(name));
        }
        install(&server, "crd");
        install(&server, folder);
        let recovery = format!("--recovery-recipient={}", recipient("k2"));
        let controller = Controller::start(&server, "own", &[flags, &[recovery.as_str()]].concat()).leading();
        let config = server.kubeconfig_for("doctor", &server.service_account_token(OWN, "plomb-controller"));
        let program = Peer::Controller.find().expect("the test asked for it");
        let words = [&["doctor", "--kubeconfig", config.to_str().unwrap()], flags].concat();
        let ask = || workshop.scratch.command(&program).args(&words).run();
        let well = eventually(SOON, || Some(ask()).filter(Outcome::ok));
        let said = well.unwrap_or_else(ask).text();
        assert!(said.ends_with("nothing is wrong\n") && said.contains("that the controller needs"), "{folder}: {said}");
        assert!(!said.contains("nobody tells us"), "{folder}: {said}");
        // A namespace that the role does not reach, and that is perhaps not there, is one line.
        if folder == "overlays/namespaced" {
            let words = [&words[..], &["--watch-namespace=missing"]].concat();
            let ill = workshop.scratch.command(&program).args(&words).run();
            let said = ill.text();
            assert!(ill.code == Some(1) && said.matches("WRONG").count() == 1, "{said}");
            assert!(said.contains("may do nothing in namespace missing: it does not exist, or has no role"), "{said}");
        }
        controller.stop();
    }
    peer::peer_test_ran(test);
}

#[test]
fn the_backup_is_exported_and_never_lost_over_a_new_cluster() {
    let test = "controller-keys-export";
    let Some((server, controller)) = own(test, &[]) else { return };
    let workshop = Workshop::new(test);
    let export = |words: &[&str]| ask(&server, &workshop, &[&["keys", "export"], words].concat());
    let first = export(&["--output", "prod.age"]);
    assert!(first.ok(), "{}", first.errors());
    assert_eq!(export(&[]).text(), std::fs::read_to_string(workshop.scratch.path("prod.age")).unwrap());
    let again = export(&["-o", "prod.age"]);
    assert!(again.ok() && again.errors().contains("is up to date"), "{}", again.errors());
    // The recovery identity makes the key Secrets of it, and a new cluster opens what the old one could.
    let map = server.kubectl(["get", "configmap", "plomb-recipients", "-n", OWN, "-o", "yaml"]).text();
    let cluster = workshop.plomb(&["cluster", "recipients", "pin", "-", "--output", "pinned.yaml"], map);
    let resource = Workshop::sealing_to(test, cluster.trim()).resource("default", "db", &[("password", "x")]);
    let identity = fixtures::folder("keys/identities/k2.txt");
    let words = ["keys", "restore", "--escrow", "prod.age", "--identity", identity.to_str().unwrap()];
    let keys = workshop.plomb(&words, String::new());
    controller.stop();
    server.wipe();
    install(&server, "overlays/cluster");
    // A cluster that began anew has another key: its backup does not replace the old one unasked.
    let recovery = format!("--recovery-recipient={}", recipient("k2"));
    let other = Controller::start(&server, "other", &[&recovery]).leading();
    let refused = eventually(SOON, || Some(export(&["-o", "prod.age"])).filter(|found| found.code == Some(2)));
    let refused = refused.expect("the new key is published");
    assert!(refused.errors().contains("which the cluster no longer has"), "{}", refused.errors());
    server.apply(keys);
    put(&server, &resource);
    wait_ready(&server, &sealed("default", "db"));
    // Now both keys are in it.
    let grown =
        eventually(SOON, || Some(export(&["-o", "prod.age"])).filter(|found| found.errors().starts_with("2 keys")));
    assert!(grown.is_some(), "{}", export(&["-o", "prod.age"]).errors());
    other.stop();
    peer::peer_test_ran(test);
}
