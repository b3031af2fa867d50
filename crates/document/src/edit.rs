//! A list of replacements in a source text, applied all at once.

use std::fmt;

use secret::SecretBytes;
use zeroize::Zeroizing;

/// Replacements of byte ranges, in any order, none overlapping another.
#[derive(Default)]
pub struct Edits(Vec<(u32, u32, Zeroizing<Vec<u8>>)>);

impl Edits {
    /// No edits yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces `start..end` by `text` (an insertion when the range is empty). Insertions at one offset
    /// keep the order in which they were added, and come before a replacement that starts there.
    pub fn replace(&mut self, start: usize, end: usize, text: impl Into<Vec<u8>>) {
        let offset = |at: usize| u32::try_from(at).expect("documents are limited to 4 GiB when parsed");
        self.0.push((offset(start), offset(end), Zeroizing::new(text.into())));
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What `span` of `source` would become; `None` if an edit crosses its borders or overlaps another.
    pub fn preview(&self, source: &[u8], span: crate::Span) -> Option<SecretBytes> {
        let range = span.range();
        let mut inside = Self::new();
        for (start, end, text) in &self.0 {
            let (start, end) = ((*start as usize).checked_sub(range.start)?, (*end as usize).checked_sub(range.start)?);
            inside.replace(start, end, text.to_vec());
        }
        inside.apply(source.get(range)?)
    }

    /// `source` with all edits applied, or `None` if two of them overlap or one lies outside.
    pub fn apply(&self, source: &[u8]) -> Option<SecretBytes> {
        self.apply_with(&Self::new(), source)
    }

    /// The same with the edits of `more` behind these.
    pub fn apply_with(&self, more: &Self, source: &[u8]) -> Option<SecretBytes> {
        let mut all: Vec<_> = self.0.iter().chain(&more.0).collect();
        all.sort_by_key(|(start, end, _)| (*start, *end));
        let grown: usize = all.iter().map(|(_, _, text)| text.len()).sum();
        let mut out = Zeroizing::new(Vec::with_capacity(source.len() + grown));
        let mut done = 0;
        for (start, end, text) in all {
            out.extend_from_slice(source.get(done..*start as usize)?);
            source.get(*start as usize..*end as usize)?;
            out.extend_from_slice(text);
            done = *end as usize;
        }
        out.extend_from_slice(source.get(done..)?);
        Some(SecretBytes::new(std::mem::take(&mut *out)))
    }
}

impl fmt::Debug for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edits({})", self.0.len())
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
