//! Names and values on neighbouring lines: environment lists of Kubernetes, Compose and task definitions, property
//! lists, XML properties, YAML blocks, lists and maps, JSON values on a line of their own.

use std::ops::Range;

mod below;

use super::assignment::{name_around, verdict};
use super::place::Place;
use super::value::{Value, is_host};
use super::{Detected, Look};
use crate::classify::name::Name;

/// Looks at the line after each telling name.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    let place = look.place;
    let mut done = 0;
    for &hit in look.hits {
        if hit < done || place.is_lock {
            continue;
        }
        let name = name_around(text, hit);
        done = name.end;
        if !may_pair(text, &name) {
            continue;
        }
        let paired = paired(text, &name);
        let below = if paired.is_none() { below::values(text, &name, place.manner) } else { Vec::new() };
        if paired.is_none() && below.is_empty() {
            continue;
        }
        let words = Name::of(&text[name.clone()]);
        let whole = |secret: &Range<usize>| name.start.min(secret.start)..secret.end.max(name.end);
        let paired = paired.map(|secret| (whole(&secret), secret));
        let below = below.into_iter().filter(|value| value.of_any || words.is_of_many());
        for (matched, secret) in paired.into_iter().chain(below.map(|value| (value.matched, value.secret))) {
            if let Some(found) = judged(text, &words, matched, secret, &place) {
                done = done.max(found.secret.end);
                out.push(found);
            }
        }
    }
}

/// A value that its name says to be a secret, if it can be one.
fn judged(text: &[u8], name: &Name, matched: Range<usize>, secret: Range<usize>, place: &Place) -> Option<Detected> {
    let value = Value::one(secret.clone(), true);
    let (_, confidence, severity) = verdict(name, name.kind()?, &text[secret.clone()], &value, place)?;
    Some(Detected { rule: "generic-paired-secret", matched, secret, confidence, severity })
}

/// How far around a name its line is looked at.
const REACH: usize = 400;

/// Bytes of the longest of these, and more.
const LONGEST_NAMED: usize = 24;

/// What stands before a name that a value on the next line, or after a comma, belongs to.
const NAMED: &[&[u8]] = &[
    b"name:",
    b"name: \"",
    b"name: '",
    b"key:",
    b"\"name\": \"",
    b"\"name\":\"",
    b"\"key\": \"",
    b"\"key\":\"",
    b"name = \"",
    b"key = \"",
    b"\"parameterkey\": \"",
    b"parameterkey:",
];

/// What stands after a name whose value fills the next line.
#[rustfmt::skip]
const OPENS: &[&[u8]] = &[
    b":", b"=", b"\":", b"':", b"\" :", b":=", b": |", b": |-", b": >", b": >-", b"\": >-", b"= \\", b"=(", b": (", b"= (", b"\": |",
    b"=>", b"\" =>", b"' =>",
];

/// A quick look at the signs on either side of a name: whether [`paired`] could find anything.
fn may_pair(text: &[u8], name: &Range<usize>) -> bool {
    let sign = |byte: &&u8| !byte.is_ascii_whitespace();
    let before = text[..name.start].iter().rev().take(REACH / 2).take_while(|byte| **byte != b'\n').find(sign);
    let after = text[name.end..].iter().take(4 * REACH).take_while(|byte| **byte != b'\n').find(sign);
    matches!(before, Some(b':' | b'"' | b'\'' | b'>')) || matches!(after, Some(b':' | b'=' | b'"' | b'\'' | b'>'))
}

/// The value on the next line (or after a comma) that belongs to a name.
fn paired(text: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let line_end = next_line(text, name.end);
    let rest = text[name.end..line_end].trim_ascii();
    let near = &text[name.start.saturating_sub(REACH / 2)..name.start];
    let line = memchr::memrchr(b'\n', near).map_or(near, |at| &near[at + 1..]).trim_ascii();
    let before = line[line.len().saturating_sub(LONGEST_NAMED)..].to_ascii_lowercase();
    let next = (line_end + 1).min(text.len());
    if NAMED.iter().any(|end| before.ends_with(end)) {
        let after = valued(text, name.end, line_end).or_else(|| valued(text, next, next_line(text, next)));
        return after.or_else(|| valued_before(text, name.start, line));
    }
    if before.ends_with(b"<key>") || before.ends_with(b"<name>") {
        return element(text, line_end, next_line(text, next));
    }
    let described = before.ends_with(b"variable \"") || matches!(rest, b":" | b"\": {" | b"\":{");
    if rest == b">" && near.ends_with(b"<") {
        return element(text, next, next_line(text, next));
    }
    let near = || valued(text, next, next_line(text, next)).or_else(|| of_host(text, next));
    let default = described.then(|| default(text, next).or_else(near)).flatten();
    let block = rest.last().is_some_and(|byte| b"|->".contains(byte));
    default.or_else(|| OPENS.contains(&rest).then(|| alone(text, next, block))?)
}

