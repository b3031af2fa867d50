//! Argo CD's health script, run by the Lua that Argo CD runs it in, over objects as the API server has them.

use crate::controller::{put, running, sealed, wait_ready, wait_reason};
use crate::make::Workshop;
use serde_json::{Value, json};
use std::path::Path;
use testkit::{Peer, Scratch, peer};

/// Both places where the script is: for people, and in the patch that `kubectl` takes.
fn scripts() -> [String; 2] {
    let read = |name: &str| std::fs::read_to_string(e2e::cluster::deploy(name)).unwrap();
    let patch = read("argocd/argocd-cm.yaml");
    let inside = patch.split("health.plomb.dev_EncryptedSecret: |\n").nth(1).unwrap();
    let lines = inside.lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
    [read("argocd/health.lua"), lines.collect::<Vec<_>>().join("\n")]
}

/// A JSON value as Lua writes it. Argo CD hands tables over, and no key for a null.
fn lua(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => format!("\"{}\"", text.bytes().map(|byte| format!("\\{byte:03}")).collect::<String>()),
        Value::Array(items) => format!("{{{}}}", items.iter().map(lua).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let of = |(name, value): (&String, &Value)| format!("[{}]={}", lua(&json!(name)), lua(value));
            format!("{{{}}}", fields.iter().map(of).collect::<Vec<_>>().join(","))
        }
    }
}

/// Status and message that the script gives this object.
fn health(program: &Path, script: &str, object: &Value) -> (String, String) {
    let scratch = Scratch::new("health");
    let call = "print(health.status)\nprint(health.message)\n";
    let text = format!("obj = {}\nlocal health = (function()\n{script}\nend)()\n{call}", lua(object));
    let done = scratch.command(program).arg(scratch.write("health.lua", text)).run();
    assert!(done.ok(), "{}", done.errors());
    let said = done.text();
    let (status, message) = said.trim_end().split_once('\n').unwrap();
    (status.to_owned(), message.to_owned())
}

#[test]
fn argo_cd_sees_what_the_conditions_say() {
    let test = "argocd-health";
    let Some([program]) = peer::require(test, [Peer::Lua]) else { return };
    let Some((server, _)) = running(test) else { return };
    let space = server.namespace("argocd");
    let workshop = Workshop::new(test);
    put(server, &workshop.resource(&space, "good", &[("password", "x")]));
    let stranger = Workshop::sealing_to(&format!("{test}-stranger"), &crate::controller::recipient("k3"));
    put(server, &stranger.resource(&space, "keyless", &[("password", "x")]));
    let mut paused = workshop.resource(&space, "paused", &[("password", "x")]);
    paused["spec"]["suspend"] = json!(true);
    put(server, &paused);
    wait_ready(server, &sealed(&space, "good"));
    wait_reason(server, &sealed(&space, "keyless"), "KeyNotFound");
    wait_reason(server, &sealed(&space, "paused"), "Suspended");
    let live = |name: &str| server.get(&sealed(&space, name)).json();
    let (good, mut changed, mut new) = (live("good"), live("good"), live("good"));
    changed["metadata"]["generation"] = json!(good["metadata"]["generation"].as_i64().unwrap() + 1);
    new.as_object_mut().unwrap().remove("status");
    let cases = [
        (good, "Healthy", "Synced: 1 Secret is as the resource says"),
        (live("keyless"), "Degraded", "KeyNotFound: "),
        (live("paused"), "Suspended", "suspended"),
        (changed, "Progressing", "the controller has not seen this generation yet"),
        (new, "Progressing", "waiting for the controller"),
    ];
    let [own, patched] = scripts();
    assert_eq!(own.trim_end(), patched.trim_end(), "both places hold the same script");
    for (object, status, message) in &cases {
        let (found, said) = health(&program, &own, object);
        assert!(found == *status && said.starts_with(message), "{status} {message}: {found} {said}");
    }
    peer::peer_test_ran(test);
}
