//! JSON strings: what their escapes mean, and the two ways of writing one.

/// What the text between the quotes says. Lone surrogates and bytes that are not UTF-8 become U+FFFD, each
/// on its own, as Go reads them. `raw` has passed the tokenizer, so every escape in it is whole.
pub(in crate::format) fn decode(raw: &[u8]) -> Vec<u8> {
    let size = if std::str::from_utf8(raw).is_ok() { raw.len() } else { raw.len() * 3 };
    let mut out = Vec::with_capacity(size);
    let mut rest = raw;
    while let Some(escape) = memchr::memchr(b'\\', rest) {
        push_utf8(&mut out, &rest[..escape]);
        rest = decode_escape(&mut out, &rest[escape + 1..]);
    }
    push_utf8(&mut out, rest);
    out
}

/// Reads one escape, the backslash already passed, and gives what follows it.
fn decode_escape<'a>(out: &mut Vec<u8>, rest: &'a [u8]) -> &'a [u8] {
    let Some((&sign, after)) = rest.split_first() else { return rest };
    if sign == b'u' {
        return decode_unicode(out, after);
    }
    out.push(match sign {
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    });
    after
}

fn decode_unicode<'a>(out: &mut Vec<u8>, digits: &'a [u8]) -> &'a [u8] {
    let first = hex(digits);
    let after = digits.get(4..).unwrap_or_default();
    let second = after.strip_prefix(b"\\u").map_or(0, hex);
    let (code, after) = match (first, second) {
        (0xD800..=0xDBFF, 0xDC00..=0xDFFF) => (0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00), &after[6..]),
        _ => (first, after),
    };
    let sign = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes());
    after
}

/// The number in the first four hexadecimal digits, 0 if they are not there.
fn hex(digits: &[u8]) -> u32 {
    let text = digits.get(..4).and_then(|four| std::str::from_utf8(four).ok());
    text.and_then(|four| u32::from_str_radix(four, 16).ok()).unwrap_or(0)
}

/// Appends `bytes`, with U+FFFD for every byte that is not part of valid UTF-8.
fn push_utf8(out: &mut Vec<u8>, mut bytes: &[u8]) {
    while let Err(bad) = std::str::from_utf8(bytes) {
        out.extend_from_slice(&bytes[..bad.valid_up_to()]);
        out.extend_from_slice("\u{FFFD}".as_bytes());
        bytes = &bytes[bad.valid_up_to() + 1..];
    }
    out.extend_from_slice(bytes);
}

/// Appends `text` in quotes with only the escapes that JSON demands.
pub(in crate::format) fn write_plain(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut clean = Vec::new();
    let text = if std::str::from_utf8(text).is_ok() {
        text
    } else {
        push_utf8(&mut clean, text);
        &clean
    };
    let mut rest = text;
    while let Some(special) = rest.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        out.extend_from_slice(&rest[..special]);
        write_escape(out, rest[special]);
        rest = &rest[special + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends `text` in quotes, escaped as Go's encoding/json does (safe to stand in HTML).
pub(in crate::format) fn write_go(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some(special) = rest.iter().position(|&byte| needs_look(byte)) {
        out.extend_from_slice(&rest[..special]);
        rest = &rest[special + write_special(out, &rest[special..])..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn needs_look(byte: u8) -> bool {
    !(b' '..0x80).contains(&byte) || matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
}

/// Writes the character at the start of `rest` as Go would and gives its length.
fn write_special(out: &mut Vec<u8>, rest: &[u8]) -> usize {
    if rest[0] < 0x80 {
        write_escape(out, rest[0]);
        return 1;
    }
    match first_char(rest) {
        None => out.extend_from_slice(b"\\ufffd"),
        Some('\u{2028}') => out.extend_from_slice(b"\\u2028"),
        Some('\u{2029}') => out.extend_from_slice(b"\\u2029"),
        Some(sign) => out.extend_from_slice(&rest[..sign.len_utf8()]),
    }
    first_char(rest).map_or(1, char::len_utf8)
}

/// The character at the start of `bytes`, if they start with valid UTF-8.
fn first_char(bytes: &[u8]) -> Option<char> {
    let head = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(bad) => std::str::from_utf8(&head[..bad.valid_up_to()]).unwrap_or_default(),
    };
    valid.chars().next()
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => Some(byte),
        8 => Some(b'b'),
        12 => Some(b'f'),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        b'\t' => Some(b't'),
        _ => None,
    };
    match short {
        Some(letter) => out.extend_from_slice(&[b'\\', letter]),
        None => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_mean_what_go_says() {
        let cases: [(&[u8], &str); 6] = [
            (br#"a\"\\\/\b\f\n\r\t"#, "a\"\\/\u{8}\u{c}\n\r\t"),
            (br"\u00e9\ud83d\ude00", "é😀"),
            (br"\ud800\u0041", "\u{FFFD}A"),
            (br"\ud800\ud83d\ude00", "\u{FFFD}😀"),
            (br"\udc00\ud800", "\u{FFFD}\u{FFFD}"),
            (b"\xe2\x82 \xff", "\u{FFFD}\u{FFFD} \u{FFFD}"),
        ];
        for (raw, meant) in cases {
            assert_eq!(String::from_utf8(decode(raw)).unwrap(), meant);
        }
    }

    #[test]
    fn both_ways_of_writing() {
        let text = "<a>&\u{2028}\u{7f}\u{1}\"é😀\n".as_bytes();
        let (mut go, mut plain) = (Vec::new(), Vec::new());
        write_go(&mut go, text);
        write_plain(&mut plain, text);
        let expected = "\"\\u003ca\\u003e\\u0026\\u2028\u{7f}\\u0001\\\"é😀\\n\"";
        assert_eq!(String::from_utf8(go).unwrap(), expected);
        assert_eq!(String::from_utf8(plain).unwrap(), "\"<a>&\u{2028}\u{7f}\\u0001\\\"é😀\\n\"");
    }

    #[test]
    fn what_is_not_utf8_is_replaced_when_written() {
        let (mut go, mut plain) = (Vec::new(), Vec::new());
        write_go(&mut go, b"a\xe2\x82b");
        write_plain(&mut plain, b"a\xe2\x82b");
        assert_eq!(go, br#""a\ufffd\ufffdb""#);
        assert_eq!(plain, "\"a\u{FFFD}\u{FFFD}b\"".as_bytes());
    }
}
