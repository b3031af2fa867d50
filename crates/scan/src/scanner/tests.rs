//! What scanner and judge make of small rule sets and texts.

use std::ops::Range;

use pattern::Pattern;

use super::*;
use crate::finding::{Commit, Place};
use crate::rule::{Requirement, Rule};
use crate::{Condition, Target};

pub(super) fn rule(id: &str, regex: &str) -> Rule {
    Rule {
        id: id.into(),
        description: format!("a {id}").into(),
        regex: Some(Pattern::new(regex).unwrap()),
        path: None,
        secret_group: 0,
        entropy: 0.0,
        keywords: Vec::new(),
        tags: Vec::new(),
        skip_report: false,
        required: Vec::new(),
        allowlists: Vec::new(),
        severity: Severity::High,
        confidence: Confidence::High,
        check: None,
    }
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(text).unwrap()).collect()
}

pub(super) fn scanner_of(rules: Vec<Rule>, allowlists: Vec<Allowlist>) -> Scanner {
    let rules = RuleSet { rules, allowlists, structural: false };
    Scanner::new(Arc::new(rules), Options { redaction: Redaction::Off, ..Options::default() })
}

fn findings_at(scanner: &Scanner, path: &str, commit: &str, text: &str, lines: Lines<'_>) -> Vec<Finding> {
    let paths = [BString::from(path)];
    let content = Content { bytes: text.as_bytes(), paths: &paths, base: None, first_line: 1 };
    let seen = scanner.scan(&content);
    assert_eq!(seen, scanner.scan_by_reference(&content));
    let [author, email, date, message] = [const { String::new() }; 4];
    let commit = Commit { id: commit.into(), author, email, date, message };
    let origin = Origin { path: path.into(), place: Place::Commit(Arc::new(commit)), ..Origin::default() };
    scanner.judge(&seen, &origin, lines)
}

/// `rule line:column-line:column secret` of every finding.
fn found(scanner: &Scanner, text: &str) -> Vec<String> {
    let show = |finding: &Finding| {
        let Span { start_line, end_line, start_column, end_column, .. } = finding.span;
        let secret = finding.secret.as_str();
        format!("{} {start_line}:{start_column}-{end_line}:{end_column} {secret}", finding.rule)
    };
    findings_at(scanner, "a.txt", "c0ffee", text, Lines::All).iter().map(show).collect()
}

fn one(rule: Rule, text: &str) -> Vec<String> {
    found(&scanner_of(vec![rule], Vec::new()), text)
}

