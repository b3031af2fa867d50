//! Private JSON web keys (RFC 7517): an object with `kty` and the private part `d`, or `k` of a shared key.

use super::json::Json;
use super::{Detected, Look};
use crate::check::from_base64;
use crate::finding::{Confidence, Severity};

/// Looks at every object that has a `kty`.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    let json = Json::read(text);
    let kinds = json.members.iter().filter(|member| &text[member.key.clone()] == b"kty");
    let keys: std::collections::HashMap<usize, bool> =
        kinds.map(|member| (member.object, &text[member.value.clone()] == b"oct")).collect();
    for member in &json.members {
        let Some(&shared) = keys.get(&member.object) else { continue };
        let wanted: &[u8] = if shared { b"k" } else { b"d" };
        let value = &text[member.value.clone()];
        let drawn = from_base64(value).is_some_and(|key| key.len() >= 16);
        if &text[member.key.clone()] == wanted && drawn {
            let (matched, secret) = (member.key.start..member.value.end, member.value.clone());
            out.push(Detected {
                rule: "jwk-private-key",
                matched,
                secret,
                confidence: Confidence::High,
                severity: Severity::High,
            });
        }
    }
}
