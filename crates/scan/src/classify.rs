//! The value classifier: is what stands beside a telling name a secret, or something else?

pub(crate) mod name;
pub(crate) mod placeholder;
pub(crate) mod random;

use crate::check::base58::decode_checked;
use crate::finding::Confidence;
use crate::work;
use name::Kind;
use placeholder::{
    is_crypt_hash, is_file, is_name_of_something, is_placeholder, is_reference, is_typed_sample, is_uuid,
};
use random::{Alphabet, Counts, alphabet, has_random_part, is_random, is_varied, spelling};

/// How sure it is that `value`, named by a name of `kind`, is a secret; `None` if it is not.
pub(crate) fn judge(kind: Kind, value: &[u8]) -> Option<Confidence> {
    work::count(value.len());
    if value.len() < 6 || value.len() > 1024 || is_placeholder(value) || is_reference(value) {
        return None;
    }
    // Under a plain name for a secret a value is one, whatever its prefix says: `token = …` with a damaged checksum may
    // be cut or mistyped. Elsewhere such a value is a sample.
    let named = matches!(kind, Kind::Secret | Kind::Key) && has_checksum(value);
    if has_own_rule(value) && !named {
        return None;
    }
    if value.iter().any(|byte| *byte < 0x20) || !value.is_ascii() && std::str::from_utf8(value).is_err() {
        return None;
    }
    if is_crypt_hash(value) {
        return Some(Confidence::Low);
    }
    match kind {
        Kind::Password => password(value),
        Kind::Secret => secret(value),
        Kind::Key => key(value),
        Kind::Auth if value.starts_with(b"user:") || value.starts_with(b"username:") => None,
        Kind::Auth => secret(value),
        Kind::Weak => secret(value).filter(|sure| *sure > Confidence::Low).map(|_| Confidence::Low),
    }
}

/// Formats whose own rule decides, by checksum or structure: what it refuses is refused.
pub(crate) fn has_own_rule(value: &[u8]) -> bool {
    let dots = value.iter().filter(|byte| **byte == b'.').count();
    let token = value.starts_with(b"eyJ") && (dots == 2 || value.ends_with(b".{"))
        || memchr::memmem::find(value, b"{\"").is_some();
    has_checksum(value) || token || value.starts_with(b"-----BEGIN")
}

/// Whether a value has the prefix of a token that ends in a checksum.
pub(crate) fn has_checksum(value: &[u8]) -> bool {
    let starts = [&b"ghp_"[..], b"gho_", b"ghu_", b"ghs_", b"ghr_", b"npm_"];
    value.len() >= 40 && starts.iter().any(|start| value.starts_with(start))
}

/// Whether a value is a Bitcoin key in wallet import format but for its checksum.
pub(crate) fn is_mistyped_wallet_key(value: &[u8]) -> bool {
    let form = matches!((value.len(), value.first()), (51, Some(b'5')) | (52, Some(b'K' | b'L')));
    let spelled = || value.iter().all(|byte| byte.is_ascii_alphanumeric() && !b"0OIl".contains(byte));
    form && spelled() && decode_checked(value).is_none()
}

/// Passwords are typed or drawn: anything that is not a word, a name or a sample.
fn password(value: &[u8]) -> Option<Confidence> {
    if value.contains(&b' ') {
        return is_app_password(value).then_some(Confidence::Medium);
    }
    if is_name_of_something(value) || mentions_itself(value) {
        return None;
    }
    if is_digest(value) {
        return Some(Confidence::Low);
    }
    if value.len() >= 16 && is_random(value) || is_uuid(value) {
        return Some(Confidence::Medium);
    }
    if is_typed_sample(value) {
        return Some(Confidence::Low);
    }
    let counts = Counts::of(value);
    let classes = counts.classes();
    let typed = classes >= 3 && value.len() >= 8 && counts.digits + counts.symbols > 0 && !is_spelled_out(value);
    let drawn = value.len() >= 10 && counts.turns >= 2 && spelling(value) < 0.6;
    let unspelled = value.len() >= 12 && spelling(value) < -0.8 && counts.lower + counts.upper >= 8;
    if typed || drawn || unspelled { Some(Confidence::Medium) } else { Some(Confidence::Low) }
}

/// Words joined by signs without any digit, in one case or as titles: a name, a label, an option.
fn is_spelled_out(value: &[u8]) -> bool {
    let counts = Counts::of(value);
    let joined = value.iter().all(|byte| byte.is_ascii_alphabetic() || b"-_.:/,".contains(byte));
    joined && counts.digits == 0 && spelling(value) > 0.0
}

/// Four groups of four letters, as mail providers make them.
fn is_app_password(value: &[u8]) -> bool {
    let groups: Vec<&[u8]> = value.split(|byte| *byte == b' ').collect();
    groups.len() == 4
        && groups.iter().all(|group| group.len() == 4 && group.iter().all(u8::is_ascii_lowercase))
        && spelling(value) < -0.3
}

