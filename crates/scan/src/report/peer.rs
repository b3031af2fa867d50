//! The real gitleaks writes a report in JSON; what we make of the same findings in every other format must be what it
//! writes itself, to the byte.

use std::path::Path;
use std::sync::Arc;

use testkit::{Peer, Scratch, peer};

use super::example::run;
use super::link::{Platform, Remote};
use super::{Dialect, RuleNote, by_name};
use crate::baseline::{Baseline, Old};
use crate::finding::{Commit, Confidence, Finding, Origin, Place, Severity, Shown, Span};
use crate::fingerprint::Fingerprints;
use crate::scanner::Redaction;

const CONFIG: &str = r#"
[[rules]]
id = "word"
description = "A <word> & more, 'quoted'"
regex = '''.?tok_[a-zé]+[0-9]?.?'''
tags = ["a", "b c"]
[[rules]]
id = "lines"
description = "several lines"
regex = '''from tok_begin\r?\nto (end)_tok'''
[[rules]]
id = "by-path"
description = "path only"
path = '''\.p12$'''
"#;

/// One way to call gitleaks: what it scans, and what makes links.
struct Case {
    name: &'static str,
    words: Vec<&'static str>,
    stdin: &'static [u8],
    remote: Option<Remote>,
    only_links: bool,
}

#[test]
fn reports_are_gitleaks_own() {
    let name = "reports-are-gitleaks-own";
    let Some([gitleaks]) = peer::require(name, [Peer::Gitleaks]) else { return };
    let world = Scratch::new("reports");
    prepare(&world);
    for case in cases() {
        let findings = findings(&world, &gitleaks, &case);
        assert_eq!(findings.is_empty(), case.name == "nothing", "{}", case.name);
        let formats: &[_] = if case.only_links { &["json"] } else { &["json", "csv", "junit", "sarif", "verbose"] };
        for format in formats {
            compare(&world, &gitleaks, &case, &findings, format);
        }
    }
    peer::peer_test_ran(name);
}

#[test]
fn baselines_of_gitleaks_are_understood() {
    let name = "baselines-of-gitleaks";
    let Some([gitleaks]) = peer::require(name, [Peer::Gitleaks]) else { return };
    let world = Scratch::new("baseline");
    prepare(&world);
    for case in cases() {
        let report = gitleaks_writes(&world, &gitleaks, &case, "json");
        let baseline = Baseline::parse(&report).unwrap();
        for finding in from_json(&report) {
            assert!(baseline.knows(&finding, &Fingerprints::default(), Redaction::Off), "{}", case.name);
        }
    }
    peer::peer_test_ran(name);
}

#[test]
fn a_baseline_counts_the_fields_that_gitleaks_counts() {
    let name = "baseline-fields-of-gitleaks";
    let Some([gitleaks]) = peer::require(name, [Peer::Gitleaks]) else { return };
    let world = Scratch::new("fields");
    world.write("../config.toml", CONFIG);
    world.write("a.txt", "x\ny tok_abc1 z\n");
    let case = Case { name, words: vec!["dir", "a.txt"], stdin: b"", remote: None, only_links: false };
    let redacted = Case { words: vec!["dir", "a.txt", "--redact"], ..case };
    let case = Case { name, words: vec!["dir", "a.txt"], stdin: b"", remote: None, only_links: false };
    for (case, redaction) in [(&case, Redaction::Off), (&redacted, Redaction::Full)] {
        let report = gitleaks_writes(&world, &gitleaks, case, "json");
        let finding = from_json(&report).remove(0);
        let old: serde_json::Value = serde_json::from_slice(&report).unwrap();
        for (field, value) in old[0].as_object().unwrap() {
            let mut changed = old.clone();
            changed[0][field] = match value {
                serde_json::Value::String(text) => format!("{text}x").into(),
                serde_json::Value::Number(number) => (number.as_f64().unwrap() + 1.0).into(),
                _ => serde_json::json!(["other"]),
            };
            if field.ends_with("Line") || field.ends_with("Column") {
                changed[0][field] = (value.as_u64().unwrap() + 1).into();
            }
            let text = serde_json::to_vec(&changed).unwrap();
            world.write("../baseline.json", &text);
            let words = case.words.iter().copied().chain(["-b", "../baseline.json"]).collect();
            let with_baseline = Case { name, words, stdin: b"", remote: None, only_links: false };
            let theirs = findings(&world, &gitleaks, &with_baseline).is_empty();
            let ours = Baseline::parse(&text).unwrap().knows(&finding, &Fingerprints::default(), redaction);
            assert_eq!(ours, theirs, "{field} {redaction:?}");
        }
    }
    peer::peer_test_ran(name);
}

