//! House rules that no lint knows: file heads, no `mod.rs`, no open ends, origin notes, no paths of one machine.

use crate::shell::{Result, none_of, output};
use std::path::Path;
use testkit::fixtures;

/// Words that say "not finished". Spelled in two parts, so that this file passes its own check.
const OPEN_ENDS: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("unimpl", "emented!(")];

/// Folders of one machine. Spelled in two parts for the same reason.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/opt/", "peers"), concat!("/home/", "user")];

/// Data that others made may hold any text.
const FOREIGN: [&str; 3] = ["fixtures/sops/", "fixtures/bad-input/", "Cargo.lock"];

/// Checks every tracked or new file.
pub(crate) fn check() -> Result {
    let listing = output(&["git", "ls-files", "--cached", "--others", "--exclude-standard"])?;
    let mut problems = Vec::new();
    for name in listing.lines().filter(|name| !FOREIGN.iter().any(|foreign| name.starts_with(foreign))) {
        let Ok(text) = std::fs::read_to_string(fixtures::workspace().join(name)) else { continue };
        problems.extend(of_file(name, &text));
    }
    problems.extend(without_origin(&fixtures::workspace().join("fixtures")));
    none_of(problems)
}

fn of_file(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.ends_with(".rs") && !name.starts_with("fixtures/") {
        if !text.starts_with("//!") {
            problems.push(format!("{name}: does not start with a //! head"));
        }
        if name.ends_with("/mod.rs") {
            problems.push(format!("{name}: write thing.rs beside thing/ instead"));
        }
        problems.extend(lines_with(name, text, &OPEN_ENDS, "is an open end"));
    }
    problems.extend(lines_with(name, text, &MACHINE_PATHS, "is a path of one machine"));
    problems
}

fn lines_with(name: &str, text: &str, words: &[&str], fault: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(word) = words.iter().find(|word| line.contains(**word)) {
            problems.push(format!("{name}:{}: {word} {fault}", number + 1));
        }
    }
    problems
}

fn without_origin(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let bare = folders.filter(|path| !path.join("ORIGIN.md").is_file());
    bare.map(|path| format!("{}: no ORIGIN.md says who made these files, and how", path.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_named_with_its_line() {
        let text = format!("use std::fs;\n// {} later\nconst A: &str = \"{}x\";\n", OPEN_ENDS[0], MACHINE_PATHS[0]);
        let problems = of_file("crates/x/src/mod.rs", &text);
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems[2].starts_with("crates/x/src/mod.rs:2:"));
    }

    #[test]
    fn a_tidy_file_passes() {
        assert!(of_file("a.rs", "//! What it is for.\n").is_empty());
    }
}
