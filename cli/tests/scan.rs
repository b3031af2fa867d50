//! `plomb scan` at the edges that no other test drives: reports by template, named rules, explanations, exceptions.

use testkit::{Dice, Outcome, Repository, Scratch, token};

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
    let past = plomb(&scratch, &["scan", "--explain", "app.py:99"]);
    assert!(past.errors().contains("there is no line 99: it has 2 lines"), "{}", past.errors());
    let past = plomb(&scratch, &["allow", &fingerprint, "--reason", "made for a test", "--until", "2020-01-01"]);
    assert!(!past.ok() && past.errors().contains("a day that has passed"), "{}", past.errors());
}

#[test]
fn what_is_advised_fits_what_was_scanned() {
    let scratch = Scratch::new("scan-advice");
    scratch.write("message", format!("use {}\n", token::github(&mut Dice::new(8))));
    Repository::new(&scratch, "repo");
    let folder = scratch.work().join("repo");
    let done = scratch.command(PLOMB).args(["scan", "commit-msg", "../message"]).folder(&folder).run();
    assert_eq!(done.code, Some(1), "{}", done.errors());
    assert!(done.text().contains("take it out of the message") && !done.text().contains("plomb encrypt"));
    scratch.write("rules.toml", "[[rules]]\nid = \"ticket\"\nregex = 'SHOP'\nkeyword = [\"shop\"]\n");
    let done = plomb(&scratch, &["scan", "message", "-c", "rules.toml"]);
    assert!(done.errors().contains("(did you mean `keywords`?)"), "{}", done.errors());
}

#[test]
fn a_damaged_repository_is_scanned_as_far_as_it_can_be_read() {
    let scratch = Scratch::new("scan-damaged");
    let mut repo = Repository::new(&scratch, "repo");
    repo.write("app.py", format!("TOKEN = \"{}\"\n", token::github(&mut Dice::new(9)))).commit("one");
    repo.git(&["branch", "healthy"]);
    repo.write("app.py", "nothing\n").commit("two");
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]).text().trim().to_owned();
    let object = repo.root().join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    let bytes = std::fs::read(&object).unwrap();
    let scan = |named: &str| {
        let done = plomb(&scratch, &["scan", "git", "repo"]);
        assert_eq!(done.code, Some(2), "{}", done.errors());
        assert!(done.text().contains("github-pat") && done.text().contains(named), "{}", done.text());
    };
    std::fs::remove_file(&object).unwrap();
    scan(&tree);
    std::fs::write(&object, bytes).unwrap();
    std::fs::write(repo.root().join(".git/refs/heads/main"), "junk\n").unwrap();
    scan("refs/heads/main: ");
}

#[test]
fn what_an_archive_hides_is_found_or_named() {
    let scratch = Scratch::new("scan-archives");
    scratch.write("s.py", format!("TOKEN = \"{}\"\n", token::github(&mut Dice::new(10))));
    scratch.write("img", vec![0; 40_000_000]);
    let shell = |line: &str| assert!(scratch.command("/bin/bash").args(["-c", line]).run().ok(), "{line}");
    shell("tar cf - img s.py | gzip > t.tgz; rm img");
    let done = plomb(&scratch, &["scan", "t.tgz"]);
    assert!(done.code == Some(1) && done.text().contains("t.tgz!s.py"), "{} {}", done.text(), done.errors());
    shell("gzip -k s.py && echo trail >> s.py.gz");
    let done = plomb(&scratch, &["scan", "s.py.gz"]);
    assert_eq!(done.code, Some(2), "{}", done.errors());
    assert!(done.text().contains("github-pat") && done.errors().contains("s.py.gz: "), "{}", done.text());
}

#[test]
fn pipes_of_a_shell_are_read_where_gitleaks_reads_them() {
    let scratch = Scratch::new("scan-pipes");
    scratch.write("rules.toml", "[[rules]]\nid = \"ticket\"\nregex = 'SHOP-[a-z]{12}'\n");
    scratch.write("a/x.txt", format!("t = SHOP-{} # hi\n", "abcdefghijkl"));
    let shell = |line: &str| {
        let line = format!("{PLOMB} gitleaks dir a {line}");
        scratch.command("/bin/bash").args(["-c", &line]).run()
    };
    let found = shell("-v -c <(cat rules.toml)");
    assert_eq!(found.code, Some(1), "{}", found.errors());
    assert!(found.text().starts_with("Finding:     t = REDACTED # hi\n"), "{}", found.text());
    let piped = format!("{PLOMB} gitleaks dir -c rules.toml -f csv -r - <(cat a/x.txt)");
    let piped = scratch.command("/bin/bash").args(["-c", &piped]).run();
    assert_eq!(piped.code, Some(1), "{}", piped.errors());
    assert!(piped.text().contains("ticket,,/dev/fd/"), "{}", piped.text());
    let ignored = shell("-c rules.toml -i <(echo a/x.txt:ticket:1)");
    assert!(ignored.ok(), "{}", ignored.errors());
    assert_eq!(shell("-c rules.toml -r ../old.json").code, Some(1));
    let known = shell("-c rules.toml -b <(cat ../old.json)");
    assert!(known.ok(), "{}", known.errors());
    // A configuration beside the file that is scanned is not asked.
    scratch.write("a/.gitleaks.toml", "[[rules]]\nid = \"any\"\nregex = 'SHOP'\n");
    assert_eq!(plomb(&scratch, &["gitleaks", "dir", "a"]).code, Some(1));
    assert!(plomb(&scratch, &["gitleaks", "dir", "a/x.txt"]).ok());
    let version = plomb(&scratch, &["gitleaks", "--version"]);
    assert_eq!((version.code, version.text().as_str()), (Some(0), "gitleaks version 8.30.1\n"));
}

