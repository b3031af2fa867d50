//! The fast search finds what the slow one finds: over random rules and texts, and over gitleaks' own rules.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure there is a failure of the test")]

use std::sync::Arc;

use bstr::ByteSlice as _;
use pattern::Pattern;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scan::{Base, Confidence, Content, Copied, Options, Redaction, Rule, RuleSet, Scanner, Severity};

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

/// A text and versions of it: each a delta of the one before, in copies and insertions, as packs hold them.
#[derive(Clone, Debug)]
struct Step {
    /// Copies from here to here, in thousandths of the base.
    copies: Vec<(usize, usize)>,
    /// What stands before each copy and at the end.
    inserts: Vec<String>,
}

/// Lines as files have them, with secrets in clear and encoded, and long enough that runs are worth taking over.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        8 => select(&FILLER[..]).prop_map(str::to_owned),
        4 => vec(piece(), 1..8).prop_map(|pieces| pieces.concat()),
        1 => vec(select(&FILLER[..]), 12..24).prop_map(|lines| lines.join(" ")),
        1 => vec(piece(), 1..12).prop_map(|pieces| base64(pieces.concat().as_bytes())),
        1 => vec(piece(), 20..40).prop_map(|pieces| wrapped(&base64(pieces.concat().as_bytes()))),
        1 => vec(piece(), 1..12).prop_map(|pieces| base64(base64(pieces.concat().as_bytes()).as_bytes())),
    ];
    (vec(line, 0..40), any::<bool>()).prop_map(|(lines, last)| lines.join("\n") + if last { "\n" } else { "" })
}

const FILLER: [&str; 10] = [
    "the quick brown fox jumps over the lazy dog, and then some more of the same;",
    "    let value = compute(argument, other_argument).unwrap_or_default();",
    "A line of plain prose without anything to find in it goes on to its end here",
    "",
    "key",
    "word",
    "  name: DATABASE_PASSWORD",
    "#-----------------------------------------------------------------------------",
    "https://example.org/path?query=value&other=thing",
    "\u{17F}",
];

fn piece() -> impl Strategy<Value = String> {
    const PIECES: [&str; 26] = [
        "key",
        "tok",
        "ab = \"",
        "cab",
        "x",
        "password",
        ": ",
        "\"",
        " ",
        "=",
        "%41%62",
        "\\n",
        "\\x41\\x62",
        "U+0041 U+0062",
        "U+006B",
        "&#107;&#101;&#121;",
        "\\u006b\\u0065y",
        "a1B2c3D4e5F6g7H8i9J0",
        "Xq7-vLr2_Kp9zT4w",
        "yt",
        "6b6579",
        "-----BEGIN PRIVATE KEY-----",
        "https://u:Sx8_kQ2vLp@db.internal/x",
        "secret",
        "value: ",
        "api_token=",
    ];
    select(&PIECES[..]).prop_map(str::to_owned)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn wrapped(text: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join("\n")
}

fn step() -> impl Strategy<Value = Step> {
    let copies = prop_oneof![
        3 => (0..1000usize).prop_map(|at| vec![(0, at), (at, 1000)]),
        2 => (0..1000usize, 0..60usize).prop_map(|(at, gone)| vec![(0, at), ((at + gone).min(1000), 1000)]),
        1 => vec((0..1000usize, 0..1000usize), 0..5),
    ];
    let insert = prop_oneof![
        3 => Just(String::new()),
        2 => vec(piece(), 1..4).prop_map(|pieces| pieces.concat()),
        2 => lines(),
        1 => Just("\n".to_owned()),
    ];
    (copies, vec(insert, 6)).prop_map(|(copies, inserts)| Step { copies, inserts })
}

fn apply(step: &Step, base: &[u8]) -> (Vec<u8>, Vec<Copied>) {
    let (mut bytes, mut copied) = (Vec::new(), Vec::new());
    for (&(from, to), insert) in step.copies.iter().zip(&step.inserts) {
        bytes.extend_from_slice(insert.as_bytes());
        let [from, to] = [from.min(to), to.max(from)].map(|part| part * base.len() / 1000);
        if from < to {
            copied.push(Copied { from, to: bytes.len(), len: to - from });
            bytes.extend_from_slice(&base[from..to]);
        }
    }
    bytes.extend_from_slice(step.inserts.last().map_or(b"", |insert| insert.as_bytes()));
    (bytes, copied)
}

/// Each version is scanned as a delta of the one before it, and by reference.
fn versions_are_equal(scanner: &Scanner, first: &str, steps: &[Step]) -> Result<(), TestCaseError> {
    let paths = ["src/config.py".into()];
    let mut bytes = first.as_bytes().to_vec();
    let content = Content { bytes: &bytes, paths: &paths, base: None, first_line: 1 };
    let mut seen = scanner.scan(&content);
    prop_assert!(seen == scanner.scan_by_reference(&content), "{:?}", bytes.as_bstr());
    for step in steps {
        let (next, copied) = apply(step, &bytes);
        let base = Base { seen: &seen, bytes: &bytes, copied: &copied };
        let content = Content { bytes: &next, paths: &paths, base: Some(base), first_line: 1 };
        let fast = scanner.scan(&content);
        let slow = scanner.scan_by_reference(&Content { base: None, ..content });
        prop_assert!(fast == slow, "{:?}\nfrom {:?}\nby {:?}", next.as_bstr(), bytes.as_bstr(), copied);
        (bytes, seen) = (next, fast);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn histories_of_random_rules_find_the_same(
        expressions in vec((expression(), vec(select(&KEYWORDS[..]), 0..3)), 1..4),
        first in lines(),
        steps in vec(step(), 1..6),
    ) {
        let rules = expressions.into_iter().enumerate().filter_map(|(index, (expression, keywords))| {
            let keywords = keywords.into_iter().map(str::to_owned).collect();
            Some(rule(format!("r{index}"), Pattern::new(&expression).ok()?, keywords))
        });
        versions_are_equal(&scanner(rules.collect()), &first, &steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn histories_of_our_own_rules_find_the_same(first in lines(), steps in vec(step(), 1..6)) {
        static OWN: std::sync::LazyLock<Scanner> = std::sync::LazyLock::new(|| {
            let options = Options { min_confidence: Confidence::Low, redaction: Redaction::Off, ..Options::default() };
            Scanner::new(Arc::new(scan::builtin::builtin()), options)
        });
        versions_are_equal(&OWN, &first, &steps)?;
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
