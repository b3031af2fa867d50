//! Printing a tree exactly as SOPS' INI store does, with go-ini's alignment and quotes.

use std::collections::HashMap;

use secret::SecretBytes;

use super::scan::DEFAULT;
use super::token::trim;
use crate::format::flatten;
use crate::{Branch, FormatError, Item, Map, Problem};

/// All documents, one behind the other, as a file.
pub(super) fn file(branches: &[Branch]) -> Result<SecretBytes, FormatError> {
    let sections: Vec<_> = branches.iter().flat_map(|branch| branch.root.entries()).collect();
    let mut out = Vec::new();
    for (index, entry) in sections.iter().enumerate() {
        let map = entry.value.value.as_map();
        let map = map.ok_or_else(|| refuse("INI cannot hold the value of", &entry.key, "outside a section"))?;
        if entry.key.is_empty() {
            return Err(FormatError::new(Problem::Unwritable, "INI cannot hold a section without a name"));
        }
        let section = Section::new(map)?;
        write_comment(&mut out, section.comment, false);
        if index > 0 || !entry.key.eq_ignore_ascii_case(DEFAULT) {
            out.extend_from_slice(format!("[{}]\n", entry.key).as_bytes());
        } else if section.keys.is_empty() {
            continue;
        }
        section.write_keys(&mut out);
        if index + 1 < sections.len() {
            out.push(b'\n');
        }
    }
    Ok(SecretBytes::new(out))
}

fn refuse(what: &str, key: &str, more: &str) -> FormatError {
    FormatError::new(Problem::Unwritable, format!("{what} \"{}\" {more}", key.escape_debug()))
}

/// The keys of `map` as lines, in the way of [`file`].
pub(super) fn keys(map: &Map) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::new();
    Section::new(map)?.write_keys(&mut out);
    Ok(out)
}

/// A section as go-ini holds it: one comment of its own, one per key, each key once.
#[derive(Default)]
struct Section<'a> {
    comment: &'a [u8],
    keys: Vec<Key<'a>>,
}

struct Key<'a> {
    name: &'a str,
    value: Vec<u8>,
    comment: &'a [u8],
}

impl<'a> Section<'a> {
    fn new(map: &'a Map) -> Result<Self, FormatError> {
        let mut section = Self::default();
        let mut by_name: HashMap<&str, usize> = HashMap::new();
        let mut last = None;
        for (index, item) in map.items.iter().enumerate() {
            match (item, last) {
                (Item::Comment(comment), _) if index == 0 => section.comment = comment.text.expose(),
                (Item::Comment(comment), Some(last)) => {
                    let key: &mut Key<'_> = &mut section.keys[last];
                    key.comment = comment.text.expose();
                }
                (Item::Comment(_), None) => {}
                (Item::Entry(entry), _) => {
                    let value = flatten::scalar(&entry.value.value);
                    let value = value.ok_or_else(|| refuse("INI cannot hold the collection under", &entry.key, ""))?;
                    if entry.key.is_empty() {
                        return Err(FormatError::new(Problem::Unwritable, "INI cannot hold a key without a name"));
                    }
                    let place = *by_name.entry(&entry.key).or_insert(section.keys.len());
                    last = Some(place);
                    match section.keys.get_mut(place) {
                        Some(key) => key.value = value,
                        None => section.keys.push(Key { name: &entry.key, value, comment: b"" }),
                    }
                }
            }
        }
        Ok(section)
    }

    fn write_keys(&self, out: &mut Vec<u8>) {
        let width = self.keys.iter().map(|key| name(key.name).len()).max().unwrap_or(0);
        for key in &self.keys {
            write_comment(out, key.comment, true);
            let name = name(key.name);
            out.extend_from_slice(name.as_bytes());
            out.resize(out.len() + width - name.len(), b' ');
            out.extend_from_slice(b" = ");
            out.extend_from_slice(&value(&key.value));
            out.push(b'\n');
        }
    }
}

/// A key's name with the quotes it needs.
pub(super) fn name(name: &str) -> String {
    if name.contains(['"', '=', ':']) {
        format!("`{name}`")
    } else if name.contains('`') {
        format!("\"\"\"{name}\"\"\"")
    } else {
        name.to_owned()
    }
}

/// A value with the quotes that go-ini puts around it.
pub(super) fn value(text: &[u8]) -> Vec<u8> {
    let quote: &[u8] = if memchr::memchr2(b'\n', b'`', text).is_some() {
        b"\"\"\""
    } else if memchr::memchr2(b'#', b';', text).is_some() {
        b"`"
    } else if trim(text).len() != text.len() {
        b"\""
    } else {
        b""
    };
    [quote, text, quote].concat()
}

/// A comment on lines of its own; the lines of a key's comment are trimmed.
fn write_comment(out: &mut Vec<u8>, text: &[u8], of_key: bool) {
    if text.is_empty() {
        return;
    }
    for line in text.split(|&byte| byte == b'\n') {
        let (sign, rest) = match line.first() {
            Some(sign @ (b'#' | b';')) => (*sign, trim(&line[1..])),
            _ if of_key => (b';', trim(line)),
            _ => (b';', line),
        };
        out.extend_from_slice(&[sign, b' ']);
        out.extend_from_slice(rest);
        out.push(b'\n');
    }
}
