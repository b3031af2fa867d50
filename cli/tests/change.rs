//! `edit`, `set`, `unset`, `exec-env` and `exec-file`, run as a user runs them: the built binary in a world of its own.

#[path = "shared/world.rs"]
mod world;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Canary, Outcome, Peer, fixtures::files_below};
use world::World;

const PLAIN: &str = r#"{
    "user": "ann",   "password": "canary-0123456789",
    "deep": {"list": [1, 2.50, "canary-9876543210"], "n": 7}
}
"#;

impl World {
    /// With the encrypted file `s.json`.
    fn new(name: &str) -> Self {
        let world = Self::bare(name);
        world.encrypted("s.json", PLAIN);
        world
    }

    fn encrypted(&self, name: &str, plain: &str) -> PathBuf {
        let path = self.scratch.write(name, plain);
        let done = self.plomb(["encrypt", "--age", &self.recipient, "--in-place", name]);
        assert_eq!(done.code, Some(0), "{}", done.errors());
        path
    }

    fn edit(&self, file: &str, editor: &str) -> Outcome {
        let editor = self.scratch.script("editor.sh", &format!("#!/bin/sh\n{editor}\n"));
        self.run(["edit", file]).env("EDITOR", editor).run()
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.scratch.path(file)).expect("it is there")
    }

    fn decrypted(&self, file: &str) -> String {
        let done = self.plomb(["decrypt", file]);
        assert!(done.ok(), "{}", done.errors());
        done.text()
    }

    fn private_folders(&self) -> usize {
        std::fs::read_dir(self.scratch.runtime()).expect("it is there").count()
    }

    /// No plaintext anywhere but in the key file's folder; nothing at all in the private places.
    fn assert_clean(&self, outcomes: &[&Outcome]) {
        let canary = Canary::new(&["canary-0123456789", "canary-9876543210"]);
        for outcome in outcomes {
            assert!(!canary.is_in(&outcome.stdout) && !canary.is_in(&outcome.stderr), "{}", outcome.errors());
        }
        let script = self.scratch.root().join("editor.sh");
        assert_eq!(canary.files_with_it(self.scratch.root(), &[&script]), Vec::<PathBuf>::new());
        assert_eq!(files_below(&self.scratch.runtime()), Vec::<PathBuf>::new());
        assert_eq!(files_below(&self.scratch.tmp()), Vec::<PathBuf>::new());
        assert_eq!(self.private_folders(), 0, "an empty folder was left");
    }
}

/// Names of the entries that differ between two encrypted JSON files, but for the time.
fn changed(before: &str, after: &str) -> Vec<String> {
    let old: Vec<&str> = before.lines().collect();
    let name = |line: &str| line.trim().split('"').nth(1).unwrap_or_default().to_owned();
    // A fast machine changes a file twice in one second.
    after.lines().filter(|line| !old.contains(line)).map(name).filter(|name| name != "lastmodified").collect()
}

#[test]
fn set_changes_one_value_and_nothing_else() {
    let world = World::new("set");
    let before = world.text("s.json");
    let done = world.run(["set", "s.json", "[\"deep\"][\"n\"]", "--value-stdin"]).stdin("8\n").run();
    assert_eq!(done.code, Some(0), "{}", done.errors());
    assert_eq!(world.decrypted("s.json"), PLAIN.replace("\"n\": 7", "\"n\": 8"));
    let after = world.text("s.json");
    assert_eq!(changed(&before, &after), ["deep", "mac", "plomb_layout"]);
    let list = |text: &str| text.split("\"n\"").next().expect("a split has a first part").to_owned();
    assert_eq!(list(&before), list(&after), "an unchanged value got another ciphertext");
    world.assert_clean(&[&done]);
}

