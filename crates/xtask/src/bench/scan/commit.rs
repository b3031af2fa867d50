//! What a commit of twenty lines costs in a large repository.

use std::path::Path;

use testkit::Repository;

use super::{best, fingerprints, row};
use crate::bench::Field;
use crate::shell::{Result, say};

/// Files of the repository.
const FILES: usize = 50_000;

/// Beside `git diff --cached` alone, which reads the same, and gitleaks with the same rules, which must find the same.
pub(super) fn rows(field: &Field, gitleaks: &Path, config: &Path) -> Result {
    let repository = Repository::new(&field.scratch, "large");
    fill(repository.root()).map_err(|error| format!("the large repository: {error}"))?;
    // Else a commit of so many files packs in the background, in the way of the packing below.
    repository.git(&["config", "gc.auto", "0"]);
    repository.git(&["add", "."]);
    repository.git(&["commit", "-q", "-m", "all"]);
    repository.git(&["gc", "-q"]);
    let changed = repository.root().join("part_007/file_07.txt");
    let lines: String = (0..20).map(|line| format!("setting_{line} = {}\n", line * 7919)).collect();
    let planted = format!("aws = \"{}\"\n", testkit::token::aws_id(&mut testkit::Dice::new(20)));
    std::fs::write(&changed, lines + &planted).map_err(|error| format!("{}: {error}", changed.display()))?;
    repository.git(&["add", "part_007/file_07.txt"]);
    let case = "commit of 20 lines among 50,000 files";
    let root = repository.root().display().to_string();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let us = best(field, &field.plomb, &words(&["scan", "--staged", &root, "--exit-code", "0"]))?;
    row(case, "us, own rules and guard", &us, &us, None);
    let diff = best(field, Path::new("git"), &words(&["-C", &root, "diff", "--cached"]))?;
    row(case, "git diff --cached", &diff, &us, None);
    let (ours, theirs) = (field.scratch.work().join("our.json"), field.scratch.work().join("their.json"));
    let flags = |report: &Path| {
        let (config, report) = (config.display().to_string(), report.display().to_string());
        let flags = ["git", "--pre-commit", "--staged", &root, "--exit-code", "0", "--no-banner"];
        words(&[&flags[..], &["-c", &config, "-f", "json", "-r", &report]].concat())
    };
    let same = best(field, &field.plomb, &[words(&["gitleaks"]), flags(&ours)].concat())?;
    row(case, "us, gitleaks' rules", &same, &us, Some(fingerprints(&ours).len()));
    let them = best(field, gitleaks, &flags(&theirs))?;
    row(case, "gitleaks", &them, &us, Some(fingerprints(&theirs).len()));
    if fingerprints(&ours) != fingerprints(&theirs) {
        say("NOT EQUAL: the findings of the commit differ");
    }
    Ok(())
}

fn fill(root: &Path) -> std::io::Result<()> {
    for file in 0..FILES {
        let folder = root.join(format!("part_{:03}", file / 50));
        if file % 50 == 0 {
            std::fs::create_dir_all(&folder)?;
        }
        let text: String = (0..10).map(|line| format!("line {line} of file {file}\n")).collect();
        std::fs::write(folder.join(format!("file_{:02}.txt", file % 50)), text)?;
    }
    Ok(())
}
