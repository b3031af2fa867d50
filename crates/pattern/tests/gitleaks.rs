//! Every pattern of gitleaks' own configuration can be used.
#![allow(clippy::disallowed_methods, reason = "the test reads a file that the environment names")]

use pattern::Pattern;

/// Collects the texts that stand under keys that hold patterns.
fn patterns(value: &toml::Value, key: &str, found: &mut Vec<String>) {
    match value {
        toml::Value::String(text) if ["regex", "path", "regexes", "paths"].contains(&key) => found.push(text.clone()),
        toml::Value::Array(items) => items.iter().for_each(|item| patterns(item, key, found)),
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| patterns(value, key, found)),
        _ => {}
    }
}

#[test]
fn every_pattern_of_gitleaks_compiles() {
    let Some(path) = std::env::var_os("PLOMB_GITLEAKS_CONFIG") else {
        return testkit::peer::skip("every_pattern_of_gitleaks_compiles", "PLOMB_GITLEAKS_CONFIG names no file");
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    patterns(&toml::Value::Table(text.parse().unwrap()), "", &mut found);
    for source in &found {
        let pattern = Pattern::new(source).unwrap_or_else(|why| panic!("{source}: {why}"));
        let memory = pattern.regex().memory_usage();
        assert!(memory < 64 << 20, "{source}: {memory}");
    }
    assert!(found.len() > 250, "{}", found.len());
    testkit::peer::peer_test_ran("every_pattern_of_gitleaks_compiles");
}
