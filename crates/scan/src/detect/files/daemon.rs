//! Configurations of daemons whose lines do not say in words that a password follows: by the file's name.

use std::ops::Range;

use crate::classify::placeholder::{is_placeholder, is_reference, is_typed_sample};
use crate::detect::Detected;
use crate::finding::{Confidence, Severity};

/// Finds the password in a line, as a range in it.
pub(super) type Read = fn(&[u8]) -> Option<Range<usize>>;

/// How to read the file with this name in lower case.
pub(super) fn reader(name: &[u8]) -> Option<Read> {
    match name {
        b"turnserver.conf" => Some(turnserver),
        _ if name == b"ipsec.secrets" || name.ends_with(b".secrets") => Some(ipsec),
        _ if name.ends_with(b"clients.conf") => Some(radius),
        _ => None,
    }
}

/// The password of a line of `text`, if it is one.
pub(super) fn found(text: &[u8], line: Range<usize>, read: Read) -> Option<Detected> {
    let bytes = &text[line.clone()];
    let blank = bytes.len() - bytes.trim_ascii_start().len();
    if bytes[blank..].starts_with(b"#") {
        return None;
    }
    let within = read(bytes)?;
    let secret = line.start + within.start..line.start + within.end;
    let password = &text[secret.clone()];
    let filler = password.len() < 6 || is_placeholder(password) || is_reference(password);
    let confidence = if is_typed_sample(password) { Confidence::Low } else { Confidence::High };
    let (rule, severity) = ("generic-password", Severity::High);
    (!filler).then_some(Detected { rule, matched: line.start + blank..line.end, secret, confidence, severity })
}

/// coturn: `user=name:password`; a key in hexadecimal digits begins with `0x`.
fn turnserver(line: &[u8]) -> Option<Range<usize>> {
    let colon = line.strip_prefix(b"user=").and_then(|rest| memchr::memchr(b':', rest))?;
    Some(b"user=".len() + colon + 1..line.len())
}

/// strongSwan: `host user : PSK "password"`, likewise EAP, XAUTH and NTLM; without quotes, too.
fn ipsec(line: &[u8]) -> Option<Range<usize>> {
    let colon = memchr::memchr_iter(b':', line).find(|at| line.get(at + 1).is_some_and(u8::is_ascii_whitespace))?;
    let kind = line.len() - line[colon + 1..].trim_ascii_start().len();
    let word = line[kind..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let known = matches!(&line[kind..kind + word], b"PSK" | b"EAP" | b"XAUTH" | b"NTLM");
    let rest = line[kind + word..].trim_ascii_start();
    let start = line.len() - rest.len();
    let length = match rest.first().filter(|_| known)? {
        b'"' => return memchr::memchr(b'"', &rest[1..]).map(|length| start + 1..start + 1 + length),
        _ => rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len()),
    };
    (start > kind + word).then_some(start..start + length)
}

/// FreeRADIUS: `secret = password`.
fn radius(line: &[u8]) -> Option<Range<usize>> {
    let rest = line.trim_ascii_start().strip_prefix(b"secret")?.trim_ascii_start().strip_prefix(b"=")?;
    let value = rest.trim_ascii_start();
    let start = line.len() - value.len();
    match value.first()? {
        b'"' => memchr::memchr(b'"', &value[1..]).map(|length| start + 1..start + 1 + length),
        _ => Some(start..start + value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len())),
    }
}
