//! Who can read a file: rotate, updatekeys, groups, key, publish, filestatus and key reuse, over the built binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const PLAIN: &str = concat!(
    "{\n  \"user\": \"root\",\n  \"db\": {\n    \"password\": \"canary-hunter2\",\n    \"port\": 5432\n  },\n",
    "  \"list\": [\n    \"x\",\n    \"x\"\n  ]\n}\n"
);
const YAML: &str = "# top\ndb:\n   password: canary-hunter2   # inline\n   port: 5432\nlist: [a, b, a]\n";

/// A home folder, a repository below it, four people with a key each; only the first one's is at hand.
struct World {
    folder: tempfile::TempDir,
    people: Vec<String>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for room in ["repo", "tmp"] {
            std::fs::create_dir(folder.path().join(room)).expect("a folder");
        }
        let mut world = Self { folder, people: Vec::new() };
        for person in 0..4 {
            let made = world.plomb(&["key", "new", "-o", &format!("../key{person}.txt")]);
            world.people.push(text(&ok(&made).stdout).trim().to_owned());
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("repo").join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).expect("a file is written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a text file")
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).expect("JSON")
    }

    fn put_json(&self, name: &str, file: &Value) {
        self.write(name, &format!("{}\n", serde_json::to_string_pretty(file).expect("JSON")));
    }

    /// A rule for every file: these people, and more lines.
    fn rule(&self, people: &[usize], more: &str) {
        let names: Vec<&str> = people.iter().map(|person| self.people[*person].as_str()).collect();
        self.write(".sops.yaml", &format!("creation_rules:\n  - age: \"{}\"\n{more}", names.join(",")));
    }

    /// A rule with a group per person.
    fn groups(&self, people: &[usize], threshold: usize) {
        let group = |person: &usize| format!("      - age: [{}]\n", self.people[*person]);
        let groups: String = people.iter().map(group).collect();
        self.write(
            ".sops.yaml",
            &format!("creation_rules:\n  - shamir_threshold: {threshold}\n    key_groups:\n{groups}"),
        );
    }

    /// `$TMPDIR` of the commands.
    fn tmp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    fn command(&self, program: &Path, people: &[usize]) -> Command {
        let home = self.folder.path();
        let key = |person: &usize| std::fs::read_to_string(home.join(format!("key{person}.txt"))).unwrap_or_default();
        let mut command = Command::new(program);
        command.env_clear().current_dir(home.join("repo")).env("HOME", home).env("XDG_CONFIG_HOME", home.join("cfg"));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("SOPS_DISABLE_VERSION_CHECK", "1");
        command.env("SOPS_AGE_KEY", people.iter().map(key).collect::<String>());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.env("TMPDIR", self.tmp()).stdin(std::process::Stdio::null());
        command
    }

    fn plomb_as(&self, people: &[usize], args: &[&str]) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_plomb"));
        let output = self.command(program, people).args(args).output().expect("plomb runs");
        let words: Vec<String> = args.iter().map(|word| (*word).to_owned()).collect();
        testkit::canary::check_run(&words, &output.stdout, &output.stderr);
        output
    }

    fn plomb(&self, args: &[&str]) -> Output {
        self.plomb_as(&[0], args)
    }

    fn decrypted(&self, people: &[usize], name: &str) -> String {
        text(&ok(&self.plomb_as(people, &["decrypt", name])).stdout)
    }

    fn encrypt(&self, name: &str, content: &str) {
        self.write(name, content);
        ok(&self.plomb(&["encrypt", "-i", name]));
    }

    /// The real sops must read the file; says so aloud when there is no sops to ask.
    fn sops_reads(&self, people: &[usize], name: &str) {
        let Some(sops) = sops() else { return };
        ok(&self.command(&sops, people).args(["decrypt", name]).output().expect("sops runs"));
    }

    fn git(&self, args: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        ok(&self.command(Path::new("git"), &[]).args(identity).args(args).output().expect("git runs"));
    }

    /// Puts an entry into the metadata, as somebody without any key can.
    fn inject(&self, from: &str, to: &str, recipient: &str, enc: &str) {
        let mut file = self.json(from);
        let entries = file["sops"]["age"].as_array_mut().expect("age entries");
        entries.push(json!({"recipient": recipient, "enc": enc}));
        self.put_json(to, &file);
    }

    /// An armor that is well made and holds some other data key.
    fn armor_for(&self, person: usize) -> String {
        self.write("other.json", "{\"x\": 1}");
        let made = self.plomb(&["encrypt", "--age", &self.people[person], "other.json"]);
        let file: Value = serde_json::from_slice(&ok(&made).stdout).expect("JSON");
        file["sops"]["age"][0]["enc"].as_str().expect("an armor").to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let home = self.folder.path();
            testkit::canary::check_leftovers(&[home.to_owned()], &[&home.join("repo")]);
        }
    }
}

