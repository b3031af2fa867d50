//! Blocks: parts of a text that are decoded each by itself, so that a text of which little is new is decoded in part.
//!
//! No encoding reaches over the end of a line, but for base64 wrapped in lines and rows of `U+0041`; both go on only
//! where the line's last byte is one of their letters. So a line end after any other byte is the end of a block.

use std::ops::Range;

use super::base64;

/// The blocks round each of these ascending parts, joined where they touch. Blocks whose first line end stands close
/// behind a part count as touched, because the byte that ends the block before may be the part's.
pub(crate) fn around(text: &[u8], parts: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    for part in parts {
        let last = blocks.last_mut();
        // Far enough within the block before: nothing to look for.
        if let Some(last) = &last
            && part.end + 2 < last.end
        {
            continue;
        }
        let end = end_after(text, part.end);
        match last {
            Some(last) if part.start <= last.end => last.end = end,
            _ => {
                let start = start_before(text, part.start);
                match blocks.last_mut() {
                    Some(last) if start <= last.end => last.end = end,
                    _ => blocks.push(start..end),
                }
            }
        }
    }
    blocks
}

fn start_before(text: &[u8], at: usize) -> usize {
    let mut end = at.min(text.len());
    while let Some(newline) = memchr::memrchr(b'\n', &text[..end]) {
        if ends_block(text, newline) {
            return newline + 1;
        }
        end = newline;
    }
    0
}

fn end_after(text: &[u8], at: usize) -> usize {
    let mut start = at.saturating_add(2).min(text.len());
    while let Some(ahead) = memchr::memchr(b'\n', &text[start..]) {
        let newline = start + ahead;
        if ends_block(text, newline) {
            return newline + 1;
        }
        start = newline + 1;
    }
    text.len()
}

/// Whether the line end at `newline` ends a block.
fn ends_block(text: &[u8], newline: usize) -> bool {
    let line = &text[..newline];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.last().is_none_or(|last| !base64::is_letter(*last))
}
