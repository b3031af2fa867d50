//! Regular expressions in Go's syntax; linear time, like everything here.

use super::super::machine::{MOST, Machine};
use super::super::value::Value;
use super::{Function, function, integer, need_text};

pub(super) const FUNCTIONS: &[Function] = &[
    function("regexMatch", 2, 2, |machine, values| {
        let text = paid(machine, &values[1])?;
        Ok(Value::Bool(machine.regex(need_text(&values[0])?)?.is_match(text)))
    }),
    function("regexFind", 2, 2, |machine, values| {
        let text = paid(machine, &values[1])?;
        let regex = machine.regex(need_text(&values[0])?)?;
        machine.text(regex.find(text).map_or("", |found| found.as_str()).to_owned())
    }),
    function("regexFindAll", 3, 3, |machine, values| {
        let text = paid(machine, &values[1])?;
        let regex = machine.regex(need_text(&values[0])?)?;
        machine.list(regex.find_iter(text).take(most(&values[2])).map(|found| Value::text(found.as_str())).collect())
    }),
    function("regexReplaceAll", 3, 3, |machine, values| {
        let (text, new) = (paid(machine, &values[1])?, need_text(&values[2])?);
        let regex = machine.regex(need_text(&values[0])?)?;
        check_growth(machine, &regex, text, new)?;
        machine.text(regex.replace_all(text, new).into_owned())
    }),
    function("regexReplaceAllLiteral", 3, 3, |machine, values| {
        let (text, new) = (paid(machine, &values[1])?, need_text(&values[2])?);
        let regex = machine.regex(need_text(&values[0])?)?;
        check_growth(machine, &regex, text, new)?;
        machine.text(regex.replace_all(text, regex::NoExpand(new)).into_owned())
    }),
    function("regexSplit", 3, 3, |machine, values| {
        let text = paid(machine, &values[1])?;
        let regex = machine.regex(need_text(&values[0])?)?;
        machine.list(regex.splitn(text, most(&values[2])).map(Value::text).collect())
    }),
    function("regexQuoteMeta", 1, 1, |machine, values| {
        let special = |character| r"\.+*?()|[]{}^$".contains(character);
        let text = need_text(&values[0])?;
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            if special(character) {
                out.push('\\');
            }
            out.push(character);
        }
        machine.text(out)
    }),
];

fn paid<'v>(machine: &mut Machine<'_>, value: &'v Value) -> Result<&'v str, String> {
    let text = need_text(value)?;
    machine.spend(1 + text.len())?;
    Ok(text)
}

/// How many hits are wanted: a negative number means all.
fn most(value: &Value) -> usize {
    usize::try_from(integer(value)).unwrap_or(usize::MAX).min(MOST + 1)
}

/// Every `$` may bring in all of a hit.
fn check_growth(machine: &Machine<'_>, regex: &regex::Regex, text: &str, new: &str) -> Result<(), String> {
    let references = new.matches('$').count();
    let hits = regex.find_iter(text).count();
    machine.check_length(hits.saturating_mul(new.len()).saturating_add(text.len().saturating_mul(1 + references)))
}