fn sops() -> Option<PathBuf> {
    let found = std::env::var_os("PLOMB_SOPS").map(PathBuf::from);
    if found.is_none() {
        say("SKIPPED: readers: PLOMB_SOPS is not set");
    }
    found
}

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn say(line: &str) {
    println!("{line}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[track_caller]
fn ok(output: &Output) -> &Output {
    assert!(output.status.success(), "{:?}: {}", output.status, text(&output.stderr));
    output
}

/// Exit code and message of a failure that printed nothing on stdout.
#[track_caller]
fn fails(output: &Output) -> (i32, String) {
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    let message = text(&output.stderr);
    assert!(message.contains("error: "), "{message}");
    (output.status.code().unwrap_or(-1), message)
}

/// One field of each age entry.
fn entries(file: &Value, field: &str) -> Vec<String> {
    let entries = file["sops"]["age"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// Lines that differ, without those of the metadata that always do.
fn changed_values(before: &str, after: &str) -> Vec<String> {
    let noise = ["lastmodified", "mac", "plomb_layout"];
    assert_eq!(before.lines().count(), after.lines().count());
    let pairs = before.lines().zip(after.lines()).filter(|(a, b)| a != b).map(|(_, b)| b.trim().to_owned());
    pairs.filter(|line| !noise.iter().any(|word| line.trim_start_matches('"').starts_with(word))).collect()
}

fn tokens(text: &str) -> Vec<String> {
    text.split("ENC[").skip(1).filter_map(|rest| rest.split(']').next()).map(str::to_owned).collect()
}

#[test]
fn rotate_gives_every_value_a_new_key_and_keeps_the_text() {
    let world = World::new();
    world.rule(&[0, 1], "");
    let files = [("a.json", PLAIN), ("a.yaml", YAML), ("a.env", "A=1\nB=\"x y\"\n"), ("a.ini", "[s]\nk = v\n")];
    for (name, content) in files {
        world.encrypt(name, content);
        let before = tokens(&world.read(name));
        ok(&world.plomb(&["rotate", "-i", name]));
        let after = tokens(&world.read(name));
        assert_eq!(before.len(), after.len(), "{name}");
        assert!(after.iter().all(|token| !before.contains(token)), "{name}: a ciphertext was kept");
        assert_eq!(world.decrypted(&[1], name), content, "{name}");
        world.sops_reads(&[1], name);
    }
}

#[test]
fn comments_left_in_clear_stay_so() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.write("a.yaml", YAML);
    ok(&world.plomb(&["encrypt", "-i", "--plain-comments", "a.yaml"]));
    ok(&world.plomb(&["rotate", "-i", "a.yaml"]));
    assert!(world.read("a.yaml").starts_with("# top\n"));
    assert_eq!(world.decrypted(&[0], "a.yaml"), YAML);
}

#[test]
fn rotate_adds_and_removes_recipients() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("a.json", PLAIN);
    let [first, second, third, fourth] = &world.people[..] else { panic!("four people") };
    ok(&world.plomb(&["rotate", "-i", "--add-age", third, "--rm-age", second, "a.json"]));
    assert_eq!(entries(&world.json("a.json"), "recipient"), [first.clone(), third.clone()]);
    assert_eq!(world.decrypted(&[2], "a.json"), PLAIN);
    assert_eq!(fails(&world.plomb_as(&[1], &["decrypt", "a.json"])).0, 128);
    let (code, message) = fails(&world.plomb(&["rotate", "-i", "--rm-age", fourth, "a.json"]));
    assert!(code == 1 && message.contains("not among the recipients"), "{message}");
    let (_, message) = fails(&world.plomb(&["rotate", "-i", "--add-age", "AGE-SECRET-KEY-1CANARY", "a.json"]));
    assert!(!message.contains("CANARY"), "{message}");
}

#[test]
fn an_injected_recipient_never_gets_the_new_key() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("a.json", PLAIN);
    let (mine, eve) = (&world.people[0], &world.people[3]);
    let (for_eve, other) = (world.armor_for(3), world.armor_for(0));
    let cases: [(&str, &str, &str, &str); 5] = [
        ("empty enc", eve, "", "does not name it"),
        ("a stanza over other bytes", eve, &for_eve, "does not name it"),
        ("my label, her armor", mine, &for_eve, "labelled"),
        ("my label and armor, other bytes", mine, &other, "labelled"),
        ("not an age file", eve, "-----BEGIN AGE", "does not name it"),
    ];
    for ruled in [true, false] {
        if !ruled {
            std::fs::remove_file(world.path(".sops.yaml")).expect("the rule");
        }
        for (what, recipient, enc, says) in cases {
            world.inject("a.json", "i.json", recipient, enc);
            let before = world.read("i.json");
            let (code, message) = fails(&world.plomb(&["rotate", "-i", "i.json"]));
            assert!(code == 1 && message.contains(says) && message.contains(recipient), "{what}: {message}");
            assert_eq!(world.read("i.json"), before, "{what}");
            let (code, _) = fails(&world.plomb(&["groups", "add", "-f", "i.json", "-i", "--age", &world.people[1]]));
            assert!(code == 1 && world.read("i.json") == before, "{what}: groups");
        }
    }
    world.inject("a.json", "i.json", eve, "");
    ok(&world.plomb(&["rotate", "-i", "--accept-recipient", eve, "i.json"]));
    assert_eq!(world.decrypted(&[3], "i.json"), PLAIN);
}

#[test]
fn without_rule_and_list_rotate_wants_to_be_told() {
    let Some(sops) = sops() else { return };
    let world = World::new();
    world.write("a.json", PLAIN);
    let made = world.command(&sops, &[0]).args(["encrypt", "-i", "--age", &world.people[0], "a.json"]).output();
    ok(&made.expect("sops runs"));
    let (code, message) = fails(&world.plomb(&["rotate", "-i", "a.json"]));
    assert!(code == 1 && message.contains(&world.people[0]), "{message}");
    ok(&world.plomb(&["rotate", "-i", "--accept-recipient", &world.people[0], "a.json"]));
    assert!(!world.read("a.json").contains("plomb_layout"), "a file of SOPS stays one");
    world.sops_reads(&[0], "a.json");
}

#[test]
fn entries_of_other_kinds_are_carried_or_refused_by_name() {
    let world = World::new();
    world.rule(&[0], "");
    world.encrypt("a.json", PLAIN);
    let mut file = world.json("a.json");
    let entry = json!({"arn": "arn:x", "created_at": "2020-01-01T00:00:00Z", "enc": "e", "aws_profile": ""});
    file["sops"]["kms"] = json!([entry]);
    world.put_json("a.json", &file);
    for command in [&["rotate", "-i", "a.json"][..], &["updatekeys", "-y", "a.json"]] {
        let (code, message) = fails(&world.plomb(command));
        assert!(code == 1 && message.contains("kms: arn:x"), "{message}");
    }
    world.rule(&[0, 1], "    kms: arn:x\n");
    ok(&world.plomb(&["updatekeys", "-y", "a.json"]));
    assert_eq!(world.json("a.json")["sops"]["kms"], json!([entry]), "carried through");
    world.rule(&[0, 1], "");
    ok(&world.plomb(&["rotate", "-i", "--drop-entry", "kms: arn:x", "a.json"]));
    assert!(world.json("a.json")["sops"]["kms"].is_null());
    assert_eq!(world.decrypted(&[1], "a.json"), PLAIN);
}

#[test]
fn a_new_reader_costs_one_entry() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("a.json", PLAIN);
    let before = world.json("a.json");
    let up_to_date = world.plomb(&["updatekeys", "-y", "a.json"]);
    assert!(text(&ok(&up_to_date).stderr).contains("already up to date"));
    world.rule(&[0, 1, 2], "");
    let (code, message) = fails(&world.plomb(&["updatekeys", "a.json"]));
    assert!(code == 1 && message.contains(&format!("+ {}", world.people[2])), "{message}");
    assert_eq!(world.json("a.json"), before, "nobody agreed");
    ok(&world.plomb(&["updatekeys", "-y", "a.json"]));
    let mut after = world.json("a.json");
    assert_eq!(entries(&after, "enc")[..2], entries(&before, "enc")[..], "the wraps of those who stay are kept");
    assert_eq!(world.decrypted(&[2], "a.json"), PLAIN);
    world.sops_reads(&[2], "a.json");
    // Without a rule the list stored in the file vouches for the third reader too.
    std::fs::remove_file(world.path(".sops.yaml")).expect("the rule");
    ok(&world.plomb(&["rotate", "a.json"]));
    after["sops"]["age"] = before["sops"]["age"].clone();
    after["sops"]["plomb_layout"] = before["sops"]["plomb_layout"].clone();
    assert_eq!(after, before, "values, MAC and time are kept");
}

