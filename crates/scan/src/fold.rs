//! Two characters outside ASCII stand for an ASCII letter in any-case patterns: the Kelvin sign for k, the long s for s.
//! Keywords are searched in a text in which they are replaced, and places are led back.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use bstr::ByteSlice;
use memchr::memmem::Finder;

const KELVIN: &str = "\u{212A}";
const LONG_S: &str = "\u{17F}";
/// Bytes of the longest odd letter.
pub(crate) const LONGEST: usize = 3;

/// A text without odd letters, and how to lead places in it back.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    /// For each replaced letter its place in `text` and the bytes that were lost up to and with it.
    lost: Vec<(usize, usize)>,
}

static FIND_KELVIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(KELVIN));
static FIND_LONG_S: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(LONG_S));

/// Whether an odd letter stands in a text.
pub(crate) fn is_odd(text: &[u8]) -> bool {
    FIND_KELVIN.find(text).is_some() || FIND_LONG_S.find(text).is_some()
}

/// Parts of a text, ascending, outside of which no odd letter lies.
fn strange(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    const PART: usize = 4096;
    let parts = text.chunks(PART).enumerate().filter(|(_, part)| !part.is_ascii());
    parts.map(|(index, part)| {
        let start = index * PART;
        start.saturating_sub(LONGEST)..text.len().min(start + part.len() + LONGEST)
    })
}

impl<'a> Plain<'a> {
    /// A text of which is known that it holds no odd letter.
    pub(crate) fn known(text: &'a [u8]) -> Self {
        Self { text: Cow::Borrowed(text), lost: Vec::new() }
    }

    /// Whether there was an odd letter.
    pub(crate) fn is_odd(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Copies the text only if it holds an odd letter.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        // It is much cheaper to see that there is no letter outside ASCII.
        if !strange(text).any(|part| is_odd(&text[part])) {
            return Self::known(text);
        }
        let mut odd: Vec<(usize, usize, u8)> = FIND_KELVIN.find_iter(text).map(|at| (at, KELVIN.len(), b'k')).collect();
        odd.extend(FIND_LONG_S.find_iter(text).map(|at| (at, LONG_S.len(), b's')));
        odd.sort_unstable();
        let mut plain = Vec::with_capacity(text.len());
        let mut lost = Vec::with_capacity(odd.len());
        let mut position = 0;
        for (at, length, letter) in odd {
            plain.extend_from_slice(&text[position..at]);
            position = at + length;
            lost.push((plain.len(), position - plain.len() - 1));
            plain.push(letter);
        }
        plain.extend_from_slice(&text[position..]);
        Self { text: Cow::Owned(plain), lost }
    }

    /// The place in the text as it was.
    pub(crate) fn place(&self, place: usize) -> usize {
        match self.lost.partition_point(|(letter, _)| *letter < place) {
            0 => place,
            before => place + self.lost[before - 1].1,
        }
    }
}

/// A short text without odd letters.
pub(crate) fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    Plain::new(text).text
}

/// Lower case, without odd letters.
pub(crate) fn lower(text: &[u8]) -> Vec<u8> {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.to_ascii_lowercase().replace(KELVIN, "k").replace(LONG_S, "s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_led_back() {
        let text = "a\u{212A}b\u{17F}\u{17F}c".as_bytes();
        let plain = Plain::new(text);
        assert_eq!(&*plain.text, b"akbssc");
        let places: Vec<usize> = (0..=6).map(|place| plain.place(place)).collect();
        assert_eq!(places, [0, 1, 4, 5, 7, 9, 10]);
        assert_eq!(lower(text), b"akbssc");
    }
}
