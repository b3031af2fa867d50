//! Bad and random input: refused with a place, never a panic.

use document::format::{Ini, Json};
use document::{Format, Problem};
use proptest::prelude::*;
use secret::SecretBytes;

use super::material::{FORMATS, edited, emit, metadata};

/// Texts that are no JSON file.
#[rustfmt::skip]
const NOT_JSON: &[&str] = &[
        "",
        " ",
        "[]",
        "1",
        "\"a\"",
        "null",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":[1,]}",
        "{\"a\":[,]}",
        "{\"a\":[1 2]}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":--1}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":-01}",
        "{\"a\":0x1}",
        "{\"a\":1e400}",
        "{\"a\":NaN}",
        "{\"a\":tru}",
        "{\"a\":truex}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\'\"}",
        "{\"a\":\"x}",
        "{\"a\":\"\\",
        "{\"a\":1} x",
        "{\"a\":1}{}",
        "{\"a\":1,\"a\":2}",
        "{\"x\":{\"a\":1,\"\\u0061\":2}}",
        "\u{feff}{}",
        "{1:2}",
        "{null:1}",
        "{\"a\":1]",
        "{\"a\":[1}}",
        "//\n{}",
        "{\"a\":\u{a0}1}",
        "{\"a\":\u{c}1}",
    ];

#[test]
fn json_grammar_is_strict() {
    for text in NOT_JSON {
        assert!(Json.parse(SecretBytes::from(*text)).is_err(), "{text}");
    }
    let good = ["{}", " {\t\r\n} ", "{\"\":[[],{},-0,0.0,1E5,1e-9,9223372036854775808,\"\\/\"]}", "{\"a\":1e-400}"];
    for text in good {
        assert!(Json.parse(SecretBytes::from(text)).is_ok(), "{text}");
    }
    assert!(Json::parse_lenient(SecretBytes::from("{\"a\":1,\"a\":2} x")).is_ok());
    let replaced = Json::parse_lenient(SecretBytes::new(b"{\"\xff\":\"\xe2\x82\"}".to_vec())).unwrap();
    assert_eq!(emit(&replaced.branches, &Json), "{\n\t\"\u{FFFD}\": \"\u{FFFD}\u{FFFD}\"\n}\n".as_bytes());
}

#[test]
fn ini_that_would_lose_something_is_refused() {
    let cases = [
        ("[s]\npw=\"a#b\"", "cut", (2, 4)),
        ("pw='a;b' ; c", "cut", (1, 4)),
        ("[s]\na=1\nb=1\na=2", "duplicate key \"a\"", (4, 1)),
        ("-=1", "number", (1, 1)),
        ("[s] x", "behind a section", (1, 4)),
        ("a=`x` y", "behind a closing quote", (1, 1)),
        ("a=\"\"\"x\"\"\" ; y", "behind a closing quote", (1, 1)),
        ("\"k\" x=1", "behind a closing quote", (1, 1)),
        ("a=\"\"\"", "three quotes", (1, 1)),
    ];
    for (text, word, at) in cases {
        let error = Ini.parse(SecretBytes::from(text)).unwrap_err();
        assert!(error.problem == Problem::Unsupported && error.what.contains(word), "{text}: {error}");
        assert_eq!(error.at, Some(at), "{text}");
        // In a file that is sealed already it is too late: the values must be those that SOPS reads.
        assert!(Ini.parse(SecretBytes::from(format!("{text}\n[sops]\nmac=x"))).is_ok() || word == "three quotes");
    }
    for text in ["a", "=1", "[", "[]", "\"\"=1", "`a", "a=`x", "a=\"\"\"x", "[s\na=1"] {
        let error = Ini.parse(SecretBytes::from(text)).unwrap_err();
        assert_eq!(error.problem, Problem::Syntax, "{text}");
    }
    assert!(Ini.parse(SecretBytes::from("\u{feff}[s]\na=#x\nb='it\"s'\nc=\"open ; x")).is_ok());
    assert!(Ini.parse(SecretBytes::new(b"\xff\xfe[\0".to_vec())).is_err());
}

