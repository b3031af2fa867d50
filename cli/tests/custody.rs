//! What a person does with what a cluster publishes: pin it, restore its keys, wrap a repository to its new key. The
//! cluster is played by the same functions that the controller calls.

use std::path::PathBuf;

use sealed::custody::{self, Cluster, KeyRecord, Published, Recovery, Settings, Step, Usage, World};
use sealed::{LiveSecret, Timestamp};
use secret::OsRandom;
use testkit::{Outcome, Peer, Run, Scratch, peer};

/// A cluster without resources.
struct Stage {
    cluster: Cluster,
    settings: Settings,
    records: Vec<KeyRecord>,
    published: Published,
    now: i64,
}

impl Stage {
    fn new(recovery: &str) -> Self {
        let recovery = Recovery::parse([recovery]).expect("a recipient");
        let mut stage = Self {
            cluster: Cluster { name: "prod".into(), uid: "uid-1".into() },
            settings: Settings { recovery, ..Settings::default() },
            records: Vec::new(),
            published: Published::default(),
            now: 1_760_000_000,
        };
        stage.settle();
        stage
    }

    fn settle(&mut self) {
        for _ in 0..20 {
            let usage = Usage::default();
            let world = World {
                cluster: &self.cluster,
                settings: &self.settings,
                records: &self.records,
                unreadable: &[],
                published: &self.published,
                usage: &usage,
                now: Timestamp(self.now),
            };
            let Some(step) = custody::decide(&world).into_iter().find(Step::is_write) else { return };
            match &step {
                Step::Make { successor } => {
                    let made = custody::make(&world, *successor, &mut OsRandom::new());
                    self.records.push(made);
                }
                Step::Publish | Step::Escrow => self.published = custody::publish(&world),
                Step::Demote { secret } => self.label(&secret.clone(), "decrypt-only"),
                Step::Revoke { secret, .. } => self.label(&secret.clone(), "revoked"),
                Step::MarkIdle { .. } => return,
                other => panic!("{other:?}"),
            }
        }
        panic!("it never comes to rest");
    }

    fn label(&mut self, name: &str, state: &str) {
        let at = self.records.iter().position(|record| record.name == name).expect("it is there");
        let secret = self.records[at].to_secret("plomb-system");
        let mut live = LiveSecret { name: secret.name, labels: secret.labels, ..LiveSecret::default() };
        live.labels.insert(custody::KEY_LABEL.into(), state.into());
        (live.annotations, live.data) = (secret.annotations, Some(secret.data));
        self.records[at] = KeyRecord::of(&live).expect("it was read before");
    }

    fn renew(&mut self) {
        self.now += 90 * custody::DAY;
        self.settle();
    }

    fn recipient(&self) -> String {
        self.published.recipient().expect("it is published").to_owned()
    }

    /// `kubectl get configmap -o json`.
    fn config_map(&self) -> String {
        let data = self.published.to_config_map();
        serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plomb-recipients"}, "data": data})
            .to_string()
    }
}

/// A repository, a person with a key, and a cluster that escrows to that person.
struct Shop {
    scratch: Scratch,
    person: String,
    stage: Stage,
}

