//! How one string is written: which style can carry it, and the quoted forms. Shared by the emitter and the edits.
//!
//! The choice is the one of go-yaml v3: plain where the text reads back as itself, single quotes where only
//! indicators stand in the way, a literal block for several lines, double quotes for everything else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::lookalike;

/// How a string is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Bare.
    Plain,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
    /// `|`.
    Literal,
}

/// What the style choice needs to know about a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// It starts or ends with a blank or break, holds a break, or holds an indicator that a block plain scalar cannot.
    not_plain: bool,
    /// Neither plain nor single quotes can hold it.
    only_double: bool,
    /// No block scalar can hold it.
    not_block: bool,
    /// It holds a line break of any kind.
    pub(super) breaks: bool,
    /// It holds `\n`.
    pub(super) newline: bool,
}

/// The style that go-yaml would choose for `text`, and whether `text` has a line break.
pub(super) fn choose(text: &str) -> (Form, bool) {
    let shape = shape(text.as_bytes());
    let form = if shape.newline {
        // go-yaml cannot read its own literal block that starts with a tab: SOPS prints `null` and loses the value.
        if shape.not_block || text.starts_with('\t') { Form::Double } else { Form::Literal }
    } else if shape.only_double || lookalike::misread(text) {
        Form::Double
    } else if shape.not_plain {
        Form::Single
    } else {
        Form::Plain
    };
    (form, shape.breaks)
}

/// What stood before a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Start,
    Space,
    Break,
    Other,
}

/// Looks at every character once.
pub(super) fn shape(text: &[u8]) -> Shape {
    let mut shape = Shape { not_plain: starts_as_indicator(text), ..Shape::default() };
    let mut before = Before::Start;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if ordinary(byte) {
            before = Before::Other;
            at += 1;
            continue;
        }
        let width = break_width(text, at);
        let next = at + width.max(1);
        let last = next >= text.len();
        before = if byte == b' ' {
            shape.not_plain |= at == 0 || last;
            shape.not_block |= last;
            shape.only_double |= before == Before::Break;
            Before::Space
        } else if width > 0 {
            shape.breaks = true;
            shape.newline |= byte == b'\n';
            shape.not_plain = true;
            shape.forbid_blocks(before == Before::Space || byte == b'\r' || byte == 0xC2);
            Before::Break
        } else {
            shape.not_plain |= match byte {
                b':' => last || matches!(text[next], b' ' | b'\t'),
                b'#' => before == Before::Space,
                _ => false,
            };
            shape.only_double |= byte == b'\t';
            shape.forbid_blocks(byte != b'\t' && !printable(text, at));
            Before::Other
        };
        at = next;
    }
    shape
}

impl Shape {
    fn forbid_blocks(&mut self, found: bool) {
        self.only_double |= found;
        self.not_block |= found;
    }
}

/// Whether the first characters alone forbid a plain scalar in block context.
pub(super) fn starts_as_indicator(text: &[u8]) -> bool {
    match text {
        [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..] => true,
        [first, rest @ ..] => match first {
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
            | b'`' => true,
            b'?' | b':' | b'-' => matches!(rest.first(), None | Some(b' ' | b'\t')),
            _ => false,
        },
        [] => false,
    }
}

/// Characters that no rule mentions, and continuation bytes.
fn ordinary(byte: u8) -> bool {
    match byte {
        b' ' | b':' | b'#' => false,
        0x21..=0x7E | 0x80..=0xBF => true,
        _ => false,
    }
}

/// Length of the line break that starts at `at` (LF, CR, NEL, LS, PS), 0 if there is none.
pub(super) fn break_width(text: &[u8], at: usize) -> usize {
    match text[at] {
        b'\n' | b'\r' => 1,
        0xC2 if text.get(at + 1) == Some(&0x85) => 2,
        0xE2 if text.get(at + 1) == Some(&0x80) && matches!(text.get(at + 2), Some(0xA8 | 0xA9)) => 3,
        _ => 0,
    }
}

/// Where the next line break at or after `from` starts, and its length.
pub(super) fn next_break(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(found) = text[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r' | 0xC2 | 0xE2)) {
        at += found;
        match break_width(text, at) {
            0 => at += 1,
            width => return Some((at, width)),
        }
    }
    None
}

/// Whether go-yaml writes the character that starts at `at` as it is.
fn printable(text: &[u8], at: usize) -> bool {
    let (first, second, third) = (text[at], text.get(at + 1).copied(), text.get(at + 2).copied());
    match first {
        b'\n' | 0x20..=0x7E => true,
        0xC2 => second >= Some(0xA0),
        0xC3..=0xEE => true,
        0xEF => !matches!((second, third), (Some(0xBB), Some(0xBF)) | (Some(0xBF), Some(0xBE | 0xBF))),
        _ => false,
    }
}

/// Whether a file may hold the character as it is, on one line.
pub(super) fn printed(char: char) -> bool {
    match char {
        '\t' | ' '..='~' | '\u{A0}'..='\u{2027}' | '\u{202A}'..='\u{D7FF}' | '\u{10000}'.. => true,
        '\u{E000}'..='\u{FFFD}' => char != '\u{FEFF}',
        _ => false,
    }
}

/// Whether a file may hold all of `text` as it is, on one line.
pub(super) fn one_line(text: &str) -> bool {
    text.chars().all(printed)
}

