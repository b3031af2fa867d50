//! Strings that may not stand bare because they look like something else.

use super::read;

/// Whether a string must be quoted because its bare text reads as something else, here or in YAML 1.1.
pub(super) fn misread(text: &str) -> bool {
    !read::is_plain_string(text.as_bytes()) || old_bool(text) || base_60(text)
}

/// The words that YAML 1.1 takes for booleans and go-yaml v3 does not.
fn old_bool(text: &str) -> bool {
    const WORDS: [&str; 16] =
        ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    text.len() <= 3 && WORDS.contains(&text)
}

/// YAML 1.1 numbers to the base 60: `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
fn base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let (digits, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let sixty = |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let mut parts = digits.split(':');
    let first = parts.next().is_some_and(number);
    let mut rest = parts.peekable();
    first && rest.peek().is_some() && rest.all(sixty) && number(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_1_1_lookalikes_are_misread() {
        for text in ["y", "NO", "off", "12:30:45", "-1_2:3.4", "190:20:30.15", "1:5.", "true", "1", ""] {
            assert!(misread(text), "{text}");
        }
        for text in ["yEs", "1:60", "1:", ":30", "1:2:", "a:1", "1:2.x"] {
            assert!(!misread(text), "{text}");
        }
    }
}
