//! The built controller beside a real API server, with a token of its own ServiceAccount and the shipped roles.

use crate::installation::cluster;
pub(crate) use e2e::cluster::{Controller, OWN};
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use testkit::cluster::{eventually, resource_path};
use testkit::{ApiServer, Peer, fixtures, peer};

/// Group and version of our kind.
pub(crate) const VERSION: &str = "plomb.dev/v1alpha1";
/// How long a test waits for what should take a moment.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The shared server with the shared controller on it, which holds the test keys; `None` after saying what is missing.
pub(crate) fn running(test: &str) -> Option<(&'static ApiServer, &'static Controller)> {
    static RUNNING: OnceLock<Controller> = OnceLock::new();
    peer::require(test, [Peer::Controller, Peer::Plomb])?;
    let server = cluster(test)?;
    let controller = RUNNING.get_or_init(|| {
        add_key(server, "plomb-key-test", "k1", "decrypt-only");
        Controller::start(server, "shared-controller", &[]).leading()
    });
    Some((server, controller))
}

/// Makes a key Secret of a test identity.
pub(crate) fn add_key(server: &ApiServer, name: &str, identity: &str, state: &str) {
    let text = std::fs::read_to_string(fixtures::folder("keys/identities").join(format!("{identity}.txt")));
    let secret = json!({
        "metadata": {"name": name, "labels": {"plomb.dev/key": state}},
        "stringData": {"identity.agekey": text.expect("the fixture is there")},
    });
    let reply = server.create(&resource_path("v1", "secrets", OWN, ""), &secret);
    assert!(reply.ok(), "{}", reply.message());
}

/// The recipient of a test identity.
pub(crate) fn recipient(identity: &str) -> String {
    let text = std::fs::read_to_string(fixtures::folder("keys/identities").join(format!("{identity}.txt")));
    let text = text.expect("the fixture is there");
    let line = text.lines().find_map(|line| line.split("public key: ").nth(1));
    line.expect("the file names its recipient").trim().to_owned()
}

/// The path of one of our resources, or of all in a namespace.
pub(crate) fn sealed(space: &str, name: &str) -> String {
    resource_path(VERSION, "encryptedsecrets", space, name)
}

/// The path of a Secret.
pub(crate) fn secret(space: &str, name: &str) -> String {
    resource_path("v1", "secrets", space, name)
}

/// Creates or changes one of our resources by server-side apply, as a person who pushes to Git does.
pub(crate) fn put(server: &ApiServer, object: &Value) {
    put_at(server, "encryptedsecrets", object);
}

/// The same for another kind.
pub(crate) fn put_at(server: &ApiServer, plural: &str, object: &Value) {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let path = resource_path(&text("/apiVersion"), plural, &text("/metadata/namespace"), &text("/metadata/name"));
    let reply = server.send(
        "PATCH",
        &format!("{path}?fieldManager=git&force=true"),
        "application/apply-patch+yaml",
        object.to_string(),
    );
    assert!(reply.ok(), "{path}: {}", reply.message());
}

/// The condition `Ready` of the generation that is there now.
pub(crate) fn ready(server: &ApiServer, path: &str) -> Option<Value> {
    let object = server.get(path).json();
    let generation = object["metadata"]["generation"].as_i64()?;
    let conditions = object["status"]["conditions"].as_array()?;
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready")?;
    let seen = ready["observedGeneration"].as_i64().or_else(|| object["status"]["observedGeneration"].as_i64())?;
    (seen == generation).then(|| ready.clone())
}

/// Waits until a resource is Ready; gives back how long that took.
pub(crate) fn wait_ready(server: &ApiServer, path: &str) -> Duration {
    let started = Instant::now();
    wait_reason(server, path, "Synced");
    started.elapsed()
}

/// Waits until the condition `Ready` has this reason; gives it back.
pub(crate) fn wait_reason(server: &ApiServer, path: &str, reason: &str) -> Value {
    let found = eventually(SOON, || ready(server, path).filter(|ready| ready["reason"] == reason));
    let is =
        |found: Option<Value>| found.unwrap_or_else(|| panic!("{path} is never {reason}: {}", status(server, path)));
    is(found)
}

fn status(server: &ApiServer, path: &str) -> Value {
    server.get(path).json()["status"].clone()
}

/// The events about an object: type and reason.
pub(crate) fn events(server: &ApiServer, space: &str, name: &str) -> Vec<(String, String, String)> {
    let all = server.get(&resource_path("events.k8s.io/v1", "events", space, "")).json();
    let about = all["items"].as_array().into_iter().flatten().filter(|event| event["regarding"]["name"] == name);
    let text = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
    about.map(|event| (text(event, "type"), text(event, "reason"), text(event, "note"))).collect()
}
