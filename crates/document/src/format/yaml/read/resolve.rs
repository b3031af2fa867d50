//! What a scalar's text means: go-yaml v3's reading, which is neither YAML 1.1 nor 1.2.

mod number;
mod time;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secret::SecretBytes;

use super::raw::Tag;
use crate::{Style, Value};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// What a text was found to be.
enum Meaning {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer from 2^63 to 2^64 - 1.
    Unsigned(u64),
    Float(f64),
    Time(Box<str>),
    Str,
}

/// The value of a scalar, or `None` if its text does not fit its tag. A string is a part of `whole` where it can be one.
pub(super) fn scalar(tag: Tag, style: Style, text: &[u8], whole: &SecretBytes) -> Option<Value> {
    let tag = if tag == Tag::None && style != Style::Plain { Tag::Str } else { tag };
    match tag {
        Tag::Str | Tag::Merge | Tag::Other => Some(Value::Str(whole.part(text))),
        Tag::Binary => {
            let kept: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
            Some(Value::Str(SecretBytes::new(BASE64.decode(SecretBytes::new(kept).expose()).ok()?)))
        }
        _ => typed(tag, meaning(tag, text), text, whole),
    }
}

/// Whether an untagged plain text is a string.
pub(super) fn is_string(text: &[u8]) -> bool {
    matches!(meaning(Tag::None, text), Meaning::Str)
}

fn typed(tag: Tag, meaning: Meaning, text: &[u8], whole: &SecretBytes) -> Option<Value> {
    let fits = match tag {
        Tag::Null => matches!(meaning, Meaning::Null),
        Tag::Bool => matches!(meaning, Meaning::Bool(_)),
        Tag::Int => matches!(meaning, Meaning::Int(_) | Meaning::Unsigned(_)),
        Tag::Float => matches!(meaning, Meaning::Float(_) | Meaning::Int(_)),
        Tag::Timestamp => matches!(meaning, Meaning::Time(_)),
        _ => true,
    };
    fits.then(|| match meaning {
        Meaning::Null => Value::Null,
        Meaning::Bool(value) => Value::Bool(value),
        Meaning::Int(value) if tag == Tag::Float => Value::Float(value as f64),
        Meaning::Int(value) => Value::Int(value),
        Meaning::Unsigned(value) => Value::Float(value as f64),
        Meaning::Float(value) => Value::Float(value),
        Meaning::Time(value) => Value::Time(value),
        Meaning::Str => Value::Str(whole.part(text)),
    })
}

fn meaning(tag: Tag, text: &[u8]) -> Meaning {
    match text.first() {
        None => Meaning::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'.') => match word(text) {
            Meaning::Str => number::dotted(text).map_or(Meaning::Str, Meaning::Float),
            known => known,
        },
        Some(b'0'..=b'9' | b'+' | b'-') => numeric(tag, text),
        Some(_) => Meaning::Str,
    }
}

fn word(text: &[u8]) -> Meaning {
    match text {
        b"~" | b"null" | b"Null" | b"NULL" => Meaning::Null,
        b"true" | b"True" | b"TRUE" => Meaning::Bool(true),
        b"false" | b"False" | b"FALSE" => Meaning::Bool(false),
        b".nan" | b".NaN" | b".NAN" => Meaning::Float(f64::NAN),
        b".inf" | b".Inf" | b".INF" | b"+.inf" | b"+.Inf" | b"+.INF" => Meaning::Float(f64::INFINITY),
        b"-.inf" | b"-.Inf" | b"-.INF" => Meaning::Float(f64::NEG_INFINITY),
        _ => Meaning::Str,
    }
}

