//! The fast search finds what the slow one finds: over random rules and texts, and over gitleaks' own rules.

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
            let content = Content { bytes: text.as_bytes(), paths: &[], base: None };
            prop_assert_eq!(scanner.scan(&content), scanner.scan_by_reference(&content), "{:?}", text);
        }
    }
}

/// With `PLOMB_GITLEAKS_CONFIG` naming a gitleaks.toml and `PLOMB_TEXTS` a folder: each file by both searches.
#[test]
#[allow(clippy::disallowed_methods)]
fn gitleaks_rules_find_the_same() {
    let (Ok(config), Ok(folder)) = (std::env::var("PLOMB_GITLEAKS_CONFIG"), std::env::var("PLOMB_TEXTS")) else {
        return;
    };
    let scanner = scanner(gitleaks_rules(&std::fs::read_to_string(config).unwrap()));
    let mut folders = vec![std::path::PathBuf::from(folder)];
    let (mut files, mut candidates) = (0, 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let content = Content { bytes: &bytes, paths: &[], base: None };
            let seen = scanner.scan(&content);
            assert!(seen == scanner.scan_by_reference(&content), "{}", path.display());
            files += 1;
            candidates += seen.candidates.len();
        }
    }
    assert!(files > 0 && candidates > 0);
}

fn gitleaks_rules(config: &str) -> Vec<Rule> {
    let config: toml::Table = config.parse().unwrap();
    let rules = config["rules"].as_array().unwrap().iter().filter_map(|rule| {
        let text = |name: &str| rule.get(name).and_then(toml::Value::as_str);
        let keywords = rule.get("keywords").and_then(toml::Value::as_array).into_iter().flatten();
        let keywords = keywords.map(|word| word.as_str().unwrap().to_lowercase()).collect();
        Some(self::rule(text("id")?.to_owned(), Pattern::new(text("regex")?).unwrap(), keywords))
    });
    rules.collect()
}
