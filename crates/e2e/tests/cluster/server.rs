//! The test server itself: what it does to itself is what the fault tests rely on.

use crate::installation::namespace;
use serde_json::json;
use std::time::Duration;
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, peer};

#[test]
fn it_freezes_restarts_and_forgets() {
    let test = "cluster-server";
    let Some(server) = ApiServer::start(test) else { return };
    server.start_controller_manager();
    server.apply(namespace("kept"));
    let maps = resource_path("v1", "configmaps", "kept", "");
    let owner = server.create(&maps, &json!({"metadata": {"name": "owner"}})).json();
    let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]});
    let owned = json!({"metadata": {"name": "owned", "ownerReferences": [reference]}});
    assert!(server.create(&maps, &owned).ok());
    // Frozen: no answer. Thawed: the same server goes on.
    server.freeze();
    let mut run = server.kubectl_with(&server.kubeconfig()).args(["get", "--raw", "/readyz"]);
    run = run.limit(Duration::from_millis(1500));
    assert!(run.run().timed_out, "a frozen server answers nothing");
    server.thaw();
    // Killed together with etcd: what was stored is there again.
    server.kill_and_restart();
    assert!(server.get(&resource_path("v1", "configmaps", "kept", "owned")).ok());
    // Garbage is collected.
    assert!(server.delete(&resource_path("v1", "configmaps", "kept", "owner")).ok());
    let owned = resource_path("v1", "configmaps", "kept", "owned");
    let gone = eventually(Duration::from_secs(60), || (server.get(&owned).status == 404).then_some(()));
    assert!(gone.is_some(), "the controller manager collects it");
    // Wiped: the same address and the same administrator, and nothing else.
    server.wipe();
    assert_eq!(server.get("/api/v1/namespaces/kept").status, 404);
    server.apply(namespace("new"));
    let account = resource_path("v1", "serviceaccounts", "new", "default");
    let made = eventually(Duration::from_secs(60), || server.get(&account).ok().then_some(()));
    assert!(made.is_some(), "the controller manager works for the new cluster");
    assert!(server.service_account_token("new", "default").contains('.'));
    peer::peer_test_ran(test);
}
