//! Passwords that their place in a call makes ones: `login("user", "x")`, `PlainAuth("", "user", "x", host)`.

use std::ops::Range;

use super::{Detected, Look};
use crate::classify::judge;
use crate::classify::name::Kind;
use crate::classify::placeholder::is_typed_sample;
use crate::finding::{Confidence, Severity};

/// The end of a function's name with what opens its arguments, lower case, and the place of its password, from 0. All
/// arguments up to that one must be literals, so that a call of another meaning seldom fits.
const CALLS: &[(&str, usize)] =
    &[("login(", 1), ("plainauth(", 2), ("getconnection(", 2), ("basic_auth ", 1), ("twilio(", 1)];

/// Longest argument, in bytes.
const LONGEST: usize = 256;

/// Looks at the calls whose names stand at the hits.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let line = look.bytes;
    for &hit in look.hits {
        let call = CALLS.iter().find(|(name, _)| {
            line.get(hit..hit + name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()))
        });
        let Some((name, place)) = call else { continue };
        let Some(secret) = literal(line, hit + name.len(), *place) else { continue };
        let text = &line[secret.clone()];
        let sure = judge(Kind::Password, text).filter(|sure| *sure >= Confidence::Medium && !is_typed_sample(text));
        let Some(mut confidence) = sure else { continue };
        if look.place.is_sample {
            confidence = Confidence::Low;
        }
        let (rule, matched, severity) = ("generic-command-password", hit..secret.end, Severity::High);
        out.push(Detected { rule, matched, secret, confidence, severity });
    }
}

/// The literal at `place` of a list that begins at `at`.
fn literal(line: &[u8], mut at: usize, place: usize) -> Option<Range<usize>> {
    for number in 0..=place {
        at += line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let quote = *line.get(at).filter(|byte| b"\"'".contains(byte))?;
        let start = at + 1;
        let length = line[start..].iter().take(LONGEST).position(|byte| *byte == quote)?;
        if number == place {
            return (length > 0).then_some(start..start + length);
        }
        at = start + length + 1;
        at += line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        at += usize::from(*line.get(at)? == b',');
    }
    None
}
