//! What a bare text would be read as: the types that go-yaml v3 gives to plain scalars.

/// What a plain scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    /// Text.
    Text,
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits with sign.
    Int(i64),
    /// An integer above that.
    Unsigned(u64),
    /// A double.
    Float(f64),
    /// A timestamp.
    Time,
}

/// Whether a string must be quoted because its bare text reads as something else, here or in YAML 1.1.
pub(super) fn misread(text: &str) -> bool {
    meaning(text) != Meaning::Text || old_bool(text) || base_60(text)
}

/// What `text` means as a plain scalar.
pub(super) fn meaning(text: &str) -> Meaning {
    match text.bytes().next() {
        None => Meaning::Null,
        Some(b't' | b'T' | b'f' | b'F' | b'n' | b'N' | b'~') => word(text),
        Some(b'.') => special_float(text).or_else(|| dotted_float(text)).map_or(Meaning::Text, Meaning::Float),
        Some(b'+' | b'-') => special_float(text).map_or_else(|| number(text), Meaning::Float),
        Some(b'0'..=b'9') if timestamp(text) => Meaning::Time,
        Some(b'0'..=b'9') => number(text),
        Some(_) => Meaning::Text,
    }
}

fn word(text: &str) -> Meaning {
    match text {
        "true" | "True" | "TRUE" => Meaning::Bool(true),
        "false" | "False" | "FALSE" => Meaning::Bool(false),
        "~" | "null" | "Null" | "NULL" => Meaning::Null,
        _ => Meaning::Text,
    }
}

fn special_float(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// `.5` and its kind, where underscores may only stand between digits.
fn dotted_float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let between = |(at, byte): (usize, &u8)| *byte != b'_' || (at > 0 && digit(at - 1) && digit(at + 1));
    // Several underscores in a row are not between digits.
    bytes.iter().enumerate().all(between).then(|| decimal(&text.replace('_', "")))?
}

/// A float in decimal notation that a double can hold.
fn decimal(text: &str) -> Option<f64> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = digits(unsigned);
    let mut rest = &unsigned[whole..];
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        fraction = digits(after);
        rest = &after[fraction..];
    }
    if whole + fraction == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        rest = if exponent.is_empty() { rest } else { &exponent[digits(exponent)..] };
    }
    if !rest.is_empty() {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn number(text: &str) -> Meaning {
    let stripped;
    let text = if text.contains('_') {
        stripped = text.replace('_', "");
        stripped.as_str()
    } else {
        text
    };
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let found = prefixed(unsigned).and_then(|size| sized(negative, size, unsigned.len() == text.len()));
    found.or_else(|| decimal(text).map(Meaning::Float)).or_else(|| odd_prefix(text)).unwrap_or(Meaning::Text)
}

/// An integer without sign in Go's notation: `0x`, `0o`, `0b`, a leading zero for octal.
fn prefixed(text: &str) -> Option<u64> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    radix_digits(digits, radix)
}

fn radix_digits(digits: &str, radix: u32) -> Option<u64> {
    let fine = !digits.is_empty() && digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    fine.then(|| u64::from_str_radix(digits, radix).ok())?
}

fn sized(negative: bool, size: u64, unsigned: bool) -> Option<Meaning> {
    if negative {
        return 0i64.checked_sub_unsigned(size).map(Meaning::Int);
    }
    match i64::try_from(size) {
        Ok(value) => Some(Meaning::Int(value)),
        Err(_) => unsigned.then_some(Meaning::Unsigned(size)),
    }
}

/// A sign *behind* the prefix (`0b-1`, `0o+7`), which go-yaml reads too.
fn odd_prefix(text: &str) -> Option<Meaning> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'b', ..] => (&text[2..], 2),
        [b'0', b'o', ..] => (&text[2..], 8),
        _ => return None,
    };
    let unsigned = digits.strip_prefix(['+', '-'])?;
    sized(digits.starts_with('-'), radix_digits(unsigned, radix)?, false)
}

