//! What counts as text once it is decoded: UTF-8 without the control characters that only binary data has.

/// ASCII that text may hold: what gitleaks takes, so that nothing it decodes is missed.
pub(super) fn is_plain(byte: u8) -> bool {
    (0x09..0x7f).contains(&byte)
}

/// Whether all of it is text.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    could_begin_text(bytes) && std::str::from_utf8(bytes).is_ok()
}

/// Whether it could go on as text; it may end within a character.
pub(super) fn could_begin_text(bytes: &[u8]) -> bool {
    if !bytes.iter().all(|byte| is_plain(*byte) || *byte >= 0x80) {
        return false;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The byte that two hexadecimal digits at `at` stand for.
pub(super) fn hex_byte(text: &[u8], at: usize) -> Option<u8> {
    Some(hex_digit(*text.get(at)?)? << 4 | hex_digit(*text.get(at + 1)?)?)
}

/// The number that exactly `digits` hexadecimal digits at `at` stand for.
pub(super) fn hex_number(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at + digits)?;
    digits.iter().try_fold(0_u32, |value, digit| Some(value << 4 | u32::from(hex_digit(*digit)?)))
}

/// The letters of identifiers, keys and base64.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-' | b'=')
}

/// Whether at least `least` token letters stand right before or right after a range.
pub(super) fn beside_token(text: &[u8], range: &std::ops::Range<usize>, least: usize) -> bool {
    let after = text[range.end..].iter().take(least).take_while(|byte| is_token(**byte)).count();
    let before = text[..range.start].iter().rev().take(least).take_while(|byte| is_token(**byte)).count();
    after == least || before == least
}
