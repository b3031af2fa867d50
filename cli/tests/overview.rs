//! Many files, `status`, `verify`, `config`, `init`, completions and manual pages, run as a user runs them.

use std::path::PathBuf;

use serde_json::Value;
use testkit::{Outcome, Run, Scratch, fixtures::files_below};

const MANIFEST: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: canary-0123456789 # ours\n";
const RULES: &str = "creation_rules:\n  - path_regex: \\.secret\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: RECIPIENT\n  - path_regex: \\.enc\\.(yaml|json|env|ini)$\n    age: RECIPIENT\n";

/// A repository with an identity at hand.
struct World {
    scratch: Scratch,
    recipient: String,
}

impl World {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let (identity, recipient) = keys::generate_x25519(&mut secret::OsRandom::new());
        scratch.write("../keys.txt", identity.expose());
        std::fs::create_dir(scratch.path(".git")).expect("the scratch folder is writable");
        Self { scratch, recipient }
    }

    /// With rules, and a file of every sort.
    fn filled(name: &str) -> Self {
        let world = Self::new(name);
        world.rules(RULES);
        world.write("apps/db.secret.yaml", MANIFEST);
        world.write("apps/.hidden.enc.env", "TOKEN=canary-1\n");
        world.write("apps/deep/values.enc.json", "{\"a\": {\"b\": \"canary-2\", \"n\": 1.50}}\n");
        world.write("apps/x.enc.ini", "[s]\nk = canary-3\n");
        world.write("README.md", "nothing secret\n");
        world
    }

    fn rules(&self, text: &str) {
        self.write(".sops.yaml", &text.replace("RECIPIENT", &self.recipient));
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        self.scratch.write(name, text)
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.scratch.path(name)).expect("it is there")
    }

    fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        let command = self.scratch.command(env!("CARGO_BIN_EXE_plomb")).args(args);
        command.env("SOPS_AGE_KEY_FILE", self.scratch.root().join("keys.txt"))
    }

    fn plomb<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Outcome {
        self.run(args).run()
    }

    fn ok<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Outcome {
        let done = self.plomb(args);
        assert!(done.ok(), "{:?}: {}", done.code, done.errors());
        done
    }

    /// Without the identity.
    fn stranger<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Outcome {
        self.scratch.command(env!("CARGO_BIN_EXE_plomb")).args(args).run()
    }
}

fn json(done: &Outcome) -> Vec<Value> {
    serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {}", done.text()))
}

/// `file: status` per entry.
fn statuses(done: &Outcome) -> Vec<String> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let line = |entry: &Value| format!("{}: {}", text(entry, "file"), text(entry, "status"));
    json(done).iter().map(line).collect()
}

#[test]
fn a_folder_goes_there_and_back() {
    let world = World::filled("many");
    let names = ["apps/.hidden.enc.env", "apps/db.secret.yaml", "apps/deep/values.enc.json", "apps/x.enc.ini"];
    let before: Vec<String> = names.iter().map(|name| world.text(name)).collect();
    let done = world.ok(["encrypt", "-i", ".", "--json"]);
    assert_eq!(statuses(&done), names.map(|name| format!("{name}: encrypted")));
    for name in names {
        assert!(!world.text(name).contains("canary"), "{name}");
    }
    assert_eq!(world.text("README.md"), "nothing secret\n");
    let again = world.ok(["encrypt", "-i", "."]);
    assert!(again.errors().contains("nothing to do"), "{}", again.errors());
    world.ok(["verify"]);
    world.ok(["decrypt", "-i", "."]);
    let after: Vec<String> = names.iter().map(|name| world.text(name)).collect();
    assert_eq!(after, before);
}

