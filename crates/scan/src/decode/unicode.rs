//! `U+0041 U+0042` and `\u0041\u0042`, also `\\u0041`, `\u{41}` and `\U00000041`.

use std::ops::Range;

use super::Findings;
use super::chunks::Chunks;
use super::text::{beside_token, hex_number, is_token};

/// Letters beside a foreign letter that make a word with it.
const LETTERS: usize = 3;

pub(super) fn find(text: &[u8], out: &mut Findings) {
    let mut notations = Vec::new();
    code_points(text, &mut notations);
    escapes(text, &mut notations);
    // Each is ascending by itself and they never overlap.
    notations.sort_by_key(|(range, _)| range.start);
    let mut chunks = Chunks::new(text);
    for (range, units) in notations {
        let bytes = written(&units);
        // Tables of foreign letters fill files; a secret has other letters too.
        let wanted = bytes.iter().any(u8::is_ascii_graphic) || beside_token(text, &range, LETTERS);
        chunks.add(out, range, &bytes, wanted);
    }
    chunks.flush(out);
}

/// UTF-16 units and larger code points as UTF-8; what is neither becomes U+FFFD.
fn written(units: &[u32]) -> Vec<u8> {
    let mut written = String::with_capacity(units.len());
    let mut rest = units.iter().copied().peekable();
    while let Some(unit) = rest.next() {
        let low = rest.peek().filter(|low| (0xd800..0xdc00).contains(&unit) && (0xdc00..0xe000).contains(*low));
        let value = low.map(|low| 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        if value.is_some() {
            rest.next();
        }
        written.push(char::from_u32(value.unwrap_or(unit)).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    written.into_bytes()
}

/// Runs of `U+HHHH` with white space between them. A blank after the last goes with it, unless that would glue the text to
/// a word or to the next line.
fn code_points(text: &[u8], out: &mut Vec<(Range<usize>, Vec<u32>)>) {
    let mut at = 0;
    while let Some(ahead) = memchr::memmem::find(&text[at..], b"U+") {
        let start = at + ahead;
        let (mut end, mut units) = (start, Vec::new());
        at = start;
        while text[at..].starts_with(b"U+") {
            let Some(unit) = hex_number(text, at + 2, 4) else { break };
            let after = text.get(at + 6);
            if after.is_some_and(|byte| is_token(*byte)) {
                break;
            }
            units.push(unit);
            end = at + 6;
            at = end + usize::from(after.is_some_and(u8::is_ascii_whitespace));
        }
        if !units.is_empty() {
            let glues = |next: &u8| is_token(*next) || next.is_ascii_whitespace();
            let blank = matches!(text.get(end), Some(b' ' | b'\t')) && !text.get(end + 1).is_some_and(glues);
            end += usize::from(blank);
            out.push((start..end, units));
        }
        at = at.max(start + 2);
    }
}

/// Runs of `\uHHHH`.
fn escapes(text: &[u8], out: &mut Vec<(Range<usize>, Vec<u32>)>) {
    let mut at = 0;
    while let Some(ahead) = memchr::memchr(b'\\', &text[at..]) {
        let start = at + ahead;
        let mut units = Vec::new();
        at = start;
        while let Some((unit, len)) = escape(&text[at..]) {
            units.push(unit);
            at += len;
        }
        if !units.is_empty() {
            out.push((start..at, units));
        }
        at = at.max(start + 1);
    }
}

/// The unit of one escape at the start of `text`, and its length.
fn escape(text: &[u8]) -> Option<(u32, usize)> {
    let slashes = text.iter().take(2).take_while(|byte| **byte == b'\\').count();
    let letter = text.get(slashes).filter(|letter| slashes > 0 && letter.eq_ignore_ascii_case(&b'u'))?;
    let digits = slashes + 1;
    if text.get(digits) == Some(&b'{') {
        let len = text[digits + 1..].iter().take(7).position(|byte| *byte == b'}')?;
        return Some((hex_number(text, digits + 1, len).filter(|_| len > 0)?, digits + len + 2));
    }
    let long = hex_number(text, digits, 8).filter(|value| *letter == b'U' && *value < 0x11_0000);
    match long {
        Some(unit) => Some((unit, digits + 8)),
        None => Some((hex_number(text, digits, 4)?, digits + 4)),
    }
}