/// A value that holds a word for secrets names one.
fn mentions_itself(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let words: &[&[u8]] = &[
        b"password",
        b"passwd",
        b"passphrase",
        b"secret",
        b"token",
        b"apikey",
        b"api-key",
        b"api_key",
        b"credential",
        b"private-key",
        b"passwort",
    ];
    words.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
}

/// Drawn text of 16 characters or more.
fn secret(value: &[u8]) -> Option<Confidence> {
    if value.contains(&b' ') || is_digest(value) && value.len() < 32 {
        return None;
    }
    if is_uuid(value) {
        return Some(Confidence::Medium);
    }
    if is_row_of_words(value) {
        return None;
    }
    let strong = value.len() >= 16 && is_random(value) || is_prefixed(value);
    if !strong && (is_name_of_something(value) || mentions_itself(value)) || names_something_long(value) {
        return None;
    }
    if strong {
        let counts = Counts::of(value);
        let short = value.len() < 20 && counts.classes() < 3;
        return Some(if short { Confidence::Low } else { Confidence::Medium });
    }
    let counts = Counts::of(value);
    let typed =
        value.len() >= 10 && counts.classes() == 4 && counts.symbols <= value.len() / 2 && !is_typed_sample(value);
    let signs = value.iter().any(|byte| byte.is_ascii_punctuation() && !b"_-.:/".contains(byte));
    Some(if typed && signs && counts.digits >= 2 && spelling(value) < 1.5 {
        Confidence::Medium
    } else {
        Confidence::Low
    })
}

/// Whether a value is a drawn one of 16 to 19 small letters and digits, or of 12 to 19 in both cases: too little by itself,
/// enough beside a name that leaves no doubt.
pub(crate) fn is_short_key(value: &[u8]) -> bool {
    let counts = Counts::of(value);
    let drawn = counts.symbols == 0 && counts.lower > 0 && counts.digits >= 2 && counts.turns >= 3 && is_random(value);
    let shortest = if counts.upper > 0 { 12 } else { 16 };
    drawn && (shortest..20).contains(&value.len())
}

/// What was drawn behind a vendor's prefix: `live_…`, `acme_pat_…`.
fn is_prefixed(value: &[u8]) -> bool {
    let at = value.iter().rposition(|byte| *byte == b'_').unwrap_or(0);
    let prefix = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    (2..=24).contains(&at) && value[..at].iter().all(prefix) && value.len() - at > 24 && is_random(&value[at + 1..])
}

/// Three words or more joined by signs, and little else: `MICROSOFT_PCP_KSP_RSA_SEAL_KEY_3BD1`.
fn is_row_of_words(value: &[u8]) -> bool {
    let bare = |part: &'_ [u8]| part.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
    let words = value.split(|byte| b"_-./: ".contains(byte)).map(|part| &part[..bare(part)]).filter(|part| {
        part.len() >= 3 && part.iter().all(u8::is_ascii_alphabetic) && (part.len() < 5 || spelling(part) > -0.3)
    });
    let (mut count, mut letters, mut spelled) = (0, 0, false);
    for word in words {
        count += 1;
        letters += word.len();
        spelled |= word.len() >= 5 && spelling(word) > 0.0;
    }
    count >= 3 && spelled && letters * 3 >= value.len()
}

/// Paths and dotted names stay names however long they are.
fn names_something_long(value: &[u8]) -> bool {
    is_name_of_something(value)
        && !matches!(alphabet(value), Alphabet::Hex | Alphabet::Alphanumeric)
        && spelling(value) > -0.3
}

/// A name that ends in `key` without saying of what: only what cannot be anything else.
fn key(value: &[u8]) -> Option<Confidence> {
    let strong = value.len() >= 24 && is_random(value) && is_varied(value);
    let mixed = Counts::of(value).classes() >= 3 && !value.contains(&b' ');
    if is_uuid(value) || !strong || is_row_of_words(value) || is_file(value) {
        return None;
    }
    Some(if mixed { Confidence::Medium } else { Confidence::Low })
}

/// Decimal digits only: no key, a poor password.
fn is_digest(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.' || *byte == b'-')
}

/// Whether a match of `vendor … name … value` is a secret's: the name is of a secret, and the value is drawn.
pub(crate) fn vendor_match(matched: &[u8], value: &[u8]) -> bool {
    let drawn = is_uuid(value) && is_varied(value) || has_random_part(value);
    names_secret(matched, value) && !is_placeholder(value) && !is_reference(value) && drawn
}

/// Whether what stands before a value is the name of a secret, and not of its id or place.
pub(crate) fn names_secret(matched: &[u8], value: &[u8]) -> bool {
    let end = memchr::memmem::rfind(matched, value).unwrap_or(0);
    let before = &matched[..end];
    let sign = before.iter().rposition(|byte| b"=:,>".contains(byte)).unwrap_or(end);
    let named = name::Name::of(before[..sign].trim_ascii());
    !named.is_of_something_else() && named.kind().is_some_and(|kind| kind != Kind::Weak)
}
