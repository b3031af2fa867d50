//! Templates against the real gitleaks, and against everything that a template could do to us.

use std::time::{Duration, Instant};

use testkit::{Peer, Scratch, peer};

use super::Template;
use crate::finding::Finding;
use crate::fingerprint::Fingerprints;
use crate::report::Dialect;
use crate::report::example::{committed, finding, notes, run};

fn rendered(template: &str, findings: &[Finding]) -> Result<String, String> {
    limited(template, findings, super::machine::STEPS)
}

fn limited(template: &str, findings: &[Finding], steps: usize) -> Result<String, String> {
    let (rules, prints) = (notes(findings), Fingerprints::default());
    let mut template = Template::parse(template).map_err(|error| error.to_string())?;
    template.steps = steps;
    let out = template.render(&run(findings, &rules, &prints, Dialect::Gitleaks)).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

/// Templates of which each must give what gitleaks gives. `¶` parts them.
const TEMPLATES: &str = include_str!("../../../../../fixtures/reports/templates.txt");

#[test]
fn templates_give_what_gitleaks_gives() {
    let name = "templates-give-what-gitleaks-gives";
    let Some([gitleaks]) = peer::require(name, [Peer::Gitleaks]) else { return };
    let world = Scratch::new("templates");
    world.write("a b.txt", "x tok_abc1 <y>\nq\n\ttok_dé2 'z'\n");
    world.write(
        "../c.toml",
        "[[rules]]\nid=\"tok\"\ndescription=\"A <b> & c\"\nregex='''tok_[a-zé]+[0-9]'''\ntags=[\"x\",\"y z\"]\n",
    );
    let gitleaks = |arguments: &[&str]| {
        let fixed = ["dir", "a b.txt", "-c", "../c.toml", "--no-banner", "-l", "fatal", "-r", "-", "-f"];
        world.command(&gitleaks).args(fixed).args(arguments).run()
    };
    let report = gitleaks(&["json"]).stdout;
    let olds: Vec<crate::baseline::Old> = serde_json::from_slice(&report).unwrap();
    let findings: Vec<_> = olds.into_iter().map(super::super::peer::from_old).collect();
    assert_eq!(findings.len(), 2);
    let mut wrong = Vec::new();
    for template in TEMPLATES.split("¶\n") {
        world.write("../t.tmpl", template);
        let theirs = gitleaks(&["template", "--report-template", "../t.tmpl"]);
        // Exit code 1 is both "found" and "failed"; a failure writes nothing of its own to be compared.
        let ours = rendered(template, &findings);
        if ours.as_deref() != Ok(theirs.text().as_str()) {
            wrong.push(format!(
                "{template}\n-- ours --\n{ours:?}\n-- gitleaks --\n{:?} {}",
                theirs.text(),
                theirs.errors()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n====\n"));
    peer::peer_test_ran(name);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (template, expected) in [
        ("a\n {{ foo }}", "2:5: function \"foo\" not defined"),
        ("{{ env \"HOME\" }}", "1:4: function \"env\" is not offered: a report does not see the environment"),
        (
            "{{ expandenv \"$HOME\" }}",
            "1:4: function \"expandenv\" is not offered: a report does not see the environment",
        ),
        (
            "{{ getHostByName \"x\" }}",
            "1:4: function \"getHostByName\" is not offered: a report does not use the network",
        ),
        ("{{ if . }}", "1:1: {{if}} without {{end}}"),
        ("{{ end }}", "1:1: unexpected {{end}}"),
        ("{{ $x }}", "1:4: undefined variable \"$x\""),
        ("{{ break }}", "1:1: {{break}} outside {{range}}"),
        ("{{ \"a }}", "1:4: unterminated quoted string"),
        ("{{ . ", "1:1: unclosed action"),
        ("{{/* x", "1:1: unclosed comment"),
        ("{{ range . }}{{ .Nope }}{{ end }}", "1:17: can't evaluate field Nope in type report.Finding"),
        ("é{{ index . 9 }}", "1:5: index: index out of range"),
        ("{{ len }}", "1:4: wrong number of args for len: want 1 got 0"),
        ("{{ template \"x\" }}", "1:1: template \"x\" not defined"),
        ("{{ div 1 0 }}", "1:4: div: integer divide by zero"),
        ("{{ 1 | 2 }}", "1:8: only a function can stand behind |"),
        ("{{ . }}", "1:1: a whole finding cannot be printed: name one of its fields"),
    ] {
        assert_eq!(rendered(template, &[finding("r", "p", 1)]), Err(expected.to_owned()), "{template}");
    }
}

#[test]
fn no_template_hangs_or_fills_the_memory() {
    let deep = format!("{}1{}", "{{ if 1 }}".repeat(5_000), "{{ end }}".repeat(5_000));
    let parens = format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000));
    let cases = [
        "{{ range until 1000000 }}{{ range until 1000000 }}{{ end }}{{ end }}",
        "{{ range 9223372036854775807 }}{{ end }}",
        "{{ $x := \"aaaaaaaaaaaaaaaa\" }}{{ range until 100 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := list 1 }}{{ range until 100 }}{{ $x = concat $x $x }}{{ end }}",
        "{{ repeat 1000000000 \"a\" }}",
        "{{ $x := repeat 1000000 \"a\" }}{{ range until 100000 }}{{ $x }}{{ end }}",
        "{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}",
        "{{ define \"a\" }}{{ template \"b\" . }}{{ end }}{{ define \"b\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" 1 }}",
        "{{ $d := dict }}{{ $_ := set $d \"a\" $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"a\" (list (dict \"b\" $d)) }}",
        "{{ $c := dict }}{{ $top := dict \"a\" $c }}{{ range until 1000000 }}{{ $n := dict }}{{ $_ := set $c \"a\" $n }}{{ $c = $n }}{{ end }}{{ toJson $top }}",
        "{{ $c := list }}{{ range until 1000000 }}{{ $c = list $c }}{{ end }}{{ $c }}",
        "{{ $m := dict }}{{ range until 60 }}{{ $m = dict \"a\" $m \"b\" $m }}{{ end }}{{ toJson $m }}",
        "{{ $m := dict }}{{ range until 35 }}{{ $m = dict \"a\" $m \"b\" $m }}{{ end }}{{ $m }}",
        "{{ $m := list 1 }}{{ range until 35 }}{{ $m = list $m $m }}{{ end }}{{ deepEqual $m (list $m) }}{{ has 2 (list $m $m) }}{{ $m }}",
        "{{ printf \"%99999999d\" 1 }}",
        "{{ regexReplaceAll \"(a*)*\" (repeat 1000000 \"a\") \"$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1\" }}",
        "{{ $s := repeat 10000000 \"a,\" }}{{ $x := splitList \",\" $s }}",
        &deep,
        &parens,
    ];
    for template in cases {
        let begun = Instant::now();
        // A tenth of what is allowed: tests are not optimised.
        let result = limited(template, &[], super::machine::STEPS / 10);
        assert!(result.is_err(), "{}", &template[..template.len().min(200)]);
        assert!(begun.elapsed() < Duration::from_secs(60), "too slow: {}", &template[..template.len().min(200)]);
    }
}

#[test]
fn fields_of_ours_and_dates_are_there() {
    let findings = [committed("r", "p", 1)];
    let template = "{{ range . }}{{ .Severity }} {{ .Confidence }} {{ .ValueFingerprint }} {{ date \"2 Jan 2006\" .Date }} \
                    {{ .Date | dateModify \"-24h\" | htmlDate }} {{ unixEpoch .Date }}{{ end }}";
    let print = Fingerprints::default().of(&findings[0]);
    assert_eq!(rendered(template, &findings), Ok(format!("high medium {print} 2 Jan 2026 2026-01-01 1767323045")));
}
