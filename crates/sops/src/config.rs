//! `.sops.yaml`: creation rules, destination rules, stores. Read from bytes; finding the file is the shell's.
//!
//! SOPS ignores fields it does not know, so a misspelt `encrypted_regex` means "encrypt by default rule".
//! Here every such field is an error with its line and the name that was probably meant.

mod read;
mod rule;

use document::{Format as _, Map, Value};
use secret::SecretBytes;

use crate::policy::Policy;
use read::{Reader, close_names};
pub use rule::{CreationRule, Destination, DestinationRule};

/// What is wrong with a configuration file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct ConfigError {
    /// Line and column from 1.
    pub at: Option<(usize, usize)>,
    /// What, in one clause.
    pub what: String,
    /// What to do, if that can be told.
    pub hint: Option<String>,
}

/// A configuration file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The creation rules in order; `None` when the file has no such list.
    pub creation_rules: Option<Vec<CreationRule>>,
    /// The destination rules of `publish`.
    pub destination_rules: Vec<DestinationRule>,
    /// What is wrong with the destination rules; there are none then. Nothing but `publish` goes by them, so this is
    /// no reason not to encrypt.
    pub destination_problem: Option<ConfigError>,
    /// `stores.yaml.indent`.
    pub yaml_indent: Option<i64>,
    /// `stores.json.indent`.
    pub json_indent: Option<i64>,
    /// `stores.json_binary.indent`.
    pub json_binary_indent: Option<i64>,
    /// How many YAML documents follow the first one, which is the only one that counts.
    pub further_documents: usize,
}

/// How strictly a configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// Unknown fields are errors. Used wherever something is encrypted.
    Strict,
    /// Unknown fields are passed over.
    Lenient,
    /// As `Lenient`, and recipients are taken as they are written (secret keys among them are left out): for
    /// whoever asks which files and values a rule covers and wraps nothing to anyone.
    Unchecked,
    /// Rules are not read at all, only `stores`: a wrong rule is no reason not to decrypt.
    StoresOnly,
}

impl Config {
    /// Reads a `.sops.yaml`.
    ///
    /// A text with nothing in it is a configuration that says nothing.
    ///
    /// # Errors
    /// [`ConfigError`] with the place of the first thing that is wrong, except in destination rules.
    pub fn parse(text: &[u8], strictness: Strictness) -> Result<Self, ConfigError> {
        if says_nothing(text) {
            return Ok(Self::default());
        }
        let mut doc = document::format::Yaml.parse(SecretBytes::new(text.to_vec())).map_err(|error| ConfigError {
            at: error.at,
            what: error.what,
            hint: None,
        })?;
        let mut config = Self { further_documents: doc.branches.len().saturating_sub(1), ..Self::default() };
        if let Some(branch) = doc.branches.first_mut() {
            read::merge(&mut branch.root);
        }
        let Some(branch) = doc.branches.first() else { return Ok(config) };
        let reader = Reader {
            doc: &doc,
            strict: strictness == Strictness::Strict,
            checks_recipients: strictness != Strictness::Unchecked,
            seen: std::cell::Cell::new((0, 1)),
        };
        for entry in branch.root.entries() {
            match (&*entry.key, &entry.value.value) {
                ("creation_rules" | "destination_rules", _) if strictness == Strictness::StoresOnly => {}
                ("creation_rules", Value::Null) => {}
                ("creation_rules", _) => config.creation_rules = Some(rule::creation_rules(&reader, &entry.value)?),
                ("destination_rules", _) => match rule::destination_rules(&reader, &entry.value) {
                    Ok(rules) => config.destination_rules = rules,
                    Err(error) => config.destination_problem = Some(error),
                },
                ("stores", Value::Map(stores)) => config.stores(&reader, stores)?,
                _ => check_top_level(&reader, entry)?,
            }
        }
        Ok(config)
    }

    fn stores(&mut self, reader: &Reader<'_>, stores: &Map) -> Result<(), ConfigError> {
        for entry in stores.entries() {
            let Value::Map(fields) = &entry.value.value else { continue };
            reader.only(fields, if matches!(&*entry.key, "dotenv" | "ini") { &[] } else { &["indent"] })?;
            let indent = fields.get("indent").map(|node| reader.integer(node, "indent")).transpose()?;
            match &*entry.key {
                "yaml" => self.yaml_indent = indent,
                "json" => self.json_indent = indent,
                "json_binary" => self.json_binary_indent = indent,
                "dotenv" | "ini" => {}
                _ => reader.unknown(entry, &["yaml", "json", "json_binary", "dotenv", "ini"])?,
            }
        }
        Ok(())
    }

    /// The first creation rule that matches `path` (relative to the configuration's folder, with `/`), and
    /// its number from 0. `None` if no rule matches.
    pub fn rule_for(&self, path: &str) -> Option<(usize, &CreationRule)> {
        let rules = self.creation_rules.as_deref().unwrap_or_default();
        rules.iter().enumerate().find(|(_, rule)| rule.matches(path))
    }

    /// The policy for `path`.
    pub fn policy_for(&self, path: &str) -> Option<&Policy> {
        self.rule_for(path).map(|(_, rule)| &rule.policy)
    }
}

/// Whether a text has blank lines, comments and the start of a document only.
fn says_nothing(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.all(|line| line.is_empty() || line.starts_with(b"#") || line == b"---")
}

/// Other top-level entries are where people keep anchors; only what looks like a misspelt name is refused.
fn check_top_level(reader: &Reader<'_>, entry: &document::Entry) -> Result<(), ConfigError> {
    let known = ["creation_rules", "destination_rules", "stores"];
    if close_names(&entry.key, &known).is_some() { reader.unknown(entry, &known) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_anything_says_nothing() {
        for text in ["", "\n", "# only a comment\n", "---\n"] {
            let config = Config::parse(text.as_bytes(), Strictness::Strict).expect("says nothing");
            assert!(config.creation_rules.is_none() && config.destination_rules.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_destination_is_kept_for_whoever_publishes() {
        let text = "creation_rules:\n  - path_regex: a\ndestination_rules:\n  - path: out\n    reencryption_rule: {}\n";
        let config = Config::parse(text.as_bytes(), Strictness::Strict).expect("the creation rules are fine");
        let problem = config.destination_problem.clone().expect("an unknown field");
        assert_eq!(problem.at, Some((5, 5)), "{problem:?}");
        assert!(config.rule_for("a").is_some() && config.destination_for("a").is_none());
        let wrong = text.replace("path_regex", "path_regexp");
        assert!(Config::parse(wrong.as_bytes(), Strictness::Strict).is_err());
    }

    #[test]
    fn regular_expressions_that_are_too_large_together_are_refused() {
        let text = |count: usize| {
            let rules: String = (0..count).map(|at| format!("  - path_regex: '\\pL{{100}}{at}'\n")).collect();
            format!("creation_rules:\n{rules}")
        };
        assert!(Config::parse(text(1).as_bytes(), Strictness::Lenient).is_ok());
        let error = Config::parse(text(60_000).as_bytes(), Strictness::Unchecked).unwrap_err();
        assert!(error.what.contains("too large together") && error.at.is_some_and(|at| at.0 < 500), "{error:?}");
        let ordinary: String =
            (0..1000).map(|at| format!("  - path_regex: ^apps/team-{at}/.*\\.enc\\.ya?ml$\n")).collect();
        assert!(Config::parse(format!("creation_rules:\n{ordinary}").as_bytes(), Strictness::Strict).is_ok());
    }
}
