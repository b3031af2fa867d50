//! Which bytes a YAML file may hold at all, checked once before anything is read.

use crate::{FormatError, Problem};

/// Offset of the first byte after a byte order mark, once every character of the file is a permitted one.
pub(super) fn check(source: &[u8]) -> Result<usize, FormatError> {
    if source.len() > i32::MAX as usize {
        return Err(FormatError::new(Problem::Syntax, "file is larger than 2 GiB"));
    }
    if source.starts_with(&[0xFF, 0xFE]) || source.starts_with(&[0xFE, 0xFF]) {
        return Err(FormatError::at(source, 0, Problem::Syntax, "file is UTF-16, not UTF-8"));
    }
    // Most files are printable ASCII; this decides them without decoding.
    if is_printable_ascii(source) {
        return Ok(0);
    }
    let text = std::str::from_utf8(source)
        .map_err(|error| FormatError::at(source, error.valid_up_to(), Problem::Syntax, "invalid UTF-8"))?;
    if let Some((at, _)) = text.char_indices().find(|(_, letter)| !permitted(*letter)) {
        return Err(FormatError::at(source, at, Problem::Syntax, "control character"));
    }
    let start = if source.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    if source[start..].starts_with(b"\xEF\xBB\xBF") {
        return Err(FormatError::at(source, start, Problem::Syntax, "second byte order mark"));
    }
    Ok(start)
}

/// Whether every byte is printable ASCII, a tab or a line break. Blocks are judged whole, which compilers do many bytes
/// at a time.
fn is_printable_ascii(source: &[u8]) -> bool {
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    source.chunks(64).all(|block| block.iter().fold(true, |all, byte| all & plain(*byte)))
}

fn permitted(letter: char) -> bool {
    matches!(letter,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}'
        | '\u{10000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_yaml_does_not_print_is_refused_with_its_place() {
        assert_eq!(check(b"\xEF\xBB\xBFa: b\t\r\n").unwrap(), 3);
        assert_eq!(check("a: é\u{85}😀".as_bytes()).unwrap(), 0);
        for (bad, at) in [
            (&b"a: \x00"[..], (1, 4)),
            (b"a\n\x7f", (2, 1)),
            (b"a: \xff", (1, 4)),
            (b"a: \xc2\x81", (1, 4)),
            (b"\xff\xfea\0", (1, 1)),
            (b"a\xef\xbf\xbe", (1, 2)),
        ] {
            assert_eq!(check(bad).unwrap_err().at, Some(at), "{bad:?}");
        }
    }
}