#[test]
fn ignore_files_hide_what_they_hide_for_gitleaks() {
    let name = "ignore-files-of-gitleaks";
    let Some([gitleaks]) = peer::require(name, [Peer::Gitleaks]) else { return };
    let world = Scratch::new("ignore");
    prepare(&world);
    let case =
        |words: &[&'static str]| Case { name, words: words.to_vec(), stdin: b"", remote: None, only_links: false };
    let all = findings(&world, &gitleaks, &case(&["git", "git"]));
    let commit = all[0].origin.commit().unwrap().id.clone();
    let other = commit.replace(|digit: char| digit.is_ascii_digit(), "a");
    for entry in [
        "d %/x y.md:word:3".to_owned(),
        "  d %\\x y.md:word:3 \t\r".to_owned(),
        format!("{commit}:d %/x y.md:word:3"),
        format!("{commit}:d %\\x y.md:lines:5"),
        format!("{other}:d %/x y.md:word:3"),
        "#d %/x y.md:word:3".to_owned(),
        "d %/x y.md:word:3 # why".to_owned(),
        "x y.md:word:3\nd %/x y.md:word:5".to_owned(),
        "d %/x y.md:word".to_owned(),
        "D %/x y.md:word:3".to_owned(),
        "d %/x y.md:word:03".to_owned(),
    ] {
        world.write("../ignore", &entry);
        let left = findings(&world, &gitleaks, &case(&["git", "git", "-i", "../ignore"]));
        let mut ignore = crate::ignore::GitleaksIgnore::parse(entry.as_bytes()).0;
        let ours: Vec<_> =
            all.iter().filter(|finding| !ignore.allows(finding)).map(Finding::gitleaks_fingerprint).collect();
        let theirs: Vec<_> = left.iter().map(Finding::gitleaks_fingerprint).collect();
        let sorted = |mut list: Vec<String>| {
            list.sort();
            list
        };
        assert_eq!(sorted(ours), sorted(theirs), "{entry}");
    }
    peer::peer_test_ran(name);
}

fn prepare(world: &Scratch) {
    world.write("../config.toml", CONFIG);
    let odd = "x tok_aaaa1 <b> & tok_bbb2\nzz tok_ccc3 \u{1}\u{7f}\u{2028}é tok_dé4\\\nfrom tok_begin\nto end_tok\n\"tok_q'\tlast tok_zz";
    world.write("odd/a b:c.txt", odd);
    world.write("real.txt", "tok_link9\r\n");
    world.write("link/a", "no");
    std::os::unix::fs::symlink("../real.txt", world.path("link/ü \"l\".txt")).unwrap();
    world.write("path/f'o.p12", "=tok_formula,1");
    world.write("nothing/a", "hello");
    let git = |words: &[&str]| {
        let done = world.command("git").args(["-c", "user.name=J é <x>", "-c", "user.email=j@e.x"]).args(words).run();
        assert!(done.ok(), "{done:?}");
    };
    world.write("git/d %/x y.md", "a\nb\n tok_abc1\nq\nfrom tok_begin\nto end_tok\n");
    git(&["init", "-q", "git"]);
    git(&["-C", "git", "add", "-A"]);
    git(&["-C", "git", "commit", "-qm", "sub <x>\n\nbody, \"two\"\nlines"]);
    world.write("git/new.txt", "tok_staged1\n");
    git(&["-C", "git", "add", "new.txt"]);
    git(&["-C", "git", "remote", "add", "origin", "https://u:p@git.example.com/o/r.git"]);
}

fn cases() -> Vec<Case> {
    let case = |name, words: &[&'static str]| Case {
        name,
        words: words.to_vec(),
        stdin: b"",
        remote: None,
        only_links: false,
    };
    let mut cases = vec![
        case("nothing", &["dir", "nothing"]),
        case("odd", &["dir", "odd"]),
        case("redacted", &["dir", "odd", "--redact"]),
        case("half", &["dir", "odd", "--redact=50"]),
        case("link", &["dir", "link", "--follow-symlinks"]),
        case("path", &["dir", "path"]),
        case("staged", &["git", "git", "--staged"]),
        Case { stdin: b"x tok_in1\n tok_in2", ..case("stdin", &["stdin"]) },
    ];
    for platform in ["github", "gitlab", "azuredevops", "gitea", "bitbucket"] {
        let remote = Remote::new("https://u:p@git.example.com/o/r.git", Platform::by_name(platform));
        cases.push(Case {
            remote,
            only_links: platform != "github",
            ..case(platform, &["git", "git", "--platform", platform])
        });
    }
    cases
}

/// gitleaks takes rules and files in another order every time: one order of them must give its bytes.
fn compare(world: &Scratch, gitleaks: &Path, case: &Case, findings: &[Finding], format: &str) {
    let theirs = gitleaks_writes(world, gitleaks, case, format);
    let mut last = Vec::new();
    for order in orders(groups(findings)) {
        last = we_write(&order.concat(), case, format);
        if last == theirs {
            return;
        }
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    panic!("{} as {format}:\n{}\n-- gitleaks --\n{}", case.name, text(&last), text(&theirs));
}

/// Findings of one rule in one file, which keep their order.
fn groups(findings: &[Finding]) -> Vec<Vec<Finding>> {
    let mut groups: Vec<Vec<Finding>> = Vec::new();
    for finding in findings {
        let same = |group: &&mut Vec<Finding>| group[0].origin == finding.origin && group[0].rule == finding.rule;
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding.clone()),
            None => groups.push(vec![finding.clone()]),
        }
    }
    groups
}