#[test]
fn places_are_true_and_line_ends_are_not_part_of_a_match() {
    let rule = rule("tok", r"\s*tok_[a-z]{4}\s*");
    assert_eq!(
        one(rule, "a\n\n\ntok_abcd\nö tok_efgh"),
        ["tok 2:2-2:9 tok_abcd"]
            .map(|_| "tok 4:1-4:8 tok_abcd")
            .into_iter()
            .chain(["tok 5:2-5:10  tok_efgh"])
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_secret_is_the_first_group_that_is_not_empty_or_the_one_asked_for() {
    assert_eq!(one(rule("a", "(x)?(y+)z"), "yyz"), ["a 1:1-1:3 yy"]);
    assert_eq!(one(rule("a", "y+z"), "yyz"), ["a 1:1-1:3 yyz"]);
    assert_eq!(one(Rule { secret_group: 1, ..rule("a", "(y+)(z)") }, "yyz"), ["a 1:1-1:3 yy"]);
    assert_eq!(one(Rule { secret_group: 2, ..rule("a", "(y+)(z)") }, "yyz"), ["a 1:1-1:3 z"]);
}

#[test]
fn an_entropy_of_the_limit_is_too_low() {
    let limit = |entropy| Rule { entropy, ..rule("a", "[a-d]{4}") };
    assert_eq!(one(limit(2.0), "abcd").len(), 0);
    assert_eq!(one(limit(1.99), "abcd").len(), 1);
    assert_eq!(one(limit(1.99), "aabb").len(), 0);
}

#[test]
fn a_rule_runs_if_one_of_its_keywords_stands_anywhere_in_the_content() {
    let keyed = |words: &[&str]| Rule {
        keywords: words.iter().map(|word| word.to_string()).collect(),
        ..rule("a", "[0-9]{4}")
    };
    assert_eq!(one(keyed(&["pin", "code"]), "x 1234\n the CODE").len(), 1);
    assert_eq!(one(keyed(&["pin", "code"]), "x 1234\n the c0de").len(), 0);
    assert_eq!(one(keyed(&["größe"]), "1234 GRÖßE").len(), 1);
}

#[test]
fn a_match_that_touches_what_was_decoded_counts_and_is_told_once() {
    let token = || rule("tok", r"\b(tok_[a-z]{4})(?:[ \n]|$)");
    for (text, place) in [
        ("a=b%3Dtok_abcd", "1:4-1:14"),
        ("a=b%3Dtok_abcd\n", "1:4-1:14"),
        ("GET /cb?next=%2Fapi%3Fx%3Dtok_abcd HTTP/1.1", "1:14-1:35"),
        ("a=%20tok_abcd%20", "1:3-1:16"),
        ("x\\u003dtok_abcd", "1:2-1:15"),
        ("x%253Dtok_abcd", "1:2-1:14"),
    ] {
        assert_eq!(one(token(), text), [format!("tok {place} tok_abcd")], "{text}");
    }
    // What was found before is not found anew because something beside it was decoded.
    let loose = || rule("tok", "tok_[a-z]{4}");
    for (text, place) in [("a=tok_abcd%26b", "1:3-1:10"), ("a%3Dtok_abcd", "1:5-1:12"), ("a%253Dtok_abcd", "1:7-1:14")]
    {
        assert_eq!(one(loose(), text), [format!("tok {place} tok_abcd")], "{text}");
    }
}

#[test]
fn markers_let_all_lines_of_a_match_through() {
    let multi = || rule("a", r"BEGIN[\s\S]*?END");
    assert_eq!(one(multi(), "BEGIN\nx\nEND").len(), 1);
    assert_eq!(one(multi(), "BEGIN\nx gitleaks:allow\nEND").len(), 0);
    assert_eq!(one(multi(), "# gitleaks:allow\nBEGIN\nx\nEND").len(), 1);
    assert_eq!(one(multi(), "BEGIN\nx\nEND # pragma: allowlist secret").len(), 0);
    let rules = RuleSet { rules: vec![multi()], ..RuleSet::default() };
    let strict = Scanner::new(Arc::new(rules), Options { allow_markers: false, ..Options::default() });
    assert_eq!(found(&strict, "BEGIN gitleaks:allow END").len(), 1);
}

/// Lists, whether they combine with AND, and at which of four places a match is let through:
/// (path, commit, secret) = both right, wrong path, wrong commit, wrong secret.
#[test]
fn allowlists_combine_with_or_and_and() {
    let path = || Allowlist { paths: patterns(&["^docs/"]), ..Allowlist::default() };
    let commit = || Allowlist { commits: vec!["abc1".into()], ..path() };
    let regex = || Allowlist { regexes: patterns(&["^tok_good$"]), ..commit() };
    let word = || Allowlist { stopwords: vec!["good".into()], ..regex() };
    let cases = [
        (path(), Condition::Or, "y.yy"),
        (commit(), Condition::Or, "yyyy"),
        (regex(), Condition::Or, "yyyy"),
        (path(), Condition::And, "y.yy"),
        (commit(), Condition::And, "y..y"),
        (regex(), Condition::And, "y..."),
        (word(), Condition::And, "y..."),
        (Allowlist { regexes: patterns(&["good"]), ..Allowlist::default() }, Condition::And, "yyy."),
        (Allowlist { stopwords: vec!["good".into(), "else".into()], ..Allowlist::default() }, Condition::Or, "yyy."),
    ];
    for (index, (list, condition, expected)) in cases.into_iter().enumerate() {
        let list = Allowlist { condition, ..list };
        let globally = scanner_of(vec![rule("a", "tok_[a-z]+")], vec![list.clone()]);
        let by_rule = scanner_of(vec![Rule { allowlists: vec![list], ..rule("a", "tok_[a-z]+") }], Vec::new());
        let places = [
            ("docs/a", "ABC1", "tok_good"),
            ("src/a", "abc1", "tok_good"),
            ("docs/a", "abc2", "tok_good"),
            ("docs/a", "abc1", "tok_bad"),
        ];
        for scanner in [globally, by_rule] {
            let allowed =
                places.map(
                    |(path, commit, text)| {
                        if findings_at(&scanner, path, commit, text, Lines::All).is_empty() { 'y' } else { '.' }
                    },
                );
            assert_eq!(String::from_iter(allowed), expected, "case {index}");
        }
    }
}

#[test]
fn an_allowlist_looks_at_its_target() {
    let allow = |regex: &str, target| Allowlist { regexes: patterns(&[regex]), target, ..Allowlist::default() };
    let cases = [
        ("^x=tok$", Target::Secret, 1),
        ("^tok$", Target::Secret, 0),
        ("^x=tok$", Target::Match, 0),
        ("^y x=tok z$", Target::Match, 1),
        ("^y x=tok z$", Target::Line, 0),
        ("^a$", Target::Line, 1),
    ];
    for (regex, target, count) in cases {
        let rule = Rule { allowlists: vec![allow(regex, target)], ..rule("a", "x=(tok)") };
        assert_eq!(one(rule, "a\ny x=tok z\nb").len(), count, "{regex}");
    }
}

#[test]
fn a_generic_rule_gives_way_on_its_line() {
    let rules = || vec![rule("generic-key", "key=([a-z]+)"), rule("special", "tok[a-z]+")];
    let scanner = scanner_of(rules(), Vec::new());
    assert_eq!(found(&scanner, "key=tokabc"), ["special 1:5-1:10 tokabc"]);
    assert_eq!(found(&scanner, "key=abc"), ["generic-key 1:1-1:7 abc"]);
    assert_eq!(found(&scanner, "key=abc\ntokabc").len(), 2);
    let docs = Allowlist { paths: patterns(&["^docs"]), ..Allowlist::default() };
    let [generic, special] = <[Rule; 2]>::try_from(rules()).unwrap();
    let lets = scanner_of(vec![generic, Rule { allowlists: vec![docs], ..special }], Vec::new());
    assert_eq!(findings_at(&lets, "docs", "", "key=tokabc", Lines::All)[0].rule.as_ref(), "generic-key");
}

#[test]
fn a_composite_needs_every_component_near_it() {
    let requirement = |lines, columns| Requirement { id: "id".into(), within_lines: lines, within_columns: columns };
    let set = |lines, columns| {
        let part = Rule { skip_report: true, keywords: vec!["nowhere".into()], ..rule("id", "id=([0-9]+)") };
        scanner_of(
            vec![part, Rule { required: vec![requirement(lines, columns)], ..rule("key", "key=([a-z]+)") }],
            Vec::new(),
        )
    };
    let text = "id=17\n\n\n   key=abc";
    assert_eq!(found(&set(None, None), text), ["key 4:4-4:10 abc"]);
    assert_eq!(found(&set(Some(3), None), text).len(), 1);
    assert_eq!(found(&set(Some(2), None), text).len(), 0);
    assert_eq!(found(&set(None, Some(3)), text).len(), 1);
    assert_eq!(found(&set(None, Some(2)), text).len(), 0);
    assert_eq!(found(&set(None, None), "key=abc").len(), 0);
    let finding = &findings_at(&set(None, None), "a", "", text, Lines::All)[0];
    assert_eq!((finding.components[0].rule.as_ref(), finding.components[0].secret.as_str()), ("id", "17"));
}

#[test]
fn only_new_lines_count() {
    let scanner = scanner_of(vec![rule("a", r"B[\s\S]*?E")], Vec::new());
    let count = |ranges: &[Range<usize>]| findings_at(&scanner, "a", "", "x\nB\n\nE\ny", Lines::Added(ranges)).len();
    assert_eq!(count(&[1..2, 5..9]), 0);
    assert_eq!(count(&[3..4, 9..10]), 1);
    assert_eq!(count(&[4..5, 9..10]), 1);
}

/// The value of the line before swallows the added one, and comes to nothing by its entropy or by an allowlist.
#[test]
fn what_a_dropped_match_took_the_place_of_is_seen_in_the_lines_alone() {
    let key = Rule { entropy: 3.0, ..rule("key", r"(?:key|token)\s*=\s*([a-z=0-9]+)") };
    let scanner = scanner_of(vec![key], Vec::new());
    let text = "x = 1\nkey =\naaaaaaaaaaaatoken=aaaaaaaaaaaaaaaaaaaaaaaaaaaaa9\n";
    let whole = scanner.scan(&Content { bytes: text.as_bytes(), paths: &[], base: None, first_line: 1 });
    assert!(whole.is_quiet() && !whole.is_settled());
    let alone = |lines: &str, first_line| {
        let content = Content { bytes: lines.as_bytes(), paths: &[], base: None, first_line };
        scanner.excerpt(&content, &whole).candidates.len()
    };
    let line = "aaaaaaaaaaaatoken=k3x92hdn3l\n";
    assert_eq!(alone(line, 3), 1, "it is below the border");
    assert_eq!(alone("key=k3x92hdn3l\n", 1), 0, "it is not, so nothing was swallowed there and nothing is asked");
}

#[test]
fn a_path_can_be_a_finding() {
    let named = Rule { regex: None, path: Some(Pattern::new(r"\.p12$").unwrap()), ..rule("p12", "x") };
    let scanner = scanner_of(vec![named, rule("a", "tok")], Vec::new());
    let findings = findings_at(&scanner, "keys/a.p12", "", "\0\x01", Lines::All);
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].span, findings[0].matched.as_str()), (Span::default(), "file detected: keys/a.p12"));
    assert_eq!(scanner.judge_path(&"keys/a.p12".into()).len(), 1);
    assert_eq!(scanner.judge_path(&"keys/a.p1".into()).len(), 0);
    let paths = [BString::from("keys/a.p12")];
    assert!(!scanner.scan(&Content { bytes: b"", paths: &paths, base: None, first_line: 1 }).is_quiet());
}

