//! Go's `printf`.

use super::machine::Machine;
use super::value::Value;

/// Widths and precisions beyond this are refused.
const WIDEST: usize = 1 << 16;

#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// The text of a format and its values. What does not fit is said in the text, as Go does.
pub(super) fn printf(format: &str, values: &[Value], machine: &mut Machine<'_>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = format;
    let mut next = 0;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (spec, after) = spec(&rest[at + 1..], values, &mut next)?;
        let Some(verb) = after.chars().next() else {
            out.push_str("%!(NOVERB)");
            return Ok(out);
        };
        rest = &after[verb.len_utf8()..];
        machine.spend(2)?;
        machine.check_length(out.len())?;
        if verb == '%' {
            out.push('%');
            continue;
        }
        match values.get(next) {
            None => out.push_str(&format!("%!{verb}(MISSING)")),
            Some(value) => out.push_str(&one(value, verb, &spec, machine)?),
        }
        next += 1;
    }
    out.push_str(rest);
    if next < values.len() {
        out.push_str("%!(EXTRA ");
        for (index, value) in values[next..].iter().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            out.push_str(&format!("{}={}", value.kind(), value.show(machine)?));
        }
        out.push(')');
    }
    Ok(out)
}

fn spec<'f>(format: &'f str, values: &[Value], next: &mut usize) -> Result<(Spec, &'f str), String> {
    let mut spec = Spec::default();
    let flags = format.find(|character| !"-+# 0".contains(character)).unwrap_or(format.len());
    for flag in format[..flags].chars() {
        match flag {
            '-' => spec.minus = true,
            '+' => spec.plus = true,
            '#' => spec.sharp = true,
            ' ' => spec.space = true,
            _ => spec.zero = true,
        }
    }
    let (width, rest) = number(&format[flags..], values, next)?;
    spec.width = width;
    let Some(rest) = rest.strip_prefix('.') else { return Ok((spec, rest)) };
    let (precision, rest) = number(rest, values, next)?;
    spec.precision = Some(precision.unwrap_or(0));
    Ok((spec, rest))
}

/// Digits, or `*` for the next value.
fn number<'f>(format: &'f str, values: &[Value], next: &mut usize) -> Result<(Option<usize>, &'f str), String> {
    if let Some(rest) = format.strip_prefix('*') {
        let Some(Value::Int(value)) = values.get(*next) else { return Err("* wants a whole number".to_owned()) };
        *next += 1;
        return Ok((Some(checked(usize::try_from(*value).ok())?), rest));
    }
    let digits = format.find(|character: char| !character.is_ascii_digit()).unwrap_or(format.len());
    if digits == 0 {
        return Ok((None, format));
    }
    Ok((Some(checked(format[..digits].parse().ok())?), &format[digits..]))
}

fn checked(number: Option<usize>) -> Result<usize, String> {
    number.filter(|number| *number <= WIDEST).ok_or("a width or precision is out of range".to_owned())
}

fn one(value: &Value, verb: char, spec: &Spec, machine: &mut Machine<'_>) -> Result<String, String> {
    let text = match (verb, value) {
        ('T', value) => type_name(value).to_owned(),
        ('t', Value::Bool(value)) => value.to_string(),
        ('v' | 'd', Value::Int(value)) => return Ok(integer(*value, 10, spec)),
        ('b', Value::Int(value)) => return Ok(integer(*value, 2, spec)),
        ('o', Value::Int(value)) => return Ok(integer(*value, 8, spec)),
        ('x', Value::Int(value)) => return Ok(integer(*value, 16, spec)),
        ('X', Value::Int(value)) => return Ok(integer(*value, 16, spec).to_uppercase()),
        ('c', Value::Int(value)) => character(*value).to_string(),
        ('q', Value::Int(value)) => format!("'{}'", character(*value)),
        ('U', Value::Int(value)) => format!("U+{value:04X}"),
        ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Float(value)) => return Ok(float(*value, verb, spec, false)),
        ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Single(value)) => {
            return Ok(float(f64::from(*value), verb, spec, true));
        }
        ('s' | 'v', Value::Text(text)) => cut(text, spec),
        ('q', Value::Text(text)) => quote(&cut(text, spec)),
        ('x', Value::Text(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::Text(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('v', Value::Float(value)) => return Ok(float(*value, 'g', spec, false)),
        ('v', Value::Single(value)) => return Ok(float(f64::from(*value), 'g', spec, true)),
        ('v', Value::Nil) => "<nil>".to_owned(),
        ('v', value) => value.show(machine)?,
        ('s' | 'd' | 'q', Value::List(items)) => {
            let mut parts = Vec::new();
            for item in items.iter() {
                parts.push(one(item, verb, &Spec::default(), machine)?);
                machine.spend(1)?;
            }
            format!("[{}]", parts.join(" "))
        }
        ('s', Value::Time(_)) => value.show(machine)?,
        (verb, Value::Nil) => format!("%!{verb}(<nil>)"),
        (verb, value) => format!("%!{verb}({}={})", type_name(value), value.show(machine)?),
    };
    Ok(pad(text, spec))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        Value::Time(_) => "time.Time",
        Value::Finding(_) => "report.Finding",
        other => other.kind(),
    }
}