#[test]
fn set_takes_values_from_everywhere_but_not_silently_from_the_command_line() {
    let world = World::new("values");
    world.scratch.write("value", "two\nlines\n");
    let path = "[\"user\"]";
    let cases: [(&[&str], &str, Option<i32>, &str); 9] = [
        (&["--value-in-argv", path, "\"bob\""], "", Some(0), "bob"),
        (&[path, "\"eve\""], "", Some(64), "bob"),
        (&["--value-in-argv", "--string", path, "3"], "", Some(0), "3"),
        (&["--value-file", "value", "--string", path], "", Some(0), "two\nlines\n"),
        (&["--value-stdin", "--string", path], "x\n", Some(0), "x"),
        (&["--value-stdin", path], "[1, {\"a\": null}]", Some(0), "[1, {\"a\": null}]"),
        (&["--value-stdin", path], "1, \"b\": 2", Some(7), ""),
        (&["--value-stdin", path], "canary-0123456789", Some(7), ""),
        (&[path], "", Some(64), ""),
    ];
    for (args, stdin, code, shown) in cases {
        // Flags first: a path may start with a dash.
        let (flags, rest): (Vec<&str>, Vec<&str>) = args.iter().partition(|arg| !arg.starts_with(['[', '"', '3']));
        let args: Vec<&str> = ["set"].into_iter().chain(flags).chain(["s.json"]).chain(rest).collect();
        let done = world.run(args.clone()).stdin(stdin).run();
        assert_eq!(done.code, code, "{args:?} {}", done.errors());
        if !shown.is_empty() {
            let now = world.plomb(["decrypt", "--extract", path, "s.json"]).text();
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(squeeze(&now), squeeze(shown), "{args:?}");
        }
        assert!(!done.errors().contains("canary"), "{}", done.errors());
    }
}

#[test]
fn set_makes_what_is_missing_and_refuses_what_cannot_be() {
    let world = World::new("missing");
    for (path, value) in [
        ("[\"new\"][\"a\"][0]", "1"),
        ("[\"deep\"][\"list\"][99]", "\"last\""),
        ("[\"user\"][\"name\"]", "\"was a scalar\""),
        ("[\"big\"]", "9007199254740993"),
    ] {
        let done = world.plomb(["set", "--value-in-argv", "s.json", path, value]);
        assert_eq!(done.code, Some(0), "{path} {}", done.errors());
    }
    let plain = world.decrypted("s.json");
    for part in ["\"a\": [", "\"last\"]", "\"name\": \"was a scalar\"", "\"big\": 9007199254740993", "2.50"] {
        assert!(plain.contains(part), "{part} in {plain}");
    }
    let before = world.text("s.json");
    for (args, code) in [
        (["set", "s.json", "user", "1"], 7),
        (["set", "s.json", "", "1"], 7),
        (["set", "s.json", "[0]", "1"], 1),
        (["set", "none.json", "[\"a\"]", "1"], 100),
        (["unset", "s.json", "[\"none\"]", ""], 1),
        (["unset", "s.json", "none", ""], 7),
    ] {
        let flags: &[&str] = if args[0] == "set" { &["--value-in-argv"] } else { &[] };
        let args = args.iter().copied().filter(|arg| args[0] == "set" || !arg.is_empty()).chain(flags.iter().copied());
        let args: Vec<&str> = args.collect();
        let done = world.plomb(args.clone());
        assert_eq!(done.code, Some(code), "{args:?} {}", done.errors());
        assert_eq!(done.errors().lines().filter(|line| line.starts_with("error: ")).count(), 1);
    }
    assert_eq!(world.text("s.json"), before);
}

#[test]
fn idempotent_writes_nothing() {
    let world = World::new("idempotent");
    let before = world.text("s.json");
    for (path, value) in [("[\"user\"]", "\"ann\""), ("[\"deep\"][\"list\"][1]", "2.5"), ("[\"deep\"][\"n\"]", "7")] {
        let done = world.plomb(["set", "--idempotent", "--value-in-argv", "s.json", path, value]);
        assert_eq!(done.code, Some(0), "{}", done.errors());
    }
    assert!(world.plomb(["unset", "--idempotent", "s.json", "[\"none\"]"]).ok());
    assert_eq!(world.text("s.json"), before);
    assert!(world.plomb(["set", "--value-in-argv", "s.json", "[\"user\"]", "\"ann\""]).ok());
    assert_ne!(world.text("s.json"), before);
}