/// Every order of a few things.
fn orders<T: Clone>(things: Vec<T>) -> Vec<Vec<T>> {
    if things.len() < 2 {
        return vec![things];
    }
    let mut all = Vec::new();
    for first in 0..things.len() {
        let mut rest = things.clone();
        let head = rest.remove(first);
        all.extend(orders(rest).into_iter().map(|mut order| {
            order.insert(0, head.clone());
            order
        }));
    }
    all
}

fn gitleaks_writes(world: &Scratch, gitleaks: &Path, case: &Case, format: &str) -> Vec<u8> {
    let verbose = format == "verbose";
    let mut command =
        world.command(gitleaks).args(&case.words).args(["-c", "../config.toml", "--no-banner", "-l", "fatal"]);
    command = if verbose { command.args(["-v", "--no-color"]) } else { command.args(["-r", "-", "-f", format]) };
    command.env("GOMAXPROCS", "1").stdin(case.stdin).run().stdout
}

fn findings(world: &Scratch, gitleaks: &Path, case: &Case) -> Vec<Finding> {
    from_json(&gitleaks_writes(world, gitleaks, case, "json"))
}

fn we_write(findings: &[Finding], case: &Case, format: &str) -> Vec<u8> {
    let note = |id: &str, description: &str| RuleNote {
        id: id.into(),
        description: description.into(),
        severity: Severity::High,
        confidence: Confidence::High,
        tags: Vec::new(),
    };
    let rules =
        [note("word", "A <word> & more, 'quoted'"), note("lines", "several lines"), note("by-path", "path only")];
    let prints = Fingerprints::default();
    let mut run = run(findings, &rules, &prints, Dialect::Gitleaks);
    run.remote = case.remote.as_ref();
    let mut out = Vec::new();
    by_name(format).unwrap().write(&run, &mut out).unwrap();
    out
}

fn from_json(report: &[u8]) -> Vec<Finding> {
    serde_json::from_slice::<Vec<Old>>(report).unwrap().into_iter().map(from_old).collect()
}

pub(super) fn from_old(old: Old) -> Finding {
    let symlink = Some(old.symlink_file).filter(|link| !link.is_empty()).map(Into::into);
    let place = match (old.commit.as_str(), old.date.as_str()) {
        ("", "") => Place::File,
        ("", _) => Place::Index,
        _ => Place::Commit(Arc::new(Commit {
            id: old.commit,
            author: old.author,
            email: old.email,
            date: old.date,
            message: old.message,
        })),
    };
    let span = Span {
        start_line: old.start_line,
        end_line: old.end_line,
        start_byte_column: old.start_column - usize::from(old.start_line > 1),
        end_byte_column: old.end_column - usize::from(old.end_line > 1),
        ..Span::default()
    };
    Finding {
        rule: old.rule_id.into(),
        description: old.description.into(),
        severity: Severity::High,
        confidence: Confidence::High,
        tags: old.tags.unwrap_or_default(),
        origin: Origin { path: old.file.into(), symlink, place, ..Origin::default() },
        span,
        run_start: 1,
        matched: Shown::new(old.matched),
        secret: Shown::new(old.secret),
        line: Shown::default(),
        entropy: old.entropy,
        decoded: None,
        components: Vec::new(),
        digest: crate::finding::Digest::default(),
    }
}