/// What becomes of characters above U+FFFF in double quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wide {
    /// Escapes, as go-yaml writes them.
    Escaped,
    /// They stay, as people write them.
    Raw,
}

/// Appends `text` in double quotes, on one line.
pub(super) fn push_double(out: &mut Vec<u8>, text: &str, wide: Wide) {
    let bytes = text.as_bytes();
    // go-yaml escapes every character of a text that starts with a byte order mark.
    let all = wide == Wide::Escaped && text.starts_with('\u{FEFF}');
    out.push(b'"');
    let mut done = 0;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let raw = plain_in_quotes(bytes, at) || (byte >= 0xF0 && wide == Wide::Raw);
        let plain = !all && !matches!(byte, b'"' | b'\\') && raw;
        if plain {
            at += 1;
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        let char = text[at..].chars().next().expect("`at` stands on the first byte of a character");
        push_escape(out, char);
        at += char.len_utf8();
        done = at;
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

/// Whether the byte at `at` needs no escape: continuation bytes follow their first byte's verdict.
fn plain_in_quotes(text: &[u8], at: usize) -> bool {
    matches!(text[at], 0x20..=0x7E | 0x80..=0xBF) || (printable(text, at) && break_width(text, at) == 0)
}

fn push_escape(out: &mut Vec<u8>, char: char) {
    let short = match char {
        '\0' => b'0',
        '\u{7}' => b'a',
        '\u{8}' => b'b',
        '\t' => b't',
        '\n' => b'n',
        '\u{B}' => b'v',
        '\u{C}' => b'f',
        '\r' => b'r',
        '\u{1B}' => b'e',
        '"' => b'"',
        '\\' => b'\\',
        '\u{85}' => b'N',
        '\u{A0}' => b'_',
        '\u{2028}' => b'L',
        '\u{2029}' => b'P',
        _ => return push_number_escape(out, u32::from(char)),
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn push_number_escape(out: &mut Vec<u8>, code: u32) {
    let (letter, digits) = match code {
        0..=0xFF => (b'x', 2),
        0x100..=0xFFFF => (b'u', 4),
        _ => (b'U', 8),
    };
    out.extend_from_slice(&[b'\\', letter]);
    for place in (0..digits).rev() {
        let digit = (code >> (4 * place)) & 0xF;
        out.push(char::from_digit(digit, 16).expect("four bits are one hexadecimal digit").to_ascii_uppercase() as u8);
    }
}

/// The chomping indicator that a block scalar of `text` needs.
pub(super) fn chomping(text: &[u8]) -> &'static [u8] {
    let Some(last) = last_break(text) else { return b"-" };
    if last == 0 || last_break(&text[..last]).is_some() { b"+" } else { b"" }
}

/// Where the line break starts that `text` ends with.
fn last_break(text: &[u8]) -> Option<usize> {
    let start = text.iter().rposition(|byte| byte & 0xC0 != 0x80)?;
    (break_width(text, start) > 0).then_some(start)
}

/// Base64 as go-yaml breaks it: lines of 70, each ended, unless all fits one.
pub(super) fn base64_lines(bytes: &[u8]) -> String {
    const WIDTH: usize = 70;
    let text = STANDARD.encode(bytes);
    if text.len() < WIDTH {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / WIDTH + 1);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(WIDTH));
        lines.push_str(line);
        lines.push('\n');
        rest = after;
    }
    lines
}

/// Appends `text`, which has no line break, with its single quotes doubled; the enclosing quotes are the caller's.
pub(super) fn push_quotes_doubled(out: &mut Vec<u8>, text: &[u8]) {
    for (index, part) in text.split(|&byte| byte == b'\'').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"''");
        }
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_is_the_plainest_that_reads_back() {
        let cases = [
            ("abc", Form::Plain),
            ("a:b#c", Form::Plain),
            ("?a", Form::Plain),
            ("", Form::Double),
            ("a: b", Form::Single),
            ("a:", Form::Single),
            ("a #b", Form::Single),
            (" a", Form::Single),
            ("- a", Form::Single),
            ("---", Form::Single),
            ("*a", Form::Single),
            ("a\u{2028}b", Form::Single),
            ("true", Form::Double),
            ("12:30:45", Form::Double),
            ("a\tb", Form::Double),
            ("\u{1F600}", Form::Double),
            ("a\nb", Form::Literal),
            ("\n", Form::Literal),
            ("a\tb\n", Form::Literal),
            ("a \nb", Form::Double),
            ("a\nb ", Form::Double),
            ("a\r\nb", Form::Double),
        ];
        for (text, form) in cases {
            assert_eq!(choose(text).0, form, "{text:?}");
        }
    }

    #[test]
    fn double_quotes_escape_what_go_yaml_escapes() {
        let cases = [
            ("a\"\\\n\u{85}\u{A0}\u{2028}", "\"a\\\"\\\\\\n\\N\u{A0}\\L\""),
            ("\u{1F600}\u{1}\u{FFFE}é", "\"\\U0001F600\\x01\\uFFFEé\""),
            ("\u{FEFF}a ", "\"\\uFEFF\\x61\\x20\""),
        ];
        for (text, wanted) in cases {
            let mut out = Vec::new();
            push_double(&mut out, text, Wide::Escaped);
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
