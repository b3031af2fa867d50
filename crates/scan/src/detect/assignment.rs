//! Values beside telling names, in whatever form a language writes them: assignments, maps, arguments, flags,
//! attributes, elements, headers, connection strings.

use std::ops::Range;

use super::place::{Manner, Place};
use super::value::{self, Value};
use super::{Detected, Look};
use crate::check::credentials_in_base64;
use crate::classify::name::{Kind, Name};
use crate::classify::{has_checksum, is_mistyped_wallet_key, is_short_key, judge};
use crate::finding::{Confidence, Severity};

/// More unsure findings than this in one line, or a piece of a long one, help nobody, and would cost more memory than the line.
pub(super) const UNSURE: usize = 32;

/// Once the values of a line, which may overlap, have been longer than a few times the line, longer ones than this are
/// passed over.
const SHORT: usize = 128;

/// Longest name, in bytes on each side of a keyword.
const NAME: usize = 80;

/// No shorter value is a secret, whatever its name.
const SHORTEST: usize = 6;

/// The words of which one stands in every telling name.
#[rustfmt::skip]
pub(super) const KEYWORDS: &[&str] = &[
    "pass", "pwd", "secret", "token", "key", "cred", "auth", "salt", "kennwort", "senha", "parola", "contrase",
    "wachtwoord", "haslo", "mdp", "psk", "_pat", "jwt", "bearer", "mnemonic", "seed", "_pw", "bindpw", "identified by", "pepper",
    "plaintext_value", "pw:", "pw for ",
];

/// Looks beside every telling name of a line.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    if look.place.is_lock {
        return;
    }
    let mut done = 0;
    let (before, mut patience) = (out.len(), 64 + look.bytes.len() / 16);
    let mut room = (8 << 10) + 4 * look.bytes.len();
    let mut unsure = 0;
    for &hit in look.hits {
        if hit < done {
            continue;
        }
        let name = name_around(look.bytes, hit);
        done = name.end;
        if !may_assign(look.bytes, name.end) && value::before(look.bytes, &name).is_none() {
            continue;
        }
        patience -= 1;
        if patience == 0 {
            return;
        }
        if let Some((found, end)) = beside(look.bytes, name, &look.place, &mut room) {
            if found.confidence >= Confidence::Medium {
                done = done.max(end);
            } else {
                unsure += 1;
            }
            if found.confidence >= Confidence::Medium || unsure <= UNSURE {
                out.push(found);
            }
        }
    }
    if out[before..].iter().any(|found| is_hex(&look.bytes[found.secret.clone()])) && is_test_vector(look.bytes) {
        let hex = |found: &&mut Detected| is_hex(&look.bytes[found.secret.clone()]);
        out[before..].iter_mut().filter(hex).for_each(|found| found.confidence = Confidence::Low);
    }
}

/// Whether a byte is part of names. Asked for all bytes round each keyword, so it is looked up.
static IN_NAMES: [bool; 256] = {
    let mut parts = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let letter = byte as u8;
        parts[byte] = letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-' | b'.' | b'$' | 0x80..);
        byte += 1;
    }
    parts
};

/// The identifier that holds `hit`.
pub(super) fn name_around(line: &[u8], hit: usize) -> Range<usize> {
    let part = |byte: &u8| IN_NAMES[usize::from(*byte)];
    let before = line[..hit].iter().rev().take(NAME).take_while(|byte| part(byte)).count();
    let after = line[hit..].iter().take(NAME).take_while(|byte| part(byte)).count();
    let end = hit + after;
    let trailing = line[hit..end].iter().rev().take_while(|byte| b".-".contains(byte)).count();
    hit - before..(end - trailing).max(hit + 1)
}

