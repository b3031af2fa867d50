//! Editing in place: tables of small files with what an edit must make of them.

use document::format::{Env, Ini, Insert, Json};
use document::{Document, Edits, Entry, Format, FormatError, Item, Node, Span, Token, Value};

use super::material::{edited, open, parse, path, same};

/// Puts `token` in place of the value at `steps`.
fn write(format: &dyn Format, text: &str, steps: &[&str], token: Token<'_>) -> String {
    let doc = parse(format, text.as_bytes());
    let mut node = doc.branches[0].root.get(steps[0]).expect("the first key");
    for step in &steps[1..] {
        node = match &node.value {
            Value::Map(map) => map.get(step).expect("a key"),
            Value::List(list) => list.nodes().nth(step[1..].parse().expect("a position")).expect("an element"),
            _ => panic!("no collection at {step}"),
        };
    }
    String::from_utf8(edited(&doc, |edits| format.write_leaf(&doc, node, token, None, edits))).expect("UTF-8")
}

pub(crate) fn entry(key: &str, value: Value) -> Entry {
    Entry { key: key.into(), key_span: Span::default(), value: Node::new(value) }
}

fn text(doc: &Document, make: impl FnOnce(&mut Edits) -> Result<(), FormatError>) -> String {
    String::from_utf8(edited(doc, |edits| make(edits).expect("an edit"))).expect("UTF-8")
}

#[test]
fn json_leaves_change_and_nothing_else() {
    let file = "{ \"a\" : [1, {\"b\": \"x\\u00e9\"}],\r\n \"c\":null }";
    let sealed = write(&Json, file, &["a", "#1", "b"], Token::Sealed("ENC[x]"));
    assert_eq!(sealed, "{ \"a\" : [1, {\"b\": \"ENC[x]\"}],\r\n \"c\":null }");
    let number = |value: Value, spelling: Option<&[u8]>| {
        write(&Json, "{\"n\": \"ENC[x]\"}", &["n"], Token::Opened { value: &value, spelling })
    };
    let cases = [
        (Value::Int(5), None, "5"),
        (Value::Int(0), Some(&b"-0"[..]), "-0"),
        (Value::Int(0), Some(b"1"), "0"),
        (Value::Int(0), Some(b"0,\"x\":0"), "0"),
        (Value::Int(0), Some(b" 0"), "0"),
        (Value::Float(1.5), Some(b"1.50"), "1.50"),
        (Value::Float(1000.0), Some(b"1e3"), "1e3"),
        (Value::Float(1.0), None, "1.0"),
        (Value::Float(-0.0), None, "-0.0"),
        (Value::Float(1e21), None, "1e+21"),
        (Value::Float(12_345_678_901_234_567_890.0), Some(b"12345678901234567890"), "12345678901234567890"),
        (Value::Float(f64::NAN), None, "\"NaN\""),
        (Value::Bool(true), None, "true"),
        (Value::Null, None, "null"),
        (Value::str("a\"<\n\u{7f}é"), Some(b"ignored"), "\"a\\\"<\\n\u{7f}é\""),
        (Value::str("12"), Some(b"12"), "\"12\""),
    ];
    for (value, spelling, expected) in cases {
        assert_eq!(number(value, spelling), format!("{{\"n\": {expected}}}"));
    }
    assert_eq!(write(&Json, "{\"n\":1}", &["n"], Token::Verbatim(b"\"\\u0061\"")), "{\"n\":\"\\u0061\"}");
}

