//! A file without a `sops` block: must it have one, and did it have one?

use document::{Document, FormatError, Problem};
use memchr::memmem;
use scan::Confidence;
use sops::{Found, Look, Selector, each_value};

use crate::breach::{Breach, Kind, RulePlace};
use crate::claim::{Claim, weights};
use crate::file::Case;
use crate::rules::Rules;
use crate::values::{By, Clear, ClearValues, add_clear, breaches, digest};

/// Checks a file that reads and has no block.
pub(crate) fn check(case: &mut Case<'_>, mut doc: Document) -> Vec<Breach> {
    let mut values = ClearValues::new();
    let mut sure = case.claims.iter().filter_map(|claim| weigh(claim, &mut doc, &mut values)).max();
    if case.was.is_some() {
        add_formerly_sealed(case, &mut doc, &mut values);
        return stripped_with(case, &values);
    }
    let tokens = tokens(&mut doc, case.bytes);
    if tokens > 0 {
        return orphaned(case, &doc, tokens, &values);
    }
    if values.is_empty() {
        return nothing_selected(case, &mut doc).into_iter().collect();
    }
    // What something else fills in later is no secret yet; a mix of both is judged by the rest.
    if values.values().all(|value| value.placeholder) {
        sure = sure.min(Some(Confidence::Low));
        values.values_mut().for_each(|value| value.confidence = Confidence::Low);
    }
    let rule = values.values().find_map(|value| value.rule.clone());
    let listed = if case.format.edits_in_place() { list(case, &values) } else { Vec::new() };
    let count = match values.len() {
        _ if listed.is_empty() => String::new(),
        1 => ": 1 value stands in clear".to_owned(),
        count => format!(": {count} values stand in clear"),
    };
    let Some((rule, sure)) = rule.zip(sure) else { return Vec::new() };
    let mut found = vec![not_encrypted(case, &rule, &count).by(Some(rule)).sure(sure).holding(digest(&values))];
    found.extend(listed);
    found
}

/// The breach of a file that must be encrypted and is not.
pub(crate) fn not_encrypted(case: &Case<'_>, rule: &RulePlace, count: &str) -> Breach {
    let message = format!("the file must be encrypted, says the creation rule at {rule}, and is not{count}");
    case.breach(Kind::NotEncrypted, message).next(case.encrypt_it())
}

/// Adds what a claim wants encrypted; how sure it is of the surest document with such a value.
fn weigh(claim: &Claim, doc: &mut Document, values: &mut ClearValues) -> Option<Confidence> {
    let weights = weights(claim, doc);
    let by = By {
        weights: Some(&weights),
        rule: Some(&claim.rule),
        skip_heads: true,
        why: "a creation rule covers it and the file is not encrypted",
    };
    add_clear(values, doc, &claim.selector, &by);
    values.values().map(|value| value.confidence).max()
}

fn add_formerly_sealed(case: &Case<'_>, doc: &mut Document, values: &mut ClearValues) {
    let selector = match &case.was {
        Some(Look::Encrypted(was)) if was.document().format.edits_in_place() => was.metadata().selector.clone(),
        _ => Selector::default(),
    };
    let by = By { weights: None, rule: None, skip_heads: true, why: "it was encrypted before the change" };
    add_clear(values, doc, &selector, &by);
    values.values_mut().for_each(|value| value.confidence = Confidence::High);
}

fn stripped_with(case: &Case<'_>, values: &ClearValues) -> Vec<Breach> {
    let mut found = vec![stripped(case).holding(digest(values))];
    if case.format.edits_in_place() {
        found.extend(list(case, values));
    }
    found
}

fn list(case: &Case<'_>, values: &ClearValues) -> Vec<Breach> {
    breaches(values.iter(), case.path, &case.lines, &case.encrypt_it())
}

/// The breach of a file that was encrypted before the change.
pub(crate) fn stripped(case: &Case<'_>) -> Breach {
    let rule = case.claims.first().map(|claim| claim.rule.clone());
    let breach = match case.bytes.trim_ascii().is_empty() {
        true => case
            .breach(Kind::MetadataStripped, "the file was encrypted before the change and is empty now")
            .next("git checkout HEAD -- the file: a write may have failed half-way"),
        false => case
            .breach(Kind::MetadataStripped, "the file was encrypted before the change and has no sops block now")
            .next(case.encrypt_it()),
    };
    breach.by(rule)
}

