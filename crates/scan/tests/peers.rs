//! Beside gitleaks itself: its own configuration is read whole.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "the test reads a file that the environment names")]

use scan::RuleSet;
use scan::gitleaks::{World, read};

/// No other files, no default rules.
struct Alone;

impl World for Alone {
    fn default_rules(&mut self) -> RuleSet {
        RuleSet::default()
    }

    fn open(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Err("there are no files".to_owned())
    }
}

#[test]
fn the_configuration_of_gitleaks_is_read_whole() {
    let test = "the_configuration_of_gitleaks_is_read_whole";
    let Some(path) = testkit::Peer::GitleaksConfig.find() else {
        return testkit::peer::skip(test, "PLOMB_GITLEAKS_CONFIG names no file");
    };
    let text = std::fs::read(path).unwrap();
    let loaded = read(&text, &mut Alone).unwrap();
    let rules = &loaded.rules.rules;
    assert_eq!(rules.len(), text.split(|byte| *byte == b'\n').filter(|line| line.trim_ascii() == b"[[rules]]").count());
    assert!(rules.len() > 200);
    // It surprises by its own flags that leak, and by nothing else.
    let odd = loaded.warnings.iter().filter(|warning| !warning.what.contains("holds for the entries after it"));
    assert_eq!(odd.collect::<Vec<_>>(), Vec::<&scan::gitleaks::Remark>::new());
    assert!(rules.iter().all(|rule| rule.regex.is_some() || rule.path.is_some()));
    assert!(rules.iter().filter(|rule| rule.path.is_some()).count() >= 5);
    assert!(rules.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(rules.iter().all(|rule| rule.required.is_empty()));
    assert!(rules.iter().any(|rule| rule.secret_group > 0));
    testkit::peer::peer_test_ran(test);
}
