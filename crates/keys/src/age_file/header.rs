//! The age v1 header, by the letter of the specification (<https://c2sp.org/age>).

use age_core::format::Stanza;
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};

use crate::KeyError;

pub(super) const MAGIC: &[u8] = b"age-encryption.org/";
const VERSION: &[u8] = b"v1";
const COLUMNS: usize = 64;
const MAC_LEN: usize = 32;

/// The stanzas of the header and its length in bytes, with the line of the checksum.
pub(super) fn parse(bytes: &[u8], max_stanzas: usize) -> Result<(Vec<Stanza>, usize), KeyError> {
    let mut lines = Lines { bytes, at: 0 };
    check_version(lines.next_line()?)?;
    let mut stanzas = Vec::new();
    loop {
        let line = lines.next_line()?;
        if let Some(mac) = line.strip_prefix(b"--- ") {
            check_mac(mac)?;
            break;
        }
        if stanzas.len() == max_stanzas {
            return Err(KeyError::Header("too many stanzas"));
        }
        stanzas.push(parse_stanza(line, &mut lines)?);
    }
    if stanzas.is_empty() {
        return Err(KeyError::Header("no recipient in it"));
    }
    Ok((stanzas, lines.at))
}

struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Lines<'b> {
    fn next_line(&mut self) -> Result<&'b [u8], KeyError> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|&byte| byte == b'\n').ok_or(KeyError::Header("it ends too early"))?;
        self.at += len + 1;
        Ok(&rest[..len])
    }
}

fn check_version(line: &[u8]) -> Result<(), KeyError> {
    match line.strip_prefix(MAGIC) {
        Some(VERSION) => Ok(()),
        Some(_) => Err(KeyError::Header("unknown version")),
        None => Err(KeyError::Header("not an age file")),
    }
}

fn check_mac(mac: &[u8]) -> Result<(), KeyError> {
    match decode(mac) {
        Some(mac) if mac.len() == MAC_LEN => Ok(()),
        _ => Err(KeyError::Header("its checksum is malformed")),
    }
}

fn parse_stanza(line: &[u8], lines: &mut Lines<'_>) -> Result<Stanza, KeyError> {
    let words = line.strip_prefix(b"-> ").ok_or(KeyError::Header("a line that starts no stanza"))?;
    let mut words = words.split(|&byte| byte == b' ').map(parse_word);
    let tag = words.next().unwrap_or(Err(KeyError::Header("a stanza without a type")))?;
    let args = words.collect::<Result<_, _>>()?;
    Ok(Stanza { tag, args, body: parse_body(lines)? })
}

fn parse_word(word: &[u8]) -> Result<String, KeyError> {
    match std::str::from_utf8(word) {
        Ok(word) if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(word.into()),
        _ => Err(KeyError::Header("a stanza argument is malformed")),
    }
}

/// Body lines are full but for the last, which must be shorter, so a body always ends visibly.
fn parse_body(lines: &mut Lines<'_>) -> Result<Vec<u8>, KeyError> {
    let mut body = Vec::new();
    loop {
        let line = lines.next_line()?;
        if line.len() > COLUMNS {
            return Err(KeyError::Header("a stanza line is too long"));
        }
        body.extend(decode(line).ok_or(KeyError::Header("a stanza body is not canonical base64"))?);
        if line.len() < COLUMNS {
            return Ok(body);
        }
    }
}

/// Base64 without padding, canonical only.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    BASE64_STANDARD_NO_PAD.decode(text).ok()
}
