//! Files that are made from data in the source tree: `docs/rules.md` from the records of the rules. (The definition of our
//! custom resources is printed by the controller itself, and has a test there.)

mod catalogue;

use std::path::PathBuf;

use testkit::fixtures;

use crate::shell::{self, Result, say};

/// Writes every generated file.
pub(crate) fn run() -> Result {
    let (path, text) = (rules_page(), catalogue::page());
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    say("writes docs/rules.md");
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Refuses a rule catalogue that is not what the records make.
pub(crate) fn check() -> Result {
    match shell::read(&rules_page())? == catalogue::page() {
        true => Ok(()),
        false => Err("docs/rules.md is older than crates/scan/rules: run `cargo xtask gen`".to_owned()),
    }
}

fn rules_page() -> PathBuf {
    fixtures::workspace().join("docs/rules.md")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rule_catalogue_is_that_of_the_records() {
        super::check().unwrap();
    }
}
