//! Comparisons, truth and defaults.

use std::cmp::Ordering;

use super::super::machine::{Machine, Outcome};
use super::super::value::Value;
use super::{ANY, Function, count, function};

pub(super) const FUNCTIONS: &[Function] = &[
    // `and` and `or` are run by the evaluator, which stops early; these entries make their names known.
    function("and", 1, ANY, |_, values| Ok(values[0].clone())),
    function("or", 1, ANY, |_, values| Ok(values[0].clone())),
    function("not", 1, 1, |_, values| Ok(Value::Bool(!values[0].is_true()))),
    function("eq", 2, ANY, |_, values| {
        for other in &values[1..] {
            if equal(&values[0], other)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
    function("ne", 2, 2, |_, values| Ok(Value::Bool(!equal(&values[0], &values[1])?))),
    function("lt", 2, 2, |_, values| compare(values, Ordering::is_lt)),
    function("le", 2, 2, |_, values| compare(values, Ordering::is_le)),
    function("gt", 2, 2, |_, values| compare(values, Ordering::is_gt)),
    function("ge", 2, 2, |_, values| compare(values, Ordering::is_ge)),
    function("len", 1, 1, |_, values| {
        let length = match &values[0] {
            Value::Text(text) => text.len(),
            Value::List(items) => items.len(),
            Value::Map(map) => map.borrow().len(),
            other => return Err(format!("len of type {}", other.kind())),
        };
        Ok(Value::Int(length as i64))
    }),
    function("index", 1, ANY, |_, values| {
        let mut value = values[0].clone();
        for key in &values[1..] {
            value = index(&value, key)?;
        }
        Ok(value)
    }),
    function("default", 1, 2, |_, values| {
        let given = values.get(1).filter(|value| value.is_true());
        Ok(given.unwrap_or(&values[0]).clone())
    }),
    function("empty", 1, 1, |_, values| Ok(Value::Bool(!values[0].is_true()))),
    function("coalesce", 0, ANY, |_, values| {
        Ok(values.iter().find(|value| value.is_true()).cloned().unwrap_or(Value::Nil))
    }),
    function("ternary", 3, 3, |_, values| Ok(values[usize::from(!values[2].is_true())].clone())),
    function("all", 0, ANY, |_, values| Ok(Value::Bool(values.iter().all(Value::is_true)))),
    function("any", 0, ANY, |_, values| Ok(Value::Bool(values.iter().any(Value::is_true)))),
    function("fail", 1, 1, |_, _| Err("the template says that it cannot go on".to_owned())),
    function("kindOf", 1, 1, |_, values| Ok(Value::text(values[0].kind()))),
    function("kindIs", 2, 2, |machine, values| {
        let wanted = super::text_of(&values[0], machine)?;
        Ok(Value::Bool(*wanted == *values[1].kind()))
    }),
    function("deepEqual", 2, 2, |machine, values| Ok(Value::Bool(same(machine, &values[0], &values[1], 0)?))),
];

/// Go's `eq`: only values of one kind can be compared.
fn equal(one: &Value, other: &Value) -> Result<bool, String> {
    Ok(match (one, other) {
        (Value::Nil, other) => matches!(other, Value::Nil),
        (_, Value::Nil) => false,
        (Value::List(_) | Value::Map(_) | Value::Finding(_), _)
        | (_, Value::List(_) | Value::Map(_) | Value::Finding(_)) => {
            return Err("non-comparable type".to_owned());
        }
        _ => order(one, other)?.is_eq(),
    })
}

fn compare(values: &[Value], wanted: fn(Ordering) -> bool) -> Outcome {
    if matches!(values[0], Value::Bool(_)) {
        return Err("invalid type for comparison".to_owned());
    }
    Ok(Value::Bool(wanted(order(&values[0], &values[1])?)))
}

fn order(one: &Value, other: &Value) -> Result<Ordering, String> {
    let floats = |one: f64, other: f64| one.partial_cmp(&other).unwrap_or(Ordering::Less);
    Ok(match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Float(one), Value::Float(other)) => floats(*one, *other),
        (Value::Single(one), Value::Single(other)) => floats(f64::from(*one), f64::from(*other)),
        (Value::Single(one), Value::Float(other)) => floats(f64::from(*one), *other),
        (Value::Float(one), Value::Single(other)) => floats(*one, f64::from(*other)),
        (Value::Time(one), Value::Time(other)) => one.cmp(other),
        _ => return Err("incompatible types for comparison".to_owned()),
    })
}

/// Whether two values are equal all the way down; used by `has` and `uniq`. Every look is paid for: lists of lists may
/// share their parts and be far longer than they are large.
pub(super) fn same(machine: &mut Machine<'_>, one: &Value, other: &Value, depth: usize) -> Result<bool, String> {
    machine.spend(1)?;
    if depth > 40 {
        return Err("values that are nested too deep cannot be compared".to_owned());
    }
    Ok(match (one, other) {
        (Value::Nil, Value::Nil) => true,
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && all_same(machine, one.iter().zip(other.iter()), depth)?
        }
        (Value::Map(one), Value::Map(other)) => {
            let (one, other) = (one.borrow(), other.borrow());
            let pairs = one.iter().filter_map(|(key, value)| Some((value, other.get(key)?)));
            one.len() == other.len() && pairs.clone().count() == one.len() && all_same(machine, pairs, depth)?
        }
        (Value::Finding(one), Value::Finding(other)) => one == other,
        _ => one.kind() == other.kind() && order(one, other).is_ok_and(Ordering::is_eq),
    })
}

fn all_same<'v>(
    machine: &mut Machine<'_>,
    pairs: impl Iterator<Item = (&'v Value, &'v Value)>,
    depth: usize,
) -> Result<bool, String> {
    for (one, other) in pairs {
        if !same(machine, one, other, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn index(value: &Value, key: &Value) -> Outcome {
    match (value, key) {
        (Value::Map(map), Value::Text(key)) => Ok(map.borrow().get(&**key).cloned().unwrap_or(Value::Nil)),
        (Value::Map(_), _) => Err("a map is indexed by a string".to_owned()),
        (Value::List(items), Value::Int(_)) => {
            items.get(count(key)?).cloned().ok_or_else(|| "index out of range".to_owned())
        }
        (Value::Text(text), Value::Int(_)) => {
            let byte = text.as_bytes().get(count(key)?).ok_or("index out of range")?;
            Ok(Value::Int(i64::from(*byte)))
        }
        (Value::List(_) | Value::Text(_), _) => Err("cannot index slice/array with this type".to_owned()),
        (other, _) => Err(format!("can't index item of type {}", other.kind())),
    }
}
