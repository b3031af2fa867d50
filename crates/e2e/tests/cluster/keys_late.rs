//! The controller comes up before its old keys do, and makes one of its own: the chain that people pinned goes on all the
//! same, and what was sealed meanwhile opens.

use crate::controller::{OWN, SOON, sealed, secret, wait_ready};
use crate::installation::install;
use crate::keys::Life;
use serde_json::{Value, json};
use testkit::cluster::eventually;
use testkit::{Peer, fixtures, peer};

#[test]
fn the_pinned_chain_goes_on_though_another_key_was_made_first() {
    let test = "keys-late";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(mut life) = Life::begin(test) else { return };
    // Two keys, pinned and escrowed.
    let controller = life.start("first", &[]);
    published(&life, 1);
    controller.stop();
    let created = json!({"metadata": {"annotations": {"plomb.dev/created": "2026-01-01T00:00:00Z"}}});
    life.change_key(&life.keys()[0].0, &created);
    let controller = life.start("renewed", &[]);
    let old = published(&life, 2);
    let file = life.workshop.scratch.write("published.yaml", life.published());
    assert!(life.pin(&life.published(), &[]).ok());
    let sealed_before = life.seal("db", &[&old]);
    controller.stop();
    // Everything is gone, and the controller is faster than the person with the recovery key.
    life.server.wipe();
    install(&life.server, "overlays/cluster");
    life.space = life.server.namespace("life");
    let controller = life.start("too-early", &[]);
    let own = published(&life, 1);
    assert_ne!(own, old);
    life.put_ready("meanwhile", &[&own]);
    let refused = life.pin(&life.published(), &["--check"]);
    assert!(!refused.ok(), "another key is no news of the old one");
    let identity = fixtures::folder("keys/identities/k2.txt");
    let words = ["keys", "restore", "--escrow", file.to_str().unwrap(), "--identity", identity.to_str().unwrap()];
    life.server.apply(life.workshop.plomb(&words, String::new()));
    assert_eq!(published(&life, 3), old, "{}", controller.daemon.said());
    // Another cluster, and nothing else that is new: the same statement key.
    let uid = life.server.get("/api/v1/namespaces/kube-system").json()["metadata"]["uid"].clone();
    let pinned = life.pin(&life.published(), &["--accept-cluster", uid.as_str().unwrap()]);
    assert!(pinned.ok() && pinned.text().trim() == old, "{} {}", pinned.text(), pinned.errors());
    // The file in Git is of the namespace that was; a new one, for the same recipient.
    assert_eq!(sealed_before["sops"]["age"][0]["recipient"], json!(old));
    life.put_ready("db", &[&old]);
    let meanwhile = sealed(&life.space, "meanwhile");
    assert!(life.server.merge(&meanwhile, &json!({"metadata": {"annotations": {"plomb.dev/reconcile-at": "1"}}})).ok());
    wait_ready(&life.server, &meanwhile);
    life.wait_rewrap_needed("meanwhile", "True");
    let states = |own: &str| life.keys().into_iter().find(|(_, _, of)| of == own).map(|(name, state, _)| (name, state));
    let (name, state) = states(&own).unwrap();
    assert_eq!(state, "decrypt-only");
    let statements = &life.server.get(&secret(OWN, &name)).json()["data"]["statements.json"];
    assert_eq!(statements, "W10=", "its own chain is over");
    controller.stop();
    peer::peer_test_ran(test);
}

/// Waits until so many statements are published and escrowed; gives back the recipient.
fn published(life: &Life, number: u32) -> String {
    let status = || Some(life.wait("Escrowed", "Escrowed")).filter(|status| status["number"] == json!(number));
    let status: Value = eventually(SOON, status).unwrap_or_else(|| panic!("{}", life.published()));
    life.wait("Ready", "Published");
    status["recipient"].as_str().unwrap_or_default().to_owned()
}
