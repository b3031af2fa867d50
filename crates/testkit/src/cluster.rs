//! A real API server for tests: etcd, kube-apiserver, and by wish the controller manager, on loopback ports of their
//! own in a scratch folder. They end with the test process, however that ends.
//!
//! Starting one takes five seconds, so most tests share one and keep to namespaces of their own
//! (`ApiServer::shared`); those that freeze, kill or wipe it start one for themselves. Logs lie in
//! `target/cluster-logs/NAME`.

mod daemon;
mod fault_proxy;
mod files;
mod http;

pub use daemon::{Daemon, Sweep};
pub use fault_proxy::{Fault, FaultProxy, Rule};
pub use http::Reply;

use crate::command::{Outcome, Run};
use crate::peer::{self, Peer};
use crate::{Scratch, fixtures};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A machine that does everything else at the same time may need this long; an idle one needs six seconds.
const START_LIMIT: Duration = Duration::from_secs(180);
/// For one request or one kubectl.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);

/// The running servers.
#[derive(Debug)]
pub struct ApiServer {
    programs: [PathBuf; 4],
    scratch: Scratch,
    logs: PathBuf,
    admin: String,
    parts: Mutex<Parts>,
    namespaces: AtomicUsize,
    faults: OnceLock<FaultProxy>,
    _sweep: Sweep,
}

#[derive(Debug, Default)]
struct Parts {
    ports: [u16; 3],
    /// Counts the wiped etcds.
    era: usize,
    etcd: Option<Daemon>,
    server: Option<Daemon>,
    manager: Option<Daemon>,
    proxy: Option<Daemon>,
}

