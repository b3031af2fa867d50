//! Sealed resources made with the built `plomb`, as people make them.

use crate::controller::recipient;
use crate::installation::objects;
use serde_json::{Value, json};
use testkit::{Peer, Scratch};

/// A workshop: a scratch folder, and who its files are sealed to.
pub(crate) struct Workshop {
    pub(crate) scratch: Scratch,
    recipients: String,
}

impl Workshop {
    /// Seals to the test identity that the shared controller holds.
    pub(crate) fn new(name: &str) -> Self {
        Self::sealing_to(name, &recipient("k1"))
    }

    /// Seals to these recipients, separated by commas.
    pub(crate) fn sealing_to(name: &str, recipients: &str) -> Self {
        Self { scratch: Scratch::new(name), recipients: recipients.to_owned() }
    }

    /// One resource that makes one Opaque Secret of the same name.
    pub(crate) fn resource(&self, space: &str, name: &str, values: &[(&str, &str)]) -> Value {
        self.resource_of(space, name, &json!({"metadata": {"name": name}, "stringData": map(values)}))
    }

    /// One resource that makes one Secret.
    pub(crate) fn resource_of(&self, space: &str, name: &str, secret: &Value) -> Value {
        self.resource_with(space, name, std::slice::from_ref(secret), &json!({}))
    }

    /// One resource that makes these Secrets, with something added to its spec before it is bound again.
    pub(crate) fn resource_with(&self, space: &str, name: &str, secrets: &[Value], spec: &Value) -> Value {
        let mut text = String::new();
        for secret in secrets {
            let mut secret = secret.clone();
            (secret["apiVersion"], secret["kind"]) = (json!("v1"), json!("Secret"));
            secret["metadata"]["namespace"] = json!(space);
            text += &format!("---\n{secret}\n");
        }
        let words = [
            "seal",
            "-",
            "--resource",
            name,
            "--namespace",
            space,
            "--age",
            &self.recipients,
            "-o",
            "r.yaml",
            "--force",
        ];
        self.plomb(&words, text);
        self.scratch_read_bound(spec)
    }

    fn scratch_read_bound(&self, spec: &Value) -> Value {
        let path = self.scratch.path("r.yaml");
        let mut text = std::fs::read_to_string(&path).expect("plomb wrote it");
        if let Some(more) = spec.as_object().filter(|more| !more.is_empty()) {
            let lines: String = more.iter().map(|(key, value)| format!("  {key}: {value}\n")).collect();
            text = text.replacen("\nspec:\n", &format!("\nspec:\n{lines}"), 1);
            std::fs::write(&path, &text).expect("the scratch folder is writable");
            self.plomb(&["bind", "r.yaml"], String::new());
            text = std::fs::read_to_string(&path).expect("plomb wrote it");
        }
        objects(&text).remove(0)
    }

    /// Runs the built command line.
    pub(crate) fn plomb(&self, words: &[&str], stdin: String) -> String {
        let program = Peer::Plomb.find().expect("the test asked for it");
        let key = testkit::fixtures::folder("keys/identities/k1.txt");
        let run = self.scratch.command(program).args(words).env("SOPS_AGE_KEY_FILE", key).stdin(stdin).run();
        assert!(run.ok(), "plomb {}: {}", words.join(" "), run.errors());
        run.text()
    }
}

/// Keys and values as an object.
pub(crate) fn map(values: &[(&str, &str)]) -> Value {
    values.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}
