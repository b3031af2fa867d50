//! Lines of a source text: where they start and end, and what lies between two tokens. LF, CRLF, CR, NEL, LS and PS
//! end a line, as in YAML 1.1.

use super::scalar;

/// The line ending of a text: that of its first line, LF if it has one line only.
pub(super) fn ending(source: &[u8]) -> &'static [u8] {
    match memchr::memchr2(b'\n', b'\r', source) {
        Some(at) if source[at] == b'\r' && source.get(at + 1) == Some(&b'\n') => b"\r\n",
        Some(at) if source[at] == b'\r' => b"\r",
        _ => b"\n",
    }
}

/// Where the line of `at` ends, without its break.
pub(super) fn end(source: &[u8], at: usize) -> usize {
    scalar::next_break(source, at).map_or(source.len(), |(end, _)| end)
}

/// Where the line after that of `at` starts (the end of the text if there is none).
pub(super) fn next(source: &[u8], at: usize) -> usize {
    let Some((end, width)) = scalar::next_break(source, at) else { return source.len() };
    let pair = source[end..].starts_with(b"\r\n");
    end + if pair { 2 } else { width }
}

/// Where the line of `at` starts; a byte order mark is not part of it.
pub(super) fn start(source: &[u8], at: usize) -> usize {
    let mut before = at;
    while let Some(last) = source[..before].iter().rposition(|byte| matches!(byte, b'\n' | b'\r' | 0x85 | 0xA8 | 0xA9))
    {
        if ends_break(source, last) {
            return last + 1;
        }
        before = last;
    }
    if source.starts_with("\u{FEFF}".as_bytes()) { at.min(3) } else { 0 }
}

/// Whether the byte at `last` is the last one of a line break.
fn ends_break(source: &[u8], last: usize) -> bool {
    match source[last] {
        b'\n' | b'\r' => true,
        0x85 => source[..last].ends_with(&[0xC2]),
        _ => source[..last].ends_with(&[0xE2, 0x80]),
    }
}

/// Whether the text before `at` ends with a line break (or is empty).
pub(super) fn fresh(source: &[u8], at: usize) -> bool {
    start(source, at) == at
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(super) fn is_space(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'\n' | b'\r')
}

/// Whether the line that starts at `at` holds nothing but blanks.
pub(super) fn is_empty(source: &[u8], at: usize) -> bool {
    source[at..end(source, at)].iter().all(|&byte| is_blank(byte))
}

/// The next byte at or after `at` that is not a blank.
pub(super) fn skip_blanks(source: &[u8], at: usize) -> usize {
    source[at..].iter().position(|&byte| !is_blank(byte)).map_or(source.len(), |found| at + found)
}

/// The next token at or after `at`: blanks, breaks and comments are passed.
pub(super) fn token(source: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = source.get(at) {
        let width = scalar::break_width(source, at);
        if byte == b'#' && (is_blank(source[at.saturating_sub(1)]) || fresh(source, at)) {
            at = end(source, at);
        } else if is_blank(byte) || width > 0 {
            at += width.max(1);
        } else {
            break;
        }
    }
    at
}

/// Where the tag or anchor that starts at `at` ends.
pub(super) fn word_end(source: &[u8], at: usize) -> usize {
    source[at..].iter().position(|&byte| is_space(byte)).map_or(source.len(), |found| at + found)
}

/// How many lines from `at` on hold nothing but blanks; a last one without a break does not count.
pub(super) fn empty_lines(source: &[u8], mut at: usize) -> usize {
    let mut count = 0;
    while end(source, at) < source.len() && is_empty(source, at) {
        count += 1;
        at = next(source, at);
    }
    count
}

/// The lines of `text` (LF), each `column` further to the right, with the file's line ending.
pub(super) fn shifted(text: &[u8], column: usize, ending: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        if !bare.is_empty() {
            out.resize(out.len() + column, b' ');
            out.extend_from_slice(bare);
        }
        if bare.len() < line.len() {
            out.extend_from_slice(ending);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_break_ends_a_line() {
        for (source, break_text) in [("a\nbb\n", "\n"), ("a\r\nbb\r\n", "\r\n"), ("a\rbb\r", "\r")] {
            let source = source.as_bytes();
            let second = 1 + break_text.len();
            assert_eq!(ending(source), break_text.as_bytes());
            assert_eq!((end(source, 0), next(source, 0)), (1, second));
            assert_eq!((start(source, second + 1), end(source, second)), (second, second + 2));
            assert_eq!(next(source, second), source.len());
        }
    }

    #[test]
    fn comments_are_passed_only_where_they_start_one() {
        assert_eq!(token(b"  # x: y\n  b", 0), 11);
        assert_eq!(token(b" a#b", 0), 1);
    }
}
