//! `%41%42`, as in URLs.

use super::Findings;
use super::chunks::Chunks;
use super::text::{hex_byte, is_text};

pub(super) fn find(text: &[u8], out: &mut Findings) {
    let mut chunks = Chunks::new(text);
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(ahead) = memchr::memchr(b'%', &text[at..]) {
        let start = at + ahead;
        bytes.clear();
        at = start;
        while let Some(byte) = hex_byte(text, at + 1).filter(|_| text[at] == b'%') {
            bytes.push(byte);
            at += 3;
            if at >= text.len() {
                break;
            }
        }
        if !bytes.is_empty() && is_text(&bytes) {
            chunks.add(out, start..at, &bytes, true);
        }
        at = at.max(start + 1);
    }
    chunks.flush(out);
}