fn numeric(tag: Tag, text: &[u8]) -> Meaning {
    if let known @ Meaning::Float(_) = word(text) {
        return known;
    }
    if matches!(tag, Tag::None | Tag::Timestamp)
        && let Some(time) = time::parse(text)
    {
        return Meaning::Time(time);
    }
    if !text.contains(&b'_') {
        return number::parse(text);
    }
    let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'_').collect();
    let digits = SecretBytes::new(digits);
    number::parse(digits.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match scalar(Tag::None, Style::Plain, text.as_bytes(), &SecretBytes::default()) {
            Some(Value::Null) => "null".into(),
            Some(Value::Bool(value)) => value.to_string(),
            Some(Value::Int(value)) => format!("int {value}"),
            Some(Value::Float(value)) => format!("float {value:?}"),
            Some(Value::Time(value)) => format!("time {value}"),
            Some(Value::Str(_)) => "str".into(),
            _ => "?".into(),
        }
    }

    #[test]
    fn plain_scalars_mean_what_sops_makes_of_them() {
        let cases = "\
            yes str|no str|on str|y str|tRUE str|TRUE true|~ null|Null null|nULL str|007 int 7|017 int 15|00 int 0|\
            0o17 int 15|0O17 int 15|0x1F int 31|0X1F int 31|-0x1F int -31|0b101 int 5|0b-101 int -5|1_000 int 1000|\
            1__000 int 1000|0x_1F int 31|1_0.5 float 10.5|1_e3 float 1000.0|08 float 8.0|1. float 1.0|.5 float 0.5|\
            .5_5 float 0.55|._5 str|1e3 float 1000.0|1.e3 float 1000.0|1e400 str|.inf float inf|-.INF float -inf|\
            .NaN float NaN|+.nan str|9223372036854775807 int 9223372036854775807|\
            9223372036854775808 float 9.223372036854776e18|18446744073709551616 float 1.8446744073709552e19|\
            +9223372036854775808 float 9.223372036854776e18|-9223372036854775808 int -9223372036854775808|\
            0xFFFFFFFFFFFFFFFF float 1.8446744073709552e19|+0xFFFFFFFFFFFFFFFF str|- str|-0 int 0|-0.0 float -0.0|\
            2001-12-14 time 2001-12-14T00:00:00Z|2001-1-4 time 2001-01-04T00:00:00Z|2001-13-14 str|2001-02-29 str|\
            2001-12-14t21:59:43.10-05:00 time 2001-12-14T21:59:43.1-05:00|\
            2001-12-15 2:59:43 time 2001-12-15T02:59:43Z|2001-12-14 21:59:43.10 -5 str|12:30:45 str|1:30 str";
        for case in cases.split('|') {
            let (text, meaning) = case.split_once(' ').unwrap();
            let (text, meaning) = match meaning.split_once(' ') {
                Some((rest, meaning)) if rest.contains(':') && meaning.starts_with("time") => {
                    (format!("{text} {rest}"), meaning)
                }
                Some(("21:59:43.10", _)) => (format!("{text} 21:59:43.10 -5"), "str"),
                _ => (text.to_owned(), meaning),
            };
            assert_eq!(shown(&text), meaning, "{text}");
        }
    }

    #[test]
    fn tags_decide_or_refuse() {
        let tagged = |tag, text: &str| scalar(tag, Style::Plain, text.as_bytes(), &SecretBytes::default());
        assert!(matches!(tagged(Tag::Str, "1"), Some(Value::Str(_))));
        assert!(matches!(tagged(Tag::Float, "1"), Some(Value::Float(1.0))));
        assert!(matches!(tagged(Tag::Int, "0x10"), Some(Value::Int(16))));
        assert!(matches!(tagged(Tag::Other, "1"), Some(Value::Str(_))));
        assert_eq!(tagged(Tag::Binary, "aGk=").unwrap().as_str(), Some("hi"));
        for (tag, text) in [
            (Tag::Int, "1.0"),
            (Tag::Bool, "yes"),
            (Tag::Null, "x"),
            (Tag::Float, "18446744073709551615"),
            (Tag::Timestamp, "1"),
            (Tag::Binary, "%"),
        ] {
            assert!(tagged(tag, text).is_none(), "{tag:?} {text}");
        }
    }
}
