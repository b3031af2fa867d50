//! Judgements that a regular expression cannot make: checksums and structures of tokens, offline.
//!
//! `check = "name"` in a rule's record names a function of this room.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::classify::judge;
use crate::classify::name::Kind;
use crate::classify::placeholder::{is_placeholder, is_reference, is_typed_sample, is_uuid};
use crate::classify::random::{Counts, has_random_part, is_random, is_varied, spelling};
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

/// A refresh token of GitHub: the shorter form carries the checksum.
pub(crate) fn github_refresh(suspect: &Suspect<'_>) -> Verdict {
    github_installation(suspect)
}

/// For formats whose prefix could begin a word: the rest must be drawn.
pub(crate) fn drawn(suspect: &Suspect<'_>) -> Verdict {
    yes_if(!is_placeholder(suspect.secret) && has_random_part(suspect.secret) && spelling(suspect.secret) < 0.3)
}

/// A vendor's name stands before it; the value is too short to look drawn by itself.
pub(crate) fn vendor_plausible(suspect: &Suspect<'_>) -> Verdict {
    let named = crate::classify::names_secret(suspect.matched, suspect.secret);
    let digits = suspect.secret.iter().any(u8::is_ascii_digit);
    yes_if(named && digits && !is_placeholder(suspect.secret) && is_varied(suspect.secret))
}

/// Nothing to ask: the structure says it all.
pub(crate) fn none(_: &Suspect<'_>) -> Verdict {
    Verdict::Yes
}

/// 40 characters of base64 beside a name: not hexadecimal, as a commit's id is, and drawn.
pub(crate) fn aws_secret(suspect: &Suspect<'_>) -> Verdict {
    let hex = suspect.secret.iter().all(u8::is_ascii_hexdigit);
    yes_if(!hex && is_random(suspect.secret) && crate::classify::vendor_match(suspect.matched, suspect.secret))
}

/// Azure's storage emulator has a key that everybody knows.
pub(crate) fn azure_storage(suspect: &Suspect<'_>) -> Verdict {
    if suspect.secret.starts_with(b"Eby8vdM02xNO") { Verdict::No } else { plausible(suspect) }
}

/// `user:password` of Bundler's settings.
pub(crate) fn bundler_credentials(suspect: &Suspect<'_>) -> Verdict {
    let colon = suspect.secret.iter().position(|byte| *byte == b':').unwrap_or(0);
    let password = &suspect.secret[colon + 1..];
    yes_if(password.len() >= 8 && !is_placeholder(password) && !is_typed_sample(password))
}

/// The address of a Slack webhook; the documentation's own holds zeros and the letter X.
pub(crate) fn slack_webhook(suspect: &Suspect<'_>) -> Verdict {
    let last = suspect.secret.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    yes_if(is_varied(last) && !is_placeholder(last))
}

/// A registry's token; npm's own have a rule with a checksum.
pub(crate) fn registry_token(suspect: &Suspect<'_>) -> Verdict {
    let other = suspect.secret.starts_with(b"npm_") || suspect.secret.starts_with(b"eyJ") || is_uuid(suspect.secret);
    yes_if(!other && !is_placeholder(suspect.secret) && is_random(suspect.secret))
}

/// A password that people typed where only passwords stand.
pub(crate) fn typed_password(suspect: &Suspect<'_>) -> Verdict {
    let braces = suspect.secret.starts_with(b"{") || suspect.secret.starts_with(b"!");
    match judge(Kind::Password, suspect.secret) {
        Some(confidence) if !braces => Verdict::As(confidence, Severity::High),
        _ => Verdict::No,
    }
}

/// A text of any characters that was drawn.
pub(crate) fn drawn_text(suspect: &Suspect<'_>) -> Verdict {
    yes_if(
        !suspect.secret.contains(&b' ') && !is_placeholder(suspect.secret) && is_random(suspect.secret)
            || is_salt(suspect.secret),
    )
}

/// WordPress' salts have blanks among their signs.
fn is_salt(text: &[u8]) -> bool {
    text.len() >= 60 && Counts::of(text).classes() == 4 && Counts::of(text).symbols >= 10 && spelling(text) < 0.0
}

/// Base64 that holds the armour of a private key.
pub(crate) fn base64_private_key(suspect: &Suspect<'_>) -> Verdict {
    let whole = suspect.secret.len() / 4 * 4;
    let text = from_base64(&suspect.secret[..whole]).unwrap_or_default();
    let holds = |part: &[u8]| memchr::memmem::find(&text[..text.len().min(80)], part).is_some();
    match (holds(b"PRIVATE KEY"), holds(b"ENCRYPTED PRIVATE KEY")) {
        (true, true) => Verdict::As(Confidence::High, Severity::Low),
        (true, false) => Verdict::Yes,
        _ => Verdict::No,
    }
}

/// 32 bytes in base64.
pub(crate) fn base64_key(suspect: &Suspect<'_>) -> Verdict {
    let drawn = is_random(suspect.secret) && !is_placeholder(suspect.secret);
    yes_if(drawn && from_base64(suspect.secret).is_some_and(|key| matches!(key.len(), 16 | 24 | 32 | 48 | 64)))
}

/// A minisign or signify secret key whose key-derivation bytes are zero is not encrypted.
pub(crate) fn minisign(suspect: &Suspect<'_>) -> Verdict {
    match from_base64(suspect.secret) {
        Some(key) if key.len() > 60 && key.get(2..4) == Some(&[0, 0]) => {
            Verdict::As(Confidence::High, Severity::Critical)
        }
        Some(key) if key.len() > 60 => Verdict::As(Confidence::High, Severity::Low),
        _ => Verdict::No,
    }
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

/// An age plugin's identity: the checksum fits, and it holds something beside it.
pub(crate) fn age_plugin_identity(suspect: &Suspect<'_>) -> Verdict {
    let lower = suspect.secret.to_ascii_lowercase();
    let data = lower.rsplit(|byte| *byte == b'1').next().unwrap_or_default();
    yes_if(data.len() > 6 && bech32::is_valid(&lower))
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

/// Whether base64 text holds `user:password` in printable characters.
pub(crate) fn credentials_in_base64(text: &[u8]) -> bool {
    let Some(plain) = from_base64(text) else { return false };
    let Some(colon) = plain.iter().position(|byte| *byte == b':') else { return false };
    let password = &plain[colon + 1..];
    let Ok(readable) = std::str::from_utf8(&plain) else { return false };
    let printable = readable.chars().all(|letter| !letter.is_control());
    printable
        && password.len() >= 4
        && !is_placeholder(password)
        && !is_sample_password(password)
        && !is_reference(password)
}

/// Passwords that manuals use.
fn is_sample_password(password: &[u8]) -> bool {
    let lower = password.to_ascii_lowercase();
    memchr::memmem::find(&lower, b"password").is_some()
        || is_typed_sample(password)
        || matches!(&lower[..], b"open sesame" | b"opensesame" | b"secret" | b"world" | b"passwd" | b"pass" | b"pencil")
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
