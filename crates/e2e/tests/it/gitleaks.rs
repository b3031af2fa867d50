//! The same rules (gitleaks' own), the same repositories: the same fingerprints, by us and by the real gitleaks.

use std::collections::BTreeSet;
use std::path::Path;

use e2e::histories::{self, HISTORIES, History};
use testkit::{Dice, Peer, Repository, Scratch, fixtures, peer, token};

/// A finding that only one of the two has, on purpose. Unused ones fail.
struct Exception {
    history: &'static str,
    mode: &'static str,
    /// Part of the fingerprint.
    part: &'static str,
    reason: &'static str,
}

/// What we find and gitleaks does not.
const OURS: &[Exception] = &[
    Exception {
        history: "merge-resolution",
        mode: "git",
        part: ":a.txt:github-pat:2",
        reason: "gitleaks sees no merge commit: what only the resolution brought is missed (crates/source, merges)",
    },
    Exception {
        history: "stash-and-notes",
        mode: "git",
        part: ":a.txt:slack-bot-token:2",
        reason: "the work tree's half of a stash is a merge commit, too (crates/source, merges)",
    },
    Exception {
        history: "types-and-modes",
        mode: "git",
        part: ":binary.dat:github-pat:2",
        reason: "git shows no lines of a file with a zero byte; gitleaks itself finds it in the work tree (mode dir)",
    },
    Exception {
        history: "across-hunks",
        mode: "git",
        part: ":run.sh:curl-auth-user:2",
        reason: "the call begins on a line that was there before; gitleaks sees the added lines only, and names a later one, \
                 which we name, too (scan::Scanner::excerpt)",
    },
    Exception {
        history: "across-hunks",
        mode: "git",
        part: ":pem.txt:private-key:1",
        reason: "the key is whole only with lines that were there before: gitleaks misses it",
    },
];

/// What gitleaks finds and we do not.
const THEIRS: &[Exception] = &[];

const MODES: [(&str, &[&str]); 4] = [
    ("git", &["git", "."]),
    ("dir", &["dir", "."]),
    (DEEP_GIT, &["git", ".", "--max-archive-depth", "3"]),
    (DEEP_DIR, &["dir", ".", "--max-archive-depth", "3"]),
];
const DEEP_GIT: &str = "git, archives opened";
const DEEP_DIR: &str = "dir, archives opened";

#[test]
fn the_same_rules_find_the_same() {
    let test = "gitleaks-histories";
    let wanted = [Peer::Plomb, Peer::Gitleaks, Peer::GitleaksConfig];
    let Some([plomb, gitleaks, config]) = peer::require(test, wanted) else { return };
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    let mut agreed = 0;
    for history in &HISTORIES {
        let scratch = Scratch::new(&format!("gitleaks-{}", history.name));
        let repo = histories::build(history, &scratch);
        let deep = history.name == histories::ARCHIVES;
        for (mode, words) in MODES.into_iter().filter(|(mode, _)| deep || ![DEEP_GIT, DEEP_DIR].contains(mode)) {
            let ours = fingerprints(&scratch, &repo, &plomb, &[&["gitleaks"], words].concat(), &config);
            let theirs = fingerprints(&scratch, &repo, &gitleaks, words, &config);
            agreed += ours.intersection(&theirs).count();
            compare(history, mode, (&ours, &theirs, OURS, "only we"), &mut used, &mut problems);
            compare(history, mode, (&theirs, &ours, THEIRS, "only gitleaks"), &mut used, &mut problems);
        }
    }
    let listed = OURS.iter().chain(THEIRS);
    let unused = listed.filter(|it| !used.contains(&(it.history, it.mode, it.part))).map(|it| it.part);
    problems.extend(unused.map(|part| format!("an exception that is not needed any more: {part}")));
    assert!(problems.is_empty(), "{agreed} agree\n{}", problems.join("\n"));
    assert!(OURS.len() + THEIRS.len() <= 30 && agreed > 50, "{agreed} agree");
    peer::say(&format!("{test}: {agreed} fingerprints agree"));
    peer::peer_test_ran(test);
}

