//! Every vector made by the real sops, run through the name `sops` as a drop-in replacement.

use std::time::Duration;
use testkit::{Peer, Scratch, fixtures, peer};

#[test]
fn files_made_by_sops_decrypt_to_the_same_bytes() {
    run("vectors-decrypt", &[("SKIP_ENC", "1")]);
}

#[test]
fn sops_reads_what_we_encrypt() {
    let Some([sops]) = peer::require("vectors-both-ways", [Peer::Sops]) else { return };
    run("vectors-both-ways", &[("REF", sops.to_str().unwrap())]);
}

#[test]
fn we_read_what_we_encrypt() {
    run("vectors-alone", &[("COMPARE", "json")]);
}

fn run(test: &str, settings: &[(&str, &str)]) {
    let Some([plomb]) = peer::require(test, [Peer::Plomb]) else { return };
    let scratch = Scratch::new(test);
    let tool = scratch.link("sops", &plomb);
    let mut command = scratch.command("bash").arg(fixtures::folder("sops").join("run.sh")).arg(tool);
    for (name, value) in settings {
        command = command.env(name, value);
    }
    let outcome = command.env("VERBOSE", "1").limit(Duration::from_secs(600)).run();
    let last = outcome.last_line();
    let (passed, total) = score(&last);
    assert!(total >= 100 && passed == total, "{last}\n{}\n{}", failures(&outcome.text()), outcome.errors());
    peer::peer_test_ran(test);
}

/// The two numbers of a closing line `N of M`.
pub(crate) fn score(line: &str) -> (usize, usize) {
    let mut words = line.split(" of ").map(|word| word.trim().parse().unwrap_or(0));
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}

fn failures(text: &str) -> String {
    text.lines().filter(|line| line.starts_with("FAIL")).map(|line| format!("{line}\n")).collect()
}
