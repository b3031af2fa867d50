//! `&#84;`, `&#x54;`, `&quot;`, as in HTML and XML.

use super::Findings;
use super::chunks::Chunks;
use super::text::{beside_token, is_text};

/// Letters beside a named entity that could be a name or a password.
const WORD: usize = 6;
const NAMES: [(&[u8], u8); 5] =
    [(b"&amp;", b'&'), (b"&quot;", b'"'), (b"&apos;", b'\''), (b"&lt;", b'<'), (b"&gt;", b'>')];

pub(super) fn find(text: &[u8], out: &mut Findings) {
    let mut chunks = Chunks::new(text);
    let mut decoded = String::new();
    let mut at = 0;
    while let Some(ahead) = memchr::memchr(b'&', &text[at..]) {
        let start = at + ahead;
        decoded.clear();
        let mut numeric = 0;
        at = start;
        while let Some((character, len, by_number)) = entity(&text[at..]) {
            decoded.push(character);
            numeric += usize::from(by_number);
            at += len;
        }
        if !decoded.is_empty() && is_text(decoded.as_bytes()) {
            let wanted = numeric > 1 || beside_token(text, &(start..at), WORD);
            chunks.add(out, start..at, decoded.as_bytes(), wanted);
        }
        at = at.max(start + 1);
    }
    chunks.flush(out);
}

/// The character of one entity at the start of `text`, its length, and whether it is written as a number.
fn entity(text: &[u8]) -> Option<(char, usize, bool)> {
    let Some(number) = text.strip_prefix(b"&#") else {
        let (name, byte) = NAMES.iter().find(|(name, _)| text.starts_with(name))?;
        return Some((char::from(*byte), name.len(), false));
    };
    let len = number.iter().take(9).position(|byte| *byte == b';')?;
    let digits = std::str::from_utf8(&number[..len]).ok()?;
    let value = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    Some((char::from_u32(value.ok()?)?, len + 3, true))
}