impl Shop {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let (identity, person) = keys::generate_x25519(&mut OsRandom::new());
        scratch.write("../keys.txt", identity.expose());
        let stage = Stage::new(&person);
        Self { scratch, person, stage }
    }

    fn run(&self, words: &[&str]) -> Run {
        let command = self.scratch.command(env!("CARGO_BIN_EXE_plomb")).args(words);
        command.env("SOPS_AGE_KEY_FILE", self.keys())
    }

    fn keys(&self) -> PathBuf {
        self.scratch.root().join("keys.txt")
    }

    fn plomb(&self, words: &[&str]) -> Outcome {
        self.run(words).run()
    }

    fn good(&self, words: &[&str]) -> String {
        let done = self.plomb(words);
        assert_eq!(done.code, Some(0), "{words:?}: {}", done.errors());
        done.text()
    }

    fn pin(&self, more: &[&str]) -> Outcome {
        let words = [&["cluster", "recipients", "pin"], more].concat();
        self.run(&words).stdin(self.stage.config_map()).run()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.scratch.path(name)).expect("it is there")
    }

    /// A sealed resource and ordinary SOPS files for the person and the cluster, and files that are not for it.
    fn fill(&self) {
        let both = format!("{},{}", self.person, self.stage.recipient());
        let alone = &self.person;
        let secret =
            "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: prod}\nstringData: {password: canary-1}\n";
        self.scratch.write("secret.yaml", secret);
        self.good(&["seal", "--age", &both, "-o", "sealed/db.secret.yaml", "secret.yaml"]);
        std::fs::remove_file(self.scratch.path("secret.yaml")).expect("it is there");
        for (name, text, readers) in [
            ("values.enc.yaml", "a: canary-2 # why\nb:\n    c: 3\n", &both),
            ("env.enc.env", "TOKEN=canary-3\n", &both),
            ("conf.enc.json", "{\"a\": \"canary-4\"}\n", &both),
            ("blob.enc.bin", "canary-5\n", &both),
            ("alone.enc.yaml", "a: canary-6\n", alone),
        ] {
            self.scratch.write(name, text);
            self.good(&["encrypt", "-i", "--age", readers, name]);
        }
    }
}

const FILES: [&str; 5] = ["sealed/db.secret.yaml", "values.enc.yaml", "env.enc.env", "conf.enc.json", "blob.enc.bin"];

#[test]
fn what_a_cluster_publishes_is_pinned_and_compared() {
    let mut shop = Shop::new("pin");
    let checked = shop.pin(&["--check"]);
    assert!(checked.code == Some(1) && checked.errors().contains("not there yet"), "{}", checked.errors());
    let first = shop.pin(&[]);
    assert_eq!(first.text(), format!("{}\n", shop.stage.recipient()), "{}", first.errors());
    assert!(first.errors().contains("SHA256:"), "{}", first.errors());
    assert!(shop.pin(&["--check"]).ok());
    shop.stage.renew();
    let checked = shop.pin(&["--check"]);
    assert!(checked.code == Some(1) && checked.errors().contains("1 statement is new"), "{}", checked.errors());
    assert!(shop.pin(&[]).ok() && shop.pin(&["--check"]).ok());
    let shown = shop.good(&["cluster", "recipients", "show", "recipients/prod.yaml"]);
    assert!(shown.contains("statement 2: ") && shown.contains("prod (uid-1)"), "{shown}");
    let only = shop.good(&["cluster", "recipients", "show", "--recipient", "recipients/prod.yaml"]);
    assert_eq!(only, format!("{}\n", shop.stage.recipient()));
}

