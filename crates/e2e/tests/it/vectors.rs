//! Every vector made by the real sops, run through the name `sops` as a drop-in replacement.

use std::time::Duration;
use testkit::{Peer, Scratch, fixtures, peer};

/// Where we differ from sops on purpose: the setting it shows in, the line of the runner, and why. One that no longer
/// shows fails the test.
const ON_PURPOSE: [(&str, &str, &str); 4] = [
    ("COMPARE", "encrypt j03-escapes", "half a surrogate pair is kept as it is written, where sops replaces it"),
    ("COMPARE", "encrypt j02-numbers", "numbers come back as they were written, digits beyond 64 bits included"),
    ("COMPARE", "encrypt x03-unencrypted-floats", "the same, of numbers in clear"),
    ("COMPARE", "encrypt y02-numbers", "not comparable as JSON, and numbers come back as they were written"),
];

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
    let (last, text) = (outcome.last_line(), outcome.text());
    let (passed, total) = score(&last);
    let failed: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("FAIL ")).collect();
    assert!(total >= 100 && passed + failed.len() == total, "{last}\n{}", outcome.errors());
    let expected = ON_PURPOSE.iter().filter(|(shown, ..)| settings.iter().any(|(name, _)| name == shown));
    let expected: Vec<_> = expected.map(|(_, failure, _)| *failure).collect();
    let is_expected = |line: &&&str| expected.iter().any(|failure| line.starts_with(failure));
    let unexcused: Vec<_> = failed.iter().filter(|line| !is_expected(line)).collect();
    assert!(unexcused.is_empty(), "{last}\n{unexcused:#?}");
    assert_eq!(failed.len(), expected.len(), "{last}: a difference on purpose no longer shows");
    peer::peer_test_ran(test);
}

/// The two numbers of a closing line `N of M`.
pub(crate) fn score(line: &str) -> (usize, usize) {
    let mut words = line.split(" of ").map(|word| word.trim().parse().unwrap_or(0));
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}
