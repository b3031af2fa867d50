//! Dates, only ever of values that are given: a report does not see the clock.

use super::super::machine::Outcome;
use super::super::time::Time;
use super::super::value::Value;
use super::{Function, function, need_text};

pub(super) const FUNCTIONS: &[Function] = &[
    function("toDate", 2, 2, |_, values| {
        let time = Time::parse(need_text(&values[0])?, need_text(&values[1])?);
        time.map(Value::Time).ok_or("the text is no date of this layout".to_owned())
    }),
    function("date", 2, 2, |machine, values| {
        let time = time(&values[1])?;
        machine.text(time.format(need_text(&values[0])?))
    }),
    function("htmlDate", 1, 1, |machine, values| {
        let time = time(&values[0])?;
        machine.text(time.format("2006-01-02"))
    }),
    function("unixEpoch", 1, 1, |machine, values| {
        let seconds = time(&values[0])?.seconds();
        machine.text(seconds.to_string())
    }),
    function("dateModify", 2, 2, |_, values| modify(&values[0], &values[1])),
];

/// A time, seconds since 1970, or the text of a finding's `Date`.
fn time(value: &Value) -> Result<Time, String> {
    match value {
        Value::Time(time) => Ok(*time),
        Value::Int(seconds) => Ok(Time::new(*seconds)),
        Value::Text(text) => {
            Time::parse("2006-01-02T15:04:05Z07:00", text).ok_or("the text is no date and time (RFC 3339)".to_owned())
        }
        other => Err(format!("expected a date; found {}", other.kind())),
    }
}

/// Later by `1h30m`, earlier by `-24h`.
fn modify(duration: &Value, date: &Value) -> Outcome {
    let text = need_text(duration)?;
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut seconds = 0i64;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or("a duration wants units: 1h30m")?;
        let number: i64 = rest[..digits].parse().map_err(|_| "not a duration")?;
        let unit = match rest[digits..].chars().next() {
            Some('h') => 3600,
            Some('m') => 60,
            Some('s') => 1,
            _ => return Err("a duration has the units h, m and s".to_owned()),
        };
        seconds = seconds.saturating_add(number.saturating_mul(unit));
        rest = &rest[digits + 1..];
    }
    Ok(Value::Time(Time::new(time(date)?.seconds().saturating_add(sign * seconds))))
}
