//! Where the shared golden files lie. Paths are taken from the source tree, so a test works from any folder.

use std::path::{Path, PathBuf};

/// The root folder of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("testkit lies two folders below the workspace root").to_path_buf()
}

/// The folder `fixtures/NAME`.
pub fn folder(name: &str) -> PathBuf {
    workspace().join("fixtures").join(name)
}

/// The folder that cargo builds into.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// Every regular file below a folder, sorted, as paths that start with the folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(next) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sops_vectors_are_there() {
        assert!(folder("sops").join("index.json").is_file());
        assert!(files_below(&folder("sops")).len() > 300);
    }
}
