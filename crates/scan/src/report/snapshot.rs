//! Every format over one fixed set of findings, compared with files under `fixtures/reports`. `PLOMB_BLESS=1` writes
//! them anew; what changed is then read in the diff.

use std::sync::Arc;

use testkit::fixtures;

use super::example::{committed, finding, notes, run};
use super::{Dialect, Platform, REPORTS, Remote, Report, Run, Style, by_name};
use crate::finding::{Component, Confidence, Decoded, Digest, Finding, Place, Presence, Severity, Shown, Span};
use crate::fingerprint::Fingerprints;
use crate::visitor::{Skipped, Unread};

/// Findings of every kind, with text that would like to act.
fn findings() -> Vec<Finding> {
    let mut first = finding("plain-password", "app/config é.yaml", 12);
    first.severity = Severity::Critical;
    let mut second = finding("plain-password", "app/config é.yaml", 12);
    second.span = Span { start_column: 40, end_column: 59, start_byte_column: 41, end_byte_column: 60, ..second.span };
    second.line = Shown::new("  word = \"REDACTED\" # é word = \"REDACTED\"".to_owned());
    second.digest = Digest([9; 32]);
    let mut hostile = finding("evil", "a\u{1b}]0;x\u{7}b\u{202e}.txt", 1);
    hostile.line =
        Shown::new("\u{1b}[2J</script><script>alert(1)</script><!-- REDACTED =cmd|'/c' \u{9b}31m".to_owned());
    hostile.matched = Shown::new("REDACTED".to_owned());
    hostile.description = "A <b>bold</b> \"description\"\nof two lines; it is long enough that it has to be broken \
                           somewhere on a terminal of a hundred columns."
        .into();
    let mut removed = committed("cloud-key", "old/=deploy.sh", 7);
    removed.origin.presence = Presence::Removed;
    removed.confidence = Confidence::High;
    removed.components = vec![Component {
        rule: "cloud-secret".into(),
        span: Span { start_line: 8, end_line: 8, start_column: 2, end_column: 9, ..Span::default() },
        secret: Shown::new("REDACTED".to_owned()),
    }];
    let mut decoded = committed("cloud-key", "old/=deploy.sh", 9);
    decoded.origin.presence = Presence::Present;
    let mut commit = decoded.origin.commit().unwrap().as_ref().clone();
    commit.id = "fedcba9876543210fedcba9876543210fedcba98".to_owned();
    commit.date = "2025-11-30T23:59:59Z".to_owned();
    decoded.origin.place = Place::Commit(Arc::new(commit));
    decoded.decoded = Some(Decoded { kinds: vec!["base64", "percent"], depth: 2 });
    decoded.line = Shown::new("x ZW5jb2RlZCBzZWNyZXQgaGVyZQ== y".to_owned());
    decoded.span = Span { start_column: 3, end_column: 30, ..decoded.span };
    let mut long = finding("plain-password", "web/app.min.js", 1);
    long.line = Shown::new(format!("{}word = \"REDACTED\"{}", "x".repeat(120), ";y=1".repeat(30)));
    long.span =
        Span { start_column: 9_001, end_column: 9_020, start_byte_column: 9_001, end_byte_column: 9_020, ..long.span };
    let mut message = committed("plain-password", "", 1);
    message.origin.place = Place::Message(message.origin.commit().unwrap().clone());
    let mut by_path = finding("key-file", "keys/host.p12", 0);
    by_path.span = Span::default();
    by_path.secret = Shown::default();
    by_path.matched = Shown::new("file detected: keys/host.p12".to_owned());
    by_path.line = Shown::default();
    by_path.severity = Severity::Low;
    let mut all = vec![first, second, hostile, removed, decoded, long, message, by_path];
    all.sort_by(|one, other| one.order().cmp(&other.order()));
    all
}

