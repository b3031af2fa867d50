//! `render` against `sealed::open_and_plan` over every fixture, and what it does with the world around it.

use std::path::{Path, PathBuf};

use keys::{Access, Keyring, parse_key_file};
use sealed::{Keys, Manifest, Situation, Timestamp, manifest, open_and_plan};
use secret::SecretBytes;
use testkit::fixtures::{files_below, folder};
use testkit::{Outcome, Scratch};

/// The folders whose files are sealed resources, or stand beside some.
const FOLDERS: [&str; 4] = ["resources", "sealed-secrets", "sops-secrets", "flux-secrets"];

struct World {
    scratch: Scratch,
    identities: Vec<PathBuf>,
}

impl World {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let mut identities = vec![folder("keys/identities").join("k1.txt")];
        for number in 1..=2 {
            identities.push(scratch.write(&format!("../key{number}.pem"), pem(number)));
        }
        Self { scratch, identities }
    }

    fn render(&self, words: &[&str]) -> Outcome {
        self.with_stdin(words, "")
    }

    fn with_stdin(&self, words: &[&str], stdin: &str) -> Outcome {
        let mut command = self.scratch.command(env!("CARGO_BIN_EXE_plomb-controller")).args(["render"]);
        for identity in &self.identities {
            command = command.args(["--identity", identity.to_str().unwrap()]);
        }
        command.args(words).stdin(stdin).run()
    }

    fn keys(&self) -> Keys {
        let mut ring = Keyring::new();
        let text = std::fs::read(&self.identities[0]).unwrap();
        let identities = parse_key_file(&text, "k1", &Access::none()).unwrap();
        identities.into_iter().for_each(|identity| ring.add(identity, "k1"));
        let mut keys = Keys::new(ring);
        for number in 1..=2 {
            let found = sealed::bitnami::RsaKey::from_pem(&SecretBytes::from(pem(number))).unwrap();
            found.into_iter().for_each(|key| keys.add_rsa(key));
        }
        keys
    }
}

fn pem(number: u32) -> String {
    let body = std::fs::read_to_string(folder("sealed-secrets").join(format!("key{number}.pkcs8.base64"))).unwrap();
    format!("-----BEGIN PRIVATE {k}-----\n{body}-----END PRIVATE {k}-----\n", k = "KEY")
}

fn objects(file: &Path) -> Vec<Manifest> {
    let text = SecretBytes::new(std::fs::read(file).unwrap());
    manifest::read(text, &file.to_string_lossy(), "default").unwrap()
}

fn manifests(name: &str) -> Vec<PathBuf> {
    let is_manifest = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "json");
    files_below(&folder(name)).into_iter().filter(is_manifest).collect()
}

fn words(outcome: &Outcome) -> serde_json::Value {
    serde_json::from_str(&outcome.errors()).unwrap_or_else(|_| panic!("{}", outcome.errors()))
}

#[test]
fn every_fixture_renders_as_it_is_planned() {
    let world = World::new("render-all");
    let keys = world.keys();
    let (mut rendered, mut refused) = (0, 0);
    for file in FOLDERS.iter().flat_map(|name| manifests(name)) {
        let mut wanted = Vec::new();
        let mut reasons = Vec::new();
        for object in objects(&file).iter().filter(|it| sealed::for_kind(&it.id.api_version, &it.id.kind).is_some()) {
            match open_and_plan(object, &keys, &Situation { now: Timestamp(1_800_000_000), live: &[] }) {
                Ok(plan) => wanted.extend(plan.secrets().map(sealed::DesiredSecret::to_manifest)),
                Err(refusal) => reasons.push(refusal.reason.word()),
            }
        }
        let outcome = world.render(&["--json", file.to_str().unwrap()]);
        let text = manifest::print_stream(&wanted, false, &[]).unwrap();
        assert_eq!(outcome.text(), text.expose_str().unwrap(), "{}", file.display());
        assert_eq!(outcome.code, Some(i32::from(!reasons.is_empty())), "{}: {}", file.display(), outcome.errors());
        let report = words(&outcome);
        let told: Vec<_> = report.as_array().unwrap().iter().filter_map(|row| row["reason"].as_str()).collect();
        assert_eq!(told, reasons, "{}", file.display());
        rendered += wanted.len();
        refused += reasons.len();
    }
    assert!(rendered >= 40 && refused >= 25, "{rendered} rendered, {refused} refused");
}

#[test]
fn refused_fixtures_are_refused_for_the_reason_in_their_name() {
    let world = World::new("render-refused");
    let files: Vec<_> =
        manifests("resources").into_iter().filter(|path| path.parent().unwrap().ends_with("refused")).collect();
    assert!(files.len() >= 24);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let outcome = world.render(&[file.to_str().unwrap()]);
        let reason = format!(": {}: ", name.split('.').next().unwrap());
        assert!(outcome.errors().contains(&reason), "{name}: {}", outcome.errors());
        assert_eq!((outcome.code, outcome.text().as_str()), (Some(1), ""), "{name}");
    }
}

