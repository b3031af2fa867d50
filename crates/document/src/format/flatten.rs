//! Nested metadata as flat names, for the formats that have no nesting, and scalars as their text.

use std::collections::BTreeMap;

use secret::SecretBytes;

use crate::{Element, FormatError, List, Map, Node, Problem, Value, number};

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// Nesting beyond this is refused.
const MAX_DEPTH: usize = 512;

/// The leaves of `meta` in SOPS' order (each map sorted by name), with their flat names and their text,
/// line breaks in it as they are. Empty collections vanish.
pub(super) fn flatten(meta: &Map) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    flatten_map(meta, "", &mut out);
    out
}

fn flatten_map(map: &Map, prefix: &str, out: &mut Vec<(String, Vec<u8>)>) {
    let mut entries: Vec<_> = map.entries().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    for entry in entries {
        flatten_value(&entry.value.value, format!("{prefix}{}", entry.key), out);
    }
}

fn flatten_value(value: &Value, name: String, out: &mut Vec<(String, Vec<u8>)>) {
    match value {
        Value::Map(map) => flatten_map(map, &format!("{name}{MAP}"), out),
        Value::List(list) => {
            for (index, node) in list.nodes().enumerate() {
                flatten_value(&node.value, format!("{name}{LIST}{index}"), out);
            }
        }
        leaf => out.push((name, scalar(leaf).unwrap_or_default())),
    }
}

/// A nested map from flat names and their values, each map sorted by name.
pub(super) fn unflatten(leaves: impl IntoIterator<Item = (Box<str>, SecretBytes)>) -> Result<Map, FormatError> {
    let mut root = Slot::default();
    for (name, value) in leaves {
        root.place(&name, value)?;
    }
    match root.into_value("")? {
        Value::Map(map) => Ok(map),
        _ => Ok(Map::default()),
    }
}

/// A place in the nested map that is being built: what was put there by name, by number, or as a value.
#[derive(Default)]
struct Slot {
    value: Option<SecretBytes>,
    names: BTreeMap<String, Slot>,
    numbers: BTreeMap<u32, Slot>,
}

impl Slot {
    fn place(&mut self, name: &str, value: SecretBytes) -> Result<(), FormatError> {
        let mut slot = self;
        for (depth, token) in tokens(name).enumerate() {
            if depth >= MAX_DEPTH {
                return refuse("a metadata name is nested deeper than 512 levels");
            }
            slot = match token {
                Token::Name(name) => slot.names.entry(name.to_owned()).or_default(),
                Token::Number(Some(number)) => slot.numbers.entry(number).or_default(),
                Token::Number(None) => return refuse(&format!("a list position in {} is not a number", shown(name))),
            };
        }
        match slot.value.replace(value) {
            Some(_) => refuse(&format!("duplicate metadata field {}", shown(name))),
            None => Ok(()),
        }
    }

    fn into_value(self, name: &str) -> Result<Value, FormatError> {
        let kinds = usize::from(self.value.is_some())
            + usize::from(!self.names.is_empty())
            + usize::from(!self.numbers.is_empty());
        if kinds > 1 {
            return refuse(&format!("the metadata field {} is of two kinds at once", shown(name)));
        }
        if let Some(value) = self.value {
            return Ok(Value::Str(value));
        }
        if self.numbers.is_empty() {
            let mut map = Map::default();
            for (key, slot) in self.names {
                let value = slot.into_value(&key)?;
                map.push(&key, value);
            }
            return Ok(Value::Map(map));
        }
        let mut list = List::default();
        for (expected, (number, slot)) in (0..).zip(self.numbers) {
            if number != expected {
                return refuse(&format!("the metadata list {} has no element {expected}", shown(name)));
            }
            list.items.push(Element::Node(Node::new(slot.into_value(name)?)));
        }
        Ok(Value::List(list))
    }
}

fn refuse<T>(what: &str) -> Result<T, FormatError> {
    Err(FormatError::new(Problem::Syntax, what))
}

/// A field's name for a message, cut if it is absurdly long.
fn shown(name: &str) -> String {
    let head: String = name.chars().take(80).collect();
    format!("\"{}\"", head.escape_debug())
}

enum Token<'a> {
    Name(&'a str),
    /// A list position, if it is a number.
    Number(Option<u32>),
}

/// The steps of a flat name: first a name, then what each separator introduces.
fn tokens(name: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = Some(name);
    let mut is_list = false;
    std::iter::from_fn(move || {
        let text = rest?;
        let next = [(MAP, false), (LIST, true)].into_iter();
        let next = next.filter_map(|(separator, list)| text.find(separator).map(|at| (at, separator.len(), list)));
        let (token, after, list) = match next.min() {
            Some((at, length, list)) => (&text[..at], Some(&text[at + length..]), list),
            None => (text, None, false),
        };
        let token = if is_list { Token::Number(token.parse().ok()) } else { Token::Name(token) };
        (rest, is_list) = (after, list);
        Some(token)
    })
}

/// The text of a value that is no collection, as SOPS writes it into dotenv and INI files.
pub(super) fn scalar(value: &Value) -> Option<Vec<u8>> {
    let text = match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => number::flat(*value),
        Value::Str(bytes) => return Some(bytes.expose().to_vec()),
        Value::Time(text) => whole_seconds(text),
        Value::Map(_) | Value::List(_) => return None,
    };
    Some(text.into_bytes())
}

/// An RFC 3339 time without its fraction of a second.
fn whole_seconds(time: &str) -> String {
    let Some((head, tail)) = time.split_once('.') else { return time.to_owned() };
    format!("{head}{}", tail.trim_start_matches(|sign: char| sign.is_ascii_digit()))
}

/// `text` with every `from` replaced by `to`.
pub(super) fn replace_all(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut done = 0;
    for at in memchr::memmem::find_iter(text, from) {
        out.extend_from_slice(&text[done..at]);
        out.extend_from_slice(to);
        done = at + from.len();
    }
    out.extend_from_slice(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(names: &[&str]) -> Result<Map, FormatError> {
        unflatten(names.iter().map(|name| ((*name).into(), SecretBytes::from(*name))))
    }

    #[test]
    fn names_come_back() {
        let names =
            ["a__list_0__map_x", "a__list_0__map_y", "a__list_1", "b", "c__map_d__map_", "key_groups__list_0__list_0"];
        let flat = flatten(&nested(&names).unwrap());
        assert_eq!(flat.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), names);
        assert!(flat.iter().all(|(name, value)| name.as_bytes() == value));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let cases: [&[&str]; 8] = [
            &["a", "a"],
            &["a__list_1"],
            &["a__list_0", "a__list_2"],
            &["a", "a__map_b"],
            &["a__list_0", "a__map_b"],
            &["a__list_x"],
            &["a__list_"],
            &["a__list_-1"],
        ];
        for names in cases {
            assert!(nested(names).is_err(), "{names:?}");
        }
        assert!(nested(&[&"__map_a".repeat(100_000)]).is_err());
        assert!(nested(&[&"__map_a".repeat(400)]).is_ok());
    }

    #[test]
    fn scalars_have_one_text() {
        let time = Value::Time("2001-12-14T21:59:43.125-05:00".into());
        assert_eq!(scalar(&time).unwrap(), b"2001-12-14T21:59:43-05:00");
        assert_eq!(scalar(&Value::Null).unwrap(), b"<nil>");
        assert_eq!(scalar(&Value::Float(1e21)).unwrap(), b"1E+21");
        assert!(scalar(&Value::Map(Map::default())).is_none());
    }
}