#[test]
fn words_of_a_block_make_no_file_encrypted() {
    let world = World::filled("words");
    world.write("apps/w.enc.json", "{\"password\": \"canary\", \"tools\": [\"sops\"], \"lastmodified\": \"2024\"}\n");
    world.write("apps/w.enc.yaml", "password: canary\ntools: [\"helm\", \"sops\"]\n# lastmodified 2024\n");
    world.write("apps/w.enc.env", "MY_sops_version=3.8\nPASSWORD=canary\n");
    let words = ["apps/w.enc.env", "apps/w.enc.json", "apps/w.enc.yaml"];
    let told = world.plomb(["verify"]).errors();
    assert!(words.iter().all(|name| told.contains(name)) && !told.contains("metadata not found"), "{told}");
    let done = statuses(&world.ok(["encrypt", "-i", ".", "--json"]));
    for name in words {
        assert!(done.contains(&format!("{name}: encrypted")) && !world.text(name).contains("canary"), "{done:?}");
    }
}

#[test]
fn ignored_files_and_git_are_left_alone() {
    let world = World::filled("ignored");
    world.write(".gitignore", "build/\n");
    world.write("build/b.enc.env", "A=1\n");
    world.write(".git/g.enc.env", "A=1\n");
    let done = world.ok(["encrypt", "-i", ".", "--json"]);
    assert_eq!(json(&done).len(), 4, "{}", done.text());
    assert_eq!(world.text("build/b.enc.env"), "A=1\n");
}

#[test]
fn globs_choose_and_must_match() {
    let world = World::filled("globs");
    let done = world.ok(["encrypt", "-i", "apps/**/*.enc.*", "--json"]);
    let wanted = ["apps/.hidden.enc.env", "apps/deep/values.enc.json", "apps/x.enc.ini"];
    assert_eq!(statuses(&done), wanted.map(|name| format!("{name}: encrypted")));
    let none = world.plomb(["encrypt", "-i", "apps/*.nothing"]);
    assert_eq!(none.code, Some(100), "{}", none.errors());
}

#[test]
fn a_rule_for_everything_makes_no_folder_secret() {
    let world = World::filled("catchall");
    world.rules("creation_rules:\n  - age: RECIPIENT\n");
    let done = world.ok(["encrypt", "-i", "."]);
    assert!(done.errors().contains("nothing to do"), "{}", done.errors());
    assert_eq!(world.text("README.md"), "nothing secret\n");
    let done = world.ok(["encrypt", "-i", "apps/*.env", "--json"]);
    assert_eq!(statuses(&done), ["apps/.hidden.enc.env: encrypted"]);
}

#[test]
fn one_failure_does_not_stop_the_others() {
    let world = World::filled("failure");
    world.write("apps/a.enc.yaml", "a: b: c\n");
    world.write("apps/b.enc.json", "{\"a\": }\n");
    let done = world.plomb(["encrypt", "-i", ".", "--json"]);
    assert_eq!(done.code, Some(2), "{}", done.errors());
    let failed: Vec<Value> = json(&done).into_iter().filter(|entry| entry["status"] == "failed").collect();
    assert_eq!(failed.len(), 2);
    assert_eq!(failed[0]["file"], "apps/a.enc.yaml");
    assert_eq!((&failed[0]["error"]["line"], &failed[0]["error"]["exit"]), (&Value::from(1), &Value::from(2)));
    assert!(!world.text("apps/db.secret.yaml").contains("canary"));
    // Exit code and error come from the first failure in path order, whatever else fails.
    world.write("apps/0.enc.env", "A=1\nsops_version=x\n");
    let done = world.plomb(["encrypt", "-i", "apps/0.enc.env", "apps/b.enc.json"]);
    assert_eq!(done.code, Some(203), "{}", done.errors());
    assert!(done.errors().contains("error: apps/b.enc.json:1:"), "{}", done.errors());
}

#[test]
fn dry_runs_write_nothing() {
    let world = World::filled("dry");
    let before = files_below(&world.scratch.work());
    let done = world.ok(["encrypt", "-i", "--dry-run", "apps"]);
    assert_eq!(done.text().lines().next(), Some("apps/.hidden.enc.env: would be encrypted"));
    assert_eq!(world.text("apps/db.secret.yaml"), MANIFEST);
    assert_eq!(files_below(&world.scratch.work()).len(), before.len());
    let wrong = world.plomb(["encrypt", "--dry-run", "apps/db.secret.yaml"]);
    assert_eq!((wrong.code, wrong.stdout.len()), (Some(64), 0));
}

