//! Maps from text to anything. `set`, `unset` and `merge` change the map they are given, as sprig's do.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::machine::{ENTRY, Machine, Outcome};
use super::super::value::{Map, Value};
use super::{ANY, Function, function, need_text, text_of};

pub(super) const FUNCTIONS: &[Function] = &[
    function("dict", 0, ANY, |machine, values| {
        let mut map = BTreeMap::new();
        for pair in values.chunks(2) {
            let value = pair.get(1).cloned().unwrap_or_else(|| Value::text(""));
            map.insert(text_of(&pair[0], machine)?.to_string(), value);
        }
        made(machine, map)
    }),
    function("get", 2, 2, |_, values| {
        Ok(need_map(&values[0])?.borrow().get(need_text(&values[1])?).cloned().unwrap_or_else(|| Value::text("")))
    }),
    function("set", 3, 3, |machine, values| {
        let map = need_map(&values[0])?;
        machine.spend(ENTRY)?;
        if holds(machine, &values[2], map, 0)? {
            return Err("a map cannot be put into itself".to_owned());
        }
        map.borrow_mut().insert(need_text(&values[1])?.to_owned(), values[2].clone());
        Ok(values[0].clone())
    }),
    function("unset", 2, 2, |_, values| {
        need_map(&values[0])?.borrow_mut().remove(need_text(&values[1])?);
        Ok(values[0].clone())
    }),
    function("hasKey", 2, 2, |_, values| {
        Ok(Value::Bool(need_map(&values[0])?.borrow().contains_key(need_text(&values[1])?)))
    }),
    function("keys", 0, ANY, |machine, values| {
        let mut keys = Vec::new();
        for map in values {
            keys.extend(need_map(map)?.borrow().keys().map(|key| Value::text(key.as_str())));
        }
        machine.list(keys)
    }),
    function("values", 1, 1, |machine, values| {
        let items = need_map(&values[0])?.borrow().values().cloned().collect();
        machine.list(items)
    }),
    function("pluck", 2, ANY, |machine, values| {
        let mut items = Vec::new();
        for map in &values[1..] {
            items.extend(need_map(map)?.borrow().get(need_text(&values[0])?).cloned());
        }
        machine.list(items)
    }),
    function("pick", 1, ANY, |machine, values| filtered(machine, values, true)),
    function("omit", 1, ANY, |machine, values| filtered(machine, values, false)),
    function("merge", 1, ANY, |machine, values| merge(machine, values, false)),
    function("mergeOverwrite", 1, ANY, |machine, values| merge(machine, values, true)),
    function("dig", 3, ANY, dig),
];

fn made(machine: &mut Machine<'_>, map: BTreeMap<String, Value>) -> Outcome {
    machine.spend(1 + map.len() * ENTRY)?;
    Ok(Value::Map(Rc::new(RefCell::new(map))))
}

fn need_map(value: &Value) -> Result<&Map, String> {
    match value {
        Value::Map(map) => Ok(map),
        other => Err(format!("expected map; found {}", other.kind())),
    }
}

/// Whether a value is the map, or holds it somewhere. What is too deep to tell counts as held.
fn holds(machine: &mut Machine<'_>, value: &Value, map: &Map, depth: usize) -> Result<bool, String> {
    machine.spend(1)?;
    let inner: Vec<Value> = match value {
        _ if depth > 30 => return Ok(true),
        Value::Map(other) if Rc::ptr_eq(other, map) => return Ok(true),
        Value::Map(other) => other.borrow().values().cloned().collect(),
        Value::List(items) => items.to_vec(),
        _ => return Ok(false),
    };
    for value in &inner {
        if holds(machine, value, map, depth + 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn filtered(machine: &mut Machine<'_>, values: &[Value], keep: bool) -> Outcome {
    let mut names = Vec::new();
    for name in &values[1..] {
        names.push(need_text(name)?);
    }
    let map = need_map(&values[0])?.borrow();
    machine.spend(map.len().saturating_mul(1 + names.len()))?;
    let kept = map.iter().filter(|(key, _)| names.contains(&key.as_str()) == keep);
    made(machine, kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn merge(machine: &mut Machine<'_>, values: &[Value], overwrite: bool) -> Outcome {
    let target = need_map(&values[0])?;
    for other in &values[1..] {
        let other = need_map(other)?.borrow().clone();
        machine.spend(other.len() * ENTRY)?;
        for (key, value) in other {
            if holds(machine, &value, target, 0)? {
                return Err("a map cannot be put into itself".to_owned());
            }
            let mut target = target.borrow_mut();
            if overwrite || !target.get(&key).is_some_and(Value::is_true) {
                target.insert(key, value);
            }
        }
    }
    Ok(values[0].clone())
}

/// `dig "a" "b" default map`.
fn dig(_: &mut Machine<'_>, values: &[Value]) -> Outcome {
    let (path, last) = values.split_at(values.len() - 2);
    let mut value = last[1].clone();
    for key in path {
        let next = need_map(&value)?.borrow().get(need_text(key)?).cloned();
        match next {
            Some(inner) => value = inner,
            None => return Ok(last[0].clone()),
        }
    }
    Ok(value)
}
