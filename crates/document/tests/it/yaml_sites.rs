//! Where the YAML reader says that tokens stand: every edit of a file relies on it.

use document::format::Yaml;
use document::{Comment, Document, Element, Format, Item, List, Map, Node, Style, Value};
use secret::SecretBytes;

use crate::yaml_oracle::fixtures;

fn parse(source: &[u8]) -> Document {
    Yaml.parse(SecretBytes::new(source.to_vec())).unwrap()
}

/// Each value as `path style[ flow][ tagged][ alias] @indent token`, comments as `path # text`.
fn sites(source: &str) -> Vec<String> {
    let document = parse(source.as_bytes());
    let mut out = Vec::new();
    for branch in &document.branches {
        let site = branch.site;
        let token = &source[site.span.range()];
        out.push(format!("/ {:?} @{} {token:?}", site.style, site.indent));
        map(source, "", &branch.root, &mut out);
    }
    out
}

fn map(source: &str, path: &str, map: &Map, out: &mut Vec<String>) {
    for item in &map.items {
        match item {
            Item::Comment(line) => comment(source, path, line, out),
            Item::Entry(entry) => {
                let key = &source[entry.key_span.range()];
                node(source, &format!("{path}/{key}"), &entry.value, out);
            }
        }
    }
}

fn list(source: &str, path: &str, list: &List, out: &mut Vec<String>) {
    for (at, item) in list.items.iter().enumerate() {
        match item {
            Element::Comment(line) => comment(source, path, line, out),
            Element::Node(value) => node(source, &format!("{path}/{at}"), value, out),
        }
    }
}

fn comment(source: &str, path: &str, comment: &Comment, out: &mut Vec<String>) {
    let span = comment.span.unwrap();
    assert_eq!(source[span.range()].as_bytes(), comment.text.expose());
    assert_eq!(source.as_bytes()[span.start as usize - 1], b'#');
    out.push(format!("{path} #{}", &source[span.range()]));
}

fn node(source: &str, path: &str, node: &Node, out: &mut Vec<String>) {
    let site = node.site;
    let flow = if site.in_flow { " flow" } else { "" };
    let tagged = if node.tagged { " tagged" } else { "" };
    let alias = node.alias.map_or(String::new(), |alias| format!(" {}", &source[alias.span.range()]));
    let token = &source[site.span.range()];
    out.push(format!("{path} {:?}{flow}{tagged}{alias} @{} {token:?}", site.style, site.indent));
    match &node.value {
        Value::Map(inner) => map(source, path, inner, out),
        Value::List(inner) => list(source, path, inner, out),
        _ => {}
    }
}

#[test]
fn leaves_are_where_a_reader_would_point() {
    let source = "a: one # c\nb:\n  - 'two'\n  - \"three\"\nc: {d: e, f: [g]} \nh: !!int &x '4'\ni: &y !t five\nj: *y\nk:\nl: m\n   n\n";
    let expected = [
        "/ Block @0 \"a: one # c\\nb:\\n  - 'two'\\n  - \\\"three\\\"\\nc: {d: e, f: [g]} \\nh: !!int &x '4'\\ni: &y !t five\\nj: *y\\nk:\\nl: m\\n   n\"",
        " # c",
        "/a Plain @0 \"one\"",
        "/b Block @2 \"- 'two'\\n  - \\\"three\\\"\"",
        "/b/0 SingleQuoted @2 \"'two'\"",
        "/b/1 DoubleQuoted @2 \"\\\"three\\\"\"",
        "/c Flow @0 \"{d: e, f: [g]}\"",
        "/c/d Plain flow @0 \"e\"",
        "/c/f Flow flow @0 \"[g]\"",
        "/c/f/0 Plain flow @0 \"g\"",
        "/h SingleQuoted tagged @0 \"!!int &x '4'\"",
        "/i Plain tagged @0 \"!t five\"",
        "/j Plain tagged *y @0 \"!t five\"",
        "/k Plain @0 \"\"",
        "/l Plain @0 \"m\\n   n\"",
    ];
    assert_eq!(sites(source), expected);
}

#[test]
fn block_scalars_end_with_their_last_line_of_content() {
    let source = "a: |\n  one\n   two\n\nb:\n  c: !!str >- # d\n    e  \n\n\n  f: |+\n\n  g: |2-\n     h\n- x\n"
        .replace("- x\n", "");
    let found = sites(&source);
    let expected = [
        "/a Literal @0 \"|\\n  one\\n   two\"",
        "/b Block @2 \"c: !!str >- # d\\n    e  \\n\\n\\n  f: |+\\n\\n  g: |2-\\n     h\"",
        "/b # d",
        "/b/c Folded @2 \"!!str >- # d\\n    e  \"",
        "/b/f Literal @2 \"|+\"",
        "/b/g Literal @2 \"|2-\\n     h\"",
    ];
    assert_eq!(found[1..], expected);
}

#[test]
fn empty_values_stand_behind_their_indicator() {
    let document = parse(b"a:\nb: &x\nc: !!str\nd: [ , ]\n".strip_suffix(b"d: [ , ]\n").unwrap());
    let places: Vec<_> = document.branches[0].root.entries().map(|entry| entry.value.site.span.range()).collect();
    assert_eq!(places, [2..2, 8..8, 12..17]);
    let document = parse(b"--- # none\n");
    assert_eq!(document.branches[0].site.span.range(), 3..3);
}

#[test]
fn branches_say_where_their_root_is() {
    let document = parse(b"# a\nb: 1\n---\n  c: 2 # d\n  e: |\n    f\n\n---\n!!map {g: h} \n...\n");
    let source = document.source.expose();
    let roots: Vec<_> = document.branches.iter().map(|b| (&source[b.site.span.range()], b.site.indent)).collect();
    let expected: [(&[u8], u32); 3] = [(b"b: 1", 0), (b"c: 2 # d\n  e: |\n    f", 2), (b"!!map {g: h}", 0)];
    assert_eq!(roots, expected);
    assert_eq!(document.branches[2].site.style, Style::Flow);
}

/// Every quoted or plain one-line token of the fixtures says on its own what it says in its file.
#[test]
fn tokens_cut_out_of_fixtures_keep_their_value() {
    let mut checked = 0;
    for path in fixtures() {
        let document = parse(&std::fs::read(&path).unwrap());
        let source = document.source.expose();
        for branch in &document.branches {
            each_leaf(&branch.root, &mut |node| {
                let token = &source[node.site.span.range()];
                let block = matches!(node.site.style, Style::Literal | Style::Folded);
                let several =
                    std::str::from_utf8(token).unwrap().contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
                if block {
                    let header = token.iter().find(|byte| matches!(byte, b'|' | b'>')).unwrap();
                    assert_eq!(*header == b'|', node.site.style == Style::Literal);
                    assert!(!token.ends_with(b"\n") && !token.ends_with(b"\r"));
                } else if !several && !token.starts_with(b"!e!") {
                    let alone = parse(&[b"x: ", token, b"\n"].concat());
                    assert!(alone.branches[0].root.get("x").unwrap().value.same(&node.value), "{path:?}");
                    checked += 1;
                }
            });
        }
    }
    assert!(checked > 300, "{checked}");
}

fn each_leaf(map: &Map, visit: &mut impl FnMut(&Node)) {
    map.entries().for_each(|entry| each(&entry.value, visit));
}

fn each(node: &Node, visit: &mut impl FnMut(&Node)) {
    match &node.value {
        Value::Map(map) => each_leaf(map, visit),
        Value::List(list) => list.nodes().for_each(|node| each(node, visit)),
        _ => visit(node),
    }
}