#[test]
fn a_change_that_somebody_must_look_at_is_refused_and_nothing_is_written() {
    let mut shop = Shop::new("pin-refused");
    let old = shop.stage.config_map();
    assert!(shop.pin(&[]).ok());
    shop.stage.renew();
    assert!(shop.pin(&[]).ok());
    let pinned = shop.text("recipients/prod.yaml");
    let refused = |shop: &Shop, text: String, words: &[&str], wanted: &str| {
        let words = [&["cluster", "recipients", "pin", "-o", "recipients/prod.yaml"], words].concat();
        let done = shop.run(&words).stdin(text).run();
        assert_eq!(done.code, Some(1), "{wanted}: {}", done.errors());
        assert!(done.errors().contains(wanted), "{wanted}: {}", done.errors());
        assert_eq!(shop.text("recipients/prod.yaml"), pinned);
    };
    refused(&shop, old, &[], "an old state was put back");
    let mut other = Stage::new(&shop.person);
    other.renew();
    refused(&shop, other.config_map(), &[], "the statement key changed");
    refused(&shop, other.config_map(), &["--accept-key", "SHA256:x"], "the statement key changed");
    let mut elsewhere = Stage::new(&shop.person);
    elsewhere.cluster.uid = "uid-2".into();
    elsewhere.published = Published::default();
    elsewhere.records.clear();
    elsewhere.settle();
    refused(&shop, elsewhere.config_map(), &[], "not of prod (uid-1)");
    let forged = shop.stage.config_map().replace(&shop.stage.recipient(), &shop.person);
    refused(&shop, forged, &[], "signature does not fit");
    // Somebody who was told the fingerprint may say so.
    let chain = custody::Chain::verify(other.published.statements.clone()).expect("it verifies");
    let key = chain.newest().fingerprint();
    let words = ["cluster", "recipients", "pin", "--accept-key", key.as_str()];
    let done = shop.run(&words).stdin(other.config_map()).run();
    assert_eq!(done.text(), format!("{}\n", other.recipient()), "{}", done.errors());
    // A first pin may be told what to expect.
    let words = ["cluster", "recipients", "pin", "-o", "new.yaml", "--accept-key", "SHA256:x"];
    let done = shop.run(&words).stdin(other.config_map()).run();
    assert!(done.code == Some(1) && !shop.scratch.path("new.yaml").exists(), "{}", done.errors());
}

#[test]
fn a_name_out_of_the_cluster_does_not_lead_out_of_the_folder() {
    let mut shop = Shop::new("pin-name");
    shop.stage.records.clear();
    shop.stage.published = Published::default();
    shop.stage.cluster.name = "../../evil".into();
    shop.stage.settle();
    let done = shop.pin(&[]);
    assert!(done.code == Some(1) && done.errors().contains("--output"), "{}", done.errors());
    for (text, code) in [("", 2), ("{", 2), ("a: b\n", 2), ("statements: []\n", 1)] {
        let done = shop.run(&["cluster", "recipients", "pin"]).stdin(text).run();
        assert_eq!(done.code, Some(code), "{text}: {}", done.errors());
    }
}

#[test]
fn keys_come_back_out_of_the_escrow() {
    let mut shop = Shop::new("restore");
    shop.stage.renew();
    let escrow = shop.stage.published.escrow.clone().expect("there is a recovery recipient").file;
    shop.scratch.write("escrow.age", &escrow);
    shop.scratch.write("map.json", shop.stage.config_map());
    let keys = shop.keys();
    let keys = keys.to_str().expect("a path of ours");
    let restored = shop.good(&["keys", "restore", "--escrow", "escrow.age", "--identity", keys]);
    assert_eq!(restored.matches("\nkind: Secret\n").count(), 2, "{restored}");
    assert_eq!(restored.matches("plomb.dev/key: active").count(), 1);
    assert_eq!(restored, shop.good(&["key", "restore", "--escrow", "map.json"]), "from the ConfigMap too");
    let moved = shop.good(&["keys", "restore", "--escrow", "map.json", "-n", "other"]);
    assert_eq!(moved.matches("namespace: other").count(), 2);
    let run = shop.run(&["keys", "restore", "--escrow", "-"]).stdin(escrow).run();
    assert_eq!(run.text(), restored);
    assert!(run.errors().contains(&format!("{} is active", shop.stage.recipient())), "{}", run.errors());
    shop.scratch.write("../other.txt", keys::generate_x25519(&mut OsRandom::new()).0.expose());
    let other = shop.scratch.root().join("other.txt");
    let refused =
        shop.plomb(&["keys", "restore", "--escrow", "escrow.age", "--identity", other.to_str().expect("ours")]);
    assert!(refused.code == Some(128) && refused.text().is_empty(), "{}", refused.errors());
    shop.scratch.write("none.yaml", "a: b\n");
    assert_eq!(shop.plomb(&["keys", "restore", "--escrow", "none.yaml"]).code, Some(2));
}

