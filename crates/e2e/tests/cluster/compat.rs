//! What tools around Sealed Secrets ask its controller for: HTTP paths and metric names.

use crate::controller::{Controller, OWN, SOON, put_at, secret};
use crate::installation::{install, objects, other_kinds};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use testkit::cluster::{eventually, free_port};
use testkit::{ApiServer, Peer, fixtures, peer};

/// Sends one request; status and body.
fn ask(port: u16, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The same, later if too many were asked.
fn patiently(port: u16, path: &str, body: &str) -> (u16, String) {
    eventually(SOON, || Some(ask(port, "POST", path, body)).filter(|(code, _)| *code != 429)).expect("it answers")
}

fn add_key(server: &ApiServer, number: u32) {
    let file = |name: String| std::fs::read_to_string(fixtures::folder("sealed-secrets").join(name)).unwrap();
    let kind = ["PRIVATE", "KEY"].join(" ");
    let pem = format!("-----BEGIN {kind}-----\n{}-----END {kind}-----\n", file(format!("key{number}.pkcs8.base64")));
    let label = json!({"sealedsecrets.bitnami.com/sealed-secrets-key": "active"});
    let key = json!({"metadata": {"name": format!("sealed-secrets-key{number}"), "labels": label},
        "type": "kubernetes.io/tls", "stringData": {"tls.crt": file(format!("cert{number}.pem")), "tls.key": pem}});
    let reply = server.create(&secret(OWN, ""), &key);
    assert!(reply.ok(), "{}", reply.message());
}

fn resource(name: &str) -> Value {
    objects(&std::fs::read_to_string(fixtures::folder("sealed-secrets").join(name)).unwrap()).remove(0)
}

#[test]
fn kubeseal_finds_what_it_asks_for() {
    let test = "controller-compat";
    if peer::require(test, [Peer::Controller]).is_none() {
        return;
    }
    let Some(server) = ApiServer::start(test) else { return };
    install(&server, "overlays/cluster");
    server.apply(other_kinds());
    add_key(&server, 1);
    // Times of creation have whole seconds.
    std::thread::sleep(Duration::from_millis(1100));
    add_key(&server, 2);
    let port = free_port();
    let listen = format!("--compat-http=127.0.0.1:{port}");
    let controller = Controller::start(&server, "only", &[&listen, "--compat-metrics"]).leading();
    let (code, certificate) = ask(port, "GET", "/v1/cert.pem", "");
    let newest = std::fs::read_to_string(fixtures::folder("sealed-secrets").join("cert2.pem")).unwrap();
    assert_eq!((code, certificate), (200, newest));
    assert_eq!(ask(port, "GET", "/healthz", "").0, 200);
    // What opens, what was moved, what is no SealedSecret.
    let good = resource("db.strict.sealed.yaml");
    assert_eq!(patiently(port, "/v1/verify", &good.to_string()).0, 200);
    let yaml = std::fs::read_to_string(fixtures::folder("sealed-secrets").join("db.strict.sealed.yaml")).unwrap();
    assert_eq!(patiently(port, "/v1/verify", &yaml).0, 200, "as the file stands");
    assert_eq!(patiently(port, "/v1/rotate", &yaml).0, 200);
    assert_eq!(patiently(port, "/v1/verify", &format!("{yaml}\n---\n{yaml}")).0, 500, "one object");
    let mut moved = good.clone();
    moved["metadata"]["name"] = json!("other");
    assert_eq!(patiently(port, "/v1/verify", &moved.to_string()).0, 409);
    assert_eq!(patiently(port, "/v1/verify", "{}").0, 500);
    assert_eq!(patiently(port, "/v1/rotate", &moved.to_string()).0, 500);
    // Sealed to the newest key: without the first one it still opens, and the original does not.
    let (code, rotated) = patiently(port, "/v1/rotate", &good.to_string());
    assert_eq!(code, 200, "{rotated}");
    let rotated: Value = serde_json::from_str(&rotated).unwrap();
    assert_ne!(rotated["spec"]["encryptedData"], good["spec"]["encryptedData"]);
    assert_eq!(rotated["metadata"], good["metadata"]);
    assert!(server.delete(&secret(OWN, "sealed-secrets-key1")).ok());
    let closed = || (patiently(port, "/v1/verify", &good.to_string()).0 == 409).then_some(());
    assert!(eventually(SOON, closed).is_some(), "the first key is gone");
    assert_eq!(patiently(port, "/v1/verify", &rotated.to_string()).0, 200);
    // Counted under the names of the original, beside ours.
    let _ = server.create("/api/v1/namespaces", &json!({"metadata": {"name": good["metadata"]["namespace"]}}));
    put_at(&server, "sealedsecrets", &good);
    let failed = || (controller.metric("sealed_secrets_controller_unseal_errors_total") >= 1.0).then_some(());
    assert!(eventually(SOON, failed).is_some(), "{}", controller.get("/metrics"));
    let text = controller.get("/metrics");
    let answers = r#"sealed_secrets_controller_http_requests_total{path="/v1/verify",method="post",code="409"}"#;
    assert!(text.contains(answers) && text.contains("plomb_leader 1"), "{text}");
    assert_eq!(text.matches("# EOF").count(), 1, "{text}");
    peer::peer_test_ran(test);
}