#[test]
fn a_rule_with_a_path_looks_only_there() {
    let yaml = Rule { path: Some(Pattern::new(r"\.ya?ml$").unwrap()), ..rule("a", "tok") };
    let scanner = scanner_of(vec![yaml], Vec::new());
    assert_eq!(findings_at(&scanner, "x/a.yml", "", "tok", Lines::All).len(), 1);
    assert_eq!(findings_at(&scanner, "x/a.txt", "", "tok", Lines::All).len(), 0);
}

#[test]
fn utf16_is_read_and_cannot_hide_plain_text() {
    let scanner = scanner_of(vec![rule("a", "tok_[a-z]+")], Vec::new());
    let wide: Vec<u8> = "\u{FEFF}a\r\nkey = tok_abc".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let seen = scanner.scan(&Content { bytes: &wide, paths: &[], base: None, first_line: 1 });
    assert_eq!(seen.candidates[0].span.start_line, 2);
    assert_eq!(seen.candidates[0].span.start_column, 7);
    let seen = scanner.scan(&Content { bytes: b"\xFF\xFEkey = tok_abc", paths: &[], base: None, first_line: 1 });
    assert_eq!(seen.candidates.len(), 1);
}

#[test]
fn secrets_of_other_findings_are_hidden_too() {
    let rules =
        RuleSet { rules: vec![rule("a", "a=([0-9]+)"), rule("b", "(b)=([0-9]+) a=[0-9]+")], ..RuleSet::default() };
    let rules =
        RuleSet { rules: vec![rules.rules[0].clone(), Rule { secret_group: 2, ..rules.rules[1].clone() }], ..rules };
    let scanner = Scanner::new(Arc::new(rules), Options::default());
    let findings = findings_at(&scanner, "x", "", "b=123 a=456 123", Lines::All);
    assert_eq!(findings[0].matched.as_str(), "b=REDACTED a=REDACTED");
    assert_eq!(findings[0].line.as_str(), "b=REDACTED a=REDACTED REDACTED");
    assert_eq!(findings[1].secret.as_str(), "REDACTED");
}

