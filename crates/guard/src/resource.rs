//! EncryptedSecret files: what must be encrypted in them follows from their kind, whatever the creation rule selects, and
//! the binding to their place must be among it.

use memchr::memmem;
use sealed::resource::{API_VERSION, KIND};
use sealed::write::file_policy;
use sops::{Encrypted, Policy, Selector};

use document::Document;

use crate::breach::{Breach, Kind};
use crate::file::Case;
use crate::values::{By, ClearValues, add_clear, breaches, digest};

/// Whether a file is an EncryptedSecret, plain or encrypted, by its top-level lines: a search, no parse.
pub fn is_resource(bytes: &[u8]) -> bool {
    memmem::find(bytes, API_VERSION.as_bytes()).is_some() && names_kind(bytes)
}

/// `kind: EncryptedSecret` at the start of a line, or as a member in JSON.
fn names_kind(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, KIND.as_bytes()).any(|at| {
        let ends = bytes.get(at + KIND.len()).is_none_or(|next| b"\"' \t\r\n,}#".contains(next));
        let line = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |before| before + 1);
        let before = bytes[line.max(at.saturating_sub(16))..at].trim_ascii_end();
        let before = before.strip_suffix(b"\"").or(before.strip_suffix(b"'")).unwrap_or(before).trim_ascii_end();
        let Some(key) = before.strip_suffix(b":").map(<[u8]>::trim_ascii_end) else { return false };
        ends && (key == b"kind" || key.ends_with(b"\"kind\""))
    })
}

/// The selector of every EncryptedSecret.
pub(crate) fn selector() -> Selector {
    file_policy(Policy::default()).selector.unwrap_or_default()
}

/// Checks a resource without a `sops` block.
pub(crate) fn plain(case: &Case<'_>, mut doc: Document) -> Vec<Breach> {
    let mut values = ClearValues::new();
    let why = "an EncryptedSecret keeps data, stringData and its binding encrypted";
    add_clear(&mut values, &mut doc, &selector(), &By { weights: None, rule: None, skip_heads: true, why });
    if values.is_empty() {
        return Vec::new();
    }
    let count = if values.len() == 1 { "1 value stands".to_owned() } else { format!("{} values stand", values.len()) };
    let what = format!("the file is an EncryptedSecret and is not encrypted: {count} in clear");
    let rule = case.claims.first().map(|claim| claim.rule.clone());
    let whole = case.breach(Kind::NotEncrypted, what).holding(digest(&values));
    let mut found = vec![whole.by(rule).next(case.encrypt_it())];
    found.extend(breaches(values.iter(), case.path, &case.lines, &case.encrypt_it()));
    found
}

/// What an encrypted resource lacks beyond what every encrypted file may lack.
pub(crate) fn encrypted(case: &Case<'_>, encrypted: &Encrypted) -> Vec<Breach> {
    let mut found = Vec::new();
    let wanted = selector();
    if encrypted.metadata().selector != wanted {
        let (field, pattern) = wanted.field();
        let what = format!("an EncryptedSecret is encrypted by {field} {pattern}, and this one is not");
        found.push(case.breach(Kind::SelectorDrift, what).next("decrypt the file and seal it again: plomb seal"));
    }
    let root = encrypted.document().branches.first().map(|branch| &branch.root);
    let spec = root.and_then(|root| root.get("spec")).and_then(|node| node.value.as_map());
    if spec.is_none_or(|spec| spec.get("binding").is_none()) {
        let what = "the EncryptedSecret has no binding: no cluster opens it, since nothing says where it belongs";
        let next = format!("plomb bind {}", crate::file::shell_word(case.path));
        found.push(case.breach(Kind::BindingMissing, what).next(next));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::is_resource;

    #[test]
    fn only_the_kind_itself_counts() {
        let with = |line: &str| is_resource(format!("apiVersion: plomb.dev/v1alpha1\n{line}\n").as_bytes());
        assert!(
            with("kind: EncryptedSecret")
                && with("kind: \"EncryptedSecret\"")
                && with("{\"kind\": \"EncryptedSecret\"}")
        );
        assert!(
            !with("kind: EncryptedSecretList") && !with("# an EncryptedSecret") && !with("  kind: EncryptedSecret")
        );
        assert!(!is_resource(b"kind: EncryptedSecret\n"));
    }
}
