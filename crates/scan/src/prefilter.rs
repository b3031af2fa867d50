//! Finds every place of many keywords in one pass, in any case.
//!
//! Three neighbouring bytes, of each the five low bits, make a number of 15 bits; a table says in which keywords a number
//! occurs and which it goes on one byte later, side by side, since every number is asked both. The five low bits of a
//! letter are the same in both cases, so nothing needs folding, and each place is looked up by itself, so the processor
//! works on many at once (an automaton waits for its own last state). Keywords are dealt out to eight groups, a bit for
//! each; only where both answers name the same group are keywords compared. Each keyword is entered once, by the four of
//! its bytes that are rarest in text. Making one for hundreds of keywords takes some microseconds, so nothing is prepared
//! at build time.
//!
//! In a long run of one letter a keyword of this letter stands at every place; where all who ask for such words want
//! entropy, the inside of the run is passed over.

use std::ops::Range;

/// Letters by how often they stand in source text, the rarest last; by their place in this list trigrams are chosen.
const COMMON_FIRST: &[u8] = b"\0etaoinsrldcpuhm_fgbyv.wkx-jqz0123456789";
/// Low bits of a byte that count.
const BITS: usize = 5;
const NUMBERS: usize = 1 << (3 * BITS);

/// Places that are looked up before one branch.
const BLOCK: usize = 16;

/// How far into a run of one letter keywords are looked for, from either end.
const MARGIN: usize = 1 << 10;

/// Which keywords stand where.
#[derive(Debug)]
pub(crate) struct Keywords {
    /// Letters of which long runs are passed over.
    dull: [bool; 256],
    words: Vec<Box<[u8]>>,
    /// For each number the groups of keywords in which it occurs, in the high byte those in which it comes one byte after.
    roles: Box<[u16; NUMBERS]>,
    /// For each number where its entries begin; they end before the entry of another number.
    begins: Box<[u16; NUMBERS]>,
    entries: Vec<Entry>,
}

/// The last run of one letter that was met.
#[derive(Default)]
struct Run {
    /// What of it is passed over.
    inside: Range<usize>,
    end: usize,
}

/// A keyword, and how far its start is before the first of its three bytes.
#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u16,
    back: u16,
    word: u32,
    /// The low bits of up to eight bytes from its start, and which of them count.
    lows: u64,
    counts: u64,
}

impl Keywords {
    /// Prepares keywords; their numbers are their places in the list. Empty ones are never found.
    pub(crate) fn new(words: Vec<Box<[u8]>>) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut roles = Box::new([0u16; NUMBERS]);
        for (number, word) in words.iter().enumerate() {
            enter(word, number as u32, &mut entries, &mut roles);
        }
        entries.sort_unstable_by_key(|entry| (entry.number, entry.word));
        let mut begins = Box::new([0u16; NUMBERS]);
        for (index, entry) in entries.iter().enumerate().rev() {
            roles[usize::from(entry.number)] |= group(entry.word);
            // So many entries that they cannot be numbered are all begun at the last that can.
            begins[usize::from(entry.number)] = u16::try_from(index).unwrap_or(u16::MAX);
        }
        Self { dull: [false; 256], words, roles, begins, entries }
    }

    /// The insides of long runs of these letters are passed over.
    pub(crate) fn passing_over(self, dull: [bool; 256]) -> Self {
        Self { dull, ..self }
    }

    /// Calls `found` with number and place of every keyword that lies within `part`; the answer is whether anything was
    /// passed over. Places ascend, but for the few bytes of a keyword's length.
    pub(crate) fn find(&self, text: &[u8], part: Range<usize>, mut found: impl FnMut(u32, usize)) -> bool {
        let text = &text[..part.end];
        let mut place = part.start;
        let (mut run, mut passed) = (Run::default(), false);
        while let Some(block) = text[place..].first_chunk::<{ BLOCK + 3 }>() {
            let numbers = numbers(block);
            let mut roles = [0; BLOCK + 1];
            for (role, number) in roles.iter_mut().zip(&numbers) {
                *role = self.roles[usize::from(*number) % NUMBERS];
            }
            let mut groups = [0; BLOCK];
            // One branch for the whole block: keywords are rare.
            let mut any = 0;
            for (index, groups) in groups.iter_mut().enumerate() {
                *groups = roles[index] & roles[index + 1] >> 8;
                any |= *groups;
            }
            if any != 0 {
                if let Some(on) = self.beyond(text, place, block, &mut run) {
                    (place, passed) = (on, true);
                    continue;
                }
                for (index, groups) in groups.iter().enumerate() {
                    if *groups != 0 {
                        self.compare(text, part.start, numbers[index], place + index, &mut found);
                    }
                }
            }
            place += BLOCK;
        }
        // A short keyword at the very end has no more bytes: go on as if zeros followed.
        for place in place..text.len() {
            let byte = |offset: usize| text.get(place + offset).copied().unwrap_or_default();
            let [number, next] = [0, 1].map(|offset| number([byte(offset), byte(offset + 1), byte(offset + 2)]));
            let [role, then] = [number, next].map(|number| self.roles[usize::from(number)]);
            if role & then >> 8 != 0 {
                self.compare(text, part.start, number, place, &mut found);
            }
        }
        passed
    }

    /// Where to go on, if `block` lies well inside a long run of a dull letter.
    #[inline(never)]
    fn beyond(&self, text: &[u8], place: usize, block: &[u8; BLOCK + 3], run: &mut Run) -> Option<usize> {
        if !self.dull[usize::from(block[0])] {
            return None;
        }
        if place >= run.end && block.iter().all(|byte| *byte == block[0]) {
            let length = text[place..].iter().position(|byte| *byte != block[0]).unwrap_or(text.len() - place);
            *run = Run { inside: place + MARGIN..(place + length).saturating_sub(MARGIN), end: place + length };
        }
        run.inside.contains(&place).then_some(run.inside.end)
    }

    /// Whether a keyword stands at a place.
    pub(crate) fn stands(&self, word: u32, text: &[u8], place: usize) -> bool {
        let word = &self.words[word as usize];
        text.get(place..place + word.len()).is_some_and(|there| there.eq_ignore_ascii_case(word))
    }

    /// Compares the keywords that have these three bytes, of which the first is at `place`.
    #[inline(never)]
    fn compare(&self, text: &[u8], from: usize, number: u16, place: usize, found: &mut impl FnMut(u32, usize)) {
        let first = usize::from(self.begins[usize::from(number)]);
        for entry in self.entries[first..].iter().take_while(|entry| entry.number <= number) {
            let Some(start) = place.checked_sub(usize::from(entry.back)).filter(|start| *start >= from) else {
                continue;
            };
            let differs = text[start..]
                .first_chunk()
                .is_some_and(|eight| (u64::from_le_bytes(*eight) & LOW_BITS ^ entry.lows) & entry.counts != 0);
            if entry.number == number && !differs && self.stands(entry.word, text, start) {
                found(entry.word, start);
            }
        }
    }
}

