//! Two thousand random YAML documents, and every YAML file of the fixtures, through us and through the real sops.
//! `PLOMB_SEED` and `PLOMB_DOCUMENTS` choose others; `PLOMB_FAILURES` names a folder for the documents that fail.

use e2e::differential::{Bench, Kept, Verdict};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::yaml::{Generator, census};
use testkit::{Peer, fixtures, peer};

const DOCUMENTS: usize = 2000;
const SEED: u64 = 20_261_122;
/// Each feature must have been seen this often.
const EACH: usize = 20;
/// Share of documents that may tell nothing, because sops refuses them or fails on its own file.
const SILENT_PERCENT: usize = 10;
/// One document for each reason why sops may show a comment of our file elsewhere than one of its own, and one for
/// each place in which it may not.
const COMMENTS: [(&str, Option<Kept>); 15] = [
    ("a: {} # why\nb: 1\n", Some(Kept::InEmptyBraces)),
    ("a:\n  b: {}   # why\n  c: 1\n", Some(Kept::InEmptyBraces)),
    ("a: 1\nb:\n  - 1\n  # why\n  -\n", Some(Kept::AroundLastNull)),
    ("a: 1\nb: &x # why\n", Some(Kept::AroundLastNull)),
    ("a: &x\n  # why\n  b: s # behind\n  # foot\nc: *x\nd:\n  <<: *x\n  e: 1\n", None),
    ("a: &x\n  b: 1\nd:\n  <<: *x # alias\n  e: 1\n", Some(Kept::BehindAlias)),
    ("a: &x\n  # only comments are encrypted here\n  b:\nc: *x\n", None),
    ("a: &x # list\n  # why\n  - s # behind\n  # next\n  - # map\n    k: 1\n  # foot\nc: [*x, {d: *x}]\ne: 1\n", None),
    ("a: \r\nb: >\r\n  text  \r\nc: \r\n# why\r\n---\r\n# next\r\nd: 1\r\n", Some(Kept::AroundLastNull)),
    ("a:\n  b: 1\n# The end.", Some(Kept::UnendedComment)),
    ("a: &x\r\n  # why\r\n  b: s\r\nc: *x\r\n", None),
    ("a:\r\n- 1\r\n# The end.\r\n", None),
    ("a:\n- 1\n# The end.\n", None),
    ("a:\n- 1\n# The\n# end.", None),
    ("a:\n- b: 1\n  # The end.\n", None),
];

/// Refused by us on purpose: an integer beyond 64 bits that stays in clear, whose digits sops changes.
const REFUSED: &str = "x03-unencrypted-floats.plain.yaml";

#[test]
fn random_documents_agree_with_sops() {
    let test = "differential-random";
    let Some([plomb, sops]) = peer::require(test, [Peer::Plomb, Peer::Sops]) else { return };
    let (seed, count) = (number("PLOMB_SEED").unwrap_or(SEED), number("PLOMB_DOCUMENTS"));
    let count = count.map_or(DOCUMENTS, |count| usize::try_from(count).unwrap());
    let mut generator = Generator::new(seed);
    let samples: Vec<_> = (0..count).map(|_| generator.sample()).collect();
    let rare: Vec<_> = census(&samples).into_iter().filter(|(_, seen)| *seen < EACH).collect();
    assert!(rare.is_empty() || count < DOCUMENTS, "seed {seed}: too rare {rare:?}");
    let texts: Vec<_> = samples.into_iter().map(|sample| sample.text).collect();
    let verdicts = judge_all(&plomb, &sops, &texts);
    let silent = verdicts.iter().filter(|verdict| verdict.refused || verdict.sops_fails_itself).count();
    let kept = verdicts.iter().filter(|verdict| verdict.comments.is_some()).count();
    let told = format!(
        "{test}: seed {seed}, {count} documents, {silent} refused or broken by sops, {kept} with comments that sops loses"
    );
    let names: Vec<_> = (0..count).map(|number| format!("document {number} of seed {seed}")).collect();
    keep_failures(&texts, &verdicts);
    nothing_broken(&told, &names, &verdicts);
    assert!(silent * 100 <= count * SILENT_PERCENT, "{told}");
    peer::say(&told);
    peer::peer_test_ran(test);
}

#[test]
fn comments_stand_where_sops_puts_them() {
    let test = "differential-comments";
    let Some([plomb, sops]) = peer::require(test, [Peer::Plomb, Peer::Sops]) else { return };
    let texts: Vec<_> = COMMENTS.iter().map(|(text, _)| text.as_bytes().to_vec()).collect();
    let verdicts = judge_all(&plomb, &sops, &texts);
    let names: Vec<_> = COMMENTS.iter().map(|(text, _)| format!("{text:?}")).collect();
    nothing_broken(test, &names, &verdicts);
    for ((text, expected), verdict) in COMMENTS.iter().zip(&verdicts) {
        assert_eq!(verdict.comments, *expected, "{text:?}");
    }
    peer::peer_test_ran(test);
}

#[test]
fn the_fixtures_agree_with_sops() {
    let test = "differential-fixtures";
    let Some([plomb, sops]) = peer::require(test, [Peer::Plomb, Peer::Sops]) else { return };
    let mut files = fixtures::files_below(&fixtures::folder("homelab"));
    files.extend(fixtures::files_below(&fixtures::folder("sops")));
    files.retain(|path| is_plain_yaml(path) && !path.ends_with(REFUSED));
    assert!(files.len() > 100, "only {} files", files.len());
    let texts: Vec<_> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let verdicts = judge_all(&plomb, &sops, &texts);
    let root = fixtures::workspace();
    let names: Vec<_> = files.iter().map(|path| path.strip_prefix(&root).unwrap().display().to_string()).collect();
    nothing_broken(&format!("{test}: {} files", files.len()), &names, &verdicts);
    peer::peer_test_ran(test);
}

fn is_plain_yaml(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".yaml")
        && !name.ends_with(".enc.yaml")
        && !name.ends_with(".dec.yaml")
        && !name.ends_with(".sops.yaml")
}

fn judge_all(plomb: &Path, sops: &Path, texts: &[Vec<u8>]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let work = || {
        let bench = Bench::new(plomb, sops);
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(text) = texts.get(number) else { return done };
            done.push((number, bench.judge(&format!("d{number}.yaml"), text)));
        }
    };
    let mut verdicts: Vec<_> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    verdicts.sort_by_key(|(number, _)| *number);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

fn keep_failures(texts: &[Vec<u8>], verdicts: &[Verdict]) {
    let Some(folder) = std::env::var_os("PLOMB_FAILURES").map(PathBuf::from) else { return };
    for (number, (text, verdict)) in texts.iter().zip(verdicts).enumerate() {
        if !verdict.problems.is_empty() {
            std::fs::write(folder.join(format!("d{number}.yaml")), text).expect("PLOMB_FAILURES is a writable folder");
        }
    }
}

fn nothing_broken(told: &str, names: &[String], verdicts: &[Verdict]) {
    let broken: Vec<_> = names.iter().zip(verdicts).filter(|(_, verdict)| !verdict.problems.is_empty()).collect();
    let lines: Vec<_> =
        broken.iter().map(|(name, verdict)| format!("{name}: {}", verdict.problems.join("; "))).collect();
    assert!(broken.is_empty(), "{told}: {} broken\n{}", broken.len(), lines.join("\n"));
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