#[test]
fn log_options_of_the_action_choose_commits() {
    let scratch = Scratch::new("scan-log");
    let mut repo = Repository::new(&scratch, "log");
    let mut dice = Dice::new(5);
    for name in ["a", "b", "c"] {
        repo.write(name, format!("TOKEN = \"{}\"\n", token::github(&mut dice))).commit(name);
    }
    let root = repo.root().to_str().expect("made by us").to_owned();
    let found = |options: &str| {
        let done = plomb(&scratch, &["gitleaks", "git", &root, "-f", "csv", "-r", "-", "--log-opts", options]);
        let mut files: Vec<String> =
            done.text().lines().filter_map(|row| row.split(',').nth(2).map(str::to_owned)).collect();
        files.retain(|name| name.len() == 1);
        files.sort();
        (done.code, files.concat())
    };
    assert_eq!(found("-1"), (Some(1), "c".to_owned()));
    assert_eq!(found("--no-merges --first-parent HEAD~1^..HEAD"), (Some(1), "bc".to_owned()));
    assert_eq!(found("HEAD -- a"), (Some(1), "a".to_owned()));
    assert_eq!(found("--since=2099-01-01"), (Some(0), String::new()));
    assert_eq!(found("--author=me"), (Some(1), String::new()));
}

#[test]
fn a_hostile_list_of_ignored_files_stops_no_command() {
    let scratch = Scratch::new("scan-hostile");
    let mut repo = Repository::new(&scratch, "hostile");
    repo.write("sub/a.yaml", "a: 1\n");
    let root = repo.root().to_owned();
    let run = |words: &str| {
        let line = format!("ulimit -v 8000000; cd {} && exec timeout 60 {PLOMB} {words}", root.display());
        let done = scratch.command("/bin/bash").args(["-c", &line]).run();
        assert!(done.code.is_some_and(|code| code < 100), "{words}: {:?} {}", done.code, done.errors());
    };
    let pipe = |path: &str| assert!(scratch.command("/usr/bin/mkfifo").arg(root.join(path)).run().ok());
    std::os::unix::fs::symlink("/dev/zero", root.join(".gitignore")).expect("a new name");
    pipe("sub/.gitignore");
    ["scan .", "status .", "verify .", "scan --fix .", "config check"].iter().for_each(|words| run(words));
    std::fs::remove_file(root.join(".git/HEAD")).expect("every repository has one");
    pipe(".git/HEAD");
    ["scan .", "scan git .", "scan --staged", "hook status"].iter().for_each(|words| run(words));
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_scan() {
    let scratch = Scratch::new("scan-report");
    let told = |report: &str| {
        let done = plomb(&scratch, &["scan", "no-such-folder", "-r", report]);
        assert_eq!(done.code, Some(2));
        done.errors()
    };
    assert!(told("report.doc").contains("does not tell its format"));
    assert!(told("nowhere/report.json").contains("nowhere/report.json: the report cannot be written"));
    std::fs::create_dir(scratch.work().join("folder.json")).unwrap();
    assert!(told("folder.json").contains("this is a folder"));
    assert!(told("report.json").contains("no-such-folder: there is no such file"));
    assert!(!scratch.work().join("report.json").exists());
}

/// A repository whose rules want `secrets/` encrypted, a version in clear, and its removal.
fn with_a_version_in_clear<'s>(scratch: &'s Scratch, name: &str) -> Repository<'s> {
    let recipient = "age1d8v3r9npq5jhdn306sl66jqrz50lkhdt6ghm2cc2v56hn473h9rskfwjju";
    let mut repo = Repository::new(scratch, name);
    repo.write(".sops.yaml", format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {recipient}\n"))
        .commit("Rules");
    repo.write("secrets/a.yaml", "user: app\npin: 4711\n").commit("In clear");
    std::fs::remove_file(repo.root().join("secrets/a.yaml")).expect("just written");
    repo.write("readme.txt", "hello\n").commit("Gone");
    repo
}

