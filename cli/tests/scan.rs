//! `plomb scan` at the edges that no other test drives: reports by template, named rules, explanations, exceptions.

use testkit::{Dice, Outcome, Scratch, token};

const PLOMB: &str = env!("CARGO_BIN_EXE_plomb");

fn plomb(scratch: &Scratch, words: &[&str]) -> Outcome {
    scratch.command(PLOMB).args(words).run()
}

#[test]
fn a_template_makes_the_report_and_shows_no_secret() {
    let scratch = Scratch::new("scan-template");
    let secret = token::github(&mut Dice::new(3));
    scratch.write("app.py", format!("TOKEN = \"{secret}\"\n"));
    scratch.write("t.tmpl", "{{ range . }}{{ .RuleID }} {{ .File }}:{{ .StartLine }} {{ .Secret }}\n{{ end }}");
    let done = plomb(&scratch, &["scan", "app.py", "--report-template", "t.tmpl", "-r", "-"]);
    assert_eq!((done.code, done.text().as_str()), (Some(1), "github-pat app.py:1 REDACTED\n"), "{}", done.errors());
    scratch.write("bad.tmpl", "{{ range . }}\n{{ nope }}");
    let wrong = plomb(&scratch, &["scan", "app.py", "--report-template", "bad.tmpl", "-r", "-"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.errors().starts_with("error: bad.tmpl:2:"), "{}", wrong.errors());
}

#[test]
fn a_rule_that_does_not_exist_is_no_clean_scan() {
    let scratch = Scratch::new("scan-rule");
    scratch.write("app.py", "x = 1\n");
    let done = plomb(&scratch, &["scan", "app.py", "--enable-rule", "no-such-rule"]);
    assert_eq!(done.code, Some(2), "{}", done.errors());
    assert!(done.errors().contains("no-such-rule"), "{}", done.errors());
}

#[test]
fn an_allowed_finding_is_explained() {
    let scratch = Scratch::new("scan-explain");
    scratch.write("app.py", format!("a = 1\nTOKEN = \"{}\"\n", token::github(&mut Dice::new(4))));
    let told = plomb(&scratch, &["scan", "--explain", "app.py:2"]);
    assert!(told.code == Some(1) && told.text().contains("github-pat (high confidence): reported"), "{}", told.text());
    let found = plomb(&scratch, &["scan", "app.py"]).text();
    let fingerprint = found.lines().map(str::trim).find(|line| line.starts_with("plomb:v1:")).unwrap().to_owned();
    assert!(plomb(&scratch, &["allow", &fingerprint, "--reason", "made for a test"]).ok());
    assert!(plomb(&scratch, &["scan", "app.py"]).ok());
    let told = plomb(&scratch, &["scan", "--explain", "app.py:2"]);
    assert!(told.ok() && told.text().contains("not reported: an allow marker"), "{}", told.text());
    assert!(plomb(&scratch, &["scan", "--explain", "app.py:1"]).text().contains("no rule takes anything"));
}