/// A quick look before names are taken apart.
fn may_assign(line: &[u8], end: usize) -> bool {
    let rest = &line[end..line.len().min(end + 48)];
    let closers = rest.iter().take_while(|byte| b"\"'`])\\*?! \t".contains(byte)).count();
    match rest.get(closers) {
        Some(b'=' | b':' | b',' | b'(' | b'>' | b'|' | b'<' | b'-' | b'{' | b'~' | b'+' | b'[' | b'}') => true,
        Some(_) => closers > 0,
        None => false,
    }
}

/// What stands beside a name, if it is a secret; and where it ends.
fn beside(line: &[u8], name: Range<usize>, place: &Place, room: &mut usize) -> Option<(Detected, usize)> {
    if line[name.clone()].eq_ignore_ascii_case(b"identified") {
        return identified(line, name, place);
    }
    // Values first: most names in code have none, and taking a name apart is dear.
    let second = value::second(line, name.end);
    let before = value::before(line, &name);
    let most = if *room == 0 { SHORT + 1 } else { usize::MAX };
    let near = if before.is_some() { before } else { value::after_up_to(line, &name, place.manner, most) };
    let longest = [&second, &near].into_iter().flatten().map(|value| value.range.len()).max()?;
    *room = room.saturating_sub(longest);
    if longest < SHORTEST || *room == 0 && longest > SHORT {
        return None;
    }
    let words = Name::of(&line[name.clone()]);
    let known = words.kind().or_else(|| words.is_mnemonic().then_some(Kind::Weak));
    let of_alerts =
        || words.is_routing_key() && near.as_ref().is_some_and(|value| is_integration_key(&value.text(line)));
    let kind = known.or_else(|| (is_of_machine(line, &name) || of_alerts()).then_some(Kind::Secret))?;
    let kind = if words.is_just("key") && follows_qualifier(&line[..name.start]) { Kind::Secret } else { kind };
    let pair = second.filter(|_| kind == Kind::Auth || words.ends_in_credential());
    let (kind, value) = match pair {
        Some(value) => (Kind::Password, value),
        None => (kind, near?),
    };
    if &line[name.clone()] == b"PASS" && line.get(name.end) == Some(&b':') || is_of_pkcs11(line, &name) {
        return None;
    }
    let (rule, confidence, severity) = verdict(&words, kind, &value.text(line), &value, place)?;
    let (start, end) = (name.start.min(value.range.start), name.end.max(value.range.end));
    Some((Detected { rule, matched: start..end, secret: value.range, confidence, severity }, end))
}

/// Whether a name is the `token` of a PKCS #11 URI (RFC 7512), which names a device: `pkcs11:token=x;object=y`.
fn is_of_pkcs11(line: &[u8], name: &Range<usize>) -> bool {
    let before = &line[name.start.saturating_sub(200)..name.start];
    let word = before.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
    &line[name.clone()] == b"token" && memchr::memmem::find(word, b"pkcs11:").is_some()
        || &line[name.clone()] == b"pkcs11:token"
}

/// Whether a name is the attribute `validationKey` of ASP.NET's `<machineKey>`: who has it, can forge sessions.
fn is_of_machine(line: &[u8], name: &Range<usize>) -> bool {
    let before = &line[name.start.saturating_sub(400)..name.start];
    line[name.clone()].eq_ignore_ascii_case(b"validationKey") && memchr::memmem::find(before, b"<machineKey").is_some()
}

/// Whether a value is the key of a PagerDuty integration: those of AMQP, which have the same name, are words.
fn is_integration_key(text: &[u8]) -> bool {
    text.len() == 32 && is_hex(text)
}

/// Whether prose says before `key` what it opens: "the API key is".
fn follows_qualifier(before: &[u8]) -> bool {
    let near = before[before.len().saturating_sub(16)..].to_ascii_lowercase();
    ["api ", "access ", "secret ", "private ", "encryption "].iter().any(|word| near.ends_with(word.as_bytes()))
}

