//! Regular expressions in Go's syntax; linear time, like everything here.

use pattern::Pattern;
use regex_automata::PatternID;
use regex_automata::util::interpolate;

use super::super::machine::{MOST, Machine, Outcome};
use super::super::value::Value;
use super::{Function, function, integer, need_text};

pub(super) const FUNCTIONS: &[Function] = &[
    function("regexMatch", 2, 2, |machine, values| {
        let (pattern, text) = given(machine, values)?;
        Ok(Value::Bool(pattern.is_match(text.as_bytes())))
    }),
    function("regexFind", 2, 2, |machine, values| {
        let (pattern, text) = given(machine, values)?;
        let found = pattern.regex().find(text);
        machine.text(found.map_or(String::new(), |found| part(text, found.range())))
    }),
    function("regexFindAll", 3, 3, |machine, values| {
        let (pattern, text) = given(machine, values)?;
        let found = pattern.regex().find_iter(text).take(most(&values[2]));
        machine.list(found.map(|found| Value::text(part(text, found.range()))).collect())
    }),
    function("regexReplaceAll", 3, 3, |machine, values| replace(machine, values, true)),
    function("regexReplaceAllLiteral", 3, 3, |machine, values| replace(machine, values, false)),
    function("regexSplit", 3, 3, |machine, values| {
        let (pattern, text) = given(machine, values)?;
        let parts = pattern.regex().splitn(text, most(&values[2]));
        machine.list(parts.map(|span| Value::text(part(text, span.range()))).collect())
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

/// The pattern and the text, paid for: a search looks at each byte, at worst once per state.
fn given<'v>(machine: &mut Machine<'_>, values: &'v [Value]) -> Result<(Pattern, &'v str), String> {
    let pattern = machine.regex(need_text(&values[0])?)?;
    let text = need_text(&values[1])?;
    machine.spend(1 + text.len().saturating_mul(1 + pattern.size() / 100))?;
    Ok((pattern, text))
}

fn part(text: &str, range: std::ops::Range<usize>) -> String {
    String::from_utf8_lossy(&text.as_bytes()[range]).into_owned()
}

/// How many hits are wanted: a negative number means all.
fn most(value: &Value) -> usize {
    usize::try_from(integer(value)).unwrap_or(usize::MAX).min(MOST + 1)
}

/// Every hit replaced; `$1` and `${name}` in the new text stand for groups if they are `expanded`.
fn replace(machine: &mut Machine<'_>, values: &[Value], expanded: bool) -> Outcome {
    let (pattern, text) = given(machine, values)?;
    let new = need_text(&values[2])?;
    let (mut out, mut position) = (Vec::new(), 0);
    for captures in pattern.regex().captures_iter(text) {
        // An empty hit within a character is none for Go.
        let Some(found) = captures.get_match().filter(|found| text.is_char_boundary(found.start())) else { continue };
        out.extend_from_slice(&text.as_bytes()[position..found.start()]);
        if expanded {
            let group = |index: usize, out: &mut Vec<u8>| {
                out.extend(captures.get_group(index).map_or(&[][..], |span| &text.as_bytes()[span]));
            };
            let index = |name: &str| captures.group_info().to_index(PatternID::ZERO, name);
            interpolate::bytes(new.as_bytes(), group, index, &mut out);
        } else {
            out.extend_from_slice(new.as_bytes());
        }
        position = found.end();
        machine.check_length(out.len())?;
        machine.spend(1 + new.len())?;
    }
    out.extend_from_slice(&text.as_bytes()[position..]);
    machine.text(String::from_utf8_lossy(&out).into_owned())
}
