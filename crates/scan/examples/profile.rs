//! Scans the files of a folder with a gitleaks.toml, one thread, and says how long it took: for profiles.
//!
//! `cargo run --release -p plomb-scan --example profile -- CONFIG FOLDER [reference]`
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pattern::Pattern;
use scan::{Confidence, Content, Options, Rule, RuleSet, Scanner, Severity};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, config, folder, rest @ ..] = &arguments[..] else { panic!("CONFIG FOLDER [reference]") };
    let begin = Instant::now();
    let rules = rules(&std::fs::read_to_string(config).expect("a readable config"));
    let read = begin.elapsed();
    let begin = Instant::now();
    let scanner = Scanner::new(Arc::new(RuleSet { rules, ..RuleSet::default() }), Options::default());
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
            let content = Content { bytes: &text, paths: &[], base: None };
            let seen = match rest.is_empty() {
                true => scanner.scan(&content),
                false => scanner.scan_by_reference(&content),
            };
            spent += begin.elapsed();
            files += 1;
            bytes += text.len();
            candidates += seen.candidates.len();
        }
    }
    let speed = bytes as f64 / 1e6 / spent.as_secs_f64();
    println!("{files} files, {bytes} bytes, {candidates} candidates, {spent:?}, {speed:.0} MB/s");
}

fn rules(config: &str) -> Vec<Rule> {
    let config: toml::Table = config.parse().expect("TOML");
    let rules = config["rules"].as_array().expect("rules").iter().filter_map(|rule| {
        let text = |name: &str| rule.get(name).and_then(toml::Value::as_str);
        let keywords = rule.get("keywords").and_then(toml::Value::as_array).into_iter().flatten();
        Some(Rule {
            id: text("id")?.into(),
            description: "".into(),
            regex: Some(Pattern::new(text("regex")?).expect("a pattern")),
            path: None,
            secret_group: 0,
            entropy: rule.get("entropy").and_then(toml::Value::as_float).unwrap_or_default(),
            keywords: keywords.filter_map(|word| Some(word.as_str()?.to_lowercase())).collect(),
            tags: Vec::new(),
            skip_report: false,
            required: Vec::new(),
            allowlists: Vec::new(),
            severity: Severity::High,
            confidence: Confidence::High,
            check: None,
        })
    });
    rules.collect()
}