impl ApiServer {
    /// The server that the tests of this process share, without the controller manager; `None` after saying that the
    /// test is skipped because a peer is missing.
    pub fn shared(test: &str) -> Option<&'static Self> {
        static SHARED: OnceLock<ApiServer> = OnceLock::new();
        let programs = programs(test)?;
        Some(SHARED.get_or_init(|| Self::start_programs("shared", programs)))
    }

    /// A server of its own for a test that does something to it, without the controller manager; `None` after saying
    /// that the test is skipped because a peer is missing.
    pub fn start(test: &str) -> Option<Self> {
        Some(Self::start_programs(test, programs(test)?))
    }

    /// A server of these programs: etcd, kube-apiserver, kube-controller-manager, kubectl.
    pub fn start_programs(name: &str, programs: [PathBuf; 4]) -> Self {
        let started = Instant::now();
        let scratch = Scratch::new(&format!("cluster-{name}"));
        let logs = fixtures::target().join("cluster-logs").join(name);
        let _ = std::fs::remove_dir_all(&logs);
        std::fs::create_dir_all(&logs).expect("the target folder is writable");
        let sweep = Sweep::new(scratch.root());
        let (parts, namespaces, faults) = (Mutex::default(), AtomicUsize::new(0), OnceLock::new());
        let server = Self { programs, scratch, logs, admin: files::token(), parts, namespaces, faults, _sweep: sweep };
        server.prepare();
        server.start_on_free_ports();
        server.start_proxy();
        peer::say(&format!("API server for {name} ready after {:.1} s", started.elapsed().as_secs_f64()));
        server
    }

    fn prepare(&self) {
        let pki = self.pki();
        std::fs::create_dir_all(&pki).expect("the scratch folder is writable");
        files::write_signing_key(&pki.join("sa.key"));
        let tokens = format!("{},admin,admin,\"system:masters\"\n", self.admin);
        std::fs::write(pki.join("tokens.csv"), tokens).expect("the scratch folder is writable");
    }

    /// A port may be taken between the look and the start: then all begins again with others.
    fn start_on_free_ports(&self) {
        for _ in 0..5 {
            let mut parts = self.parts();
            parts.ports = [files::free_port(), files::free_port(), files::free_port()];
            self.start_etcd(&mut parts);
            self.start_server(&mut parts);
            let port = parts.ports[2];
            drop(parts);
            files::write_kubeconfig(&self.kubeconfig(), &local(port), &self.authority(), &self.admin);
            if self.wait_until_ready(START_LIMIT) {
                return;
            }
        }
        panic!("the API server does not start; see {}", self.logs.display());
    }

    fn start_etcd(&self, parts: &mut Parts) {
        let (client, peer) =
            (format!("http://127.0.0.1:{}", parts.ports[0]), format!("http://127.0.0.1:{}", parts.ports[1]));
        let data = self.scratch.root().join(format!("etcd-{}", parts.era));
        let args = [
            format!("--data-dir={}", data.display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ];
        parts.etcd = Some(self.daemon(&self.programs[0], &args, "etcd"));
    }

    fn start_server(&self, parts: &mut Parts) {
        let pki = self.pki();
        let key = pki.join("sa.key");
        let args = [
            format!("--etcd-servers=http://127.0.0.1:{}", parts.ports[0]),
            format!("--secure-port={}", parts.ports[2]),
            format!("--cert-dir={}", pki.display()),
            format!("--service-account-key-file={}", key.display()),
            format!("--service-account-signing-key-file={}", key.display()),
            format!("--token-auth-file={}", pki.join("tokens.csv").display()),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            // It would wait for the tokens of a controller manager that is not always there.
            "--disable-admission-plugins=ServiceAccount".to_owned(),
            "--allow-privileged=true".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
        ];
        parts.server = Some(self.daemon(&self.programs[1], &args, "kube-apiserver"));
    }

    /// Starts garbage collection by owner, the deletion of namespaces, and default ServiceAccounts. Kinds that are
    /// defined later are collected, too, but it may be half a minute until that is noticed.
    pub fn start_controller_manager(&self) {
        let key = self.pki().join("sa.key");
        let args = [
            format!("--kubeconfig={}", self.kubeconfig().display()),
            format!("--service-account-private-key-file={}", key.display()),
            format!("--root-ca-file={}", self.authority().display()),
            // Without these two it would listen on every interface.
            "--bind-address=127.0.0.1".to_owned(),
            "--secure-port=0".to_owned(),
            "--leader-elect=false".to_owned(),
            "--controllers=garbagecollector,namespace,serviceaccount,serviceaccount-token".to_owned(),
        ];
        self.parts().manager = Some(self.daemon(&self.programs[2], &args, "kube-controller-manager"));
    }

    fn start_proxy(&self) {
        let config = format!("--kubeconfig={}", self.kubeconfig().display());
        let socket = format!("--unix-socket={}", self.socket().display());
        let _ = std::fs::remove_file(self.socket());
        let proxy = self.daemon(&self.programs[3], &["proxy".to_owned(), config, socket], "kubectl-proxy");
        let deadline = Instant::now() + REQUEST_LIMIT;
        while !self.socket().exists() {
            assert!(proxy.is_running() && Instant::now() < deadline, "kubectl proxy: {}", proxy.said());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.parts().proxy = Some(proxy);
    }

    fn daemon(&self, program: &Path, args: &[String], name: &str) -> Daemon {
        Daemon::start(program, args, &[], &self.scratch.home(), &self.logs.join(format!("{name}.log")))
    }

    /// False if one of the servers ended or the time is over.
    fn wait_until_ready(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            let parts = self.parts();
            let runs = |part: &Option<Daemon>| part.as_ref().is_some_and(Daemon::is_running);
            if !runs(&parts.etcd) || !runs(&parts.server) {
                return false;
            }
            let listens = std::net::TcpStream::connect(("127.0.0.1", parts.ports[2])).is_ok();
            drop(parts);
            if listens && self.authority().is_file() && self.kubectl(["get", "--raw", "/readyz"]).ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    // ---- What tests do to it ----

    /// Stops the API server in its tracks: connections stay open, and nothing is answered.
    pub fn freeze(&self) {
        self.signal_server("STOP");
    }

    /// Lets a frozen API server go on.
    pub fn thaw(&self) {
        self.signal_server("CONT");
    }

    fn signal_server(&self, name: &str) {
        if let Some(server) = &self.parts().server {
            server.signal(name);
        }
    }

    /// Kills the API server; what it stored stays.
    pub fn kill(&self) {
        self.parts().server = None;
    }

    /// Starts the killed API server again on the same port and data, and waits until it is ready.
    pub fn restart(&self) {
        self.start_server(&mut self.parts());
        assert!(self.wait_until_ready(START_LIMIT), "the API server comes back; see {}", self.logs.display());
    }

    /// Kills API server and etcd, and starts both again on the same data.
    pub fn kill_and_restart(&self) {
        let mut parts = self.parts();
        (parts.server, parts.etcd) = (None, None);
        self.start_etcd(&mut parts);
        drop(parts);
        self.restart();
    }

    /// The cluster is gone: the same address, a new and empty etcd.
    pub fn wipe(&self) {
        let mut parts = self.parts();
        (parts.server, parts.etcd) = (None, None);
        parts.era += 1;
        self.start_etcd(&mut parts);
        drop(parts);
        self.restart();
        let mut parts = self.parts();
        if parts.manager.take().is_some() {
            drop(parts);
            self.start_controller_manager();
        }
    }

    /// CPU time so far of the API server and of etcd, in this order; zero for one that does not run.
    pub fn cpu_time(&self) -> (Duration, Duration) {
        let parts = self.parts();
        let of = |part: &Option<Daemon>| part.as_ref().and_then(Daemon::cpu_time).unwrap_or_default();
        (of(&parts.server), of(&parts.etcd))
    }

    // ---- What tests ask of it ----

    /// The kubeconfig of the administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.scratch.root().join("admin.kubeconfig")
    }

    /// A kubeconfig for another bearer token. Once there is a fault proxy, it leads through that.
    pub fn kubeconfig_for(&self, name: &str, token: &str) -> PathBuf {
        let path = self.scratch.root().join(format!("{name}.kubeconfig"));
        let url = self.faults.get().map_or_else(|| local(self.port()), FaultProxy::url);
        files::write_kubeconfig(&path, &url, &self.authority(), token)
    }

    /// The proxy that can do harm to the requests of whoever gets a kubeconfig from now on; started when first asked
    /// for. The requests of the test itself do not pass through it.
    pub fn faults(&self) -> &FaultProxy {
        self.faults.get_or_init(|| FaultProxy::start(self.socket()))
    }

    /// A token of a ServiceAccount, as the TokenRequest API gives it.
    pub fn service_account_token(&self, namespace: &str, name: &str) -> String {
        let outcome = self.kubectl(["create", "token", "--namespace", namespace, name]);
        assert!(outcome.ok(), "{}", outcome.errors());
        outcome.text().trim().to_owned()
    }

    /// A new namespace whose name begins so.
    pub fn namespace(&self, prefix: &str) -> String {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        let name = format!("{prefix}-{number}");
        let body = format!(r#"{{"metadata":{{"name":"{name}"}}}}"#);
        let reply = self.send("POST", "/api/v1/namespaces", "application/json", body);
        assert!(reply.ok(), "{}", reply.message());
        name
    }

    /// Runs kubectl as administrator.
    pub fn kubectl<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Outcome {
        self.kubectl_with(&self.kubeconfig()).args(args).run()
    }

    /// Runs kubectl as administrator with something on standard input.
    pub fn kubectl_stdin<'a>(&self, args: impl IntoIterator<Item = &'a str>, stdin: impl Into<Vec<u8>>) -> Outcome {
        self.kubectl_with(&self.kubeconfig()).args(args).stdin(stdin).run()
    }

    /// A kubectl for another kubeconfig, about to be run.
    pub fn kubectl_with(&self, kubeconfig: &Path) -> Run {
        Run::new(&self.programs[3], &self.scratch).env("KUBECONFIG", kubeconfig).limit(REQUEST_LIMIT)
    }

    /// Applies manifests server-side; panics with kubectl's words if that fails.
    pub fn apply(&self, manifests: impl Into<Vec<u8>>) {
        let outcome = self.kubectl_stdin(["apply", "--server-side", "--force-conflicts", "-f", "-"], manifests);
        assert!(outcome.ok(), "{}", outcome.errors());
    }

    /// Sends a request as administrator.
    pub fn send(&self, method: &str, path: &str, kind: &str, body: impl AsRef<[u8]>) -> Reply {
        http::send(&self.socket(), method, path, kind, body.as_ref(), REQUEST_LIMIT)
    }

    /// GET.
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "application/json", b"")
    }

    /// POST of a JSON object.
    pub fn create(&self, path: &str, object: &serde_json::Value) -> Reply {
        self.send("POST", path, "application/json", object.to_string())
    }

    /// PATCH with a JSON merge patch.
    pub fn merge(&self, path: &str, patch: &serde_json::Value) -> Reply {
        self.send("PATCH", path, "application/merge-patch+json", patch.to_string())
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, "application/json", b"")
    }

    /// A program that runs beside the servers and writes into their log folder.
    pub fn run_beside<'a>(
        &self,
        program: &Path,
        name: &str,
        args: impl IntoIterator<Item = &'a str>,
        variables: &[(&str, &str)],
    ) -> Daemon {
        Daemon::start(program, args, variables, &self.scratch.home(), &self.logs.join(format!("{name}.log")))
    }

    /// Where the logs lie.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// The scratch world of these servers.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// The port of the API server on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.parts().ports[2]
    }

    /// The certificate that the API server made for itself.
    pub fn authority(&self) -> PathBuf {
        self.pki().join("apiserver.crt")
    }

    fn pki(&self) -> PathBuf {
        self.scratch.root().join("pki")
    }

    fn socket(&self) -> PathBuf {
        self.scratch.root().join("proxy")
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn local(port: u16) -> String {
    format!("https://127.0.0.1:{port}")
}

fn programs(test: &str) -> Option<[PathBuf; 4]> {
    peer::require(test, [Peer::Etcd, Peer::KubeApiserver, Peer::KubeControllerManager, Peer::Kubectl])
}

/// A port of 127.0.0.1 that is free now, outside the range from which the system takes ports for connections.
pub fn free_port() -> u16 {
    files::free_port()
}

/// The path of a namespaced resource, or of a whole collection when `name` is empty.
pub fn resource_path(api_version: &str, plural: &str, namespace: &str, name: &str) -> String {
    let group = if api_version.contains('/') { "apis" } else { "api" };
    let space = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
    let name = if name.is_empty() { String::new() } else { format!("/{name}") };
    format!("/{group}/{api_version}{space}/{plural}{name}")
}

/// Asks until the answer is `Some`, every 20 milliseconds; `None` after the limit.
pub fn eventually<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
