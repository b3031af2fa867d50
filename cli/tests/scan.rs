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
    let done = plomb(&scratch, &["scan", "./message", "-c", "rules.toml"]);
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
fn whoever_adds_a_reader_is_told_and_whoever_reviews_it_has_a_finding() {
    let scratch = Scratch::new("scan-guard-reader");
    let one = "age1d8v3r9npq5jhdn306sl66jqrz50lkhdt6ghm2cc2v56hn473h9rskfwjju";
    let (_, two) = keys::generate_x25519(&mut secret::OsRandom::new());
    let rules = |readers: &str| format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {readers}\n");
    let mut repo = Repository::new(&scratch, "work");
    repo.write(".sops.yaml", rules(one)).commit("Rules");
    repo.write(".sops.yaml", rules(&format!("{one},{two}")));
    repo.git(&["add", "."]);
    let scan = |args: &[&str]| scratch.command(PLOMB).arg("scan").args(args).folder(repo.root()).run();
    for args in [&["--staged"][..], &["."]] {
        let done = scan(args);
        assert_eq!(done.code, Some(0), "{args:?}: {}", done.text());
        assert!(done.errors().contains("note: .sops.yaml:2: the change lets age1"), "{args:?}: {}", done.errors());
    }
    let reviewed = scan(&["--staged", "--config-from", "HEAD"]);
    assert!(reviewed.code == Some(1) && reviewed.text().contains("sops-rule-recipient-added"), "{}", reviewed.text());
    repo.commit("A reader more");
    let scan = |args: &[&str]| scratch.command(PLOMB).arg("scan").args(args).folder(repo.root()).run();
    let reviewed = scan(&["git", "--range", "HEAD~1..HEAD"]);
    assert!(reviewed.code == Some(1) && reviewed.text().contains("sops-rule-recipient-added"), "{}", reviewed.text());
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

/// A repository with our hooks in it.
fn hooked<'s>(scratch: &'s Scratch) -> Repository<'s> {
    let repo = Repository::new(scratch, "work");
    let done = scratch.command(PLOMB).args(["hook", "install"]).folder(repo.root()).run();
    assert!(done.ok(), "{}", done.errors());
    repo
}

#[test]
fn what_git_keeps_of_a_message_is_scanned() {
    let scratch = Scratch::new("scan-message");
    let mut repo = hooked(&scratch);
    let secret = token::github(&mut Dice::new(8));
    let commit = |repo: &Repository<'_>, words: &[&str]| {
        let words = [&["commit", "-q", "--allow-empty"], words].concat();
        repo.try_git(&words)
    };
    let scissors = "# ------------------------ >8 ------------------------";
    let comment = format!("#12 use {secret}");
    for words in [vec!["-m", comment.as_str()], vec!["-m", "x", "-m", scissors, "-m", secret.as_str()]] {
        let done = commit(&repo, &words);
        assert!(!done.ok() && done.errors().contains("github-pat"), "{}", done.errors());
    }
    // The change that `git commit -v` shows takes the secret out: it is no part of the message.
    repo.write("a.txt", format!("token = {secret}\n"));
    repo.git(&["add", "a.txt"]);
    repo.git(&["commit", "-q", "--no-verify", "-m", "In"]);
    repo.write("a.txt", "token = none\n");
    repo.git(&["add", "a.txt"]);
    let editor = "sh -c 'printf \"Out\\n\" | cat - \"$0\" > \"$0.new\" && mv \"$0.new\" \"$0\"'";
    let done = repo.try_git(&["-c", &format!("core.editor={editor}"), "commit", "-q", "-v"]);
    assert!(done.ok(), "{}", done.errors());
    assert_eq!(repo.git(&["log", "-1", "--format=%B"]).text().trim(), "Out");
}

#[test]
fn a_finding_that_is_allowed_can_be_committed() {
    let scratch = Scratch::new("scan-allow-commit");
    let mut repo = hooked(&scratch);
    for seed in 0..12 {
        let name = format!("conf/a{seed}.yaml");
        repo.write(&name, format!("password: {}\n", token::github(&mut Dice::new(seed)).replace("ghp_", "Aq7")));
        let here = |words: &[&str]| scratch.command(PLOMB).args(words).folder(repo.root()).run();
        let found = here(&["scan", &name, "-f", "json", "-r", "-"]).text();
        let print = found.split('"').find(|word| word.starts_with("plomb:v1:")).expect("one is found").to_owned();
        assert!(here(&["allow", &print, "--reason", "made for a test"]).ok());
    }
    repo.git(&["add", "-A"]);
    let done = repo.try_git(&["commit", "-q", "-m", "Allowed"]);
    assert!(done.ok(), "{}", done.errors());
}

