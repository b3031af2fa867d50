//! JSON web tokens (RFC 7519): is it one, and whom does it let in?

use serde_json::Value;

use super::from_base64;
use crate::finding::{Confidence, Severity};
use crate::rule::Verdict;

/// Tokens that ran out before this second (2024-01-01) had run out before this program was first built.
const LONG_AGO: f64 = 1_704_067_200.0;

/// Judges `header.payload.signature`.
pub(crate) fn judge(token: &[u8]) -> Verdict {
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
        return Verdict::No;
    };
    let Some(header) = object(header) else { return Verdict::No };
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if algorithm.is_empty() || algorithm.eq_ignore_ascii_case("none") || signature.is_empty() {
        return Verdict::No;
    }
    let Some(claims) = object(payload) else { return Verdict::No };
    if is_sample(&claims) {
        return Verdict::No;
    }
    by_claims(&claims)
}

fn by_claims(claims: &Value) -> Verdict {
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    match claim("role") {
        "anon" => return Verdict::No,
        "service_role" => return Verdict::As(Confidence::High, Severity::Critical),
        _ => {}
    }
    if claim("iss").starts_with("kubernetes/") {
        return Verdict::As(Confidence::High, Severity::Critical);
    }
    let expired = claims.get("exp").and_then(Value::as_f64).is_some_and(|end| end < LONG_AGO);
    if expired { Verdict::As(Confidence::Medium, Severity::Low) } else { Verdict::Yes }
}

/// The tokens that jwt.io and countless manuals show.
fn is_sample(claims: &Value) -> bool {
    let is = |name: &str, sample: &str| claims.get(name).and_then(Value::as_str) == Some(sample);
    (is("sub", "1234567890") && (is("name", "John Doe") || claims.get("name").is_none() || is("name", "Jane Doe")))
        || is_toy(claims)
        || (is("iss", "joe") && claims.get("http://example.com/is_root").is_some())
}

/// `{"some":"payload"}`, `{"hello":"world"}`: what libraries' manuals sign.
fn is_toy(claims: &Value) -> bool {
    let toys = ["payload", "world", "bar", "value", "data", "there", "hello"];
    let text = |value: &Value| value.as_str().is_some_and(|text| toys.contains(&text));
    claims.as_object().is_some_and(|claims| claims.len() <= 1 && claims.values().all(text))
}

fn object(part: &[u8]) -> Option<Value> {
    let json: Value = serde_json::from_slice(&from_base64(part)?).ok()?;
    json.is_object().then_some(json)
}
