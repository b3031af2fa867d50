//! A small fuzzer on the stable compiler: every fixture, cut, doubled and with single bytes changed.

use std::path::{Path, PathBuf};

type Target = fn(&[u8]);

/// Targets by the ending of the seeds they eat.
const TARGETS: [(&str, Target); 11] = [
    (".yaml", targets::yaml),
    (".json", targets::json),
    (".env", targets::env),
    (".ini", targets::ini),
    (".sops.yaml", targets::config),
    (".enc.yaml", targets::metadata),
    (".enc.json", targets::metadata),
    (".enc.env", targets::metadata),
    (".regex", targets::pattern),
    (".gitleaks.toml", targets::gitleaks),
    (".encoded", targets::decode),
];
/// Changed copies of each seed; `PLOMB_COPIES` asks for more.
const COPIES: u64 = 40;
/// Larger seeds are left to the real fuzzer.
const LARGEST: usize = 8192;

#[test]
fn no_mutation_breaks_a_parser() {
    let copies = std::env::var("PLOMB_COPIES").ok().and_then(|text| text.parse().ok()).unwrap_or(COPIES);
    let mut runs = 0;
    let mut broken = Vec::new();
    for path in seeds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")) {
        let name = path.to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        for (end, target) in TARGETS.iter().filter(|(end, _)| name.ends_with(end) && bytes.len() <= LARGEST) {
            for number in 0..copies {
                let input = mutated(&bytes, number);
                runs += 1;
                if std::panic::catch_unwind(|| target(&input)).is_err() {
                    broken.push(format!("{name}, copy {number}, as {end}: {:?}", String::from_utf8_lossy(&input)));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{} of {runs} broken\n{}", broken.len(), broken.join("\n"));
    assert!(runs > 10_000, "{runs}");
}

fn seeds(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { seeds(&path) } else { vec![path] }).collect()
}

/// The seed itself for 0; else with one to four changes that depend on the number alone.
fn mutated(seed: &[u8], number: u64) -> Vec<u8> {
    const ODD: &[u8] = b"\0\n\r\t :#-?[]{}&*!|>'\"%@`,=;\\\xff\xef\xbb\xbf09aZ";
    let mut bytes = seed.to_vec();
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.len() as u64;
    let mut roll = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    for _ in 0..number.min(4) {
        let at = roll(bytes.len());
        match roll(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at.min(bytes.len()), ODD[roll(ODD.len())]),
            2 if at < bytes.len() => bytes[at] = ODD[roll(ODD.len())],
            3 if at < bytes.len() => {
                bytes.remove(at);
            }
            _ => {
                let piece = bytes[at.min(bytes.len())..].iter().take(64).copied().collect::<Vec<_>>();
                let to = roll(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}
