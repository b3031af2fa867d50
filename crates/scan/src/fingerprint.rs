//! Our own fingerprint of a finding, for allow files, baselines and SARIF: it survives line shifts and moves with
//! the secret's value, and it says as little about that value as it can.
//!
//! A fingerprint is `plomb:v1:RULE:PATH:HASH`. `HASH` covers rule, path and value, and is cut to 32 bits. These files
//! are public, and a weak password could be guessed from a digest; the answers to that were weighed so:
//!
//! * *Truncation* (taken): 32 bits say nothing of use about a token of random characters, and a guess that fits a weak
//!   password is not yet a proof; a different secret of the same rule in the same file is let through by accident once
//!   in four thousand million times.
//! * *A slow hash* (not taken): a thousand rounds would cost seconds on large reports and buy ten bits against a
//!   guesser with a word list.
//! * *A salt in the ignore file* (not taken): it is as public as the file. Rule and path already do what a salt does:
//!   no table made beforehand fits, and equal secrets in two files do not show as equal.
//! * *A key from outside the repository* (offered): [`Fingerprints::keyed`] makes `plomb:k1:…`, which nobody without
//!   the key can test a guess against.

use std::fmt::Write;
use std::ops::Range;

use bstr::{BStr, ByteSlice};
use sha2::{Digest as _, Sha256};

use crate::finding::Finding;

/// Makes fingerprints; the same one must be used for writing and for matching.
#[derive(Clone, Default)]
pub struct Fingerprints {
    key: Option<[u8; 32]>,
}

impl Fingerprints {
    /// With a key that is kept outside the repository; any bytes, of which their owner answers for the strength.
    pub fn keyed(key: &[u8]) -> Self {
        Self { key: Some(Sha256::digest(key).into()) }
    }

    /// `plomb:v1:RULE:PATH:HASH`; `k1` instead of `v1` with a key. Rule and path are percent-encoded where they hold
    /// blanks, control characters or `%` (the rule: also `:`), so that a fingerprint is one word.
    pub fn of(&self, finding: &Finding) -> String {
        let path = relative(finding.origin.path.as_bstr());
        let mut text = String::from(if self.key.is_some() { "plomb:k1:" } else { "plomb:v1:" });
        encode(finding.rule.as_bytes(), true, &mut text);
        text.push(':');
        encode(path, false, &mut text);
        text.push(':');
        for byte in &self.hash(finding, path)[..4] {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn hash(&self, finding: &Finding, path: &[u8]) -> [u8; 32] {
        let key = self.key.unwrap_or_default();
        let mut inner = Sha256::new_with_prefix(b"plomb fingerprint 1\0");
        inner.update(key);
        for part in [finding.rule.as_bytes(), path] {
            inner.update((part.len() as u64).to_be_bytes());
            inner.update(part);
        }
        inner.update(finding.digest.0);
        // The outer round keeps a keyed hash from being extended.
        Sha256::new_with_prefix(key).chain_update(inner.finalize()).finalize().into()
    }
}

impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.key.is_some() { "Fingerprints(keyed)" } else { "Fingerprints" })
    }
}

/// Whether a word has the form of our fingerprints: one word, five parts, a hash of eight hexadecimal digits.
pub fn is_fingerprint(word: &str) -> bool {
    let rest = word.strip_prefix("plomb:v1:").or_else(|| word.strip_prefix("plomb:k1:"));
    let Some((rule, rest)) = rest.and_then(|rest| rest.split_once(':')) else { return false };
    let Some((_, hash)) = rest.rsplit_once(':') else { return false };
    let is_hash = hash.len() == 8 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    !rule.is_empty() && is_hash && !word.chars().any(must_be_encoded)
}

/// Longest fingerprint that is known in a text, in bytes: a rule's id and a path.
const LONGEST: usize = 1024;

/// Whether what was found is nothing but a fingerprint, such as stands in `.plomb-allow` and in what we say: its rule's id
/// is no name of a value, and its hash is none. What stands in its path by itself counts.
pub(crate) fn explains(text: &[u8], matched: &Range<usize>, secret: &Range<usize>) -> bool {
    let from = secret.start.saturating_sub(LONGEST);
    let line = memchr::memrchr(b'\n', &text[from..secret.start]).map_or(from, |end| from + end + 1);
    let near = &text[line..text.len().min(secret.start + LONGEST)];
    // The one that begins last before the secret, or with it.
    let head = near.len().min(secret.start - line + "plomb:v1:".len());
    let kinds = [&b"plomb:v1:"[..], b"plomb:k1:"];
    let starts = memchr::memmem::find_iter(&near[..head], "plomb:");
    let Some(start) = starts.filter(|at| kinds.iter().any(|kind| near[*at..head].starts_with(kind))).last() else {
        return false;
    };
    let Some((path, end)) = parts(&near[start..]) else { return false };
    let (path, end) = (line + start + path, line + start + end);
    let by_itself = path <= matched.start + 1 && secret.start >= path && secret.end <= end - HASH;
    (line + start..end).contains(&secret.start) && !by_itself
}

