//! Lists of values that stand where they must not, each with its place, in the order of the file.

use std::collections::{BTreeMap, HashSet};

use document::{Document, Entry, Path, Step, Value};
use sha2::{Digest as _, Sha256};
use sops::{Found, Met, Selector, each_value};

use crate::breach::{Breach, Kind, RulePlace, shown_path};
use crate::claim::{is_head, is_placeholder};
use crate::lines::Lines;
use scan::Confidence;
use scan::finding::Digest;

/// Values of one file that are listed one by one; the rest is counted.
pub(crate) const LISTED: usize = 100;

/// A value that was met in clear.
#[derive(Debug)]
pub(crate) struct Clear {
    pub(crate) document: usize,
    pub(crate) path: Path,
    /// Digest of the value.
    pub(crate) digest: Digest,
    /// Whether something else fills it in later.
    pub(crate) placeholder: bool,
    pub(crate) confidence: Confidence,
    pub(crate) rule: Option<RulePlace>,
    /// Why it must be encrypted, as the rest of a sentence.
    pub(crate) why: &'static str,
}

/// Clear values by their offset: a value that several selectors name is listed once.
pub(crate) type ClearValues = BTreeMap<u32, Clear>;

/// Adds the values that stand in clear under `selector`. `weigh` says how sure the document makes it; a document
/// without a weight is passed over, and so is what Kubernetes must read of a manifest where `skip_heads`.
pub(crate) fn add_clear(values: &mut ClearValues, doc: &mut Document, selector: &Selector, by: &By<'_>) {
    let heads = if by.skip_heads { heads(doc) } else { HashSet::new() };
    each_value(doc, selector, &mut |met| {
        if !met.selected || met.found != Found::Clear || values.contains_key(&met.offset) {
            return;
        }
        let document = met.document();
        let Some(confidence) = by.weights.map_or(Some(Confidence::High), |weights| weights.get(document).copied()?)
        else {
            return;
        };
        let path = met.path();
        let is_head = matches!(path.0.first(), Some(Step::Key(key)) if heads.contains(&(document, key.clone())));
        if is_head {
            return;
        }
        let (placeholder, rule, why) = (stands_in(met), by.rule.cloned(), by.why);
        let digest = value_digest(met);
        values.insert(met.offset, Clear { document, path, digest, placeholder, confidence, rule, why });
    });
}

/// Who asks for values to be encrypted.
pub(crate) struct By<'a> {
    /// Per document; `None` = all, for sure.
    pub(crate) weights: Option<&'a [Option<Confidence>]>,
    pub(crate) rule: Option<&'a RulePlace>,
    pub(crate) skip_heads: bool,
    pub(crate) why: &'static str,
}

fn stands_in(met: &Met<'_>) -> bool {
    matches!(met.value, Value::Str(text) if is_placeholder(text.expose()))
}

/// The top-level keys that never hold secrets: the heads of manifests, `sops` blocks of later documents.
pub(crate) fn heads(doc: &Document) -> HashSet<(usize, Box<str>)> {
    let branches = doc.branches.iter().enumerate();
    branches
        .flat_map(|(document, branch)| {
            let is_block =
                |entry: &Entry| &*entry.key == "sops" && entry.value.value.as_map().is_some_and(sops::is_block);
            let heads = branch.root.entries().filter(move |entry| is_head(branch, &entry.key) || is_block(entry));
            heads.map(move |entry| (document, entry.key.clone()))
        })
        .collect()
}

/// Digest of a value in clear.
pub(crate) fn value_digest(met: &Met<'_>) -> Digest {
    let mut hash = Sha256::new();
    if let Some(bytes) = met.canonical() {
        hash.update(bytes.as_ref());
    }
    Digest(hash.finalize().into())
}

/// Digest of all these values and their places.
pub(crate) fn digest(values: &ClearValues) -> Digest {
    let mut hash = Sha256::new();
    for value in values.values() {
        hash.update(format!("{}{}", value.document, value.path));
        hash.update([0]);
        hash.update(value.digest.0);
    }
    Digest(hash.finalize().into())
}

/// One breach per value, as far as they are listed one by one.
pub(crate) fn breaches<'v>(
    values: impl Iterator<Item = (&'v u32, &'v Clear)>,
    file: &[u8],
    lines: &Lines<'_>,
    next: &str,
) -> Vec<Breach> {
    let one = |(offset, value): (&u32, &Clear)| {
        let shown = shown_path(&value.path);
        Breach::of_file(Kind::ValueInClear, file, format!("the value {shown} stands in clear: {}", value.why))
            .at(lines.at(*offset as usize))
            .by(value.rule.clone())
            .on(value.document, value.path.clone())
            .holding(value.digest)
            .sure(value.confidence)
            .next(next)
    };
    let mut values = values.map(one);
    let mut listed: Vec<Breach> = values.by_ref().take(LISTED).collect();
    let more = values.count();
    if let Some(last) = listed.last_mut().filter(|_| more > 0) {
        last.message.push_str(&format!(" (and {more} more below)"));
    }
    listed
}
