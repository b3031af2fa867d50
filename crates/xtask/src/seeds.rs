//! Seeds for the fuzzer: the fixtures, sorted by what each target eats.

use crate::shell::{Result, say};
use testkit::fixtures;

/// Targets of `crates/fuzz` and the endings of the files that suit them.
const SEEDS: [(&str, &[&str]); 9] = [
    ("yaml", &[".yaml"]),
    ("json", &[".json"]),
    ("env", &[".env"]),
    ("ini", &[".ini"]),
    ("metadata", &[".enc.yaml", ".enc.json", ".enc.env", ".enc.ini", ".enc.txt"]),
    ("config", &[".sops.yaml"]),
    ("pattern", &[".regex"]),
    ("gitleaks", &[".gitleaks.toml"]),
    ("decode", &[".encoded"]),
];

/// Copies every fitting fixture into `crates/fuzz/corpus/TARGET`.
pub(crate) fn copy() -> Result {
    let files = fixtures::files_below(&fixtures::folder(""));
    for (target, endings) in SEEDS {
        let folder = fixtures::workspace().join("crates/fuzz/corpus").join(target);
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let name = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let fitting: Vec<_> = files.iter().filter(|path| endings.iter().any(|end| name(path).ends_with(end))).collect();
        for (number, path) in fitting.iter().enumerate() {
            let seed = folder.join(format!("fixture-{number}"));
            std::fs::copy(path, &seed).map_err(|error| format!("{}: {error}", seed.display()))?;
        }
        say(&format!("{target}: {} seeds", fitting.len()));
    }
    Ok(())
}
