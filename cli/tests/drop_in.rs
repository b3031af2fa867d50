//! docs/drop-in.md against the program: every row has a case, every difference a row, and each is as told.

use std::collections::BTreeMap;
use std::path::Path;

use e2e::cases::{self, Case};

const PLOMB: &str = env!("CARGO_BIN_EXE_plomb");

/// Case names in the last cell of each row.
fn named() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/drop-in.md");
    let text = std::fs::read_to_string(path).expect("the table is part of the repository");
    let rows = text.lines().filter(|line| line.starts_with('|') && line.ends_with("` |"));
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit_once('|'));
    let names = cells.flat_map(|(_, cell)| cell.split(',').map(|name| name.trim().trim_matches('`').to_owned()));
    names.collect()
}

fn differences() -> BTreeMap<String, Case> {
    let cases = cases::load().into_iter().filter(|case| case.ours.is_some());
    cases.map(|case| (case.name.clone(), case)).collect()
}

#[test]
fn every_difference_is_a_row_and_every_row_a_difference() {
    let (mut named, differences) = (named(), differences());
    assert!(named.len() > 30);
    named.sort();
    let cases: Vec<_> = differences.keys().cloned().collect();
    assert_eq!(named, cases);
}

#[test]
fn each_row_is_as_told() {
    let recorded = cases::recorded();
    let mut problems = Vec::new();
    for (name, case) in differences() {
        let ours = cases::run(&case, Path::new(PLOMB));
        if Some(ours.code) != case.ours {
            problems.push(format!("[{name}] exit {} instead of {:?}", ours.code, case.ours));
        }
        if recorded.get(&name) == Some(&ours) {
            problems.push(format!("[{name}] sops answers the same: no difference any more"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_other_recorded_command_line_is_answered_as_by_sops() {
    let recorded = cases::recorded();
    let same = cases::load().into_iter().filter(|case| case.ours.is_none());
    let mut problems = Vec::new();
    for case in same {
        let (ours, theirs) = (cases::run(&case, Path::new(PLOMB)), &recorded[&case.name]);
        if ours != *theirs {
            problems.push(format!("[{}]\n{}\n  sops: {theirs:?}\n  we:   {ours:?}", case.name, case.script));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