#[test]
fn json_grows_in_its_own_layout() {
    let cases = [
        ("{}", &[][..], "{\"new\":1}"),
        ("{\n}\n", &[], "{\n\t\"new\": 1\n}\n"),
        ("{\"a\":2}", &[], "{\"a\":2,\"new\":1}"),
        ("{\"a\": 2}", &[], "{\"a\": 2, \"new\": 1}"),
        ("{ \"a\" : 2 }", &[], "{ \"a\" : 2, \"new\" : 1 }"),
        ("{\n  \"a\": 2\n}\n", &[], "{\n  \"a\": 2,\n  \"new\": 1\n}\n"),
        ("{\r\n\t\"a\": 2\r\n}", &[], "{\r\n\t\"a\": 2,\r\n\t\"new\": 1\r\n}"),
        ("{\n  \"a\": {}\n}", &["a"], "{\n  \"a\": {\n    \"new\": 1\n  }\n}"),
        ("{\n  \"a\": {\"b\": 1}\n}", &["a"], "{\n  \"a\": {\"b\": 1, \"new\": 1}\n}"),
        ("{\n  \"a\": 0,\n\n  \"b\": 1\n}", &[], "{\n  \"a\": 0,\n\n  \"b\": 1,\n  \"new\": 1\n}"),
        (
            "{\n  \"a\": [{\n    \"b\": 1\n  }]\n}",
            &["a", "#0"],
            "{\n  \"a\": [{\n    \"b\": 1,\n    \"new\": 1\n  }]\n}",
        ),
    ];
    for (file, parent, expected) in cases {
        let doc = parse(&Json, file.as_bytes());
        let new = entry("new", Value::Int(1));
        let out = text(&doc, |edits| Json.insert(&doc, 0, &path(parent), Insert::Entry(&new), edits));
        assert_eq!(out, expected);
        parse(&Json, out.as_bytes());
    }
    let doc = parse(&Json, b"{\n \"a\": [\n  1\n ], \"b\": []}");
    let add = |steps| text(&doc, |edits| Json.insert(&doc, 0, &path(steps), Insert::Element(&Value::str("x")), edits));
    assert_eq!(add(&["a"]), "{\n \"a\": [\n  1,\n  \"x\"\n ], \"b\": []}");
    assert_eq!(add(&["b"]), "{\n \"a\": [\n  1\n ], \"b\": [\n  \"x\"\n ]}");
    let mut edits = Edits::new();
    assert!(Json.insert(&doc, 0, &path(&[]), Insert::Element(&Value::Null), &mut edits).is_err());
    assert!(Json.insert(&doc, 0, &path(&["a", "#0"]), Insert::Element(&Value::Null), &mut edits).is_err());
    assert!(Json.insert(&doc, 0, &path(&["zzz"]), Insert::Element(&Value::Null), &mut edits).is_err());
}

#[test]
fn json_grows_before_its_metadata() {
    for file in ["{\"sops\":{}}", "{\n\t\"sops\": {}\n}\n", "{\"a\": 1, \"sops\": {}}"] {
        let doc = open(&Json, file.as_bytes());
        let new = entry("new", Value::Int(1));
        let out = text(&doc, |edits| Json.insert(&doc, 0, &path(&[]), Insert::Entry(&new), edits));
        let back = open(&Json, out.as_bytes());
        assert!(back.metadata.is_some() && out.find("new") < out.find("sops"), "{out}");
        let removed = text(&back, |edits| Json.remove(&back, 0, &path(&["new"]), edits));
        assert_eq!(removed, file);
    }
}

#[test]
fn json_shrinks() {
    let cases = [
        ("{\"a\":1}", &["a"][..], "{}"),
        ("{\n  \"a\": 1\n}\n", &["a"], "{}\n"),
        ("{\"a\":1,\"b\":2}", &["a"], "{\"b\":2}"),
        ("{\"a\":1,\"b\":2}", &["b"], "{\"a\":1}"),
        ("{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", &["b"], "{\n  \"a\": 1,\n  \"c\": 3\n}"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}", &["a"], "{\n  \"b\": 2\n}"),
        ("{\"a\":[1, 2, 3]}", &["a", "#2"], "{\"a\":[1, 2]}"),
        ("{\"a\":[ [1] ]}", &["a", "#0", "#0"], "{\"a\":[ [] ]}"),
    ];
    for (file, steps, expected) in cases {
        let doc = parse(&Json, file.as_bytes());
        assert_eq!(text(&doc, |edits| Json.remove(&doc, 0, &path(steps), edits)), expected);
    }
    let doc = parse(&Json, b"{\"a\":[1]}");
    for steps in [&[][..], &["b"], &["a", "#1"], &["a", "b"], &["#0"], &["a", "#0", "#0"]] {
        assert!(Json.remove(&doc, 0, &path(steps), &mut Edits::new()).is_err(), "{steps:?}");
    }
}