fn with_run<T>(findings: &[Finding], dialect: Dialect, work: impl FnOnce(&Run<'_>) -> T) -> T {
    let (rules, prints) = (notes(findings), Fingerprints::default());
    let remote = Remote::new("https://github.com/o/r.git", Some(Platform::GitHub));
    let unread = [Unread { what: "broken/\u{1b}[1m.zip".into(), why: "the archive is damaged".to_owned() }];
    let skipped = [Skipped { what: "dev/null".into(), why: "a device" }];
    let mut run = run(findings, &rules, &prints, dialect);
    run.remote = remote.as_ref();
    run.unread = &unread;
    run.skipped = &skipped;
    run.times = Some(("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"));
    run.ways = &["Rotate it.", "Encrypt it: plomb encrypt FILE", "It is no secret: plomb scan allow FINGERPRINT"];
    work(&run)
}

fn written(report: &dyn Report, findings: &[Finding], dialect: Dialect) -> Vec<u8> {
    with_run(findings, dialect, |run| {
        let mut out = Vec::new();
        report.write(run, &mut out).unwrap();
        out
    })
}

#[test]
fn every_format_is_as_it_was() {
    let findings = findings();
    let mut changed = Vec::new();
    for (dialect, ending) in [(Dialect::Plomb, "plomb"), (Dialect::Gitleaks, "gitleaks")] {
        for report in REPORTS {
            check(&format!("{}.{ending}", report.name()), &written(*report, &findings, dialect), &mut changed);
        }
    }
    check("text.nothing", &written(by_name("text").unwrap(), &[], Dialect::Plomb), &mut changed);
    let coloured = with_run(&findings, Dialect::Plomb, |run| {
        let mut out = Vec::new();
        let run = Run { style: Style { colour: true, width: 60 }, ..*run };
        by_name("text").unwrap().write(&run, &mut out).unwrap();
        out
    });
    check("text.coloured", &coloured, &mut changed);
    assert!(changed.is_empty(), "changed: {}; PLOMB_BLESS=1 accepts them", changed.join(", "));
}

#[expect(clippy::disallowed_methods, reason = "a test reads and writes its fixtures")]
fn check(name: &str, bytes: &[u8], changed: &mut Vec<String>) {
    let path = fixtures::folder("reports").join(name);
    if std::env::var_os("PLOMB_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    if std::fs::read(&path).ok().as_deref() != Some(bytes) {
        changed.push(name.to_owned());
    }
}

#[test]
fn nothing_acts_on_a_terminal() {
    for name in ["text", "verbose"] {
        let text = String::from_utf8(written(by_name(name).unwrap(), &findings(), Dialect::Plomb)).unwrap();
        let acting = text.chars().find(|character| *character != '\n' && super::neutral::is_hidden(*character));
        assert_eq!(acting, None, "{name}");
    }
}

#[test]
fn no_text_ends_the_data_of_the_page() {
    let page = String::from_utf8(written(by_name("html").unwrap(), &findings(), Dialect::Plomb)).unwrap();
    assert_eq!(page.matches("</script").count(), 2);
    assert_eq!(page.matches("<script").count(), 2);
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["findings"].as_array().unwrap().len(), findings().len());
    for outside in ["src=", "url(", "@import", "http:", "innerHTML", "eval("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn sarif_has_what_services_ask_for() {
    let bytes = written(by_name("sarif").unwrap(), &findings(), Dialect::Plomb);
    let log: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 2);
    let mut hashes = std::collections::HashSet::new();
    for result in run["results"].as_array().unwrap() {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["helpUri"].is_string() && rule["help"]["text"].is_string());
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(hashes.insert(result["partialFingerprints"]["primaryLocationLineHash"].clone()));
        let Some(place) = result["locations"][0].get("physicalLocation") else { continue };
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':'), "{uri}");
        let region = &place["region"];
        assert!(region["startLine"].as_u64().unwrap() >= 1);
        assert!(region["endColumn"].is_null() || region["endColumn"].as_u64() > region["startColumn"].as_u64());
    }
}

#[test]
fn a_message_that_holds_a_secret_is_not_shown_beside_others() {
    let mut findings = vec![committed("r", "a", 1), committed("r", "", 1)];
    let mut commit = findings[0].origin.commit().unwrap().as_ref().clone();
    commit.message = "the word is hunter22".to_owned();
    findings[0].origin.place = Place::Commit(Arc::new(commit.clone()));
    findings[1].origin.place = Place::Message(Arc::new(commit));
    for report in REPORTS {
        for dialect in [Dialect::Plomb, Dialect::Gitleaks] {
            let text = String::from_utf8(written(*report, &findings, dialect)).unwrap();
            assert!(!text.contains("hunter22"), "{}", report.name());
        }
    }
}

#[test]
fn ten_thousand_findings_are_no_trouble() {
    let some = findings();
    let many: Vec<_> = (0..10_000)
        .map(|number| {
            let mut finding = some[number % some.len()].clone();
            finding.origin.path = format!("folder{}/file{}.txt", number % 40, number % 700).into();
            finding.digest = Digest([(number % 251) as u8; 32]);
            finding
        })
        .collect();
    for report in REPORTS {
        let begun = std::time::Instant::now();
        assert!(written(*report, &many, Dialect::Plomb).len() > 500_000);
        // Unoptimised and on a busy machine; what is quadratic would take minutes.
        assert!(begun.elapsed().as_secs() < 60, "{}: {:?}", report.name(), begun.elapsed());
    }
}
