//! What a file is, by its bytes alone: plain, encrypted, or something that was meant to be one of the two.

use document::{Document, Format, FormatError, Map, Value};
use memchr::memmem;
use secret::SecretBytes;

use crate::error::SopsError;
use crate::open::Encrypted;
use crate::seal::metadata_entry;
use crate::selector::SELECTOR_FIELDS;

/// What a file turned out to be.
#[derive(Debug)]
pub enum Look {
    /// It reads, and has no `sops` block in its first document.
    Plain(Document),
    /// It has a block that can be used.
    Encrypted(Box<Encrypted>),
    /// It has a block that cannot be used.
    Broken(SopsError),
    /// It does not read in its format.
    Unreadable(FormatError),
}

/// Reads `bytes` as `format`. A binary file that is no JSON wrapper with a block is plain, whatever is in it.
/// An entry that only bears the name `sops` makes no block (see [`is_block`]).
pub fn look(bytes: &[u8], format: &'static dyn Format) -> Look {
    if !format.edits_in_place() && !has_block(format, bytes) {
        return plain(bytes, format);
    }
    let doc = match format.parse_sealed(SecretBytes::new(bytes.to_vec())) {
        Ok(doc) => doc,
        Err(_) if !format.edits_in_place() => return plain(bytes, format),
        Err(error) => return Look::Unreadable(error),
    };
    if !carries_block(&doc) {
        return Look::Plain(doc);
    }
    match Encrypted::new(doc) {
        Ok(encrypted) => Look::Encrypted(Box::new(encrypted)),
        Err(error) => Look::Broken(error),
    }
}

fn plain(bytes: &[u8], format: &'static dyn Format) -> Look {
    format.parse(SecretBytes::new(bytes.to_vec())).map_or_else(Look::Unreadable, Look::Plain)
}

/// Whether the first document carries a block.
fn carries_block(doc: &Document) -> bool {
    if doc.format.name() == "dotenv" {
        let known = |key: &str| {
            let name = key.strip_prefix("sops_").unwrap_or_default();
            let list = name.split_once("__list_").map(|(kind, _)| kind);
            matches!(name, "mac" | "lastmodified") || list.is_some_and(|kind| KEY_LISTS.contains(&kind))
        };
        return doc.branches.first().is_some_and(|branch| branch.root.entries().any(|entry| known(&entry.key)));
    }
    metadata_entry(doc).is_some_and(|entry| entry.value.value.as_map().is_some_and(is_block))
}

const KEY_LISTS: [&str; 8] = ["age", "azure_kv", "gcp_kms", "hc_vault", "hckms", "key_groups", "kms", "pgp"];

/// Whether the map under a key `sops` is what SOPS writes, rather than somebody's settings for it: a MAC, a time
/// or a key list (flattened, in INI) is there, or a version with a selector.
pub fn is_block(map: &Map) -> bool {
    let has = |name: &str| map.get(name).is_some_and(|node| !matches!(node.value, Value::Null));
    let list = |name: &&str| {
        map.get(name).is_some_and(|node| node.value.as_list().is_some_and(|list| list.nodes().next().is_some()))
            || map.entries().any(|entry| entry.key.strip_prefix(*name).is_some_and(|rest| rest.starts_with("__list_")))
    };
    has("mac")
        || has("lastmodified")
        || KEY_LISTS.iter().any(list)
        || (has("version") && SELECTOR_FIELDS.iter().any(|field| has(field)))
}

/// Whether `text` seems to hold a block of `format`: by its bytes, so that it can be said of files that do not read.
pub fn has_block(format: &dyn Format, text: &[u8]) -> bool {
    let has = |needle: &str| memmem::find(text, needle.as_bytes()).is_some();
    let block = match format.name() {
        "yaml" => text.starts_with(b"sops:") || has("\nsops:") || has("\rsops:") || has("\"sops\"") || has("'sops'"),
        "dotenv" => return has("sops_version=") || has("sops_mac=") || has("sops_lastmodified="),
        "ini" => has("[sops]"),
        _ => text.trim_ascii_start().starts_with(b"{") && has("\"sops\""),
    };
    block && (has("lastmodified") || has("ENC[AES256_GCM,"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use document::format::by_name;

    fn kind(text: &str, format: &str) -> &'static str {
        match look(text.as_bytes(), by_name(format).unwrap()) {
            Look::Plain(_) => "plain",
            Look::Encrypted(_) => "encrypted",
            Look::Broken(_) => "broken",
            Look::Unreadable(_) => "unreadable",
        }
    }

    #[test]
    fn a_key_named_sops_is_not_yet_a_block() {
        assert_eq!(kind("sops:\n  enabled: true\n", "yaml"), "plain");
        assert_eq!(kind("sops: null\n", "yaml"), "plain");
        assert_eq!(kind("sops_home=/x\n", "dotenv"), "plain");
        assert_eq!(kind("a: 1\nsops:\n  mac: x\n", "yaml"), "broken");
        assert_eq!(kind("sops_mac=x\n", "dotenv"), "broken");
        assert_eq!(kind("[sops]\nage__list_0__map_enc=x\n", "ini"), "broken");
        assert_eq!(kind("a: [\n", "yaml"), "unreadable");
        assert_eq!(kind("{\"sops\": 1}", "binary"), "plain");
        assert_eq!(kind("{\"data\": \"x\", \"sops\": {\"lastmodified\": \"x\"}}", "binary"), "broken");
    }
}
