//! Values in the lines below their name: a value alone, the items of a list, the values of a map.

use std::ops::Range;

use super::next_line;
use crate::classify::name::Name;
use crate::detect::place::Manner;

/// Lines below a name that are looked at.
const MOST: usize = 32;

/// What opens a list in brackets that goes on in the next line.
const BRACKETS: &[&[u8]] = &[b"= [", b"=[", b": [", b":[", b"\": [", b"\":[", b"': [", b"=> [", b"' => [", b"\" => ["];

/// One value.
pub(super) struct Below {
    /// Whether any name may have it, and not only one of several secrets.
    pub of_any: bool,
    /// Where the finding lies.
    pub matched: Range<usize>,
    /// The value without quotes.
    pub secret: Range<usize>,
}

/// All values that lie below the name at `name`, if its line ends with what opens them.
pub(super) fn values(text: &[u8], name: &Range<usize>, manner: Manner) -> Vec<Below> {
    let end = next_line(text, name.end);
    let rest = text[name.end..end].trim_ascii();
    if BRACKETS.contains(&rest) {
        return listed(text, end + 1);
    }
    let block = manner == Manner::Plain && matches!(rest, b":" | b"\":" | b"':");
    match column(text, name.start).filter(|_| block) {
        Some(column) => indented(text, name, end + 1, column),
        None => Vec::new(),
    }
}

/// The column of a name that nothing but an item's sign and a quote stands before.
fn column(text: &[u8], at: usize) -> Option<usize> {
    let near = &text[at.saturating_sub(80)..at];
    let start = near.iter().rposition(|byte| *byte == b'\n').map(|end| end + 1).or((near.len() == at).then_some(0))?;
    let before = &near[start..];
    let blank = before.iter().all(|byte| b" -\"'".contains(byte));
    blank.then(|| before.iter().filter(|byte| !b"\"'".contains(byte)).count())
}

/// The items of a list in brackets, each in quotes on a line of its own.
fn listed(text: &[u8], from: usize) -> Vec<Below> {
    lines(text, from).map_while(|line| quoted(text, line)).map(|secret| among_others(secret, true)).collect()
}

/// What is indented below a name of YAML: one value, `- x` items, or `key: x` members.
fn indented(text: &[u8], name: &Range<usize>, from: usize, column: usize) -> Vec<Below> {
    let mut found = Vec::new();
    for line in lines(text, from) {
        let indent = text[line.clone()].iter().take_while(|byte| **byte == b' ').count();
        let body = line.start + indent..line.end;
        if let Some(secret) = item(text, &body).filter(|_| indent >= column) {
            found.push(among_others(secret, false));
        } else if indent <= column {
            break;
        } else if let Some(secret) = member(text, &body) {
            found.push(among_others(secret, false));
        } else if found.is_empty()
            && let Some(secret) = scalar(text, body)
        {
            return vec![Below { of_any: true, matched: name.start..secret.end, secret }];
        } else {
            break;
        }
    }
    found
}

fn among_others(secret: Range<usize>, of_any: bool) -> Below {
    Below { of_any, matched: secret.clone(), secret }
}

fn lines(text: &[u8], from: usize) -> impl Iterator<Item = Range<usize>> {
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at;
        at = next_line(text, start) + 1;
        (start < text.len()).then(|| start..start + text[start..at - 1].trim_ascii_end().len())
    })
    .take(MOST)
}

/// `- x`.
fn item(text: &[u8], body: &Range<usize>) -> Option<Range<usize>> {
    let rest = text[body.clone()].strip_prefix(b"- ")?;
    let start = body.end - rest.trim_ascii_start().len();
    scalar(text, start..body.end)
}

/// `key: x`, where the key says nothing of its own.
fn member(text: &[u8], body: &Range<usize>) -> Option<Range<usize>> {
    let line = &text[body.clone()];
    let colon = memchr::memmem::find(line, b": ")?;
    let key = line[..colon].trim_ascii();
    let word = key.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.\"'".contains(byte));
    let silent = word && Name::of(key).says_nothing();
    let start = body.end - line[colon + 2..].trim_ascii_start().len();
    scalar(text, start..body.end).filter(|_| silent)
}

/// One word, or what quotes hold.
fn scalar(text: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    let word = &text[range.clone()];
    match word.first()? {
        b'"' | b'\'' => quoted(text, range),
        b'-' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'{' | b'[' => None,
        _ => (!word.iter().any(u8::is_ascii_whitespace) && !word.ends_with(b":")).then_some(range),
    }
}

/// What quotes hold that fill a line, but for a comma behind them.
fn quoted(text: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    let line = &text[range.clone()];
    let start = range.end - line.trim_ascii_start().len();
    let line = line.trim_ascii();
    let line = line.strip_suffix(b",").unwrap_or(line);
    let quote = *line.first().filter(|byte| b"\"'".contains(byte))?;
    let inner = line[1..].strip_suffix(&[quote])?;
    (!inner.is_empty() && !inner.contains(&quote)).then_some(start + 1..start + 1 + inner.len())
}