#[test]
fn the_creation_rules_are_asked_about_old_versions_and_pushes() {
    let scratch = Scratch::new("scan-guard-history");
    let repo = with_a_version_in_clear(&scratch, "work");
    let run = |words: &[&str]| scratch.command(PLOMB).args(words).folder(repo.root());
    let done = run(&["scan", "git"]).run();
    let text = done.text();
    assert_eq!((done.code, text.matches("sops-not-encrypted  (").count()), (Some(1), 1), "{text}");
    assert!(text.contains("removed since") && text.contains(": In clear"), "{text}");
    assert!(run(&["scan", "git", "--no-guard"]).run().ok());
    let head = repo.git(&["rev-parse", "HEAD"]).text();
    let head = head.trim();
    let refs = format!("refs/heads/main {head} refs/heads/main {}\n", "0".repeat(40));
    let done = run(&["scan", "pre-push"]).stdin(refs).run();
    assert!(done.code == Some(1) && done.text().contains("sops-not-encrypted"), "{}", done.text());

    let server = scanning_server(&scratch, &repo);
    let refused = push(&repo, &server);
    assert!(
        refused.contains("sops-not-encrypted"),
        "the rules of the pushed commits hold on an empty server: {refused}"
    );
}

/// Tries to push HEAD to `server` and gives what is said.
fn push(repo: &Repository<'_>, server: &std::path::Path) -> String {
    repo.try_git(&["push", server.to_str().expect("a path of ours"), "HEAD:main"]).errors()
}

/// A bare repository that scans what it receives.
fn scanning_server(scratch: &Scratch, repo: &Repository<'_>) -> std::path::PathBuf {
    let server = scratch.work().join("server.git");
    repo.git(&["init", "-q", "--bare", server.to_str().expect("a path of ours")]);
    repo.git(&["-C", server.to_str().expect("a path of ours"), "symbolic-ref", "HEAD", "refs/heads/main"]);
    let hook = server.join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().expect("it is in a folder")).expect("a folder of ours");
    std::fs::write(&hook, format!("#!/bin/sh\nexec {PLOMB} scan pre-receive\n")).expect("a folder of ours");
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a folder of ours");
    server
}

#[test]
fn a_server_knows_the_creation_rules_of_folders() {
    let scratch = Scratch::new("scan-guard-nested");
    let recipient = "age1d8v3r9npq5jhdn306sl66jqrz50lkhdt6ghm2cc2v56hn473h9rskfwjju";
    let rules = format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {recipient}\n");
    let mut repo = Repository::new(&scratch, "work");
    repo.write("apps/shop/.sops.yaml", &rules).write("readme.txt", "hello\n").commit("Rules of one folder");
    let server = scanning_server(&scratch, &repo);
    let pushed = push(&repo, &server);
    assert!(!pushed.contains("sops-"), "{pushed}");
    repo.write("apps/shop/secrets/a.yaml", "user: app\npin: 4711\n").commit("In clear");
    let refused = push(&repo, &server);
    assert!(refused.contains("sops-not-encrypted"), "the rules that the server has: {refused}");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.write("apps/blog/.sops.yaml", &rules).write("apps/blog/secrets/a.yaml", "pin: 4711\n").commit("Both");
    let refused = push(&repo, &server);
    assert!(refused.contains("apps/blog/secrets/a.yaml"), "the rules that are pushed: {refused}");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.write("secrets/a.yaml", "pin: 4711\n").commit("Where no rule wants anything");
    let pushed = push(&repo, &server);
    assert!(!pushed.contains("sops-"), "{pushed}");
    // A bare repository's history is judged by them, too.
    repo.write("apps/shop/secrets/a.yaml", "pin: 4711\n").commit("In clear");
    std::fs::remove_file(server.join("hooks/pre-receive")).unwrap();
    push(&repo, &server);
    let done = scratch.command(PLOMB).args(["scan", "git", "."]).folder(&server).run();
    assert!(done.text().contains("apps/shop/secrets/a.yaml"), "{}{}", done.text(), done.errors());
}

#[test]
fn the_creation_rules_are_asked_about_unstaged_files() {
    let scratch = Scratch::new("scan-guard-unstaged");
    let mut repo = with_a_version_in_clear(&scratch, "work");
    repo.write("secrets/b.yaml", "{}\n").commit("Nothing in it yet");
    repo.write("secrets/b.yaml", "pin: 4711\n");
    std::fs::create_dir_all(repo.root().join("deep")).unwrap();
    let done = scratch.command(PLOMB).args(["scan", "--unstaged"]).folder(repo.root()).run();
    let text = done.text();
    assert!(done.code == Some(1) && text.contains("secrets/b.yaml:1:6  sops-not-encrypted"), "{text}");
}
