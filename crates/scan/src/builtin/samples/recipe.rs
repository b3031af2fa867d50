//! Expands a sample's recipe: literal text with `{kind:length}` parts. `@path` on a first line of its own names the
//! file. The generator is seeded by the rule's id, so that a failure comes back.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::check::crc;

const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The path, if one is named, and the text.
pub(super) fn expand(recipe: &str, seed: &str) -> (Option<String>, Vec<u8>) {
    let (path, recipe) = match recipe.strip_prefix('@').and_then(|rest| rest.split_once('\n')) {
        Some((path, rest)) => (Some(path.to_owned()), rest),
        None => (None, recipe),
    };
    let mut random = Random { seed: seed.to_owned(), round: 0, pool: Vec::new() };
    (path, parts(recipe, &mut random).into_bytes())
}

fn parts(recipe: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let mut rest = recipe;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let Some((end, text)) = part(&rest[open + 1..], &out, random) else {
            out.push('{');
            rest = &rest[open + 1..];
            continue;
        };
        out.push_str(&text);
        rest = &rest[open + 1 + end..];
    }
    out + rest
}

/// The part after an opening brace, and where it ends; `None` if that brace is a literal one.
fn part(rest: &str, before: &str, random: &mut Random) -> Option<(usize, String)> {
    if let Some(inner) = rest.strip_prefix("b64of:").or(rest.strip_prefix("u64of:")) {
        let end = closing(inner)?;
        let plain = parts(&inner[..end], random);
        let engine = if rest.starts_with('b') { &STANDARD } else { &URL_SAFE_NO_PAD };
        return Some((6 + end + 1, engine.encode(plain)));
    }
    let end = rest.find('}')?;
    let (kind, argument) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
    let length = argument.parse::<usize>().ok();
    let text = match (kind, length) {
        ("crc", None) => crc::base62(&before.as_bytes()[before.len() - 30..]).to_vec(),
        ("uuid", None) => uuid(random),
        ("age", None) => bech32("AGE-SECRET-KEY-", &random.bytes(32)),
        ("agepq", None) => bech32("AGE-SECRET-KEY-PQ-", &random.bytes(32)),
        ("wif", None) => wif(&random.bytes(32)),
        ("plugin", Some(length)) => bech32("AGE-PLUGIN-YUBIKEY-", &random.bytes(length)),
        ("counted", None) => STANDARD.encode((0..48).collect::<Vec<u8>>()).into_bytes(),
        ("der", Some(length)) => der(random, length),
        ("bytes64", Some(length)) => STANDARD.encode(random.bytes(length)).into_bytes(),
        ("nz", Some(length)) => [random.text("123456789", 1), random.text(DIGITS, length.saturating_sub(1))].concat(),
        (_, Some(length)) => random.text(&alphabet(kind)?, length),
        _ => return None,
    };
    Some((end + 1, String::from_utf8(text).expect("parts are ASCII")))
}

/// Where the brace closes that stands open before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn alphabet(kind: &str) -> Option<String> {
    Some(match kind {
        "d" => DIGITS.to_owned(),
        "x" => HEX.to_owned(),
        "X" => HEX.to_ascii_uppercase(),
        "U" => UPPER.to_owned(),
        "L" => LOWER.to_owned(),
        "A" => [UPPER, LOWER].concat(),
        "an" => [UPPER, LOWER, DIGITS].concat(),
        "un" => [UPPER, DIGITS].concat(),
        "ln" => [LOWER, DIGITS].concat(),
        "w" => [UPPER, LOWER, DIGITS, "_"].concat(),
        "u" => [UPPER, LOWER, DIGITS, "_-"].concat(),
        "b64" => [UPPER, LOWER, DIGITS, "+/"].concat(),
        "b58" => BASE58.to_owned(),
        "b32" => [UPPER, "234567"].concat(),
        "bech" => BECH.to_owned(),
        "dj" => [LOWER, DIGITS, "!@#$%^&*(-_=+)"].concat(),
        "pw" => [UPPER, LOWER, DIGITS, "!#%^*+="].concat(),
        _ => return None,
    })
}

fn uuid(random: &mut Random) -> Vec<u8> {
    [8, 4, 4, 4, 12].map(|length| random.text(HEX, length)).join(&b'-')
}

/// A DER sequence of `length` bytes in base64, on lines of 64.
fn der(random: &mut Random, length: usize) -> Vec<u8> {
    let mut bytes = vec![0x30, 0x82, (length >> 8) as u8, length as u8, 0x02, 0x01, 0x00];
    bytes.extend(random.bytes(length - 3));
    let text = STANDARD.encode(bytes).into_bytes();
    text.chunks(64).collect::<Vec<_>>().join(&b'\n')
}

fn bech32(hrp: &str, data: &[u8]) -> Vec<u8> {
    let mut groups = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in data {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            groups.push((bits >> count & 31) as u8);
        }
    }
    if count > 0 {
        groups.push((bits << (5 - count) & 31) as u8);
    }
    let lower = hrp.to_ascii_lowercase();
    let tail = crate::check::bech32::checksum(lower.as_bytes(), &groups);
    let text = groups.iter().chain(&tail).map(|group| BECH.as_bytes()[usize::from(*group)].to_ascii_uppercase());
    hrp.bytes().chain([b'1']).chain(text).collect()
}

fn wif(key: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80];
    bytes.extend(key);
    bytes.push(1);
    let sum = Sha256::digest(Sha256::digest(&bytes));
    bytes.extend(&sum[..4]);
    crate::check::base58::encode(&bytes)
}

struct Random {
    seed: String,
    round: u64,
    pool: Vec<u8>,
}

impl Random {
    fn byte(&mut self) -> u8 {
        if self.pool.is_empty() {
            self.pool = Sha256::digest(format!("{} {}", self.seed, self.round)).to_vec();
            self.round += 1;
        }
        self.pool.pop().expect("just filled")
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }

    fn text(&mut self, alphabet: &str, length: usize) -> Vec<u8> {
        let letters = alphabet.as_bytes();
        (0..length)
            .map(|_| letters[(usize::from(self.byte()) * 256 + usize::from(self.byte())) % letters.len()])
            .collect()
    }
}
