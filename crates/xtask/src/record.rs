//! Asks the real sops once, so that later runs can compare us with its answers without it.

use crate::peers;
use crate::shell::{Result, say};
use e2e::cases;
use testkit::{Peer, fixtures};

/// Runs every command line of `fixtures/sops-cli/cases.txt` with the real sops and writes down its answers.
pub(crate) fn command_lines() -> Result {
    let found = peers::install()?;
    let sops = found.iter().find(|(variable, _)| *variable == Peer::Sops.variable());
    let (_, sops) = sops.ok_or("the real sops is missing")?;
    cases::make_files(sops)?;
    let answers: Vec<_> = cases::load().into_iter().map(|case| (case.name.clone(), cases::run(&case, sops))).collect();
    let path = fixtures::folder("sops-cli/recorded.txt");
    say(&format!("{} answers written to {}", answers.len(), path.display()));
    std::fs::write(&path, cases::render(&answers)).map_err(|error| format!("{}: {error}", path.display()))
}
