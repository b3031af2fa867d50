//! Reads `.gitleaks.toml`: every field gitleaks reads, as loosely typed as gitleaks reads it, but with a place for every
//! mistake, and a warning for what gitleaks passes over in silence.
//!
//! Where we differ, on purpose: a key that nobody knows is a warning; no rule at all is an error; an allowlist with
//! `targetRules` counts in an extended file too; a rule that only changes one of gitleaks' own rules and has no
//! counterpart in ours is a warning. What may surprise and is the same: `(?i)` in one entry of an allowlist holds for the
//! entries after it; an `entropy` or `secretGroup` of 0 cannot undo that of the extended rule; `required` and
//! `skipReport` of a rule that changes an extended one do not count.

mod allow;
mod document;
mod extend;
mod lint;
mod remark;
mod rule;
mod value;

use crate::ruleset::RuleSet;

pub use remark::{ConfigError, Level, Remark};

/// What a configuration can ask its caller for; this crate reads no files.
pub trait World {
    /// The rules that `useDefault` stands for.
    fn default_rules(&mut self) -> RuleSet;

    /// The bytes of the file that `extend.path` names. gitleaks takes the path from the working folder, not from the
    /// folder of the configuration.
    ///
    /// # Errors
    /// Why it cannot be read, one phrase.
    fn open(&mut self, path: &str) -> Result<Vec<u8>, String>;
}

/// A configuration that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its rules and those it extends, in the order of their ids; at least one.
    pub rules: RuleSet,
    /// What is odd about it, in order of place.
    pub warnings: Vec<Remark>,
}

/// Reads a configuration and what it extends.
///
/// # Errors
/// The first thing that makes it unusable.
pub fn read(bytes: &[u8], world: &mut dyn World) -> Result<Loaded, ConfigError> {
    let (rules, mut remarks) = extend::load(bytes, world);
    if let Some(error) = remarks.iter().find(|remark| remark.level == Level::Error) {
        return Err(error.clone());
    }
    remark::sort(&mut remarks);
    Ok(Loaded { rules, warnings: remarks })
}

/// Everything there is to say about a configuration, usable or not, in order of place.
pub fn lint(bytes: &[u8], world: &mut dyn World) -> Vec<Remark> {
    let (rules, mut remarks) = extend::load(bytes, world);
    lint::advise(&rules, &mut remarks);
    remark::sort(&mut remarks);
    remarks
}

#[cfg(test)]
mod tests;
