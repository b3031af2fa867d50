//! Objects of strangers as JSON values, read to a depth and to a number of parts. A parser that gives up on one object of a list gives up on the
//! list: then whoever may create one object in one namespace would keep the controller from all others.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Levels that are read: far more than any resource has, and less than JSON parsers go.
const LEVELS: usize = 64;
/// Parts that are read: as a tree each takes a hundred times its text, and an object of encrypted values has few for its
/// size.
const PARTS: usize = 50_000;
/// Why there is no object.
pub(super) const UNREADABLE: &str = "the object is nested too deeply to be read, or has too many parts";

/// The value, and whether it is whole: what lies deeper than [`LEVELS`] is left out, and what follows on [`PARTS`].
///
/// # Errors
/// When it is no value at all.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Value, bool), D::Error> {
    let (is_whole, parts) = (Cell::new(true), Cell::new(PARTS));
    let value = Level { left: LEVELS, parts: &parts, is_whole: &is_whole }.deserialize(deserializer)?;
    Ok((value, is_whole.get()))
}

/// Whether the text is an object that is read as a whole.
pub(super) fn is_readable(text: &str) -> bool {
    read(&mut serde_json::Deserializer::from_str(text)).is_ok_and(|(_, is_whole)| is_whole)
}

#[derive(Clone, Copy)]
struct Level<'a> {
    left: usize,
    parts: &'a Cell<usize>,
    is_whole: &'a Cell<bool>,
}

impl Level<'_> {
    /// Whether there may be one part more.
    fn has_room(self) -> bool {
        let left = self.parts.get();
        self.parts.set(left.saturating_sub(1));
        if left == 0 {
            self.is_whole.set(false);
        }
        left > 0
    }

    /// The level below, none at the end.
    fn below(self) -> Option<Self> {
        if self.left == 0 {
            self.is_whole.set(false);
            return None;
        }
        Some(Self { left: self.left - 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Some(below) = self.below() else {
            // Skipping is not recursive.
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut list = Vec::new();
        while self.has_room() {
            let Some(item) = items.next_element_seed(below)? else { return Ok(list.into()) };
            list.push(item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let Some(below) = self.below() else {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut map = Map::new();
        while self.has_room() {
            let Some(name) = members.next_key::<String>()? else { return Ok(map.into()) };
            map.insert(name, members.next_value_seed(below)?);
        }
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Value, bool) {
        read(&mut serde_json::Deserializer::from_str(text)).unwrap()
    }

    #[test]
    fn values_are_read_as_they_are() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"é\n"],"b":{}}"#;
        assert_eq!(of(text), (serde_json::from_str(text).unwrap(), true));
    }

    #[test]
    fn what_has_too_many_parts_is_cut() {
        for (text, count) in [("1,", 30_000), ("{\"a\":1},", 15_000)] {
            let list = |times: usize| format!("[{}{{\"z\":[]}}]", text.repeat(times));
            assert!(of(&list(count)).1 && is_readable(&list(count)));
            let (value, is_whole) = of(&list(count * 20));
            assert!(!is_whole && value.as_array().is_some_and(|list| list.len() <= PARTS));
            assert!(!is_readable(&list(count * 20)));
        }
    }

    #[test]
    fn what_lies_too_deep_is_left_out() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(of(&nested(LEVELS)).1);
        let (value, is_whole) = of(&nested(LEVELS + 1));
        assert!(!is_whole && value.to_string().contains("null"));
        assert!(!of(&nested(100_000)).1, "no stack is used up");
    }
}
