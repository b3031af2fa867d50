//! Values that stand in an object or among arguments, behind a word that says so: `{"value": "x"}`, `default="x"`.

use super::{Value, carrier, quoted, skip_spaces};

/// Members of an object, and bytes of a call, that are looked at.
const MEMBERS: usize = 6;
const REACH: usize = 160;

/// What an object on one line holds as the value of the name before it, by its first key: `{"value": "x"}` of ARM's
/// parameters, `{"description": "…", "value": "x"}` of Heroku's, `{"git.acme.test": "x"}` of Composer's tokens.
pub(super) fn of_object(line: &[u8], at: usize, first: &Value) -> Option<Value> {
    if !line[..at].trim_ascii_end().ends_with(b"{") {
        return None;
    }
    let mut key = first.range.clone();
    for number in 0..MEMBERS {
        let colon = skip_spaces(line, key.end + 1);
        if line.get(colon) != Some(&b':') {
            return None;
        }
        let start = skip_spaces(line, colon + 1);
        let value = quoted(line, start);
        let name = &line[key];
        if name.eq_ignore_ascii_case(b"value") || number == 0 && is_host(name) {
            return value;
        }
        let plain = || start + line[start..].iter().take(REACH).take_while(|byte| !b",{}[]".contains(byte)).count();
        let comma = value.map_or_else(plain, |value| skip_spaces(line, value.range.end + 1));
        if line.get(comma) != Some(&b',') {
            return None;
        }
        key = quoted(line, skip_spaces(line, comma + 1))?.range;
    }
    None
}

/// Whether a text is a host's name: `git.acme.test`, with or without a port.
pub(in crate::detect) fn is_host(text: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(byte);
    text.len() > 3 && text.contains(&b'.') && text[0] != b'.' && text.iter().all(letter)
}

/// The default that a call or a schema gives further on: `("API_KEY", default="x")`, `z.string().default("x")`,
/// `defaultValue: 'x'`, `default_value = "x"`. `listed` says that the name is one of several arguments.
pub(super) fn default(line: &[u8], start: usize, listed: bool) -> Option<Value> {
    let near = line.get(start..line.len().min(start + REACH))?;
    memchr::memmem::find_iter(near, b"efault").take(2).find_map(|at| {
        let begins = at > 0 && matches!(near[at - 1], b'd' | b'D') && is_one_call(&near[..at - 1], listed);
        let rest = &near[at + b"efault".len()..];
        let more = [&b"_value"[..], b"Value", b"value"].into_iter().find(|more| rest.starts_with(more));
        let end = start + near.len() - rest.len() + more.map_or(0, |more| more.len());
        let sign = skip_spaces(line, end);
        line.get(sign).filter(|byte| begins && b"=:(".contains(byte))?;
        let (at, _) = carrier::inside(line, skip_spaces(line, sign + 1))?;
        quoted(line, at)
    })
}

/// Whether a text does not leave the call, the chain of calls or the object that it begins in.
fn is_one_call(text: &[u8], listed: bool) -> bool {
    let (mut depth, mut quote) = (0_usize, None);
    for byte in text {
        match byte {
            _ if quote.is_some() => quote = quote.filter(|open| open != byte),
            b'"' | b'\'' | b'`' => quote = Some(*byte),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return false,
            b')' | b']' | b'}' => depth -= 1,
            b';' => return false,
            b',' if depth == 0 && !listed => return false,
            _ => {}
        }
    }
    quote.is_none()
}
