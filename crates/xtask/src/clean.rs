//! The clean-code line: the sources of every crate in `Cargo.lock` hold no secret but keys that tests need. Each of those
//! was looked at, and stands with what it is in `docs/clean-code.md`; this compares the page with a scan.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::{Peer, fixtures};

use crate::shell::{self, Result, command, none_of, output, say};
use crate::suite;

/// What stands in the place of a reason nobody has written yet.
const UNREVIEWED: &str = "**not reviewed**";

/// So many files of one folder with a finding of the same rule are one row.
const MANY: usize = 6;

const HEAD: &str = "\
# Findings in clean code

Over the sources of every crate that `Cargo.lock` names, as crates.io has them, plomb reports what is in this table and nothing
else: keys that are real (they parse, their checksum is right) and that stand in tests, in examples or in documented test vectors.
A row is one file, or one folder with many alike. Each was looked at; the last column says what it is.

`cargo xtask clean-code` scans again (`plomb scan dir --no-gitignore --ignore-gitleaks-allow`, the default confidence) and fails on
a finding that has no row, a row that has no finding, and a row without a reason. `--bless` writes the rows that are new.
";

/// One row: crate, file or folder, rule.
type Row = (String, String, String);

/// Scans, and compares with the page; `bless` writes it anew and keeps the reasons.
pub(crate) fn run(bless: bool) -> Result {
    let page = fixtures::workspace().join("docs/clean-code.md");
    let crates = crates()?;
    let found = rows(findings(&crates)?);
    let told = told(&std::fs::read_to_string(&page).unwrap_or_default());
    if bless {
        let text = written(crates.len(), &found, &told);
        std::fs::write(&page, text).map_err(|error| format!("{}: {error}", page.display()))?;
    }
    let told = self::told(&shell::read(&page)?);
    say(&format!("{} findings in {} rows, {} crates", found.values().sum::<usize>(), found.len(), crates.len()));
    none_of(differences(&found, &told))
}

/// Name and folder of each crate that comes from a registry.
fn crates() -> Result<Vec<(String, PathBuf)>> {
    let metadata = output(&["cargo", "metadata", "--format-version", "1", "--locked"])?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let mut crates: Vec<_> = packages
        .iter()
        .filter(|package| package["source"].as_str().is_some_and(|source| source.starts_with("registry+")))
        .filter_map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str()?);
            Some((package["name"].as_str()?.to_owned(), manifest.parent()?.to_owned()))
        })
        .collect();
    crates.sort();
    if crates.is_empty() { Err("Cargo.lock names no crate of a registry".to_owned()) } else { Ok(crates) }
}

/// Crate, file and rule of each finding.
fn findings(crates: &[(String, PathBuf)]) -> Result<Vec<Row>> {
    let program =
        std::env::var_os(Peer::Plomb.variable()).map_or_else(|| suite::binary("debug", "plomb"), PathBuf::from);
    let name = program.display().to_string();
    let words =
        ["scan", "dir", "--no-gitignore", "--ignore-gitleaks-allow", "--exit-code", "0", "-f", "json", "-r", "-"];
    let mut command = command(&[&name]);
    let result = command.args(words).args(crates.iter().map(|(_, folder)| folder)).output();
    let output = result.map_err(|error| format!("{name}: {error}"))?;
    // Test files of archivers hold archives that are damaged on purpose: what could not be read is told, and the rest counts.
    say(String::from_utf8_lossy(&output.stderr).trim_end());
    if !matches!(output.status.code(), Some(0 | 2)) {
        return Err(format!("{name}: {}", output.status));
    }
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("{name}: {error}"))?;
    let row = |finding: &Value| {
        let path = Path::new(finding["File"].as_str()?);
        let (name, folder) = crates.iter().find(|(_, folder)| path.starts_with(folder))?;
        let file = path.strip_prefix(folder).ok()?.to_string_lossy().into_owned();
        Some((name.clone(), file, finding["RuleID"].as_str()?.to_owned()))
    };
    let report = report.as_array().ok_or("the report is no list")?;
    report
        .iter()
        .map(|finding| row(finding).ok_or_else(|| format!("a finding outside of the crates: {finding}")))
        .collect()
}

