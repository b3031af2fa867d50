//! Kubernetes: Secret manifests in YAML and JSON, kubeconfig, EncryptionConfiguration, bootstrap tokens.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use memchr::memmem;

use super::json::{Json, Member};
use super::yaml::{Setting, documents, settings};
use super::{Detected, Look};
use crate::check::from_base64;
use crate::classify::judge;
use crate::classify::name::Kind;
use crate::classify::placeholder::{is_placeholder, is_reference, is_typed_sample};
use crate::classify::random::is_random;
use crate::finding::{Confidence, Severity};

/// Keys of a Secret's data whose values are no secrets.
#[rustfmt::skip]
const OPEN_KEYS: &[&str] = &[
    "username", "user", "usr", "login", "host", "hostname", "port", "database", "db", "dbname", "name",
    "namespace", "email", "region", "endpoint", "bucket", "ca.crt", "tls.crt", "ca-bundle.crt", "type", "server",
    "service", "url", "domain", "tenant", "issuer", "project", "account", "ssl-ca.pem", "known_hosts", "engine",
    "version", "environment", "registry", "cert.pem", "ca.pem", "clientid", "client-id", "client_id",
    "usage-bootstrap-authentication", "usage-bootstrap-signing", "token-id", "description", "auth-extra-groups",
    "expiration",
];

/// Looks for `kind: Secret` and its kin.
pub(super) fn secret(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    let (mut yaml, mut json) = (false, false);
    for &hit in look.hits {
        match kind_at(text, hit) {
            Some(true) => json = true,
            Some(false) => yaml = true,
            None => {}
        }
    }
    let sample = look.place.is_sample;
    let before = out.len();
    if yaml {
        documents(text).into_iter().for_each(|document| yaml_document(text, document, out));
    }
    if json {
        json_objects(text, out);
    }
    if sample {
        out[before..].iter_mut().for_each(|found| found.confidence = Confidence::Low);
    }
}

/// Whether `kind` at `hit` names a Secret, and whether in JSON.
fn kind_at(text: &[u8], hit: usize) -> Option<bool> {
    let rest = &text[hit + 4..text.len().min(hit + 40)];
    let json = rest.first() == Some(&b'"');
    let skip = rest.iter().take_while(|byte| b"\"': \t".contains(byte)).count();
    let value = &rest[skip..];
    let name = value.strip_prefix(b"SecretList").or(value.strip_prefix(b"Secret"));
    let ends = name.is_some_and(|rest| rest.first().is_none_or(|byte| b"\"' \t\r\n,}#".contains(byte)));
    (skip > 0 && rest[..skip].contains(&b':') && ends).then_some(json)
}

fn yaml_document(text: &[u8], document: Range<usize>, out: &mut Vec<Detected>) {
    let all = settings(text, document.start, document.end);
    let mut done = (0, usize::MAX);
    for (at, kind) in all.iter().enumerate() {
        if &text[kind.key.clone()] != b"kind" || &text[kind.value.clone()] != b"Secret" {
            continue;
        }
        if at < done.0 && kind.column >= done.1 {
            continue;
        }
        let (first, last) = extent(&all, at);
        done = (last, kind.column);
        let object = &all[first..last];
        if is_sealed(text, object, kind.column) {
            continue;
        }
        for (place, part) in object.iter().enumerate() {
            let key = &text[part.key.clone()];
            if part.column == kind.column && matches!(key, b"data" | b"stringData") {
                let values = children(object, place);
                values.iter().for_each(|setting| out.extend(value(text, &setting.key, &setting.value, key == b"data")));
                let flow = flow(text, &part.value);
                flow.iter().for_each(|(name, range)| out.extend(value(text, name, range, key == b"data")));
            }
        }
    }
}

/// The entries of a map in braces on one line: `{a: x, "b": 'y'}`.
fn flow(text: &[u8], range: &Range<usize>) -> Vec<(Range<usize>, Range<usize>)> {
    let mut entries = Vec::new();
    let mut at = range.start + 1;
    if !text[range.clone()].starts_with(b"{") {
        return entries;
    }
    while let Some((key, next)) = flow_scalar(text, at..range.end, b":") {
        let Some((value, end)) = flow_scalar(text, next + 1..range.end, b",}") else { break };
        entries.push((key, value));
        if text[end] != b',' {
            break;
        }
        at = end + 1;
    }
    entries
}

/// A scalar that one of `ends` follows, and where that stands.
fn flow_scalar(text: &[u8], range: Range<usize>, ends: &[u8]) -> Option<(Range<usize>, usize)> {
    let part = text.get(range.clone())?;
    let start = range.start + (part.len() - part.trim_ascii_start().len());
    let quote = text.get(start..range.end)?.first().copied().filter(|byte| b"\"'".contains(byte));
    let Some(quote) = quote else {
        let end = start + text[start..range.end].iter().position(|byte| ends.contains(byte))?;
        let length = text[start..end].trim_ascii_end().len();
        return (length > 0 && !text[start..end].starts_with(b"{")).then_some((start..start + length, end));
    };
    let close = start + 1 + memchr::memchr(quote, &text[start + 1..range.end])?;
    let after = &text[close + 1..range.end];
    let end = close + 1 + (after.len() - after.trim_ascii_start().len());
    (end < range.end && ends.contains(&text[end])).then_some((start + 1..close, end))
}

/// The settings of the object that `all[at]` belongs to.
fn extent(all: &[Setting], at: usize) -> (usize, usize) {
    let column = all[at].column;
    let mut first = at;
    while first > 0 && !(all[first].item && all[first].column == column) && all[first - 1].column >= column {
        first -= 1;
    }
    let ends = |setting: &Setting| setting.column < column || setting.item && setting.column == column;
    let last = all[at + 1..].iter().position(ends).map_or(all.len(), |length| at + 1 + length);
    (first, last)
}

