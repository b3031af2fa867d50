//! The other ways to install it: a few namespaces without a ClusterRole, and without list and watch on Secrets.

use crate::controller::{Controller, SOON, add_key, events, put, sealed, secret, wait_ready, wait_reason};
use crate::installation::{install, namespace};
use crate::make::Workshop;
use serde_json::json;
use std::time::Duration;
use testkit::cluster::eventually;
use testkit::{ApiServer, Peer, peer};

#[test]
fn namespaced_mode_stays_in_its_namespaces() {
    let test = "controller-namespaced";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(server) = ApiServer::start(test) else { return };
    for name in ["plomb-system", "apps", "elsewhere"] {
        server.apply(namespace(name));
    }
    install(&server, "crd");
    install(&server, "overlays/namespaced");
    add_key(&server, "plomb-key-test", "k1", "decrypt-only");
    let workshop = Workshop::new(test);
    put(&server, &workshop.resource("apps", "db", &[("password", "x")]));
    put(&server, &workshop.resource("elsewhere", "db", &[("password", "x")]));
    let controller = Controller::start(&server, "namespaced", &["--watch-namespace=apps"]).leading();
    wait_ready(&server, &sealed("apps", "db"));
    assert_eq!(server.get(&sealed("elsewhere", "db")).json()["status"], json!(null), "nobody looks there");
    assert_eq!(server.get(&secret("elsewhere", "db")).status, 404);
    forbidden_for_a_while(&server, &workshop);
    // A right that is taken away is named, and the rest goes on when it is back.
    assert!(
        server.delete("/apis/rbac.authorization.k8s.io/v1/namespaces/apps/rolebindings/plomb-controller-watched").ok()
    );
    let said = || controller.daemon.said().to_lowercase().contains("forbidden").then_some(());
    assert!(server.delete(&secret("apps", "db")).ok());
    assert!(eventually(SOON, said).is_some(), "{}", controller.daemon.said());
    install(&server, "overlays/namespaced");
    let back = eventually(Duration::from_secs(60), || server.get(&secret("apps", "db")).ok().then_some(()));
    assert!(back.is_some(), "{}", controller.daemon.said());
    peer::peer_test_ran(test);
}

/// Secrets may be read and no longer be written: the resource says so, and syncs by itself once they may.
fn forbidden_for_a_while(server: &ApiServer, workshop: &Workshop) {
    let role = "/apis/rbac.authorization.k8s.io/v1/namespaces/apps/roles/plomb-controller-watched";
    let rules = server.get(role).json()["rules"].clone();
    let mut fewer = rules.clone();
    let of_secrets = fewer.as_array_mut().unwrap().iter_mut().find(|rule| rule["resources"] == json!(["secrets"]));
    of_secrets.unwrap()["verbs"] = json!(["get", "list", "watch"]);
    assert!(server.merge(role, &json!({"rules": fewer})).ok());
    let user = "--as=system:serviceaccount:plomb-system:plomb-controller";
    let may = || server.kubectl(["auth", "can-i", "patch", "secrets", "-n", "apps", user]).ok();
    assert!(eventually(SOON, || (!may()).then_some(())).is_some(), "the right is taken away");
    let before = server.get(&secret("apps", "db")).json()["metadata"]["resourceVersion"].clone();
    put(server, &workshop.resource("apps", "db", &[("password", "changed")]));
    put(server, &workshop.resource("apps", "new", &[("password", "x")]));
    for name in ["db", "new"] {
        let state = wait_reason(server, &sealed("apps", name), "Forbidden");
        assert!(state["message"].as_str().unwrap().contains("secrets"), "{state}");
    }
    let of = |event: &(String, String, String)| event.0 == "Warning" && event.1 == "Forbidden";
    let told = eventually(SOON, || events(server, "apps", "new").into_iter().find(of));
    assert!(told.is_some(), "no event");
    assert_eq!(server.get(&secret("apps", "db")).json()["metadata"]["resourceVersion"], before);
    assert_eq!(server.get(&secret("apps", "new")).status, 404);
    assert!(server.merge(role, &json!({"rules": rules})).ok());
    for name in ["db", "new"] {
        wait_ready(server, &sealed("apps", name));
    }
    assert_eq!(server.get(&secret("apps", "db")).json()["data"]["password"], "Y2hhbmdlZA==");
}

#[test]
fn without_watch_on_secrets_drift_is_found_in_time() {
    let test = "controller-no-watch";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(server) = ApiServer::start(test) else { return };
    install(&server, "overlays/no-watch");
    add_key(&server, "plomb-key-test", "k1", "decrypt-only");
    let controller = Controller::start(&server, "no-watch", &["--profile=no-watch"]).leading();
    let workshop = Workshop::new(test);
    let space = server.namespace("by-name");
    put(&server, &workshop.resource(&space, "db", &[("password", "right")]));
    wait_ready(&server, &sealed(&space, "db"));
    // Asked to look, it sees the drift without a watch.
    assert!(server.merge(&secret(&space, "db"), &json!({"data": {"password": "d3Jvbmc="}})).ok());
    let asked = json!({"metadata": {"annotations": {"plomb.dev/reconcile-at": "1"}}});
    assert!(server.merge(&sealed(&space, "db"), &asked).ok());
    let right = || (server.get(&secret(&space, "db")).json()["data"]["password"] == "cmlnaHQ=").then_some(());
    assert!(eventually(SOON, right).is_some(), "{}", server.get(&secret(&space, "db")).text());
    assert!(!controller.daemon.said().to_lowercase().contains("forbidden"), "{}", controller.daemon.said());
    // A foreign Secret is a conflict here, too.
    assert!(server.create(&secret(&space, ""), &json!({"metadata": {"name": "theirs"}})).ok());
    put(&server, &workshop.resource(&space, "theirs", &[("password", "x")]));
    wait_reason(&server, &sealed(&space, "theirs"), "OwnershipConflict");
    peer::peer_test_ran(test);
}
