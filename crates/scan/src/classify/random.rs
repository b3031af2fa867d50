//! How random a text looks: which letters follow each other in words of code and prose, and how often cases and digits
//! alternate. Keys are drawn, names are spelled.

use crate::entropy::shannon;

/// Which characters a text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Lower or upper hexadecimal digits, both letters and digits.
    Hex,
    /// Letters and digits.
    Alphanumeric,
    /// Also `+ / = - _ .` as base64, base64url and their kin use them.
    Base64,
    /// Anything else printable.
    Other,
}

/// Counts over a text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// `a` to `z`.
    pub lower: usize,
    /// `A` to `Z`.
    pub upper: usize,
    /// `0` to `9`.
    pub digits: usize,
    /// Printable ASCII that is none of these, without space.
    pub symbols: usize,
    /// Neighbours of which one is a letter and one a digit.
    pub turns: usize,
    /// Neighbours that go from lower to upper case or back, capitals of words not counted.
    pub flips: usize,
}

impl Counts {
    /// Counts `text`.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut counts = Self::default();
        for byte in text {
            match byte {
                b'a'..=b'z' => counts.lower += 1,
                b'A'..=b'Z' => counts.upper += 1,
                b'0'..=b'9' => counts.digits += 1,
                0x21..=0x7e => counts.symbols += 1,
                _ => {}
            }
        }
        for pair in text.windows(2) {
            let [one, two] = [pair[0], pair[1]];
            counts.turns += usize::from(
                one.is_ascii_alphabetic() && two.is_ascii_digit() || one.is_ascii_digit() && two.is_ascii_alphabetic(),
            );
            counts.flips += usize::from(one.is_ascii_lowercase() && two.is_ascii_uppercase());
        }
        counts
    }

    /// How many of lower, upper, digits, symbols occur.
    pub(crate) fn classes(&self) -> usize {
        [self.lower, self.upper, self.digits, self.symbols].iter().filter(|count| **count > 0).count()
    }
}

/// The smallest alphabet that holds all of `text`.
pub(crate) fn alphabet(text: &[u8]) -> Alphabet {
    let all = |test: fn(&u8) -> bool| text.iter().all(test);
    let one_case = !(text.iter().any(u8::is_ascii_uppercase) && text.iter().any(u8::is_ascii_lowercase));
    if all(u8::is_ascii_hexdigit) && one_case && text.iter().any(u8::is_ascii_digit) {
        return Alphabet::Hex;
    }
    if all(u8::is_ascii_alphanumeric) {
        return Alphabet::Alphanumeric;
    }
    match all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_.".contains(byte)) {
        true => Alphabet::Base64,
        false => Alphabet::Other,
    }
}

/// Whether a text of 16 characters or more was drawn rather than spelled.
pub(crate) fn is_random(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    if text.len() < 12 || !is_varied(text) {
        return false;
    }
    let entropy = shannon(text);
    let most = (text.len() as f64).log2();
    match alphabet(text) {
        Alphabet::Hex => text.len() >= 20 && entropy >= 3.0 && Counts::of(text).turns >= text.len() / 8,
        Alphabet::Alphanumeric => entropy >= 3.5_f64.min(most * 0.82) && is_drawn(text),
        Alphabet::Base64 | Alphabet::Other => entropy >= 4.2_f64.min(most * 0.82) && is_drawn(text),
    }
}

/// Whether a text, or a part of 14 characters or more between its signs, was drawn.
pub(crate) fn has_random_part(text: &[u8]) -> bool {
    is_random(text) || text.split(|byte| b"-_.:/".contains(byte)).any(|part| part.len() >= 14 && is_random(part))
}

/// Letters that seldom follow each other in words, digits that stand between letters.
fn is_drawn(text: &[u8]) -> bool {
    let counts = Counts::of(text);
    let spelling = spelling(text);
    match counts.digits {
        0 => spelling < -0.7 && (counts.flips * 8 >= text.len() || counts.upper == 0 || counts.lower == 0),
        1 => spelling < -0.4,
        _ => spelling < -0.2 || spelling < 0.7 && counts.turns >= 4.max(text.len() / 8),
    }
}