#[test]
fn a_repository_is_wrapped_to_the_new_key_and_nothing_else_changes() {
    let mut shop = Shop::new("rewrap");
    shop.fill();
    let old = shop.stage.recipient();
    shop.stage.renew();
    let new = shop.stage.recipient();
    let before: Vec<String> = FILES.iter().map(|name| shop.text(name)).collect();
    let alone = shop.text("alone.enc.yaml");
    let dry = shop.plomb(&["rewrap", "--dry-run", "--to", &new, "--drop", &old, "."]);
    assert!(dry.ok() && dry.errors().contains("5 would be rewrapped"), "{}{}", dry.text(), dry.errors());
    assert!(FILES.iter().zip(&before).all(|(name, text)| shop.text(name) == *text));
    let done = shop.plomb(&["rewrap", "--to", &new, "--drop", &old, "."]);
    assert!(done.ok() && done.errors().contains("5 rewrapped"), "{}", done.errors());
    assert!(done.errors().contains("1 not concerned"), "{}", done.errors());
    assert_eq!(shop.text("alone.enc.yaml"), alone);
    let keys = shop.stage.records.iter().find(|record| record.recipient == new).expect("it is there");
    let keys = keys.to_secret("n").data[custody::IDENTITY_ENTRY].duplicate();
    shop.scratch.write("../cluster.txt", keys.expose());
    for (name, before) in FILES.iter().zip(&before) {
        let after = shop.text(name);
        assert!(after.contains(&new) && !after.contains(&old), "{name}");
        // The person's entry, every value and the MAC are the bytes that they were.
        let kept = before.lines().filter(|line| line.contains("ENC[") && !line.contains("plomb_layout"));
        assert!(kept.into_iter().all(|line| after.contains(line)), "{name}");
        for keys in ["keys.txt", "cluster.txt"] {
            let run = shop.scratch.command(env!("CARGO_BIN_EXE_plomb")).args(["decrypt", name]);
            let opened = run.env("SOPS_AGE_KEY_FILE", shop.scratch.root().join(keys)).run();
            assert!(opened.ok() && opened.text().contains("canary"), "{name} with {keys}: {}", opened.errors());
        }
    }
    let again = shop.plomb(&["rewrap", "--to", &new, "--drop", &old, "."]);
    assert!(again.ok() && again.errors().contains("6 not concerned"), "{}", again.errors());
    let again = shop.plomb(&["rewrap", "--to", &new, FILES[0], FILES[1]]);
    assert!(again.errors().contains("2 unchanged"), "{}", again.errors());
    shop.good(&["verify", "."]);
    shop.good(&["unseal", "sealed"]);
}

#[test]
fn the_real_sops_opens_what_was_rewrapped() {
    let test = "the_real_sops_opens_what_was_rewrapped";
    let Some([sops]) = peer::require(test, [Peer::Sops]) else { return };
    for words in [&[][..], &["--new-data-key"]] {
        let mut shop = Shop::new("rewrap-sops");
        shop.fill();
        let old = shop.stage.recipient();
        shop.stage.renew();
        let new = shop.stage.recipient();
        let all = [&["rewrap", "--to", &new, "--drop", &old], words, &["."]].concat();
        let done = shop.plomb(&all);
        assert!(done.ok(), "{}", done.errors());
        let record = shop.stage.records.iter().find(|record| record.recipient == new).expect("it is there");
        shop.scratch.write("../cluster.txt", record.to_secret("n").data[custody::IDENTITY_ENTRY].expose());
        for name in FILES {
            let run = shop.scratch.command(&sops).args(["decrypt", name]);
            let run = match name.ends_with(".bin") {
                true => run.args(["--input-type", "binary", "--output-type", "binary"]),
                false => run,
            };
            let opened = run.env("SOPS_AGE_KEY_FILE", shop.scratch.root().join("cluster.txt")).run();
            assert!(opened.ok() && opened.text().contains("canary"), "{name}: {}", opened.errors());
        }
    }
    peer::peer_test_ran(test);
}

