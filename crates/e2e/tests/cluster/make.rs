//! Sealed resources made with the built `plomb`, as people make them.

use crate::controller::recipient;
use crate::installation::objects;
use serde_json::{Value, json};
use testkit::{Outcome, Peer, Scratch};

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
        let lines: String =
            spec.as_object().into_iter().flatten().map(|(key, value)| format!("  {key}: {value}\n")).collect();
        self.resource_edited(space, name, secrets, |text| text.replacen("\nspec:\n", &format!("\nspec:\n{lines}"), 1))
    }

    /// One resource that makes one Opaque Secret of the same name, with a template called `made`.
    pub(crate) fn resource_templated(&self, space: &str, name: &str, values: &[(&str, &str)], text: &str) -> Value {
        let secret = json!({"metadata": {"name": name}, "stringData": map(values)});
        let (from, template) = ("      stringData:\n", format!("      template:\n        made: {text}\n"));
        self.resource_edited(space, name, &[secret], |text| text.replacen(from, &(template.clone() + from), 1))
    }

    /// One resource that makes these Secrets, each with a template called `made`.
    pub(crate) fn resource_all_templated(&self, space: &str, name: &str, secrets: &[Value], text: &str) -> Value {
        let (from, template) = ("      stringData:\n", format!("      template:\n        made: {text}\n"));
        self.resource_edited(space, name, secrets, |sealed| sealed.replace(from, &(template.clone() + from)))
    }

    /// One resource that makes these Secrets, edited in clear and bound again.
    fn resource_edited(&self, space: &str, name: &str, secrets: &[Value], edit: impl Fn(&str) -> String) -> Value {
        let mut text = String::new();
        for secret in secrets {
            let mut secret = secret.clone();
            (secret["apiVersion"], secret["kind"]) = (json!("v1"), json!("Secret"));
            secret["metadata"]["namespace"] = json!(space);
            text += &format!("---\n{secret}\n");
        }
        let place = ["--resource", name, "--namespace", space, "--age", &self.recipients, "-o", "r.yaml", "--force"];
        self.plomb(&[&["seal", "-"], place.as_slice()].concat(), text);
        let path = self.scratch.path("r.yaml");
        let sealed = std::fs::read_to_string(&path).expect("plomb wrote it");
        let edited = edit(&sealed);
        if edited != sealed {
            std::fs::write(&path, &edited).expect("the scratch folder is writable");
            self.plomb(&["bind", "r.yaml"], String::new());
        }
        objects(&std::fs::read_to_string(&path).expect("plomb wrote it")).remove(0)
    }

    /// Runs the built command line as the owner of k1.
    pub(crate) fn try_plomb(&self, words: &[&str], stdin: String) -> Outcome {
        let program = Peer::Plomb.find().expect("the test asked for it");
        let key = testkit::fixtures::folder("keys/identities/k1.txt");
        self.scratch.command(program).args(words).env("SOPS_AGE_KEY_FILE", key).stdin(stdin).run()
    }

    /// The same; it must go well. Gives back what it printed.
    pub(crate) fn plomb(&self, words: &[&str], stdin: String) -> String {
        let run = self.try_plomb(words, stdin);
        assert!(run.ok(), "plomb {}: {}", words.join(" "), run.errors());
        run.text()
    }
}

/// Keys and values as an object.
pub(crate) fn map(values: &[(&str, &str)]) -> Value {
    values.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}