#[test]
fn status_needs_no_key() {
    let world = World::filled("status");
    world.ok(["encrypt", "-i", "apps/db.secret.yaml", "apps/deep"]);
    let clear = world.text("apps/db.secret.yaml").replace("  name: db", "  name: db\ndata:\n  forgotten: canary-5");
    world.write("apps/db.secret.yaml", &clear);
    let done = world.stranger(["status"]);
    assert!(done.ok(), "{}", done.errors());
    let lines: Vec<Vec<String>> =
        done.text().lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
    let short = |line: &[String]| line[..3].join(" ");
    assert_eq!(
        lines.iter().map(|line| short(line)).collect::<Vec<_>>(),
        [
            "apps/.hidden.enc.env plain 2",
            "apps/db.secret.yaml partly 1",
            "apps/deep/values.enc.json encrypted 2",
            "apps/x.enc.ini plain 2"
        ]
    );
    assert_eq!(lines[2][4], "unknown");
    assert!(!done.text().contains("canary"));
    // From a folder below, with the key: the age is known, paths are as seen from there.
    let here = world.run(["status"]).folder(world.scratch.path("apps")).run();
    assert!(here.text().contains("deep/values.enc.json\tencrypted\t2\t"), "{}", here.text());
    assert!(here.text().contains("\tunder 1 h\t"), "{}", here.text());
}

