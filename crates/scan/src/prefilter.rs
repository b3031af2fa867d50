//! Finds every place of many keywords in one pass, in any case.
//!
//! Three neighbouring bytes, of each the five low bits, make a number of 15 bits; a bitmap of 4 KiB says which numbers
//! occur in keywords. The five low bits of a letter are the same in both cases, so nothing needs folding, and each
//! place is looked up by itself, so the processor works on several at once (an automaton waits for its own last state).
//! Only where the bitmap says yes are keywords compared. Each keyword is entered once, by the three of its bytes that
//! are rarest in text. Making one for hundreds of keywords takes some microseconds, so nothing is prepared at build time.

use std::ops::Range;

/// Letters by how often they stand in source text, the rarest last; by their place in this list trigrams are chosen.
const COMMON_FIRST: &[u8] = b"\0etaoinsrldcpuhm_fgbyv.wkx-jqz0123456789";
/// Low bits of a byte that count.
const BITS: usize = 5;
const NUMBERS: usize = 1 << (3 * BITS);

/// Which keywords stand where.
#[derive(Debug)]
pub(crate) struct Keywords {
    words: Vec<Box<[u8]>>,
    bitmap: Box<[u64; NUMBERS / 64]>,
    /// For each word of the bitmap the number of bits set before it.
    ranks: Box<[u16; NUMBERS / 64]>,
    /// For each bit set, in order, where its entries begin; one more at the end.
    begins: Vec<u32>,
    entries: Vec<Entry>,
}

/// A keyword, and how far its start is before the byte that completes the three.
#[derive(Clone, Copy, Debug)]
struct Entry {
    word: u32,
    back: u32,
}

impl Keywords {
    /// Prepares keywords; their numbers are their places in the list. Empty ones are never found.
    pub(crate) fn new(words: Vec<Box<[u8]>>) -> Self {
        let mut entries: Vec<(usize, Entry)> = Vec::new();
        for (number, word) in words.iter().enumerate() {
            enter(word, number as u32, &mut entries);
        }
        entries.sort_unstable_by_key(|(number, entry)| (*number, entry.word));
        let mut bitmap = Box::new([0u64; NUMBERS / 64]);
        let mut begins = Vec::with_capacity(entries.len() + 1);
        for (index, (number, _)) in entries.iter().enumerate() {
            let bit = 1 << (number % 64);
            if bitmap[number / 64] & bit == 0 {
                begins.push(index as u32);
            }
            bitmap[number / 64] |= bit;
        }
        begins.push(entries.len() as u32);
        let mut ranks = Box::new([0u16; NUMBERS / 64]);
        let mut before = 0;
        for (rank, word) in ranks.iter_mut().zip(bitmap.iter()) {
            *rank = before;
            before += word.count_ones() as u16;
        }
        Self { words, bitmap, ranks, begins, entries: entries.into_iter().map(|(_, entry)| entry).collect() }
    }

    /// Calls `found` with number and place of every keyword that lies within `part`. Places ascend, but for the few
    /// bytes of a keyword's length.
    pub(crate) fn find(&self, text: &[u8], part: Range<usize>, mut found: impl FnMut(u32, usize)) {
        let text = &text[..part.end];
        let mut number = 0;
        for (place, byte) in text.iter().enumerate().skip(part.start) {
            number = next(number, *byte);
            if self.bitmap[number / 64] >> (number % 64) & 1 != 0 {
                self.compare(text, part.start, number, place, &mut found);
            }
        }
        // A keyword of one or two bytes at the very end has no third byte: go on as if zeros followed.
        for place in part.end..part.end + 2 {
            number = next(number, 0);
            if self.bitmap[number / 64] >> (number % 64) & 1 != 0 {
                self.compare(text, part.start, number, place, &mut found);
            }
        }
    }

    /// Whether a keyword stands at a place.
    pub(crate) fn stands(&self, word: u32, text: &[u8], place: usize) -> bool {
        let word = &self.words[word as usize];
        text.get(place..place + word.len()).is_some_and(|there| there.eq_ignore_ascii_case(word))
    }

    /// Compares the keywords that have these three bytes, of which the last is at `place`.
    #[inline(never)]
    fn compare(&self, text: &[u8], from: usize, number: usize, place: usize, found: &mut impl FnMut(u32, usize)) {
        let below = self.bitmap[number / 64] & ((1 << (number % 64)) - 1);
        let rank = usize::from(self.ranks[number / 64]) + below.count_ones() as usize;
        let entries = self.begins[rank] as usize..self.begins[rank + 1] as usize;
        for entry in &self.entries[entries] {
            let word = &self.words[entry.word as usize];
            let start = place.checked_sub(entry.back as usize).filter(|start| *start >= from);
            let there = start.and_then(|start| text.get(start..start + word.len()));
            if let (Some(start), Some(there)) = (start, there)
                && there.eq_ignore_ascii_case(word)
            {
                found(entry.word, start);
            }
        }
    }
}

fn next(number: usize, byte: u8) -> usize {
    ((number << BITS) | usize::from(byte & 31)) % NUMBERS
}

/// Enters a keyword by its rarest three bytes; a shorter one by every three bytes that may begin with it.
fn enter(word: &[u8], number: u32, entries: &mut Vec<(usize, Entry)>) {
    let entry = |back| Entry { word: number, back };
    let three = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| next(number, *byte));
    let low = 0..1u8 << BITS;
    match word {
        [] => {}
        [first] => {
            let pairs = low.clone().flat_map(|second| low.clone().map(move |third| [second, third]));
            entries.extend(pairs.map(|[second, third]| (three(&[*first, second, third]), entry(2))));
        }
        [first, second] => entries.extend(low.map(|third| (three(&[*first, *second, third]), entry(2)))),
        _ => {
            let (start, bytes) = word
                .windows(3)
                .enumerate()
                .max_by_key(|(start, bytes)| {
                    (bytes.iter().map(|byte| rarity(*byte)).sum::<usize>(), usize::MAX - start)
                })
                .expect("a word of three bytes has a window of three");
            entries.push((three(bytes), entry(start as u32 + 2)));
        }
    }
}

fn rarity(byte: u8) -> usize {
    let byte = byte.to_ascii_lowercase();
    COMMON_FIRST.iter().position(|common| *common == byte).unwrap_or(COMMON_FIRST.len())
}

#[cfg(test)]
mod tests {
    use super::Keywords;
    use crate::reference;

    fn all(words: &[&str], text: &[u8], part: std::ops::Range<usize>) -> Vec<(u32, usize)> {
        let keywords = Keywords::new(words.iter().map(|word| word.as_bytes().into()).collect());
        let mut found = Vec::new();
        keywords.find(text, part, |word, place| found.push((word, place)));
        found.sort_unstable();
        found
    }

    #[test]
    fn every_place_is_found_in_any_case() {
        let words = ["key", "api_key", "e", "ke", "eye", "secret", "keyk", "\0\0", "", "0x"];
        let text = b"KEYkeykeYe api_KEy SeCret s\0\0ecre P0x\0\0k";
        let found = all(&words, text, 0..text.len());
        let expected: Vec<(u32, usize)> = words
            .iter()
            .zip(0..)
            .filter(|(word, _)| !word.is_empty())
            .flat_map(|(word, number)| reference::places(text, word).into_iter().map(move |place| (number, place)))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_outside_the_part_is_seen() {
        assert_eq!(all(&["key", "k"], b"key key key", 4..7), [(0, 4), (1, 4)]);
        assert_eq!(all(&["key"], b"key key key", 5..10), []);
        assert_eq!(all(&["k", "ke"], b"key k", 4..5), [(0, 4)]);
    }
}
