//! The smallest pieces of an INI file, as go-ini reads them: blanks, keys, values.

use crate::Style;

/// A value's token.
pub(super) struct ValueToken {
    /// What it says.
    pub(super) value: Vec<u8>,
    /// Where it stands, with its quotes; a continued value to the end of its last line.
    pub(super) span: (usize, usize),
    /// How it is quoted.
    pub(super) style: Style,
    /// The comment behind it, from its sign to its last character.
    pub(super) comment: Option<(usize, usize)>,
    /// Where the next line starts.
    pub(super) next: usize,
    /// Whether text behind a closing quote is ignored.
    pub(super) junk: bool,
    /// Whether a comment sign cuts a quoted value short.
    pub(super) cut: bool,
}

/// Reads the value behind a delimiter that ends at `at`. Fails if a closing quote is missing.
pub(super) fn read_value(source: &[u8], at: usize) -> Option<ValueToken> {
    let end = line_end(source, at);
    let start = at + (end - at - trim_start(&source[at..end]).len());
    let line = &source[start..end];
    if line.is_empty() {
        let place = at + strip_break(&source[at..end]).len();
        return Some(bare(Vec::new(), (place, place), end));
    }
    if line.len() > 3 && line.starts_with(b"\"\"\"") {
        return read_quoted(source, start, end, b"\"\"\"", Style::TripleQuoted);
    }
    if line[0] == b'`' {
        return read_quoted(source, start, end, b"`", Style::Backtick);
    }
    let text = trim(line);
    if text.ends_with(b"\\") {
        Some(read_continued(source, start, text, end))
    } else {
        Some(read_line(start, text, end))
    }
}

fn bare(value: Vec<u8>, span: (usize, usize), next: usize) -> ValueToken {
    ValueToken { value, span, style: Style::Plain, comment: None, next, junk: false, cut: false }
}

/// A value on one line: cut at the first comment sign, then freed of one pair of quotes.
fn read_line(start: usize, text: &[u8], next: usize) -> ValueToken {
    let sign = memchr::memchr2(b'#', b';', text);
    let kept = trim(&text[..sign.unwrap_or(text.len())]);
    let comment = sign.map(|sign| (start + sign, start + text.len()));
    let style = match kept.first() {
        Some(b'"') if is_surrounded(kept) => Style::DoubleQuoted,
        Some(b'\'') if is_surrounded(kept) => Style::SingleQuoted,
        _ => Style::Plain,
    };
    let inner = if style == Style::Plain { kept } else { &kept[1..kept.len() - 1] };
    let opens = style == Style::Plain && matches!(kept.first(), Some(b'"' | b'\''));
    let cut = opens && sign.is_some_and(|sign| text[sign..].contains(&kept[0]));
    let span = (start, start + kept.len());
    ValueToken { comment, style, cut, ..bare(inner.to_vec(), span, next) }
}

/// Whether `text` starts and ends with one quote and has no other of its kind.
fn is_surrounded(text: &[u8]) -> bool {
    text.len() >= 2 && memchr::memchr(text[0], &text[1..]) == Some(text.len() - 2)
}

/// A value that goes on behind a backslash at the end of its line: no comments, no quotes.
fn read_continued(source: &[u8], start: usize, first: &[u8], next: usize) -> ValueToken {
    let mut value = first[..first.len() - 1].to_vec();
    let mut span = (start, start + first.len());
    let mut at = next;
    loop {
        let end = line_end(source, at);
        let line = &source[at..end];
        let text = trim(line);
        let lead = line.len() - trim_start(line).len();
        if !text.is_empty() {
            value.extend_from_slice(text);
            span.1 = at + lead + text.len();
        }
        at = end;
        if !text.ends_with(b"\\") {
            return bare(value, span, at);
        }
        value.pop();
    }
}

