//! Our YAML reader against SOPS' own, on fixtures and on thousands of damaged copies of them.

mod dump;
pub(crate) mod mutate;
mod oracle;

use std::path::{Path, PathBuf};

use document::Format;
use document::format::Yaml;
use secret::SecretBytes;

use mutate::Random;
use oracle::Oracle;

/// Damaged copies per run.
const ROUNDS: u64 = 6000;

/// The fixtures, sorted.
pub(crate) fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/yaml");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    files
}

/// What differs between the oracle's answer and our reading, if anything.
pub(crate) fn difference(oracle: &mut Oracle, file: &[u8]) -> Option<String> {
    let theirs = oracle.ask(file);
    let ours = Yaml.parse(SecretBytes::new(file.to_vec())).map(|document| dump::document(&document));
    match ours {
        Ok(ours) if ours == theirs => None,
        Err(_) if !theirs.starts_with("ok") => None,
        Ok(ours) => Some(format!("theirs: {theirs}\nours:   {ours}")),
        Err(error) => Some(format!("theirs: {theirs}\nours:   {error} at {:?}", error.at)),
    }
}

#[test]
fn damaged_fixtures_read_as_sops_reads_them() {
    let path = match Oracle::build() {
        Ok(path) => path,
        Err(why) => {
            eprintln!("SKIPPED: the Go oracle cannot be built: {why}");
            return;
        }
    };
    let mut oracle = Oracle::start(&path);
    let files: Vec<_> = fixtures().iter().map(|path| std::fs::read(path).unwrap()).collect();
    for (file, path) in files.iter().zip(fixtures()) {
        let difference = difference(&mut oracle, file);
        assert!(difference.is_none(), "{}:\n{}", path.display(), difference.unwrap());
    }
    let base = std::env::var("PLOMB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    for seed in base..base + ROUNDS {
        let mut random = Random(seed);
        let file = mutate::mutate(random.pick(&files).as_slice(), &mut random);
        if let Some(difference) = difference(&mut oracle, &file) {
            panic!("PLOMB_SEED={seed}:\n{}\n{difference}", String::from_utf8_lossy(&file).escape_debug());
        }
    }
}
