//! The homelab's story on a real API server: installed from the manifests, sealed to people and to the cluster's own
//! key, applied, wiped, and back from Git; first with the escrowed key, then with a brand-new one.

use crate::controller::{Controller, OWN, put, ready, recipient, sealed, secret};
use crate::installation::{install, namespace, objects};
use crate::make::Workshop;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use testkit::cluster::eventually;
use testkit::{ApiServer, Peer, fixtures, peer};

/// Namespace and name of a Secret, and its data in base64.
type Secrets = BTreeMap<(String, String), Value>;

struct Homelab {
    server: ApiServer,
    workshop: Workshop,
    /// What must be in the cluster in the end.
    wanted: Secrets,
    /// Files to seal: namespace and path.
    files: Vec<(String, PathBuf)>,
}

#[test]
fn a_wiped_homelab_comes_back_from_git() {
    let test = "homelab";
    if peer::require(test, [Peer::Controller, Peer::Plomb]).is_none() {
        return;
    }
    let Some(server) = ApiServer::start(test) else { return };
    let (wanted, files) = plain();
    assert!(wanted.len() >= 20, "{} Secrets", wanted.len());
    let homelab = Homelab { server, workshop: Workshop::new(test), wanted, files };
    // The first day. The recovery key (k2) lies in a drawer; k1 belongs to the owner.
    homelab.install();
    let recovery = format!("--recovery-recipient={}", recipient("k2"));
    let args = ["--cluster-name=truenas", recovery.as_str()];
    let controller = Controller::start(&homelab.server, "first-day", &args).leading();
    let first = homelab.pin(&["--output", "recipients/truenas.yaml"]);
    homelab.seal(&first);
    let started = Instant::now();
    homelab.apply();
    let took = homelab.wait(started);
    peer::say(&format!("homelab: {} Secrets after the first apply, {took:.1} s", homelab.wanted.len()));
    homelab.keep_escrow();
    controller.stop();
    homelab.restored(&args);
    homelab.with_a_new_key(&args, &first);
    peer::peer_test_ran(test);
}

impl Homelab {
    fn install(&self) {
        install(&self.server, "overlays/cluster");
        let names: std::collections::BTreeSet<_> = self.wanted.keys().map(|(space, _)| space).collect();
        let all: String = names.iter().map(|name| format!("---\n{}", namespace(name))).collect();
        self.server.apply(all);
    }

    /// What the cluster publishes, checked and kept as people do; gives back the recipient.
    fn pin(&self, more: &[&str]) -> String {
        let published = eventually(Duration::from_secs(30), || {
            let found = self.server.kubectl(["get", "clusterrecipient", "truenas", "-o", "yaml"]);
            (found.ok() && found.text().contains("age1")).then(|| found.text())
        });
        let published = published.expect("the cluster publishes its recipient");
        std::fs::create_dir_all(self.workshop.scratch.path("recipients")).unwrap();
        let words = [&["cluster", "recipients", "pin", "-"], more].concat();
        self.workshop.plomb(&words, published).trim().to_owned()
    }

    fn seal(&self, cluster: &str) {
        let readers = format!("{},{cluster}", recipient("k1"));
        for (number, (space, file)) in self.files.iter().enumerate() {
            let folder = format!("sealed/{number}");
            let all = objects(&std::fs::read_to_string(file).unwrap());
            let fixed = match mended(&all) {
                Some(text) => self.workshop.scratch.write(&format!("plain/{number}.yaml"), text),
                None => file.clone(),
            };
            let file = fixed.to_str().unwrap();
            self.workshop.plomb(
                &["seal", file, "--namespace", space, "--age", &readers, "--output-dir", &folder],
                String::new(),
            );
        }
        let sealed = fixtures::files_below(&self.workshop.scratch.path("sealed"));
        assert_eq!(sealed.len(), self.wanted.len(), "one file per Secret");
        for file in sealed {
            let text = std::fs::read_to_string(file).unwrap();
            assert!(!text.contains("invented"), "{text}");
        }
    }

    /// As Argo CD or a person would.
    fn apply(&self) {
        for file in fixtures::files_below(&self.workshop.scratch.path("sealed")) {
            put(&self.server, &objects(&std::fs::read_to_string(file).unwrap())[0]);
        }
    }

    /// Waits until every Secret is there, byte for byte; seconds since `started`.
    fn wait(&self, started: Instant) -> f64 {
        for ((space, name), data) in &self.wanted {
            let path = secret(space, name);
            let same = || (server_data(&self.server, &path) == *data).then_some(());
            let found = eventually(Duration::from_secs(90), same);
            let state = || ready(&self.server, &sealed(space, name)).unwrap_or_default();
            assert!(found.is_some(), "{path}: {}", state());
        }
        started.elapsed().as_secs_f64()
    }

    /// The cluster's published ConfigMap goes to Git, too: the escrow in it is ciphertext.
    fn keep_escrow(&self) {
        let words = ["get", "configmap", "plomb-recipients", "--namespace", OWN, "-o", "yaml"];
        let map = self.server.kubectl(words);
        assert!(map.ok() && map.text().contains("AGE ENCRYPTED FILE"), "{} {}", map.text(), map.errors());
        assert!(!map.text().contains(&["AGE", "SECRET", "KEY"].join("-")), "the key itself is not in it");
        self.workshop.scratch.write("recovery/truenas.yaml", map.text());
    }

