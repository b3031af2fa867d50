//! What strings of JSON, C and shells escape: `\/`, `\n`, `\"`, `\x41`, `\101`.
//!
//! Nearly every source file holds some, so only those are decoded that stand where a secret may be cut or hidden: beside
//! something as long as a key, or where they spell out characters.

use super::Findings;
use super::chunks::Chunks;
use super::text::{beside_token, hex_byte, is_plain, is_text};

/// Letters beside a line break or slash that could be part of a key.
const KEY: usize = 12;
/// Letters beside a quote that could be a name or a password.
const WORD: usize = 6;

pub(super) fn find(text: &[u8], out: &mut Findings) {
    let mut chunks = Chunks::new(text);
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(ahead) = memchr::memchr(b'\\', &text[at..]) {
        let start = at + ahead;
        bytes.clear();
        let (mut spelled, mut quotes) = (0, false);
        at = start;
        while let Some((byte, len)) = escape(&text[at..]) {
            bytes.push(byte);
            spelled += usize::from(len > 2);
            quotes |= byte == b'"';
            at += len;
        }
        if !bytes.is_empty() && is_text(&bytes) {
            let range = start..at;
            let least = if quotes { WORD } else { KEY };
            let wanted = spelled > 1 || beside_token(text, &range, least);
            chunks.add(out, range, &bytes, wanted);
        }
        at = at.max(start + 1);
    }
    chunks.flush(out);
}

/// The byte of one escape at the start of `text`, and its length.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let (b'\\', letter) = (*text.first()?, *text.get(1)?) else { return None };
    let byte = match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'/' | b'"' | b'\\' => letter,
        b'x' => return hex_byte(text, 2).filter(|byte| is_plain(*byte) || *byte >= 0x80).map(|byte| (byte, 4)),
        b'0'..=b'3' => return octal(text).filter(|byte| is_plain(*byte) || *byte >= 0x80).map(|byte| (byte, 4)),
        _ => return None,
    };
    Some((byte, 2))
}

fn octal(text: &[u8]) -> Option<u8> {
    let digits = text.get(1..4)?;
    digits.iter().try_fold(0_u8, |value, digit| match digit {
        b'0'..=b'7' => Some(value << 3 | (digit - b'0')),
        _ => None,
    })
}