/// The bits of eight bytes that count.
const LOW_BITS: u64 = 0x1F1F_1F1F_1F1F_1F1F;

#[inline(always)]
fn number([first, second, third]: [u8; 3]) -> u16 {
    u16::from(first & 31) << (2 * BITS) | u16::from(second & 31) << BITS | u16::from(third & 31)
}

#[inline(always)]
fn numbers(block: &[u8; BLOCK + 3]) -> [u16; BLOCK + 1] {
    let mut numbers = [0; BLOCK + 1];
    for (index, number) in numbers.iter_mut().enumerate() {
        *number = self::number([block[index], block[index + 1], block[index + 2]]);
    }
    numbers
}

/// The bit of a keyword's group.
fn group(word: u32) -> u16 {
    1 << (word % 8)
}

/// Enters a keyword by its rarest four bytes; a shorter one by all that may begin with it.
fn enter(word: &[u8], index: u32, entries: &mut Vec<Entry>, roles: &mut [u16; NUMBERS]) {
    let mut lows = [0; 8];
    let mut counts = [0; 8];
    for (place, byte) in word.iter().take(8).enumerate() {
        (lows[place], counts[place]) = (byte & 31, 0xFF);
    }
    let [lows, counts] = [lows, counts].map(u64::from_le_bytes);
    let start = rarest(word);
    let any = || 0..1u8 << BITS;
    // What may stand at one of the four places.
    let letters = |place: usize| match word.get(start + place) {
        Some(byte) => (byte & 31)..(byte & 31) + 1,
        None => any(),
    };
    if word.is_empty() {
        return;
    }
    for (second, third) in letters(1).flat_map(|second| letters(2).map(move |third| (second, third))) {
        let back = u16::try_from(start).expect("it is searched among that many");
        entries.push(Entry { number: number([word[start], second, third]), back, word: index, lows, counts });
        for fourth in letters(3) {
            roles[usize::from(number([second, third, fourth]))] |= group(index) << 8;
        }
    }
}

/// Where the rarest four bytes of a word begin.
fn rarest(word: &[u8]) -> usize {
    let windows = word.windows(4).take(usize::from(u16::MAX)).enumerate();
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| rarity(*byte)).sum::<usize>();
    windows.max_by_key(|(start, bytes)| (sum(bytes), usize::MAX - start)).map_or(0, |(start, _)| start)
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
    fn the_inside_of_a_run_is_passed_over_and_nothing_else() {
        let text = [vec![b'x'; 7], vec![b'a'; 5000], b"key".to_vec(), vec![b'a'; 900], vec![b'B'; 5000]].concat();
        let mut dull = [false; 256];
        let find = |dull| {
            let keywords = Keywords::new([&b"aaaa"[..], b"key", b"bbb"].map(Box::from).to_vec()).passing_over(dull);
            let mut found = Vec::new();
            let passed = keywords.find(&text, 0..text.len(), |word, place| found.push((word, place)));
            (found, passed)
        };
        let (all, passed) = find(dull);
        assert!(!passed);
        dull[usize::from(b'a')] = true;
        let (found, passed) = find(dull);
        let is_inside = |(_, place): &(u32, usize)| (7 + 1100..5007 - 1100).contains(place);
        let is_near = |(_, place): &(u32, usize)| !(7 + 1000..5007 - 1000).contains(place);
        assert!(passed && !found.iter().any(is_inside));
        let near = |places: &[(u32, usize)]| places.iter().copied().filter(is_near).collect::<Vec<_>>();
        assert_eq!(near(&found), near(&all));
    }

    #[test]
    fn nothing_outside_the_part_is_seen() {
        assert_eq!(all(&["key", "k"], b"key key key", 4..7), [(0, 4), (1, 4)]);
        assert_eq!(all(&["key"], b"key key key", 5..10), []);
        assert_eq!(all(&["k", "ke"], b"key k", 4..5), [(0, 4)]);
    }
}
