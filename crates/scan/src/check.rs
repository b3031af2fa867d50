//! Judgements that a regular expression cannot make: checksums and structures of tokens, offline.
//!
//! `check = "name"` in a rule's record names a function of this room.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::classify::placeholder::is_placeholder;
use crate::classify::random::is_varied;
use crate::finding::{Confidence, Severity};
use crate::rule::{Suspect, Verdict};

pub(crate) mod base58;
pub(crate) mod bech32;
pub(crate) mod crc;
pub(crate) mod jwt;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Base64 of either alphabet, padded or not; `None` if it is none.
pub(crate) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    if url_safe { URL_SAFE.decode(text).ok() } else { STANDARD.decode(text).ok() }
}

/// What every rule with a prefix asks: no sample text, no run of one character.
pub(crate) fn plausible(suspect: &Suspect<'_>) -> Verdict {
    yes_if(!is_placeholder(suspect.secret) && is_varied(suspect.secret))
}

/// GitHub's and npm's tokens end in a checksum of their last 36 characters' first 30. A mismatch cannot be real.
pub(crate) fn crc32_base62(suspect: &Suspect<'_>) -> Verdict {
    let Some(start) = suspect.secret.len().checked_sub(36) else { return Verdict::No };
    let (body, sum) = suspect.secret[start..].split_at(30);
    yes_if(crc::base62(body) == sum)
}

/// GitHub's newer installation tokens are longer and carry no known checksum; those of 40 characters do.
pub(crate) fn github_installation(suspect: &Suspect<'_>) -> Verdict {
    if suspect.secret.len() == 40 { crc32_base62(suspect) } else { plausible(suspect) }
}

/// An age identity whose Bech32 checksum fails may be a slip of the pen: still worth a look.
pub(crate) fn age_identity(suspect: &Suspect<'_>) -> Verdict {
    let lower = suspect.secret.to_ascii_lowercase();
    if bech32::is_valid(&lower) {
        return Verdict::Yes;
    }
    match is_varied(&lower[16..]) && !is_placeholder(&lower[16..]) {
        true => Verdict::As(Confidence::Medium, Severity::Critical),
        false => Verdict::No,
    }
}

/// A Bitcoin private key in wallet import format: Base58 with the version byte 0x80 and four bytes of checksum.
pub(crate) fn wallet_import_format(suspect: &Suspect<'_>) -> Verdict {
    let decoded = base58::decode_checked(suspect.secret);
    yes_if(decoded.is_some_and(|bytes| bytes.first() == Some(&0x80) && matches!(bytes.len(), 33 | 34)))
}

/// A JSON web token: the header names an algorithm, and it is not a sample nor meant for the public.
pub(crate) fn json_web_token(suspect: &Suspect<'_>) -> Verdict {
    jwt::judge(suspect.secret)
}

/// An AWS key id; those of the documentation end in EXAMPLE. Base32 that is no account number is made up.
pub(crate) fn aws_key_id(suspect: &Suspect<'_>) -> Verdict {
    let tail = &suspect.secret[4..];
    yes_if(!tail.ends_with(b"EXAMPLE") && is_varied(tail) && aws_account(tail).is_none_or(|account| account != 0))
}

/// The account number that a key id made since 2019 carries (its first character is I or later); `None` for older ones.
fn aws_account(tail: &[u8]) -> Option<u64> {
    let mut bits = 0_u64;
    for byte in tail.get(..10)? {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u64::from(digit);
    }
    let number = bits >> 2;
    (number >> 47 & 1 == 1).then_some((number & 0x7fff_ffff_ffff) >> 7)
}

/// A Discord bot token: its first part is a snowflake's decimal digits in base64.
pub(crate) fn discord_bot(suspect: &Suspect<'_>) -> Verdict {
    let first = suspect.secret.split(|byte| *byte == b'.').next().unwrap_or_default();
    let digits = from_base64(first).is_some_and(|id| id.len() >= 15 && id.iter().all(u8::is_ascii_digit));
    yes_if(digits)
}

/// The base64 of `user:password`; a sample password is none.
pub(crate) fn basic_credentials(suspect: &Suspect<'_>) -> Verdict {
    yes_if(credentials_in_base64(suspect.secret))
}

/// Whether base64 text holds `user:password` in printable characters.
pub(crate) fn credentials_in_base64(text: &[u8]) -> bool {
    let Some(plain) = from_base64(text) else { return false };
    let Some(colon) = plain.iter().position(|byte| *byte == b':') else { return false };
    let password = &plain[colon + 1..];
    let Ok(readable) = std::str::from_utf8(&plain) else { return false };
    let printable = readable.chars().all(|letter| !letter.is_control());
    printable && password.len() >= 4 && !is_placeholder(password) && !is_sample_password(password)
}

/// Passwords that manuals use.
fn is_sample_password(password: &[u8]) -> bool {
    let lower = password.to_ascii_lowercase();
    matches!(&lower[..], b"open sesame" | b"opensesame" | b"secret" | b"world" | b"passwd" | b"pass" | b"pencil")
}

/// A Sentry organisation token: `sntrys_`, base64 JSON that names its host and organisation, a tail.
pub(crate) fn sentry_organisation(suspect: &Suspect<'_>) -> Verdict {
    let body = suspect.secret.strip_prefix(b"sntrys_").unwrap_or_default();
    let body = body.split(|byte| *byte == b'_').next().unwrap_or_default();
    let json = from_base64(body).and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    yes_if(json.is_some_and(|json| json.get("iat").is_some() && json.get("org").is_some()))
}

/// A Kubernetes-style or Grafana-style base64 JSON object.
pub(crate) fn base64_json(suspect: &Suspect<'_>) -> Verdict {
    let start = suspect.secret.windows(3).position(|three| three == b"eyJ").unwrap_or(0);
    let text = from_base64(&suspect.secret[start..]).unwrap_or_default();
    yes_if(serde_json::from_slice::<serde_json::Value>(&text).is_ok())
}

/// A value beside a vendor's name: the name must not be that of an id, and the value must be as random as a key is.
pub(crate) fn named(suspect: &Suspect<'_>) -> Verdict {
    yes_if(crate::classify::vendor_match(suspect.matched, suspect.secret))
}

fn yes_if(condition: bool) -> Verdict {
    if condition { Verdict::Yes } else { Verdict::No }
}