#[test]
fn one_refused_resource_does_not_stop_the_others() {
    let world = World::new("render-mixed");
    let copy = |name: &str, from: &str| {
        let text = std::fs::read_to_string(folder("resources").join(from)).unwrap();
        world.scratch.write(&format!("apps/{name}"), text);
    };
    copy("a/broken.yaml", "refused/MacMismatch.removed-value.yaml");
    copy("b/good.yaml", "opens/strict.yaml");
    world.scratch.write("apps/c/template.yaml", "{{ if x }}: not yaml\n");
    world.scratch.write("apps/c/torn.yaml", "kind: EncryptedSecret\n  a: [\n");
    let outcome = world.render(&["apps"]);
    assert_eq!(outcome.code, Some(1));
    let errors = outcome.errors();
    assert!(errors.contains("apps/a/broken.yaml:1: EncryptedSecret prod/shop: MacMismatch"), "{errors}");
    assert!(errors.contains("apps/c/torn.yaml: ") && !errors.contains("template.yaml"), "{errors}");
    assert_eq!(outcome.text().matches("kind: Secret\n").count(), 3);
    let to_folder = world.render(&["--output", "out", "apps"]);
    assert_eq!(to_folder.code, Some(1));
    let written: Vec<_> = files_below(&world.scratch.path("out"));
    let names: Vec<_> = written.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["db-admin.yaml", "db.yaml", "pull.yaml"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&written[0]).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn two_resources_cannot_have_one_secret() {
    let world = World::new("render-twice");
    let text = std::fs::read_to_string(folder("resources/opens").join("strict.yaml")).unwrap();
    world.scratch.write("apps/a.yaml", &text);
    world.scratch.write("apps/b.yaml", &text);
    let outcome = world.render(&["apps"]);
    assert_eq!((outcome.code, outcome.text().matches("kind: Secret\n").count()), (Some(1), 3));
    assert!(outcome.errors().contains("apps/b.yaml:1: EncryptedSecret prod/shop: OwnershipConflict"));
}

#[test]
fn a_stream_goes_through_with_its_sealed_resources_replaced() {
    let world = World::new("render-stream");
    let sealed = std::fs::read_to_string(folder("resources/opens").join("strict.yaml")).unwrap();
    let other = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";
    let outcome = world.with_stdin(&["-"], &format!("{other}---\n{sealed}"));
    assert_eq!(outcome.code, Some(0), "{}", outcome.errors());
    assert!(outcome.text().starts_with(&format!("{other}---\napiVersion: v1\nkind: Secret\n")));
    assert_eq!(outcome.text().matches("kind: Secret\n").count(), 3);
    let strange = world.with_stdin(&["-"], "a: canary\n");
    assert_eq!((strange.code, strange.errors().contains("canary")), (Some(2), false));
}

#[test]
fn it_is_a_function_of_kustomize() {
    let world = World::new("render-function");
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder("resources").join(name)).unwrap();
        text.lines().map(|line| format!("    {line}\n")).collect::<String>().replacen("    ", "  - ", 1)
    };
    let list = |items: &str| format!("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n{items}");
    let good = list(&format!(
        "  - apiVersion: v1\n    kind: Service\n    metadata: {{name: web}}\n{}",
        read("opens/strict.yaml")
    ));
    // Without arguments, as kustomize starts it.
    let command = world.scratch.command(env!("CARGO_BIN_EXE_plomb-controller"));
    let outcome = command.env("SOPS_AGE_KEY_FILE", &world.identities[0]).stdin(good.as_str()).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.errors());
    let text = outcome.text();
    assert!(text.starts_with("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"), "{text}");
    assert_eq!((text.matches("kind: Secret").count(), text.matches("kind: Service").count()), (3, 1));
    let outcome = world.with_stdin(&["-"], &list(&read("refused/BindingMismatch.other-name.yaml")));
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.text().contains("results:") && outcome.text().contains("BindingMismatch"), "{}", outcome.text());
    assert!(!outcome.text().contains("kind: Secret"));
}

#[test]
fn keys_come_from_what_people_have() {
    let world = World::new("render-keys");
    let file = folder("resources/opens").join("strict.yaml");
    let identity = std::fs::read_to_string(&world.identities[0]).unwrap();
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: key, namespace: plomb}}\nstringData:\n  any-name: |\n{}",
        identity.lines().map(|line| format!("    {line}\n")).collect::<String>()
    );
    let key = world.scratch.write("key.yaml", secret);
    let run = |identity: &Path| {
        let command = world.scratch.command(env!("CARGO_BIN_EXE_plomb-controller"));
        command.args(["render", "--identity", identity.to_str().unwrap(), file.to_str().unwrap()]).run()
    };
    assert_eq!(run(&key).code, Some(0), "{}", run(&key).errors());
    let none = world.scratch.write("none.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\ndata: {}\n");
    assert!(run(&none).code == Some(2) && run(&none).errors().contains("no Secret in it holds"));
    let torn = world.scratch.write(
        "torn.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {age.key: AGE-SECRET-KEY-1CANARY}\n",
    );
    let outcome = run(&torn);
    assert!(outcome.code == Some(2) && outcome.errors().contains("age.key") && !outcome.errors().contains("CANARY"));
}
