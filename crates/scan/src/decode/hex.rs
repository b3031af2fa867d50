//! Text as hexadecimal digits, at least 32.

use super::Findings;
use super::runs::{Class, runs};
use super::text::{could_begin_text, hex_byte, is_text};

static CLASS: Class = {
    let mut class = [false; 256];
    let digits = b"0123456789abcdefABCDEF";
    let mut index = 0;
    while index < digits.len() {
        class[digits[index] as usize] = true;
        index += 1;
    }
    class
};
/// Fewer digits are too often something else.
const LEAST: usize = 32;
/// Bytes that tell most digests from text.
const HEAD: usize = 8;

pub(super) fn find(text: &[u8], out: &mut Findings) {
    for run in runs(text, &CLASS, LEAST) {
        // With an odd count the first digit is the end of a word in front.
        let start = run.start + run.len() % 2;
        let byte = |index: usize| hex_byte(text, start + 2 * index).unwrap_or(0);
        let head: [u8; HEAD] = std::array::from_fn(byte);
        if !could_begin_text(&head) {
            continue;
        }
        let bytes: Vec<u8> = (0..(run.end - start) / 2).map(byte).collect();
        if is_text(&bytes) {
            out.push(start..run.end, &bytes);
        }
    }
}
