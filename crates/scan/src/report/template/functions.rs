//! The functions of templates: Go's own, and those of sprig that only work on what they are given.

mod dict;
mod encode;
mod list;
mod logic;
mod number;
mod print;
mod regexes;
mod text;
mod when;

use super::machine::{Machine, Outcome};
use super::value::Value;

/// A function of templates.
pub(super) struct Function {
    name: &'static str,
    /// Fewest arguments.
    pub(super) least: usize,
    /// Most arguments; `usize::MAX` = any number.
    pub(super) most: usize,
    pub(super) call: Call,
}

type Call = fn(&mut Machine<'_>, &[Value]) -> Outcome;

const ANY: usize = usize::MAX;

const fn function(name: &'static str, least: usize, most: usize, call: Call) -> Function {
    Function { name, least, most, call }
}

static ALL: [&[Function]; 9] = [
    print::FUNCTIONS,
    logic::FUNCTIONS,
    text::FUNCTIONS,
    number::FUNCTIONS,
    list::FUNCTIONS,
    dict::FUNCTIONS,
    encode::FUNCTIONS,
    regexes::FUNCTIONS,
    when::FUNCTIONS,
];

/// The function of this name; `must…` is the same function, since ours always say what is wrong.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    let by_name = |name: &str| ALL.iter().copied().flatten().find(|function| function.name == name);
    by_name(name).or_else(|| {
        let rest = name.strip_prefix("must")?;
        let mut letters = rest.chars();
        let first = letters.next().filter(|first| first.is_ascii_uppercase())?;
        by_name(&format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
    })
}

/// Why there is no such function.
pub(super) fn why_not(name: &str) -> String {
    let why = match name {
        "env" | "expandenv" => "a report does not see the environment",
        "getHostByName" => "a report does not use the network",
        "now" | "ago" => "a report does not see the clock, so that equal scans give equal reports",
        "uuidv4" | "shuffle" | "randAlphaNum" | "randAlpha" | "randAscii" | "randNumeric" | "randBytes" | "randInt" => {
            "a report holds nothing random, so that equal scans give equal reports"
        }
        "call" => "there is nothing to call",
        "genPrivateKey" | "genCA" | "genSelfSignedCert" | "genSignedCert" | "derivePassword" | "bcrypt"
        | "htpasswd" | "encryptAES" | "decryptAES" | "buildCustomCert" => "a report makes no keys",
        _ => return format!("function {name:?} not defined"),
    };
    format!("function {name:?} is not offered: {why}")
}

/// The text of an argument; other values as they print, as sprig's `toString`.
fn text_of(value: &Value, machine: &mut Machine<'_>) -> Result<std::rc::Rc<str>, String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        other => other.show(machine).map(Into::into),
    }
}

/// The text that an argument must be.
fn need_text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(format!("expected string; found {}", other.kind())),
    }
}

fn need_list(value: &Value) -> Result<&[Value], String> {
    match value {
        Value::List(items) => Ok(items),
        Value::Nil => Ok(&[]),
        other => Err(format!("expected list; found {}", other.kind())),
    }
}

/// A whole number, as sprig reads any value.
fn integer(value: &Value) -> i64 {
    match value {
        Value::Bool(value) => i64::from(*value),
        Value::Int(value) => *value,
        Value::Float(value) => *value as i64,
        Value::Single(value) => *value as i64,
        Value::Text(text) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

/// A float, as sprig reads any value.
fn float(value: &Value) -> f64 {
    match value {
        Value::Int(value) => *value as f64,
        Value::Float(value) => *value,
        Value::Single(value) => f64::from(*value),
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Text(text) => text.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

/// A count that is not negative and not absurd.
fn count(value: &Value) -> Result<usize, String> {
    usize::try_from(integer(value)).ok().filter(|count| *count <= 1 << 24).ok_or("the count is out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once() {
        let mut names: Vec<_> = ALL.iter().copied().flatten().map(|function| function.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(find("mustToJson").is_some() && find("mustFoo").is_none() && find("must").is_none());
    }

    #[test]
    fn what_looks_around_is_refused_by_name() {
        for name in ["env", "expandenv", "getHostByName", "now", "uuidv4", "genPrivateKey"] {
            assert!(find(name).is_none());
            assert!(why_not(name).contains("is not offered"), "{name}");
        }
    }
}
