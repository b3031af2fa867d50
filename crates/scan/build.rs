//! Turns `rules/*.toml` into static Rust data, so that no rule file is parsed when the scanner starts.

// A build script is a shell of its own: it reads rule files and writes what the crate includes.
#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use toml::{Table, Value};

/// What may follow an assignment's name, up to its value.
const ASSIGNED: &str = r#"[0-9A-Za-z_.\-]{0,40}["'`\]\)}]{0,3}(?:\[\]|:[ \t]?[&A-Za-z]{3,12})?[ \t]{0,20}(?:[:?]=|=>|=|:|,|>|[ \t])[ \t]{0,20}(?:"?value"?[ \t]?[=:][ \t]?)?(?:<<|\[\[)?["'`]{0,3}"#;

/// The keys a record may have; any other is a typing error.
const KEYS: &[&str] = &[
    "id",
    "description",
    "regex",
    "token",
    "edge",
    "near",
    "value",
    "path",
    "keywords",
    "secret_group",
    "entropy",
    "severity",
    "confidence",
    "tags",
    "check",
    "detector",
    "source",
    "examples",
    "counter_examples",
    "group",
];

fn main() {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=build.rs");
    let mut rules = read_rules();
    rules.sort_by(|a, b| text(a, "id").cmp(text(b, "id")));
    for pair in rules.windows(2) {
        assert!(text(&pair[0], "id") != text(&pair[1], "id"), "two rules are named {}", text(&pair[0], "id"));
    }
    let mut out = String::from("static RECORDS: &[Record] = &[\n");
    let mut samples = String::from("static SAMPLES: &[Sample] = &[\n");
    let mut keywords = Vec::new();
    for rule in &rules {
        check_keys(rule);
        write_record(&mut out, rule);
        write_samples(&mut samples, rule);
        keywords.extend(strings(rule, "keywords"));
    }
    keywords.sort();
    keywords.dedup();
    out.push_str("];\n");
    samples.push_str("];\n");
    writeln!(out, "static KEYWORDS: &[&str] = &{keywords:?};").expect("a string takes all");
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(folder.join("rules.rs"), out).expect("OUT_DIR is writable");
    fs::write(folder.join("samples.rs"), samples).expect("OUT_DIR is writable");
}