/// A value between `quote`s, on one line or over several.
fn read_quoted(source: &[u8], start: usize, end: usize, quote: &[u8], style: Style) -> Option<ValueToken> {
    let body = start + quote.len();
    let token = |close: usize, next: usize| ValueToken {
        style,
        ..bare(source[body..close].to_vec(), (start, close + quote.len()), next)
    };
    if let Some(length) = memchr::memmem::rfind(&source[body..end], quote) {
        let rest = &source[body + length + quote.len()..end];
        return Some(ValueToken { junk: !trim(rest).is_empty(), ..token(body + length, end) });
    }
    let mut at = end;
    while at < source.len() {
        let end = line_end(source, at);
        let close = memchr::memmem::rfind(&source[at..end], quote).map(|length| at + length);
        let goes_on = |close: &usize| trim(&source[close + quote.len()..end]).ends_with(b"\\");
        let Some(close) = close.filter(|close| !goes_on(close)) else {
            at = end;
            continue;
        };
        let rest = &source[close + quote.len()..end];
        let sign = memchr::memchr2(b'#', b';', rest);
        let junk = !trim(&rest[..sign.unwrap_or(rest.len())]).is_empty();
        let comment = sign.map(|sign| comment_to_end(source, close + quote.len() + sign, end));
        return Some(ValueToken { junk, comment, ..token(close, end) });
    }
    None
}

/// A comment from its sign to its last character.
pub(super) fn comment_to_end(source: &[u8], sign: usize, end: usize) -> (usize, usize) {
    (sign, sign + trim(&source[sign..end]).len())
}

/// A key's token.
pub(super) struct KeyToken {
    /// Where the name stands, without quotes and blanks.
    pub(super) name: (usize, usize),
    /// Where the token ends, quotes included.
    pub(super) end: usize,
    /// Where the delimiter ends.
    pub(super) after: usize,
    /// Whether text between a closing quote and the delimiter is ignored.
    pub(super) junk: bool,
}

/// Reads the key of the line `start..end`, which starts with something that is not blank.
pub(super) fn read_key(source: &[u8], start: usize, end: usize) -> Result<KeyToken, &'static str> {
    let line = &source[start..end];
    let quote: &[u8] = match line.first() {
        Some(b'"') if line.len() > 6 && line.starts_with(b"\"\"\"") => b"\"\"\"",
        Some(b'"') => b"\"",
        Some(b'`') => b"`",
        _ => b"",
    };
    let (from, to) = match quote.len() {
        0 => (
            0,
            memchr::memchr2(b'=', b':', line)
                .ok_or("a line that is neither a comment, a section nor a key with '=' or ':'")?,
        ),
        length => {
            let close = memchr::memmem::find(&line[length..], quote).ok_or("a key without its closing quote")?;
            (length, length + close)
        }
    };
    let behind = to + quote.len();
    let delimiter = memchr::memchr2(b'=', b':', &line[behind..]).ok_or("a key without '=' or ':' behind it")?;
    let lead = from + (to - from - trim_start(&line[from..to]).len());
    let name = trim(&line[from..to]);
    if name.is_empty() {
        return Err("a key without a name");
    }
    let end = if quote.is_empty() { lead + name.len() } else { behind };
    Ok(KeyToken {
        name: (start + lead, start + lead + name.len()),
        end: start + end,
        after: start + behind + delimiter + 1,
        junk: !trim(&line[behind..behind + delimiter]).is_empty(),
    })
}

/// The end of the line in which `at` stands, its line break included.
pub(super) fn line_end(source: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &source[at..]).map_or(source.len(), |length| at + length + 1)
}

/// A line without its line break.
pub(super) fn strip_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Without blanks (Unicode's) at both ends.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while let Some(length) = blank_length(text.last(), |length| text.len().checked_sub(length).map(|at| &text[at..])) {
        text = &text[..text.len() - length];
    }
    text
}

/// Without blanks (Unicode's) at the start.
pub(super) fn trim_start(text: &[u8]) -> &[u8] {
    let mut text = text;
    while let Some(length) = blank_length(text.first(), |length| text.get(..length)) {
        text = &text[length..];
    }
    text
}

/// Length of the blank at one end of a text, of which `byte` is the outermost and `part` gives some more.
fn blank_length<'a>(byte: Option<&u8>, part: impl Fn(usize) -> Option<&'a [u8]>) -> Option<usize> {
    match byte? {
        b'\t'..=b'\r' | b' ' => Some(1),
        ..0x80 => None,
        _ => (2..=4).find(|&length| is_blank(part(length))),
    }
}

/// Whether these bytes are one blank character.
fn is_blank(bytes: Option<&[u8]>) -> bool {
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    let mut signs = text.chars();
    matches!((signs.next(), signs.next()), (Some(sign), None) if sign.is_whitespace())
}
