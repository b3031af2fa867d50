//! What the tests share: people, sealed files, and objects as an API server hands them back.

use std::collections::BTreeMap;

use document::format::Yaml;
use document::{EmitOptions, Format as _};
use keys::{Access, Keyring, generate_x25519, parse_identity};
use sealed::resource::Policy;
use sealed::write::{self, Draft};
use sealed::{DesiredSecret, Keys, LiveSecret, Manifest, Plan, Refusal, Scope, Situation, open_and_plan};
use secret::{DataKey, SecretBytes};
use serde_json::{Value, json};
use sops::{Encrypted, Memory, Sealing, Timestamp};
use testkit::FixedRandom;

pub(crate) const NOW: Timestamp = Timestamp(testkit::clock::SECONDS as i64);

/// Somebody with a key.
pub(crate) struct Person {
    identity: String,
    pub(crate) recipient: String,
}

impl Person {
    pub(crate) fn new(seed: u64) -> Self {
        let (identity, recipient) = generate_x25519(&mut FixedRandom::new(seed));
        Self { identity: identity.expose().to_owned(), recipient }
    }

    pub(crate) fn hybrid(seed: u64) -> Self {
        let (identity, recipient) = keys::generate_hybrid(&mut FixedRandom::new(seed));
        Self { identity: identity.expose().to_owned(), recipient }
    }

    /// The identity, as a key file.
    pub(crate) fn key_file(&self) -> String {
        format!("{}\n", self.identity)
    }

    pub(crate) fn ring(&self) -> Keyring {
        let mut ring = Keyring::new();
        ring.add(parse_identity(&self.identity, &Access::none()).unwrap(), "test");
        ring
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys::new(self.ring())
    }
}

pub(crate) fn secret(name: &str, values: &[(&str, &str)]) -> DesiredSecret {
    let data = values.iter().map(|(key, value)| ((*key).to_owned(), SecretBytes::from(*value)));
    DesiredSecret {
        name: name.to_owned(),
        namespace: "prod".to_owned(),
        type_: "Opaque".to_owned(),
        data: data.collect(),
        ..DesiredSecret::default()
    }
}

pub(crate) fn draft() -> Draft {
    let mut admin = secret("admin", &[("password", "canary-admin"), ("user", "root"), ("none", "")]);
    admin.labels.insert("app".into(), "shop".into());
    admin.data.insert("blob".into(), SecretBytes::new(vec![0, 255, 128]));
    let public = secret("public", &[("password", "canary-public"), ("n", "1"), ("on", "yes")]);
    Draft {
        name: "db".into(),
        namespace: Some("prod".into()),
        scope: Scope::Strict,
        policy: Policy::default(),
        secrets: vec![public, admin],
    }
}

/// Encrypts a plain text for `readers`, as `plomb seal` does.
pub(crate) fn sealed(plain: SecretBytes, readers: &[&Person]) -> String {
    let mut rng = FixedRandom::new(plain.len() as u64);
    let key = DataKey::generate(&mut rng);
    let groups = vec![readers.iter().map(|person| person.recipient.clone()).collect()];
    let policy = write::file_policy(sops::Policy { groups, ..sops::Policy::default() });
    let metadata = policy.metadata(&key, &Access::none(), &mut rng).unwrap();
    let sealing = Sealing {
        key: &key,
        metadata,
        memory: Memory::default(),
        options: sops::SealOptions::default(),
        rng: &mut rng,
        now: NOW,
        created: NOW,
    };
    let text = sops::seal(Yaml.parse(plain).unwrap(), sealing).unwrap().text.into_whole();
    text.expose_str().unwrap().to_owned()
}

pub(crate) fn file(draft: &Draft, person: &Person) -> String {
    sealed(write::plain_text(draft).unwrap(), &[person])
}

/// Decrypts a file, changes its text, and encrypts it again under the same data key.
pub(crate) fn changed(file: &str, person: &Person, change: impl Fn(&str) -> String) -> String {
    let encrypted = Encrypted::new(Yaml.parse(SecretBytes::from(file)).unwrap()).unwrap();
    let key = encrypted.data_key(&person.ring()).unwrap();
    let plain = encrypted.unlock(key, true).unwrap().verify().unwrap();
    let text = plain.text(&EmitOptions::default()).unwrap();
    let text = SecretBytes::from(change(text.expose_str().unwrap()));
    let mut rng = FixedRandom::new(99);
    let again = sops::rewrite::Again { rng: &mut rng, now: NOW, layout: EmitOptions::default(), as_sops: false };
    let sealed = sops::rewrite::with_text(plain, text, again).unwrap();
    sealed.text.into_whole().expose_str().unwrap().to_owned()
}

pub(crate) fn manifests(text: &str) -> Vec<Manifest> {
    sealed::manifest::read(SecretBytes::from(text), "x.yaml", "default").unwrap()
}

/// The object as an API server hands it back: members sorted, metadata added.
pub(crate) fn api(file: &str) -> Value {
    let json = manifests(file)[0].to_json().unwrap();
    let mut object: Value = serde_json::from_slice(json.expose()).unwrap();
    object["metadata"]["uid"] = json!("uid-1");
    object["metadata"]["generation"] = json!(1);
    object["metadata"]["resourceVersion"] = json!("41");
    object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    object["metadata"]["managedFields"] = json!([{"manager": "kubectl", "fieldsV1": {"f:spec": {"f:secrets": {}}}}]);
    object.sort_all_objects();
    object
}

pub(crate) fn object(value: &Value) -> Manifest {
    Manifest::from_api(SecretBytes::from(value.to_string())).unwrap()
}

pub(crate) fn plan_with(resource: &Manifest, keys: &Keys, live: &[LiveSecret]) -> Result<Plan, Refusal> {
    open_and_plan(resource, keys, &Situation { now: NOW, live })
}

pub(crate) fn plan(resource: &Manifest, keys: &Keys) -> Result<Plan, Refusal> {
    plan_with(resource, keys, &[])
}

/// The wanted Secrets as `name/key` and value.
pub(crate) fn contents(plan: &Plan) -> BTreeMap<String, Vec<u8>> {
    let of = |secret: &DesiredSecret| {
        let of = |(key, value): (&String, &SecretBytes)| (format!("{}/{key}", secret.name), value.expose().to_vec());
        secret.data.iter().map(of).collect::<Vec<_>>()
    };
    plan.secrets().flat_map(of).collect()
}
