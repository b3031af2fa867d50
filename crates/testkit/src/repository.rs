//! Git repositories that tests build with the real git: fixed names and dates, nothing of the machine's configuration.

use std::path::{Path, PathBuf};

use crate::{Outcome, Scratch};

/// A repository under a scratch folder.
pub struct Repository<'s> {
    scratch: &'s Scratch,
    root: PathBuf,
    /// Seconds since 1970 of the next commit.
    clock: u64,
}

impl<'s> Repository<'s> {
    /// An empty repository with a branch `main`.
    pub fn new(scratch: &'s Scratch, name: &str) -> Self {
        let root = scratch.work().join(name);
        std::fs::create_dir_all(&root).expect("a scratch folder can be written");
        let repository = Self { scratch, root, clock: 1_700_000_000 };
        repository.git(&["init", "-q", "-b", "main", "."]);
        repository
    }

    /// Its work tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs git, which must succeed.
    pub fn git(&self, words: &[&str]) -> Outcome {
        let outcome = self.try_git(words);
        assert!(outcome.ok(), "git {words:?}: {}", outcome.errors());
        outcome
    }

    /// Runs git.
    pub fn try_git(&self, words: &[&str]) -> Outcome {
        self.try_git_in(words, &std::env::var("PATH").unwrap_or_default())
    }

    /// Runs git with another PATH, for hooks that look for programs there.
    pub fn try_git_in(&self, words: &[&str], path: &str) -> Outcome {
        let date = format!("{} +0100", self.clock);
        let mut command = self.scratch.command("git").args(words).env("PATH", path).folder(&self.root);
        for (name, value) in [
            ("GIT_AUTHOR_NAME", "Ada"),
            ("GIT_AUTHOR_EMAIL", "ada@example.org"),
            ("GIT_COMMITTER_NAME", "Bob"),
            ("GIT_COMMITTER_EMAIL", "bob@example.org"),
            ("GIT_AUTHOR_DATE", date.as_str()),
            ("GIT_COMMITTER_DATE", date.as_str()),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ] {
            command = command.env(name, value);
        }
        command.run()
    }

    /// Writes a file of the work tree.
    pub fn write(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        let path = self.root.join(name);
        std::fs::create_dir_all(path.parent().expect("a name below the root")).expect("a folder can be made");
        std::fs::write(path, bytes).expect("a file can be written");
        self
    }

    /// Stages everything.
    pub fn stage(&mut self) -> &mut Self {
        self.git(&["add", "-A"]);
        self
    }

    /// Commits everything, an hour after the commit before.
    pub fn commit(&mut self, message: &str) -> &mut Self {
        self.clock += 3600;
        self.stage();
        self.git(&["commit", "-q", "--no-verify", "--allow-empty", "-m", message]);
        self
    }
}
