//! Thousands of sealed resources, made by the built `plomb` in one call, and their way into the API server.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::cluster::OWN;
use serde_json::{Value, json};
use testkit::cluster::{Reply, resource_path};
use testkit::{ApiServer, Scratch};

use crate::shell::Result;

/// Requests under way at a time.
const THREADS: usize = 8;
/// Objects in one page of a list.
const PAGE: usize = 500;

/// The path of a resource, or of all in a namespace.
pub(super) fn resource(space: &str, name: &str) -> String {
    resource_path("plomb.dev/v1alpha1", "encryptedsecrets", space, name)
}

fn secrets(space: &str) -> String {
    resource_path("v1", "secrets", space, "")
}

/// A folder to make resources in, and who they are sealed to.
pub(super) struct Crowd {
    scratch: Scratch,
    plomb: PathBuf,
    identity: String,
    recipients: String,
}

impl Crowd {
    pub(super) fn new(scratch: Scratch, plomb: PathBuf) -> Result<Self> {
        let mut recipients = Vec::new();
        for name in ["cluster", "person", "recovery"] {
            let made = scratch.command(&plomb).args(["key", "new", "-o", name]).run();
            let word = made.text().split_whitespace().find(|word| word.starts_with("age1")).map(str::to_owned);
            recipients.push(word.ok_or_else(|| format!("plomb key new: {}", made.errors()))?);
        }
        let identity = std::fs::read_to_string(scratch.path("cluster")).map_err(|error| format!("key: {error}"))?;
        Ok(Self { scratch, plomb, identity, recipients: recipients.join(",") })
    }

    /// Gives the cluster the key that all resources are sealed to.
    pub(super) fn add_key(&self, server: &ApiServer) {
        let secret = json!({
            "metadata": {"name": "plomb-key-bench", "labels": {"plomb.dev/key": "decrypt-only"}},
            "stringData": {"identity.agekey": self.identity},
        });
        expect(&server.create(&secrets(OWN), &secret));
    }

    /// Seals this many and creates them in a namespace of their own.
    pub(super) fn create(&self, server: &ApiServer, space: &str, count: usize) {
        server.apply(format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {space}}}\n"));
        let made = self.sealed(space, count);
        each(count, |number| {
            let path = made.join(format!("s{number:05}.secret.yaml"));
            let text = std::fs::read(path).expect("plomb wrote it");
            expect(&server.send("POST", &resource(space, ""), "application/yaml", text));
        });
    }

    fn sealed(&self, space: &str, count: usize) -> PathBuf {
        let (plain, sealed) = (self.scratch.path(&format!("{space}-in")), self.scratch.path(&format!("{space}-out")));
        if sealed.exists() {
            return sealed;
        }
        std::fs::create_dir_all(&plain).expect("the scratch folder is writable");
        for number in 0..count {
            let values =
                ["user", "password", "token"].map(|key| format!("  {key}: \"{key} of {number} in {space}\"\n"));
            let head = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s{number:05}, namespace: {space}}}\n");
            let text = format!("{head}stringData:\n{}", values.concat());
            std::fs::write(plain.join(format!("s{number:05}.yaml")), text).expect("the scratch folder is writable");
        }
        let command = self.scratch.command(&self.plomb).args(["seal", "--age", &self.recipients, "--output-dir"]);
        let done = command.arg(&sealed).arg(&plain).limit(super::LIMIT).run();
        assert!(done.ok(), "plomb seal: {}", done.errors());
        sealed
    }

    /// What a controller cannot do without: one Secret and one status for each resource, by one request each.
    pub(super) fn write_bare(&self, server: &ApiServer, space: &str, count: usize) {
        let status = json!({"status": {"observedGeneration": 1, "conditions": [{
            "type": "Ready", "status": "True", "reason": "Synced", "message": "1 Secret is as it should be",
            "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z",
        }]}});
        each(count, |number| {
            let name = format!("s{number:05}");
            let labels = json!({"app.kubernetes.io/managed-by": "plomb"});
            let secret = json!({"metadata": {"name": name, "labels": labels}, "stringData": {
                "user": name, "password": "password of", "token": "token of"}});
            expect(&server.create(&secrets(space), &secret));
            expect(&server.merge(&format!("{}/status", resource(space, &name)), &status));
        });
    }

    /// Secrets that are none of our business, in the manner of Helm's: without our label, some kilobytes each.
    pub(super) fn create_foreign(&self, server: &ApiServer, count: usize) {
        server.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: foreign}\n");
        let filler = "x".repeat(2_000);
        each(count, |number| {
            let secret = json!({"metadata": {"name": format!("f{number:05}"), "labels": {"owner": "helm"}},
                "stringData": {"release": filler}});
            expect(&server.create(&secrets("foreign"), &secret));
        });
    }

    /// How many of a namespace are Ready.
    pub(super) fn ready(&self, server: &ApiServer, space: &str) -> usize {
        let (mut count, mut next) = (0, String::new());
        loop {
            let reply = server.get(&format!("{}?limit={PAGE}&continue={next}", resource(space, "")));
            expect(&reply);
            let page = reply.json();
            count += page["items"].as_array().into_iter().flatten().filter(|item| is_ready(item)).count();
            next = page["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
            if next.is_empty() {
                return count;
            }
        }
    }
}

fn is_ready(item: &Value) -> bool {
    let conditions = item["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn expect(reply: &Reply) {
    assert!(reply.ok(), "{} {}", reply.status, reply.message());
}

/// Does something for each number below `count`, on some threads.
fn each(count: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                numbers.take_while(|number| *number < count).for_each(&work);
            });
        }
    });
}