/// Mean over neighbouring letters of log2 of how much likelier they are in words than by chance: about 1 for words and
/// identifiers, -2 for chance.
pub(crate) fn spelling(text: &[u8]) -> f32 {
    let index = |byte: u8| usize::from(byte.to_ascii_lowercase().wrapping_sub(b'a'));
    let (mut sum, mut count) = (0_i32, 0_i32);
    for pair in text.windows(2) {
        if pair[0].is_ascii_alphabetic() && pair[1].is_ascii_alphabetic() {
            sum += i32::from(PAIRS[index(pair[0])][index(pair[1])]);
            count += 1;
        }
    }
    if count == 0 { 0.0 } else { sum as f32 / 8.0 / count as f32 }
}

/// Whether a text is more than a few characters over and over, or a row of neighbours such as `0123456789abcdef`.
pub(crate) fn is_varied(text: &[u8]) -> bool {
    let mut seen = [false; 256];
    let (mut steps, mut repeats, mut last) = (0, 0, None);
    for &byte in text {
        seen[usize::from(byte)] = true;
        match last.map(|last: u8| last.abs_diff(byte)) {
            Some(0) => repeats += 1,
            Some(1) => steps += 1,
            _ => {}
        }
        last = Some(byte);
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let neighbours = text.len().saturating_sub(1);
    distinct >= 5.min(text.len() / 2) && steps * 2 <= neighbours && repeats * 3 <= neighbours && !is_periodic(text)
}

/// Whether a text repeats itself every 1 to 16 characters.
fn is_periodic(text: &[u8]) -> bool {
    let most = 16.min(text.len() / 2);
    (1..=most).any(|period| text[period..] == text[..text.len() - period])
}

/// Eighths of bits by which the second letter follows the first more often in words than by chance; counted over this
/// project's own sources and papers.
#[rustfmt::skip]
const PAIRS: [[i8; 26]; 26] = [
    [-31, 1, 6, 4, -33, -19, -3, -37, 1, -40, -9, 12, 0, 14, -40, 3, -40, 13, 7, 15, -12, -17, -17, -25, -4, -37],
    [11, -14, -5, -32, 20, -18, -39, -40, 5, -10, -40, 20, -39, -40, 12, -39, -40, 8, -1, -23, 8, -39, -40, -40, -2, -40],
    [12, -40, -9, -24, 13, -30, -40, 16, 1, -40, 5, 3, -28, -40, 19, -26, -40, 8, -20, 13, -6, -40, -40, -40, -18, -40],
    [7, -21, -30, -1, 27, -40, -10, -40, 18, -40, -40, -10, -35, -40, 8, -40, -40, -1, 10, -22, -3, -26, -30, -40, -5, -40],
    [5, -27, 6, 15, -4, -10, -16, -32, -21, -40, -28, 0, -1, 13, -32, -4, -18, 17, 14, 1, -29, -11, -15, 0, -13, -40],
    [9, -40, -20, -23, 10, 12, -15, -40, 23, -40, -40, 7, -18, -15, 16, -40, -40, 1, -6, 1, 2, -40, -30, -40, -14, -40],
    [2, -40, -13, -40, 24, -30, -15, 5, 13, -40, -39, -3, -26, 8, 6, -23, -39, 10, 7, -11, 4, -19, -39, -32, -40, -40],
    [19, -36, -16, -32, 24, -40, -40, -32, 15, -40, -40, -32, -19, -36, 19, -21, -40, 3, -15, -6, -7, -40, -40, -40, -11, -40],
    [-6, -17, 6, 3, 2, -3, 0, -40, -34, -40, -26, 5, -2, 22, 7, -2, -40, -5, 5, 14, -40, -4, -40, -9, -40, -13],
    [-14, -31, -14, -14, 20, -31, -31, -7, -3, -3, 1, -31, -31, -5, 20, -31, -14, -31, 10, -31, 19, -31, -5, -31, -31, -31],
    [-5, -40, -40, -16, 30, -15, -19, -20, 13, -40, -33, -15, -6, 2, -26, -40, -40, -40, 17, -17, -1, -18, -26, -40, -40, -40],
    [14, -40, -38, 5, 22, -14, -38, -40, 15, -40, -17, 11, -26, -22, 15, -21, -40, -33, 0, -4, -1, -22, -34, -40, -4, -40],
    [18, 0, -27, -23, 22, -40, -40, -40, 13, -40, -24, -9, 3, -13, 9, 13, -40, -34, -1, -19, -3, -31, -40, -40, -39, -40],
    [2, -26, 8, 13, 14, -11, 15, -29, -1, -29, -9, -15, -28, -7, 6, -23, -40, -25, 9, 17, -6, -12, -19, -40, -16, -26],
    [-16, -9, -2, 0, -17, -14, -18, -40, -11, -40, -10, 6, 9, 17, -2, 5, -40, 16, 4, 4, 9, -3, 5, -28, -40, -40],
    [15, -40, -40, -17, 19, -33, -31, -7, 3, -40, -29, 13, -38, -40, 9, 5, -21, 12, 3, 10, 2, -40, -28, -40, -16, -39],
    [-34, -34, -34, -34, -34, -34, -34, -34, -34, -34, -34, -34, -10, -17, -34, -8, 0, 0, -17, -34, 35, -34, -17, -10, -34, -34],
    [13, -21, -8, -2, 23, -27, -5, -40, 12, -40, -10, -15, -4, -8, 10, -20, -40, -6, 7, 2, -3, -17, -28, -40, 4, -40],
    [1, -40, 0, -40, 20, -38, -40, 7, 10, -40, -7, -13, -22, -39, 3, 2, -40, -30, 7, 21, 4, -40, -9, -40, -12, -40],
    [11, -40, -5, -16, 22, -24, -40, 10, 14, -40, -35, -10, -29, -36, 8, -21, -40, 8, 10, -2, -4, -39, -19, -36, -6, -40],
    [-6, 1, 0, -6, 3, -13, -6, -40, 1, -40, -40, 7, 5, 18, -13, 4, -40, 14, 12, 12, -38, -31, -40, -29, -40, -22],
    [15, -40, -40, -26, 33, -40, -28, -40, 16, -40, -40, -40, -40, -40, -11, -40, -40, -40, -26, -40, -28, -40, -21, -40, -40, -40],
    [14, -40, -40, -17, 15, -38, -40, 15, 12, -31, -38, -6, -40, 9, 14, -40, -40, 17, 4, -19, -40, -40, -40, -21, -38, -40],
    [10, -6, 3, -18, 14, -3, -40, -19, 11, -15, -40, -40, -29, -40, -17, 18, -40, -22, -40, 25, -40, -40, -19, -22, -12, -29],
    [-3, -3, -16, -23, 8, -40, -14, -40, -20, -40, -40, 0, -6, 7, 8, 23, -40, -10, 16, 9, -15, -20, 2, -40, -40, -13],
    [17, -35, -35, -35, 29, -35, -18, -35, 10, -35, -35, -18, -35, -35, -1, -35, -35, -9, -5, -35, -3, -35, -35, -35, -5, 11],
];

#[cfg(test)]
mod tests {
    use super::{is_random, is_varied};

    #[test]
    fn names_are_spelled_and_keys_are_drawn() {
        for name in ["com.acme.security.JwtAuthenticationTokenProvider", "ctrl+shift+alt+down", "getElementsByTagName2"]
        {
            assert!(!is_random(name.as_bytes()), "{name}");
        }
        for key in ["XkprpzZwOEuuKX8f9oZootfX", "0b34b8e54064928b27402a8a27c0d904", "q7w2k9x4m1z8p3v6"] {
            assert!(is_random(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn rows_and_repeats_are_not_varied() {
        for text in ["0123456789abcdef0123456789abcdef", "aaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "xxxxxxxx1xxxxxxx"] {
            assert!(!is_varied(text.as_bytes()), "{text}");
        }
    }
}
