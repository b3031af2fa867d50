//! Our own rule set: the records of `rules/*.toml`, turned into static data when the crate is built.

use std::sync::Arc;

use pattern::Pattern;

use crate::finding::{Confidence, Severity};
use crate::rule::{Check, Rule};
use crate::ruleset::RuleSet;

#[cfg(test)]
mod samples;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// One record as it stands in the rule files.
struct Record {
    id: &'static str,
    description: &'static str,
    regex: Option<&'static str>,
    path: Option<&'static str>,
    secret_group: usize,
    entropy: f64,
    keywords: &'static [&'static str],
    tags: &'static [&'static str],
    severity: Severity,
    confidence: Confidence,
    check: Option<Check>,
    check_name: &'static str,
    detector: Option<&'static str>,
    source: &'static str,
    group: &'static str,
}

/// What a record says beside the rule itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Where the format is documented: a public address.
    pub source: &'static str,
    /// The file of `rules/` that holds the record, without its ending: `cloud`, `keys`, …
    pub group: &'static str,
    /// What is verified offline beyond the pattern, one phrase: a checksum, a structure. `None` = the pattern and a look at
    /// how random the value is.
    pub verified: Option<&'static str>,
    /// Whether a parser judges the confidence from finding to finding.
    pub varies: bool,
}

/// Our own rules. Cheap: no regular expression is compiled here.
///
/// A rule that a structural detector emits has neither `regex` nor `path`: it only carries what reports show.
pub fn builtin() -> RuleSet {
    RuleSet { rules: RECORDS.iter().map(rule).collect(), allowlists: Vec::new(), structural: true }
}

/// The keywords of all rules with a regular expression: lower case, ascending, each once.
pub fn keywords() -> &'static [&'static str] {
    KEYWORDS
}

/// Whether a structural detector emits this rule: then it has no expression of its own.
pub(crate) fn is_detected(id: &str) -> bool {
    RECORDS.binary_search_by(|record| record.id.cmp(id)).is_ok_and(|found| RECORDS[found].detector.is_some())
}

/// What the record of one of our own rules says beside the rule; `None` for any other id.
pub fn about(id: &str) -> Option<About> {
    let record = &RECORDS[RECORDS.binary_search_by(|record| record.id.cmp(id)).ok()?];
    let verified = record.detector.and_then(verified_by_parser).or(verified_by_check(record.check_name));
    let varies = record.detector.is_some_and(|detector| !matches!(detector, "pem" | "putty" | "jwk"));
    Some(About { source: record.source, group: record.group, verified, varies })
}

/// What a check proves; `None` for those that only weigh how random a value is, or whether its name is a secret's.
fn verified_by_check(name: &str) -> Option<&'static str> {
    Some(match name {
        "crc32_base62" => "checksum (CRC-32)",
        "github_installation" | "github_refresh" => "checksum (CRC-32) of tokens of 40 characters",
        "age_identity" => "checksum (Bech32); a wrong one lowers the confidence",
        "age_plugin_identity" => "checksum (Bech32)",
        "wallet_import_format" => "checksum (Base58Check)",
        "json_web_token" => "header and claims are decoded",
        "sentry_organisation" => "the JSON inside is decoded",
        "base64_json" => "the JSON inside is decoded",
        "base64_private_key" => "the key inside is decoded",
        "base64_key" => "length of the decoded key",
        "minisign" => "the key inside is decoded: clear or encrypted",
        "discord_bot" => "the id inside is decoded",
        "aws_key_id" => "the account number inside is decoded",
        _ => return None,
    })
}

/// What a parser looks at, beyond names and how random a value is.
fn verified_by_parser(detector: &str) -> Option<&'static str> {
    Some(match detector {
        "pem" => "the key inside is decoded: clear or encrypted, drawn or made by counting",
        "putty" => "the key's header is read: clear or encrypted",
        "jwk" => "the JSON object and the key's length",
        "kubernetes-secret" | "kubeconfig" | "kubernetes-encryption" => "the manifest is parsed, base64 decoded",
        "netrc" | "files" => "the file's own grammar",
        "url" => "the address is parsed",
        _ => return None,
    })
}

fn rule(record: &Record) -> Rule {
    Rule {
        id: Arc::from(record.id),
        description: Arc::from(record.description),
        regex: record.regex.map(lazy),
        path: record.path.map(lazy),
        secret_group: record.secret_group,
        entropy: record.entropy,
        keywords: record.keywords.iter().map(|&keyword| keyword.to_owned()).collect(),
        tags: record.tags.iter().map(|&tag| tag.to_owned()).collect(),
        skip_report: false,
        required: Vec::new(),
        allowlists: Vec::new(),
        severity: record.severity,
        confidence: record.confidence,
        check: record.check,
    }
}

fn lazy(source: &'static str) -> Pattern {
    Pattern::trusted(source)
}
