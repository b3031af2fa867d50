//! The built controller beside a real API server, with a token of its own ServiceAccount and the shipped manifests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::cluster::{Daemon, eventually, free_port};
use testkit::{ApiServer, Peer, fixtures};

/// The controller's own namespace in the shipped manifests.
pub const OWN: &str = "plomb-system";

/// Applies one of the shipped folders and waits until its definitions are served.
pub fn install(server: &ApiServer, folder: &str) {
    server.apply(kustomized(server, folder));
    let words = ["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"];
    let waited = server.kubectl(words);
    assert!(waited.ok() || waited.errors().contains("no matching resources"), "{}", waited.errors());
}

/// What kustomize makes of one of the shipped folders.
pub fn kustomized(server: &ApiServer, folder: &str) -> String {
    let path = deploy(folder);
    let built = server.kubectl(["kustomize", path.to_str().expect("the path is text")]);
    assert!(built.ok(), "{folder}: {}", built.errors());
    built.text()
}

/// A file or folder of `controller/deploy`.
pub fn deploy(name: &str) -> PathBuf {
    fixtures::workspace().join("controller/deploy").join(name)
}

/// A running controller.
#[derive(Debug)]
pub struct Controller {
    /// The process.
    pub daemon: Daemon,
    port: u16,
}

impl Controller {
    /// Starts one with these arguments after `run`; `name` is the replica's.
    pub fn start(server: &ApiServer, name: &str, args: &[&str]) -> Self {
        Self::start_program(&Peer::Controller.find().expect("the test asked for it"), server, name, args)
    }

    /// The same with a program that no variable names.
    pub fn start_program(program: &Path, server: &ApiServer, name: &str, args: &[&str]) -> Self {
        let token = server.service_account_token(OWN, "plomb-controller");
        let config = server.kubeconfig_for(name, &token);
        let port = free_port();
        let listen = format!("--metrics-listen=127.0.0.1:{port}");
        let config = format!("--kubeconfig={}", config.display());
        let words = ["run", &listen, &config].into_iter().chain(args.iter().copied());
        // A person's key in the environment is none of its keys: `keys-life` has a resource that it would open.
        let person = fixtures::folder("keys/identities/k3.txt").display().to_string();
        let variables = [("POD_NAME", name), ("POD_NAMESPACE", OWN), ("SOPS_AGE_KEY_FILE", person.as_str())];
        Self { daemon: server.run_beside(program, name, words, &variables), port }
    }

    /// Waits until it leads and has read everything.
    pub fn leading(self) -> Self {
        let leads = || (self.is_ready() && self.metric("plomb_leader") == 1.0).then_some(());
        let found = eventually(Duration::from_secs(60), leads);
        assert!(found.is_some(), "the controller leads: {}", self.daemon.said());
        self
    }

    /// What `/readyz` says.
    pub fn is_ready(&self) -> bool {
        self.get("/readyz").starts_with("HTTP/1.0 200")
    }

    /// The sum over all lines of one metric whose name and labels begin so; 0 if there is none.
    pub fn metric(&self, start: &str) -> f64 {
        let text = self.get("/metrics");
        let of = |line: &str| line.strip_prefix(start).is_some_and(|rest| rest.starts_with([' ', '{', ',']));
        text.lines().filter(|line| of(line)).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// An answer of its HTTP listener, head and body; empty if there is none.
    pub fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return answer };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let _ = stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes());
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    /// Stops it as the kubelet does, and waits for the end.
    pub fn stop(self) {
        self.daemon.signal("TERM");
        assert!(self.daemon.wait(Duration::from_secs(30)), "it stops when it is told to");
    }
}
