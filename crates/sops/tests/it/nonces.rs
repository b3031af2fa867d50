//! Unchanged values keep their token, and no (key, nonce) pair ever meets two plaintexts.

use std::collections::HashMap;

use proptest::prelude::*;

use crate::keys_at_hand::{Keys, format, seal, seal_with, text_of};

/// Every token of a file, with its path and plaintext.
fn tokens(text: &[u8], keys: &Keys) -> Vec<(String, String)> {
    let mut sealed = format("yaml").parse(secret::SecretBytes::new(text.to_vec())).unwrap();
    format("yaml").take_metadata(&mut sealed).unwrap();
    let plain = keys.open(text, "yaml").unwrap();
    let list = |doc: &document::Document| -> Vec<String> {
        let root = &doc.branches[0].root;
        let nodes = root.get("l").and_then(|node| node.value.as_list()).map(|list| list.nodes().collect::<Vec<_>>());
        nodes.unwrap_or_default().into_iter().map(|node| node.value.as_str().unwrap_or_default().to_owned()).collect()
    };
    list(&sealed).into_iter().zip(list(plain.document())).collect()
}

fn nonce(token: &str) -> &str {
    token.split(",iv:").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or_default()
}

fn list(items: &[u8]) -> String {
    let lines: String = items.iter().map(|item| format!("  - v{item}\n")).collect();
    format!("x: y\nl:\n{lines}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn a_nonce_meets_one_plaintext(versions in prop::collection::vec(prop::collection::vec(0u8..4, 1..6), 2..5)) {
        let keys = Keys::new();
        let first = seal(&list(&versions[0]), "yaml", &keys.policy(None)).unwrap();
        let mut seen: HashMap<String, String> = HashMap::new();
        let mut text = first.text.into_whole();
        for items in versions.iter().skip(1).chain([&versions[0]]) {
            let mut within = HashMap::new();
            for (token, value) in tokens(text.expose(), &keys) {
                prop_assert!(within.insert(nonce(&token).to_owned(), ()).is_none(), "two elements share a nonce");
                let old = seen.insert(nonce(&token).to_owned(), value.clone());
                prop_assert!(old.is_none_or(|old| old == value), "a nonce met two plaintexts");
            }
            let mut plain = keys.open(text.expose(), "yaml").unwrap();
            let memory = plain.take_memory();
            let metadata = plain.metadata().clone();
            text = seal_with(&list(items), "yaml", plain.key(), metadata, memory).unwrap().text.into_whole();
        }
    }
}

#[test]
fn an_insertion_into_a_list_is_a_one_value_diff() {
    let keys = Keys::new();
    let first = seal(&list(&[1, 2, 2, 3]), "yaml", &keys.policy(None)).unwrap().text.into_whole();
    let mut plain = keys.open(first.expose(), "yaml").unwrap();
    let memory = plain.take_memory();
    let metadata = plain.metadata().clone();
    let second = seal_with(&list(&[0, 1, 2, 2, 3]), "yaml", plain.key(), metadata, memory).unwrap().text.into_whole();
    let before: Vec<String> = tokens(first.expose(), &keys).into_iter().map(|(token, _)| token).collect();
    let after: Vec<String> = tokens(second.expose(), &keys).into_iter().map(|(token, _)| token).collect();
    assert_eq!(after[1..], before[..]);
    assert_eq!(text_of(&keys.open(second.expose(), "yaml").unwrap()), list(&[0, 1, 2, 2, 3]));
}

#[test]
fn comments_that_the_metadata_moves_cost_no_ciphertext() {
    let texts = [
        "a:\n  b: kept\n  c: VALUE\n\n  # x\n\n  # y\n",
        "c: VALUE\nl:\n- kept\n# end\n",
        "a:\n  c: VALUE\n  l:\n    - kept\n\n    # deep\n",
        "a:\n  b: kept\n  c: VALUE\n# end\n",
    ];
    for template in texts {
        let keys = Keys::new();
        let text = |value: &str| template.replace("VALUE", value);
        let first = seal(&text("one"), "yaml", &keys.policy(None)).unwrap().text.into_whole();
        let mut plain = keys.open(first.expose(), "yaml").unwrap();
        let (memory, metadata) = (plain.take_memory(), plain.metadata().clone());
        let second = seal_with(&text("two"), "yaml", plain.key(), metadata, memory).unwrap().text.into_whole();
        let lines =
            |text: &[u8]| String::from_utf8(text.to_vec()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
        let (before, after) = (lines(first.expose()), lines(second.expose()));
        let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
        assert_eq!((before.len(), changed), (after.len(), 3), "value, mac and layout only: {template:?}");
    }
}
