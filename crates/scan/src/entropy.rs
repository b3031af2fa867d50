//! Shannon entropy, as gitleaks counts it.

use std::collections::HashMap;

/// Bits per character: frequencies of code points over the length in bytes; 0 for an empty text.
pub fn shannon(text: &[u8]) -> f64 {
    let mut counts: HashMap<char, usize> = HashMap::new();
    for character in String::from_utf8_lossy(text).chars() {
        *counts.entry(character).or_default() += 1;
    }
    let length = text.len() as f64;
    counts.values().map(|count| *count as f64 / length).map(|frequency| -frequency * frequency.log2()).sum()
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
}
