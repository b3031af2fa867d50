//! The whole check in one command: each step with its time, the tests' totals, and no test that quietly did not run.

mod expected;
mod totals;

use crate::shell::{Result, command, say, which};
use crate::{layers, network, peers, shell, static_program, tidy};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;
use testkit::{Peer, fixtures};
use totals::Totals;

/// Runs every step, even after one has failed, and fails if any did. `bless` accepts the tests that ran.
pub(crate) fn run(bless: bool) -> Result {
    let mut totals = Totals::default();
    step(&mut totals, "layers", layers::check);
    step(&mut totals, "network", network::check);
    step(&mut totals, "tidy", tidy::check);
    step(&mut totals, "format", || cargo(&["fmt", "--all", "--check"]));
    step(&mut totals, "clippy", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
    });
    if which("cargo-deny").is_some() {
        step(&mut totals, "deny", || cargo(&["deny", "check", "bans", "licenses", "sources"]));
    }
    let mut variables = Vec::new();
    step(&mut totals, "peers", || {
        variables = peers::install()?;
        Ok(())
    });
    step(&mut totals, "build", || {
        // With the features of the whole workspace, as the tests are: else most libraries would be built twice.
        cargo(&["test", "--workspace", "--no-run", "--locked"])?;
        variables.push((Peer::Plomb.variable(), binary("debug", "plomb")));
        Ok(())
    });
    step(&mut totals, "static program", || {
        variables.push((Peer::Controller.variable(), static_program::build()?));
        Ok(())
    });
    let mut seen = Totals::default();
    step(&mut totals, "tests", || tests(&variables, &mut seen));
    step(&mut totals, "expected tests", || expected::compare(&seen, bless));
    totals.add(&seen);
    say(&format!("{} passed, {} failed", totals.passed, totals.failed));
    if totals.failed == 0 { Ok(()) } else { Err("the check failed; see above".to_owned()) }
}

/// A built program, in the folder cargo builds into.
pub(crate) fn binary(profile: &str, name: &str) -> PathBuf {
    fixtures::target().join(profile).join(name)
}

fn step(totals: &mut Totals, name: &str, work: impl FnOnce() -> Result) {
    say(&format!("== {name}"));
    let started = Instant::now();
    let result = work();
    let seconds = started.elapsed().as_secs_f64();
    match result {
        Ok(()) => say(&format!("== {name}: ok, {seconds:.1} s")),
        Err(why) => {
            totals.failed += 1;
            say(&format!("{why}\n== {name}: FAILED, {seconds:.1} s"));
        }
    }
}

fn cargo(words: &[&str]) -> Result {
    shell::run(command(&["cargo"]).args(words))
}

fn tests(variables: &[(&str, PathBuf)], seen: &mut Totals) -> Result {
    let mut cargo = command(&["cargo", "test", "--workspace", "--no-fail-fast", "--locked", "--", "--show-output"]);
    cargo.envs(variables.iter().cloned()).stdout(Stdio::piped());
    let mut child = cargo.spawn().map_err(|error| format!("cargo test: {error}"))?;
    let pipe = child.stdout.take().expect("standard output is piped");
    for line in BufReader::new(pipe).split(b'\n') {
        let line = line.map_err(|error| format!("cargo test: {error}"))?;
        let line = String::from_utf8_lossy(&line);
        let _ = writeln!(std::io::stdout(), "{line}");
        seen.read(&line);
    }
    let status = child.wait().map_err(|error| format!("cargo test: {error}"))?;
    if status.success() || seen.failed > 0 { Ok(()) } else { Err(format!("cargo test: {status}")) }
}
