//! SARIF reports against the official schema of version 2.1.0.

use e2e::histories::{self, HISTORIES};
use testkit::{Peer, Repository, Scratch, peer};

/// Every kind of report: our own and gitleaks' form, of history and of files, with the creation rules and without findings.
const REPORTS: [&[&str]; 5] = [
    &["scan", "git", "."],
    &["scan", "dir", "."],
    &["scan", "stdin"],
    &["gitleaks", "git", "."],
    &["gitleaks", "dir", ".", "--max-archive-depth", "3"],
];

#[test]
fn reports_are_valid_by_the_official_schema() {
    let test = "sarif-schema";
    let wanted = [Peer::Plomb, Peer::JsonSchema, Peer::SarifSchema];
    let Some([plomb, jsonschema, schema]) = peer::require(test, wanted) else { return };
    let mut checked = 0;
    for history in
        HISTORIES.iter().filter(|history| ["plain", "encodings", "odd-files", "archives"].contains(&history.name))
    {
        let scratch = Scratch::new(&format!("sarif-{}", history.name));
        let mut repo = histories::build(history, &scratch);
        add_secret_in_clear(&mut repo);
        for words in REPORTS {
            let report = scratch.work().join("report.sarif");
            let outcome = scratch.command(&plomb).args(words).arg("-r").arg(&report).folder(repo.root()).run();
            assert!(matches!(outcome.code, Some(0 | 1)), "{words:?}: {outcome:?}");
            let outcome = scratch.command(&jsonschema).arg("-i").arg(&report).arg(&schema).run();
            assert!(outcome.ok(), "{}, {words:?}: {}", history.name, outcome.text());
            checked += 1;
        }
    }
    assert_eq!(checked, 4 * REPORTS.len());
    peer::peer_test_ran(test);
}

/// A finding without a rule of the scanner's own, at the place of a creation rule.
fn add_secret_in_clear(repo: &mut Repository<'_>) {
    let recipient = "age1d8v3r9npq5jhdn306sl66jqrz50lkhdt6ghm2cc2v56hn473h9rskfwjju";
    repo.write(".sops.yaml", format!("creation_rules:\n  - path_regex: \\.enc\\.yaml$\n    age: {recipient}\n"));
    repo.write("a b.enc.yaml", "user: app\npin: 4711\n").commit("In clear");
}
