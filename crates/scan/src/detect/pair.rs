//! Names and values on neighbouring lines: environment lists of Kubernetes, Compose and task definitions, property
//! lists, XML properties, YAML blocks, JSON values on a line of their own.

use std::ops::Range;

use super::assignment::{name_around, verdict};
use super::place::Place;
use super::value::Value;
use super::{Detected, Look};
use crate::classify::name::Name;

/// Looks at the line after each telling name.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    let place = Place::of(look.paths);
    let mut done = 0;
    for &hit in look.hits {
        if hit < done || place.is_lock {
            continue;
        }
        let name = name_around(text, hit);
        done = name.end;
        let Some(secret) = paired(text, &name) else { continue };
        let words = Name::of(&text[name.clone()]);
        let Some(kind) = words.kind() else { continue };
        let value = Value { range: secret.clone(), quoted: true };
        if let Some((_, confidence, severity)) = verdict(&words, kind, &text[secret.clone()], &value, &place) {
            done = secret.end;
            out.push(Detected {
                rule: "generic-paired-secret",
                matched: name.start..secret.end,
                secret,
                confidence,
                severity,
            });
        }
    }
}

/// The value on the next line (or after a comma) that belongs to a name.
fn paired(text: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let line_end = next_line(text, name.end);
    let rest = text[name.end..line_end].trim_ascii();
    let line_start = memchr::memrchr(b'\n', &text[..name.start]).map_or(0, |at| at + 1);
    let before = text[line_start.max(name.start.saturating_sub(200))..name.start].trim_ascii();
    let named = before.to_ascii_lowercase();
    let is_name = [
        &b"name:"[..],
        b"name: \"",
        b"name: '",
        b"key:",
        b"\"name\": \"",
        b"\"name\":\"",
        b"\"key\": \"",
        b"name = \"",
        b"key = \"",
        b"\"parameterkey\": \"",
        b"parameterkey:",
    ]
    .iter()
    .any(|end| named.ends_with(end));
    if is_name {
        if let Some(found) = valued(text, name.end, line_end.min(name.end + 300)) {
            return Some(found);
        }
        let next = next_line(text, line_end + 1);
        return valued(text, (line_end + 1).min(text.len()), next.min(line_end + 1 + 4096));
    }
    if named.ends_with(b"<key>") || named.ends_with(b"<name>") {
        let next = next_line(text, line_end + 1);
        return element(text, line_end.min(text.len()), next);
    }
    let opens = matches!(
        rest,
        b":" | b"="
            | b"\":"
            | b"':"
            | b"\" :"
            | b":="
            | b": |"
            | b": |-"
            | b": >"
            | b": >-"
            | b"\": >-"
            | b"= \\"
            | b"=("
            | b": ("
            | b"= ("
            | b"\": |"
            | b"=>"
            | b"\" =>"
            | b"' =>"
    );
    if !opens {
        return None;
    }
    alone(text, (line_end + 1).min(text.len()), rest.ends_with(b"|") || rest.ends_with(b"-") || rest.ends_with(b">"))
}

fn next_line(text: &[u8], at: usize) -> usize {
    let at = at.min(text.len());
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length)
}

/// `value: x`, `"value": "x"`, `value = "x"` between `from` and `to`.
fn valued(text: &[u8], from: usize, to: usize) -> Option<Range<usize>> {
    let part = text.get(from..to)?;
    let lower = part.to_ascii_lowercase();
    let at = memchr::memmem::find(&lower, b"value")? + 5;
    let skip = part[at..].iter().take_while(|byte| b"\": =\t'".contains(byte)).count();
    if skip == 0 || !part[..at - 5].iter().all(|byte| b"\"', \t\r-}{".contains(byte)) {
        return None;
    }
    let quote = part[at..at + skip].iter().rev().find(|byte| b"\"'".contains(byte)).copied();
    let start = at + skip;
    let quoted = quote.filter(|_| b"\"'".contains(&part[start - 1]));
    let length = match quoted {
        Some(quote) => part[start..].iter().position(|byte| *byte == quote)?,
        None => part[start..].trim_ascii_end().len(),
    };
    (length > 0).then_some(from + start..from + start + length)
}

/// `<string>x</string>`, `<value>x</value>` up to `to`.
fn element(text: &[u8], from: usize, to: usize) -> Option<Range<usize>> {
    let part = text.get(from..to)?;
    let open = memchr::memchr(b'>', part)? + 1;
    let tag = part[..open].trim_ascii();
    let length = memchr::memchr(b'<', &part[open..])?;
    (length > 0 && (tag == b"<string>" || tag == b"<value>")).then_some(from + open..from + open + length)
}

/// A line that holds nothing but one value, in quotes unless it is a block's.
fn alone(text: &[u8], from: usize, block: bool) -> Option<Range<usize>> {
    let to = next_line(text, from);
    let line = text.get(from..to.min(from + 4096))?;
    let start = from + (line.len() - line.trim_ascii_start().len());
    let text = line.trim_ascii();
    let text = text.strip_suffix(b",").or(text.strip_suffix(b";")).unwrap_or(text);
    let quote = *text.first()?;
    if b"\"'`".contains(&quote) {
        let close = text[1..].iter().position(|byte| *byte == quote)?;
        return (close + 2 == text.len() && close > 0).then_some(start + 1..start + 1 + close);
    }
    block.then_some(start..start + text.len())
}
