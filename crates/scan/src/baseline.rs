//! Findings that were there before: a report of an earlier scan, or our own list of fingerprints.
//!
//! Four kinds are read: gitleaks' JSON (and ours, which has the same fields), our JSON lines, our SARIF, and the list
//! that [`update`] writes. Whatever carries our fingerprints is compared by them, so that line shifts do not matter;
//! gitleaks' own reports are compared as gitleaks does, field by field. What cannot be read is an error: a baseline
//! that is silently ignored turns every old finding into a new one, or worse.

mod old;

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use crate::finding::Finding;
use crate::fingerprint::Fingerprints;
use crate::ignore::allow::{self, Allow, Entry};
use crate::report::Dialect;
use crate::report::sarif::FINGERPRINT;
use crate::scanner::Redaction;
pub(crate) use old::Old;

/// Why a baseline cannot be used. Nothing of its text is repeated.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BaselineError {
    /// Nothing stands in it.
    #[error("the baseline is empty; an empty JSON report is []")]
    Empty,
    /// Not the JSON of a report.
    #[error("line {line}, column {column}: not a report in JSON, JSON lines or SARIF")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 if unknown.
        column: usize,
    },
    /// A SARIF report without our fingerprints.
    #[error("this SARIF report carries no fingerprints of plomb; use a JSON report")]
    ForeignSarif,
    /// A line of a list of fingerprints is none.
    #[error("line {line}: {what}")]
    Line {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}

/// What was found before.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    values: HashSet<String>,
    with_text: HashSet<[u8; 32]>,
    without_text: HashSet<[u8; 32]>,
}

/// What changed since a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Indexes of the findings that it does not know.
    pub new: Vec<usize>,
    /// Indexes of the findings that it knows.
    pub known: Vec<usize>,
    /// Fingerprints that it names and that are found no more, sorted.
    pub gone: Vec<String>,
}

impl Baseline {
    /// Reads a baseline of any kind.
    ///
    /// # Errors
    /// It is of no kind that we know, or damaged.
    pub fn parse(text: &[u8]) -> Result<Self, BaselineError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let start = text.trim_ascii_start();
        match start.first() {
            None => Err(BaselineError::Empty),
            Some(b'[') => Ok(Self::of(&serde_json::from_slice::<Vec<Old>>(text).map_err(place)?)),
            Some(b'{') => Self::objects(text),
            Some(_) if text.trim_ascii() == b"null" => Ok(Self::default()),
            Some(_) => Self::list(text),
        }
    }

    /// Whether a finding was there before. Texts are not compared when they are redacted.
    pub fn knows(&self, finding: &Finding, fingerprints: &Fingerprints, redaction: Redaction) -> bool {
        let exact = |dialect| match redaction {
            Redaction::Off | Redaction::Percent(0) => self.with_text.contains(&old::key(finding, dialect, true)),
            Redaction::Full | Redaction::Percent(_) => self.without_text.contains(&old::key(finding, dialect, false)),
        };
        let by_value = !self.values.is_empty() && self.values.contains(&fingerprints.of(finding));
        by_value || (!self.with_text.is_empty() && (exact(Dialect::Gitleaks) || exact(Dialect::Plomb)))
    }

    /// Compares findings with what was there before. What is gone can be told only for entries with our fingerprints.
    pub fn audit(&self, findings: &[Finding], fingerprints: &Fingerprints, redaction: Redaction) -> Audit {
        let mut audit = Audit::default();
        let mut gone: HashSet<&str> = self.values.iter().map(String::as_str).collect();
        for (index, finding) in findings.iter().enumerate() {
            gone.remove(fingerprints.of(finding).as_str());
            let known = self.knows(finding, fingerprints, redaction);
            if known { &mut audit.known } else { &mut audit.new }.push(index);
        }
        audit.gone = gone.into_iter().map(str::to_owned).collect();
        audit.gone.sort();
        audit
    }

    fn of(reports: &[Old]) -> Self {
        let mut baseline = Self::default();
        for old in reports {
            match &old.value_fingerprint {
                Some(value) => drop(baseline.values.insert(value.clone())),
                None => {
                    baseline.with_text.insert(old.key(true));
                    baseline.without_text.insert(old.key(false));
                }
            }
        }
        baseline
    }

    /// One SARIF log, or JSON lines.
    fn objects(text: &[u8]) -> Result<Self, BaselineError> {
        let mut olds = Vec::new();
        for object in serde_json::Deserializer::from_slice(text).into_iter::<Object>() {
            match object.map_err(place)? {
                Object { runs: Some(runs), .. } => return Self::sarif(&runs),
                Object { old, .. } if old.rule_id.is_empty() => return Err(BaselineError::Json { line: 1, column: 0 }),
                Object { old, .. } => olds.push(old),
            }
        }
        Ok(Self::of(&olds))
    }

    fn sarif(runs: &[SarifRun]) -> Result<Self, BaselineError> {
        let results = runs.iter().flat_map(|run| &run.results);
        let prints: Vec<_> = results.map(|result| result.partial_fingerprints.get(FINGERPRINT)).collect();
        let values: HashSet<String> =
            prints.iter().filter_map(|print| print.and_then(serde_json::Value::as_str)).map(str::to_owned).collect();
        if values.is_empty() && !prints.is_empty() {
            return Err(BaselineError::ForeignSarif);
        }
        Ok(Self { values, ..Self::default() })
    }

    fn list(text: &[u8]) -> Result<Self, BaselineError> {
        let values = entries(text)?.into_iter().map(|entry| entry.fingerprint).collect();
        Ok(Self { values, ..Self::default() })
    }
}

