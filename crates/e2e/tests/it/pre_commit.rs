//! The homelab repository with our hooks under the real pre-commit: what is stopped, what passes, what `--fix` mends.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure there is a failure of the test")]

use std::path::Path;
use std::time::Duration;

use testkit::{Dice, Outcome, Peer, Repository, Scratch, fixtures, peer, token};

/// As users write it, but for the address: it is a local clone of this repository.
const CONFIG: &str = "repos:\n  - repo: REMOTE\n    rev: v1\n    hooks:\n      - id: plomb\n";

const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: correct-horse-battery\n";

/// The repository, the hooks' own repository, and what a commit needs.
struct World<'s> {
    scratch: &'s Scratch,
    repo: Repository<'s>,
    path: String,
}

impl World<'_> {
    /// Stages everything and commits, with the hooks on.
    fn commit(&self, message: &str) -> Outcome {
        self.repo.try_git_in(&["add", "-A"], &self.path);
        self.repo.try_git_in(&["commit", "-q", "-m", message], &self.path)
    }

    fn plomb(&self, words: &[&str]) -> Outcome {
        self.scratch.command("plomb").args(words).env("PATH", &self.path).folder(self.repo.root()).run()
    }

    fn head_holds(&self, name: &str, text: &str) -> bool {
        self.repo.git(&["show", &format!("HEAD:{name}")]).text().contains(text)
    }
}

#[test]
fn commits_are_stopped_and_mended() {
    let test = "pre-commit";
    let Some([plomb, pre_commit]) = peer::require(test, [Peer::Plomb, Peer::PreCommit]) else { return };
    let scratch = Scratch::new(test);
    let world = world(&scratch, &plomb, &pre_commit);
    let mut dice = Dice::new(1);
    let file = "apps/immich/new-db.secret.yaml";
    let write = |name: &str, text: &str| std::fs::write(world.repo.root().join(name), text).unwrap();

    // A secret file in clear: stopped, told, mended, and then let through.
    write(file, SECRET);
    let stopped = world.commit("A secret in clear");
    assert!(!stopped.ok(), "{}", stopped.text());
    let said = format!("{}{}", stopped.text(), stopped.errors());
    assert!(said.contains("sops-not-encrypted") && said.contains("plomb encrypt") && said.contains("--fix"), "{said}");
    assert!(!said.contains("correct-horse-battery"), "the message shows the secret");
    let fixed = world.plomb(&["scan", "--staged", "--fix"]);
    assert!(fixed.ok(), "{}{}", fixed.text(), fixed.errors());
    let passed = world.commit("The same, encrypted");
    assert!(passed.ok(), "{}{}", passed.text(), passed.errors());
    assert!(world.head_holds(file, "ENC[AES256_GCM,") && !world.head_holds(file, "correct-horse-battery"));

    // A value in clear in an encrypted file.
    let text = std::fs::read_to_string(world.repo.root().join(file)).unwrap();
    write(file, &text.replace("stringData:\n", "stringData:\n  token: swiftly-added-by-hand\n"));
    let stopped = world.commit("A value in clear");
    let said = format!("{}{}", stopped.text(), stopped.errors());
    assert!(!stopped.ok() && said.contains("sops-value-in-clear"), "{said}");
    assert!(world.plomb(&["scan", "--staged", "--fix"]).ok());
    assert!(world.commit("Sealed").ok());
    assert!(!world.head_holds(file, "swiftly-added-by-hand"));
    let opened = world.plomb(&["decrypt", file]);
    assert!(opened.text().contains("swiftly-added-by-hand") && opened.text().contains("correct-horse-battery"));

    // A token pasted into code: nobody can mend that.
    write("tool.py", &format!("TOKEN = \"{}\"\n", token::github(&mut dice)));
    let stopped = world.commit("A token");
    let said = format!("{}{}", stopped.text(), stopped.errors());
    assert!(!stopped.ok() && said.contains("github-pat") && said.contains("tool.py:1:10"), "{said}");
    write("tool.py", "import os\nTOKEN = os.environ[\"TOKEN\"]\n");
    let passed = world.commit("From the environment");
    assert!(passed.ok(), "{}{}", passed.text(), passed.errors());
    peer::peer_test_ran(test);
}

fn world<'s>(scratch: &'s Scratch, plomb: &Path, pre_commit: &Path) -> World<'s> {
    let bin = scratch.root().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(plomb, bin.join("plomb")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());

    // The hooks come from a clone of what is published: only the file with their ids counts.
    let mut remote = Repository::new(scratch, "hooks");
    let hooks = std::fs::read(fixtures::workspace().join(".pre-commit-hooks.yaml")).unwrap();
    remote.write(".pre-commit-hooks.yaml", hooks).commit("Hooks");
    remote.git(&["tag", "v1"]);

    let mut repo = Repository::new(scratch, "homelab");
    let homelab = fixtures::folder("homelab");
    for file in fixtures::files_below(&homelab) {
        let name = file.strip_prefix(&homelab).unwrap().to_string_lossy().into_owned();
        // The fixture's own files are plain: this story begins with a clean repository.
        if !name.contains("secret") && !name.contains(".enc.") && !name.starts_with(".pre-commit") {
            repo.write(&name, std::fs::read(&file).unwrap());
        }
    }
    repo.write(".pre-commit-config.yaml", CONFIG.replace("REMOTE", &remote.root().display().to_string()));
    let world = World { scratch, repo, path };
    let made = world.plomb(&["key", "new"]);
    assert!(made.ok(), "{}", made.errors());
    let recipient = made.text().split_whitespace().find(|word| word.starts_with("age1")).unwrap().to_owned();
    let rules = format!(
        "creation_rules:\n  - path_regex: .*.secret.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: >-\n      \
         {recipient}\n"
    );
    std::fs::write(world.repo.root().join(".sops.yaml"), rules).unwrap();
    world.repo.git(&["add", "-A"]);
    world.repo.git(&["commit", "-q", "--no-verify", "-m", "Base"]);
    let install = scratch.command(pre_commit).arg("install").env("PATH", &world.path).folder(world.repo.root());
    let installed = install.limit(Duration::from_secs(120)).run();
    assert!(installed.ok(), "{}{}", installed.text(), installed.errors());
    world
}
