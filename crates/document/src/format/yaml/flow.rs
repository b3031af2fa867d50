//! Values on one line, as JSON writes them: what stands in flow collections and in place of aliases.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{plain, scalar};
use crate::{List, Map, Value};

/// Appends `value` in flow style; comments have no place there.
pub(super) fn push(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Map(map) => push_collection(out, map),
        Value::List(list) => push_list(out, list),
        Value::Str(bytes) => match bytes.expose_str() {
            Some(text) => scalar::push_double(out, text, scalar::Wide::Raw),
            None => push_binary(out, bytes.expose()),
        },
        leaf => out.extend_from_slice(plain::canonical(leaf).as_bytes()),
    }
}

/// Appends `"key": value`.
pub(super) fn push_entry(out: &mut Vec<u8>, key: &str, value: &Value) {
    match key {
        // A quoted one would no longer merge.
        "<<" => out.extend_from_slice(b"<<"),
        _ => scalar::push_double(out, key, scalar::Wide::Raw),
    }
    out.extend_from_slice(b": ");
    push(out, value);
}

/// Appends bytes that are not text.
pub(super) fn push_binary(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"!!binary \"");
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

/// Appends a map in flow style.
pub(super) fn push_collection(out: &mut Vec<u8>, map: &Map) {
    out.push(b'{');
    for (index, entry) in map.entries().enumerate() {
        out.extend_from_slice(if index > 0 { b", " } else { b"" });
        push_entry(out, &entry.key, &entry.value.value);
    }
    out.push(b'}');
}

fn push_list(out: &mut Vec<u8>, list: &List) {
    out.push(b'[');
    for (index, node) in list.nodes().enumerate() {
        out.extend_from_slice(if index > 0 { b", " } else { b"" });
        push(out, &node.value);
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_fits_on_one_line() {
        let mut inner = Map::default();
        inner.push("k\n", Value::str("\u{1F600} \"q\""));
        inner.push("<<", Value::Map(Map::default()));
        inner.push("n", Value::List(List::default()));
        inner.push("f", Value::Float(1.0));
        let mut out = Vec::new();
        push(&mut out, &Value::Map(inner));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"k\\n\": \"\u{1F600} \\\"q\\\"\", <<: {}, \"n\": [], \"f\": 1.0}"
        );
    }
}