/// The settings one level below `object[place]`.
fn children(object: &[Setting], place: usize) -> Vec<&Setting> {
    let parent = object[place].column;
    let Some(column) = object.get(place + 1).map(|setting| setting.column).filter(|column| *column > parent) else {
        return Vec::new();
    };
    object[place + 1..]
        .iter()
        .take_while(|setting| setting.column > parent)
        .filter(|setting| setting.column == column)
        .collect()
}

/// Manifests whose values are encrypted by SOPS, or that only look like a Secret.
fn is_sealed(text: &[u8], object: &[Setting], column: usize) -> bool {
    object.iter().filter(|setting| setting.column == column).any(|setting| {
        let (key, value) = (&text[setting.key.clone()], &text[setting.value.clone()]);
        key == b"sops" || key == b"apiVersion" && value != b"v1"
    })
}

/// One entry of `data` or `stringData`.
fn value(text: &[u8], key: &Range<usize>, range: &Range<usize>, encoded: bool) -> Option<Detected> {
    let name = text[key.clone()].to_ascii_lowercase();
    let raw = &text[range.clone()];
    if raw.is_empty()
        || OPEN_KEYS.iter().any(|open| name == open.as_bytes())
        || is_reference(raw)
        || raw.contains(&b'{') && memmem::find(raw, b"{{").is_some()
    {
        return None;
    }
    let folded: Vec<u8> = raw.iter().filter(|byte| !byte.is_ascii_whitespace()).copied().collect();
    let decoded = if encoded { from_base64(&folded)? } else { raw.to_vec() };
    let plain = decoded.trim_ascii();
    let public = [&b"-----BEGIN CERTIFICATE"[..], b"-----BEGIN PUBLIC", b"ssh-rsa ", b"ssh-ed25519 ", b"age1"]
        .iter()
        .any(|start| plain.starts_with(start));
    if plain.is_empty() || public || is_reference(plain) || is_placeholder(plain) {
        return None;
    }
    let trivial = plain.len() < 5 || is_typed_sample(plain) || plain.iter().all(u8::is_ascii_digit);
    let confidence = if trivial { Confidence::Low } else { Confidence::High };
    let secret = range.clone();
    Some(Detected {
        rule: "kubernetes-secret",
        matched: key.start..range.end,
        secret,
        confidence,
        severity: Severity::High,
    })
}

fn json_objects(text: &[u8], out: &mut Vec<Detected>) {
    let json = Json::read(text);
    let versions: HashMap<usize, &[u8]> = json
        .members
        .iter()
        .filter(|member| &text[member.key.clone()] == b"apiVersion")
        .map(|member| (member.object, &text[member.value.clone()]))
        .collect();
    let of_kind = |kind: &[u8]| -> HashSet<usize> {
        let named = |member: &&Member| &text[member.key.clone()] == b"kind" && &text[member.value.clone()] == kind;
        let current = |object: &usize| versions.get(object).is_none_or(|version| *version == b"v1");
        json.members.iter().filter(named).map(|member| member.object).filter(current).collect()
    };
    let (mut secrets, lists) = (of_kind(b"Secret"), of_kind(b"SecretList"));
    let items = json.objects.iter().enumerate().filter(|(_, object)| {
        object.parent.is_some_and(|parent| lists.contains(&parent)) && &text[object.key.clone()] == b"items"
    });
    secrets.extend(items.map(|(number, _)| number));
    for member in &json.members {
        let object = &json.objects[member.object];
        let key = &text[object.key.clone()];
        if object.parent.is_some_and(|parent| secrets.contains(&parent)) && matches!(key, b"data" | b"stringData") {
            out.extend(value(text, &member.key, &member.value, key == b"data"));
        }
    }
}

/// `kind: Config` with users: their tokens and passwords.
pub(super) fn kubeconfig(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    if memmem::find(text, b"users").is_none() || memmem::find(text, b"clusters").is_none() {
        return;
    }
    for setting in settings(text, 0, text.len()) {
        let raw = &text[setting.value.clone()];
        let key = &text[setting.key.clone()];
        let wanted = matches!(key, b"token" | b"password" | b"id-token" | b"refresh-token");
        if wanted && raw.len() >= 6 && !is_placeholder(raw) && !is_reference(raw) && !raw.starts_with(b"eyJ") {
            let typed = || judge(Kind::Password, raw).is_some_and(|sure| sure > Confidence::Low);
            let sure = raw.len() >= 16 && is_random(raw) || key == b"password" && typed();
            let confidence = if sure { Confidence::High } else { Confidence::Low };
            let (matched, secret) = (setting.key.start..setting.value.end, setting.value);
            out.push(Detected {
                rule: "kubeconfig-credentials",
                matched,
                secret,
                confidence,
                severity: Severity::Critical,
            });
        }
    }
}

/// The keys that an API server encrypts its storage with.
pub(super) fn encryption(look: &Look<'_>, out: &mut Vec<Detected>) {
    let text = look.bytes;
    for setting in settings(text, 0, text.len()) {
        let raw = &text[setting.value.clone()];
        let key = from_base64(raw).filter(|key| matches!(key.len(), 16 | 24 | 32));
        if &text[setting.key.clone()] == b"secret" && key.is_some() && !is_placeholder(raw) {
            let (matched, secret) = (setting.key.start..setting.value.end, setting.value);
            let rule = "kubernetes-encryption-key";
            out.push(Detected { rule, matched, secret, confidence: Confidence::High, severity: Severity::Critical });
        }
    }
}