#[test]
fn a_hook_that_git_did_not_run_is_woken() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("scan-hook-mode");
    let mut repo = Repository::new(&scratch, "work");
    let hook = repo.root().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().expect("it is in a folder")).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho mine >&2\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o644)).unwrap();
    let install = || scratch.command(PLOMB).args(["hook", "install", "pre-commit"]).folder(repo.root()).run().text();
    let said = install();
    assert!(said.contains("calls plomb now, and is executable: Git did not run it before"), "{said}");
    assert_eq!(std::fs::metadata(&hook).unwrap().permissions().mode() & 0o777, 0o755);
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(install().contains("calls plomb already, and is executable"));
    assert_eq!(std::fs::metadata(&hook).unwrap().permissions().mode() & 0o777, 0o750);
    assert!(install().ends_with("calls plomb already\n"));
    repo.write("a.txt", format!("token = {}\n", token::github(&mut Dice::new(9))));
    repo.git(&["add", "a.txt"]);
    assert!(!repo.try_git(&["commit", "-q", "-m", "x"]).ok());
}

#[test]
fn hooks_that_another_tool_will_write_are_left_to_it() {
    let scratch = Scratch::new("scan-hook-tools");
    let mut repo = Repository::new(&scratch, "work");
    let hook = |words: &[&str], repo: &Repository<'_>| {
        scratch.command(PLOMB).arg("hook").args(words).folder(repo.root()).run()
    };
    for (file, tool) in [("lefthook.yml", "lefthook"), (".pre-commit-config.yaml", "pre-commit")] {
        repo.write(file, "{}\n");
        let done = hook(&["install"], &repo);
        assert_eq!(done.code, Some(1), "{file}: {}", done.text());
        assert!(done.errors().contains(&format!("{file}: {tool} is configured here")), "{}", done.errors());
        assert!(done.errors().contains("plomb scan --staged"), "{}", done.errors());
        assert!(!repo.root().join(".git/hooks/pre-commit").exists(), "{file}");
        std::fs::remove_file(repo.root().join(file)).expect("a file of ours");
    }
    // A hook that is there already is Git's own.
    assert!(hook(&["install"], &repo).ok());
    repo.write("lefthook.yml", "{}\n");
    assert!(hook(&["install"], &repo).ok());
    repo.git(&["config", "core.hooksPath", "/dev/null"]);
    let done = hook(&["install"], &repo);
    assert!(done.code == Some(1) && done.errors().contains("switched off by core.hooksPath"), "{}", done.errors());
}

#[test]
fn the_configuration_that_is_named_judges() {
    let scratch = Scratch::new("scan-config");
    let recipient = "age1d8v3r9npq5jhdn306sl66jqrz50lkhdt6ghm2cc2v56hn473h9rskfwjju";
    let rules = |pattern: &str| format!("creation_rules:\n  - path_regex: {pattern}\n    age: {recipient}\n");
    for in_git in [true, false] {
        let mut repo = Repository::new(&scratch, if in_git { "one" } else { "two" });
        repo.write(".sops.yaml", rules("^other/")).write("ci/rules.yaml", rules("^secrets/|/z\\.enc\\.yaml$"));
        repo.write("z.enc.yaml", "pin: 4711\n").write("ci/secrets/a.yaml", "pin: 4711\n");
        repo.write("other/a.yaml", "pin: 4711\n");
        if !in_git {
            std::fs::remove_dir_all(repo.root().join(".git")).unwrap();
        }
        let here = |words: &[&str]| scratch.command(PLOMB).args(words).folder(repo.root()).run();
        assert!(here(&["scan", "."]).text().contains("other/a.yaml"));
        let done = here(&["scan", ".", "--config", "ci/rules.yaml"]);
        let text = done.text();
        assert_eq!(done.code, Some(1), "{text}");
        assert!(text.contains("z.enc.yaml:1:6") && text.contains("ci/secrets/a.yaml:1:6"), "{text}");
        assert!(text.contains("ci/rules.yaml:2") && !text.contains("other/a.yaml"), "{text}");
        for wrong in ["nowhere.yaml", "z.enc.yaml"] {
            let done = here(&["scan", ".", "--config", wrong]);
            assert!(done.code == Some(2) && done.errors().contains(wrong), "{}", done.errors());
        }
        let fixed = here(&["scan", ".", "--config", "ci/rules.yaml", "--fix"]);
        assert!(fixed.ok() && fixed.errors().contains("encrypted z.enc.yaml"), "{}", fixed.errors());
        let text = std::fs::read_to_string(repo.root().join("z.enc.yaml")).unwrap();
        assert!(text.contains("ENC["), "{text}");
    }
}

