//! A key is renewed and revoked while the controller runs: whatever depends on it is looked at again, without a restart and
//! long before its interval.

use crate::controller::{OWN, SOON, add_key, sealed, secret, wait_reason};
use crate::keys::Life;
use serde_json::{Value, json};
use testkit::cluster::eventually;
use testkit::{Peer, peer};

#[test]
fn what_lists_a_key_hears_of_its_renewal_and_revocation() {
    let test = "keys-woken";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(life) = Life::begin(test) else { return };
    let controller = life.start("woken", &[]);
    let first = life.wait("Escrowed", "Escrowed")["recipient"].as_str().unwrap().to_owned();
    life.put_ready("db", &[&first]);
    life.wait_rewrap_needed("db", "False");
    let named = |own: &str| life.keys().into_iter().find(|(_, _, of)| of == own);
    let active = || life.keys().into_iter().find(|(_, state, _)| state == "active").unwrap();
    // 90 days later. What else comes among the keys makes the controller look now and not within a minute.
    let annotate = |name: &str, to: Value| life.change_key(name, &json!({"metadata": {"annotations": to}}));
    annotate(&active().0, json!({"plomb.dev/created": "2026-01-01T00:00:00Z"}));
    add_key(&life.server, "plomb-key-more", "k3", "decrypt-only");
    let renewed = || named(&first).filter(|(_, state, _)| state == "decrypt-only");
    assert!(eventually(SOON, renewed).is_some(), "{:?} {}", life.keys(), controller.daemon.said());
    life.wait_rewrap_needed("db", "True");
    let second = active();
    // The new key is leaked at once.
    life.put_ready("late", &[&second.2]);
    life.wait_rewrap_needed("late", "False");
    annotate(&second.0, json!({"plomb.dev/revoke": "true"}));
    assert!(life.server.delete(&secret(OWN, "plomb-key-more")).ok());
    let state = wait_reason(&life.server, &sealed(&life.space, "late"), "KeyRevoked");
    assert_eq!(state["status"], "False", "{state}");
    assert_eq!(life.server.get(&sealed(&life.space, "db")).json()["status"]["conditions"][1]["reason"], "Synced");
    controller.stop();
    peer::peer_test_ran(test);
}
