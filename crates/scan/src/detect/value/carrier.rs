//! Calls round a literal that change nothing about its being the value.

use super::{is_long_bracket, skip_spaces};

/// Where the literal begins that calls only carry, and whether any do: `new String("x")`, `Some("x".into())`,
/// `[]byte("x")`, `Buffer.from("x")`. `None` if the call looks the value up somewhere.
pub(super) fn inside(line: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut wrapped = false;
    for _ in 0..4 {
        if is_long_bracket(&line[at..]) {
            return Some((at, wrapped));
        }
        let list = line.get(at) == Some(&b'[') && line.get(at + 1) != Some(&b']');
        let run = line[at..]
            .iter()
            .take(48)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.:&!@$<>[]*".contains(byte))
            .count();
        let run = if list { 0 } else { run };
        let word = &line[at..at + run];
        let next = line.get(at + run).copied();
        if word == b"new" && next == Some(b' ') {
            at = skip_spaces(line, at + run);
            continue;
        }
        if wrapped && next == Some(b' ') && LABELS.contains(&word) {
            at = skip_spaces(line, at + run);
            continue;
        }
        if makes_decoder(word) && line[at + run..].starts_with(b"().") {
            at += run + 2;
            continue;
        }
        match next {
            Some(b'(') if run > 0 => {
                if !carries(word) {
                    return None;
                }
                wrapped = true;
                at = skip_spaces(line, at + run + 1);
            }
            Some(b'"' | b'\'' | b'`')
                if run > 0
                    && run <= 3
                    && (word == b"<<"
                        || word.iter().all(|byte| byte.is_ascii_alphabetic() || b"@$&".contains(byte))) =>
            {
                return Some((at + run, wrapped));
            }
            Some(b'[' | b'{' | b'(') if run == 0 => {
                wrapped = true;
                at = skip_spaces(line, at + 1);
            }
            _ => break,
        }
    }
    Some((at, wrapped))
}

/// Functions that hand on their argument.
#[rustfmt::skip]
const CARRIERS: &[&str] = &[
    "some", "ok", "string", "str", "bytes", "byte", "from", "new", "of", "valueof", "text", "encode", "pointer",
    "ptr", "secret", "secretstring", "secretstr", "secretvalue", "tostring", "from_str", "b64decode", "decode",
    "decodestring", "literal", "raw", "s", "uint8array", "unsafeplaintext", "plaintext", "plain", "into", "just",
    "cow", "box", "arc", "rc", "to_owned", "utf8", "getbytes", "quote", "securestring", "convertto-securestring",
    "parse", "protected", "sensitive", "noecho", "nonsensitive", "return", "uuid", "fromstring",
    "frombase64string", "getbytes", "bytearray", "charset", "tochararray", "password", "token", "credential",
    "credentials", "passwordcredential", "networkcredential", "basic", "bearer", "field", "data", "symmetrickey",
    "atob", "fromhex", "unhexlify", "hex2bin", "fromhexstring", "base64decode", "base64_decode", "decodebase64",
    "decode64", "strict_decode64", "urlsafe_decode64", "urlsafe_b64decode", "frombase64", "b64dec",
];

/// Names of arguments that hold the literal: `Data(base64Encoded: "x")` of Swift.
const LABELS: &[&[u8]] = &[b"data:", b"base64Encoded:", b"string:", b"utf8:", b"hex:", b"hexString:", b"bytes:"];

/// Whether a function makes what decodes: `Base64.getDecoder()` of Java.
fn makes_decoder(word: &[u8]) -> bool {
    let name = word.rsplit(|byte| *byte == b'.').next().unwrap_or(word);
    matches!(name, b"getDecoder" | b"getUrlDecoder" | b"getMimeDecoder")
}

/// Whether a function hands on its argument.
fn carries(word: &[u8]) -> bool {
    let lower = word.to_ascii_lowercase();
    let last = lower.rsplit(|byte| b".:".contains(byte)).find(|part| !part.is_empty()).unwrap_or(&lower);
    CARRIERS.iter().any(|known| last.trim_ascii_end() == known.as_bytes())
        || last.starts_with(b"[]byte")
        || last.ends_with(b"string!")
        || last.starts_with(b"b!")
        || lower.ends_with(b"[]byte")
        || lower.contains(&b'!')
}