#[test]
fn json_values_are_replaced_whole() {
    let doc = parse(&Json, b"{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": [2]\n}");
    let mut map = document::Map::default();
    map.push("x", Value::Null);
    map.push("y", Value::Map(document::Map::default()));
    let map = Value::Map(map);
    let string = Value::str("s");
    let replace = |steps, value| text(&doc, |edits| Json.replace(&doc, 0, &path(steps), value, edits));
    assert_eq!(replace(&["a"], &string), "{\n  \"a\": \"s\",\n  \"c\": [2]\n}");
    let expected = "{\n  \"a\": {\n    \"b\": 1\n  },\n  \"c\": [{\n    \"x\": null,\n    \"y\": {}\n  }]\n}";
    assert_eq!(replace(&["c", "#0"], &map), expected);
    assert_eq!(replace(&[], &map), "{\n  \"x\": null,\n  \"y\": {}\n}");
    assert!(Json.replace(&doc, 0, &path(&[]), &Value::Null, &mut Edits::new()).is_err());
    assert!(same(&parse(&Json, expected.as_bytes()), &parse(&Json, replace(&["c", "#0"], &map).as_bytes())));
}

#[test]
fn dotenv_lines_change_and_nothing_else() {
    let file = "# c\n\nA=1\nB = x # y\r\nA=2\nE=";
    assert_eq!(write(&Env, file, &["A"], Token::Sealed("ENC[x]")), "# c\n\nA=ENC[x]\nB = x # y\r\nA=2\nE=");
    assert_eq!(write(&Env, file, &["B "], Token::Sealed("ENC[x]")), "# c\n\nA=1\nB =ENC[x]\nA=2\nE=");
    let lines = Value::str("a\nb\\");
    let opened = write(&Env, file, &["E"], Token::Opened { value: &lines, spelling: None });
    assert_eq!(opened, "# c\n\nA=1\nB = x # y\r\nA=2\nE=a\\nb\\");
    let doc = parse(&Env, file.as_bytes());
    let new = entry("N", Value::Float(1.0));
    let inserted = text(&doc, |edits| Env.insert(&doc, 0, &path(&[]), Insert::Entry(&new), edits));
    assert_eq!(inserted, format!("{file}\nN=1.0"));
    let removed = text(&doc, |edits| Env.remove(&doc, 0, &path(&["A"]), edits));
    assert_eq!(removed, "# c\n\nB = x # y\r\nA=2\nE=");
    let replaced = text(&doc, |edits| Env.replace(&doc, 0, &path(&["B "]), &Value::Bool(true), edits));
    assert_eq!(replaced, "# c\n\nA=1\nB =true\nA=2\nE=");
    for (key, value) in [("a=b", Value::Null), ("#k", Value::Null), ("sops_x", Value::Null), ("k", Value::str("a\\nb"))]
    {
        let bad = entry(key, value);
        assert!(Env.insert(&doc, 0, &path(&[]), Insert::Entry(&bad), &mut Edits::new()).is_err(), "{key}");
    }
}

#[test]
fn dotenv_metadata_goes_at_the_end() {
    let doc = parse(&Env, b"A=1");
    let mut meta = document::Map::default();
    meta.push("mac", Value::str("a\nb"));
    let placed = text(&doc, |edits| Env.place_metadata(&doc, &meta, edits));
    assert_eq!(placed, "A=1\nsops_mac=a\\nb");
    let doc = open(&Env, b"sops_version=1\nA=1\nsops_mac=x\n\nB=2\n");
    assert_eq!(doc.metadata.as_ref().map(|meta| meta.items.len()), Some(2));
    let placed = text(&doc, |edits| Env.place_metadata(&doc, &meta, edits));
    assert_eq!(placed, "A=1\nsops_mac=a\\nb\n\nB=2\n");
    let mut odd = parse(&Env, b"sops_age__list_1=x\n");
    assert!(Env.take_metadata(&mut odd).is_err());
}

const INI: &str = "; top\n[s]\na=1\n b : \"x\" ; why\n\n[t]\nc = `y;`\n";

