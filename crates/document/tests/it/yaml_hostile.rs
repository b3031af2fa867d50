//! The YAML reader on rubbish: it may refuse, it must not panic or hang.

use document::Format;
use document::format::Yaml;
use secret::SecretBytes;

use crate::yaml_oracle::{fixtures, mutate};

fn read(file: Vec<u8>) {
    let _ = Yaml.parse(SecretBytes::new(file));
}

#[test]
fn truncated_fixtures_do_no_harm() {
    for path in fixtures() {
        let file = std::fs::read(path).unwrap();
        (0..file.len()).for_each(|end| read(file[..end].to_vec()));
        (0..file.len()).for_each(|start| read(file[start..].to_vec()));
    }
}

#[test]
fn random_indicators_do_no_harm() {
    let alphabet = b"  \n\n\t-?:,[]{}#&*!|>'\"%@`\\ab01.~<=\xC3\xA9\r";
    for seed in 0..20_000 {
        let mut random = mutate::Random(seed);
        let length = random.below(60);
        read((0..length).map(|_| *random.pick(alphabet)).collect());
    }
}

#[test]
fn random_bytes_do_no_harm() {
    for seed in 0..5_000 {
        let mut random = mutate::Random(seed);
        let length = random.below(40);
        read((0..length).map(|_| random.next() as u8).collect());
    }
}

#[test]
fn depth_is_limited_everywhere() {
    for unit in ["[", "{a: ", "- ", "{", "? ", "[[", "- - "] {
        let deep = unit.repeat(100_000);
        assert!(Yaml.parse(SecretBytes::from(deep)).is_err(), "{unit}");
    }
    let blocks: String = (0..3000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(Yaml.parse(SecretBytes::from(blocks)).is_err());
    let flow = format!("a: {}{}\n", "[".repeat(500), "]".repeat(500));
    assert!(Yaml.parse(SecretBytes::from(flow)).is_ok());
}

#[test]
fn aliases_are_limited() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{inner}]\n");
    }
    assert!(Yaml.parse(SecretBytes::from(bomb)).is_err());
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(1000));
    assert!(Yaml.parse(SecretBytes::from(long)).is_err());
    let uses = "*a, ".repeat(1000);
    let inside = format!("a: &a\n  - {}\nb: [{uses}]\n", "x".repeat(1 << 20));
    assert!(Yaml.parse(SecretBytes::from(inside)).is_err());
    let comments = format!("a: &a\n  # {}\n  b: c\nd: [{uses}]\n", "x".repeat(1 << 20));
    assert!(Yaml.parse(SecretBytes::from(comments)).is_err());
    for own in ["a: &a [*a]\n", "a: &a {b: *a}\n", "--- &a\nb: {c: *a}\n", "x: 1\n--- &a\nb: [*a]\n"] {
        assert!(Yaml.parse(SecretBytes::from(own)).is_err(), "{own}");
    }
}
