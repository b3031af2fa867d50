//! Text of scalars: a piece of the source where that says it literally, else decoded into wiped memory.

use zeroize::Zeroizing;

/// A text, to be looked up with [`Texts::get`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text {
    /// Chunk of decoded text, counted from 1; 0 is the source.
    chunk: u32,
    start: u32,
    end: u32,
}

impl Text {
    /// Bytes `start..end` of the source.
    pub(super) fn source(start: usize, end: usize) -> Self {
        Self { chunk: 0, start: start as u32, end: end as u32 }
    }
}

/// Holder of decoded texts. Its chunks never grow in place, so no stray copy of a text stays in freed memory.
pub(super) struct Texts<'s> {
    source: &'s [u8],
    chunks: Vec<Zeroizing<Vec<u8>>>,
    open: usize,
}

impl<'s> Texts<'s> {
    const CHUNK: usize = 4096;

    pub(super) fn new(source: &'s [u8]) -> Self {
        Self { source, chunks: Vec::new(), open: 0 }
    }

    /// Bytes of `text`.
    pub(super) fn get(&self, text: Text) -> &[u8] {
        let range = text.start as usize..text.end as usize;
        match text.chunk {
            0 => &self.source[range],
            chunk => &self.chunks[chunk as usize - 1][range],
        }
    }

    /// Starts a decoded text; one is written at a time.
    pub(super) fn begin(&mut self) {
        self.open = self.chunks.last().map_or(0, |chunk| chunk.len());
    }

    /// Adds bytes to the text being written.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let fits = self.chunks.last().is_some_and(|chunk| chunk.capacity() - chunk.len() >= bytes.len());
        if !fits {
            self.next_chunk(bytes.len());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.extend_from_slice(bytes);
        }
    }

    /// Length of the text being written.
    pub(super) fn written(&self) -> usize {
        self.chunks.last().map_or(0, |chunk| chunk.len() - self.open)
    }

    /// The text that was written.
    pub(super) fn finish(&mut self) -> Text {
        let end = self.chunks.last().map_or(0, |chunk| chunk.len());
        Text { chunk: self.chunks.len() as u32, start: self.open as u32, end: end as u32 }
    }

    /// Moves the text being written into a larger chunk.
    fn next_chunk(&mut self, more: usize) {
        let begun = self.written();
        let mut chunk = Zeroizing::new(Vec::with_capacity((2 * (begun + more)).max(Self::CHUNK)));
        if let Some(last) = self.chunks.last() {
            chunk.extend_from_slice(&last[self.open..]);
        }
        self.chunks.push(chunk);
        self.open = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_the_change_of_chunk() {
        let mut texts = Texts::new(b"source");
        texts.begin();
        texts.push(b"first");
        let first = texts.finish();
        texts.begin();
        for _ in 0..3000 {
            texts.push(b"abc");
        }
        let long = texts.finish();
        assert_eq!(texts.get(first), b"first");
        assert_eq!(texts.get(long), "abc".repeat(3000).as_bytes());
        assert_eq!(texts.get(Text::source(1, 3)), b"ou");
    }

    #[test]
    fn an_empty_text_is_empty_even_before_any_chunk() {
        let mut texts = Texts::new(b"source");
        texts.begin();
        let empty = texts.finish();
        assert_eq!(texts.get(empty), b"");
    }
}