#[test]
fn ini_values_change_and_nothing_else() {
    let change = |steps, token| write(&Ini, INI, steps, token);
    let sealed = change(&["s", "b"], Token::Sealed("ENC[x]"));
    assert_eq!(sealed, INI.replace("\"x\"", "\"ENC[x]\""));
    assert_eq!(change(&["t", "c"], Token::Sealed("ENC[x]")), INI.replace("y;", "ENC[x]"));
    let opened = |steps, value: &str| {
        let value = Value::str(value);
        write(&Ini, INI, steps, Token::Opened { value: &value, spelling: None })
    };
    let cases =
        [("z", "z"), ("z#", "`z#`"), (" z", "\" z\""), ("\"z\"", "'\"z\"'"), ("a\nb", "\"\"\"a\nb\"\"\""), ("", "")];
    for (value, spelled) in cases {
        assert_eq!(opened(&["s", "a"], value), INI.replace("a=1", &format!("a={spelled}")));
    }
    assert_eq!(opened(&["s", "b"], "z"), INI.replace("\"x\"", "\"z\""));
    assert_eq!(opened(&["t", "c"], "`"), INI.replace("`y;`", "```"));
}

#[test]
fn ini_grows_and_shrinks() {
    let doc = parse(&Ini, INI.as_bytes());
    let new = entry("n", Value::str("v;w"));
    let insert = |steps| text(&doc, |edits| Ini.insert(&doc, 0, &path(steps), Insert::Entry(&new), edits));
    assert_eq!(insert(&["s"]), INI.replace("why\n", "why\nn = `v;w`\n"));
    assert_eq!(insert(&["t"]), format!("{INI}n = `v;w`\n"));
    assert_eq!(insert(&["DEFAULT"]), format!("n = `v;w`\n{INI}"));
    let mut map = document::Map::default();
    map.push("k", Value::Int(1));
    let section = entry("new", Value::Map(map));
    let grown = text(&doc, |edits| Ini.insert(&doc, 0, &path(&[]), Insert::Entry(&section), edits));
    assert_eq!(grown, format!("{INI}\n[new]\nk = 1\n"));
    let removed = |steps| text(&doc, |edits| Ini.remove(&doc, 0, &path(steps), edits));
    assert_eq!(removed(&["s", "b"]), INI.replace(" b : \"x\" ; why\n", ""));
    assert_eq!(removed(&["t"]), "; top\n[s]\na=1\n b : \"x\" ; why\n\n");
    assert_eq!(removed(&["s"]), "; top\n[t]\nc = `y;`\n");
    let replaced = |steps, value| text(&doc, |edits| Ini.replace(&doc, 0, &path(steps), value, edits));
    assert_eq!(replaced(&["s", "b"], &new.value.value), INI.replace(" b : \"x\" ; why\n", "; why\n b : `v;w`\n"));
    assert_eq!(replaced(&["t"], &section.value.value), INI.replace("c = `y;`", "k = 1"));
    for (parent, bad) in
        [(&["s"][..], entry("-", Value::Null)), (&["s"], entry("", Value::Null)), (&[], entry("x", Value::Null))]
    {
        assert!(Ini.insert(&doc, 0, &path(parent), Insert::Entry(&bad), &mut Edits::new()).is_err());
    }
}

#[test]
fn ini_comments_keep_their_lines() {
    let plain = "; one\n\n  # two  \na=1 ; three\n[s] # behind\nb=2\n; tail\n";
    let doc = parse(&Ini, plain.as_bytes());
    let map = |key: &str| doc.branches[0].root.get(key).and_then(|node| node.value.as_map()).expect("a section");
    let comment = |item: &Item| match item {
        Item::Comment(comment) => comment.text.expose_str().expect("UTF-8").to_owned(),
        Item::Entry(entry) => panic!("no comment but {}", entry.key),
    };
    assert_eq!(comment(&map("DEFAULT").items[1]), "one\n# two  \n; three");
    assert_eq!(comment(&map("s").items[0]), "behind");
    assert_eq!(comment(&doc.branches[0].root.items[2]), "tail");
    let sealed = text(&doc, |edits| {
        for item in [&map("DEFAULT").items[1], &map("s").items[0], &doc.branches[0].root.items[2]] {
            let Item::Comment(comment) = item else { panic!("a comment") };
            Ini.write_comment(&doc, comment, b"ENC[AES256_GCM,x]", edits);
        }
        Ok(())
    });
    assert_eq!(sealed, "; ENC[x]\n\n  #\na=1 ;\n# ENC[x]\n[s] # \nb=2\n; ENC[x]\n".replace("x", "AES256_GCM,x"));
}