/// A colon and the hash.
const HASH: usize = 9;

/// Where the path of a fingerprint begins and the whole of it ends; `text` begins with it.
fn parts(text: &[u8]) -> Option<(usize, usize)> {
    let rule = "plomb:v1:".len();
    let word = text.iter().take(LONGEST).take_while(|byte| !byte.is_ascii_whitespace()).count();
    let path = rule + memchr::memchr(b':', &text[rule.min(word)..word])? + 1;
    let is_hash = |at: &usize| {
        let hash = text[at + 1..word].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        hash == HASH - 1 && text[at + 1..=at + hash].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let hash = memchr::memchr_iter(b':', &text[path..word]).map(|at| at + path).find(is_hash)?;
    Some((path, hash + HASH))
}

/// A path as it is compared: however the folder was named on the command line.
fn relative(path: &BStr) -> &[u8] {
    let mut path: &[u8] = path;
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    path
}

fn encode(bytes: &[u8], colon_too: bool, out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if must_be_encoded(character) || character == '%' || (colon_too && character == ':') {
                percent(character.encode_utf8(&mut [0; 4]).as_bytes(), out);
            } else {
                out.push(character);
            }
        }
        percent(chunk.invalid(), out);
    }
}

/// Percent-encodes every byte.
pub(crate) fn percent(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        let _ = write!(out, "%{byte:02X}");
    }
}

fn must_be_encoded(character: char) -> bool {
    character.is_whitespace() || crate::report::neutral::is_hidden(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::finding;

    #[test]
    fn the_value_counts_and_the_line_does_not() {
        let prints = Fingerprints::default();
        let first = finding("rule-a", "a/b.txt", 3);
        let mut moved = first.clone();
        moved.span.start_line = 99;
        assert_eq!(prints.of(&first), prints.of(&moved));
        moved.digest.0[31] ^= 1;
        assert_ne!(prints.of(&first), prints.of(&moved));
    }

    #[test]
    fn a_fingerprint_is_one_word_whatever_the_path() {
        let mut odd = finding("id with:all", "x", 1);
        odd.origin.path = b"./a b\n\xff:\xe2\x80\xae%c".into();
        let text = Fingerprints::default().of(&odd);
        let start = "plomb:v1:id%20with%3Aall:a%20b%0A%FF:%E2%80%AE%25c:";
        assert!(text.starts_with(start), "{text}");
        assert!(is_fingerprint(&text));
    }

    #[test]
    fn a_key_changes_every_hash() {
        let one = finding("r", "p", 1);
        let keyed = Fingerprints::keyed(b"k").of(&one);
        assert!(keyed.starts_with("plomb:k1:r:p:") && is_fingerprint(&keyed));
        let hash = |text: &str| text.rsplit(':').next().map(str::to_owned);
        assert_ne!(hash(&keyed), hash(&Fingerprints::keyed(b"l").of(&one)));
        assert_ne!(hash(&keyed), hash(&Fingerprints::default().of(&one)));
    }

    #[test]
    fn a_fingerprint_explains_what_is_found_in_it_but_for_its_path() {
        let explained = |text: &str, matched: &str, secret: &str| {
            let range = |part: &str| text.find(part).map(|at| at..at + part.len()).unwrap();
            explains(text.as_bytes(), &range(matched), &range(secret))
        };
        let text = "a\n`plomb:v1:generic-password:conf/a.yaml:01ab23cd`  reason";
        assert!(explained(text, "generic-password:conf/a.yaml:01ab23cd", "conf/a.yaml:01ab23cd"));
        assert!(explained(text, "conf/a.yaml:01ab23cd", "01ab23cd"));
        assert!(explained(text, text.split_once('`').unwrap().1, "plomb:v1:generic-password:conf/a.yaml:01ab23cd"));
        assert!(!explained(text, "conf/a.yaml", "conf/a.yaml"));
        assert!(!explained(text, "reason", "reason"));
        assert!(!explained(text, "a", "a"));
        assert!(!explained("password: swordfish plomb:v1:r:p:01ab23cd", "password: swordfish", "swordfish"));
        assert!(!explained("plomb:v1:r:p:01ab23cd0", "p:01ab23cd0", "01ab23cd0"));
        assert!(!explained("plomb:v1:r\nsword", "sword", "sword"));
        assert!(!explained("plomb:v1:", "plomb", "plomb"));
        assert!(!explained("plomb:v1:r:01ab23cd", "01ab23cd", "01ab23cd"));
        let keyed = "password: plomb:k1:r::01ab23cd";
        assert!(explained(keyed, keyed, "plomb:k1:r::01ab23cd"));
    }

    #[test]
    fn other_words_are_none() {
        for word in ["", "plomb:v1:", "plomb:v1:r:p:1234567", "plomb:v2:r:p:12345678", "plomb:v1:r:p:1234567G", "a:b:1"]
        {
            assert!(!is_fingerprint(word), "{word}");
        }
        assert!(is_fingerprint("plomb:v1:r::12345678"));
    }
}
