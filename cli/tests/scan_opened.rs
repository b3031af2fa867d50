//! The guard where what was encrypted turns up in clear under another name.

use testkit::{Repository, Scratch};

const PLOMB: &str = env!("CARGO_BIN_EXE_plomb");
const VALUES: &str = "user: shop\nnote: someRandom18Letters\nport: 5432\n";

/// A repository with a rule for `*.enc.yaml` and one encrypted file, `db.enc.yaml`.
fn repository<'s>(scratch: &'s Scratch) -> Repository<'s> {
    let mut repo = Repository::new(scratch, "work");
    plomb(scratch, &repo, &["init"]);
    repo.write("db.enc.yaml", VALUES);
    plomb(scratch, &repo, &["encrypt", "-i", "db.enc.yaml"]);
    repo.commit("Encrypted");
    repo
}

/// Runs a command that must succeed.
fn plomb(scratch: &Scratch, repo: &Repository<'_>, words: &[&str]) {
    let done = scratch.command(PLOMB).args(words).folder(repo.root()).run();
    assert!(done.ok(), "{words:?}: {}", done.errors());
}

/// Exit code and text of a scan.
fn scan(scratch: &Scratch, repo: &Repository<'_>, words: &[&str]) -> (Option<i32>, String) {
    let done = scratch.command(PLOMB).arg("scan").args(words).folder(repo.root()).run();
    (done.code, done.text())
}

#[test]
fn a_file_that_is_renamed_and_decrypted_at_once_is_seen() {
    let scratch = Scratch::new("scan-opened-renamed");
    let mut repo = repository(&scratch);
    repo.git(&["rm", "-q", "--cached", "db.enc.yaml"]);
    std::fs::rename(repo.root().join("db.enc.yaml"), repo.root().join("db.yaml")).expect("a file of ours");
    plomb(&scratch, &repo, &["decrypt", "-i", "db.yaml"]);
    repo.write("other.yaml", "user: shop2\nnote: none\nhost: 1\n");
    repo.git(&["add", "-A"]);
    let (code, text) = scan(&scratch, &repo, &["--staged"]);
    assert!(code == Some(1) && text.contains("db.yaml:1:7  sops-metadata-stripped"), "{text}");
    assert!(!text.contains("other.yaml"), "{text}");
    repo.commit("Out of sops");
    let (code, text) = scan(&scratch, &repo, &["git", "--range", "HEAD~1..HEAD"]);
    assert!(code == Some(1) && text.contains("sops-metadata-stripped"), "{text}");
}

#[test]
fn a_decrypted_copy_is_known_by_its_values() {
    let scratch = Scratch::new("scan-opened-twin");
    let mut repo = repository(&scratch);
    repo.write("db.yaml", VALUES);
    repo.git(&["add", "-A"]);
    for words in [&["--staged"][..], &["."], &["git"]] {
        let (code, text) = scan(&scratch, &repo, words);
        assert!(code == Some(1) && text.contains("sops-decrypted-twin  (high, high"), "{words:?}: {text}");
    }
    // Defaults for the same keys are no copy.
    repo.write("db.yaml", "user: app\nnote: none\nport: 80\n");
    repo.git(&["add", "-A"]);
    assert_eq!(scan(&scratch, &repo, &["--staged"]).0, Some(0));
    repo.write("db.dec.yaml", "other: key\n");
    repo.git(&["add", "-A"]);
    let (code, text) = scan(&scratch, &repo, &["--staged"]);
    assert!(code == Some(1) && text.contains("db.dec.yaml"), "a name that says so is enough: {text}");
}

#[test]
fn what_was_encrypted_and_could_not_be_staged_is_told() {
    let scratch = Scratch::new("scan-opened-lock");
    let mut repo = repository(&scratch);
    repo.write("g.enc.yaml", "a: hello\n");
    repo.git(&["add", "-A"]);
    repo.write(".git/index.lock", "");
    let done = scratch.command(PLOMB).args(["scan", "--staged", "--fix"]).folder(repo.root()).run();
    assert_eq!(done.code, Some(2));
    assert!(done.errors().contains("stage it: git add -- g.enc.yaml"), "{}", done.errors());
}

#[test]
fn an_exception_for_a_file_in_clear_holds_for_the_values_that_were_seen() {
    let scratch = Scratch::new("scan-opened-allowed");
    let mut repo = repository(&scratch);
    repo.write("z.enc.yaml", "a: hello\n");
    repo.git(&["add", "-A"]);
    let report = scan(&scratch, &repo, &["--staged", "-f", "json", "-r", "-"]).1;
    let print = report.split('"').find(|word| word.starts_with("plomb:v1:sops-not-encrypted:")).expect("one is found");
    plomb(&scratch, &repo, &["allow", print, "--reason", "made for a test"]);
    assert_eq!(scan(&scratch, &repo, &["--staged"]).0, Some(0));
    repo.write("z.enc.yaml", "# further down\n\na: hello\n");
    repo.git(&["add", "-A"]);
    assert_eq!(scan(&scratch, &repo, &["--staged"]).0, Some(0));
    for text in ["a: another\n", "a: hello\nb: more\n", "b: hello\n"] {
        repo.write("z.enc.yaml", text);
        repo.git(&["add", "-A"]);
        assert_eq!(scan(&scratch, &repo, &["--staged"]).0, Some(1), "{text}");
    }
}
