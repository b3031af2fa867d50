//! decrypt(encrypt(f)) is f, byte for byte, in every format and for every awkward spelling.

use secret::SecretBytes;

use crate::keys_at_hand::{Keys, format, seal, text_of};

fn check(text: &str, format: &str) {
    let keys = Keys::new();
    let sealed = seal(text, format, &keys.policy(None)).unwrap_or_else(|error| panic!("{error}: {text}"));
    let plain = keys.open(sealed.text.into_whole().expose(), format).unwrap();
    assert_eq!(text_of(&plain), text);
}

#[test]
fn yaml_spellings_come_back() {
    let texts = [
        "a: 1.50\nb: 0x1F\nc: 1_000\nd: 017\ne: 2001-12-14\nf: TRUE\ng: ~\nh: +42\n",
        "big: 123456789012345678901234567890\nuint: 18446744073709551615\nneg: -0.0\n",
        "a: \"\\x41\\u00e9\"\nb: 'it''s'\nc: >-\n  folded\n  text\n\nd: |2\n    deep\n",
        "a: !!str 5\nb: !custom x\nc: !!int \"5\"\n",
        "base: &b {x: 1, y: [two, 'three']}\nuse: *b\nmerged:\n  <<: *b\n  z: 4\nlist: [*b, plain]\n",
        "# head\na: b # inline\n# foot\n\nl:\n  # in list\n  - x # y\n  - z\n# end\n",
        "a: 1\n---\nb: 2\n...\n",
        "{a: b, \"c\": [d, 'e']}\n",
        "a: b",
        "base: &b\n  # inside\n  x: ~\nuse: *b\nmore: {<<: *b, y: z}\n",
        "a: |\n  text",
        "s: x\na_unencrypted: |\n  text",
        "s: x\na_unencrypted: >\n  text\n  more",
        "a:\r\n  b: c\r\n  d: |\r\n    x\r\n    y\r\n",
        "\u{feff}a: b\n",
        "a: > # c\n  x\n  y\n",
        "a: >- # c\n  x\n  y\nb: |+ # d\n  z\n\n",
        "a: | # c\n  x",
        "a: |2+\n   x\n\nb: |-2\n   y\nc: >+\n  z\n",
        "a: !t &x v\nb: *x\nc: &y !t w\n",
        "a: !!binary &x aGk=\nb: !t &z |\n  l1\n  l2\n",
        "emoji: \u{1F600}\n\"k e y\": v\n? complex\n: x\n",
    ];
    texts.iter().for_each(|text| check(text, "yaml"));
}

#[test]
fn what_stands_behind_the_metadata_comes_back_when_they_change_in_length() {
    check("a: 1.50\n---\nb: 2\nc: 'x'\nl: [1.50, y]\n---\ne: &y z\nf: *y\n", "yaml");
    check("a: x\n# foot\n---\nb: 0x1F\nc: y\n# last", "yaml");
}

#[test]
fn large_values_come_back() {
    let large = "x".repeat((1 << 20) + 5);
    check(&format!("{{\"a\": \"{large}\", \"b\": 1.50, \"c\": \"y\"}}"), "json");
    check(&format!("a: {large}\nb: 1.50\nc: |\n  {large}\n"), "yaml");
}

#[test]
fn no_token_ends_with_a_line_break() {
    let keys = Keys::new();
    let sealed = seal("a: |\n  x\n  y\nb: >+\n  z\n\n", "yaml", &keys.policy(None)).unwrap();
    let text = sealed.text.into_whole();
    let doc = format("yaml").parse_sealed(SecretBytes::new(text.expose().to_vec())).unwrap();
    for entry in doc.branches[0].root.entries().filter(|entry| &*entry.key != "sops") {
        assert!(entry.value.value.as_str().is_some_and(|token| token.ends_with(']')), "{}", entry.key);
    }
}

#[test]
fn other_formats_come_back() {
    check("{\"a\": 1.50, \"b\": [1e3, true, null, \"\\u00e9\"],\n \"big\": 123456789012345678901234}", "json");
    check("# c\nA=1\n\nB= quoted \"x\" \r\nC=\n", "dotenv");
    check("; c\nx = 1\n[s]\na=b\nc : \"d\"\n", "ini");
    check("any bytes \u{0} at all", "binary");
}

#[test]
fn aliases_in_clear_to_encrypted_anchors_are_refused() {
    let keys = Keys::new();
    let policy = keys.policy(Some(("encrypted_regex", "^secret$")));
    let error = seal("secret: &s hidden\nopen: *s\n", "yaml", &policy).unwrap_err();
    assert!(error.to_string().contains("alias"), "{error}");
    seal("open: &s shown\nsecret: *s\n", "yaml", &policy).unwrap();
}

#[test]
fn a_selector_without_effect_is_refused() {
    let keys = Keys::new();
    let error = seal("a: b\n", "yaml", &keys.policy(Some(("encrypted_regex", "^nope$")))).unwrap_err();
    assert!(error.to_string().contains("nothing would be encrypted"), "{error}");
}

#[test]
fn integers_beyond_64_bits_stay_only_where_they_are_encrypted() {
    let keys = Keys::new();
    let error = seal("x: y\nn_unencrypted: 123456789012345678901234567890\n", "yaml", &keys.policy(None)).unwrap_err();
    assert!(error.to_string().contains("beyond 64 bits"), "{error}");
}