#[test]
fn a_reader_who_leaves_costs_a_new_data_key() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("a.json", PLAIN);
    let before = world.json("a.json");
    world.rule(&[0], "");
    let done = world.plomb(&["updatekeys", "-y", "a.json"]);
    assert!(text(&ok(&done).stderr).contains("new data key"));
    let after = world.json("a.json");
    assert_eq!(entries(&after, "recipient"), [world.people[0].clone()]);
    assert_ne!(entries(&after, "enc")[0], entries(&before, "enc")[0]);
    assert_ne!(after["db"]["password"], before["db"]["password"]);
    // The old entry does not open the new file.
    world.inject("a.json", "i.json", &world.people[1], &entries(&before, "enc")[1]);
    assert_ne!(world.plomb_as(&[1], &["decrypt", "i.json"]).status.code(), Some(0));
    assert_eq!(world.decrypted(&[0], "a.json"), PLAIN);
}

#[test]
fn a_false_entry_is_written_anew() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("a.json", PLAIN);
    let mut file = world.json("a.json");
    file["sops"]["age"][0]["enc"] = json!(world.armor_for(3));
    world.put_json("a.json", &file);
    let done = world.plomb_as(&[0, 1], &["updatekeys", "-y", "a.json"]);
    assert!(text(&ok(&done).stderr).contains("written anew"));
    assert_eq!(world.decrypted(&[0], "a.json"), PLAIN);
    assert_eq!(entries(&world.json("a.json"), "enc")[1], entries(&file, "enc")[1]);
}

