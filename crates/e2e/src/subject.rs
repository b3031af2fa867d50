//! The program under test as its users call it: under its own name, and under the name `sops`.

use std::path::{Path, PathBuf};
use testkit::{Run, Scratch, fixtures};

/// A program with a SOPS command line, in a scratch world with one age key.
#[derive(Debug)]
pub struct Subject {
    /// The world of this test.
    pub scratch: Scratch,
    program: PathBuf,
}

impl Subject {
    /// The program itself.
    pub fn new(name: &str, program: &Path) -> Self {
        Self { scratch: Scratch::new(name), program: program.to_path_buf() }
    }

    /// A command line of the program, with the key at hand.
    pub fn run(&self, args: &[&str]) -> Run {
        self.of(&self.program, args)
    }

    /// A command line of another program in the same world.
    pub fn of(&self, program: &Path, args: &[&str]) -> Run {
        self.scratch.command(program).args(args).env("SOPS_AGE_KEY_FILE", key_file("k1"))
    }
}

/// A key file of the vectors: `k1` to `k4`, `pq`.
pub fn key_file(name: &str) -> PathBuf {
    fixtures::folder("sops").join("keys").join(format!("{name}.txt"))
}

/// The recipient that belongs to a key of the vectors.
pub fn recipient(name: &str) -> String {
    let text = std::fs::read_to_string(key_file(name)).expect("the vectors' keys are part of the fixtures");
    let line = text.lines().find_map(|line| line.strip_prefix("# public key: "));
    line.expect("a key file made by age-keygen names its recipient").trim().to_owned()
}