#[test]
fn errors_say_where_and_not_what() {
    let error = Json.parse(SecretBytes::from("{\n \"a\": Canary}")).unwrap_err();
    assert_eq!((error.problem, error.at), (Problem::Syntax, Some((2, 7))));
    assert!(!error.to_string().contains("Canary"));
    let error = Json.parse(SecretBytes::from("{\"é\": 1, \"é\": \"Canary\"}")).unwrap_err();
    assert_eq!((error.problem, error.at), (Problem::Unsupported, Some((1, 10))));
    assert_eq!(error.what, "duplicate member \"é\"");
}

#[test]
fn json_depth_is_limited_before_the_stack_is() {
    let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    exercise(nested(512).as_bytes());
    exercise(format!("{}1{}", "{\"a\":".repeat(512), "}".repeat(512)).as_bytes());
    assert!(Json.parse(SecretBytes::from(nested(512))).is_ok());
    assert!(Json.parse(SecretBytes::from(nested(513))).is_err());
    assert!(Json.parse(SecretBytes::from("{\"a\":".repeat(500_000))).is_err());
}

#[test]
fn many_members_take_linear_time() {
    let members: Vec<String> = (0..200_000).map(|number| format!("\"k{number}\":1")).collect();
    let text = format!("{{{}}}", members.join(","));
    assert_eq!(super::material::parse(&Json, text.as_bytes()).branches[0].root.items.len(), 200_000);
}

/// Everything a caller may do with a file that was read must not panic.
fn exercise(text: &[u8]) {
    for (format, _) in FORMATS {
        let Ok(mut doc) = format.parse(SecretBytes::new(text.to_vec())) else { continue };
        if format.take_metadata(&mut doc).is_err() || format.name() == "binary" {
            continue;
        }
        let _ = doc.emit(&document::EmitOptions::default());
        edited(&doc, |edits| format.remove_metadata(&doc, edits));
        let mut edits = document::Edits::new();
        if format.place_metadata(&doc, &metadata(), &mut edits).is_ok() {
            let placed = edits.apply(doc.source.expose()).expect("one edit cannot overlap");
            let mut again = format.parse(placed).expect("a file with metadata");
            format.take_metadata(&mut again).expect("metadata just placed");
            assert!(again.metadata.is_some_and(|meta| meta.same(&metadata())), "{}", format.name());
        }
    }
    let _ = Json::parse_lenient(SecretBytes::new(text.to_vec()));
    let _ = document::format::Binary::parse_sealed(SecretBytes::new(text.to_vec()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(text in prop::collection::vec(any::<u8>(), 0..80)) {
        exercise(&text);
    }

    #[test]
    fn random_tokens_never_panic(parts in prop::collection::vec(prop::sample::select(TOKENS), 0..40)) {
        exercise(parts.concat().as_bytes());
    }
}

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\"a\"",
    "\"sops\"",
    "sops",
    "sops_",
    "[sops]\n",
    "[s]\n",
    "=",
    "a=",
    "a = ",
    "b:",
    "\n",
    "\r\n",
    " ",
    "\t",
    "#",
    ";",
    "\\",
    "\\n",
    "\\u00",
    "\\ud800",
    "`",
    "\"\"\"",
    "'",
    "1",
    "-0",
    "1e5",
    "true",
    "null",
    "é",
    "\u{85}",
    "\u{a0}",
    "\u{feff}",
    "__map_",
    "__list_0",
    "__list_1",
    "-",
    "DEFAULT",
    "x y",
    "{\"a\":1}",
];

#[test]
fn every_prefix_of_every_fixture_is_read_or_refused() {
    for (_, name) in FORMATS {
        for (_, _, text) in super::material::fixtures(name, "enc") {
            for end in (0..text.len()).step_by(text.len() / 60 + 1) {
                exercise(&text[..end]);
            }
        }
    }
}