#[test]
fn selectors_follow_the_rule() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("a.json", PLAIN);
    let before = world.json("a.json");
    world.rule(&[0, 1], "    encrypted_regex: ^password$\n    mac_only_encrypted: true\n");
    ok(&world.plomb(&["updatekeys", "-y", "a.json"]));
    let after = world.json("a.json");
    assert_eq!(after["user"], json!("root"));
    assert_eq!(after["db"]["password"], before["db"]["password"], "what stays encrypted keeps its ciphertext");
    assert_eq!(after["sops"]["mac_only_encrypted"], json!(true));
    assert_eq!(entries(&after, "enc"), entries(&before, "enc"));
    assert_eq!(world.decrypted(&[1], "a.json"), PLAIN);
    world.sops_reads(&[1], "a.json");
    world.rule(&[0, 1], "    encrypted_regex: ^nothing$\n");
    assert!(fails(&world.plomb(&["updatekeys", "-y", "a.json"])).1.contains("nothing would be encrypted"));
}

#[test]
fn several_files_go_on_after_a_failure() {
    let world = World::new();
    world.rule(&[0], "");
    world.encrypt("a.json", PLAIN);
    world.rule(&[0, 1], "");
    let (code, message) = fails(&world.plomb(&["updatekeys", "-y", "missing.json", "a.json"]));
    assert!(code == 100 && message.contains("missing.json"), "{message}");
    assert_eq!(world.decrypted(&[1], "a.json"), PLAIN);
}

