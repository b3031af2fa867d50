//! Scans the files of a folder with a gitleaks.toml, one thread, and says how long it took: for profiles.
//!
//! `cargo run --release -p plomb-scan --example profile -- CONFIG FOLDER [reference|fingerprints]`; CONFIG `builtin` = our own rules.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scan::gitleaks::World;
use scan::{Content, Lines, Options, Origin, RuleSet, Scanner};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, config, folder, rest @ ..] = &arguments[..] else { panic!("CONFIG FOLDER [reference|fingerprints]") };
    let begin = Instant::now();
    let rules = rules(config);
    let read = begin.elapsed();
    let begin = Instant::now();
    let scanner = Scanner::new(Arc::new(rules), Options::default());
    println!("rules read in {read:?}, scanner made in {:?}", begin.elapsed());
    let (mut bytes, mut files, mut candidates) = (0, 0, 0);
    let mut spent = Duration::ZERO;
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_symlink() {
                continue;
            } else if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read(&path).expect("a readable file");
            let begin = Instant::now();
            let paths = [path.to_string_lossy().as_ref().into()];
            let content = Content { bytes: &text, paths: &paths, base: None, first_line: 1 };
            let seen = match rest.first().map(String::as_str) {
                Some("reference") => scanner.scan_by_reference(&content),
                _ => scanner.scan(&content),
            };
            spent += begin.elapsed();
            files += 1;
            bytes += text.len();
            candidates += seen.candidates.len();
            if rest.first().is_some_and(|mode| mode == "fingerprints") {
                let origin = Origin { path: paths[0].clone(), ..Origin::default() };
                let findings = scanner.judge(&seen, &origin, Lines::All);
                findings.iter().for_each(|finding| println!("fingerprint {}", finding.gitleaks_fingerprint()));
            }
        }
    }
    let speed = bytes as f64 / 1e6 / spent.as_secs_f64();
    println!("{files} files, {bytes} bytes, {candidates} candidates, {spent:?}, {speed:.0} MB/s");
}

/// Our own rules by the name `builtin`, else a gitleaks.toml.
fn rules(config: &str) -> RuleSet {
    struct Alone;
    impl World for Alone {
        fn default_rules(&mut self) -> RuleSet {
            RuleSet::default()
        }

        fn open(&mut self, _: &str) -> Result<Vec<u8>, String> {
            Err("profiles read one file".to_owned())
        }
    }
    match config {
        "builtin" => scan::builtin::builtin(),
        path => {
            scan::gitleaks::read(&std::fs::read(path).expect("a readable config"), &mut Alone).expect("a config").rules
        }
    }
}
