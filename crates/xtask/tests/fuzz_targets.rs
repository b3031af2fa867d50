//! The functions of the fuzz targets (`crates/fuzz`, a workspace of its own), compiled and run here on the stable compiler:
//! every fixture that suits a target, and 2,000 changed copies for each target. `PLOMB_COPIES` asks for more.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure there is a failure of the test")]
#![allow(clippy::disallowed_methods, reason = "tests read the fixtures")]

#[allow(unreachable_pub, reason = "a library of another workspace")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use testkit::fixtures;

type Target = fn(&[u8]);

/// Every target, and the endings of the seeds it eats.
const TARGETS: [(&str, Target, &[&str]); 10] = [
    ("yaml", targets::yaml, &[".yaml"]),
    ("json", targets::json, &[".json"]),
    ("env", targets::env, &[".env"]),
    ("ini", targets::ini, &[".ini"]),
    ("metadata", targets::metadata, &[".enc.yaml", ".enc.json", ".enc.env", ".enc.ini"]),
    ("token", targets::token, &[".token"]),
    ("config", targets::config, &[".sops.yaml"]),
    ("pattern", targets::pattern, &[".regex"]),
    ("gitleaks", targets::gitleaks, &[".gitleaks.toml"]),
    ("decode", targets::decode, &[".encoded"]),
];
const COPIES: usize = 2000;
/// Larger seeds are left to the real fuzzer.
const LARGEST: usize = 8192;
/// Without a fixture of their own.
const TOKENS: [&str; 2] = [
    "ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]",
    "ENC[AES256_GCM,data:,iv:,tag:,type:]",
];

#[test]
fn every_target_is_here() {
    let manifest = std::fs::read_to_string(fixtures::workspace().join("crates/fuzz/Cargo.toml")).unwrap();
    let bins: Vec<&str> = manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")).collect();
    let names: Vec<String> = TARGETS.iter().map(|(name, ..)| format!("{name}.rs\"")).collect();
    assert_eq!(bins, names);
    for (name, ..) in TARGETS {
        let file = fixtures::workspace().join(format!("crates/fuzz/fuzz_targets/{name}.rs"));
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(&format!("targets::{name}(")), "{name}: {text}");
    }
}

#[test]
fn no_mutation_breaks_a_target() {
    let copies = std::env::var("PLOMB_COPIES").ok().and_then(|text| text.parse().ok()).unwrap_or(COPIES);
    let all = fixtures::files_below(&fixtures::folder(""));
    let run = |(name, target, endings): &(&str, Target, &[&str])| {
        let suits = |path: &str| endings.iter().any(|ending| path.ends_with(ending));
        let fitting = all.iter().filter(|path| suits(&path.to_string_lossy()));
        let mut seeds: Vec<Vec<u8>> = fitting.map(|path| std::fs::read(path).unwrap()).collect();
        seeds.extend(TOKENS.iter().filter(|_| *name == "token").map(|text| text.as_bytes().to_vec()));
        seeds.retain(|seed| seed.len() <= LARGEST);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        let inputs =
            seeds.iter().cloned().chain((0..copies).map(|number| mutated(&seeds[number % seeds.len()], number)));
        inputs.filter_map(|input| broken(name, *target, &input)).collect::<Vec<_>>()
    };
    let (left, right) = TARGETS.split_at(1);
    let found = std::thread::scope(|scope| {
        let work = [left, right].map(|part| scope.spawn(|| part.iter().flat_map(run).collect::<Vec<_>>()));
        work.into_iter().flat_map(|work| work.join().expect("panics are caught")).collect::<Vec<_>>()
    });
    assert!(found.is_empty(), "{} broken\n{}", found.len(), found.join("\n"));
}

fn broken(name: &str, target: Target, input: &[u8]) -> Option<String> {
    std::panic::catch_unwind(|| target(input)).err().map(|_| format!("{name}: {:?}", String::from_utf8_lossy(input)))
}

/// One to four changes that depend on the number alone.
fn mutated(seed: &[u8], number: usize) -> Vec<u8> {
    const ODD: &[u8] = b"\0\n\r\t :#-?[]{}&*!|>'\"%@`,=;\\\xff\xef\xbb\xbf09aZ";
    let mut bytes = seed.to_vec();
    let mut state = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.len() as u64;
    let mut roll = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end.max(1)
    };
    for _ in 0..number % 4 + 1 {
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
