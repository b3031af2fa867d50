//! Integers and floats as Go's strconv reads them.

use super::Meaning;

/// A text without underscores that starts with a digit or a sign.
pub(super) fn parse(text: &[u8]) -> Meaning {
    let (sign, digits) = match text {
        [sign @ (b'+' | b'-'), digits @ ..] => (Some(*sign), digits),
        _ => (None, text),
    };
    if let Some(value) = prefixed(digits).and_then(|size| signed(sign, size)) {
        return value;
    }
    if let Some(value) = float(text) {
        return Meaning::Float(value);
    }
    // `0b-1`: a sign behind the prefix.
    let (base, rest) = match text {
        [b'0', b'b', rest @ ..] => (2, rest),
        [b'0', b'o', rest @ ..] => (8, rest),
        _ => return Meaning::Str,
    };
    let [sign @ (b'+' | b'-'), digits @ ..] = rest else { return Meaning::Str };
    match unsigned(digits, base).and_then(|size| signed(Some(*sign), size)) {
        Some(value) if !digits.is_empty() => value,
        _ => Meaning::Str,
    }
}

/// `.5`, with underscores between digits.
pub(super) fn dotted(text: &[u8]) -> Option<f64> {
    let stray = |pair: &[u8]| pair.contains(&b'_') && !pair.iter().all(|byte| byte.is_ascii_digit() || *byte == b'_');
    let doubled = text.windows(2).any(|pair| pair == b"__" || stray(pair));
    if doubled || text.ends_with(b"_") {
        return None;
    }
    let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'_').collect();
    float(&digits)
}

fn signed(sign: Option<u8>, size: u64) -> Option<Meaning> {
    match sign {
        Some(b'-') => 0_i64.checked_sub_unsigned(size).map(Meaning::Int),
        Some(_) => i64::try_from(size).ok().map(Meaning::Int),
        None => Some(i64::try_from(size).map_or(Meaning::Unsigned(size), Meaning::Int)),
    }
}

/// An integer in the base that its prefix says; a leading 0 means octal.
fn prefixed(digits: &[u8]) -> Option<u64> {
    match digits {
        [] => None,
        [b'0', b'b' | b'B', rest @ ..] if !rest.is_empty() => unsigned(rest, 2),
        [b'0', b'o' | b'O', rest @ ..] if !rest.is_empty() => unsigned(rest, 8),
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => unsigned(rest, 16),
        [b'0', rest @ ..] => unsigned(rest, 8),
        _ => unsigned(digits, 10),
    }
}

fn unsigned(digits: &[u8], base: u32) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = char::from(*byte).to_digit(base)?;
        value.checked_mul(u64::from(base))?.checked_add(u64::from(digit))
    })
}

/// A decimal number with digits on at least one side of the point; `None` if it is none or overflows.
fn float(text: &[u8]) -> Option<f64> {
    let plain = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let value: f64 = std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok()?;
    value.is_finite().then_some(value)
}
