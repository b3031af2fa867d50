//! Encodings, digests and JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};
use std::fmt::Write as _;

use super::super::machine::Machine;
use super::super::value::Value;
use super::{Function, function, need_text};
use crate::report::writer::{Writer, float};

pub(super) const FUNCTIONS: &[Function] = &[
    function("b64enc", 1, 1, |machine, values| machine.text(STANDARD.encode(need_text(&values[0])?))),
    function("b64dec", 1, 1, |machine, values| {
        let bytes = STANDARD.decode(need_text(&values[0])?).map_err(|_| "not base64")?;
        machine.text(String::from_utf8_lossy(&bytes).into_owned())
    }),
    function("sha256sum", 1, 1, |machine, values| machine.text(hex(&Sha256::digest(need_text(&values[0])?)))),
    function("sha512sum", 1, 1, |machine, values| machine.text(hex(&Sha512::digest(need_text(&values[0])?)))),
    function("adler32sum", 1, 1, |machine, values| {
        let (mut low, mut high) = (1u32, 0u32);
        for byte in need_text(&values[0])?.bytes() {
            low = (low + u32::from(byte)) % 65_521;
            high = (high + low) % 65_521;
        }
        machine.text((high << 16 | low).to_string())
    }),
    function("toJson", 1, 1, |machine, values| {
        let text = json(machine, &values[0], None)?;
        machine.text(text)
    }),
    function("toPrettyJson", 1, 1, |machine, values| {
        let text = json(machine, &values[0], Some("  "))?;
        machine.text(text)
    }),
    function("toRawJson", 1, 1, |machine, values| {
        let text = json(machine, &values[0], None)?;
        machine.text(text.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&"))
    }),
    function("fromJson", 1, 1, |machine, values| {
        let text = need_text(&values[0])?;
        machine.spend(text.len().saturating_mul(20))?;
        Ok(serde_json::from_str(text).map_or(Value::Nil, from_json))
    }),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn json(machine: &mut Machine<'_>, value: &Value, indent: Option<&'static str>) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut left = LARGEST;
    write(machine, value, &mut Writer::new(&mut bytes, indent), &mut left, 0)?;
    machine.spend(bytes.len())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Bytes and values that one JSON text may be made of.
const LARGEST: usize = 16 << 20;

/// Writing into memory cannot fail.
fn write(
    machine: &Machine<'_>,
    value: &Value,
    json: &mut Writer<'_>,
    left: &mut usize,
    depth: usize,
) -> Result<(), String> {
    let cost = if let Value::Text(text) = value { 1 + text.len() } else { 1 + depth };
    *left = left.checked_sub(cost).filter(|_| depth < 60).ok_or("the value is too large or too deep for JSON")?;
    let done = match value {
        Value::Nil => json.raw("null"),
        Value::Bool(value) => json.raw(value),
        Value::Int(value) => json.raw(value),
        Value::Float(value) if value.is_finite() => json.raw(number(*value)),
        Value::Float(_) => return Err("JSON has no such number".to_owned()),
        Value::Single(value) => json.raw(float(*value)),
        Value::Text(text) => json.string(text.as_bytes()),
        Value::Time(time) => json.string(time.format("2006-01-02T15:04:05Z07:00").as_bytes()),
        Value::Finding(index) => {
            *left = left.saturating_sub(500);
            machine.row(*index).write(machine.sheet.run, json)
        }
        Value::List(items) => {
            let begun = json.begin('[');
            for item in items.iter() {
                write(machine, item, json, left, depth + 1)?;
            }
            begun.and_then(|()| json.end(']'))
        }
        Value::Map(map) => {
            let begun = json.begin('{');
            for (key, item) in map.borrow().iter() {
                json.key(key).map_err(|_| "out of memory")?;
                write(machine, item, json, left, depth + 1)?;
            }
            begun.and_then(|()| json.end('}'))
        }
    };
    done.map_err(|_| "out of memory".to_owned())
}

/// A float64 as Go's encoder writes it.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return if text.contains("e-") { text } else { text.replace('e', "e+") };
    }
    value.to_string()
}

fn from_json(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or(0.0)),
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(items) => Value::list(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(map) => {
            let map = map.into_iter().map(|(key, value)| (key, from_json(value))).collect();
            Value::Map(std::rc::Rc::new(std::cell::RefCell::new(map)))
        }
    }
}
