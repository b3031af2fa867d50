//! Scans: us beside the real gitleaks, with gitleaks' own rules on both sides, so that the same must be found; and
//! beside the scanners that `PLOMB_BETTERLEAKS` and `PLOMB_KINGFISHER` name, each with its own rules.

mod commit;
mod stream;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use testkit::fixtures;

use super::launcher::{Figures, measure};
use super::{Field, others};
use crate::shell::{Result, say};

/// Prints the table. Histories come from `PLOMB_BENCH_HISTORIES` (a list of repositories like PATH; this project's own
/// if it is not set), the tree is the registry's source folder of cargo, the stream is what lies in it, joined.
pub(super) fn table(field: &Field, gitleaks: &Path, config: &Path) -> Result {
    let watch = others::Watch::begin();
    say("| case | scanner | CPU ms | ratio to us | wall ms | peak MB | findings |\n|---|---|---|---|---|---|---|");
    for repository in histories() {
        let name = name_of(&repository);
        let target = repository.display().to_string();
        same_rules(field, &format!("history of {name}"), &["git".to_owned(), target.clone()], (gitleaks, config))?;
        own_rules(field, &format!("history of {name}"), &target, true)?;
    }
    commit::rows(field, gitleaks, config)?;
    let Some(tree) = registry() else {
        say("no folder of crate sources: the tree is not measured");
        return Ok(());
    };
    let target = tree.display().to_string();
    own_rules(field, "crate sources", &target, false)?;
    stream::rows(field, &tree)?;
    if !field.quick {
        same_rules(field, "crate sources", &["dir".to_owned(), target], (gitleaks, config))?;
    }
    say(&format!("cores that others used meanwhile: {}", others::told(watch.others())));
    Ok(())
}

fn histories() -> Vec<PathBuf> {
    match std::env::var_os("PLOMB_BENCH_HISTORIES") {
        Some(list) => std::env::split_paths(&list).collect(),
        None => vec![fixtures::workspace()],
    }
}

/// The last part of a repository's path that is its name: `tool` of `tool`, `tool.git` and `tool/.git`.
fn name_of(repository: &Path) -> String {
    let is_name = |part: &&std::ffi::OsStr| !matches!(part.to_str(), Some("repo" | ".git"));
    let name = repository.iter().rev().find(is_name).unwrap_or_default().to_string_lossy();
    name.trim_end_matches(".git").to_owned()
}

fn registry() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let folders = std::fs::read_dir(home.join("registry/src")).ok()?;
    folders.flatten().map(|entry| entry.path()).find(|path| path.is_dir())
}

/// gitleaks' rules on both sides: the findings must be the same, or ours more.
fn same_rules(field: &Field, case: &str, words: &[String], (gitleaks, config): (&Path, &Path)) -> Result {
    let flags = |report: &Path| {
        let text = |path: &Path| path.display().to_string();
        let mut flags = words.to_vec();
        flags.extend(["--exit-code", "0", "--no-banner", "-f", "json", "-c"].map(str::to_owned));
        flags.extend([text(config), "-r".to_owned(), text(report)]);
        flags
    };
    let (ours, theirs) = (field.scratch.work().join("ours.json"), field.scratch.work().join("theirs.json"));
    let us = best(field, Path::new("sh"), &tolerant(field, &[vec!["gitleaks".to_owned()], flags(&ours)].concat()))?;
    let them = best(field, gitleaks, &flags(&theirs))?;
    let (ours, theirs) = (fingerprints(&ours), fingerprints(&theirs));
    let missed = theirs.difference(&ours).count();
    row(case, "us, gitleaks' rules", &us, &us, Some(ours.len()));
    row(case, "gitleaks", &them, &us, Some(theirs.len()));
    if missed > 0 {
        say(&format!("NOT EQUAL: {missed} findings of gitleaks are not among ours"));
    }
    Ok(())
}

/// Each with its own rules: only the time is compared.
fn own_rules(field: &Field, case: &str, target: &str, history: bool) -> Result {
    let report = field.scratch.work().join("own.json").display().to_string();
    let verb = if history { "git" } else { "dir" };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let ours = words(&["scan", verb, target, "--no-guard", "--exit-code", "0", "-f", "json", "-r", &report]);
    let us = best(field, Path::new("sh"), &tolerant(field, &ours))?;
    row(case, "us, own rules", &us, &us, Some(fingerprints(Path::new(&report)).len()));
    let verb = if history { "git" } else { "fs" };
    let betterleaks = [verb, target, "--confidence", "medium", "--exit-code", "0", "--no-banner", "-o", &report];
    let kingfisher = ["scan", "-n", "--no-update-check", target, "--format", "json", "-o", &report];
    for (name, variable, flags) in [
        ("betterleaks", "PLOMB_BETTERLEAKS", words(&betterleaks)),
        ("kingfisher", "PLOMB_KINGFISHER", words(&kingfisher)),
    ] {
        peer(field, case, (name, variable), &quoted(&flags), &us)?;
    }
    Ok(())
}

/// One peer's row, if the variable names it. What it is told is a line of shell.
fn peer(field: &Field, case: &str, (name, variable): (&str, &str), flags: &str, us: &Figures) -> Result {
    let Some(program) = std::env::var_os(variable).map(PathBuf::from) else { return Ok(()) };
    // kingfisher's exit code tells what it found (200 and above), and its first run fills a cache of compiled rules.
    let line = format!("'{}' {flags}; code=$?; test $code -eq 0 -o $code -ge 200", program.display());
    let words = ["-c".to_owned(), line];
    if name == "kingfisher" {
        let _ = measure(field, Path::new("/dev/null"), Path::new("sh"), &words);
    }
    match best(field, Path::new("sh"), &words) {
        Ok(them) => row(case, name, &them, us, None),
        Err(why) => say(&format!("{name} failed: {why}")),
    }
    Ok(())
}

/// A shell's line that is content with a scan which could not read everything: real repositories lack objects, and real
/// trees hold archives that are damaged on purpose. The peers pass over them.
fn tolerant(field: &Field, words: &[String]) -> [String; 2] {
    let line = format!("'{}' {}; code=$?; test $code -eq 0 -o $code -eq 2", field.plomb.display(), quoted(words));
    ["-c".to_owned(), line]
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
}

/// The run with the least CPU of three.
fn best(field: &Field, program: &Path, words: &[String]) -> Result<Figures> {
    let runs = if field.quick { 1 } else { 3 };
    let mut all = Vec::new();
    for _ in 0..runs {
        all.push(measure(field, Path::new("/dev/null"), program, words)?);
    }
    let least = all.into_iter().min_by(|one, other| one.cpu_ms.total_cmp(&other.cpu_ms));
    least.ok_or_else(|| "nothing was run".to_owned())
}

fn row(case: &str, name: &str, figures: &Figures, us: &Figures, findings: Option<usize>) {
    let ratio = figures.cpu_ms / us.cpu_ms;
    let Figures { cpu_ms, wall_ms, peak_mb } = figures;
    let found = findings.map_or("–".to_owned(), |count| count.to_string());
    say(&format!("| {case} | {name} | {cpu_ms:.0} | {ratio:.1} | {wall_ms:.0} | {peak_mb:.0} | {found} |"));
}

fn fingerprints(report: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(report).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| line.trim().trim_end_matches(',').strip_prefix("\"Fingerprint\": \"")?.strip_suffix('"'));
    lines.map(str::to_owned).collect()
}
