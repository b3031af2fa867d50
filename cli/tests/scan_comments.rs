//! Comments that allow a line: they count where their author scans, and not where a change is judged.

use testkit::{Dice, Repository, Scratch, token};

const PLOMB: &str = env!("CARGO_BIN_EXE_plomb");

/// Comments of ours and of other tools.
const COMMENTS: [&str; 4] = ["plomb:allow", "gitleaks:allow", "#nosec", "pragma: allowlist secret"];

/// A line with a token, and a comment behind it.
fn line(seed: u64, comment: &str) -> String {
    format!("key_{seed} = '{}' # {comment}\n", token::github(&mut Dice::new(seed)))
}

/// Exit code of a scan in a repository.
fn scan(scratch: &Scratch, repo: &Repository<'_>, words: &[&str]) -> Option<i32> {
    scratch.command(PLOMB).arg("scan").args(words).folder(repo.root()).run().code
}

#[test]
fn a_change_cannot_allow_itself_by_comments() {
    let scratch = Scratch::new("scan-comments-change");
    let mut repo = Repository::new(&scratch, "work");
    repo.write("readme.txt", "hello\n").commit("Begin");
    for (seed, comment) in (1..).zip(COMMENTS) {
        repo.write(&format!("a{seed}.py"), line(seed, comment)).commit("Nothing to see here");
        let range = |more: &[&str]| scan(&scratch, &repo, &[&["git", "--range", "HEAD~1..HEAD"], more].concat());
        assert_eq!(range(&[]), Some(0), "{comment}");
        assert_eq!(range(&["--config-from", "HEAD~1"]), Some(1), "{comment}");
        assert_eq!(range(&["--config-from", "HEAD"]), Some(0), "{comment}");
    }
    assert_eq!(scan(&scratch, &repo, &["git"]), Some(0));
    assert_eq!(scan(&scratch, &repo, &["git", "--ignore-gitleaks-allow", "--config-from", "HEAD"]), Some(1));
}

#[test]
fn what_the_base_allows_by_comments_stays_allowed() {
    let scratch = Scratch::new("scan-comments-base");
    let mut repo = Repository::new(&scratch, "work");
    repo.write("a.py", line(1, "plomb:allow")).commit("A sample");
    repo.write("gone.py", line(2, "plomb:allow")).commit("Another");
    repo.git(&["rm", "-q", "gone.py"]);
    repo.commit("Out again");
    repo.write("a.py", format!("# moved down\n{}", line(1, "plomb:allow"))).write("b.txt", "hello\n").commit("Work");
    for words in [
        &["git", "--config-from", "HEAD~1"][..],
        &["git", "--config-from", "HEAD~1", "--range", "HEAD~1..HEAD"],
        &[".", "--config-from", "HEAD~1"],
        &["a.py", "--config-from", "HEAD~1"],
    ] {
        assert_eq!(scan(&scratch, &repo, words), Some(0), "{words:?}");
    }
    repo.write("c.py", line(1, "plomb:allow"));
    repo.git(&["add", "."]);
    assert_eq!(scan(&scratch, &repo, &["--staged", "--config-from", "HEAD"]), Some(1), "another file");
    assert_eq!(scan(&scratch, &repo, &[".", "--config-from", "HEAD"]), Some(1));
    assert_eq!(scan(&scratch, &repo, &["--staged"]), Some(0));
}

#[test]
fn a_pushed_commit_cannot_allow_itself_by_comments() {
    let scratch = Scratch::new("scan-comments-push");
    let mut repo = Repository::new(&scratch, "work");
    repo.write("a.py", line(1, "plomb:allow")).commit("Nothing to see here");
    let head = repo.git(&["rev-parse", "HEAD"]).text().trim().to_owned();
    let server = scratch.work().join("server.git");
    repo.git(&["init", "-q", "--bare", server.to_str().expect("a path of ours")]);
    repo.git(&["push", "-q", server.to_str().expect("a path of ours"), "HEAD:refs/heads/other"]);
    repo.git(&["-C", server.to_str().expect("a path of ours"), "update-ref", "-d", "refs/heads/other"]);
    let refs = format!("{} {head} refs/heads/main\n", "0".repeat(40));
    let receive = || scratch.command(PLOMB).args(["scan", "pre-receive"]).folder(&server).stdin(refs.clone()).run();
    let refused = receive();
    assert!(refused.code == Some(1) && refused.text().contains("github"), "{}{}", refused.text(), refused.errors());
    let print = refused.text().split_whitespace().find(|word| word.starts_with("plomb:v1:")).map(str::to_owned);
    let allow = scratch.command(PLOMB).args(["scan", "pre-receive", "-f", "json", "-r", "-"]).folder(&server);
    let report = allow.stdin(refs.clone()).run().text();
    let print = print.or_else(|| report.split('"').find(|word| word.starts_with("plomb:v1:")).map(str::to_owned));
    let print = print.expect("a finding has a fingerprint");
    std::fs::write(server.join(".plomb-allow"), format!("{print}  a sample, says the server\n")).expect("ours");
    assert!(receive().ok(), "what the server itself allows");
}