/// A real history: the one that `PLOMB_REAL_REPOSITORY` names, else this project's own.
#[test]
fn a_real_history_gives_the_same() {
    let test = "gitleaks-real-history";
    let wanted = [Peer::Plomb, Peer::Gitleaks, Peer::GitleaksConfig];
    let Some([plomb, gitleaks, config]) = peer::require(test, wanted) else { return };
    let given = std::env::var_os("PLOMB_REAL_REPOSITORY").map(std::path::PathBuf::from);
    let root = given.unwrap_or_else(fixtures::workspace);
    let scratch = Scratch::new(test);
    let ours = fingerprints_of(&scratch, &root, &plomb, &["gitleaks", "git", "."], &config);
    let theirs = fingerprints_of(&scratch, &root, &gitleaks, &["git", "."], &config);
    let missed: Vec<_> = theirs.difference(&ours).collect();
    // What we find beyond gitleaks in histories (merges, binaries) is told apart by the test above.
    let more = ours.difference(&theirs).count();
    let told = format!("{test}: {} agree, {} only by gitleaks, {more} only by us", ours.len() - more, missed.len());
    assert!(missed.is_empty(), "{told}\n{missed:#?}");
    peer::say(&told);
    peer::peer_test_ran(test);
}

/// What is staged, and what is not yet, stands where gitleaks says: it counts columns from each run of added lines.
#[test]
fn added_lines_have_the_same_columns() {
    let test = "gitleaks-columns";
    let wanted = [Peer::Plomb, Peer::Gitleaks, Peer::GitleaksConfig];
    let Some([plomb, gitleaks, config]) = peer::require(test, wanted) else { return };
    let scratch = Scratch::new(test);
    let mut repo = Repository::new(&scratch, "repo");
    let mut dice = Dice::new(11);
    let mut secret = || token::aws_id(&mut dice);
    repo.write("old", "one\ntwo\nthree\n").commit("one");
    repo.write("old", format!("one\nadded {} x\ntwo\nthree\nx {} y\n  y {} z\n", secret(), secret(), secret()));
    let compare = |root: &Path, words: &[&str], least: usize| {
        let of = |program: &Path, words: &[&str]| {
            let report = report_of(&scratch, root, program, words, &config);
            let parts = report.lines().map(str::trim).filter(|line| {
                ["\"StartLine", "\"EndLine", "\"StartColumn", "\"EndColumn", "\"Fingerprint"]
                    .iter()
                    .any(|it| line.starts_with(it))
            });
            let all: Vec<&str> = parts.collect();
            all.chunks(5).map(<[&str]>::concat).collect::<BTreeSet<String>>()
        };
        let (ours, theirs) = (of(&plomb, &[&["gitleaks"], words].concat()), of(&gitleaks, words));
        assert_eq!(ours, theirs, "{words:?}");
        assert!(ours.len() >= least, "{words:?} {ours:?}");
    };
    compare(repo.root(), &["git", "--pre-commit", "."], 3);
    repo.write("new", format!("a {}\nb {} c\n", secret(), secret())).stage();
    compare(repo.root(), &["git", "--staged", "."], 5);
    repo.commit("two");
    compare(repo.root(), &["git", "."], 5);
    peer::peer_test_ran(test);
}

type Sides<'a> = (&'a BTreeSet<String>, &'a BTreeSet<String>, &'static [Exception], &'static str);

fn compare(
    history: &History,
    mode: &'static str,
    (have, lack, exceptions, who): Sides<'_>,
    used: &mut BTreeSet<(&'static str, &'static str, &'static str)>,
    problems: &mut Vec<String>,
) {
    for extra in have.difference(lack) {
        let fits = |it: &&Exception| it.history == history.name && it.mode == mode && extra.contains(it.part);
        match exceptions.iter().find(fits) {
            Some(it) => {
                assert!(!it.reason.is_empty());
                used.insert((it.history, it.mode, it.part));
            }
            None => problems.push(format!("{}, {mode}: {who}: {extra}", history.name)),
        }
    }
}

fn fingerprints(
    scratch: &Scratch,
    repo: &Repository<'_>,
    program: &Path,
    words: &[&str],
    config: &Path,
) -> BTreeSet<String> {
    fingerprints_of(scratch, repo.root(), program, words, config)
}

fn fingerprints_of(scratch: &Scratch, root: &Path, program: &Path, words: &[&str], config: &Path) -> BTreeSet<String> {
    let text = report_of(scratch, root, program, words, config);
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("\"Fingerprint\": \"")?.strip_suffix('"'));
    lines.map(str::to_owned).collect()
}

/// The report in JSON.
fn report_of(scratch: &Scratch, root: &Path, program: &Path, words: &[&str], config: &Path) -> String {
    let report = scratch.work().join("report.json");
    let _ = std::fs::remove_file(&report);
    let outcome = scratch
        .command(program)
        .args(words)
        .args(["--no-banner", "--exit-code", "0", "-f", "json", "-c"])
        .arg(config)
        .arg("-r")
        .arg(&report)
        .folder(root)
        // gitleaks decodes for a minute on a machine that does other things too.
        .limit(std::time::Duration::from_secs(600))
        .run();
    assert!(outcome.ok(), "{program:?} {words:?}: {}", outcome.errors());
    std::fs::read_to_string(&report).expect("a report was written")
}