#[test]
fn unset_takes_one_value_away() {
    let world = World::new("unset");
    let done = world.plomb(["unset", "s.json", "[\"deep\"][\"list\"][0]"]);
    assert_eq!(done.code, Some(0), "{}", done.errors());
    assert_eq!(world.decrypted("s.json"), PLAIN.replace("[1, 2.50", "[2.50"));
    world.assert_clean(&[&done]);
}

#[test]
fn twelve_at_once_lose_nothing() {
    let world = World::new("parallel");
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let one = |number: usize| world.plomb(["set", "--value-in-argv", "s.json", &format!("[\"k{number}\"]"), "1"]);
        let threads: Vec<_> = (0..12).map(|number| scope.spawn(move || one(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let wrote = outcomes.iter().filter(|outcome| outcome.ok()).count();
    let plain = world.decrypted("s.json");
    let there = (0..12).filter(|number| plain.contains(&format!("\"k{number}\""))).count();
    assert_eq!(wrote, there);
    // On a slow machine some may give up after five seconds, aloud.
    assert!(wrote >= 1 && outcomes.iter().all(|it| it.ok() || it.errors().contains("locked")), "{wrote}");
}

#[test]
fn edit_keeps_unchanged_ciphertext_and_leaves_nothing() {
    let world = World::new("edit");
    let before = world.text("s.json");
    let done = world.edit("s.json", "basename \"$1\"; stat -c %a \"$1\"; sed -i 's/\"ann\"/\"bob\"/' \"$1\"");
    assert_eq!((done.code, done.text().as_str()), (Some(0), "s.json\n600\n"), "{}", done.errors());
    assert_eq!(world.decrypted("s.json"), PLAIN.replace("ann", "bob"));
    let tokens = |text: &str| text.split("ENC[").skip(2).take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(tokens(&before), tokens(&world.text("s.json")), "an unchanged value got another ciphertext");
    world.assert_clean(&[&done]);
}

#[test]
fn edit_says_what_went_wrong_and_changes_nothing() {
    let world = World::new("edit-fails");
    let before = world.text("s.json");
    for (editor, code, said) in [
        ("true", 200, "file has not changed"),
        ("sed -i s/ann/bob/ \"$1\"; exit 3", 201, "exit code 3"),
        ("printf '{\\n \"a\": canary-0123456789' > \"$1\"", 2, "s.json:2:"),
        ("rm \"$1\"", 201, "cannot open"),
        (": > \"$1\"", 2, "the file ends"),
        ("printf '{\"sops\": {}}' > \"$1\"", 203, ""),
    ] {
        let done = world.edit("s.json", editor);
        assert_eq!(done.code, Some(code), "{editor} {}", done.errors());
        assert!(done.errors().contains(said), "{editor} {}", done.errors());
        assert_eq!(world.text("s.json"), before);
        std::fs::remove_file(world.scratch.root().join("editor.sh")).unwrap();
        world.assert_clean(&[&done]);
    }
    let missing = world.run(["edit", "s.json"]).env("EDITOR", "/none/such").run();
    assert_eq!(missing.code, Some(201), "{}", missing.errors());
}

#[test]
fn edit_creates_a_file_that_the_rule_covers() {
    let world = World::new("create");
    let rules = format!("creation_rules:\n  - path_regex: \\.json$\n    age: {}\n", world.recipient);
    world.scratch.write(".sops.yaml", rules);
    let unchanged = world.edit("new.json", "true");
    assert_eq!(unchanged.code, Some(200), "{}", unchanged.errors());
    assert!(!world.scratch.path("new.json").exists());
    let done = world.edit("new.json", "grep -q hello \"$1\" && printf '{\"a\": \"b\"}\\n' > \"$1\"");
    assert_eq!(done.code, Some(0), "{}", done.errors());
    assert!(world.text("new.json").contains("ENC["));
    assert_eq!(world.decrypted("new.json"), "{\"a\": \"b\"}\n");
    let uncovered = world.edit("new.env", "echo started");
    assert_eq!((uncovered.code, uncovered.text().as_str()), (Some(1), ""), "{}", uncovered.errors());
    world.assert_clean(&[&done, &uncovered]);
}

#[test]
fn edit_does_not_overwrite_what_changed_meanwhile() {
    let world = World::new("race");
    let plomb = env!("CARGO_BIN_EXE_plomb");
    let other = format!("sed -i s/ann/kept-by-edit/ \"$1\"; {plomb} set --value-in-argv s.json '[\"user\"]' '\"eve\"'");
    let done = world.edit("s.json", &other);
    assert_eq!(done.code, Some(1), "{}", done.errors());
    assert!(done.errors().contains("changed while the editor was open"), "{}", done.errors());
    assert!(world.decrypted("s.json").contains("\"eve\""));
    let kept = done.errors().split("kept in ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    assert!(std::fs::read_to_string(&kept).unwrap().contains("kept-by-edit"));
    // The next run's sweep leaves it alone.
    assert!(world.edit("s.json", "sed -i s/eve/bob/ \"$1\"").ok());
    assert!(std::path::Path::new(&kept).exists());
}

/// Starts `edit` with an editor that waits, sends `signal` to plomb alone, and gives plomb's end.
fn signalled(world: &World, signal: &str) -> std::process::ExitStatus {
    let ready = world.scratch.root().join("ready");
    let script = format!("#!/bin/sh\ntouch {}\nsleep 20 & wait\n", ready.display());
    let editor = world.scratch.script("editor.sh", &script);
    let mut child = Command::new(env!("CARGO_BIN_EXE_plomb"))
        .args(["edit", "s.json"])
        .current_dir(world.scratch.work())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("XDG_RUNTIME_DIR", world.scratch.runtime())
        .env("SOPS_AGE_KEY_FILE", world.scratch.root().join("keys.txt"))
        .env("EDITOR", editor)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary is built");
    let start = Instant::now();
    while !ready.exists() && start.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_ne!(files_below(&world.scratch.runtime()), Vec::<PathBuf>::new(), "the text lies there");
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    assert!(sent.expect("kill is installed").success());
    std::fs::remove_file(ready).expect("the editor made it");
    child.wait().expect("it is our child")
}

/// Whether this process was started with `signal` ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[test]
fn a_signal_while_the_editor_is_open_leaves_nothing() {
    use std::os::unix::process::ExitStatusExt as _;
    let world = World::new("signals");
    let before = world.text("s.json");
    for (signal, number) in [("HUP", 1), ("TERM", 15)] {
        // Started under nohup, this process and its children ignore it, as they should.
        if is_ignored(number) {
            continue;
        }
        assert_eq!(signalled(&world, signal).signal(), Some(number));
        world.assert_clean(&[]);
    }
    assert_eq!(signalled(&world, "KILL").signal(), Some(9));
    assert_ne!(files_below(&world.scratch.runtime()), Vec::<PathBuf>::new(), "nobody could remove it");
    // The next start sweeps it.
    assert_eq!(world.edit("s.json", "true").code, Some(200));
    world.assert_clean(&[]);
    assert_eq!(world.text("s.json"), before);
}

#[test]
fn exec_env_gives_the_values_and_the_exit_code() {
    let world = World::new("exec-env");
    world.encrypted("e.json", "{\"A\": \"x y\", \"N\": 3, \"Z\": null, \"T\": true, \"F\": 1.5}");
    let env = |args: &[&str]| world.plomb(["exec-env"].into_iter().chain(args.iter().copied()));
    let done = env(&["e.json", "echo \"$A|$N|$Z|$T|$F\"; exit 4"]);
    assert_eq!((done.code, done.text().as_str()), (Some(4), "x y|3|<nil>|true|1.5\n"), "{}", done.errors());
    assert_eq!(env(&["e.json", "kill -9 $$"]).code, Some(255));
    assert_eq!(env(&["--pristine", "--only", "A", "e.json", "env | grep -v '^PWD\\|^_\\|^SHLVL'"]).text(), "A=x y\n");
    let same = env(&["--same-process", "e.json", "echo $A; exit 5"]);
    assert_eq!((same.code, same.text().as_str()), (Some(5), "x y\n"), "{}", same.errors());
    let nested = env(&["s.json", "echo started"]);
    assert_eq!((nested.code, nested.text().as_str()), (Some(1), ""));
    assert!(nested.errors().contains("deep"), "{}", nested.errors());
    world.assert_clean(&[&done, &nested]);
}

#[test]
fn exec_env_refuses_names_that_take_over() {
    let world = World::new("names");
    for name in
        ["LD_PRELOAD", "PATH", "GIT_SSH_COMMAND", "VISUAL", "_JAVA_OPTIONS", "npm_config_script_shell", "BASH_ENV"]
    {
        world.encrypted("p.json", &format!("{{\"{name}\": \"/x\", \"A\": \"1\"}}"));
        let refused = world.plomb(["exec-env", "p.json", "echo started"]);
        assert_eq!((refused.code, refused.text().as_str()), (Some(1), ""));
        assert!(refused.errors().contains(name), "{}", refused.errors());
        assert!(world.plomb(["exec-env", "--only", "A", "p.json", "true"]).ok());
    }
    let allowed = world.plomb(["exec-env", "--allow-env", "BASH_ENV", "p.json", "echo $BASH_ENV"]);
    assert_eq!(allowed.text(), "/x\n", "{}", allowed.errors());
}

#[test]
fn exec_env_sets_a_home_folder() {
    let world = World::new("home");
    world.encrypted("p.json", "{\"HOME\": \"/srv\"}");
    assert_eq!(world.plomb(["exec-env", "p.json", "echo $HOME"]).text(), "/srv\n");
}

#[test]
fn a_key_command_that_never_ends_is_cut_off() {
    let world = World::new("keycmd");
    let run = world.run(["decrypt", "s.json"]).env("SOPS_AGE_KEY_FILE", "").env("SOPS_AGE_KEY_CMD", "yes");
    let done = run.limit(Duration::from_secs(20)).run();
    assert_eq!(done.code, Some(128), "{}", done.errors());
    assert!(done.errors().contains("SOPS_AGE_KEY_CMD: the command prints more than 1 MiB"), "{}", done.errors());
}

#[test]
fn a_key_behind_a_passphrase_is_named_where_nobody_can_be_asked() {
    let world = World::new("passphrase");
    let stranger = key_behind_a_passphrase(&world);
    let folder = testkit::fixtures::folder("keys/identities");
    let locked = folder.join("ssh_ed25519_locked");
    let recipient = std::fs::read_to_string(folder.join("ssh_ed25519_locked.pub")).expect("a fixture");
    world.scratch.write("t.json", PLAIN);
    assert!(world.plomb(["encrypt", "--age", recipient.trim(), "--in-place", "t.json"]).ok());
    let keys = [
        ("s.json", "SOPS_AGE_KEY_FILE", &stranger, "locked.age"),
        ("t.json", "SOPS_AGE_SSH_PRIVATE_KEY_FILE", &locked, "ssh_ed25519_locked"),
    ];
    for (file, variable, key, name) in keys {
        // In a session of its own, which has no terminal to ask at.
        let run = world.scratch.command("setsid").args(["--wait", env!("CARGO_BIN_EXE_plomb"), "decrypt", file]);
        let done = run.env(variable, key).run();
        assert_eq!(done.code, Some(128), "{}", done.errors());
        let told = format!("{name} needs a passphrase, and none was given");
        assert!(done.errors().contains(&told), "{}", done.errors());
    }
}

/// The header of a key file that a passphrase would open; nobody gets as far as its payload.
fn key_behind_a_passphrase(world: &World) -> PathBuf {
    let salt = "A".repeat(22);
    let (body, mac) = ("A".repeat(43), "A".repeat(43));
    let header = format!("age-encryption.org/v1\n-> scrypt {salt} 10\n{body}\n--- {mac}\n");
    world.scratch.write("../locked.age", format!("{header}{}", "p".repeat(64)))
}

#[test]
fn an_editor_that_leaves_no_text_is_told_from_a_missing_file() {
    let world = World::new("no-text");
    for (editor, what) in [("rm \"$1\"", "no such file"), ("rm \"$1\"; mkdir \"$1\"", "is a directory")] {
        let done = world.edit("s.json", editor);
        assert_eq!(done.code, Some(201), "{}", done.errors());
        let told = format!("the editor left no text that can be read: {what}");
        let errors = done.errors().replace("cannot open it: ", "");
        assert!(errors.contains(&told), "{errors}");
    }
    let broken = world.edit("s.json", "echo '{' > \"$1\"");
    assert_eq!(broken.code, Some(2), "{}", broken.errors());
    assert!(broken.errors().contains("the edited text, which was discarded"), "{}", broken.errors());
    assert_eq!(world.decrypted("s.json"), PLAIN);
}

#[test]
fn a_file_size_limit_fails_the_write_and_leaves_nothing_behind() {
    let world = World::new("limit");
    let before = world.text("s.json");
    let script = format!("ulimit -f 2; exec {} set --value-stdin s.json '[\"big\"]'", env!("CARGO_BIN_EXE_plomb"));
    let run = world.scratch.command("sh").args(["-c", &script]);
    let run = run.env("SOPS_AGE_KEY_FILE", world.scratch.root().join("keys.txt"));
    let done = run.stdin(format!("\"{}\"", "x".repeat(20_000))).run();
    assert_eq!(done.code, Some(3), "{}", done.errors());
    assert!(done.errors().contains("file too large"), "{}", done.errors());
    assert_eq!(world.text("s.json"), before);
    let left = files_below(&world.scratch.work()).into_iter().filter(|path| path.to_string_lossy().contains(".plomb-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn exec_file_gives_the_text_once_however_it_is_read() {
    let world = World::new("exec-file");
    let file = |args: &[&str]| {
        let run = world.run(["exec-file"].into_iter().chain(args.iter().copied()));
        let done = run.limit(Duration::from_secs(20)).run();
        assert!(!done.timed_out, "{args:?}");
        assert_eq!(world.private_folders(), 0, "{args:?}");
        done
    };
    let whole = file(&["s.json", "cat {}; exit 6"]);
    assert_eq!((whole.code, whole.text().as_str()), (Some(6), PLAIN), "{}", whole.errors());
    assert_eq!(file(&["s.json", "exit 3"]).code, Some(3));
    assert_eq!(file(&["s.json", "head -c 1 {}"]).text(), "{");
    assert_eq!(file(&["s.json", "test -p {}"]).code, Some(0));
    assert_ne!(file(&["s.json", "cat {} >/dev/null; cat {}"]).code, Some(0), "read twice");
    let real = file(&["--no-fifo", "--filename", "x.json", "s.json", "cat {}; cat {} >/dev/null; basename {}"]);
    assert_eq!(real.text(), format!("{PLAIN}x.json\n"), "{}", real.errors());
    assert_eq!(file(&["--filename", "../x", "s.json", "true"]).code, Some(1));
    world.encrypted("e.json", "{\"A\": \"x\"}");
    assert_eq!(file(&["--output-type", "dotenv", "e.json", "cat {}"]).text(), "A=x\n");
    let mut huge = "{\"a\": \"".to_owned();
    huge.push_str(&"x".repeat(1 << 20));
    huge.push_str("\"}");
    world.encrypted("h.json", &huge);
    assert_eq!(file(&["h.json", "head -c 3 {}; exit 2"]).text(), "{\"a");
    assert_eq!(file(&["h.json", "cat {}"]).text(), huge);
}

#[test]
fn a_file_that_sops_wrote_stays_as_sops_writes_it() {
    let Some(sops) = Peer::Sops.find() else {
        return testkit::peer::skip("a_file_that_sops_wrote_stays_as_sops_writes_it", "PLOMB_SOPS names no file");
    };
    let world = World::new("by-sops");
    world.scratch.write("p.json", PLAIN);
    let sops = |args: &[&str]| {
        let run = world.scratch.command(&sops).args(args);
        let done = run.env("SOPS_AGE_KEY_FILE", world.scratch.root().join("keys.txt")).run();
        assert!(done.ok(), "{args:?} {}", done.errors());
        done
    };
    for indent in [&[] as &[&str], &["--indent", "3"]] {
        let encrypt = ["encrypt", "--age", &world.recipient, "p.json"];
        world.scratch.write("t.json", sops(&[indent, &encrypt].concat()).stdout);
        let before = world.text("t.json");
        let done = world.plomb(["set", "--value-in-argv", "t.json", "[\"deep\"][\"n\"]", "8"]);
        assert_eq!(done.code, Some(0), "{}", done.errors());
        assert_eq!(changed(&before, &world.text("t.json")), ["n", "mac"]);
        assert!(sops(&["decrypt", "t.json"]).text().contains("\"n\": 8"));
        let done = world.edit("t.json", "sed -i 's/\"n\": 8/\"n\": 9/' \"$1\"");
        assert_eq!(done.code, Some(0), "{}", done.errors());
        assert!(!world.text("t.json").contains("plomb_layout"));
        assert!(sops(&["decrypt", "t.json"]).text().contains("\"n\": 9"));
        let done = world.edit("t.json", "sed -i 's/\"n\": 9/\"n\":   10/' \"$1\"");
        assert_eq!(done.code, Some(0), "{}", done.errors());
        assert!(world.text("t.json").contains("plomb_layout") && world.decrypted("t.json").contains("\"n\":   10"));
        assert!(sops(&["decrypt", "t.json"]).text().contains("\"n\": 10"));
    }
    testkit::peer::peer_test_ran("a_file_that_sops_wrote_stays_as_sops_writes_it");
}

const YAML: &str = "\
# head
user: ann   # inline
password: 'canary-0123456789'

list:
    - a
    # between
    - {x: 1.50, y: [p,  q]}
block: |   # why
    two
    lines
deep:
  empty: {}
";

#[test]
fn yaml_keeps_every_byte_that_was_not_meant() {
    let world = World::new("yaml");
    for (path, value, old, new) in [
        ("[\"user\"]", "\"bob\"", "user: ann ", "user: bob "),
        ("[\"list\"][1][\"x\"]", "2", "x: 1.50", "x: 2"),
        ("[\"list\"][9]", "\"last\"", "q]}\n", "q]}\n    - last\n"),
        ("[\"deep\"][\"count\"]", "true", "empty: {}\n", "empty: {}\n  count: true\n"),
        ("[\"new\"]", "\"yes\"", "empty: {}\n", "empty: {}\nnew: \"yes\"\n"),
    ] {
        world.encrypted("s.yaml", YAML);
        let done = world.plomb(["set", "--value-in-argv", "s.yaml", path, value]);
        assert_eq!(done.code, Some(0), "{path} {}", done.errors());
        assert_eq!(world.decrypted("s.yaml"), YAML.replace(old, new), "{path}");
    }
    for (path, old) in [("[\"password\"]", "password: 'canary-0123456789'\n"), ("[\"list\"][0]", "    - a\n")] {
        world.encrypted("s.yaml", YAML);
        assert!(world.plomb(["unset", "s.yaml", path]).ok());
        assert_eq!(world.decrypted("s.yaml"), YAML.replace(old, ""), "{path}");
    }
}

#[test]
fn a_stranger_among_the_recipients_is_named_and_not_accepted() {
    let world = World::new("stranger");
    let (_, stranger) = keys::generate_x25519(&mut secret::OsRandom::new());
    let text = world.text("s.json").replace(&world.recipient, &stranger);
    world.scratch.write("s.json", text);
    for value in ["1", "2"] {
        let done = world.plomb(["set", "--value-in-argv", "s.json", "[\"a\"]", value]);
        assert!(done.errors().contains(&stranger), "{}", done.errors());
    }
}

#[test]
fn set_at_a_terminal_without_one_says_so() {
    let world = World::new("prompt");
    let done = world.plomb(["set", "s.json", "[\"user\"]"]);
    assert_eq!(done.code, Some(64));
    assert!(done.errors().contains("--value-stdin"), "{}", done.errors());
}