#[test]
fn only_a_whole_scan_names_exceptions_without_use() {
    let scratch = Scratch::new("scan-unused");
    let mut repo = Repository::new(&scratch, "work");
    repo.write("a/x.txt", format!("token = {}\n", token::github(&mut Dice::new(21)))).write("b/y.txt", "y\n");
    repo.commit("One");
    let commit = repo.git(&["rev-parse", "HEAD"]).text().trim().to_owned();
    repo.write("a/x.txt", "x\n").commit("Out");
    repo.write(".gitleaksignore", format!("{commit}:a/x.txt:github-pat:1\n"));
    repo.write(".plomb-allow", "plomb:v1:github-pat:a/x.txt:00000000\n");
    let notes = |folder: &str, words: &[&str]| {
        let done = scratch.command(PLOMB).args(words).folder(repo.root().join(folder)).run();
        let text = done.text() + &done.errors();
        (text.contains("accepts nothing any more"), text.contains("ignores nothing any more"))
    };
    for (folder, words) in [
        ("", &["scan", "b"][..]),
        ("b", &["scan", "."]),
        ("", &["scan", ".", "--confidence", "high"]),
        ("", &["scan", ".", "--no-guard"]),
        ("", &["scan", "git", "--range", "HEAD~1..HEAD"]),
    ] {
        assert_eq!(notes(folder, words), (false, false), "{words:?}");
    }
    assert_eq!(notes("", &["scan", "."]), (true, false), "an entry of a commit is about history");
    assert_eq!(notes("", &["scan", "git"]), (true, false), "that entry is used");
}

#[test]
fn documents_that_show_an_encrypted_file_are_none() {
    let scratch = Scratch::new("scan-prose");
    let mut repo = Repository::new(&scratch, "work");
    let recipient = "age1d8v3r9npq5jhdn306sl66jqrz50lkhdt6ghm2cc2v56hn473h9rskfwjju";
    repo.write(".sops.yaml", format!("creation_rules:\n  - path_regex: ^secrets/\n    age: {recipient}\n"));
    let shown =
        "pin: ENC[AES256_GCM,data:QQ==,iv:QQ==,tag:QQ==,type:int]\nsops:\n    lastmodified: \"2026-01-01T00:00:00Z\"\n";
    repo.write("guide.md", format!("# Guide\n\n```yaml\n{shown}```\n")).write("deep/.sops.yaml", "creation_rules: 1\n");
    repo.write("deep/a/x.txt", "x\n").write("flat/x.txt", "x\n").stage();
    let scan = |words: &[&str]| scratch.command(PLOMB).args(words).folder(repo.root()).run();
    assert!(scan(&["scan", "guide.md"]).ok(), "{}", scan(&["scan", "guide.md"]).text());
    // Rules are reported where they govern what is scanned, or lie in it.
    assert!(scan(&["scan", "flat"]).ok(), "{}", scan(&["scan", "flat"]).text());
    for place in [".", "deep", "deep/a", "deep/a/x.txt"] {
        assert!(scan(&["scan", place]).text().contains("deep/.sops.yaml"), "{place}");
    }
}

#[test]
fn what_keeps_a_scan_from_an_answer_has_one_exit_code() {
    let scratch = Scratch::new("scan-exit");
    scratch.write("a.txt", "x\n");
    let _socket = std::os::unix::net::UnixListener::bind(scratch.work().join("s")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", scratch.work().join("zero")).unwrap();
    for words in [
        &["scan", "a.txt", "-b", "none.json"][..],
        &["scan", "a.txt", "-c", "none.toml"],
        &["scan", "a.txt", "--report-template", "none.tmpl", "-r", "-"],
        &["scan", "message", "none"],
        &["scan", "zero"],
        &["scan", "/dev/zero", "--max-target-megabytes", "1"],
        &["scan", "s"],
    ] {
        let done = plomb(&scratch, words);
        assert_eq!(done.code, Some(2), "{words:?}: {}", done.errors());
    }
    assert!(plomb(&scratch, &["scan", "/dev/null"]).ok());
    let missing = scratch.command(PLOMB).args(["scan", "a.txt"]).env("GITLEAKS_CONFIG", "none.toml").run();
    assert_eq!(missing.code, Some(2));
    let mut repo = Repository::new(&scratch, "work");
    repo.write("a", "x\n").commit("One");
    for range in ["", "..", "...", "^HEAD", "HEAD^{tree}", "HEAD:a", "HEAD^{tree}..HEAD^{tree}", "none"] {
        let done = scratch.command(PLOMB).args(["scan", "git", "--range", range]).folder(repo.root()).run();
        assert_eq!(done.code, Some(2), "{range}: {}", done.errors());
    }
    for range in ["HEAD", "..HEAD", "HEAD^!", "HEAD...HEAD"] {
        let done = scratch.command(PLOMB).args(["scan", "git", "--range", range]).folder(repo.root()).run();
        assert_eq!(done.code, Some(0), "{range}: {}", done.errors());
    }
    for hook in ["pre-push", "pre-receive"] {
        let done = scratch.command(PLOMB).args(["scan", hook]).folder(repo.root()).stdin("garbage\n").run();
        assert_eq!(done.code, Some(2), "{}", done.errors());
        assert!(done.errors().contains(&format!("line 1: this is not what Git tells the hook {hook}")));
    }
}
