//! Our tree in the oracle's notation (crates/testkit/oracle/yaml/main.go).

use std::fmt::Write;

use document::{Comment, Document, Element, Item, List, Map, Value};

/// The oracle's line for a file that was read.
pub(crate) fn document(document: &Document) -> String {
    let maps: Vec<_> = document.branches.iter().map(|branch| map(&branch.root)).collect();
    format!("ok {}", maps.join(" "))
}

fn map(map: &Map) -> String {
    let mut out = String::from("{");
    for item in &map.items {
        match item {
            Item::Comment(line) => comment(&mut out, line),
            Item::Entry(entry) => {
                out.push_str(&hex(entry.key.as_bytes()));
                out.push('=');
                value(&mut out, &entry.value.value);
            }
        }
    }
    out + "}"
}

fn list(list: &List) -> String {
    let mut out = String::from("[");
    for item in &list.items {
        match item {
            Element::Comment(line) => comment(&mut out, line),
            Element::Node(node) => {
                out.push('-');
                value(&mut out, &node.value);
            }
        }
    }
    out + "]"
}

fn comment(out: &mut String, comment: &Comment) {
    let sign = if comment.inline { '%' } else { '#' };
    write!(out, "{sign}{};", hex(comment.text.expose())).unwrap();
}

fn value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("n;"),
        Value::Bool(true) => out.push_str("t;"),
        Value::Bool(false) => out.push_str("f;"),
        Value::Int(number) => write!(out, "i{number};").unwrap(),
        Value::Float(number) if number.is_nan() => out.push_str("dnan;"),
        Value::Float(number) => write!(out, "d{:016x};", number.to_bits()).unwrap(),
        Value::Str(text) => write!(out, "s{};", hex(text.expose())).unwrap(),
        Value::Time(time) => write!(out, "T{time};").unwrap(),
        Value::Map(inner) => out.push_str(&map(inner)),
        Value::List(inner) => out.push_str(&list(inner)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}
