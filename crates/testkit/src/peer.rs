//! The real tools that we are compared with. `cargo xtask test` installs them and names them in variables; without
//! it a test that needs one skips aloud, and xtask fails if a test that it expects was skipped.

use std::io::Write;
use std::path::PathBuf;

/// A program that a test needs beside itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The plomb binary under test.
    Plomb,
    /// getsops/sops.
    Sops,
    /// FiloSottile/age.
    Age,
    /// FiloSottile/age's key generator.
    AgeKeygen,
    /// strace, for faults at single system calls.
    Strace,
    /// gitleaks/gitleaks.
    Gitleaks,
    /// gitleaks' own rules, as its Go module ships them; read for comparison, never copied.
    GitleaksConfig,
    /// The pre-commit framework.
    PreCommit,
    /// The command `jsonschema`, from PyPI.
    JsonSchema,
    /// The official JSON schema of SARIF 2.1.0, as the crate serde-sarif ships it; read for comparison, never copied.
    SarifSchema,
    /// Our own controller under test.
    Controller,
    /// etcd, below the API server.
    Etcd,
    /// Kubernetes' API server.
    KubeApiserver,
    /// Kubernetes' controller manager: garbage collection, namespaces, ServiceAccounts.
    KubeControllerManager,
    /// Kubernetes' client, with kustomize inside.
    Kubectl,
    /// Kustomize on its own: the one inside kubectl starts no exec functions.
    Kustomize,
    /// Helm, which renders charts.
    Helm,
    /// gopher-lua, in which Argo CD runs health scripts.
    Lua,
}

impl Peer {
    /// The variable that names the program.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Plomb => "PLOMB_BIN",
            Self::Sops => "PLOMB_SOPS",
            Self::Age => "PLOMB_AGE",
            Self::AgeKeygen => "PLOMB_AGE_KEYGEN",
            Self::Strace => "PLOMB_STRACE",
            Self::Gitleaks => "PLOMB_GITLEAKS",
            Self::GitleaksConfig => "PLOMB_GITLEAKS_CONFIG",
            Self::PreCommit => "PLOMB_PRE_COMMIT",
            Self::JsonSchema => "PLOMB_JSONSCHEMA",
            Self::SarifSchema => "PLOMB_SARIF_SCHEMA",
            Self::Controller => "PLOMB_CONTROLLER_BIN",
            Self::Etcd => "PLOMB_ETCD",
            Self::KubeApiserver => "PLOMB_KUBE_APISERVER",
            Self::KubeControllerManager => "PLOMB_KUBE_CONTROLLER_MANAGER",
            Self::Kubectl => "PLOMB_KUBECTL",
            Self::Kustomize => "PLOMB_KUSTOMIZE",
            Self::Helm => "PLOMB_HELM",
            Self::Lua => "PLOMB_LUA",
        }
    }

    /// The program, if its variable names a file.
    pub fn find(self) -> Option<PathBuf> {
        let path = PathBuf::from(std::env::var_os(self.variable())?);
        path.is_file().then_some(path)
    }
}

/// The programs a test needs, in order; or `None` after saying which one is missing.
pub fn require<const N: usize>(test: &str, peers: [Peer; N]) -> Option<[PathBuf; N]> {
    if let Some(missing) = peers.iter().find(|peer| peer.find().is_none()) {
        skip(test, &format!("{} names no file", missing.variable()));
        return None;
    }
    Some(peers.map(|peer| peer.find().expect("looked up just before")))
}

/// Says that a test did not run. Always visible: it does not pass through the test harness's capture.
pub fn skip(test: &str, why: &str) {
    say(&format!("SKIPPED: {test}: {why}"));
}

/// Says that a test which needs a peer really ran to its end; `cargo xtask test` collects these lines.
pub fn peer_test_ran(test: &str) {
    say(&format!("PEER-TEST {test} ok"));
}

/// A line of its own on the real standard output, even while the harness has a line open.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n{line}");
    let _ = out.flush();
}

/// Does this process belong to root? Tests of file permissions mean nothing then.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}
