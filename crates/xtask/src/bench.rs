//! `cargo xtask bench`: us and the real peers in one run, as ratios. Figures of different runs are never compared.

mod cluster;
mod crypto;
mod inputs;
mod launcher;
mod others;
mod report;
mod scan;

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
    let (field, _) = field(quick)?;
    report::head(&field);
    let rows = crypto::rows(&field)?;
    say(&report::table(&rows));
    Ok(())
}

/// Measures scans of histories and trees. `quick` runs everything once, and leaves out what takes minutes.
pub(crate) fn scan(quick: bool) -> Result {
    let (field, found) = field(quick)?;
    let peer = |wanted: Peer| found.iter().find(|(variable, _)| *variable == wanted.variable()).map(|(_, path)| path);
    let gitleaks = peer(Peer::Gitleaks).ok_or("gitleaks is missing")?;
    let config = peer(Peer::GitleaksConfig).ok_or("gitleaks' own rules are missing")?;
    report::head(&field);
    scan::table(&field, gitleaks, config)
}

/// Measures the controller on a real API server. `quick` takes fewer resources.
pub(crate) fn cluster(quick: bool) -> Result {
    cluster::run(quick)
}

type Found = Vec<(&'static str, PathBuf)>;

fn field(quick: bool) -> Result<(Field, Found)> {
    let found = peers::install()?;
    let sops = found.iter().find(|(variable, _)| *variable == Peer::Sops.variable());
    let sops = sops.ok_or("the real sops is missing")?.1.clone();
    let plomb = match Peer::Plomb.find() {
        Some(path) => path,
        None => {
            shell::run(&mut command(&["cargo", "build", "--release", "--package", "plomb", "--locked"]))?;
            suite::binary("release", "plomb")
        }
    };
    let scratch = Scratch::new("bench");
    let launcher = launcher::build(scratch.root())?;
    Ok((Field { scratch, launcher, plomb, sops, quick }, found))
}
