//! Files whose name says what stands in them: `.netrc`, `.pgpass`, `htpasswd`, `master.key`, key stores.

use std::ops::Range;

use bstr::ByteSlice as _;

use super::place::base;
use super::{Detected, Look};
use crate::classify::judge;
use crate::classify::name::Kind;
use crate::classify::placeholder::{is_placeholder, is_reference, is_typed_sample};
use crate::classify::random::is_random;
use crate::finding::{Confidence, Severity};

/// Reads a file by its name's grammar; runs on every content, so it looks at the name first.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    keystore(look, out);
    let Some(path) = look.paths.first() else { return };
    let path = path.to_ascii_lowercase();
    let name = base(&path);
    if name.ends_with(b"pgpass") || name == b"pgpass.conf" {
        return lines(look.bytes).for_each(|line| out.extend(pgpass(look.bytes, line)));
    }
    if name.ends_with(b"htpasswd") || name.ends_with(b".htdigest") || name == b"htdigest" {
        return lines(look.bytes).for_each(|line| out.extend(htpasswd(look.bytes, line)));
    }
    if matches!(name, b"master.key") || name.ends_with(b".key") && path.windows(12).any(|part| part == b"credentials/")
    {
        out.extend(rails_key(look.bytes));
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split(|byte| *byte == b'\n').map(move |line| {
        let range = start..start + line.trim_ascii_end().len();
        start += line.len() + 1;
        range
    })
}

/// `host:port:database:user:password`; a colon in a field has a backslash before it.
fn pgpass(text: &[u8], line: Range<usize>) -> Option<Detected> {
    if text[line.clone()].starts_with(b"#") {
        return None;
    }
    let bytes = &text[line.clone()];
    let colons: Vec<usize> =
        (0..bytes.len()).filter(|&at| bytes[at] == b':' && (at == 0 || bytes[at - 1] != b'\\')).collect();
    let secret = line.start + colons.get(3)? + 1..line.end;
    let password = &text[secret.clone()];
    let filler = password.is_empty() || is_placeholder(password) || is_reference(password);
    let confidence = if is_typed_sample(password) { Confidence::Low } else { Confidence::High };
    (!filler).then_some(Detected {
        rule: "pgpass-password",
        matched: line,
        secret,
        confidence,
        severity: Severity::High,
    })
}

/// `user:hash`, `user:realm:hash`.
fn htpasswd(text: &[u8], line: Range<usize>) -> Option<Detected> {
    let bytes = &text[line.clone()];
    let colon = memchr::memrchr(b':', bytes)?;
    let secret = line.start + colon + 1..line.end;
    let hash = &text[secret.clone()];
    let known = [&b"$apr1$"[..], b"$2y$", b"$2a$", b"$2b$", b"{SHA}", b"$5$", b"$6$", b"$1$"]
        .iter()
        .any(|start| hash.starts_with(start));
    let digest = hash.len() == 32 && hash.iter().all(u8::is_ascii_hexdigit) || hash.len() == 13 && is_random(hash);
    let rule = "htpasswd-hash";
    (colon > 0 && (known && hash.len() > 20 || digest)).then_some(Detected {
        rule,
        matched: line,
        secret,
        confidence: Confidence::Medium,
        severity: Severity::Medium,
    })
}

/// Rails keeps 32 hexadecimal digits in `config/master.key`.
fn rails_key(text: &[u8]) -> Option<Detected> {
    let key = text.trim_ascii();
    let drawn = matches!(key.len(), 32 | 64) && key.iter().all(u8::is_ascii_hexdigit) && is_random(key);
    let start = text.find(key)?;
    let secret = start..start + key.len();
    drawn.then_some(Detected {
        rule: "rails-master-key",
        matched: secret.clone(),
        secret,
        confidence: Confidence::High,
        severity: Severity::Critical,
    })
}

/// Binary key stores, by their first bytes and their name.
fn keystore(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    let named = |extensions: &[&str]| {
        look.paths.iter().any(|path| {
            let path = path.to_ascii_lowercase();
            extensions.iter().any(|extension| path.ends_with(extension.as_bytes()))
        })
    };
    let java = text.starts_with(b"\xfe\xed\xfe\xed") || text.starts_with(b"\xce\xce\xce\xce");
    let found = java && text.len() > 32
        || text.starts_with(&[0x30, 0x82])
            && text.len() > 300
            && named(&[".p12", ".pfx", ".pkcs12", ".jks", ".keystore", ".bcfks", ".p8"])
        || text.starts_with(&[5, 2]) && named(&[".keytab"])
        || text.starts_with(&[0x03, 0xd9, 0xa2, 0x9a]) && named(&[".kdbx", ".kdb"]);
    if found {
        let matched = 0..text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len()).clamp(1, 64);
        out.push(Detected {
            rule: "key-store",
            secret: matched.clone(),
            matched,
            confidence: Confidence::Medium,
            severity: Severity::Medium,
        });
    }
}

/// `machine H login U password P`, on one line or several.
pub(super) fn netrc(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    let file = look.paths.iter().any(|path| base(path).ends_with(b"netrc"));
    let mut entry = None;
    let mut wait: Option<&[u8]> = None;
    for word in words(text) {
        let token = &text[word.clone()];
        match (wait.take(), token) {
            (Some(b"password"), secret) => {
                let login = entry.is_some();
                let likely = file || judge(Kind::Password, secret).is_some_and(|sure| sure > Confidence::Low);
                let filler = secret.len() < 4 || is_placeholder(secret) || is_reference(secret) || !login;
                if likely && !filler {
                    let sure = if is_typed_sample(secret) { Confidence::Low } else { Confidence::High };
                    let matched = word.start.saturating_sub(9)..word.end;
                    out.push(Detected {
                        rule: "netrc-password",
                        matched,
                        secret: word,
                        confidence: sure,
                        severity: Severity::High,
                    });
                }
            }
            (Some(_), _) => {}
            (None, b"machine") => (entry, wait) = (None, Some(&b"machine"[..])),
            (None, b"default") if file => entry = Some(()),
            (None, b"login") => (entry, wait) = (Some(()), Some(&b"login"[..])),
            (None, b"account") => wait = Some(&b"account"[..]),
            (None, b"password") => wait = Some(&b"password"[..]),
            (None, _) if !file => entry = None,
            _ => {}
        }
    }
}

fn words(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let length = text[at..].iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let range = at..at + length;
        at += length;
        (length > 0).then_some(range)
    })
}
