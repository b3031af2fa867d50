//! A list of replacements in a source text, applied all at once.

use std::fmt;

use secret::SecretBytes;
use zeroize::Zeroizing;

/// Replacements of byte ranges, in any order, none overlapping another.
#[derive(Default)]
pub struct Edits {
    list: Vec<Edit>,
    /// The new texts one behind the other, in pieces that never grow beyond what was allocated for them: nothing is
    /// left behind by moving, and a file of many values is no file of many allocations.
    texts: Vec<Zeroizing<Vec<u8>>>,
}

/// Bytes `start..end` of the source become `length` bytes at `from` of a piece.
struct Edit {
    start: u32,
    end: u32,
    piece: u32,
    from: u32,
    length: u32,
}

/// Bytes per piece; the first ones are smaller.
const PIECE: usize = 64 * 1024;

impl Edits {
    /// No edits yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces `start..end` by `text` (an insertion when the range is empty). Insertions at one offset
    /// keep the order in which they were added, and come before a replacement that starts there.
    pub fn replace(&mut self, start: usize, end: usize, text: impl AsRef<[u8]>) {
        self.replace_parts(start, end, &[text.as_ref()]);
    }

    /// The same with a text that consists of `parts`.
    pub fn replace_parts(&mut self, start: usize, end: usize, parts: &[&[u8]]) {
        let offset = |at: usize| u32::try_from(at).expect("documents are limited to 4 GiB when parsed");
        let length = parts.iter().map(|part| part.len()).sum();
        if self.texts.last().is_none_or(|last| last.capacity() - last.len() < length) {
            let usual = (512 << self.texts.len().min(8)).min(PIECE);
            self.texts.push(Zeroizing::new(Vec::with_capacity(length.max(usual))));
        }
        let piece = self.texts.len() - 1;
        let text = &mut self.texts[piece];
        let from = text.len();
        parts.iter().for_each(|part| text.extend_from_slice(part));
        let (piece, from, length) = (offset(piece), offset(from), offset(length));
        self.list.push(Edit { start: offset(start), end: offset(end), piece, from, length });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn text(&self, edit: &Edit) -> &[u8] {
        let from = edit.from as usize;
        &self.texts[edit.piece as usize][from..from + edit.length as usize]
    }

    /// What `span` of `source` would become; `None` if an edit crosses its borders or overlaps another.
    pub fn preview(&self, source: &[u8], span: crate::Span) -> Option<SecretBytes> {
        let range = span.range();
        let mut inside = Self::new();
        for edit in &self.list {
            let start = (edit.start as usize).checked_sub(range.start)?;
            let end = (edit.end as usize).checked_sub(range.start)?;
            inside.replace(start, end, self.text(edit));
        }
        inside.apply(source.get(range)?)
    }

    /// The number of the last edit, and where in its text `part` stands; it is expected near the start.
    pub fn find_in_last(&self, part: &[u8]) -> Option<(usize, usize)> {
        let text = self.text(self.list.last()?);
        // A searcher would take longer to make than a token to encrypt.
        let at = memchr::memchr_iter(*part.first()?, text).find(|at| text[*at..].starts_with(part))?;
        Some((self.list.len() - 1, at))
    }

    /// `source` with all edits applied, or `None` if two of them overlap or one lies outside.
    pub fn apply(&self, source: &[u8]) -> Option<SecretBytes> {
        self.apply_with(&Self::new(), source)
    }

    /// The same with the edits of `more` behind these.
    pub fn apply_with(&self, more: &Self, source: &[u8]) -> Option<SecretBytes> {
        self.apply_noting(more, source, |_, _| {})
    }

    /// The same; `note` is told where in the result the text of each of these edits starts, by the edit's number.
    pub fn apply_noting(&self, more: &Self, source: &[u8], mut note: impl FnMut(usize, usize)) -> Option<SecretBytes> {
        let own = self.list.iter().enumerate().map(|(number, edit)| (edit, self, Some(number)));
        let mut all: Vec<_> = own.chain(more.list.iter().map(|edit| (edit, more, None))).collect();
        if !all.is_sorted_by_key(|(edit, ..)| (edit.start, edit.end)) {
            all.sort_by_key(|(edit, ..)| (edit.start, edit.end));
        }
        // Exact, for edits that do not overlap: texts of many values are most of what a command needs in memory.
        let grown: usize = all.iter().map(|(edit, ..)| edit.length as usize).sum();
        let gone: usize = all.iter().map(|(edit, ..)| edit.end.saturating_sub(edit.start) as usize).sum();
        let mut out = Zeroizing::new(Vec::with_capacity((source.len() + grown).saturating_sub(gone)));
        let mut done = 0;
        for (edit, of, number) in all {
            out.extend_from_slice(source.get(done..edit.start as usize)?);
            source.get(edit.start as usize..edit.end as usize)?;
            if let Some(number) = number {
                note(number, out.len());
            }
            out.extend_from_slice(of.text(edit));
            done = edit.end as usize;
        }
        out.extend_from_slice(source.get(done..)?);
        Some(SecretBytes::new(std::mem::take(&mut *out)))
    }
}

impl fmt::Debug for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edits({})", self.list.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_in_source_order_whatever_order_they_were_made_in() {
        let mut edits = Edits::new();
        edits.replace(4, 5, "E");
        edits.replace(0, 1, "AA");
        edits.replace(5, 5, "!");
        assert_eq!(edits.apply(b"abcde").unwrap().expose(), b"AAbcdE!");
    }

    #[test]
    fn overlapping_edits_are_refused() {
        let mut edits = Edits::new();
        edits.replace(0, 3, "x");
        edits.replace(2, 4, "y");
        assert!(edits.apply(b"abcde").is_none());
    }
}
