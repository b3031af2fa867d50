//! Private keys in text: PEM, OpenSSH and PGP armour, in files of their own, in literals with `\n`, on one line,
//! indented; clear or encrypted.

use std::ops::Range;

use memchr::memmem;

use super::{Detected, Look};
use crate::check::from_base64;
use crate::finding::{Confidence, Severity};

/// Longest key, in bytes, from its first to its last line.
const LONGEST: usize = 64 << 10;

/// Looks at each `PRIVATE KEY` that begins an armour.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    let mut done = 0;
    for &hit in look.hits {
        if hit < done {
            continue;
        }
        if let Some(found) = key(look.bytes, hit) {
            done = found.matched.end;
            out.push(found);
        }
    }
}

fn key(text: &[u8], hit: usize) -> Option<Detected> {
    let (start, label, body_start) = label(text, hit)?;
    let window = &text[body_start..text.len().min(body_start + LONGEST)];
    let end = memmem::find(window, b"-----END")
        .or(memmem::find(window, b"---- END"))
        .or(memmem::find(window, b"-----BEGIN"))?;
    let close = text[body_start + end..].iter().take(80).position(|byte| *byte == b'\n').unwrap_or(0);
    let body = body(&window[..end]);
    let matched = start..closing_line(text, body_start + end, close);
    let (rule, severity) = judged(label, &window[..end], &body)?;
    let rule = if rule == "private-key" && is_service_account(text, start) { "gcp-service-account-key" } else { rule };
    Some(Detected { rule, secret: matched.clone(), matched, confidence: Confidence::High, severity })
}

/// The armour's first line around `hit`: its start, its label, and where the body starts.
fn label(text: &[u8], hit: usize) -> Option<(usize, &[u8], usize)> {
    let from = hit.saturating_sub(40);
    let (begin, dashes) = match memmem::rfind(&text[from..hit], b"-----BEGIN ") {
        Some(at) => (from + at, 11),
        None => (from + memmem::rfind(&text[from..hit], b"---- BEGIN ")?, 11),
    };
    let rest = &text[begin + dashes..text.len().min(begin + dashes + 60)];
    let length = rest.iter().position(|byte| *byte == b'-' || *byte == b'\n')?;
    let tail = rest[length..].iter().take_while(|byte| **byte == b'-').count();
    (tail >= 4).then_some((begin, rest[..length].trim_ascii(), begin + dashes + length + tail))
}

/// The end of the closing line.
fn closing_line(text: &[u8], end: usize, close: usize) -> usize {
    let rest = &text[end..text.len().min(end + 80)];
    let label = memmem::find(&rest[5.min(rest.len())..], b"-----").map(|at| at + 10);
    end + label.unwrap_or(if close > 0 { close } else { rest.len().min(8) })
}

/// The base64 of a body: headers, escapes, quotes, signs of concatenation and comment signs left out.
fn body(text: &[u8]) -> Vec<u8> {
    let text = replace_escapes(text);
    let mut out = Vec::with_capacity(text.len());
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = strip(line);
        let header = line.contains(&b':') || line.contains(&b'.') && line.len() < 60;
        let armoured = line.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/= ".contains(byte));
        if !header && armoured && !line.starts_with(b"=") {
            out.extend(line.iter().filter(|byte| **byte != b' ' && **byte != b'='));
        }
    }
    out
}