#[test]
fn two_of_three_groups() {
    let world = World::new();
    world.groups(&[0, 1, 2], 2);
    world.encrypt("a.json", PLAIN);
    assert_eq!(fails(&world.plomb(&["decrypt", "a.json"])).0, 128);
    ok(&world.plomb_as(&[0, 2], &["rotate", "-i", "a.json"]));
    for pair in [[0, 1], [1, 2], [0, 2]] {
        assert_eq!(world.decrypted(&pair, "a.json"), PLAIN);
        world.sops_reads(&pair, "a.json");
    }
    world.groups(&[0, 1, 2], 3);
    ok(&world.plomb_as(&[0, 1], &["updatekeys", "-y", "a.json"]));
    assert_eq!(world.json("a.json")["sops"]["shamir_threshold"], json!(3));
    assert_eq!(fails(&world.plomb_as(&[0, 1], &["decrypt", "a.json"])).0, 128);
    assert_eq!(world.decrypted(&[0, 1, 2], "a.json"), PLAIN);
    world.sops_reads(&[0, 1, 2], "a.json");
}

#[test]
fn a_reader_who_joins_a_group_gets_its_share() {
    let world = World::new();
    world.groups(&[0, 1, 2], 2);
    world.encrypt("a.json", PLAIN);
    let before = world.json("a.json");
    let rule = world.read(".sops.yaml").replace(&world.people[1], &format!("{}, {}", world.people[1], world.people[3]));
    world.write(".sops.yaml", &rule);
    ok(&world.plomb_as(&[0, 1], &["updatekeys", "-y", "a.json"]));
    let after = world.json("a.json");
    let group = |file: &Value, number: usize| file["sops"]["key_groups"][number]["age"].clone();
    assert_eq!((group(&after, 0), group(&after, 2)), (group(&before, 0), group(&before, 2)), "shares are kept");
    assert_eq!(group(&after, 1)[0], group(&before, 1)[0]);
    assert_eq!(world.decrypted(&[2, 3], "a.json"), PLAIN);
    world.sops_reads(&[2, 3], "a.json");
    // Nobody of the third group is at hand: its share is not known, so the key is split anew.
    let rule = rule.replace(&world.people[2], &format!("{}, {}", world.people[2], world.people[3]));
    world.write(".sops.yaml", &rule);
    ok(&world.plomb_as(&[0, 1], &["updatekeys", "-y", "a.json"]));
    assert_ne!(group(&world.json("a.json"), 0), group(&after, 0));
    assert_eq!(world.decrypted(&[0, 3], "a.json"), PLAIN);
    world.sops_reads(&[0, 2], "a.json");
}

#[test]
fn groups_are_added_and_deleted() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("a.json", PLAIN);
    let before = world.json("a.json");
    ok(&world.plomb(&["groups", "add", "-f", "a.json", "--age", &world.people[2], "-i"]));
    let after = world.json("a.json");
    assert_eq!((&after["sops"]["shamir_threshold"], &after["db"]), (&json!(2), &before["db"]));
    assert_eq!(fails(&world.plomb_as(&[0, 1], &["decrypt", "a.json"])).0, 128);
    assert_eq!(world.decrypted(&[1, 2], "a.json"), PLAIN);
    world.sops_reads(&[1, 2], "a.json");
    let delete = |more: &[&str]| world.plomb_as(&[0, 2], &[&["groups", "delete", "-f", "a.json", "-i"], more].concat());
    assert!(fails(&delete(&["7"])).1.contains("no group 7"));
    assert!(fails(&delete(&["1"])).1.contains("threshold"));
    ok(&delete(&["1", "--shamir-secret-sharing-threshold", "1"]));
    assert_eq!(world.decrypted(&[0], "a.json"), PLAIN);
    assert_ne!(world.json("a.json")["db"], before["db"], "who was taken away knew the old data key");
    world.sops_reads(&[1], "a.json");
}

