//! Values as JSON writes them, on one line or with their comments on lines between: what stands in flow collections and in place of aliases.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{plain, scalar};
use crate::{Comment, Element, Item, List, Map, Value};

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
    push_key(out, key);
    push(out, value);
}

fn push_key(out: &mut Vec<u8>, key: &str) {
    match key {
        // A quoted one would no longer merge.
        "<<" => out.extend_from_slice(b"<<"),
        _ => scalar::push_double(out, key, scalar::Wide::Raw),
    }
    out.extend_from_slice(b": ");
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

/// Appends `value` in flow style with its comments, each on a line that starts with `line` (a break and blanks). Those
/// without a place in the source are left out; those that stood behind a value come to stand above it.
pub(super) fn push_commented(out: &mut Vec<u8>, value: &Value, line: &[u8]) {
    let mut gaps = Gaps { line, waiting: Vec::new(), first: true };
    match value {
        Value::Map(map) => {
            out.push(b'{');
            for item in &map.items {
                match item {
                    Item::Comment(comment) => gaps.wait(comment),
                    Item::Entry(entry) => {
                        gaps.before_item(out);
                        push_key(out, &entry.key);
                        push_commented(out, &entry.value.value, line);
                    }
                }
            }
            gaps.before_end(out);
            out.push(b'}');
        }
        Value::List(list) => {
            out.push(b'[');
            for item in &list.items {
                match item {
                    Element::Comment(comment) => gaps.wait(comment),
                    Element::Node(node) => {
                        gaps.before_item(out);
                        push_commented(out, &node.value, line);
                    }
                }
            }
            gaps.before_end(out);
            out.push(b']');
        }
        leaf => push(out, leaf),
    }
}

/// What stands between the items of a flow collection: commas, and comments that wait for the next item.
struct Gaps<'v> {
    line: &'v [u8],
    waiting: Vec<&'v Comment>,
    first: bool,
}

impl<'v> Gaps<'v> {
    fn wait(&mut self, comment: &'v Comment) {
        if comment.span.is_some() {
            self.waiting.push(comment);
        }
    }

    fn before_item(&mut self, out: &mut Vec<u8>) {
        let comma = if std::mem::take(&mut self.first) { "" } else { "," };
        out.extend_from_slice(comma.as_bytes());
        if !self.comments(out) && !comma.is_empty() {
            out.push(b' ');
        }
    }

    fn before_end(&mut self, out: &mut Vec<u8>) {
        self.comments(out);
    }

    /// Writes what waits and starts another line; `false` if nothing waits.
    fn comments(&mut self, out: &mut Vec<u8>) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        for comment in self.waiting.drain(..) {
            out.extend_from_slice(self.line);
            out.push(b'#');
            out.extend_from_slice(comment.text.expose());
        }
        out.extend_from_slice(self.line);
        true
    }
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
