//! What templates compute with.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::fields::{Fields, lossy, state};
use super::machine::{Machine, Outcome};
use super::time::Time;

pub(super) type Map = Rc<RefCell<BTreeMap<String, Value>>>;

/// How deep lists and maps are looked into; a map can be put into itself.
const DEEPEST: usize = 40;

thread_local! {
    /// A template runs on one thread.
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

#[derive(Clone)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Go's float32, which prints with fewer digits.
    Single(f32),
    Text(Rc<str>),
    List(Rc<Vec<Value>>),
    Map(Map),
    Time(Time),
    /// Index of a finding.
    Finding(usize),
}

impl Value {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Value>) -> Self {
        LIVE.set(LIVE.get() + items.len());
        Self::List(Rc::new(items))
    }

    /// Items of all lists that are held at the moment.
    pub(super) fn live_items() -> usize {
        LIVE.get()
    }

    /// What only this value holds.
    fn take_inner(&mut self) -> Vec<Value> {
        match self {
            Self::List(items) => {
                let items = Rc::get_mut(items).map(std::mem::take).unwrap_or_default();
                LIVE.set(LIVE.get().saturating_sub(items.len()));
                items
            }
            Self::Map(map) => match Rc::get_mut(map) {
                Some(map) => std::mem::take(map.get_mut()).into_values().collect(),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// What `if` asks.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Single(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.borrow().is_empty(),
            Self::Time(_) | Self::Finding(_) => true,
        }
    }

    /// What Go calls its type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Single(_) => "float32",
            Self::Text(_) => "string",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Time(_) | Self::Finding(_) => "struct",
        }
    }

    /// As `print` shows it.
    pub(super) fn show(&self, machine: &mut Machine<'_>) -> Result<String, String> {
        let mut out = String::new();
        self.show_into(&mut out, 0, machine)?;
        Ok(out)
    }

    fn show_into(&self, out: &mut String, depth: usize, machine: &mut Machine<'_>) -> Result<(), String> {
        machine.spend(1)?;
        machine.check_length(out.len())?;
        if depth > DEEPEST {
            return Err("a value that is nested too deep cannot be printed".to_owned());
        }
        match self {
            Self::Nil => out.push_str("<nil>"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => out.push_str(&value.to_string()),
            Self::Float(value) => out.push_str(&general(&format!("{value:e}"), &value.to_string())),
            Self::Single(value) => out.push_str(&general(&format!("{value:e}"), &value.to_string())),
            Self::Text(text) => {
                machine.spend(text.len())?;
                out.push_str(text);
            }
            Self::Time(time) => out.push_str(&time.format("2006-01-02 15:04:05 -0700 MST")),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { " " } else { "" });
                    item.show_into(out, depth + 1, machine)?;
                }
                out.push(']');
            }
            Self::Map(map) => {
                out.push_str("map[");
                for (index, (key, value)) in map.borrow().iter().enumerate() {
                    out.push_str(if index > 0 { " " } else { "" });
                    out.push_str(key);
                    out.push(':');
                    value.show_into(out, depth + 1, machine)?;
                }
                out.push(']');
            }
            Self::Finding(_) => return Err("a whole finding cannot be printed: name one of its fields".to_owned()),
        }
        Ok(())
    }

    /// A field of a finding, or an entry of a map.
    pub(super) fn field(&self, name: &str, machine: &Machine<'_>) -> Outcome {
        match self {
            Self::Map(map) => Ok(map.borrow().get(name).cloned().unwrap_or(Self::Nil)),
            Self::Finding(index) => finding_field(*index, name, machine),
            Self::Nil => Err(format!("nil has no field {name}")),
            other => Err(format!("can't evaluate field {name} in type {}", other.kind())),
        }
    }
}

/// Values are dropped one after the other: a chain of maps may be longer than the stack is deep.
impl Drop for Value {
    fn drop(&mut self) {
        let mut waiting = self.take_inner();
        while let Some(mut value) = waiting.pop() {
            waiting.extend(value.take_inner());
        }
    }
}

fn finding_field(index: usize, name: &str, machine: &Machine<'_>) -> Outcome {
    let row: Fields<'_> = machine.row(index);
    let finding = row.finding;
    let number = |number: usize| Value::Int(number as i64);
    Ok(match name {
        "RuleID" => Value::text(&*finding.rule),
        "Description" => Value::text(&*finding.description),
        "StartLine" => number(finding.span.start_line),
        "EndLine" => number(finding.span.end_line),
        "StartColumn" => number(row.start_column),
        "EndColumn" => number(row.end_column),
        "Line" => Value::text(finding.line.as_str()),
        "Match" => Value::text(finding.matched.as_str()),
        "Secret" => Value::text(finding.secret.as_str()),
        "File" => Value::text(lossy(row.path)),
        "SymlinkFile" => Value::text(lossy(row.symlink)),
        "Commit" => Value::text(row.commit),
        "Link" => Value::text(row.link.as_str()),
        "Entropy" => Value::Single(finding.entropy),
        "Author" => Value::text(row.author),
        "Email" => Value::text(row.email),
        "Date" => Value::text(row.date),
        "Message" => Value::text(row.message),
        "Tags" => Value::list(finding.tags.iter().map(|tag| Value::text(tag.as_str())).collect()),
        "Fingerprint" => Value::text(lossy(&row.fingerprint)),
        "Severity" => Value::text(finding.severity.name()),
        "Confidence" => Value::text(finding.confidence.name()),
        "State" => Value::text(state(finding.origin.presence).unwrap_or_default()),
        "ValueFingerprint" => Value::text(machine.sheet.run.fingerprints.of(finding)),
        _ => return Err(format!("can't evaluate field {name} in type report.Finding")),
    })
}

/// Go's shortest form of a float: digits, or with an exponent below 1e-4 and from 1e6 on.
fn general(scientific: &str, positional: &str) -> String {
    let Some((digits, exponent)) = scientific.split_once('e') else { return go_special(positional) };
    let Ok(power) = exponent.parse::<i32>() else { return positional.to_owned() };
    if (-4..6).contains(&power) {
        return positional.to_owned();
    }
    format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
}

fn go_special(word: &str) -> String {
    match word {
        "inf" => "+Inf".to_owned(),
        "-inf" => "-Inf".to_owned(),
        other => other.to_owned(),
    }
}
