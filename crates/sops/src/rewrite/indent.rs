//! How deep a file that SOPS wrote is indented, read off its text.

/// Blanks per level of the first indented line; `None` for tabs, and for a text without levels.
pub fn detect(source: &[u8], format: &str) -> Option<i64> {
    if !matches!(format, "yaml" | "json") {
        return None;
    }
    let depth = |line: &[u8]| line.iter().take_while(|byte| **byte == b' ').count();
    let starts = |line: &&[u8]| line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    let says = |line: &&[u8]| !line.trim_ascii().is_empty();
    let first = source.split(|byte| *byte == b'\n').find(|line| starts(line) && says(line))?;
    i64::try_from(depth(first)).ok().filter(|depth| (1..=9).contains(depth))
}

#[cfg(test)]
mod tests {
    use super::detect;

    #[test]
    fn the_first_indented_line_decides() {
        assert_eq!(detect(b"a:\n  b: 1\nsops:\n    mac: x\n", "yaml"), Some(2));
        assert_eq!(detect(b"a: 1\nsops:\n    age:\n        - x\n", "yaml"), Some(4));
        assert_eq!(detect(b"{\n\t\"a\": 1\n}\n", "json"), None);
        assert_eq!(detect(b"{\n   \"a\": 1\n}\n", "json"), Some(3));
        assert_eq!(detect(b"{}", "json"), None);
        assert_eq!(detect(b"a=1\n  b", "dotenv"), None);
    }
}