/// The end of the line, or of what is looked at of it.
fn next_line(text: &[u8], at: usize) -> usize {
    let at = at.min(text.len());
    let near = &text[at..text.len().min(at + 4 * REACH)];
    at + memchr::memchr(b'\n', near).unwrap_or(near.len())
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

/// `- value: x` on the line before the one that goes on with the name at `at`; `line` is the start of that, trimmed.
fn valued_before(text: &[u8], at: usize, line: &[u8]) -> Option<Range<usize>> {
    if matches!(line.first(), Some(b'-' | b'{')) {
        return None;
    }
    let from = at.saturating_sub(4 * REACH);
    let end = from + memchr::memrchr(b'\n', &text[from..at])?;
    let start = memchr::memrchr(b'\n', &text[from..end]).map_or(from, |before| from + before + 1);
    valued(text, start, end)
}

/// `"git.acme.test": "x"` on the line at `from`: Composer's tokens.
fn of_host(text: &[u8], from: usize) -> Option<Range<usize>> {
    let line = text.get(from..next_line(text, from))?;
    let start = line.iter().position(|byte| *byte == b'"')? + 1;
    let host = memchr::memchr(b'"', &line[start..])? + start;
    let skip = line[host + 1..].iter().take_while(|byte| b": \t".contains(byte)).count();
    let value = line[host + 1 + skip..].strip_prefix(b"\"")?;
    let open = host + 2 + skip;
    let length = memchr::memchr(b'"', value)?;
    let fits = line[..start - 1].trim_ascii().is_empty() && is_host(&line[start..host]) && skip > 0 && length > 0;
    fits.then_some(from + open..from + open + length)
}

/// `<string>x</string>`, `<value>x</value>` up to `to`.
fn element(text: &[u8], from: usize, to: usize) -> Option<Range<usize>> {
    let part = text.get(from..to)?;
    let open = memchr::memchr(b'>', part)? + 1;
    let tag = part[..open].trim_ascii();
    let length = memchr::memchr(b'<', &part[open..])?;
    let is_value = tag == b"<string>" || tag.eq_ignore_ascii_case(b"<value>");
    (length > 0 && is_value).then_some(from + open..from + open + length)
}

/// `default = "x"` among the next lines, which say what kind of thing was named: Terraform variables, CloudFormation
/// parameters, Heroku's variables.
fn default(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    for _ in 0..6 {
        let end = next_line(text, at).min(at + 400);
        let line = text.get(at..end)?;
        let trimmed = line.trim_ascii().to_ascii_lowercase();
        let word = trimmed.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'"').count();
        let key = &trimmed[..word];
        if matches!(key, b"default" | b"\"default\"" | b"\"value\"") {
            let sign = line.iter().position(|byte| b"=:".contains(byte))? + 1;
            let skip = line[sign..].iter().take_while(|byte| b" \"'".contains(byte)).count();
            let value = line[sign + skip..].trim_ascii_end();
            let value = value.strip_suffix(b",").unwrap_or(value).trim_ascii_end();
            let length = value.iter().position(|byte| b"\"'".contains(byte)).unwrap_or(value.len());
            let start = at + sign + skip;
            return (length > 0).then_some(start..start + length);
        }
        let describes = [
            &b"type"[..],
            b"description",
            b"noecho",
            b"sensitive",
            b"minlength",
            b"maxlength",
            b"\"type",
            b"\"noecho",
            b"\"description",
            b"\"required",
            b"\"generator",
            b"nullable",
            b"constraintdescription",
            b"allowedpattern",
        ];
        if !describes.iter().any(|known| key.starts_with(known)) {
            return None;
        }
        at = end + 1;
    }
    None
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
