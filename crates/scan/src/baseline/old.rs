//! One finding of an earlier JSON report, and what of it must be equal.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::finding::Finding;
use crate::report::Dialect;
use crate::report::fields::{Fields, lossy};

/// The fields of gitleaks' JSON; ours has more.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Old {
    #[serde(rename = "RuleID")]
    pub(crate) rule_id: String,
    pub(crate) description: String,
    pub(crate) start_line: usize,
    pub(crate) end_line: usize,
    pub(crate) start_column: usize,
    pub(crate) end_column: usize,
    #[serde(rename = "Match")]
    pub(crate) matched: String,
    pub(crate) secret: String,
    pub(crate) file: String,
    pub(crate) symlink_file: String,
    pub(crate) commit: String,
    pub(crate) entropy: f32,
    pub(crate) author: String,
    pub(crate) email: String,
    pub(crate) date: String,
    pub(crate) message: String,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) value_fingerprint: Option<String>,
}

impl Old {
    pub(super) fn key(&self, with_text: bool) -> [u8; 32] {
        let text = [self.matched.as_str(), &self.secret];
        let words = [&self.rule_id, &self.description, &self.file, &self.commit, &self.author, &self.email];
        let words = words.into_iter().chain([&self.date, &self.message]).map(String::as_str);
        let numbers = [self.start_line, self.end_line, self.start_column, self.end_column];
        hash(words.chain(text.into_iter().filter(|_| with_text)), numbers, self.entropy)
    }
}

/// The same of a finding, with its columns as a dialect counts them.
pub(super) fn key(finding: &Finding, dialect: Dialect, with_text: bool) -> [u8; 32] {
    let row = Fields::of(finding, dialect);
    let text = [finding.matched.as_str(), finding.secret.as_str()];
    let path = lossy(row.path);
    let words =
        [&*finding.rule, &*finding.description, &path, row.commit, row.author, row.email, row.date, row.message];
    let numbers = [finding.span.start_line, finding.span.end_line, row.start_column, row.end_column];
    hash(words.into_iter().chain(text.into_iter().filter(|_| with_text)), numbers, finding.entropy)
}

fn hash<'a>(words: impl Iterator<Item = &'a str>, numbers: [usize; 4], entropy: f32) -> [u8; 32] {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    for number in numbers {
        hash.update((number as u64).to_be_bytes());
    }
    hash.update(entropy.to_be_bytes());
    hash.finalize().into()
}