#[test]
fn encrypting_again_changes_one_value() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.git(&["init", "-q"]);
    for (name, content) in [("a.json", PLAIN), ("a.yaml", YAML)] {
        world.encrypt(name, content);
        let old = world.read(name);
        world.git(&["add", "-A"]);
        world.git(&["commit", "-qm", "one"]);
        ok(&world.plomb(&["decrypt", "-i", name]));
        ok(&world.plomb(&["encrypt", "-i", name]));
        assert_eq!(world.read(name), old, "{name}: nothing changed, nothing changes");
        let changed = content.replace("canary-hunter2", "canary-hunter3");
        for from in [false, true] {
            world.write("old", &old);
            let target = if from { format!("sub-{name}") } else { name.to_owned() };
            world.write(&target, &changed);
            let arguments: &[&str] = if from { &["--from", "old"] } else { &[] };
            ok(&world.plomb(&[&["encrypt", "-i", &target], arguments].concat()));
            let lines = changed_values(&old, &world.read(&target));
            assert!(lines.len() == 1 && lines[0].contains("password"), "{name} {from}: {lines:?}");
            assert_eq!(world.decrypted(&[1], &target), changed);
            world.sops_reads(&[1], &target);
        }
    }
}

#[test]
fn head_is_read_through_links_packs_and_hostile_configuration() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.git(&["init", "-q"]);
    std::fs::create_dir(world.path("deep")).expect("a folder");
    world.encrypt("deep/a.json", PLAIN);
    let old = world.read("deep/a.json");
    world.git(&["add", "-A"]);
    world.git(&["commit", "-qm", "one"]);
    world.git(&["gc", "-q"]);
    let config = "[core]\n\tfsmonitor = touch ran\n\tpager = touch ran\n[filter \"x\"]\n\tsmudge = touch ran\n";
    let before = world.read(".git/config");
    world.write(".git/config", &format!("{before}{config}"));
    world.write(".gitattributes", "* filter=x diff=x\n");
    world.write("deep/a.json", PLAIN);
    std::os::unix::fs::symlink("deep/a.json", world.path("link.json")).expect("a link");
    ok(&world.plomb(&["encrypt", "-i", "link.json"]));
    assert_eq!(world.read("deep/a.json"), old);
    assert!(!world.path("ran").exists() && !world.path("deep/ran").exists());
    world.write(".git/HEAD", "rubbish");
    world.write("deep/a.json", PLAIN);
    let done = world.plomb(&["encrypt", "-i", "deep/a.json"]);
    assert!(text(&ok(&done).stderr).contains("cannot be read"));
    assert_eq!(world.decrypted(&[0], "deep/a.json"), PLAIN);
}

#[test]
fn a_key_is_not_reused_when_anything_differs() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("old.json", PLAIN);
    let old = world.json("old.json");
    let again = |person: usize, more: &[&str]| {
        world.write("new.json", PLAIN);
        let done = world.plomb_as(&[person], &[&["encrypt", "-i", "new.json"], more].concat());
        (text(&ok(&done).stderr), entries(&world.json("new.json"), "enc") == entries(&old, "enc"))
    };
    let from = ["--from", "old.json"];
    assert!(again(0, &from).1);
    assert!(!again(0, &["--no-reuse"]).1);
    let (note, reused) = again(3, &from);
    assert!(!reused && note.contains("no identity"), "{note}");
    for rule in ["    encrypted_regex: user\n", "    mac_only_encrypted: true\n", "    shamir_threshold: 1\n"] {
        world.rule(&[0, 1], rule);
        assert!(!again(0, &from).1, "{rule}");
    }
    world.rule(&[0, 2], "");
    assert!(!again(0, &from).1);
    world.rule(&[1, 0], "");
    assert!(again(0, &from).1, "the order of recipients says nothing");
    let mut bad = old.clone();
    bad["list"] = json!([]);
    world.put_json("old.json", &bad);
    let (note, reused) = again(0, &from);
    assert!(!reused && note.contains("MAC"), "{note}");
    let mut swapped = old.clone();
    swapped["sops"]["age"][0]["enc"] = json!(world.armor_for(3));
    world.put_json("old.json", &swapped);
    world.write("new.json", PLAIN);
    ok(&world.plomb_as(&[0, 1], &["encrypt", "-i", "new.json", "--from", "old.json"]));
    assert_eq!(world.decrypted(&[0], "new.json"), PLAIN, "a false entry is not carried on");
}

