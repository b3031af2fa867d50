//! Floats as Go prints them: every SOPS format and the MAC are defined by one of these forms.
//!
//! Source: strconv.FormatFloat (verbs `f`, `g`, `G`, precision -1) and encoding/json's float encoder.

/// Shortest round-trip digits without an exponent (`FormatFloat(f, 'f', -1, 64)`): `0.0000001`, `1`, `-0`,
/// `NaN`, `+Inf`, `-Inf`. These are the bytes that the MAC and the ciphertext of a float hold.
pub fn positional(value: f64) -> String {
    special(value).map_or_else(|| plain(value), str::to_owned)
}

/// `FormatFloat(f, 'g', -1, 64)`: exponent form iff the decimal exponent is below -4 or at least 6, since
/// precision -1 makes Go decide as if 6 digits were asked for.
pub fn general(value: f64) -> String {
    if let Some(text) = special(value) {
        return text.to_owned();
    }
    match exponent(value) {
        exp if value != 0.0 && !(-4..6).contains(&exp) => scientific(value, 'e', 2),
        _ => plain(value),
    }
}

/// As go-yaml writes a float: [`general`], with `.inf`, `-.inf` and `.nan`.
pub fn yaml(value: f64) -> String {
    match special(value) {
        Some("+Inf") => ".inf".to_owned(),
        Some("-Inf") => "-.inf".to_owned(),
        Some(_) => ".nan".to_owned(),
        None => general(value),
    }
}

/// As Go's encoding/json writes a float, or `None` for infinities and NaN, which JSON cannot hold.
pub fn json(value: f64) -> Option<String> {
    if special(value).is_some() {
        return None;
    }
    let size = value.abs();
    Some(if size != 0.0 && !(1e-6..1e21).contains(&size) { scientific(value, 'e', 1) } else { plain(value) })
}

/// As SOPS writes a float into dotenv and INI files: `1.0`, `1E+21`, `-0.0`, `+Inf`.
pub fn flat(value: f64) -> String {
    let text = general(value).replace('e', "E");
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if plain { text + ".0" } else { text }
}

fn special(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

/// Shortest round-trip digits as `d.ddde±x`. Where two texts of that length are equally near, Go takes the even one.
fn shortest(value: f64) -> String {
    let text = format!("{value:e}");
    let digits = text.bytes().take_while(|&byte| byte != b'e').filter(u8::is_ascii_digit).count();
    // Doubles that lie half-way between two shortest texts have 16 or 17 digits.
    if digits < 16 {
        return text;
    }
    let nearest = format!("{value:.*e}", digits - 1);
    if nearest.parse() == Ok(value) { nearest } else { text }
}

/// Shortest round-trip digits without an exponent.
fn plain(value: f64) -> String {
    let text = format!("{value}");
    let (digits, _) = parts(value);
    // Both texts have the same digits, except that the last one may differ by one.
    let last = digits.bytes().rfind(u8::is_ascii_digit).expect("there is a digit before the exponent");
    let at = text.rfind(|c: char| ('1'..='9').contains(&c));
    match at {
        Some(at) if text.as_bytes()[at] != last && last != b'0' => {
            format!("{}{}{}", &text[..at], char::from(last), &text[at + 1..])
        }
        _ => text,
    }
}

/// Digits with a point behind the first, and the decimal exponent.
fn parts(value: f64) -> (String, i32) {
    let text = shortest(value);
    let (digits, exponent) = text.split_once('e').expect("Rust's {:e} always has an exponent");
    (digits.to_owned(), exponent.parse().expect("Rust's exponents are small integers"))
}

/// The decimal exponent of the shortest round-trip digits.
fn exponent(value: f64) -> i32 {
    parts(value).1
}

/// `d.ddde±xx` with at least `digits` exponent digits.
fn scientific(value: f64, letter: char, digits: usize) -> String {
    let (mantissa, exp) = parts(value);
    let sign = if exp < 0 { '-' } else { '+' };
    format!("{mantissa}{letter}{sign}{:0digits$}", exp.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_look_as_go_prints_them() {
        let cases = [
            (1e-7, "0.0000001", "1e-07", "1e-7", "1E-07"),
            (0.0001, "0.0001", "0.0001", "0.0001", "0.0001"),
            (0.00001, "0.00001", "1e-05", "0.00001", "1E-05"),
            (100_000.0, "100000", "100000", "100000", "100000.0"),
            (999_999.5, "999999.5", "999999.5", "999999.5", "999999.5"),
            (1e6, "1000000", "1e+06", "1000000", "1E+06"),
            (1_234_567.0, "1234567", "1.234567e+06", "1234567", "1.234567E+06"),
            (12_345_678.5, "12345678.5", "1.23456785e+07", "12345678.5", "1.23456785E+07"),
            (1e21, "1000000000000000000000", "1e+21", "1e+21", "1E+21"),
            (1.0, "1", "1", "1", "1.0"),
            (-0.0, "-0", "-0", "-0", "-0.0"),
        ];
        for (value, by_position, in_yaml, in_json, in_env) in cases {
            assert_eq!(positional(value), by_position);
            assert_eq!(yaml(value), in_yaml);
            assert_eq!(json(value).as_deref(), Some(in_json));
            assert_eq!(flat(value), in_env);
        }
        // Half-way between two texts of 17 digits.
        assert_eq!(positional(1_655_437_735_482_519.2), "1655437735482519.2");
        assert_eq!(general(627_646_100_745_947.2), "6.276461007459472e+14");
        assert_eq!(positional(f64::INFINITY), "+Inf");
        assert_eq!(yaml(f64::NEG_INFINITY), "-.inf");
        assert_eq!(yaml(f64::NAN), ".nan");
        assert_eq!(json(f64::NAN), None);
        assert_eq!(flat(f64::INFINITY), "+Inf");
    }
}
