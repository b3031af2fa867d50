//! A folder with a key, and the built binary in it: what several of these tests begin with.

use testkit::{Outcome, Run, Scratch};

/// A scratch world with a key.
pub(crate) struct World {
    pub(crate) scratch: Scratch,
    pub(crate) recipient: String,
}

impl World {
    pub(crate) fn bare(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let (identity, recipient) = keys::generate_x25519(&mut secret::OsRandom::new());
        scratch.write("../keys.txt", identity.expose());
        Self { scratch, recipient }
    }

    pub(crate) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        let command = self.scratch.command(env!("CARGO_BIN_EXE_plomb")).args(args);
        command.env("SOPS_AGE_KEY_FILE", self.scratch.root().join("keys.txt"))
    }

    pub(crate) fn plomb<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Outcome {
        self.run(args).run()
    }
}