#[test]
fn keys_are_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let recipient = text(&ok(&world.plomb(&["key", "new"])).stdout);
    let file = world.folder.path().join("cfg/sops/age/keys.txt");
    assert_eq!(std::fs::metadata(&file).expect("the key file").permissions().mode() & 0o777, 0o600);
    let content = std::fs::read_to_string(&file).expect("the key file");
    assert!(content.starts_with("# created: ") && content.contains(&format!("# public key: {recipient}")));
    let (code, message) = fails(&world.plomb(&["key", "new"]));
    assert!(code == 3 && message.contains("exists already") && message.contains("-o"), "{message}");
    assert_eq!(std::fs::read_to_string(&file).expect("the key file"), content);
    assert_eq!(text(&ok(&world.plomb(&["key", "show"])).stdout), recipient);
    let list = text(&ok(&world.plomb(&["key", "list"])).stdout);
    assert!(list.contains(recipient.trim()) && list.contains("SOPS_AGE_KEY") && !list.contains("SECRET"), "{list}");
    let quantum = text(&ok(&world.plomb(&["key", "new", "--pq", "-o", "pq.txt"])).stdout);
    assert!(quantum.starts_with("age1pq1"));
    world.write("a.json", PLAIN);
    ok(&world.plomb(&["encrypt", "-i", "--age", quantum.trim(), "a.json"]));
    let mut open = world.command(Path::new(env!("CARGO_BIN_EXE_plomb")), &[]);
    let open = open.env("SOPS_AGE_KEY_FILE", "pq.txt").args(["decrypt", "a.json"]).output().expect("plomb runs");
    assert_eq!(text(&ok(&open).stdout), PLAIN);
}

#[test]
fn filestatus_says_what_sops_says() {
    let world = World::new();
    world.rule(&[0], "");
    world.encrypt("a.json", PLAIN);
    world.write("b.json", PLAIN);
    world.write("c.json", "{");
    let cases = [
        ("a.json", true, "{\"encrypted\":true}\n"),
        ("b.json", true, "{\"encrypted\":false}\n"),
        ("c.json", false, ""),
    ];
    for (name, fine, says) in cases {
        let ours = world.plomb(&["filestatus", name]);
        assert_eq!((ours.status.success(), text(&ours.stdout)), (fine, says.to_owned()), "{name}");
        let Some(sops) = sops() else { continue };
        let theirs = world.command(&sops, &[0]).args(["filestatus", name]).output().expect("sops runs");
        assert_eq!((theirs.status.success(), text(&theirs.stdout)), (fine, says.to_owned()), "{name}");
    }
}

#[test]
fn publish_writes_encrypted_copies_only() {
    let world = World::new();
    world.rule(&[0, 1], "");
    world.encrypt("a.json", PLAIN);
    world.write("plain.json", PLAIN);
    let rules = world.read(".sops.yaml");
    let with = |more: &str| world.write(".sops.yaml", &format!("{rules}destination_rules:\n{more}"));
    with("  - path: out\n");
    assert!(fails(&world.plomb(&["publish", "a.json"])).1.contains("--yes"));
    ok(&world.plomb(&["publish", "-y", "a.json"]));
    assert_eq!(world.read("out/a.json"), world.read("a.json"));
    assert_eq!(fails(&world.plomb(&["publish", "-y", "plain.json"])).0, 1);
    world.write("out/b.json", "mine");
    std::fs::copy(world.path("a.json"), world.path("b.json")).expect("a copy");
    assert!(fails(&world.plomb(&["publish", "-y", "b.json"])).1.contains("not replaced"));
    assert_eq!(world.read("out/b.json"), "mine");
    with(&format!("  - path: out\n    recreation_rule:\n      age: {}\n", world.people[2]));
    ok(&world.plomb(&["publish", "-y", "a.json"]));
    assert_eq!(world.decrypted(&[2], "out/a.json"), PLAIN);
    assert_eq!(fails(&world.plomb(&["decrypt", "out/a.json"])).0, 128);
    with("  - s3_bucket: b\n");
    assert!(fails(&world.plomb(&["publish", "-y", "a.json"])).1.contains("s3_bucket"));
}
