//! Walking the source: bytes looked at, characters counted.
//!
//! Line breaks are those of YAML 1.1 (CR, LF, CRLF, NEL, LS, PS). Past the end of the source every byte
//! reads as zero, which cannot occur inside it.

/// A place in the source.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// Byte offset (files are limited to 2 GiB).
    at: u32,
    /// Characters before it; the order of marks is decided by this number. A mark may lie one before the start.
    pub(super) index: i32,
    /// Line breaks before it.
    pub(super) line: i32,
    /// Characters between the start of its line and it.
    pub(super) column: i32,
}

/// A set of `N` bytes and the first bytes of NEL, LS and PS: those that stop a fast run over text.
pub(super) struct Stops<const N: usize>([u8; N]);

impl<const N: usize> Stops<N> {
    /// These bytes and the first bytes of NEL, LS and PS.
    pub(super) const fn new(bytes: &[u8; N]) -> Self {
        Self(*bytes)
    }

    fn stops(&self, byte: u8) -> bool {
        self.0.iter().fold(byte == 0xC2 || byte == 0xE2, |any, stop| any | (byte == *stop))
    }

    /// Offset of the next such byte of `source` from `at` on, or its length. Blocks are judged whole, which compilers
    /// do many bytes at a time.
    #[inline]
    pub(super) fn next(&self, source: &[u8], at: usize) -> usize {
        const BLOCK: usize = 16;
        let rest = &source[at..];
        let (blocks, tail) = rest.as_chunks::<BLOCK>();
        for (number, block) in blocks.iter().enumerate() {
            let found = u128::from_le_bytes(block.map(|byte| u8::from(self.stops(byte))));
            if found != 0 {
                return at + number * BLOCK + found.trailing_zeros() as usize / 8;
            }
        }
        let behind = tail.iter().position(|byte| self.stops(*byte)).unwrap_or(tail.len());
        source.len() - tail.len() + behind
    }
}

static BREAKS: Stops<2> = Stops::new(b"\n\r");

impl Mark {
    pub(super) fn new(at: usize, index: i32, line: i32, column: i32) -> Self {
        Self { at: at as u32, index, line, column }
    }

    /// Byte offset.
    pub(super) fn at(self) -> usize {
        self.at as usize
    }
}

/// A blank: space or tab.
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Number of bytes of the break *character* that `bytes` starts with, 0 if there is none. CRLF counts as CR here.
pub(super) fn break_width(bytes: &[u8]) -> usize {
    match bytes {
        [b'\n' | b'\r', ..] => 1,
        [0xC2, 0x85, ..] => 2,
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => 3,
        _ => 0,
    }
}

/// The source and the place up to which it was read.
pub(super) struct Cursor<'s> {
    pub(super) source: &'s [u8],
    pub(super) mark: Mark,
    /// Line breaks passed since the last character that was not blank.
    pub(super) newlines: i32,
}

impl<'s> Cursor<'s> {
    /// At byte `start` of `source`, which counts as its first line's first column.
    pub(super) fn new(source: &'s [u8], start: usize) -> Self {
        Self { source, mark: Mark::new(start, 0, 0, 0), newlines: 0 }
    }

    /// The byte `ahead` bytes further on.
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.mark.at() + ahead).copied().unwrap_or(0)
    }

    /// The byte at the cursor.
    pub(super) fn byte(&self) -> u8 {
        self.peek(0)
    }

    /// What is left, from `ahead` bytes further on.
    pub(super) fn rest(&self, ahead: usize) -> &'s [u8] {
        self.source.get(self.mark.at() + ahead..).unwrap_or_default()
    }

    /// Whether the source ends here.
    pub(super) fn at_end(&self) -> bool {
        self.mark.at() >= self.source.len()
    }

    /// Whether a line break stands `ahead` bytes further on.
    pub(super) fn break_at(&self, ahead: usize) -> bool {
        break_width(self.rest(ahead)) > 0
    }

    /// Whether a line break or the end is `ahead` bytes further on.
    pub(super) fn line_ends_at(&self, ahead: usize) -> bool {
        self.mark.at() + ahead >= self.source.len() || self.break_at(ahead)
    }

    /// Whether a blank, a line break or the end is `ahead` bytes further on.
    pub(super) fn gap_at(&self, ahead: usize) -> bool {
        is_blank(self.peek(ahead)) || self.line_ends_at(ahead)
    }

    /// Whether the cursor stands at the start of a line that is a document marker (`---` or `...`).
    pub(super) fn at_document_marker(&self) -> bool {
        self.mark.column == 0
            && matches!(self.rest(0), [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..])
            && self.gap_at(3)
    }

    /// Passes `count` ASCII characters, of which the first is not blank.
    pub(super) fn skip_ascii(&mut self, count: usize) {
        self.newlines = 0;
        self.pass(count, count);
    }

    /// Passes the blank at the cursor.
    pub(super) fn skip_blank(&mut self) {
        self.pass(1, 1);
    }

    /// Passes all blanks.
    pub(super) fn skip_blanks(&mut self) {
        let count = self.rest(0).iter().take_while(|byte| is_blank(**byte)).count();
        self.pass(count, count);
    }

    /// Passes text of this line up to byte offset `end`; it is not blank throughout.
    pub(super) fn skip_text(&mut self, end: usize) {
        self.newlines = 0;
        let text = &self.source[self.mark.at()..end];
        let chars = text.iter().filter(|byte| (**byte as i8) >= -0x40).count();
        self.pass(text.len(), chars);
    }

    /// Byte offset at which this line's text ends.
    pub(super) fn line_end(&self) -> usize {
        let mut end = BREAKS.next(self.source, self.mark.at());
        while end < self.source.len() && break_width(&self.source[end..]) == 0 {
            end = BREAKS.next(self.source, end + 1);
        }
        end
    }

    /// Passes the line break at the cursor, if there is one, and gives what a scalar keeps of it: LF for all
    /// breaks of ASCII and NEL, the separators LS and PS as they are.
    pub(super) fn skip_break(&mut self) -> &'s [u8] {
        let (bytes, chars, kept): (_, _, &[u8]) = match self.rest(0) {
            [b'\r', b'\n', ..] => (2, 2, b"\n"),
            [b'\r' | b'\n', ..] => (1, 1, b"\n"),
            [0xC2, 0x85, ..] => (2, 1, b"\n"),
            rest @ [0xE2, 0x80, 0xA8 | 0xA9, ..] => (3, 1, &rest[..3]),
            _ => return b"",
        };
        self.pass(bytes, chars);
        self.mark.column = 0;
        self.mark.line += 1;
        self.newlines += 1;
        kept
    }

    fn pass(&mut self, bytes: usize, chars: usize) {
        self.mark.at += bytes as u32;
        self.mark.index += chars as i32;
        self.mark.column += chars as i32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_lines_are_counted_across_every_kind_of_break() {
        let mut cursor = Cursor::new("é\u{85}b\r\nc\u{2028}d".as_bytes(), 0);
        cursor.skip_text(2);
        assert_eq!((cursor.mark.at(), cursor.mark.column), (2, 1));
        assert_eq!(cursor.skip_break(), b"\n");
        cursor.skip_ascii(1);
        assert_eq!(cursor.skip_break(), b"\n");
        assert_eq!((cursor.mark.index, cursor.mark.line, cursor.mark.column), (5, 2, 0));
        cursor.skip_ascii(1);
        assert_eq!(cursor.skip_break(), "\u{2028}".as_bytes());
        assert_eq!(cursor.newlines, 1);
        assert_eq!(cursor.skip_break(), b"");
    }
}