fn character(code: i64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
}

fn cut(text: &str, spec: &Spec) -> String {
    match spec.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    }
}

/// Widths count characters; `0` fills texts too.
fn pad(text: String, spec: &Spec) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    match (spec.minus, spec.zero) {
        (true, _) => text + &" ".repeat(missing),
        (false, true) => "0".repeat(missing) + &text,
        (false, false) => " ".repeat(missing) + &text,
    }
}

fn integer(value: i64, base: u32, spec: &Spec) -> String {
    let size = value.unsigned_abs();
    let digits = match base {
        2 => format!("{size:b}"),
        8 => format!("{size:o}"),
        16 => format!("{size:x}"),
        _ => size.to_string(),
    };
    let prefix = match (spec.sharp, base) {
        (true, 16) => "0x",
        (true, 8) => "0",
        (true, 2) => "0b",
        _ => "",
    };
    let digits = format!("{}{digits}", "0".repeat(spec.precision.unwrap_or(0).saturating_sub(digits.len())));
    signed(value < 0, format!("{prefix}{digits}"), spec, spec.precision.is_none())
}

/// A number with its sign; zeros go between the two.
fn signed(negative: bool, digits: String, spec: &Spec, may_fill: bool) -> String {
    let sign = match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    };
    if spec.zero && !spec.minus && may_fill {
        let missing = spec.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
        return format!("{sign}{}{digits}", "0".repeat(missing));
    }
    let text = format!("{sign}{digits}");
    let blanks = Spec { zero: false, minus: spec.minus, width: spec.width, ..Spec::default() };
    pad(text, &blanks)
}

fn float(value: f64, verb: char, spec: &Spec, single: bool) -> String {
    if !value.is_finite() {
        let name = if value.is_nan() { "NaN" } else { "Inf" };
        let sign = if value == f64::INFINITY { "+" } else { "" };
        return pad(
            format!("{sign}{}{name}", if value < 0.0 { "-" } else { "" }),
            &Spec { zero: false, ..Spec { width: spec.width, minus: spec.minus, ..Spec::default() } },
        );
    }
    let size = value.abs();
    let digits = match (verb.to_ascii_lowercase(), spec.precision) {
        ('f', precision) => format!("{size:.*}", precision.unwrap_or(6)),
        ('e', precision) => exponent(&format!("{size:.*e}", precision.unwrap_or(6))),
        (_, None) if single => shortest(&format!("{:e}", size as f32), &(size as f32).to_string()),
        (_, None) => shortest(&format!("{size:e}"), &size.to_string()),
        (_, Some(precision)) => significant(size, precision.max(1)),
    };
    let digits = if verb.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
    signed(value.is_sign_negative(), digits, spec, true)
}

/// At least two digits of exponent, and its sign.
fn exponent(text: &str) -> String {
    let Some((digits, power)) = text.split_once('e') else { return text.to_owned() };
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

fn shortest(scientific: &str, positional: &str) -> String {
    let power: i32 = scientific.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    if (-4..6).contains(&power) { positional.to_owned() } else { exponent(scientific) }
}

/// `%.3g`: so many digits, without zeros at the end.
fn significant(size: f64, digits: usize) -> String {
    let scientific = format!("{size:.*e}", digits - 1);
    let power: i32 = scientific.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let bare = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    if power < -4 || power >= digits as i32 {
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return exponent(&format!("{}e{power}", bare(mantissa)));
    }
    bare(&format!("{size:.*}", (digits as i32 - 1 - power).max(0) as usize))
}

/// A text in double quotes as Go writes it in source.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{b}' => out.push_str("\\v"),
            _ if is_print(character) => out.push(character),
            _ => match u32::from(character) {
                code @ ..0x80 => out.push_str(&format!("\\x{code:02x}")),
                code @ ..0x1_0000 => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push('"');
    out
}

/// Go's IsPrint, as far as it can be told without its tables: the ASCII blank is the only blank.
pub(super) fn is_print(character: char) -> bool {
    character == ' '
        || !(character.is_whitespace() || crate::report::neutral::is_hidden(character) || is_private(character))
}

fn is_private(character: char) -> bool {
    matches!(u32::from(character), 0xe000..=0xf8ff | 0xf_0000..)
}
