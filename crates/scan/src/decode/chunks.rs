//! Encodings of single characters: neighbours become one segment, so that a flood of them stays few.

use std::ops::Range;

use super::Findings;

/// Bytes between two encoded pieces of one chunk, on one line.
const GAP: usize = 64;

/// Gathers encoded pieces in ascending order.
pub(super) struct Chunks<'t> {
    text: &'t [u8],
    pieces: Vec<(Range<usize>, Vec<u8>)>,
    wanted: bool,
}

impl<'t> Chunks<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, pieces: Vec::new(), wanted: false }
    }

    /// Adds a piece; a chunk in which none is `wanted` is not worth decoding.
    pub(super) fn add(&mut self, out: &mut Findings, range: Range<usize>, bytes: Vec<u8>, wanted: bool) {
        let near = |(last, _): &(Range<usize>, Vec<u8>)| {
            let gap = &self.text[last.end..range.start];
            gap.len() <= GAP && !gap.contains(&b'\n')
        };
        if !self.pieces.last().is_some_and(near) {
            self.flush(out);
        }
        self.pieces.push((range, bytes));
        self.wanted |= wanted;
    }

    /// Ends the chunk at hand.
    pub(super) fn flush(&mut self, out: &mut Findings) {
        let pieces = std::mem::take(&mut self.pieces);
        let wanted = std::mem::take(&mut self.wanted);
        let (Some((first, _)), Some((last, _)), true) = (pieces.first(), pieces.last(), wanted) else { return };
        let whole = first.start..last.end;
        let mut bytes = Vec::with_capacity(whole.len());
        let mut copied = whole.start;
        for (range, decoded) in &pieces {
            bytes.extend_from_slice(&self.text[copied..range.start]);
            bytes.extend_from_slice(decoded);
            copied = range.end;
        }
        out.push(whole, bytes);
    }
}
