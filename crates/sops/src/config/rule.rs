//! One creation rule, one destination rule.

use document::{Entry, Node, Value};
use keys::KeyError;

use super::read::Reader;
use super::{Config, ConfigError};
use crate::policy::Policy;
use crate::selector::{Pattern, SELECTOR_FIELDS, Selector};

/// An entry of `creation_rules`.
#[derive(Clone, Debug, Default)]
pub struct CreationRule {
    /// Which files; `None` is all.
    pub path_regex: Option<Pattern>,
    /// What it says about them.
    pub policy: Policy,
    /// Recipients of its `age` that get nothing, since there are `key_groups` which do not name them.
    pub unused: Vec<String>,
    /// Line of the rule in the configuration, from 1.
    pub line: usize,
    /// Column of its first field there, from 1.
    pub column: usize,
}

impl CreationRule {
    /// Whether the rule is for `path` (relative to the configuration's folder).
    pub fn matches(&self, path: &str) -> bool {
        self.path_regex.as_ref().is_none_or(|pattern| pattern.is_match(path.as_bytes()))
    }
}

/// Where `publish` puts files.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// A folder (ours; SOPS has no such destination).
    Path(String),
    /// A service on the network, by the field that names it; refused, since we open no connection.
    Network(&'static str),
}

/// An entry of `destination_rules`.
#[derive(Clone, Debug)]
pub struct DestinationRule {
    /// Which files; `None` is all.
    pub path_regex: Option<Pattern>,
    /// Where to.
    pub destination: Option<Destination>,
    /// Re-encrypt by this policy first.
    pub recreation: Option<Policy>,
    /// Drop the extension of the published name.
    pub omit_extensions: bool,
}

/// Direct key fields and what SOPS' metadata calls the kind.
const FOREIGN_FIELDS: [&str; 6] = ["pgp", "kms", "gcp_kms", "azure_keyvault", "hc_vault_transit_uri", "hckms"];

const RULE_FIELDS: [&str; 18] = [
    "path_regex",
    "age",
    "key_groups",
    "shamir_threshold",
    "mac_only_encrypted",
    "encrypted_regex",
    "unencrypted_regex",
    "encrypted_suffix",
    "unencrypted_suffix",
    "encrypted_comment_regex",
    "unencrypted_comment_regex",
    "pgp",
    "kms",
    "gcp_kms",
    "azure_keyvault",
    "hc_vault_transit_uri",
    "hckms",
    "aws_profile",
];

const GROUP_FIELDS: [&str; 9] =
    ["merge", "age", "pgp", "kms", "gcp_kms", "azure_keyvault", "hc_vault", "hckms", "azure_kv"];

