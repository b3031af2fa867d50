//! Lists. A function that changes one gives a new one back.

use std::cmp::Ordering;

use super::super::machine::{Machine, Outcome};
use super::super::value::Value;
use super::logic::same;
use super::{ANY, Function, count, function, need_list, text_of};

pub(super) const FUNCTIONS: &[Function] = &[
    function("list", 0, ANY, |machine, values| machine.list(values.to_vec())),
    function("tuple", 0, ANY, |machine, values| machine.list(values.to_vec())),
    function("first", 1, 1, |_, values| Ok(need_list(&values[0])?.first().cloned().unwrap_or(Value::Nil))),
    function("last", 1, 1, |_, values| Ok(need_list(&values[0])?.last().cloned().unwrap_or(Value::Nil))),
    function("rest", 1, 1, |machine, values| {
        machine.list(need_list(&values[0])?.split_first().map_or(Vec::new(), |(_, rest)| rest.to_vec()))
    }),
    function("initial", 1, 1, |machine, values| {
        machine.list(need_list(&values[0])?.split_last().map_or(Vec::new(), |(_, rest)| rest.to_vec()))
    }),
    function("append", 2, 2, append),
    function("push", 2, 2, append),
    function("prepend", 2, 2, |machine, values| {
        let mut items = vec![values[1].clone()];
        items.extend_from_slice(need_list(&values[0])?);
        machine.list(items)
    }),
    function("concat", 0, ANY, |machine, values| {
        let mut items = Vec::new();
        for list in values {
            machine.spend(need_list(list)?.len())?;
            items.extend_from_slice(need_list(list)?);
        }
        machine.list(items)
    }),
    function("reverse", 1, 1, |machine, values| machine.list(need_list(&values[0])?.iter().rev().cloned().collect())),
    function("has", 2, 2, |machine, values| Ok(Value::Bool(is_among(machine, need_list(&values[1])?, &values[0])?))),
    function("without", 1, ANY, |machine, values| {
        let mut kept = Vec::new();
        for item in need_list(&values[0])? {
            if !is_among(machine, &values[1..], item)? {
                kept.push(item.clone());
            }
        }
        machine.list(kept)
    }),
    function("compact", 1, 1, |machine, values| {
        machine.list(need_list(&values[0])?.iter().filter(|item| item.is_true()).cloned().collect())
    }),
    function("uniq", 1, 1, uniq),
    function("sortAlpha", 1, 1, |machine, values| {
        let mut texts = texts(machine, &values[0])?;
        machine.spend(texts.len() * 8)?;
        texts.sort();
        machine.list(texts.into_iter().map(Value::Text).collect())
    }),
    function("slice", 1, 3, slice),
    function("chunk", 2, 2, |machine, values| {
        let size = count(&values[0])?.max(1);
        let parts = need_list(&values[1])?.chunks(size).map(|part| Value::list(part.to_vec())).collect();
        machine.list(parts)
    }),
    function("join", 2, 2, |machine, values| {
        let separator = text_of(&values[0], machine)?;
        let texts = texts(machine, &values[1])?;
        let length = texts.iter().map(|text| text.len() + separator.len()).sum();
        machine.check_length(length)?;
        machine.text(texts.join(&*separator))
    }),
    function("toStrings", 1, 1, |machine, values| {
        let texts = texts(machine, &values[0])?;
        machine.list(texts.into_iter().map(Value::Text).collect())
    }),
];

fn append(machine: &mut Machine<'_>, values: &[Value]) -> Outcome {
    let mut items = need_list(&values[0])?.to_vec();
    items.push(values[1].clone());
    machine.list(items)
}

fn is_among(machine: &mut Machine<'_>, items: &[Value], wanted: &Value) -> Result<bool, String> {
    for item in items {
        if same(machine, item, wanted, 0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The texts of a list, or of a single value.
fn texts(machine: &mut Machine<'_>, value: &Value) -> Result<Vec<std::rc::Rc<str>>, String> {
    match value {
        Value::List(items) => {
            let present = items.iter().filter(|item| !matches!(item, Value::Nil));
            present.map(|item| text_of(item, machine)).collect()
        }
        Value::Nil => Ok(Vec::new()),
        other => Ok(vec![text_of(other, machine)?]),
    }
}

/// Each value once, in the order of their first places.
fn uniq(machine: &mut Machine<'_>, values: &[Value]) -> Outcome {
    let mut kept: Vec<Value> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for item in need_list(&values[0])? {
        let is_new = match item {
            Value::Text(text) => seen.insert(text.clone()),
            other => !is_among(machine, &kept, other)?,
        };
        if is_new {
            kept.push(item.clone());
        }
    }
    machine.list(kept)
}

/// A part of a list or, as Go's own function does, of a text.
fn slice(machine: &mut Machine<'_>, values: &[Value]) -> Outcome {
    let bounds = |length: usize| {
        let start = values.get(1).map_or(Ok(0), count)?;
        let end = values.get(2).map_or(Ok(length), count)?;
        match start.cmp(&end) {
            Ordering::Greater => Err("slice bounds out of order".to_owned()),
            _ if end > length => Err("slice bounds out of range".to_owned()),
            _ => Ok(start..end),
        }
    };
    match &values[0] {
        Value::Text(text) => {
            let part = text.get(bounds(text.len())?).ok_or("slice bounds inside a character")?;
            machine.text(part.to_owned())
        }
        list => {
            let items = need_list(list)?;
            machine.list(items[bounds(items.len())?].to_vec())
        }
    }
}
