//! Just enough YAML, line by line, to find settings and what they belong to. Never fails: what it cannot read it skips.

use std::ops::Range;

/// One `key: value` line, or the block below it.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// Column of the key.
    pub column: usize,
    /// The key, without quotes.
    pub key: Range<usize>,
    /// The value, without quotes; for a block the text from its first to its last line; empty if what follows is a map.
    pub value: Range<usize>,
    /// Whether `- ` stands before the key: a list's item begins.
    pub item: bool,
}

/// The settings of one document, in order.
pub(super) fn settings(text: &[u8], from: usize, to: usize) -> Vec<Setting> {
    let mut out = Vec::new();
    let mut at = from;
    while at < to {
        let end = line_end(text, at, to);
        let Some(mut setting) = setting(text, at, end) else {
            at = end + 1;
            continue;
        };
        at = end + 1;
        if is_block(&text[setting.value.clone()]) {
            let (range, after) = block(text, at, to, setting.column);
            setting.value = range;
            at = after;
        }
        out.push(setting);
    }
    out
}

/// Where each document of a stream starts and ends.
pub(super) fn documents(text: &[u8]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        let end = line_end(text, at, text.len());
        if text[at..end].starts_with(b"---") {
            out.push(start..at);
            start = end;
        }
        at = end + 1;
    }
    out.push(start..text.len());
    out
}

fn line_end(text: &[u8], at: usize, to: usize) -> usize {
    memchr::memchr(b'\n', &text[at..to]).map_or(to, |length| at + length)
}

fn setting(text: &[u8], start: usize, end: usize) -> Option<Setting> {
    let mut at = start + text[start..end].iter().take_while(|byte| **byte == b' ').count();
    let mut item = false;
    while at + 1 < end && text[at] == b'-' && text[at + 1] == b' ' {
        item = true;
        at += 1 + text[at + 1..end].iter().take_while(|byte| **byte == b' ').count();
    }
    if at >= end || matches!(text[at], b'#' | b'{') {
        return None;
    }
    let (key, after) = match text[at] {
        quote @ (b'"' | b'\'') => {
            let length = text[at + 1..end].iter().position(|byte| *byte == quote)?;
            (at + 1..at + 1 + length, at + length + 2)
        }
        _ => {
            let line = &text[at..end];
            let blank = |colon: &usize| line.get(colon + 1).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
            let length = memchr::memchr_iter(b':', line).find(blank);
            let length = length.or(text[at..end].ends_with(b":").then(|| end - at - 1))?;
            (at..at + length, at + length)
        }
    };
    let colon = text.get(after) == Some(&b':');
    (colon && after < end).then(|| Setting { column: at - start, key, value: scalar(text, after + 1, end), item })
}

/// A value on its key's line: quotes and comment left out.
fn scalar(text: &[u8], start: usize, end: usize) -> Range<usize> {
    let mut start = start + text[start..end].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if text[start..end].starts_with(b"!!") {
        start += text[start..end].iter().position(|byte| *byte == b' ').map_or(end - start, |length| length + 1);
    }
    if let Some(quote @ (b'"' | b'\'')) = text[start..end].first() {
        let close = closing(&text[start + 1..end], *quote);
        return close.map_or(start..start, |length| start + 1..start + 1 + length);
    }
    let comment = text[start..end].windows(2).position(|pair| pair == b" #").unwrap_or(end - start);
    start..start + text[start..start + comment].trim_ascii_end().len()
}

/// Where a quoted text ends: a backslash hides a double quote, a single one is doubled.
fn closing(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' if quote == b'"' => at += 1,
            byte if byte != quote => {}
            _ if quote == b'\'' && text.get(at + 1) == Some(&quote) => at += 1,
            _ => return Some(at),
        }
        at += 1;
    }
    None
}

fn is_block(value: &[u8]) -> bool {
    matches!(value.first(), Some(b'|' | b'>')) && value[1..].iter().all(|byte| b"+-0123456789".contains(byte))
}

/// The lines of a block scalar, and where the next setting may begin.
fn block(text: &[u8], start: usize, to: usize, column: usize) -> (Range<usize>, usize) {
    let (mut at, mut first, mut last) = (start, None, start);
    while at < to {
        let end = line_end(text, at, to);
        let indent = text[at..end].iter().take_while(|byte| **byte == b' ').count();
        let blank = text[at..end].trim_ascii().is_empty();
        if !blank && indent <= column {
            break;
        }
        if !blank {
            first.get_or_insert(at + indent);
            last = at + text[at..end].trim_ascii_end().len();
        }
        at = end + 1;
    }
    (first.unwrap_or(start).min(last)..last, at.min(to))
}

#[cfg(test)]
mod tests {
    use super::settings;

    #[test]
    fn a_quoted_value_ends_at_its_own_quote() {
        let values = |text: &'static str| {
            let found = settings(text.as_bytes(), 0, text.len());
            found.into_iter().map(|setting| &text[setting.value]).collect::<Vec<_>>()
        };
        assert_eq!(values("a: \"x \\\"y\\\" z\" # no\nb: 'it''s'\nc: \"\\\\\"\n"), ["x \\\"y\\\" z", "it''s", "\\\\"]);
        assert_eq!(values("a: \"never closed\\\"\nb: 1\n"), ["", "1"]);
    }
}
