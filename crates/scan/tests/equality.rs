//! The fast search finds what the slow one finds: over random rules and texts, and over gitleaks' own rules.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure there is a failure of the test")]

use std::sync::Arc;

use pattern::Pattern;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scan::{Confidence, Content, Options, Redaction, Rule, RuleSet, Scanner, Severity};

const KEYWORDS: [&str; 6] = ["key", "tok", "ab", "yt", "cab", "b"];

fn rule(id: String, regex: Pattern, keywords: Vec<String>) -> Rule {
    Rule {
        id: id.into(),
        description: "".into(),
        regex: Some(regex),
        path: None,
        secret_group: 0,
        entropy: 0.0,
        keywords,
        tags: Vec::new(),
        skip_report: false,
        required: Vec::new(),
        allowlists: Vec::new(),
        severity: Severity::High,
        confidence: Confidence::High,
        check: None,
    }
}

fn scanner(rules: Vec<Rule>) -> Scanner {
    let options = Options { redaction: Redaction::Off, ..Options::default() };
    Scanner::new(Arc::new(RuleSet { rules, ..RuleSet::default() }), options)
}

fn expression() -> impl Strategy<Value = String> {
    const LEAVES: [&str; 26] = [
        "ab",
        "key",
        "tok",
        "x",
        "(?i:key)",
        "(?i:tok)",
        "(?i:cab)",
        "[a-c]",
        "[a-z]",
        "[A-Z]",
        r"\w",
        r"\s",
        r"\n",
        ".",
        r"[^\n]",
        r"[\s\S]",
        r"\b",
        "^",
        "$",
        "(?m:^)",
        "(?m:$)",
        r"\B",
        "(?:key|tok)",
        "(?:ab|cab)",
        "=",
        "[\"']?",
    ];
    let leaf = select(&LEAVES[..]).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            4 => vec(inner.clone(), 1..5).prop_map(|parts| parts.concat()),
            1 => vec(inner.clone(), 2..4).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            1 => inner.clone().prop_map(|part| format!("({part})")),
            2 => (inner, select(&["?", "*", "+", "{0,3}", "{2}", "{1,2}", "*?", "+?", "{2,}", "??"][..]))
                .prop_map(|(part, times)| format!("(?:{part}){times}")),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    const PIECES: [&str; 22] = [
        "key", "KEY", "Key", "tok", "ab", "cab", "x", "a", "b", "c", " ", "\n", "\n", "=", "\"", "é", "_", "yt", "T",
        "\r\n", "keytok", "\u{17F}",
    ];
    let weights = PIECES.map(|piece| if piece.is_ascii() { 20 } else { 1 });
    let piece = proptest::strategy::Union::new_weighted(
        weights.into_iter().zip(PIECES).map(|(weight, piece)| (weight, Just(piece))).collect(),
    );
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn random_rules_find_the_same(
        expressions in vec((expression(), vec(select(&KEYWORDS[..]), 0..3)), 1..4),
        texts in vec(text(), 1..6),
    ) {
        let rules = expressions.into_iter().enumerate().filter_map(|(index, (expression, keywords))| {
            let keywords = keywords.into_iter().map(str::to_owned).collect();
            Some(rule(format!("r{index}"), Pattern::new(&expression).ok()?, keywords))
        });
        let scanner = scanner(rules.collect());
        for text in &texts {
            let content = Content { bytes: text.as_bytes(), paths: &[], base: None, first_line: 1 };
            prop_assert_eq!(scanner.scan(&content), scanner.scan_by_reference(&content), "{:?}", text);
        }
    }
}

/// Our own rules with their detectors, and with `PLOMB_GITLEAKS_CONFIG` a gitleaks.toml; over this crate's sources, and
/// with `PLOMB_TEXTS` over a folder.
#[test]
#[allow(clippy::disallowed_methods)]
fn real_rules_find_the_same() {
    let mut sets = vec![scan::builtin::builtin()];
    if let Ok(config) = std::env::var("PLOMB_GITLEAKS_CONFIG") {
        sets.push(scan::gitleaks::read(&std::fs::read(config).unwrap(), &mut Alone).unwrap().rules);
    }
    let mut folders = vec![concat!(env!("CARGO_MANIFEST_DIR"), "/src/detect").into()];
    folders.extend(std::env::var("PLOMB_TEXTS").ok().map(std::path::PathBuf::from));
    let files = files(folders);
    for rules in sets {
        let scanner = Scanner::new(Arc::new(rules), Options::default());
        let mut candidates = 0;
        for path in &files {
            let bytes = std::fs::read(path).unwrap();
            let paths = [path.to_string_lossy().as_ref().into()];
            let content = Content { bytes: &bytes, paths: &paths, base: None, first_line: 1 };
            let seen = scanner.scan(&content);
            assert!(seen == scanner.scan_by_reference(&content), "{}", path.display());
            candidates += seen.candidates.len();
        }
        assert!(!files.is_empty() && (candidates > 0 || files.len() < 100));
    }
}

fn files(mut folders: Vec<std::path::PathBuf>) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { &mut folders } else { &mut files }.push(path);
        }
    }
    files
}

struct Alone;

impl scan::gitleaks::World for Alone {
    fn default_rules(&mut self) -> RuleSet {
        RuleSet::default()
    }

    fn open(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Err("one file is enough".to_owned())
    }
}
