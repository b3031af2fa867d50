//! Contents made to be slow: the work must grow as they grow.

use super::tests::{rule, scanner_of};
use super::*;
use crate::builtin::builtin;
use crate::rule::Rule;
use crate::work;

/// Expressions of the kinds that users write: long heads, heads back to the line's start, heads and tails without end.
fn rules() -> Vec<Rule> {
    let keyed = |id: &str, regex: &str, word: &str| Rule { keywords: vec![word.into()], ..rule(id, regex) };
    vec![
        keyed(
            "generic",
            r#"(?i)[\w.-]{0,50}?(?:password)[ \t\w.-]{0,20}[\s'"]{0,3}=[\s"'=]{0,5}([\w.=-]{5,150})"#,
            "password",
        ),
        keyed("line", "[a-z =\"]*password=\"?[a-z]+;", "password"),
        keyed("open", r"key[\s\S]*?END", "key"),
        keyed("never", r"key[\s\S]*NOWHERE", "key"),
        keyed("behind", r"[\s\S]*secret=[0-9]+", "secret"),
        keyed("pem", r"-----BEGIN[ A-Z]{0,100}KEY-----[\s\S-]{64,}?KEY-----", "-----begin"),
        Rule {
            allowlists: vec![Allowlist {
                regexes: vec![pattern::Pattern::new("nothing here").unwrap()],
                target: crate::Target::Line,
                ..Allowlist::default()
            }],
            ..keyed("lined", "password=", "password")
        },
    ]
}

fn texts(count: usize) -> Vec<(&'static str, String)> {
    let seen = |piece: &str| piece.repeat(count);
    vec![
        ("short lines", seen("a\n")),
        ("short lines with keywords", seen("key\n")),
        ("one line", seen("a")),
        ("one line of keywords", seen("key")),
        ("keywords that overlap", seen("keykeyekeykey ")),
        ("assignments on one line", seen("password=\"")),
        ("assignments", seen("password=\"abcdefgh\"\n")),
        ("secrets on one line", seen("password=abcdefgh; ")),
        ("begins", seen("-----BEGIN RSA PRIVATE KEY-----\n")),
        ("begins on one line", seen("-----BEGIN PRIVATE KEY-----")),
        ("begins without end", seen("-----BEGIN ")),
        ("heads", seen("secret=")),
        ("values without end", seen("secret====")),
        ("addresses", seen("https://a:b@")),
        ("braces", seen("{\"secret\":[")),
        ("manifests", seen("kind: Secret\ndata:\n")),
        ("markers", seen("password=a gitleaks:allow ")),
    ]
}

#[test]
fn work_grows_with_the_content_only() {
    let own = Scanner::new(Arc::new(builtin()), Options::default());
    for scanner in [scanner_of(rules(), Vec::new()), own] {
        let scan = |text: &str| {
            work::of(|| {
                scanner.scan(&Content { bytes: text.as_bytes(), paths: &[], base: None, first_line: 1 });
            })
        };
        for ((name, short), (_, long)) in texts(500).iter().zip(&texts(4_000)) {
            let (short, long) = (scan(short), scan(long));
            assert!(long < 10 * short + 500_000, "{name}: {short} bytes of work became {long}");
        }
    }
}

/// Values that begin every few bytes and have no end are as long as the line is; so long is not what is done for each.
#[test]
fn values_that_overlap_are_looked_at_a_few_times() {
    let scanner = Scanner::new(Arc::new(builtin()), Options { min_confidence: Confidence::Low, ..Options::default() });
    for piece in ["secret====", "token=a", "password:=x", "api_key==Zq1"] {
        let text = piece.repeat(100_000 / piece.len());
        let content = Content { bytes: text.as_bytes(), paths: &[], base: None, first_line: 1 };
        let work = work::of(|| drop(scanner.scan(&content)));
        assert!(work < 60 * text.len(), "{piece}: {work} bytes of work for {}", text.len());
    }
}

/// On long lines detectors are given pieces; both searches cut the same ones.
#[test]
fn long_lines_are_cut_alike() {
    let scanner = Scanner::new(Arc::new(builtin()), Options { min_confidence: Confidence::Low, ..Options::default() });
    let mut text = String::new();
    for number in 0..6_000u64 {
        text.push_str(&format!("a{number}: password = \"{:x}Zq!\", key token ", number * 987_654_321_987));
    }
    text.push_str("\nlast line password=\"k8Jq!xw2Zp\"");
    let content = Content { bytes: text.as_bytes(), paths: &[], base: None, first_line: 1 };
    let seen = scanner.scan(&content);
    assert!(seen.candidates.len() > 100, "{}", seen.candidates.len());
    assert_eq!(seen.candidates.len(), scanner.scan_by_reference(&content).candidates.len());
    assert!(seen == scanner.scan_by_reference(&content));
}