#[test]
fn status_shows_drift() {
    let world = World::filled("drift");
    world.ok(["encrypt", "-i", "apps"]);
    let (_, other) = keys::generate_x25519(&mut secret::OsRandom::new());
    let rules = RULES.replace("age: RECIPIENT", &format!("age: {other}")).replace("(data|stringData)", "(data)");
    world.rules(&rules);
    let done = world.ok(["status", "apps/db.secret.yaml", "--json"]);
    let drift: Vec<String> =
        json(&done)[0]["drift"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    assert_eq!(drift.len(), 3, "{drift:?}");
    assert!(drift[0].starts_with("lacks age1") && drift[1].starts_with("extra age1"), "{drift:?}");
    assert_eq!(drift[2], "selector encrypted_regex ^(data|stringData)$, not encrypted_regex ^(data)$");
    world.rules(RULES);
    let done = world.ok(["status", "--json"]);
    assert!(json(&done).iter().all(|entry| entry["drift"].as_array().unwrap().is_empty()), "{}", done.text());
}

#[test]
fn verify_tells_damage_from_a_missing_key() {
    let world = World::filled("verify");
    world.ok(["encrypt", "-i", "."]);
    let stranger = world.stranger(["verify", "--json"]);
    assert_eq!(stranger.code, Some(128), "{}", stranger.errors());
    assert!(json(&stranger).iter().all(|entry| entry["status"] == "unopened"));
    let allowed = world.stranger(["verify", "--allow-unopened"]);
    assert!(allowed.ok(), "{}", allowed.errors());
    let good = world.text("apps/db.secret.yaml");
    let cut = |text: &str| text.replacen(",tag:", ",tog:", 1);
    let other = world.text("apps/deep/values.enc.json");
    let swap = |text: &str| text.replacen("name: db", "name: dc", 1);
    let cases: [(&str, String, Option<i32>, &str); 5] = [
        ("name changed", swap(&good), Some(51), "MAC"),
        ("token cut", cut(&good), Some(25), ":6:"),
        ("in clear", good.replacen("password: ENC[", "password: XNC[", 1), Some(25), ":6:"),
        ("conflict", good.replacen("kind:", "<<<<<<< ours\nkind:", 1), Some(1), ":2:1: a merge conflict"),
        ("cut", good[..good.len() / 2].to_owned(), Some(1), "error: apps/db.secret.yaml:"),
    ];
    for (what, text, code, said) in cases {
        world.write("apps/db.secret.yaml", &text);
        let done = world.plomb(["verify"]);
        assert_eq!(done.code, code, "{what}: {}", done.errors());
        assert!(done.errors().contains(said), "{what}: {}", done.errors());
        assert!(done.errors().contains("3 verified"), "{what}: {}", done.errors());
        assert!(done.stdout.is_empty() && !done.errors().contains("canary"), "{what}");
    }
    assert_eq!(world.text("apps/deep/values.enc.json"), other);
}

#[test]
fn verify_and_check_find_what_stands_in_clear() {
    let world = World::filled("in-clear");
    world.ok(["encrypt", "-i", "."]);
    world.ok(["status", "--check"]);
    world.write("apps/second.secret.yaml", MANIFEST);
    world.write("apps/nothing.secret.yaml", "kind: ConfigMap\n");
    let done = world.plomb(["verify"]);
    assert_eq!(done.code, Some(1), "{}", done.errors());
    assert!(done.errors().contains("apps/second.secret.yaml:6:13: stands in clear"), "{}", done.errors());
    assert!(!done.errors().contains("canary"), "{}", done.errors());
    let done = world.plomb(["verify", "--json", "apps/second.secret.yaml"]);
    assert_eq!(json(&done)[0]["error"]["line"], 6, "{}", done.text());
    world.ok(["verify", "--allow-plain"]);
    assert_eq!(world.plomb(["status", "--check"]).code, Some(1));
    std::fs::remove_file(world.scratch.path("apps/second.secret.yaml")).unwrap();
    world.ok(["verify"]);
    std::fs::remove_file(world.scratch.path("apps/nothing.secret.yaml")).unwrap();
    world.ok(["status", "--check"]);
    world.rules(&RULES.replace("encrypted_regex: ^(data|stringData)$", "encrypted_regex: ^data$"));
    world.ok(["status"]);
    assert_eq!(world.plomb(["status", "--check"]).code, Some(1), "drift");
}

#[test]
fn rotate_and_updatekeys_take_folders() {
    let world = World::filled("rekeyed");
    world.ok(["encrypt", "-i", "."]);
    let names = ["apps/.hidden.enc.env", "apps/db.secret.yaml", "apps/deep/values.enc.json", "apps/x.enc.ini"];
    let before = names.map(|name| world.text(name));
    let dry = world.ok(["rotate", "-i", "--dry-run", "--json", "."]);
    assert_eq!(statuses(&dry), names.map(|name| format!("{name}: would be rotated")));
    assert_eq!(names.map(|name| world.text(name)), before);
    let done = world.ok(["rotate", "-i", "--json", "apps"]);
    assert_eq!(statuses(&done), names.map(|name| format!("{name}: rotated")));
    names.iter().zip(&before).for_each(|(name, before)| assert_ne!(world.text(name), *before, "{name}"));
    let (_, second) = keys::generate_x25519(&mut secret::OsRandom::new());
    world.rules(&RULES.replace("RECIPIENT", &format!("RECIPIENT,{second}")));
    let refused = world.plomb(["updatekeys", "apps"]);
    assert_eq!(refused.code, Some(1), "{}", refused.errors());
    assert_eq!(refused.errors().matches("nobody is here to agree").count(), 4, "{}", refused.errors());
    let done = world.ok(["updatekeys", "--yes", "--json", "**/*.enc.*", "apps/db.secret.yaml"]);
    assert_eq!(statuses(&done), names.map(|name| format!("{name}: brought up to date")));
    assert_eq!(done.errors().matches(&format!("  + {second}")).count(), 4, "{}", done.errors());
    let again = world.ok(["updatekeys", "--yes", "."]);
    assert!(again.errors().ends_with("files: 4 up to date\n"), "{}", again.errors());
    world.ok(["verify"]);
}

#[test]
fn verify_finds_copied_files() {
    let world = World::filled("copied");
    world.ok(["encrypt", "-i", "."]);
    world.write("apps/copy.secret.yaml", &world.text("apps/db.secret.yaml"));
    let done = world.ok(["verify"]);
    let said = "warning: apps/copy.secret.yaml, apps/db.secret.yaml share one data key";
    assert!(done.errors().contains(said), "{}", done.errors());
}

#[test]
fn verify_agrees_with_sops() {
    let Some([sops]) = testkit::peer::require("verify_agrees_with_sops", [testkit::Peer::Sops]) else { return };
    let world = World::filled("verifysops");
    world.ok(["encrypt", "-i", "."]);
    for name in ["apps/.hidden.enc.env", "apps/db.secret.yaml", "apps/deep/values.enc.json", "apps/x.enc.ini"] {
        let run = world.scratch.command(&sops).args(["decrypt", name]);
        let done = run.env("SOPS_AGE_KEY_FILE", world.scratch.root().join("keys.txt")).run();
        assert!(done.ok() && done.text().contains("canary"), "{name}: {}", done.errors());
    }
    testkit::peer::peer_test_ran("verify_agrees_with_sops");
}

#[test]
fn kubernetes_manifests_without_selector_get_a_note() {
    let world = World::filled("kubernetes");
    world.rules("creation_rules:\n  - path_regex: .*.secret.yaml$\n    age: >-\n      RECIPIENT\n");
    world.write("apps/two.secret.yaml", MANIFEST);
    let check = world.ok(["config", "check"]);
    assert!(check.text().contains("warning: .sops.yaml:2: rule 1: it encrypts apiVersion"), "{}", check.text());
    assert!(check.text().contains("the dot in \".secret\""), "{}", check.text());
    let done = world.ok(["encrypt", "-i", "apps"]);
    assert_eq!(done.errors().matches("apiVersion").count(), 1, "{}", done.errors());
    let other = World::filled("kubernetes");
    assert!(!other.ok(["encrypt", "-i", "."]).errors().contains("apiVersion"));
    assert!(!other.ok(["config", "check"]).text().contains("apiVersion"));
}

#[test]
fn config_check_names_the_line() {
    let world = World::new("check");
    for (text, said) in [
        ("creation_rules:\n  - path_regex: a\n    encryptd_regex: b\n    age: RECIPIENT\n", ":3:5: unknown field"),
        ("creation_rules:\n  - path_regex: '('\n    age: RECIPIENT\n", ":2:"),
        ("creation_rules:\n  - age: age1canary\n", ":2:"),
        ("creation_rules:\n  - shamir_threshold: 3\n    key_groups:\n      - age: [RECIPIENT]\n", ":2:"),
    ] {
        world.rules(text);
        let done = world.plomb(["config", "check"]);
        assert_eq!((done.code, done.stdout.len()), (Some(1), 0), "{text}: {}", done.errors());
        assert!(done.errors().contains(said), "{text}: {}", done.errors());
    }
    world.rules("creation_rules:\n  - path_regex: a\n    encryptd_regex: b\n    age: RECIPIENT\n");
    assert!(world.plomb(["config", "check"]).errors().contains("did you mean encrypted_regex?"));
}

#[test]
fn what_a_rule_lacks_is_told_where_the_rule_stands() {
    let world = World::new("lacking-rule");
    world.write("a.enc.yaml", "x: 1\n");
    for (said, rule) in [
        ("names no recipient", "age: ''"),
        ("names no recipient", "key_groups: []"),
        ("pgp: ABC: only age", "pgp: ABC"),
        ("kms: 5: only age", "kms: 5"),
    ] {
        world.rules(&format!(
            "creation_rules:\n  - path_regex: other\n    age: RECIPIENT\n  - path_regex: enc\n    {rule}\n"
        ));
        for command in [&["encrypt", "-i", "a.enc.yaml"][..], &["encrypt", "-i", "."], &["edit", "new.enc.yaml"]] {
            let done = world.plomb(command.iter().copied());
            assert_eq!(done.code, Some(1), "{rule}: {}", done.errors());
            let errors = done.errors();
            assert!(errors.contains(".sops.yaml:4:5: ") && errors.contains(said), "{command:?} {rule}: {errors}");
        }
        assert_eq!(world.text("a.enc.yaml"), "x: 1\n");
    }
}

#[test]
fn config_check_gives_advice() {
    let world = World::new("advice");
    let (_, pq) = keys::generate_hybrid(&mut secret::OsRandom::new());
    world.write("a.enc.yaml", "x: 1\n");
    let cases = [
        (
            "  - path_regex: .*\n    age: RECIPIENT\n  - path_regex: b$\n    age: RECIPIENT\n",
            "rule 2: it is never used",
        ),
        ("  - path_regex: \\.enc\\.yaml$\n    age: RECIPIENT,RECIPIENT\n", "is named twice"),
        ("  - path_regex: \\.enc\\.yaml$\n    age: RECIPIENT,HYBRID\n", "mixes post-quantum and classical"),
        (
            "  - path_regex: \\.enc\\.yaml$\n    age: RECIPIENT\n    encrypted_regex: ^y$\n",
            "selects nothing in the 1 files",
        ),
        ("  - path_regex: \\.enc\\.yaml\n    age: RECIPIENT\n", "does not end with `$`"),
        ("  - path_regex: \\.nix$\n    age: RECIPIENT\n", "matches no file that is here"),
        ("  - path_regex: \\.enc\\.yaml$\n", "names no recipient"),
    ];
    for (rules, said) in cases {
        world.rules(&format!("creation_rules:\n{}", rules.replace("HYBRID", &pq)));
        let done = world.ok(["config", "check"]);
        assert!(done.text().contains(said), "{rules}: {}", done.text());
    }
    world.rules("creation_rules:\n  - path_regex: \\.enc\\.yaml$\n    age: RECIPIENT\n");
    assert_eq!(world.ok(["config", "check"]).text(), ".sops.yaml: 1 creation rule, no errors\n");
}

#[test]
fn config_why_tells_the_way() {
    let world = World::filled("why");
    let done = world.ok(["config", "why", "apps/deep/not-there.enc.yaml"]);
    for said in
        ["searched    apps/deep, apps, . (found there)", "rule        2 (line 5)", &world.recipient, "_unencrypted"]
    {
        assert!(done.text().contains(said), "{}", done.text());
    }
    let none = world.plomb(["config", "why", "README.md"]);
    assert_eq!(none.code, Some(1));
    assert!(none.errors().contains("no matching creation rules"), "{}", none.errors());
    std::fs::remove_file(world.scratch.path(".sops.yaml")).unwrap();
    let none = world.plomb(["config", "why", "README.md"]);
    assert_eq!(none.code, Some(1));
    assert!(none.text().contains("(the root of the repository)"), "{}", none.text());
}

#[test]
fn init_makes_a_working_repository() {
    let world = World::new("init");
    let done = world.stranger(["init"]);
    assert!(done.ok(), "{}", done.errors());
    let key = world.scratch.home().join(".config/sops/age/keys.txt");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!done.text().contains("AGE-SECRET-KEY"));
    world.write("db.secret.yaml", MANIFEST);
    world.write("v.enc.yaml", "a: canary-7\n");
    assert!(world.stranger(["encrypt", "-i", "."]).ok());
    assert!(world.text("db.secret.yaml").starts_with("apiVersion: v1\nkind: Secret\n"));
    assert!(world.stranger(["verify"]).ok());
    let check = world.stranger(["config", "check"]);
    assert_eq!(check.text(), ".sops.yaml: 2 creation rules, no errors\n");
    // Neither configuration nor identity is ever overwritten.
    let (rules, identity) = (world.text(".sops.yaml"), std::fs::read(&key).unwrap());
    assert_eq!(world.stranger(["init"]).code, Some(1));
    std::fs::remove_file(world.scratch.path(".sops.yaml")).unwrap();
    assert!(world.stranger(["init"]).ok());
    assert_eq!(world.text(".sops.yaml"), rules);
    assert_eq!(std::fs::read(&key).unwrap(), identity);
}