    fn restored(&self, args: &[&str]) {
        self.server.wipe();
        let started = Instant::now();
        self.install();
        let identity = fixtures::folder("keys/identities/k2.txt");
        let words = ["keys", "restore", "--escrow", "recovery/truenas.yaml", "--identity", identity.to_str().unwrap()];
        let keys = self.workshop.plomb(&words, String::new());
        self.apply();
        let args = [args, &["--bootstrap=wait"]].concat();
        let controller = Controller::start(&self.server, "second-day", &args).leading();
        // Everything waits, and nothing is lost, until the key comes.
        let all = |reason: &str| {
            let found = self.wanted.keys().filter_map(|(space, name)| ready(&self.server, &sealed(space, name)));
            found.filter(|ready| ready["reason"] == reason).count() == self.wanted.len()
        };
        let waits = eventually(Duration::from_secs(60), || all("KeyNotFound").then_some(()));
        assert!(waits.is_some(), "{}", controller.daemon.said());
        let came = Instant::now();
        self.server.apply(keys);
        let took = self.wait(came);
        let total = started.elapsed().as_secs_f64();
        peer::say(&format!("homelab: wiped and restored; all Secrets {took:.1} s after the key, {total:.1} s in all"));
        controller.stop();
    }

    /// No escrow at hand: the new cluster's own key, and a rewrap of the repository by its owner.
    fn with_a_new_key(&self, args: &[&str], old: &str) {
        self.server.wipe();
        let started = Instant::now();
        self.install();
        let controller = Controller::start(&self.server, "third-day", args).leading();
        let new = self.pin(&["--output", "recipients/truenas-new.yaml"]);
        assert_ne!(new, old);
        let owner = fixtures::folder("keys/identities/k1.txt");
        let owner = owner.to_str().unwrap();
        self.workshop.plomb(&["rewrap", "--from", owner, "--to", &new, "--drop", old, "sealed"], String::new());
        self.apply();
        let took = self.wait(started);
        peer::say(&format!("homelab: wiped, a brand-new key, rewrapped; all Secrets after {took:.1} s in all"));
        controller.stop();
    }
}

/// What `plomb seal` refuses as an API server would (a null, base64 with blanks), written as its owner meant it; `None`
/// if there is nothing to mend.
fn mended(all: &[Value]) -> Option<String> {
    let mut after = all.to_vec();
    for secret in after.iter_mut().filter(|object| object["kind"] == "Secret") {
        for value in secret["stringData"].as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
            if value.is_null() {
                *value = "".into();
            }
        }
        for value in secret["data"].as_object_mut().into_iter().flat_map(|map| map.values_mut()) {
            *value = value.as_str().unwrap().split_whitespace().collect::<String>().into();
        }
    }
    let text = || after.iter().map(|object| format!("---\n{object}\n")).collect();
    (after != all).then(text)
}

fn server_data(server: &ApiServer, path: &str) -> Value {
    server.get(path).json()["data"].clone()
}

/// Every Secret of the homelab that production has, and the files that hold them.
fn plain() -> (Secrets, Vec<(String, PathBuf)>) {
    let (mut wanted, mut files) = (Secrets::new(), Vec::new());
    let root = fixtures::folder("homelab");
    for file in fixtures::files_below(&root) {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        if !name.ends_with(".secret.yaml") || name.contains("staging") || name.contains("ansible") {
            continue;
        }
        let all = objects(&std::fs::read_to_string(&file).unwrap());
        let secrets: Vec<&Value> = all.iter().filter(|object| object["kind"] == "Secret").collect();
        if secrets.is_empty() {
            continue;
        }
        let space = space_of(&root, name);
        for secret in secrets {
            let own = secret["metadata"]["namespace"].as_str().unwrap_or(&space).to_owned();
            let name = secret["metadata"]["name"].as_str().unwrap().to_owned();
            wanted.insert((own, name), data(secret));
        }
        files.push((space, file));
    }
    (wanted, files)
}

/// The namespace that kustomize gives to what lies there.
fn space_of(root: &Path, name: &str) -> String {
    let mut parts = name.split('/');
    let folder = match (parts.next().unwrap(), parts.next().unwrap()) {
        ("apps", app) => root.join("apps").join(app).join("overlays/prod"),
        (other, part) => root.join(other).join(part),
    };
    let text = std::fs::read_to_string(folder.join("kustomization.yaml")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("namespace: "));
    line.unwrap_or("argocd").to_owned()
}

fn data(secret: &Value) -> Value {
    let mut data = secret["data"].as_object().cloned().unwrap_or_default();
    for value in data.values_mut() {
        // A folded line of base64 may hold blanks; the API server gives it back without.
        *value = value.as_str().unwrap().split_whitespace().collect::<String>().into();
    }
    for (key, value) in secret["stringData"].as_object().into_iter().flatten() {
        // A key without a value is an empty one.
        let text = if value.is_null() { "" } else { value.as_str().expect("a string") };
        data.insert(key.clone(), STANDARD.encode(text).into());
    }
    data.into()
}
