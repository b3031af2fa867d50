//! Encodings of single characters: neighbours become one segment, so that a flood of them stays few.

use std::ops::Range;

use super::Findings;

/// Bytes between two encoded pieces of one chunk, on one line.
const GAP: usize = 64;

/// Gathers encoded pieces in ascending order.
pub(super) struct Chunks<'t> {
    text: &'t [u8],
    /// Each with the end of what it decodes to.
    pieces: Vec<(Range<usize>, usize)>,
    decoded: Vec<u8>,
    whole: Vec<u8>,
    wanted: bool,
}

impl<'t> Chunks<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, pieces: Vec::new(), decoded: Vec::new(), whole: Vec::new(), wanted: false }
    }

    /// Adds a piece; a chunk in which none is `wanted` is not worth decoding.
    pub(super) fn add(&mut self, out: &mut Findings, range: Range<usize>, bytes: &[u8], wanted: bool) {
        let near = |(last, _): &(Range<usize>, usize)| {
            let gap = &self.text[last.end..range.start];
            gap.len() <= GAP && !gap.contains(&b'\n')
        };
        if !self.pieces.last().is_some_and(near) {
            self.flush(out);
        }
        self.decoded.extend_from_slice(bytes);
        self.pieces.push((range, self.decoded.len()));
        self.wanted |= wanted;
    }

    /// Ends the chunk at hand.
    pub(super) fn flush(&mut self, out: &mut Findings) {
        if let (Some((first, _)), Some((last, _)), true) = (self.pieces.first(), self.pieces.last(), self.wanted) {
            let whole = first.start..last.end;
            let (mut copied, mut given) = (whole.start, 0);
            for (range, end) in &self.pieces {
                self.whole.extend_from_slice(&self.text[copied..range.start]);
                self.whole.extend_from_slice(&self.decoded[given..*end]);
                (copied, given) = (range.end, *end);
            }
            out.push(whole, &self.whole);
        }
        self.pieces.clear();
        self.decoded.clear();
        self.whole.clear();
        self.wanted = false;
    }
}
