//! Test material: the folder of fixtures, and keys that only tests know.

use std::path::PathBuf;

use secret::Random;

pub(crate) const K1: &str = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";

/// A file of the repository's fixtures folder.
#[expect(clippy::disallowed_methods, reason = "tests read their fixtures")]
pub(crate) fn read(path: &str) -> Vec<u8> {
    let path = folder(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The path of a fixture.
pub(crate) fn folder(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../fixtures", path].iter().collect()
}

/// Repeatable "randomness": a counter through a cheap mixer.
pub(crate) struct Counter(pub(crate) u64);

impl Random for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

/// The names of the files in a folder of fixtures, sorted.
pub(crate) fn list(path: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder(path)).expect("the fixtures folder exists");
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
