//! `cargo xtask bench`: us and the real sops in one run, as ratios. Figures of different runs are never compared.

mod crypto;
mod inputs;
mod launcher;
mod report;

use crate::shell::{self, Result, command, say};
use crate::{peers, suite};
use std::path::PathBuf;
use testkit::{Peer, Scratch};

/// The two programs that are compared, and where.
struct Field {
    scratch: Scratch,
    launcher: PathBuf,
    plomb: PathBuf,
    sops: PathBuf,
    quick: bool,
}

/// Measures encryption and decryption. `quick` leaves out everything that takes long.
pub(crate) fn crypto(quick: bool) -> Result {
    let found = peers::install()?;
    let sops = found.into_iter().find(|(variable, _)| *variable == Peer::Sops.variable());
    let (_, sops) = sops.ok_or("the real sops is missing")?;
    let plomb = match Peer::Plomb.find() {
        Some(path) => path,
        None => {
            shell::run(&mut command(&["cargo", "build", "--release", "--package", "plomb", "--locked"]))?;
            suite::binary("release")
        }
    };
    let scratch = Scratch::new("bench");
    let launcher = launcher::build(scratch.root())?;
    let field = Field { scratch, launcher, plomb, sops, quick };
    report::head(&field);
    let rows = crypto::rows(&field)?;
    say(&report::table(&rows));
    Ok(())
}