/// Turns `\n` and `\r`, written out, however often escaped, into line ends.
fn replace_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let slashes = text[at..].iter().take(4).take_while(|byte| **byte == b'\\').count();
        match (slashes, text.get(at + slashes)) {
            (1.., Some(b'n' | b'r')) => {
                out.push(b'\n');
                at += slashes + 1;
            }
            (1.., _) => at += slashes,
            _ => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

/// A body's line without what its surroundings put around it.
fn strip(line: &[u8]) -> &[u8] {
    let around = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`,;*#>|.()&".contains(byte);
    let start = line.iter().position(|byte| !around(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !around(byte)).map_or(start, |at| at + 1).max(start);
    let mut line = &line[start..end];
    if line.starts_with(b"//") || line.starts_with(b"+ \"") {
        line = line[2..].trim_ascii().trim_ascii_start();
    }
    let trimmed =
        line.strip_suffix(b"\" +").or(line.strip_suffix(b"' +")).or(line.strip_suffix(b"\"+")).unwrap_or(line);
    let quote = |byte: &u8| b"\"' ".contains(byte);
    let start = trimmed.iter().position(|byte| !quote(byte)).unwrap_or(trimmed.len());
    let end = trimmed.iter().rposition(|byte| !quote(byte)).map_or(start, |at| at + 1).max(start);
    &trimmed[start..end]
}

/// Which rule a key of this label and body is, if it is one at all.
fn judged(label: &[u8], raw: &[u8], body: &[u8]) -> Option<(&'static str, Severity)> {
    let whole = body.len() / 4 * 4;
    let bytes = from_base64(&body[..whole]).unwrap_or_default();
    if body.len() < 40 || !crate::classify::random::is_varied(body) || is_counted(&bytes) {
        return None;
    }
    match label {
        b"OPENSSH PRIVATE KEY" => openssh(&bytes),
        b"PGP PRIVATE KEY BLOCK" => (bytes.first()? & 0x80 != 0).then_some(("pgp-private-key", Severity::High)),
        b"ENCRYPTED PRIVATE KEY" => is_der(&bytes).then_some(("private-key-encrypted", Severity::Low)),
        b"SSH2 ENCRYPTED PRIVATE KEY" => Some(("private-key", Severity::High)),
        _ if memmem::find(raw, b"ENCRYPTED").is_some() => Some(("private-key-encrypted", Severity::Low)),
        _ if label.ends_with(b"PRIVATE KEY") => is_der(&bytes).then_some(("private-key", Severity::Critical)),
        _ => None,
    }
}

/// Whether the key was made by counting (`00 01 02 …`), as standards do in their test vectors, and not drawn.
fn is_counted(bytes: &[u8]) -> bool {
    const RUN: usize = 24;
    let mut run = 1;
    bytes.windows(2).any(|pair| {
        run = if pair[1] == pair[0].wrapping_add(1) { run + 1 } else { 1 };
        run >= RUN
    })
}

fn is_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30) && bytes.len() >= 30
}

/// An OpenSSH key: magic, then the name of the cipher that protects it.
fn openssh(bytes: &[u8]) -> Option<(&'static str, Severity)> {
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    match rest.get(4..)?.get(..length)? {
        b"none" => Some(("openssh-private-key", Severity::Critical)),
        _ => Some(("openssh-private-key-encrypted", Severity::Low)),
    }
}

/// Whether the key is the `private_key` of a Google service account's file.
fn is_service_account(text: &[u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(40)..start];
    let around = &text[start.saturating_sub(1500)..text.len().min(start + 6000)];
    memmem::find(before, b"private_key").is_some() && memmem::find(around, b"service_account").is_some()
}

/// The lines of PuTTY's key files.
pub(super) fn putty(look: &Look<'_>, out: &mut Vec<Detected>) {
    for &hit in look.hits {
        let window = &look.bytes[hit..look.bytes.len().min(hit + LONGEST)];
        let Some(private) = memmem::find(window, b"Private-Lines:") else { continue };
        let Some(encryption) = memmem::find(window, b"Encryption:") else { continue };
        let clear = window[encryption + 11..].trim_ascii_start().starts_with(b"none");
        let (rule, severity) = match clear {
            true => ("putty-private-key", Severity::Critical),
            false => ("putty-private-key-encrypted", Severity::Low),
        };
        let end = memmem::find(&window[private..], b"Private-MAC").map_or(window.len(), |at| private + at);
        let matched: Range<usize> = hit..hit + end;
        out.push(Detected { rule, secret: matched.clone(), matched, confidence: Confidence::High, severity });
    }
}