/// `IDENTIFIED BY 'x'` of SQL.
fn identified(line: &[u8], name: Range<usize>, place: &Place) -> Option<(Detected, usize)> {
    let value = value::after(line, &name, place.manner)?;
    let mut confidence = judge(Kind::Password, &line[value.range.clone()])?;
    if place.is_sample {
        confidence = Confidence::Low;
    }
    let end = value.range.end;
    let (rule, matched, severity) = ("generic-password", name.start..end, Severity::High);
    Some((Detected { rule, matched, secret: value.range, confidence, severity }, end))
}

/// The rule that a value beside a name falls under, how sure and how bad.
pub(super) fn verdict(
    name: &Name,
    kind: Kind,
    text: &[u8],
    value: &Value,
    place: &Place,
) -> Option<(&'static str, Confidence, Severity)> {
    if name.is_mnemonic() && is_mnemonic(text) {
        return Some(("wallet-mnemonic", Confidence::Medium, Severity::Critical));
    }
    if kind == Kind::Auth && text.len() >= 12 && credentials_in_base64(text) {
        let rule = if name.is_just("auth") { "docker-registry-auth" } else { "basic-auth-credentials" };
        return Some((rule, Confidence::High, Severity::High));
    }
    // Beside a plain `token` a damaged value may be cut or mistyped; a name that says whose token it is asks for one
    // that could be.
    if (has_checksum(text) || is_mistyped_wallet_key(text)) && !name.is_one_word() {
        return None;
    }
    let mut confidence = judge(kind, text)?;
    if confidence == Confidence::Low && kind == Kind::Secret && name.is_of_access() && is_short_key(text) {
        confidence = Confidence::Medium;
    }
    let bare_word = !value.quoted && place.manner == Manner::Code && kind == Kind::Password;
    if place.is_sample || place.is_translation || bare_word && text.len() < 8 {
        confidence = Confidence::Low;
    }
    let rule = if kind == Kind::Password { "generic-password" } else { "generic-secret" };
    Some((rule, confidence, Severity::High))
}

fn is_hex(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_hexdigit)
}

/// What stands beside a key in a test vector of a cipher, and never beside one that is in use: what it was applied to,
/// and what came out; the last ones are those of RFC 9180's vectors.
#[rustfmt::skip]
const WORKED: &[&[u8]] = &[
    b"\"aad\"", b"\"ct\"", b"\"pt\"", b"\"ciphertext\"", b"\"plaintext\"", b"\"nonce\"", b"\"iv\"", b"\"tag\"", b"\"msg\"",
    b"\"ikm\"", b"\"okm\"", b"\"prk\"", b"\"exported_value\"", b"\"exporter_context\"", b"\"expected\"", b"\"pkRm\"", b"\"pkEm\"", b"\"base_nonce\"", b"\"key_schedule_context\"",
];

/// Whether JSON on one line is a worked example: three names of [`WORKED`], each with hexadecimal digits.
fn is_test_vector(line: &[u8]) -> bool {
    let worked = |name: &&&[u8]| {
        memchr::memmem::find_iter(line, name).any(|at| {
            let rest = line[at + name.len()..].iter().filter(|byte| **byte != b' ');
            let value: Vec<u8> = rest.take(10).copied().collect();
            let text = value.strip_prefix(b":\"").unwrap_or(b"?");
            text.iter().take_while(|byte| **byte != b'"').all(u8::is_ascii_hexdigit)
        })
    };
    WORKED.iter().filter(worked).count() >= 3
}

/// 12, 15, 18, 21 or 24 short words in lower case: how wallets write their seed (BIP 39).
fn is_mnemonic(text: &[u8]) -> bool {
    let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
    let word = |word: &&[u8]| (3..=8).contains(&word.len()) && word.iter().all(u8::is_ascii_lowercase);
    let mut distinct = words.clone();
    distinct.sort_unstable();
    distinct.dedup();
    matches!(words.len(), 12 | 15 | 18 | 21 | 24) && words.iter().all(word) && distinct.len() * 4 >= words.len() * 3
}