/// How many findings each row has; folders with many files alike are one.
fn rows(findings: Vec<Row>) -> BTreeMap<Row, usize> {
    let folder = |file: &str| file.rfind('/').map_or(String::new(), |slash| file[..=slash].to_owned());
    let mut files: BTreeMap<Row, usize> = BTreeMap::new();
    findings.into_iter().for_each(|row| *files.entry(row).or_default() += 1);
    let mut folders: BTreeMap<Row, usize> = BTreeMap::new();
    for (name, file, rule) in files.keys() {
        *folders.entry((name.clone(), folder(file), rule.clone())).or_default() += 1;
    }
    let mut rows: BTreeMap<Row, usize> = BTreeMap::new();
    for ((name, file, rule), count) in files {
        let whole = (name.clone(), folder(&file), rule.clone());
        let row = if count == 1 && folders[&whole] >= MANY { whole } else { (name, file, rule) };
        *rows.entry(row).or_default() += count;
    }
    rows
}

/// The rows of the page with their counts and reasons.
fn told(page: &str) -> BTreeMap<Row, (usize, String)> {
    let cells = |line: &str| -> Option<(Row, (usize, String))> {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [name, file, rule, count, reason, ..] = cells[..] else { return None };
        Some(((name.to_owned(), file.to_owned(), rule.to_owned()), (count.parse().ok()?, reason.to_owned())))
    };
    page.lines().filter_map(cells).collect()
}

fn written(crates: usize, found: &BTreeMap<Row, usize>, told: &BTreeMap<Row, (usize, String)>) -> String {
    let total: usize = found.values().sum();
    let mut page = format!("{HEAD}\n{total} findings in {crates} crates:\n\n");
    page.push_str("| crate | file | rule | findings | what it is |\n|---|---|---|---|---|\n");
    for (row @ (name, file, rule), count) in found {
        let reason = told.get(row).map_or(UNREVIEWED, |(_, reason)| reason);
        writeln!(page, "| {name} | `{file}` | {rule} | {count} | {reason} |").expect("a string takes all");
    }
    page
}

fn differences(found: &BTreeMap<Row, usize>, told: &BTreeMap<Row, (usize, String)>) -> Vec<String> {
    let shown = |(name, file, rule): &Row| format!("{name}: {file}: {rule}");
    let mut problems = Vec::new();
    for (row, count) in found {
        match told.get(row) {
            None => problems.push(format!("{}: found, and has no row in docs/clean-code.md", shown(row))),
            Some((was, _)) if was != count => problems.push(format!("{}: {count} findings, not {was}", shown(row))),
            Some((_, reason)) if reason.is_empty() || reason == UNREVIEWED => {
                problems.push(format!("{}: not reviewed", shown(row)));
            }
            Some(_) => {}
        }
    }
    let gone = told.keys().filter(|row| !found.contains_key(*row));
    problems.extend(gone.map(|row| format!("{}: has a row, and is not found any more", shown(row))));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(file: &str) -> Row {
        ("a".to_owned(), file.to_owned(), "private-key".to_owned())
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let found = rows(vec![row("tests/a.pem"), row("tests/a.pem"), row("src/b.rs")]);
        let page = written(1, &found, &BTreeMap::new());
        let told = told(&page);
        assert_eq!(told[&row("tests/a.pem")], (2, UNREVIEWED.to_owned()));
        assert_eq!(differences(&found, &told).len(), 2);
        let reviewed = told.into_iter().map(|(row, (count, _))| (row, (count, "a key of a test".to_owned()))).collect();
        assert!(differences(&found, &reviewed).is_empty());
        assert_eq!(differences(&BTreeMap::new(), &reviewed).len(), 2);
    }

    #[test]
    fn a_folder_full_of_findings_is_one_row() {
        let found = rows((0..MANY).map(|number| row(&format!("tests/vectors/{number}"))).collect());
        assert_eq!(found, BTreeMap::from([(row("tests/vectors/"), MANY)]));
    }
}
