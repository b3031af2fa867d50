//! Files whose name says what stands in them: `.netrc`, `.pgpass`, `sasl_passwd`, `htpasswd`, `master.key`, key stores,
//! configurations of daemons, tables, Terraform's state.

use std::ops::Range;

mod daemon;
mod state;
mod table;

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
    if name.starts_with(b"sasl_passwd") {
        return lines(look.bytes).for_each(|line| out.extend(sasl_passwd(look.bytes, line)));
    }
    if name.ends_with(b"htpasswd") || name.ends_with(b".htdigest") || name == b"htdigest" {
        return lines(look.bytes).for_each(|line| out.extend(htpasswd(look.bytes, line)));
    }
    if name.ends_with(b".csv") || name.ends_with(b".tsv") {
        return table::run(look, out);
    }
    if name.ends_with(b".tfstate") || name.ends_with(b".tfstate.backup") {
        return state::run(look, out);
    }
    if let Some(read) = daemon::reader(name) {
        return lines(look.bytes).for_each(|line| out.extend(daemon::found(look.bytes, line, read)));
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

/// `[host]:port user:password` of Postfix (its SASL_README).
fn sasl_passwd(text: &[u8], line: Range<usize>) -> Option<Detected> {
    let bytes = &text[line.clone()];
    let blank = bytes.iter().position(u8::is_ascii_whitespace).filter(|blank| *blank > 0 && bytes[0] != b'#')?;
    let colon = blank + memchr::memchr(b':', &bytes[blank..])?;
    let secret = line.start + colon + 1..line.end;
    let password = &text[secret.clone()];
    let filler = password.is_empty() || is_placeholder(password) || is_reference(password);
    let confidence = if is_typed_sample(password) { Confidence::Low } else { Confidence::High };
    let (rule, severity) = ("generic-password", Severity::High);
    (!filler).then_some(Detected { rule, matched: line, secret, confidence, severity })
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

/// `machine H login U password P`, on one line or several; in a file of another name nothing may stand between.
pub(super) fn netrc(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    if look.paths.iter().any(|path| base(path).ends_with(b"netrc")) {
        entries(text, 0, true, out);
        return;
    }
    let mut done = 0;
    for at in memchr::memmem::find_iter(text, b"login") {
        let ends = |at: usize| text.get(at).is_none_or(u8::is_ascii_whitespace);
        if at < done || !ends(at + 5) || at > 0 && !ends(at - 1) {
            continue;
        }
        let mut start = row_of_keys(text, done, at);
        while start <= at {
            start = entries(text, start, false, out);
        }
        done = start;
    }
}

/// Where the row of keys begins that ends at `at`, but not before `from`: each may be the value of the one before it.
fn row_of_keys(text: &[u8], from: usize, mut at: usize) -> usize {
    loop {
        let before = text[from..at].trim_ascii_end();
        let word = before.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
        if !matches!(&before[word..], b"machine" | b"login" | b"account" | b"password") {
            return at;
        }
        at = from + word;
    }
}

/// Reads entries from a place on; what ends where nothing is open any more, unless the file is made of nothing else.
fn entries(text: &[u8], from: usize, file: bool, out: &mut Vec<Detected>) -> usize {
    let mut entry = None;
    let mut wait: Option<&[u8]> = None;
    // Who logs in so gives an address for a password.
    let mut anonymous = false;
    for word in words(&text[from..]) {
        let word = from + word.start..from + word.end;
        match (wait.take(), &text[word.clone()]) {
            (Some(b"password"), secret) => {
                let likely = file || judge(Kind::Password, secret).is_some_and(|sure| sure > Confidence::Low);
                let filler = secret.len() < 4 || is_placeholder(secret) || is_reference(secret) || entry.is_none();
                if likely && !filler && !anonymous {
                    let confidence = if is_typed_sample(secret) { Confidence::Low } else { Confidence::High };
                    let matched = word.start.saturating_sub(9)..word.end;
                    let (rule, secret, severity) = ("netrc-password", word.clone(), Severity::High);
                    out.push(Detected { rule, matched, secret, confidence, severity });
                }
            }
            (Some(b"login"), user) => anonymous = matches!(user, b"anonymous" | b"ftp"),
            (Some(_), _) => {}
            (None, b"machine") => (entry, wait) = (None, Some(&b"machine"[..])),
            (None, b"default") if file => entry = Some(()),
            (None, b"login") => (entry, wait) = (Some(()), Some(&b"login"[..])),
            (None, b"account") => wait = Some(&b"account"[..]),
            (None, b"password") => wait = Some(&b"password"[..]),
            (None, _) if !file => entry = None,
            _ => {}
        }
        if !file && entry.is_none() && wait.is_none() {
            return word.end;
        }
    }
    text.len() + 1
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
