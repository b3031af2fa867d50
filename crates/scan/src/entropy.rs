//! Shannon entropy, as gitleaks counts it.

use std::collections::BTreeMap;

/// Bits per character: frequencies of code points over the length in bytes; 0 for an empty text.
pub fn shannon(text: &[u8]) -> f64 {
    let length = text.len() as f64;
    // The sum runs in one fixed order: the last bits of a float must not change from run to run.
    counts(text).into_iter().map(|count| count as f64 / length).map(|frequency| -frequency * frequency.log2()).sum()
}

fn counts(text: &[u8]) -> Vec<usize> {
    let mut ascii = [0usize; 128];
    let mut others: BTreeMap<char, usize> = BTreeMap::new();
    if text.is_ascii() {
        text.iter().for_each(|byte| ascii[usize::from(*byte)] += 1);
    } else {
        for character in String::from_utf8_lossy(text).chars() {
            match ascii.get_mut(character as usize) {
                Some(count) => *count += 1,
                None => *others.entry(character).or_default() += 1,
            }
        }
    }
    ascii.into_iter().filter(|count| *count > 0).chain(others.into_values()).collect()
}

#[cfg(test)]
mod tests {
    use super::shannon;

    #[test]
    fn counts_bits_per_character() {
        assert_eq!(shannon(b""), 0.0);
        assert_eq!(shannon(b"aaaa"), 0.0);
        assert_eq!(shannon(b"abcd"), 2.0);
    }

    /// gitleaks divides by the length in bytes: two code points of two bytes each have a frequency of a quarter.
    #[test]
    fn divides_by_bytes() {
        assert_eq!(shannon("äö".as_bytes()), 1.0);
    }
}