/// A list of the fingerprints of findings, made from an earlier one (empty: a new list): what is found no more goes,
/// what is new is added at its sorted place, every other line stays as it is.
///
/// # Errors
/// A line of the earlier list is no entry.
pub fn update(list: &[u8], findings: &[Finding], fingerprints: &Fingerprints) -> Result<Vec<u8>, BaselineError> {
    let found: HashSet<String> = findings.iter().map(|finding| fingerprints.of(finding)).collect();
    let gone = entries(list)?.into_iter().filter(|entry| !found.contains(&entry.fingerprint));
    let kept = allow::remove(list, &gone.map(|entry| entry.line).collect::<Vec<_>>());
    let kept = if kept.is_empty() { HEAD.as_bytes().to_vec() } else { kept };
    let new = found.into_iter().map(|fingerprint| Entry { fingerprint, ..Entry::default() }).collect();
    Ok(allow::add_all(&kept, new).expect("what makes fingerprints makes valid ones"))
}

/// What a new list begins with.
const HEAD: &str = "# plomb baseline: findings that were there before. Sorted, one per line; safe to merge.\n";

fn entries(text: &[u8]) -> Result<Vec<Entry>, BaselineError> {
    let (allow, malformed) = Allow::parse(text);
    match malformed.into_iter().next() {
        Some(bad) => Err(BaselineError::Line { line: bad.line, what: bad.what }),
        None => Ok(allow.entries().to_vec()),
    }
}

/// Only where: the message may quote a secret.
fn place(error: serde_json::Error) -> BaselineError {
    BaselineError::Json { line: error.line(), column: error.column() }
}

#[derive(Deserialize)]
struct Object {
    runs: Option<Vec<SarifRun>>,
    #[serde(flatten)]
    old: Old,
}

#[derive(Deserialize)]
struct SarifRun {
    #[serde(default)]
    results: Vec<SarifResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    #[serde(default)]
    partial_fingerprints: BTreeMap<String, serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::by_name;
    use crate::report::example::{committed, finding, notes, run};

    fn report(format: &str, findings: &[Finding], dialect: Dialect) -> Vec<u8> {
        let (rules, prints) = (notes(findings), Fingerprints::default());
        let mut out = Vec::new();
        by_name(format).unwrap().write(&run(findings, &rules, &prints, dialect), &mut out).unwrap();
        out
    }

    fn knows(baseline: &[u8], finding: &Finding) -> bool {
        Baseline::parse(baseline).unwrap().knows(finding, &Fingerprints::default(), Redaction::Full)
    }

    #[test]
    fn every_report_of_ours_survives_a_line_shift() {
        let old = committed("r", "a b.txt", 3);
        let mut moved = old.clone();
        moved.span.start_line = 40;
        let mut other = old.clone();
        other.digest.0[0] ^= 1;
        other.span.start_line = 41;
        for format in ["json", "jsonl", "sarif"] {
            let baseline = report(format, std::slice::from_ref(&old), Dialect::Plomb);
            assert!(knows(&baseline, &old) && knows(&baseline, &moved), "{format}");
            assert!(!knows(&baseline, &other), "{format}");
        }
    }

    #[test]
    fn reports_of_gitleaks_are_compared_field_by_field() {
        let old = committed("r", "a.txt", 3);
        let baseline = report("json", std::slice::from_ref(&old), Dialect::Gitleaks);
        assert!(knows(&baseline, &old));
        let changes: [fn(&mut Finding); 5] = [
            |finding| finding.span.start_line += 1,
            |finding| finding.span.end_byte_column += 1,
            |finding| finding.rule = "q".into(),
            |finding| finding.entropy += 0.5,
            |finding| finding.origin.place = crate::finding::Place::File,
        ];
        for change in changes {
            let mut new = old.clone();
            change(&mut new);
            assert!(!knows(&baseline, &new));
        }
        let mut tagged = old.clone();
        tagged.tags.clear();
        assert!(knows(&baseline, &tagged));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for text in
            ["", " \n", "[", "[1]", "{}", "{\"a\":1}", "plomb:v1:nonsense", "hello", "[{\"StartLine\":\"s3cret\"}]"]
        {
            let error = Baseline::parse(text.as_bytes()).unwrap_err();
            assert!(!error.to_string().contains("s3cret"));
        }
        let foreign = report("sarif", &[finding("r", "p", 1)], Dialect::Gitleaks);
        assert_eq!(Baseline::parse(&foreign).unwrap_err(), BaselineError::ForeignSarif);
        for text in ["[]", "null\n", "# nothing\n"] {
            assert!(Baseline::parse(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_list_follows_the_findings() {
        let prints = Fingerprints::default();
        let (one, two, three) = (finding("r", "a", 1), finding("r", "b", 1), finding("r", "c", 1));
        let first = update(b"", &[two.clone(), one.clone()], &prints).unwrap();
        let text = String::from_utf8(first.clone()).unwrap();
        assert_eq!(text, format!("{HEAD}{}\n{}\n", prints.of(&one), prints.of(&two)));
        let noted = text.replace(&prints.of(&two), &format!("{}  seen by B.", prints.of(&two)));
        let second = update(noted.as_bytes(), &[two.clone(), three.clone()], &prints).unwrap();
        let expected = format!("{HEAD}{}  seen by B.\n{}\n", prints.of(&two), prints.of(&three));
        assert_eq!(String::from_utf8(second.clone()).unwrap(), expected);
        let audit = Baseline::parse(&second).unwrap().audit(&[one, two], &prints, Redaction::Full);
        assert_eq!((audit.new, audit.known, audit.gone), (vec![0], vec![1], vec![prints.of(&three)]));
    }
}
