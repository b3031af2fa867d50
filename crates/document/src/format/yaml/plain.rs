//! Bare tokens in an existing file: which strings can stand bare, and the spelling of everything that is not a string.

use super::{read, scalar};
use crate::{Value, number};

/// Whether `text` reads back as this string when it stands bare as a value.
pub(super) fn reads_back(text: &str, in_flow: bool) -> bool {
    stands_bare(text, in_flow) && read::is_plain_string(text.as_bytes())
}

/// Whether all of `text` is one bare token, of whatever type.
pub(super) fn stands_bare(text: &str, in_flow: bool) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| matches!(byte, None | Some(b' ' | b'\t'));
    if edge(bytes.first()) || edge(bytes.last()) || starts_otherwise(bytes) || text == "<<" {
        return false;
    }
    let inside = bytes.iter().enumerate().all(|(at, &byte)| match byte {
        b':' => !edge(bytes.get(at + 1)) && !in_flow,
        b'#' => at > 0 && !edge(bytes.get(at - 1)),
        b',' | b'[' | b']' | b'{' | b'}' | b'?' => !in_flow,
        _ => true,
    });
    inside && scalar::one_line(text)
}

/// Whether the first characters start something that is not a plain scalar.
fn starts_otherwise(text: &[u8]) -> bool {
    // A document marker counts at the start of a line only, where no value stands.
    scalar::starts_as_indicator(text) && !matches!(text, [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..])
}

/// The text of a value that is not a string, so that it reads back with its type.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => {
            let text = number::yaml(*value);
            if matches!(read::plain_value(text.as_bytes()), Value::Int(_)) { text + ".0" } else { text }
        }
        Value::Time(text) => text.to_string(),
        Value::Str(_) | Value::Map(_) | Value::List(_) => unreachable!("only values that are written bare"),
    }
}

/// `spelling` if it reads back as `value`, else the canonical text.
pub(super) fn spelled(value: &Value, spelling: Option<&[u8]>) -> String {
    let spelling = spelling.and_then(|bytes| std::str::from_utf8(bytes).ok());
    match spelling {
        Some(text) if read::plain_value(text.as_bytes()).same(value) => text.to_owned(),
        _ => canonical(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stand_bare_only_where_they_read_back() {
        for text in ["a", "yes", "\u{1F600}", "a\tb", "a:b", "?a", "-a", "a#b", "http://x/y?z", "--- a", "12:30"] {
            assert!(reads_back(text, false), "{text}");
        }
        for text in [
            "", " a", "a ", "a: b", "a:", "a #b", "a\t#b", "#a", "- a", "true", "1", "a\nb", "\u{2028}", "\u{FEFF}",
            "<<", "\t",
        ] {
            assert!(!reads_back(text, false), "{text:?}");
        }
        for text in ["a,b", "a:b", "[a", "a}"] {
            assert!(!reads_back(text, true), "{text}");
        }
    }

    #[test]
    fn a_spelling_is_kept_if_it_means_the_same() {
        let cases: [(Value, &str, &str); 7] = [
            (Value::Int(255), "0xFF", "0xFF"),
            (Value::Int(255), "0xFE", "255"),
            (Value::Int(1), "\"1\"", "1"),
            (Value::Float(1.5), "1.50", "1.50"),
            (Value::Float(1.0), "1", "1.0"),
            (Value::Float(-0.0), "", "-0.0"),
            (Value::Bool(true), "TRUE", "TRUE"),
        ];
        for (value, spelling, wanted) in cases {
            assert_eq!(spelled(&value, Some(spelling.as_bytes())), wanted);
        }
    }
}
