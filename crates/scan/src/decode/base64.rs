//! Text in base64: both alphabets, with or without padding, also glued to a word in front, and what is inside it:
//! UTF-8, UTF-16 (PowerShell), gzip (Helm).

use std::ops::Range;

use super::Findings;
use super::inflate::{self, Compressed};
use super::runs::{Class, runs};
use super::text::{could_begin_text, hex_byte, is_plain, is_text};
use super::wrapped;

/// Values of the letters of both alphabets; `NONE` for all else.
pub(super) static VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        values[letters[value] as usize] = value as u8;
        value += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
};
const NONE: u8 = 255;
static CLASS: Class = {
    let mut class = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = VALUES[byte] != NONE;
        byte += 1;
    }
    class
};
/// Fewer letters are too often a word.
const LEAST: usize = 16;
/// Letters that decode to text by chance too seldom to matter, where the beginning is unknown.
const LEAST_GLUED: usize = 24;
/// Letters that tell most words and random keys from encoded text.
const HEAD: usize = 24;

/// Whether a byte is a letter of either alphabet.
pub(super) fn is_letter(byte: u8) -> bool {
    CLASS[usize::from(byte)]
}

pub(super) fn find(text: &[u8], out: &mut Findings) {
    // Where a block of lines ends that was looked at as a whole, and where what was decoded ends.
    let (mut block_end, mut done) = (0, 0);
    for run in runs(text, &CLASS, LEAST) {
        if run.start < done {
            continue;
        }
        let content = head(&text[run.clone()]);
        if let Some(content) = content {
            if run.start >= block_end {
                let (lines, is_wrapped) = wrapped::lines(text, &run, &CLASS);
                block_end = lines.last().map_or(run.end, |line| line.end);
                if is_wrapped && wrapped::decode(text, &lines, content, out) {
                    done = block_end + padding(text, block_end, 0);
                    continue;
                }
            }
            if whole(text, &run, content, out) {
                continue;
            }
        }
        if !is_part_encoded(text, run.start) {
            glued(text, &run, out);
        }
    }
}

/// What base64 holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text,
    Utf16,
    Compressed(Compressed),
}

/// What the first letters promise.
fn head(letters: &[u8]) -> Option<Content> {
    let mut bytes = [0; HEAD / 4 * 3];
    let (groups, _) = letters[..letters.len().min(HEAD)].as_chunks::<4>();
    for (group, three) in groups.iter().zip(bytes.as_chunks_mut::<3>().0) {
        *three = decoded(*group);
    }
    let bytes = &bytes[..groups.len() * 3];
    if let Some(kind) = inflate::begins(bytes) {
        return Some(Content::Compressed(kind));
    }
    let wide = bytes.strip_prefix(b"\xff\xfe").unwrap_or(bytes);
    if wide.chunks_exact(2).all(|pair| is_plain(pair[0]) && pair[1] == 0) {
        return Some(Content::Utf16);
    }
    could_begin_text(bytes).then_some(Content::Text)
}

/// The three bytes that four letters, which must be of the class, stand for.
fn decoded(letters: [u8; 4]) -> [u8; 3] {
    let bits = letters.iter().fold(0_u32, |bits, letter| bits << 6 | u32::from(VALUES[usize::from(*letter)]));
    let [_, three @ ..] = bits.to_be_bytes();
    three
}

/// Decodes letters, which must be of the class; a rest of one letter is lost.
pub(super) fn append(letters: &[u8], bytes: &mut Vec<u8>) {
    for group in letters.chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, letter| bits << 6 | u32::from(VALUES[usize::from(*letter)]));
        let bits = bits << (6 * (4 - group.len()));
        let [_, three @ ..] = bits.to_be_bytes();
        bytes.extend_from_slice(&three[..group.len() - 1]);
    }
}

/// How many `=` at `end` belong to `letters` letters before it. With 0 letters: as many as there are.
pub(super) fn padding(text: &[u8], end: usize, letters: usize) -> usize {
    let signs = text[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
    if letters == 0 { signs } else { signs.min((4 - letters % 4) % 4) }
}

/// The decoded bytes as text.
pub(super) fn reveal(bytes: Vec<u8>, content: Content, out: &mut Findings) -> Option<Vec<u8>> {
    let text = match content {
        Content::Text => bytes,
        Content::Utf16 => utf16(&bytes)?,
        Content::Compressed(kind) => {
            let mut text = inflate::inflate(kind, &bytes, out.spare)?;
            out.spare -= text.len();
            // Cut at the limit, it may end within a character.
            if let Err(error) = std::str::from_utf8(&text)
                && error.error_len().is_none()
            {
                text.truncate(error.valid_up_to());
            }
            text
        }
    };
    (!text.is_empty() && is_text(&text)).then_some(text)
}

fn utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes.strip_prefix(b"\xff\xfe").unwrap_or(bytes);
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.ok().map(String::into_bytes)
}

fn whole(text: &[u8], run: &Range<usize>, content: Content, out: &mut Findings) -> bool {
    if run.len() % 4 == 1 {
        return false;
    }
    let mut bytes = Vec::with_capacity(run.len() / 4 * 3 + 3);
    append(&text[run.clone()], &mut bytes);
    let Some(revealed) = reveal(bytes, content, out) else { return false };
    out.push(run.start..run.end + padding(text, run.end, run.len()), &revealed);
    true
}

/// Whether a run begins with an encoded character, `%4A` or `\x4A`: only the next pass sees its letters.
fn is_part_encoded(text: &[u8], start: usize) -> bool {
    match start.checked_sub(1).map(|before| text[before]) {
        Some(b'%') => hex_byte(text, start).is_some(),
        Some(b'\\') => matches!(text[start], b'x' | b'u' | b'U'),
        _ => false,
    }
}

/// Reads from the end backwards as long as it is text: a word in front of it is not known to end anywhere.
fn glued(text: &[u8], run: &Range<usize>, out: &mut Findings) {
    if run.len() < LEAST_GLUED {
        return;
    }
    let rests: &[usize] = match padding(text, run.end, 0) {
        0 => &[0, 2, 3],
        1 => &[3],
        _ => &[2],
    };
    for rest in rests {
        let tail = run.end - rest;
        let mut bytes = Vec::new();
        append(&text[tail..run.end], &mut bytes);
        if !bytes.iter().all(|byte| is_plain(*byte)) {
            continue;
        }
        let groups = text[run.start..tail].as_rchunks::<4>().1.iter().rev();
        let plain = groups.take_while(|group| decoded(**group).iter().all(|byte| is_plain(*byte))).count();
        let start = tail - 4 * plain;
        if run.end - start >= LEAST_GLUED {
            bytes.clear();
            append(&text[start..run.end], &mut bytes);
            out.push(start..run.end + padding(text, run.end, run.end - start), &bytes);
            return;
        }
    }
}