#[test]
fn completions_and_manual_pages() {
    let world = World::new("man");
    for shell in ["bash", "zsh", "fish"] {
        assert!(world.ok(["completion", shell]).text().contains("encrypt"), "{shell}");
    }
    world.ok(["man", "pages"]);
    assert!(world.text("pages/plomb-encrypt.1").contains("in\\-place"));
    assert!(!world.scratch.path("pages/plomb-man.1").exists());
}

#[test]
fn a_thousand_files() {
    let world = World::filled("thousand");
    for n in 0..1000 {
        world.write(&format!("many/{:02}/{n}.enc.json", n / 50), &format!("{{\"value\": \"canary-{n}\"}}\n"));
    }
    assert_eq!(json(&world.ok(["encrypt", "-i", "many", "--json"])).len(), 1000);
    assert!(world.ok(["verify", "many"]).errors().contains("1000 verified"));
    assert_eq!(world.ok(["status", "many"]).text().lines().count(), 1000);
    world.ok(["decrypt", "-i", "many"]);
    assert_eq!(world.text("many/19/999.enc.json"), "{\"value\": \"canary-999\"}\n");
}

/// An encrypted file without its block, as a careless merge leaves it.
fn stripped(world: &World) -> [&'static str; 2] {
    world.rules(RULES);
    world.write("a.enc.yaml", "a: canary-1\nb: canary-2\n");
    world.write("b.enc.json", "{\n  \"a\": \"canary-1\"\n}\n");
    world.ok(["encrypt", "-i", "a.enc.yaml", "b.enc.json"]);
    let yaml = world.text("a.enc.yaml");
    world.write("a.enc.yaml", yaml.split("\nsops:").next().expect("a split has a first part"));
    let mut json: Value = serde_json::from_str(&world.text("b.enc.json")).expect("it is JSON");
    json.as_object_mut().expect("an object").remove("sops");
    world.write("b.enc.json", &json.to_string());
    ["a.enc.yaml", "b.enc.json"]
}

