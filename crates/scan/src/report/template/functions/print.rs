//! Printing and escaping: Go's own.

use std::fmt::Write as _;

use super::super::format::{self, quote};
use super::super::machine::{Machine, Outcome};
use super::super::value::Value;
use super::{ANY, Function, function, need_text};
use crate::report::junit::escaped;

pub(super) const FUNCTIONS: &[Function] = &[
    function("print", 0, ANY, |machine, values| sprint(machine, values, false)),
    function("println", 0, ANY, |machine, values| sprint(machine, values, true)),
    function("printf", 1, ANY, |machine, values| {
        let text = format::printf(need_text(&values[0])?, &values[1..], machine)?;
        machine.text(text)
    }),
    function("html", 0, ANY, |machine, values| all(machine, values, html)),
    function("js", 0, ANY, |machine, values| all(machine, values, js)),
    function("urlquery", 0, ANY, |machine, values| all(machine, values, url_query)),
    function("quote", 0, ANY, |machine, values| words(machine, values, quote)),
    function("squote", 0, ANY, |machine, values| words(machine, values, |text| format!("'{text}'"))),
    function("cat", 0, ANY, |machine, values| words(machine, values, str::to_owned)),
];

/// Go's Sprint: blanks only between values of which neither is a text; Sprintln: between all, and a newline.
fn joined(machine: &mut Machine<'_>, values: &[Value], lines: bool) -> Result<String, String> {
    let mut out = String::new();
    for (index, value) in values.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_));
        if index > 0 && (lines || !(is_text(value) || is_text(&values[index - 1]))) {
            out.push(' ');
        }
        out.push_str(&value.show(machine)?);
        machine.check_length(out.len())?;
    }
    if lines {
        out.push('\n');
    }
    Ok(out)
}

fn sprint(machine: &mut Machine<'_>, values: &[Value], lines: bool) -> Outcome {
    let text = joined(machine, values, lines)?;
    machine.text(text)
}

fn all(machine: &mut Machine<'_>, values: &[Value], escape: fn(&str) -> String) -> Outcome {
    let text = escape(&joined(machine, values, false)?);
    machine.text(text)
}

fn words(machine: &mut Machine<'_>, values: &[Value], change: impl Fn(&str) -> String) -> Outcome {
    let mut words = Vec::new();
    for value in values.iter().filter(|value| !matches!(value, Value::Nil)) {
        words.push(change(&value.show(machine)?));
    }
    machine.check_length(words.iter().map(String::len).sum())?;
    machine.text(words.join(" "))
}

/// As Go's HTMLEscapeString; blanks stay, unlike in XML attributes.
fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0' => out.push('\u{fffd}'),
            '"' | '\'' | '&' | '<' | '>' => out.push_str(&escaped(character.encode_utf8(&mut [0; 4]))),
            _ => out.push(character),
        }
    }
    out
}

fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => drop(write!(out, "\\u{:04X}", u32::from(character))),
            _ if format::is_print(character) || character == '\u{7f}' => out.push(character),
            _ => drop(write!(out, "\\u{:04X}", u32::from(character))),
        }
    }
    out
}

fn url_query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => crate::fingerprint::percent(&[byte], &mut out),
        }
    }
    out
}
