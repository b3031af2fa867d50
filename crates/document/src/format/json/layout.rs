//! The layout of a JSON file, guessed from its first members, for text that is added to it.

use super::text;
use crate::{List, Map, Value, number};

/// How a file sets its members apart.
pub(super) struct Layout {
    /// The line break before a member, if members have lines of their own.
    newline: Option<Vec<u8>>,
    /// What one level of nesting adds to the indentation.
    unit: Vec<u8>,
    /// Everything between a name and its value.
    colon: Vec<u8>,
    /// What follows a comma between members on one line.
    gap: Vec<u8>,
}

impl Layout {
    /// The layout of the object that starts at `start`.
    pub(super) fn detect(source: &[u8], start: usize) -> Self {
        let head = &source[(start + 1).min(source.len())..];
        let lead = blanks(head);
        let (newline, unit) = split_lead(lead);
        let base = line_indent(source, start);
        let unit = unit.strip_prefix(base).unwrap_or(unit);
        let colon = after_string(&head[lead.len()..]).map(|rest| &rest[..colon_length(rest)]);
        let empty = colon.is_none();
        let colon = colon.unwrap_or(if newline.is_some() { b": " } else { b":" });
        Self {
            newline: newline.map(<[u8]>::to_vec),
            unit: if empty && unit.is_empty() { b"\t".to_vec() } else { unit.to_vec() },
            colon: colon.to_vec(),
            gap: if colon.ends_with(b" ") { b" ".to_vec() } else { Vec::new() },
        }
    }

    /// The same layout with all members on one line.
    pub(super) fn on_one_line(&self) -> Self {
        Self { newline: None, unit: Vec::new(), colon: self.colon.clone(), gap: self.gap.clone() }
    }

    /// Whether members have lines of their own.
    pub(super) fn has_lines(&self) -> bool {
        self.newline.is_some()
    }

    /// Everything between a name and its value.
    pub(super) fn colon(&self) -> &[u8] {
        &self.colon
    }

    /// One level deeper than `indent`.
    pub(super) fn deeper(&self, indent: &[u8]) -> Vec<u8> {
        [indent, &self.unit].concat()
    }

    /// What stands before a member whose indentation is `indent`; `first` in its collection or after a comma.
    pub(super) fn lead(&self, indent: &[u8], first: bool) -> Vec<u8> {
        match &self.newline {
            Some(newline) => [newline, indent].concat(),
            None if first => Vec::new(),
            None => self.gap.clone(),
        }
    }

    /// Appends a member, standing at `indent`, without what leads to it.
    pub(super) fn write_member(&self, out: &mut Vec<u8>, key: &str, value: &Value, indent: &[u8]) {
        text::write_plain(out, key.as_bytes());
        out.extend_from_slice(&self.colon);
        self.write(out, value, indent);
    }

    /// Appends a value that stands on a line with the indentation `indent`.
    pub(super) fn write(&self, out: &mut Vec<u8>, value: &Value, indent: &[u8]) {
        match value {
            Value::Map(map) => self.write_map(out, map, indent),
            Value::List(list) => self.write_list(out, list, indent),
            leaf => write_scalar(out, leaf),
        }
    }

    /// Appends an object.
    pub(super) fn write_map(&self, out: &mut Vec<u8>, map: &Map, indent: &[u8]) {
        let inner = self.deeper(indent);
        out.push(b'{');
        for (index, entry) in map.entries().enumerate() {
            self.separate(out, index, &inner);
            self.write_member(out, &entry.key, &entry.value.value, &inner);
        }
        if map.entries().next().is_some() {
            out.extend_from_slice(&self.lead(indent, true));
        }
        out.push(b'}');
    }

    fn write_list(&self, out: &mut Vec<u8>, list: &List, indent: &[u8]) {
        let inner = self.deeper(indent);
        out.push(b'[');
        for (index, node) in list.nodes().enumerate() {
            self.separate(out, index, &inner);
            self.write(out, &node.value, &inner);
        }
        if list.nodes().next().is_some() {
            out.extend_from_slice(&self.lead(indent, true));
        }
        out.push(b']');
    }

    fn separate(&self, out: &mut Vec<u8>, index: usize, indent: &[u8]) {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&self.lead(indent, index == 0));
    }
}

/// Appends a value that is no collection, so that it reads back as the same value. Infinities and NaN,
/// which JSON cannot hold, become their names as strings.
pub(super) fn write_scalar(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Int(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::Float(value) => write_float(out, *value),
        Value::Str(bytes) => text::write_plain(out, bytes.expose()),
        Value::Time(text) => text::write_plain(out, text.as_bytes()),
        Value::Null | Value::Map(_) | Value::List(_) => out.extend_from_slice(b"null"),
    }
}

fn write_float(out: &mut Vec<u8>, value: f64) {
    let Some(text) = number::json(value) else {
        return text::write_plain(out, number::positional(value).as_bytes());
    };
    out.extend_from_slice(text.as_bytes());
    if text.parse::<i64>().is_ok() {
        out.extend_from_slice(b".0");
    }
}

/// A run of blanks as its last line break, if it has one, and what follows that.
pub(super) fn split_lead(lead: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some(last) = memchr::memrchr(b'\n', lead) else { return (None, b"") };
    let start = if last > 0 && lead[last - 1] == b'\r' { last - 1 } else { last };
    (Some(&lead[start..=last]), &lead[last + 1..])
}

/// The blanks that `text` starts with.
pub(super) fn blanks(text: &[u8]) -> &[u8] {
    let length = text.iter().position(|&byte| !is_blank(byte)).unwrap_or(text.len());
    &text[..length]
}

/// The blanks that stand right before `at`.
pub(super) fn blanks_before(source: &[u8], at: usize) -> &[u8] {
    let start = source[..at].iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1);
    &source[start..at]
}

/// The indentation of the line on which `at` stands.
pub(super) fn line_indent(source: &[u8], at: usize) -> &[u8] {
    let start = memchr::memrchr(b'\n', &source[..at]).map_or(0, |last| last + 1);
    let length = source[start..at].iter().position(|&byte| byte != b' ' && byte != b'\t').unwrap_or(at - start);
    &source[start..start + length]
}

/// What follows the string token that `text` starts with.
pub(super) fn after_string(text: &[u8]) -> Option<&[u8]> {
    let mut at = 1;
    text.first().filter(|&&byte| byte == b'"')?;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(&text[at + 1..]);
        }
        at += 2;
    }
}

/// Length of the blanks, colon and blanks that `text` starts with.
pub(super) fn colon_length(text: &[u8]) -> usize {
    let before = blanks(text).len();
    let after = text.get(before + 1..).map_or(0, |rest| blanks(rest).len());
    (before + 1 + after).min(text.len())
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r')
}
