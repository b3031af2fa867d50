//! Passwords that their place in a call makes ones: `login("user", "x")`, `PlainAuth("", "user", "x", host)`.

use std::ops::Range;

use super::{Detected, Look};
use crate::classify::judge;
use crate::classify::name::Kind;
use crate::classify::placeholder::is_typed_sample;
use crate::finding::{Confidence, Severity};

/// A function that takes a secret at a known place.
struct Call {
    /// The end of its name with what opens its arguments, lower case.
    name: &'static str,
    /// Where in `name` the arguments begin.
    opens: usize,
    /// The place of the secret, from 0. All arguments before it must be literals or symbols, so that a call of another
    /// meaning seldom fits.
    place: usize,
    /// Whether those before it may be anything.
    any: bool,
    kind: Kind,
}

const fn call(name: &'static str, place: usize, kind: Kind) -> Call {
    Call { name, opens: name.len(), place, any: false, kind }
}

/// After the documentation of: Python's smtplib, Go's net/smtp, java.sql.DriverManager, Ruby's open-uri and Faraday, Twilio's
/// libraries, OkHttp, Perl's DBI and LWP, OmniAuth, Arduino's WiFi, jsonwebtoken and PyJWT, Python's cryptography, javax.crypto,
/// Weights & Biases, PHP's PDO, mysqli and ldap, MySQL's C API.
const CALLS: &[Call] = &[
    call("login(", 1, Kind::Password),
    call("plainauth(", 2, Kind::Password),
    call("getconnection(", 2, Kind::Password),
    call("basic_auth ", 1, Kind::Password),
    call("twilio(", 1, Kind::Password),
    call("credentials.basic(", 1, Kind::Password),
    Call { any: true, ..call("new pdo(", 2, Kind::Password) },
    Call { any: true, ..call("mysqli(", 2, Kind::Password) },
    Call { any: true, ..call("mysqli_connect(", 2, Kind::Password) },
    Call { any: true, ..call("mysql_connect(", 2, Kind::Password) },
    Call { any: true, ..call("mysql_real_connect(", 3, Kind::Password) },
    Call { any: true, ..call("ldap_bind(", 2, Kind::Password) },
    Call { opens: 8, ..call("connect(\"dbi:", 2, Kind::Password) },
    Call { opens: 8, ..call("connect('dbi:", 2, Kind::Password) },
    call("->credentials(", 3, Kind::Password),
    Call { opens: 9, ..call("omniauth :", 2, Kind::Secret) },
    Call { opens: 9, ..call("provider :", 2, Kind::Secret) },
    call("wifi.begin(", 1, Kind::Password),
    Call { any: true, ..call("jwt.sign(", 1, Kind::Secret) },
    Call { any: true, ..call("jwt.verify(", 1, Kind::Secret) },
    Call { any: true, ..call("jwt.encode(", 1, Kind::Secret) },
    Call { any: true, ..call("jwt.decode(", 1, Kind::Secret) },
    call("fernet(", 0, Kind::Secret),
    call("secretkeyspec(", 0, Kind::Secret),
    call("wandb.login(key=", 0, Kind::Secret),
];

/// Longest argument, in bytes.
const LONGEST: usize = 256;

/// Looks at the calls whose names stand at the hits.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let line = look.bytes;
    for &hit in look.hits {
        let call = CALLS.iter().find(|call| {
            line.get(hit..hit + call.name.len()).is_some_and(|text| text.eq_ignore_ascii_case(call.name.as_bytes()))
        });
        let Some(call) = call else { continue };
        let Some(secret) = literal(line, hit + call.opens, call) else { continue };
        let text = &line[secret.clone()];
        let sure = judge(call.kind, text).filter(|sure| *sure >= Confidence::Medium && !is_typed_sample(text));
        let Some(mut confidence) = sure else { continue };
        if look.place.is_sample {
            confidence = Confidence::Low;
        }
        let (rule, matched, severity) = ("generic-command-password", hit..secret.end, Severity::High);
        out.push(Detected { rule, matched, secret, confidence, severity });
    }
}

/// The literal at the place of a call's secret, of arguments that begin at `at`.
fn literal(line: &[u8], mut at: usize, call: &Call) -> Option<Range<usize>> {
    for number in 0..=call.place {
        at += spaces(&line[at..]);
        if number < call.place && (call.any || line.get(at) == Some(&b':')) {
            at = argument(line, at)?;
        } else {
            // `b"x"` of Python.
            at += usize::from(line.get(at).is_some_and(u8::is_ascii_alphabetic));
            // A notebook keeps lines of a program as texts.
            let escaped = usize::from(line.get(at) == Some(&b'\\'));
            let quote = *line.get(at + escaped).filter(|byte| b"\"'".contains(byte))?;
            let start = at + escaped + 1;
            let closing = line[start..].iter().take(LONGEST).position(|byte| *byte == quote)?;
            let length = closing.checked_sub(escaped)?;
            if number == call.place {
                return (length > 0).then_some(start..start + length);
            }
            at = start + closing + 1;
        }
        at += spaces(&line[at..]);
        at += usize::from(*line.get(at)? == b',');
    }
    None
}

fn spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Where an argument of any kind ends: at the comma behind it.
fn argument(line: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (at, byte) in line.iter().enumerate().skip(start).take(LONGEST) {
        match byte {
            _ if quote.is_some() => quote = quote.filter(|open| open != byte),
            b'"' | b'\'' | b'`' => quote = Some(*byte),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}