/// Tokens without a block: nobody can open them any more.
fn orphaned(case: &Case<'_>, doc: &Document, tokens: usize, values: &ClearValues) -> Vec<Breach> {
    let (sure, rule) = match case.claimed_by_path() {
        Some((sure, claim)) => (sure, Some(claim.rule.clone())),
        None => (Confidence::Low, None),
    };
    let is_block =
        |root: &document::Map| root.get("sops").is_some_and(|node| node.value.as_map().is_some_and(sops::is_block));
    let later = doc.branches.iter().skip(1).any(|branch| is_block(&branch.root));
    let message = match later {
        true => "the sops block is not in the first document of the file, where it is looked for".to_owned(),
        false => format!("the file holds {tokens} encrypted values and no sops block: nobody can decrypt them"),
    };
    let breach = case.breach(Kind::MetadataStripped, message).by(rule).sure(sure);
    let mut found = vec![breach.next("take the sops block from an older version: git log -p -- the file")];
    let clear: Vec<(&u32, &Clear)> = values.iter().collect();
    found.extend(breaches(
        clear.into_iter(),
        case.path,
        &case.lines,
        "encrypt the file again from its last whole version",
    ));
    found
}

/// How many well-formed tokens there are, if any could be.
fn tokens(doc: &mut Document, bytes: &[u8]) -> usize {
    if !doc.format.edits_in_place() || memmem::find(bytes, b"ENC[AES256_GCM,").is_none() {
        return 0;
    }
    let mut count = 0;
    each_value(doc, &Selector::default(), &mut |met| count += usize::from(met.found == Found::Token));
    count
}

/// A rule that picks out a file by name and whose selector finds nothing in it: sops would leave all of it in clear.
fn nothing_selected(case: &Case<'_>, doc: &mut Document) -> Option<Breach> {
    let (sure, claim) = case.claimed_by_path()?;
    let asked = weights(claim, doc).into_iter().flatten().next().is_some();
    let mut filled = false;
    each_value(doc, &Selector::default(), &mut |met| filled |= met.found == Found::Clear);
    if sure < Confidence::High || !asked || !filled || !case.format.edits_in_place() {
        return None;
    }
    let (field, text) = claim.selector.field();
    let message =
        format!("the creation rule at {} covers the file, and its {field} {text} selects nothing in it", claim.rule);
    let breach = case.breach(Kind::NothingSelected, message).by(Some(claim.rule.clone())).sure(Confidence::Low);
    Some(breach.next("check the rule's selector: plomb config check"))
}

/// A file that does not read in its format.
pub(crate) fn unreadable(case: &Case<'_>, error: &FormatError, block: bool) -> Vec<Breach> {
    let empty = error.problem == Problem::Empty || case.bytes.trim_ascii().is_empty();
    if case.was.is_some() && (empty || !block) {
        return vec![stripped(case)];
    }
    let claim = case.claimed_by_path();
    if empty || !(block || case.was.is_some() || claim.is_some()) {
        return Vec::new();
    }
    let format = match case.format.name() {
        "yaml" => "YAML",
        "json" => "JSON",
        "ini" => "INI",
        other => other,
    };
    let what = if block { "has a sops block" } else { "must be encrypted" };
    // Templates are filled in later, and sops could not encrypt them either.
    let template = !block && memmem::find(case.bytes, b"{{").is_some();
    let sure = match claim {
        _ if template => Confidence::Low,
        Some((sure, _)) if !block => sure,
        _ => Confidence::High,
    };
    let message = format!("the file {what} and cannot be read as {format}: {}", error.what);
    let breach = case.breach(Kind::Unreadable, message).at_place(error.at).sure(sure);
    let next = match block {
        true => "repair it, or take it from an older version",
        false => "repair it, or leave it out of the creation rule's path_regex",
    };
    vec![breach.by(claim.map(|(_, claim)| claim.rule.clone())).next(next)]
}

impl Rules {
    /// Whether the rules surely or probably want this file encrypted and it is not: what `status` and `--fix` ask.
    pub fn wants_encrypted(&self, file: &crate::FileVersion<'_>) -> bool {
        let kinds = [Kind::NotEncrypted, Kind::MetadataStripped];
        self.check(file).iter().any(|breach| kinds.contains(&breach.kind) && breach.confidence >= Confidence::Medium)
    }
}
