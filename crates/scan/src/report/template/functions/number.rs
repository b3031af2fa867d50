//! Arithmetic. Whole numbers wrap round, as Go's do.

use super::super::machine::Outcome;
use super::super::value::Value;
use super::{ANY, Function, count, float, function, integer};

pub(super) const FUNCTIONS: &[Function] = &[
    function("add", 0, ANY, |_, values| Ok(Value::Int(values.iter().map(integer).fold(0, i64::wrapping_add)))),
    function("add1", 1, 1, |_, values| Ok(Value::Int(integer(&values[0]).wrapping_add(1)))),
    function("sub", 2, 2, |_, values| Ok(Value::Int(integer(&values[0]).wrapping_sub(integer(&values[1]))))),
    function("mul", 1, ANY, |_, values| Ok(Value::Int(values.iter().map(integer).fold(1, i64::wrapping_mul)))),
    function("div", 2, 2, |_, values| divide(values, i64::wrapping_div)),
    function("mod", 2, 2, |_, values| divide(values, i64::wrapping_rem)),
    function("max", 1, ANY, |_, values| Ok(Value::Int(values.iter().map(integer).max().unwrap_or(0)))),
    function("min", 1, ANY, |_, values| Ok(Value::Int(values.iter().map(integer).min().unwrap_or(0)))),
    function("addf", 0, ANY, |_, values| Ok(Value::Float(values.iter().map(float).sum()))),
    function("subf", 1, ANY, |_, values| {
        Ok(Value::Float(values[1..].iter().map(float).fold(float(&values[0]), |a, b| a - b)))
    }),
    function("mulf", 0, ANY, |_, values| Ok(Value::Float(values.iter().map(float).product()))),
    function("divf", 1, ANY, |_, values| {
        Ok(Value::Float(values[1..].iter().map(float).fold(float(&values[0]), |a, b| a / b)))
    }),
    function("maxf", 1, ANY, |_, values| Ok(Value::Float(values.iter().map(float).fold(f64::NEG_INFINITY, f64::max)))),
    function("minf", 1, ANY, |_, values| Ok(Value::Float(values.iter().map(float).fold(f64::INFINITY, f64::min)))),
    function("int", 1, 1, |_, values| Ok(Value::Int(integer(&values[0])))),
    function("int64", 1, 1, |_, values| Ok(Value::Int(integer(&values[0])))),
    function("atoi", 1, 1, |_, values| Ok(Value::Int(integer(&values[0])))),
    function("float64", 1, 1, |_, values| Ok(Value::Float(float(&values[0])))),
    function("floor", 1, 1, |_, values| Ok(Value::Float(float(&values[0]).floor()))),
    function("ceil", 1, 1, |_, values| Ok(Value::Float(float(&values[0]).ceil()))),
    function("round", 2, 3, |_, values| Ok(Value::Float(round(values)?))),
    function("until", 1, 1, |machine, values| steps(machine, 0, integer(&values[0]), None)),
    function("untilStep", 3, 3, |machine, values| {
        steps(machine, integer(&values[0]), integer(&values[1]), Some(integer(&values[2])))
    }),
];

fn divide(values: &[Value], operation: fn(i64, i64) -> i64) -> Outcome {
    match integer(&values[1]) {
        0 => Err("integer divide by zero".to_owned()),
        divisor => Ok(Value::Int(operation(integer(&values[0]), divisor))),
    }
}

/// Half away from zero, or from another share on if a third number says so.
fn round(values: &[Value]) -> Result<f64, String> {
    let share = values.get(2).map_or(0.5, float);
    let power = 10f64.powi(count(&values[1])?.min(300) as i32);
    let scaled = float(&values[0]) * power;
    let (whole, rest) = (scaled.trunc(), scaled.fract());
    let up = if rest.abs() >= share { scaled.signum() } else { 0.0 };
    Ok((whole + up) / power)
}

fn steps(machine: &mut super::Machine<'_>, from: i64, to: i64, step: Option<i64>) -> Outcome {
    let step = step.unwrap_or(if to < from { -1 } else { 1 });
    if step == 0 || (to > from) != (step > 0) {
        return machine.list(Vec::new());
    }
    let many = to.abs_diff(from).div_ceil(step.unsigned_abs());
    if many > 1 << 20 {
        return Err("a list grows beyond a million items".to_owned());
    }
    machine.list((0..many as i64).map(|turn| Value::Int(from.wrapping_add(turn.wrapping_mul(step)))).collect())
}
