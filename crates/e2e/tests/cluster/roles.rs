//! The shipped roles, tried with a token of the controller's own ServiceAccount: what it needs is allowed, and
//! nothing beside it.

use crate::installation::{install, namespace};
use serde_json::json;
use std::time::Duration;
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, peer};

const OWN: &str = "plomb-system";

/// Verb, group, resource with sub-resource, name, namespace; allowed in the overlays cluster, no-watch, namespaced.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, [bool; 3]);

const ALL: [bool; 3] = [true; 3];
const NONE: [bool; 3] = [false; 3];
const WATCHING: [bool; 3] = [true, false, true];
const CLUSTER_WIDE: [bool; 3] = [true, true, false];

#[rustfmt::skip]
const TABLE: [Row; 52] = [
    ("get", "", "secrets", "any", "apps", ALL),
    ("list", "", "secrets", "", "apps", WATCHING),
    ("watch", "", "secrets", "", "apps", WATCHING),
    ("create", "", "secrets", "", "apps", ALL),
    ("patch", "", "secrets", "any", "apps", ALL),
    ("delete", "", "secrets", "any", "apps", ALL),
    ("update", "", "secrets", "any", "apps", NONE),
    ("deletecollection", "", "secrets", "", "apps", NONE),
    ("get", "", "secrets", "any", "elsewhere", CLUSTER_WIDE),
    ("list", "", "secrets", "", "elsewhere", [true, false, false]),
    ("list", "", "secrets", "", "", [true, false, false]),
    ("create", "", "secrets", "", "elsewhere", CLUSTER_WIDE),
    ("get", "", "secrets", "plomb-key-1", OWN, ALL),
    ("list", "", "secrets", "", OWN, ALL),
    ("watch", "", "secrets", "", OWN, ALL),
    ("create", "", "secrets", "", OWN, ALL),
    ("update", "", "secrets", "plomb-key-1", OWN, ALL),
    ("patch", "", "secrets", "plomb-key-1", OWN, ALL),
    ("deletecollection", "", "secrets", "", OWN, NONE),
    ("get", "plomb.dev", "encryptedsecrets", "any", "apps", ALL),
    ("list", "plomb.dev", "encryptedsecrets", "", "apps", ALL),
    ("watch", "plomb.dev", "encryptedsecrets", "", "apps", ALL),
    ("watch", "plomb.dev", "encryptedsecrets", "", "", CLUSTER_WIDE),
    ("patch", "plomb.dev", "encryptedsecrets/status", "any", "apps", ALL),
    // What lies in Git is not the controller's to change.
    ("create", "plomb.dev", "encryptedsecrets", "", "apps", NONE),
    ("patch", "plomb.dev", "encryptedsecrets", "any", "apps", NONE),
    ("update", "plomb.dev", "encryptedsecrets", "any", "apps", NONE),
    ("delete", "plomb.dev", "encryptedsecrets", "any", "apps", NONE),
    ("list", "bitnami.com", "sealedsecrets", "", "apps", ALL),
    ("patch", "bitnami.com", "sealedsecrets/status", "any", "apps", ALL),
    ("patch", "bitnami.com", "sealedsecrets", "any", "apps", NONE),
    ("list", "isindir.github.com", "sopssecrets", "", "apps", ALL),
    ("patch", "isindir.github.com", "sopssecrets/status", "any", "apps", ALL),
    ("list", "plomb.dev", "rewraprequests", "", "apps", ALL),
    ("patch", "plomb.dev", "rewraprequests/status", "any", "apps", ALL),
    ("create", "plomb.dev", "clusterrecipients", "", "", CLUSTER_WIDE),
    ("patch", "plomb.dev", "clusterrecipients/status", "any", "", CLUSTER_WIDE),
    ("create", "events.k8s.io", "events", "", "apps", ALL),
    ("create", "events.k8s.io", "events", "", OWN, ALL),
    ("list", "events.k8s.io", "events", "", "apps", NONE),
    ("update", "coordination.k8s.io", "leases", "plomb-controller", OWN, ALL),
    ("create", "coordination.k8s.io", "leases", "", OWN, ALL),
    ("update", "coordination.k8s.io", "leases", "another", OWN, NONE),
    ("update", "coordination.k8s.io", "leases", "plomb-controller", "apps", NONE),
    ("patch", "", "configmaps", "plomb-recipients", OWN, ALL),
    ("get", "", "configmaps", "another", OWN, NONE),
    ("get", "", "configmaps", "any", "apps", NONE),
    ("get", "", "namespaces", "apps", "", NONE),
    ("create", "", "pods", "", OWN, NONE),
    ("create", "", "serviceaccounts/token", "plomb-controller", OWN, NONE),
    ("create", "rbac.authorization.k8s.io", "rolebindings", "", OWN, NONE),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles", "plomb-controller", "", NONE),
];

#[test]
fn the_roles_allow_what_is_needed_and_nothing_else() {
    let test = "cluster-roles";
    let Some(server) = ApiServer::start(test) else { return };
    for name in [OWN, "apps", "elsewhere"] {
        server.apply(namespace(name));
    }
    let mut wrong = Vec::new();
    for (column, overlay) in ["cluster", "no-watch", "namespaced"].into_iter().enumerate() {
        let _ = server.kubectl(["delete", "clusterrole,clusterrolebinding", "plomb-controller", "--ignore-not-found"]);
        install(&server, &format!("overlays/{overlay}"));
        let settled = || (allowed(&server, &TABLE[9]) == TABLE[9].5[column]).then_some(());
        let _ = eventually(Duration::from_secs(10), settled);
        for row in &TABLE {
            if allowed(&server, row) != row.5[column] {
                let (verb, group, resource, name, space, _) = row;
                wrong.push(format!(
                    "{overlay}: {verb} {resource}.{group} {name} in '{space}' should be {}",
                    row.5[column]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The last overlay is the one without any ClusterRole. Now by the real thing: its token, its requests.
    for space in ["apps", "elsewhere"] {
        let secret = json!({"metadata": {"name": "foreign"}, "stringData": {"key": "value"}});
        assert!(server.create(&resource_path("v1", "secrets", space, ""), &secret).ok());
    }
    let token = server.service_account_token(OWN, "plomb-controller");
    let config = server.kubeconfig_for("controller", &token);
    let get = |space: &str| server.kubectl_with(&config).args(["get", "secret", "foreign", "--namespace", space]).run();
    let watched = get("apps");
    assert!(watched.ok(), "{}", watched.errors());
    let elsewhere = get("elsewhere");
    assert!(!elsewhere.ok() && elsewhere.errors().contains("Forbidden"), "{}", elsewhere.errors());
    peer::peer_test_ran(test);
}

fn allowed(server: &ApiServer, row: &Row) -> bool {
    let (verb, group, resource, name, space, _) = row;
    let (resource, part) = resource.split_once('/').unwrap_or((resource, ""));
    let what = json!({"verb": verb, "group": group, "resource": resource, "subresource": part, "name": name, "namespace": space});
    let user = format!("system:serviceaccount:{OWN}:plomb-controller");
    let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{OWN}"), "system:authenticated"];
    let review = json!({"spec": {"user": user, "groups": groups, "resourceAttributes": what}});
    let reply = server.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review);
    assert!(reply.ok(), "{}", reply.message());
    reply.json()["status"]["allowed"] == true
}