#[test]
fn a_piece_counts_lines_from_its_first() {
    let scanner = scanner_of(vec![rule("a", "tok")], Vec::new());
    let seen = scanner.scan(&Content { bytes: b"x\n tok", paths: &[], base: None, first_line: 41 });
    let span = seen.candidates[0].span;
    assert_eq!((span.start_line, span.end_line, span.start_column), (42, 42, 2));
}

#[test]
fn only_enabled_rules_speak() {
    let rules = RuleSet { rules: vec![rule("a", "tok"), rule("b", "tok")], ..RuleSet::default() };
    let options = Options { enabled: vec!["b".into()], ..Options::default() };
    assert_eq!(found(&Scanner::new(Arc::new(rules), options), "tok"), ["b 1:1-1:3 REDACTED"]);
}

#[test]
fn many_secrets_in_one_line_are_all_found() {
    let scanner = Scanner::new(Arc::new(crate::builtin::builtin()), Options::default());
    let mut dice = 12345u64;
    let mut drawn = || {
        let mut letter = |_| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"[(dice >> 33) as usize % 55])
        };
        (0..14).map(&mut letter).collect::<String>()
    };
    for count in [24, 25, 300] {
        let rows = (0..count).map(|row| format!(r#"{{"user":"u{row}","password":"{}"}}"#, drawn())).collect::<Vec<_>>();
        let findings = findings_at(&scanner, "users.json", "c0ffee", &format!("[{}]", rows.join(",")), Lines::All);
        let sure = findings.iter().filter(|finding| finding.confidence >= Confidence::Medium).count();
        assert!(sure * 10 >= count * 9, "{sure} of {count}");
    }
}

#[test]
fn what_only_looks_like_a_secret_in_prose_and_addresses() {
    let scanner = Scanner::new(Arc::new(crate::builtin::builtin()), Options::default());
    let drawn = ["Sf3-rT9x", "_kQ"].concat();
    let uuid = ["71514b9d-6a40-4b26", "8523-05e7ee35fa40"].join("-");
    let lines = [
        format!("\t(main): Pass \"{drawn}\" to avoid a warning."),
        format!("uri = pkcs11:token={drawn}1a2B4c6D;serial=0123456789abcdef"),
        format!("cvs://:pserver:{drawn}@sourceware.example.org/cvs/src"),
        format!("aws autoscaling complete-lifecycle-action --lifecycle-action-token {uuid}"),
        format!("statementKey: {}", "uJ3kP0q7rVx2Tn5Yb8Lc1Mz4Wd6Fg9HsQaEeRt+Kj0A="),
    ];
    for line in lines {
        let findings = findings_at(&scanner, "notes.txt", "c0ffee", &line, Lines::All);
        assert!(findings.iter().all(|finding| finding.confidence == Confidence::Low), "{line}: {findings:?}");
    }
    let still = format!("{{:password \"{drawn}\"}}");
    assert!(!findings_at(&scanner, "a.clj", "c0ffee", &still, Lines::All).is_empty());
}

/// Letters and digits as if drawn.
fn drawn(length: usize, state: &mut u32) -> String {
    let mut next = || {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"[(*state >> 16) as usize % 62])
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn every_password_of_a_line_of_commands_is_found_and_hidden() {
    let scanner = Scanner::new(Arc::new(crate::builtin::builtin()), Options::default());
    let mut state = 11;
    for line in [
        "curl -u a:A https://x; curl -u b:B https://y",
        "mysql -pA x && curl -u admin:B https://x",
        "docker login -p A r.test && docker login -p B s.test",
        "redis-cli -a A; redis-cli -a B",
        "ldapsearch -w A && ldapadd -w B",
        "sshpass -p A ssh h 'mysql -pB'",
        "echo root:A | chpasswd; echo B | sudo -S true",
        "<machineKey validationKey=\"H\" decryptionKey=\"I\" />",
    ] {
        let [one, two] = [drawn(16, &mut state), drawn(16, &mut state)];
        let hex = |length: usize, salt: u32| {
            (0..length as u32).map(|at| format!("{:08X}", (at + salt).wrapping_mul(2_654_435_761))).collect::<String>()
        };
        let (first, second) = if line.starts_with('<') { (hex(16, 1), hex(6, 99)) } else { (one, two) };
        let text: String = line
            .chars()
            .map(|letter| match letter {
                'A' | 'H' => first.clone(),
                'B' | 'I' => second.clone(),
                _ => letter.to_string(),
            })
            .collect();
        let findings = findings_at(&scanner, "a.txt", "c0ffee", &text, Lines::All);
        assert_eq!(findings.len(), 2, "{line}");
        for shown in findings.iter().flat_map(|finding| [&finding.matched, &finding.line]) {
            assert!(!shown.as_str().contains(&first) && !shown.as_str().contains(&second), "{line}");
        }
    }
}

#[test]
fn what_is_short_counts_beside_a_name_or_in_a_file_that_leaves_no_doubt() {
    let scanner = Scanner::new(Arc::new(crate::builtin::builtin()), Options::default());
    let short = ["k2Jb9sLq", "0ZxT"].concat();
    let sure = |path: &str, text: &str| {
        let findings = findings_at(&scanner, path, "c0ffee", text, Lines::All);
        findings.iter().filter(|finding| finding.confidence >= Confidence::Medium).count()
    };
    assert_eq!(sure("a.env", &format!("API_KEY={short}\n")), 1);
    assert_eq!(sure("a.env", &format!("SORT_KEY={short}\nKEY={short}\n")), 0);
    assert_eq!(sure("a.env", "API_KEY=orderNumber2\nAPI_KEY=MyService2Key\n"), 0);
    let relay = format!("# as the manual has it\n[mx.example.net]:587 robot:{short}\nother $user:${{PASSWORD}}\n");
    assert_eq!(sure("etc/postfix/sasl_passwd", &relay), 1);
    assert_eq!(sure("etc/postfix/notes.txt", &relay), 0);
}

#[test]
fn a_bare_word_of_a_makefile_is_a_value_and_not_a_name() {
    let scanner = Scanner::new(Arc::new(crate::builtin::builtin()), Options::default());
    let value = drawn(24, &mut 5);
    let found = |path: &str, line: &str| {
        let line = format!("all: build\n{}\n", line.replace('V', &value));
        findings_at(&scanner, path, "c0ffee", &line, Lines::All).len()
    };
    for (path, line) in [
        ("Makefile", "DB_PASSWORD = V"),
        ("deep/GNUmakefile", "API_KEY := V"),
        ("rules.mk", "AUTH_TOKEN ?= V"),
        ("Makefile.local", "export CLIENT_SECRET := V # ours"),
        ("Makefile", "INTERNAL_API_KEY ::= V"),
        ("a.mak", "override DB_PASSWORD=V"),
        ("Makefile", "\tcurl --password V https://example.net"),
        ("Makefile", "\tDB_PASSWORD=V ./run"),
    ] {
        assert_eq!(found(path, line), 1, "{path}: {line}");
    }
    for line in [
        "secret: V",
        "api_token: V.o build",
        "API_KEY = $(shell pass show V)",
        "DB_PASSWORD ?= $(PASSWORD)",
        "DB_PASSWORD := ${VAULT_PASSWORD}",
        "\t@API_KEY=$$API_KEY ./run",
    ] {
        assert_eq!(found("Makefile", line), 0, "{line}");
    }
}

#[test]
fn our_own_fingerprints_are_no_findings() {
    let scanner = Scanner::new(Arc::new(crate::builtin::builtin()), Options::default());
    let rules = ["generic-password", "generic-secret", "generic-command-password", "stripe-secret-key", "jwt"];
    let mut state = 7_u32;
    for rule in rules.iter().cycle().take(400) {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let print = format!("plomb:v1:{rule}:conf/a.yaml:{state:08x}");
        for text in [format!("{print}  reason\n"), format!("run `plomb allow {print}`"), format!("\"a\": \"{print}\",")]
        {
            assert_eq!(found(&scanner, &text), [""; 0], "{text}");
        }
    }
    let drawn = drawn(40, &mut state);
    let beside = format!("plomb:v1:generic-secret:a:01ab23cd token={drawn}");
    assert_eq!(found(&scanner, &beside).len(), 1, "what stands beside a fingerprint counts");
}