/// Whether go-yaml reads `text` as a timestamp.
fn timestamp(text: &str) -> bool {
    let date = |text| {
        let rest = fixed(text, 4, 0..=9999)?;
        let (month, rest) = short(rest.1.strip_prefix('-')?, 1..=12).map(|found| (found.0, found.1))?;
        let (day, after) = short(rest.strip_prefix('-')?, 1..=31)?;
        (day <= days(fixed(text, 4, 0..=9999)?.0, month)).then_some(after)
    };
    let Some(rest) = date(text) else { return false };
    match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => clock(&rest[1..]).and_then(zone) == Some(""),
        Some(b' ') => clock(rest.trim_start_matches(' ')) == Some(""),
        Some(_) => false,
    }
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `h:m:s` with an optional fraction; what follows it.
fn clock(text: &str) -> Option<&str> {
    let (_, rest) = short(text, 0..=23)?;
    let (_, rest) = short(rest.strip_prefix(':')?, 0..=59)?;
    let (_, rest) = short(rest.strip_prefix(':')?, 0..=59)?;
    let fraction = rest.strip_prefix(['.', ',']).filter(|after| after.starts_with(|c: char| c.is_ascii_digit()));
    Some(fraction.map_or(rest, |after| after.trim_start_matches(|c: char| c.is_ascii_digit())))
}

/// `Z` or `±hh:mm`; what follows it.
fn zone(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some(rest);
    }
    let (_, rest) = fixed(text.strip_prefix(['+', '-'])?, 2, 0..=24)?;
    Some(fixed(rest.strip_prefix(':')?, 2, 0..=60)?.1)
}

/// A number of exactly `width` digits.
fn fixed(text: &str, width: usize, range: std::ops::RangeInclusive<u32>) -> Option<(u32, &str)> {
    let digits = text.get(..width).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let value = digits.parse().ok().filter(|value| range.contains(value))?;
    Some((value, &text[width..]))
}

/// A number of one or two digits, two if there are two.
fn short(text: &str, range: std::ops::RangeInclusive<u32>) -> Option<(u32, &str)> {
    let two = text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    fixed(text, if two { 2 } else { 1 }, range)
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
    fn plain_texts_mean_what_go_yaml_reads() {
        let cases = [
            ("true", Meaning::Bool(true)),
            ("~", Meaning::Null),
            ("tRUE", Meaning::Text),
            ("007", Meaning::Int(7)),
            ("017", Meaning::Int(15)),
            ("08", Meaning::Float(8.0)),
            ("0o17", Meaning::Int(15)),
            ("-0x1F", Meaning::Int(-31)),
            ("0b-1", Meaning::Int(-1)),
            ("1_000", Meaning::Int(1000)),
            ("1_e3", Meaning::Float(1000.0)),
            (".5", Meaning::Float(0.5)),
            ("1.", Meaning::Float(1.0)),
            ("1e400", Meaning::Text),
            ("+.nan", Meaning::Text),
            ("9223372036854775808", Meaning::Unsigned(1 << 63)),
            ("-9223372036854775808", Meaning::Int(i64::MIN)),
            ("18446744073709551616", Meaning::Float(18446744073709551616.0)),
            ("2001-1-4", Meaning::Time),
            ("2001-02-29", Meaning::Text),
            ("2001-12-14t21:59:43.10-05:00", Meaning::Time),
            ("2001-12-15 2:59:43", Meaning::Time),
            ("2001-12-14 21:59:43.10 -5", Meaning::Text),
            ("1:30", Meaning::Text),
            ("0x", Meaning::Text),
            ("-", Meaning::Text),
        ];
        for (text, wanted) in cases {
            assert_eq!(meaning(text), wanted, "{text}");
        }
        assert!(matches!(meaning(".NaN"), Meaning::Float(value) if value.is_nan()));
    }

    #[test]
    fn yaml_1_1_lookalikes_are_misread() {
        for text in ["y", "NO", "off", "12:30:45", "-1_2:3.4", "190:20:30.15", "1:5."] {
            assert!(misread(text), "{text}");
        }
        for text in ["yEs", "1:60", "1:", ":30", "1:2:", "a:1", "1:2.x"] {
            assert!(!misread(text), "{text}");
        }
    }
}
