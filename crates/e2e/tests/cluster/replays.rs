//! What somebody can do with ciphertext that he may copy and apply, and cannot open: a condition, an event, and never a
//! Secret. (`reasons.rs` drives the files of `fixtures/resources/refused`; here a live resource is taken apart.)

use crate::controller::{SOON, events, put, running, sealed, secret, wait_ready, wait_reason};
use crate::installation::objects;
use crate::make::Workshop;
use serde_json::{Value, json};
use testkit::cluster::eventually;
use testkit::{ApiServer, peer};

/// A copy of the victim's resource: where it is put, what is changed in it, and how that ends.
struct Copy {
    what: &'static str,
    space: String,
    name: &'static str,
    changes: Vec<(&'static str, Value)>,
    reason: &'static str,
}

/// Where the victim's values are.
const VALUES: [&str; 2] = ["/spec/secrets/db/stringData/admin", "/spec/secrets/db/stringData/password"];

#[test]
fn a_copy_never_becomes_a_secret() {
    let test = "controller-replays";
    let Some((server, _)) = running(test) else { return };
    let (space, foreign) = (server.namespace("victim"), server.namespace("attacker"));
    let workshop = Workshop::new(test);
    let older = workshop.resource(&space, "db", &[("admin", "root-pw"), ("password", "app-pw")]);
    let newer = with_value(&workshop, "password", "changed");
    put(server, &newer);
    wait_ready(server, &sealed(&space, "db"));
    let before = server.get(&secret(&space, "db")).json();
    // A file that may go anywhere, sealed by the same people.
    let free = scoped(&workshop, &foreign, "cluster");
    for copy in elsewhere(&space, &foreign, &free).into_iter().chain(in_place(&space, &newer, &older)) {
        let what = copy.what;
        refused(server, &newer, &copy);
        let live = server.get(&secret(&space, "db")).json();
        assert_eq!(live["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"], "{what}");
        assert_eq!(server.get(&secret(&foreign, "db")).status, 404, "{what}");
        assert_eq!(server.get(&secret(&space, "db-copy")).status, 404, "{what}");
    }
    // A changed selector does not get in at all.
    let mut wider = newer.clone();
    wider["metadata"] = json!({"name": "wider", "namespace": foreign});
    wider["sops"]["encrypted_regex"] = json!("^(binding)$");
    let reply = server.create(&sealed(&foreign, ""), &wider);
    assert!(reply.status == 422 && reply.message().contains("encrypted_regex"), "{}", reply.message());
    peer::peer_test_ran(test);
}

/// Put into another place, with and without parts of a file that may go there.
fn elsewhere(space: &str, foreign: &str, free: &Value) -> Vec<Copy> {
    let of = |what, place: &'static str, reason| {
        let changes = if place.is_empty() { vec![] } else { vec![(place, free.pointer(place).unwrap().clone())] };
        Copy { what, space: foreign.to_owned(), name: "db", changes, reason }
    };
    let unbound = vec![("/spec/binding", json!(""))];
    vec![
        of("as it is, elsewhere", "", "BindingMismatch"),
        Copy { space: space.to_owned(), name: "db-copy", ..of("under another name", "", "BindingMismatch") },
        of("scope widened", "/spec/binding", "DecryptFailed"),
        Copy { changes: unbound, ..of("no scope at all", "", "BindingMismatch") },
        of("another file's readers", "/sops/age", "DecryptFailed"),
        of("a whole sops block", "/sops", "DecryptFailed"),
    ]
}

/// Put over the victim's own resource.
fn in_place(space: &str, newer: &Value, older: &Value) -> Vec<Copy> {
    let of = |what, changes, reason| Copy { what, space: space.to_owned(), name: "db", changes, reason };
    let value = |from: &Value, place: &str| from.pointer(place).unwrap().clone();
    let [admin, password] = VALUES;
    let swapped = vec![(admin, value(newer, password)), (password, value(newer, admin))];
    let template = json!({"shown": "${admin}"});
    vec![
        of("two values swapped", swapped, "DecryptFailed"),
        of("one value put back", vec![(password, value(older, password))], "MacMismatch"),
        of("one value emptied", vec![(admin, json!(""))], "MacMismatch"),
        of("another type", vec![("/spec/secrets/db/type", json!("example.org/x"))], "ShapeMismatch"),
        of("made to take over", vec![("/spec/policy", json!({"conflict": "Adopt"}))], "ShapeMismatch"),
        of("a value shown in another", vec![("/spec/secrets/db/template", template)], "ShapeMismatch"),
    ]
}

/// A condition and an event.
fn refused(server: &ApiServer, from: &Value, copy: &Copy) {
    let Copy { what, space, name, changes, reason } = copy;
    let mut object = from.clone();
    object["metadata"] = json!({"name": name, "namespace": space});
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    put(server, &object);
    let state = wait_reason(server, &sealed(space, name), reason);
    assert_eq!(state["status"], "False", "{what}: {state}");
    let told = || events(server, space, name).into_iter().find(|(type_, of, _)| type_ == "Warning" && of == reason);
    assert!(eventually(SOON, told).is_some(), "{what}: no event");
}

/// The resource that was made last, with one value changed as a person does: same data key, new MAC.
fn with_value(workshop: &Workshop, key: &str, value: &str) -> Value {
    let place = format!(r#"["spec"]["secrets"]["db"]["stringData"]["{key}"]"#);
    workshop.plomb(&["set", "--value-stdin", "r.yaml", &place], format!("{value:?}"));
    objects(&std::fs::read_to_string(workshop.scratch.path("r.yaml")).unwrap()).remove(0)
}

fn scoped(workshop: &Workshop, space: &str, scope: &str) -> Value {
    let plain = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": space},
                       "stringData": {"admin": "x", "password": "y"}});
    let age = crate::controller::recipient("k1");
    let words = [
        "seal",
        "-",
        "--resource",
        "db",
        "--namespace",
        space,
        "--age",
        &age,
        "--scope",
        scope,
        "-o",
        "f.yaml",
        "--force",
    ];
    workshop.plomb(&words, plain.to_string());
    objects(&std::fs::read_to_string(workshop.scratch.path("f.yaml")).unwrap()).remove(0)
}