#[test]
fn a_file_whose_block_is_gone_is_not_taken_for_a_plain_one() {
    let world = World::new("stripped");
    for file in stripped(&world) {
        let before = world.text(file);
        let missing = "values of it are encrypted, but its `sops` block is missing";
        for args in [&["verify", file][..], &["verify", "--allow-plain", file], &["decrypt", file], &["edit", file]] {
            let done = world.plomb(args.iter().copied());
            assert_eq!(done.code, Some(1), "{args:?} {}", done.errors());
            assert!(done.errors().contains(missing), "{args:?} {}", done.errors());
        }
        let done = world.plomb(["encrypt", "-i", file]);
        assert_eq!(done.code, Some(203), "{}", done.errors());
        assert_eq!(world.text(file), before);
        let status = world.plomb(["status", "--json", file]);
        assert_eq!(statuses(&status), [format!("{file}: broken")]);
        assert_eq!(world.plomb(["status", "--check", file]).code, Some(1));
    }
}

#[test]
fn an_unresolved_conflict_is_named_where_the_file_is_opened() {
    let world = World::filled("marker");
    world.ok(["encrypt", "-i", "apps/db.secret.yaml"]);
    let text = world.text("apps/db.secret.yaml");
    world.write("apps/db.secret.yaml", &format!("<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n"));
    for command in ["decrypt", "edit", "verify", "filestatus"] {
        assert_conflict_is_named(&world, &[command, "apps/db.secret.yaml"], 1);
    }
    assert_conflict_is_named(&world, &["encrypt", "-i", "apps/db.secret.yaml"], 2);
    for text in ["<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs\n", "<<<<<<< ours\na: 1\n>>>>>>> theirs\nb: 2\n"] {
        world.write("apps/db.secret.yaml", text);
        assert_conflict_is_named(&world, &["encrypt", "-i", "apps/db.secret.yaml"], 2);
        assert_conflict_is_named(&world, &["filestatus", "apps/db.secret.yaml"], 1);
        assert_conflict_is_named(&world, &["status", "apps/db.secret.yaml"], 1);
        assert_eq!(world.text("apps/db.secret.yaml"), text);
    }
}

fn assert_conflict_is_named(world: &World, command: &[&str], code: i32) {
    let done = world.plomb(command.iter().copied());
    let told = done.errors().contains("apps/db.secret.yaml:1:1: a merge conflict was left unresolved here");
    assert!(told && done.code == Some(code), "{command:?} {:?} {}", done.code, done.errors());
}

#[test]
fn a_file_that_cannot_be_read_is_not_passed_over() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::filled("unreadable");
    world.ok(["encrypt", "-i", "apps"]);
    let path = world.write("other/secret.yaml", "a: 1\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("it is ours");
    // To root every file is readable.
    let code = if std::fs::File::open(&path).is_ok() { 0 } else { 1 };
    assert_eq!(world.plomb(["verify", "."]).code, Some(code));
    assert_eq!(world.plomb(["status", "--check", "."]).code, Some(code));
}
