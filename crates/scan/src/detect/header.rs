//! Credentials in HTTP headers: `Authorization: Basic …`, `Bearer …`, `Token …`.

use memchr::memmem;

use super::assignment::UNSURE;
use super::{Detected, Look};
use crate::check::credentials_in_base64;
use crate::classify::name::Kind;
use crate::classify::placeholder::{is_placeholder, is_reference};
use crate::classify::random::is_random;
use crate::classify::{has_own_rule, judge};
use crate::finding::{Confidence, Severity};

/// Looks behind each scheme's word.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let line = look.bytes;
    let (mut named, mut unsure) = (None, 0);
    for &hit in look.hits {
        let bounded = hit == 0 || !line[hit - 1].is_ascii_alphanumeric();
        let word = line[hit..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let spaces = line[hit + word..].iter().take(4).take_while(|byte| b" \t\"',+:".contains(byte)).count();
        let start = hit + word + spaces;
        let value = line[start..].iter().take(1024).take_while(|byte| is_part(byte)).count();
        if !bounded || spaces == 0 || value < 8 || line.get(start + value) == Some(&b'(') {
            continue;
        }
        let named = *named.get_or_insert_with(|| memmem::find(&line.to_ascii_lowercase(), b"authorization").is_some());
        let text = &line[start..start + value];
        let scheme = line[hit..hit + word].to_ascii_lowercase();
        if let Some((rule, mut confidence)) = judged(&scheme, text, named) {
            if look.place.is_sample {
                confidence = Confidence::Low;
            }
            unsure += usize::from(confidence == Confidence::Low);
            if confidence == Confidence::Low && unsure > UNSURE {
                continue;
            }
            let secret = start..start + value;
            out.push(Detected { rule, matched: hit..start + value, secret, confidence, severity: Severity::High });
        }
    }
}

fn is_part(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._~+/=-!#%^*@$&:".contains(byte)
}

fn judged(scheme: &[u8], text: &[u8], named: bool) -> Option<(&'static str, Confidence)> {
    if scheme == b"basic" {
        let credentials = text.len() >= 8 && credentials_in_base64(text);
        return credentials
            .then_some(("basic-auth-credentials", if named { Confidence::High } else { Confidence::Medium }));
    }
    let token_without_name = scheme != b"bearer" && !named;
    if token_without_name
        || text.starts_with(b"eyJ")
        || has_own_rule(text)
        || is_placeholder(text)
        || is_reference(text)
    {
        return None;
    }
    if text.len() >= 16 && is_random(text) {
        return Some(("generic-bearer-token", if named { Confidence::High } else { Confidence::Medium }));
    }
    match named {
        true => judge(Kind::Password, text).map(|confidence| ("generic-bearer-token", confidence)),
        false => None,
    }
}
