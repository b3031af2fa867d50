//! A test that skips because its peer is missing looks like a test that passes. So the names of all tests that must
//! really run lie in a file, and the run must give exactly these.

use super::totals::Totals;
use crate::shell::{Result, none_of, read, say};
use std::collections::BTreeSet;
use testkit::fixtures;

/// Compares the names, or writes them down as the new truth. A test that says it was skipped is always a failure: this
/// command has just installed everything that a test may need.
pub(crate) fn compare(seen: &Totals, bless: bool) -> Result {
    let ran = &seen.peer_tests;
    let path = fixtures::folder("expected-tests.txt");
    if bless {
        let text: String = ran.iter().map(|name| format!("{name}\n")).collect();
        say(&format!("{} names written to {}", ran.len(), path.display()));
        return std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()));
    }
    let mut problems = seen.skipped.clone();
    problems.extend(differences(&read(&path)?, ran));
    none_of(problems)
}

fn differences(expected: &str, ran: &BTreeSet<String>) -> Vec<String> {
    let expected: BTreeSet<String> = expected.lines().map(str::to_owned).collect();
    let missing = expected.difference(ran).map(|name| format!("{name}: expected, but skipped or failed"));
    let surprising =
        ran.difference(&expected).map(|name| format!("{name}: ran, but fixtures/expected-tests.txt does not name it"));
    missing.chain(surprising).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_a_missing_and_a_surprising_test_are_told() {
        let ran = BTreeSet::from(["b".to_owned(), "c".to_owned()]);
        assert_eq!(differences("a\nb\n", &ran).len(), 2);
        assert!(differences("b\nc\n", &ran).is_empty());
    }
}
