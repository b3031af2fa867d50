//! Reads the test harness's output line by line.

use std::collections::BTreeSet;

/// What the tests said so far.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// Names of the tests that said they compared us with a real peer.
    pub(crate) peer_tests: BTreeSet<String>,
    /// Tests that said they did not run.
    pub(crate) skipped: Vec<String>,
}

impl Totals {
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.passed += number_before(rest, " passed");
            self.failed += number_before(rest, " failed");
        }
        if let Some(name) = line.strip_prefix("PEER-TEST ").and_then(|rest| rest.strip_suffix(" ok")) {
            self.peer_tests.insert(name.to_owned());
        }
        if line.starts_with("SKIPPED: ") {
            self.skipped.push(line.to_owned());
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

fn number_before(text: &str, word: &str) -> usize {
    let before = text.split(word).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_peer_tests_add_up() {
        let mut totals = Totals::default();
        for line in [
            "test result: ok. 8 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.11s",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.11s",
            "PEER-TEST vectors-alone ok",
            "SKIPPED: vectors-both-ways: PLOMB_SOPS names no file",
        ] {
            totals.read(line);
        }
        assert_eq!((totals.passed, totals.failed, totals.peer_tests.len(), totals.skipped.len()), (18, 2, 1, 1));
    }
}