pub(super) fn creation_rules(reader: &Reader<'_>, node: &Node) -> Result<Vec<CreationRule>, ConfigError> {
    let mut states = 0;
    let mut rules = Vec::new();
    for node in reader.list(node, "creation_rules")? {
        let rule = creation_rule(reader, node)?;
        states += patterns(&rule).map(Pattern::size).sum::<usize>();
        if states > MOST_STATES {
            return Err(reader.error(node, "the regular expressions up to here are too large together"));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// What all regular expressions of a configuration may compile to, in states: some 20 MB. A rule of an ordinary
/// repository has a hundred.
const MOST_STATES: usize = 1_000_000;

fn patterns(rule: &CreationRule) -> impl Iterator<Item = &Pattern> {
    let selector = rule.policy.selector.as_ref().and_then(Selector::pattern);
    rule.path_regex.iter().chain(selector)
}

fn creation_rule(reader: &Reader<'_>, node: &Node) -> Result<CreationRule, ConfigError> {
    let line = reader.line(node.site.span.start);
    let mut rule = CreationRule { line, column: reader.column(node.site.span.start), ..CreationRule::default() };
    let (mut age, mut groups) = (Vec::new(), None);
    for entry in reader.map(node, "a creation rule")?.entries() {
        let value = &entry.value;
        match &*entry.key {
            "path_regex" => rule.path_regex = pattern(reader, entry)?,
            "age" => age = recipients(reader, value, "age")?,
            "key_groups" => groups = Some(key_groups(reader, value, &mut rule.policy.foreign)?),
            "shamir_threshold" => rule.policy.threshold = threshold(reader, value)?,
            "mac_only_encrypted" => rule.policy.mac_only_encrypted = reader.boolean(value, "mac_only_encrypted")?,
            "aws_profile" => {}
            field if SELECTOR_FIELDS.contains(&field) => selector(reader, entry, &mut rule.policy)?,
            field if FOREIGN_FIELDS.contains(&field) => foreign(reader, entry, &mut rule.policy.foreign)?,
            _ => reader.unknown(entry, &RULE_FIELDS)?,
        }
    }
    check_threshold(reader, node, &rule, groups.as_deref())?;
    // Key groups win over direct keys, as in SOPS.
    rule.policy.groups = match groups {
        Some(groups) if !groups.is_empty() => {
            rule.unused = age.into_iter().filter(|own| !groups.concat().contains(own)).collect();
            groups
        }
        _ => vec![age],
    };
    Ok(rule)
}

/// A threshold that no file could meet is refused where it stands. SOPS refuses it too when it encrypts, but for
/// a single group it writes it down without effect: whoever asked for two of two would get one of one.
fn check_threshold(
    reader: &Reader<'_>,
    node: &Node,
    rule: &CreationRule,
    groups: Option<&[Vec<String>]>,
) -> Result<(), ConfigError> {
    let (Some(threshold), Some(groups)) = (rule.policy.threshold, groups.filter(|groups| !groups.is_empty())) else {
        return Ok(());
    };
    if !reader.strict || threshold <= groups.len() {
        return Ok(());
    }
    let field = node.value.as_map().and_then(|map| map.get("shamir_threshold")).unwrap_or(node);
    Err(reader.error(field, format!("shamir_threshold {threshold} is more than the {} key groups", groups.len())))
}

fn pattern(reader: &Reader<'_>, entry: &Entry) -> Result<Option<Pattern>, ConfigError> {
    let text = reader.text(&entry.value, &entry.key)?;
    let compiled = Pattern::new(&text).map_err(|why| reader.error(&entry.value, format!("{}: {why}", entry.key)))?;
    Ok((!text.is_empty()).then_some(compiled))
}

fn selector(reader: &Reader<'_>, entry: &Entry, policy: &mut Policy) -> Result<(), ConfigError> {
    let text = reader.text(&entry.value, &entry.key)?;
    if text.is_empty() {
        return Ok(());
    }
    if let Some(other) = &policy.selector {
        let what = format!("{} and {} cannot both be set in one rule", other.field().0, entry.key);
        return Err(reader.error(&entry.value, what));
    }
    let selector = Selector::from_field(&entry.key, &text);
    policy.selector = Some(selector.map_err(|why| reader.error(&entry.value, format!("{}: {why}", entry.key)))?);
    Ok(())
}

fn threshold(reader: &Reader<'_>, node: &Node) -> Result<Option<usize>, ConfigError> {
    match reader.integer(node, "shamir_threshold")? {
        0 => Ok(None),
        number => {
            usize::try_from(number).map(Some).map_err(|_| reader.error(node, "shamir_threshold must be positive"))
        }
    }
}

/// Recipients, each checked so that a wrong one is named with its line and a secret key is never echoed.
fn recipients(reader: &Reader<'_>, node: &Node, name: &str) -> Result<Vec<String>, ConfigError> {
    let mut keys = reader.keys(node, name)?;
    if !reader.checks_recipients {
        keys.retain(|(_, text)| keys::parse_recipient(text).err() != Some(KeyError::SecretAsRecipient));
    }
    for (node, text) in keys.iter().filter(|_| reader.checks_recipients) {
        keys::parse_recipient(text).map_err(|error| reader.error(node, error.to_string()))?;
    }
    Ok(keys.into_iter().map(|(_, text)| text).collect())
}

fn foreign(reader: &Reader<'_>, entry: &Entry, found: &mut Vec<String>) -> Result<(), ConfigError> {
    let keys = match &entry.value.value {
        Value::List(list) if list.nodes().any(|node| node.value.as_map().is_some()) => {
            vec![format!("{}: entry", entry.key)]
        }
        _ => {
            reader.keys(&entry.value, &entry.key)?.into_iter().map(|(_, key)| format!("{}: {key}", entry.key)).collect()
        }
    };
    found.extend(keys);
    Ok(())
}

fn key_groups(reader: &Reader<'_>, node: &Node, found: &mut Vec<String>) -> Result<Vec<Vec<String>>, ConfigError> {
    let groups = reader.list(node, "key_groups")?;
    groups.into_iter().map(|node| key_group(reader, node, found, 0)).collect()
}

fn key_group(
    reader: &Reader<'_>,
    node: &Node,
    found: &mut Vec<String>,
    depth: usize,
) -> Result<Vec<String>, ConfigError> {
    if depth > 16 {
        return Err(reader.error(node, "key groups are merged too deeply"));
    }
    let mut group = Vec::new();
    let map = reader.map(node, "a key group")?;
    if let Some(merged) = map.get("merge") {
        for node in reader.list(merged, "merge")? {
            group.extend(key_group(reader, node, found, depth + 1)?);
        }
    }
    for entry in map.entries() {
        match &*entry.key {
            "merge" => {}
            "age" => group.extend(recipients(reader, &entry.value, "age")?),
            field if GROUP_FIELDS.contains(&field) => foreign(reader, entry, found)?,
            _ => reader.unknown(entry, &GROUP_FIELDS)?,
        }
    }
    let mut seen = std::collections::HashSet::new();
    group.retain(|recipient| seen.insert(recipient.clone()));
    Ok(group)
}

pub(super) fn destination_rules(reader: &Reader<'_>, node: &Node) -> Result<Vec<DestinationRule>, ConfigError> {
    reader.list(node, "destination_rules")?.into_iter().map(|node| destination_rule(reader, node)).collect()
}

const NETWORK_FIELDS: [&str; 3] = ["s3_bucket", "gcs_bucket", "vault_path"];
const DESTINATION_FIELDS: [&str; 12] = [
    "path_regex",
    "path",
    "s3_bucket",
    "s3_prefix",
    "gcs_bucket",
    "gcs_prefix",
    "vault_path",
    "vault_address",
    "vault_kv_mount_name",
    "vault_kv_version",
    "recreation_rule",
    "omit_extensions",
];

fn destination_rule(reader: &Reader<'_>, node: &Node) -> Result<DestinationRule, ConfigError> {
    let mut rule = DestinationRule { path_regex: None, destination: None, recreation: None, omit_extensions: false };
    for entry in reader.map(node, "a destination rule")?.entries() {
        let network = NETWORK_FIELDS.iter().find(|field| **field == &*entry.key);
        match (&*entry.key, network) {
            ("path_regex", _) => rule.path_regex = pattern(reader, entry)?,
            ("path", _) => set(reader, entry, &mut rule, Destination::Path(reader.text(&entry.value, "path")?))?,
            (_, Some(field)) => set(reader, entry, &mut rule, Destination::Network(field))?,
            ("recreation_rule", _) => rule.recreation = Some(creation_rule(reader, &entry.value)?.policy),
            ("omit_extensions", _) => rule.omit_extensions = reader.boolean(&entry.value, "omit_extensions")?,
            (field, _) if DESTINATION_FIELDS.contains(&field) => {}
            _ => reader.unknown(entry, &DESTINATION_FIELDS)?,
        }
    }
    Ok(rule)
}

fn set(reader: &Reader<'_>, entry: &Entry, rule: &mut DestinationRule, to: Destination) -> Result<(), ConfigError> {
    if rule.destination.is_some() {
        return Err(reader.error(&entry.value, "more than one destination in one rule"));
    }
    rule.destination = Some(to);
    Ok(())
}

impl Config {
    /// The first destination rule for `path`.
    pub fn destination_for(&self, path: &str) -> Option<&DestinationRule> {
        let fits =
            |rule: &&DestinationRule| rule.path_regex.as_ref().is_none_or(|regex| regex.is_match(path.as_bytes()));
        self.destination_rules.iter().find(fits)
    }
}