/// All records of all files.
fn read_rules() -> Vec<Table> {
    let mut files: Vec<PathBuf> = fs::read_dir("rules")
        .expect("rules/ stands beside build.rs")
        .map(|entry| entry.expect("rules/ is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut rules = Vec::new();
    for path in files {
        let source = fs::read_to_string(&path).expect("rule files are readable");
        let table: Table = source.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let Some(Value::Array(records)) = table.get("rule") else { panic!("{}: no [[rule]]", path.display()) };
        let group = path.file_stem().expect("it has an extension").to_string_lossy().into_owned();
        rules.extend(records.iter().map(|record| {
            let mut record = record.as_table().expect("[[rule]] is a table").clone();
            assert!(
                record.insert("group".to_owned(), Value::String(group.clone())).is_none(),
                "group is the file's name"
            );
            record
        }));
    }
    rules
}

/// Refuses unknown keys and records that say nothing to look for or where they come from.
fn check_keys(rule: &Table) {
    let id = text(rule, "id");
    for key in rule.keys() {
        assert!(KEYS.contains(&key.as_str()), "rule {id}: unknown key {key}");
    }
    assert!(!text(rule, "source").is_empty(), "rule {id}: no source");
    let ways = ["regex", "token", "near", "detector"].iter().filter(|way| rule.contains_key(**way)).count();
    assert!(ways == 1 || (ways == 0 && rule.contains_key("path")), "rule {id}: needs one way to look");
    for keyword in strings(rule, "keywords") {
        assert!(keyword == keyword.to_lowercase(), "rule {id}: keyword {keyword} is not lower case");
    }
    assert!(!strings(rule, "keywords").is_empty() || rule.contains_key("detector"), "rule {id}: no keywords");
}

/// The whole regular expression and the group of its secret.
fn regex(rule: &Table) -> Option<(String, i64)> {
    let edge = rule.get("edge").map_or(r"0-9A-Za-z_\-", |edge| edge.as_str().expect("edge is text"));
    if let Some(regex) = rule.get("regex") {
        let group = rule.get("secret_group").map_or(0, |group| group.as_integer().expect("secret_group is a number"));
        return Some((regex.as_str().expect("regex is text").to_owned(), group));
    }
    if let Some(token) = rule.get("token") {
        let token = token.as_str().expect("token is text");
        return Some((format!(r"(?:\b|\\[nrt])({token})(?:[^{edge}]|$)"), 1));
    }
    let near = rule.get("near")?.as_str().expect("near is text");
    let value = text(rule, "value");
    Some((format!("(?i:{near}){ASSIGNED}({value})(?:[^{edge}]|$)"), 1))
}

fn write_record(out: &mut String, rule: &Table) {
    let (regex, group) = regex(rule).map_or((None, 0), |(regex, group)| (Some(regex), group));
    let usual = ["token", "near"].into_iter().find(|way| rule.contains_key(*way)).map(|way| match way {
        "near" => "named",
        _ => "plausible",
    });
    let check = rule.get("check").map(|check| check.as_str().expect("check is text")).or(usual);
    let check_name = check.unwrap_or("none");
    let check = check.map(|check| format!("crate::check::{check}"));
    let entropy = rule.get("entropy").map_or(0.0, |entropy| {
        entropy.as_float().or(entropy.as_integer().map(|whole| whole as f64)).expect("entropy is a number")
    });
    writeln!(
        out,
        "Record {{ id: {:?}, description: {:?}, regex: {regex:?}, path: {:?}, secret_group: {group}, \
         entropy: {entropy:?}, keywords: &{:?}, tags: &{:?}, severity: Severity::{}, confidence: Confidence::{}, \
         check: {}, check_name: {check_name:?}, detector: {:?}, source: {:?}, group: {:?} }},",
        text(rule, "id"),
        text(rule, "description"),
        rule.get("path").map(|path| path.as_str().expect("path is text")),
        strings(rule, "keywords"),
        strings(rule, "tags"),
        level(rule, "severity", "High"),
        level(rule, "confidence", "High"),
        check.map_or("None".to_owned(), |check| format!("Some({check})")),
        rule.get("detector").map(|detector| detector.as_str().expect("detector is text")),
        text(rule, "source"),
        text(rule, "group"),
    )
    .expect("a string takes all");
}

fn write_samples(out: &mut String, rule: &Table) {
    let examples = strings(rule, "examples");
    let id = text(rule, "id");
    assert!(!examples.is_empty(), "rule {id}: no examples");
    let counter = strings(rule, "counter_examples");
    writeln!(out, "Sample {{ rule: {id:?}, examples: &{examples:?}, counter_examples: &{counter:?} }},")
        .expect("a string takes all");
}

fn text<'a>(rule: &'a Table, key: &str) -> &'a str {
    match rule.get(key) {
        Some(Value::String(text)) => text,
        other => panic!("rule {:?}: {key} is {other:?}", rule.get("id")),
    }
}

fn strings(rule: &Table, key: &str) -> Vec<String> {
    let Some(list) = rule.get(key) else { return Vec::new() };
    let list = list.as_array().unwrap_or_else(|| panic!("rule {:?}: {key} is no list", rule.get("id")));
    list.iter().map(|item| item.as_str().expect("lists hold text").to_owned()).collect()
}

/// The variant's name of `severity` or `confidence`.
fn level(rule: &Table, key: &str, default: &str) -> String {
    let Some(level) = rule.get(key) else { return default.to_owned() };
    let level = level.as_str().expect("levels are text");
    assert!(["low", "medium", "high", "critical"].contains(&level), "rule {:?}: {key} {level}", rule.get("id"));
    level[..1].to_uppercase() + &level[1..]
}