#[test]
fn damage_strangers_and_lies_are_refused_file_by_file() {
    let mut shop = Shop::new("rewrap-refused");
    shop.fill();
    let old = shop.stage.recipient();
    shop.stage.renew();
    let new = shop.stage.recipient();
    // Somebody moved the sealed file, and somebody removed a value of another one.
    let moved = shop.text(FILES[0]).replace("namespace: prod", "namespace: dev");
    shop.scratch.write(FILES[0], &moved);
    let cut: String =
        shop.text(FILES[1]).lines().filter(|line| !line.contains("c: ENC")).map(|line| format!("{line}\n")).collect();
    let cut = cut.replace("b:\n", "");
    shop.scratch.write(FILES[1], &cut);
    let done = shop.plomb(&["rewrap", "--to", &new, "--drop", &old, "."]);
    assert!(done.errors().contains("3 rewrapped") && done.errors().contains("2 failed"), "{}", done.errors());
    assert!(done.errors().contains("binding") && !done.ok(), "{}", done.errors());
    assert_eq!((shop.text(FILES[0]), shop.text(FILES[1])), (moved, cut), "as they were");
    // A file whose only reader would go.
    let refused = shop.plomb(&["rewrap", "--to", &new, "--drop", &new, FILES[2]]);
    assert_eq!(refused.code, Some(64), "{}", refused.errors());
    for bad in [&["rewrap", FILES[2]][..], &["rewrap", "--to", "canary", FILES[2]], &["rewrap", "--to", ",", FILES[2]]]
    {
        let refused = shop.plomb(bad);
        assert!(!refused.ok() && !refused.errors().contains("\"canary"), "{}", refused.errors());
    }
    // An entry that somebody added to the metadata is carried along, and gets no key.
    let (mallory, name) = keys::generate_x25519(&mut OsRandom::new());
    let text = shop.text(FILES[2]);
    let lie = text.replacen(&shop.person, &name, 1);
    shop.scratch.write(FILES[2], &lie);
    let _ = shop.plomb(&["rewrap", "--to", &shop.person, FILES[2]]);
    shop.scratch.write("../mallory.txt", mallory.expose());
    let run = shop.scratch.command(env!("CARGO_BIN_EXE_plomb")).args(["decrypt", FILES[2]]);
    let opened = run.env("SOPS_AGE_KEY_FILE", shop.scratch.root().join("mallory.txt")).run();
    assert!(!opened.ok() && !opened.text().contains("canary"), "{}", opened.errors());
}

#[test]
fn key_groups_keep_their_threshold() {
    let shop = Shop::new("rewrap-groups");
    let (second, second_name) = keys::generate_x25519(&mut OsRandom::new());
    let (third, third_name) = keys::generate_x25519(&mut OsRandom::new());
    let mine = shop.text("../keys.txt");
    shop.scratch.write("../keys.txt", format!("{}\n{}\n", mine.trim(), second.expose()));
    let person = &shop.person;
    let rule = format!("creation_rules:\n  - key_groups:\n      - age: [{person}]\n      - age: [{second_name}]\n");
    shop.scratch.write(".sops.yaml", rule);
    shop.scratch.write("g.yaml", "a: canary\n");
    shop.good(&["encrypt", "-i", "g.yaml"]);
    let done = shop.plomb(&["rewrap", "--to", &third_name, "--drop", &second_name, "g.yaml"]);
    assert!(done.ok(), "{}", done.errors());
    assert!(done.errors().contains("does not name"), "the rule says something else: {}", done.errors());
    shop.scratch.write("../keys.txt", format!("{}\n{}\n", mine.trim(), third.expose()));
    assert!(shop.good(&["decrypt", "g.yaml"]).contains("canary"));
    shop.scratch.write("../keys.txt", third.expose());
    assert_eq!(shop.plomb(&["decrypt", "g.yaml"]).code, Some(128), "one group alone does not open it");
}
