//! One encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.
//!
//! AES-256-GCM with a 32-byte nonce (J0 by GHASH, NIST SP 800-38D section 7.1). The additional data is the
//! path of the value, each key followed by a colon; positions in lists are not part of it.

use aes_gcm::AesGcm;
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::aead::generic_array::typenum::U32;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::aes::Aes256;
use document::{Value, number};
use secret::{DataKey, Random, SecretBytes};
use zeroize::Zeroizing;

use crate::base64;

/// What kind of value a ciphertext holds; written as `type:` and bound by nothing but the MAC's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Text or bytes.
    Str,
    /// 64-bit integer, decimal.
    Int,
    /// Double.
    Float,
    /// Boolean.
    Bool,
    /// RFC 3339 time.
    Time,
    /// Comment text.
    Comment,
}

impl Kind {
    /// The word in the token.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Comment => "comment",
        }
    }

    /// Reads the word; `bytes` (files of the Python era) counts as text.
    fn parse(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"str" | b"bytes" => Self::Str,
            b"int" => Self::Int,
            b"float" => Self::Float,
            b"bool" => Self::Bool,
            b"time" => Self::Time,
            b"comment" => Self::Comment,
            _ => return None,
        })
    }
}

/// Why a token could not be opened. Says nothing about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The text is not an `ENC[…]` token.
    #[error("is not encrypted, but the file's rules say it must be")]
    NotEncrypted,
    /// The token is cut or its base64 is broken.
    #[error("has a damaged ENC[…] token")]
    Damaged,
    /// The token names a type that does not exist.
    #[error("has an ENC[…] token of unknown type")]
    UnknownType,
    /// Wrong key, moved or changed ciphertext.
    #[error("does not decrypt here: it was changed, or moved from another place")]
    Unauthentic,
    /// Decrypted, but the plaintext does not read as the type that the token names.
    #[error("decrypts to something that is not of the type its token names")]
    WrongType,
}

/// The cipher of one file: the data key's schedule, made once.
pub(crate) struct Cipher(AesGcm<Aes256, U32>, Zeroizing<[u8; 32]>);

/// Length of the nonces that we write.
pub(crate) const NONCE: usize = 32;

impl Cipher {
    /// A cipher with the file's data key.
    pub(crate) fn new(key: &DataKey) -> Self {
        Self(AesGcm::new(GenericArray::from_slice(key.expose())), Zeroizing::new(*key.expose()))
    }

    /// Encrypts `plaintext` (not empty) under `aad` with a fresh nonce into a token.
    pub(crate) fn seal(&self, kind: Kind, plaintext: &[u8], aad: &[u8], rng: &mut dyn Random) -> String {
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce);
        let mut data = Zeroizing::new(plaintext.to_vec());
        let tag = self
            .0
            .encrypt_in_place_detached(GenericArray::from_slice(&nonce), aad, &mut data)
            .expect("values are far below GCM's limit of 64 GiB");
        let mut token = Vec::with_capacity(base64::length(data.len()) + 110);
        token.extend_from_slice(TOKEN);
        base64::append(&data, &mut token);
        token.extend_from_slice(b",iv:");
        base64::append(&nonce, &mut token);
        token.extend_from_slice(b",tag:");
        base64::append(&tag, &mut token);
        token.extend_from_slice(b",type:");
        token.extend_from_slice(kind.name().as_bytes());
        token.push(b']');
        String::from_utf8(token).expect("base64 and names are ASCII")
    }

    /// Opens `token` under `aad`: its kind and the exact bytes that were encrypted.
    ///
    /// # Errors
    /// [`ValueError`], without a hint at the content.
    pub(crate) fn open(&self, token: &[u8], aad: &[u8]) -> Result<(Kind, SecretBytes), ValueError> {
        let Decoded { kind, mut data, nonce, tag } = Decoded::parse(token)?;
        let opened = self.decrypt(&nonce, aad, &mut data, &tag);
        let data = SecretBytes::new(data);
        opened.map(|()| (kind, data))
    }

    /// The same in the token's own allocation, for large ones.
    ///
    /// # Errors
    /// As [`Cipher::open`].
    pub(crate) fn open_large(&self, token: SecretBytes, aad: &[u8]) -> Result<(Kind, SecretBytes), ValueError> {
        let parts = Parts::parse(token.expose()).ok_or(ValueError::NotEncrypted)?;
        let (kind, nonce, tag) = parts.small()?;
        let start = TOKEN.len();
        let length = parts.data.len();
        let mut bytes = Zeroizing::new(token.into_inner());
        let decoded = decode_in_place(&mut bytes, start, length).ok_or(ValueError::Damaged)?;
        bytes.truncate(decoded);
        self.decrypt(&nonce, aad, &mut bytes, &tag)?;
        Ok((kind, SecretBytes::new(std::mem::take(&mut *bytes))))
    }

    fn decrypt(&self, nonce: &[u8], aad: &[u8], data: &mut [u8], tag: &[u8]) -> Result<(), ValueError> {
        let tag = GenericArray::from_slice(tag);
        let opened = if nonce.len() == NONCE {
            self.0.decrypt_in_place_detached(GenericArray::from_slice(nonce), aad, data, tag)
        } else {
            let cipher = aes_gcm::Aes256Gcm::new(GenericArray::from_slice(self.1.as_ref()));
            cipher.decrypt_in_place_detached(GenericArray::from_slice(nonce), aad, data, tag)
        };
        opened.map_err(|_| ValueError::Unauthentic)
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(..)")
    }
}

/// The four fields of a token.
struct Parts<'a> {
    data: &'a [u8],
    iv: &'a [u8],
    tag: &'a [u8],
    kind: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Splits a token as SOPS' greedy pattern does for well-formed ones; text after `]` is ignored.
    fn parse(token: &'a [u8]) -> Option<Self> {
        let rest = token.strip_prefix(TOKEN)?;
        let (data, rest) = split(rest, b",iv:")?;
        let (iv, rest) = split(rest, b",tag:")?;
        let (tag, rest) = split(rest, b",type:")?;
        let (kind, _) = split(rest, b"]")?;
        [data, iv, tag, kind].iter().all(|part| !part.is_empty()).then_some(Self { data, iv, tag, kind })
    }

    /// The fields beside the data, with their lengths checked.
    fn small(&self) -> Result<(Kind, Short, Short), ValueError> {
        let kind = Kind::parse(self.kind).ok_or(ValueError::UnknownType)?;
        let short = |text: &[u8]| Short::decode(text).ok_or(ValueError::Damaged);
        let (nonce, tag) = (short(self.iv)?, short(self.tag)?);
        let fits = tag.len() == 16 && (nonce.len() == NONCE || nonce.len() == 12);
        if fits { Ok((kind, nonce, tag)) } else { Err(ValueError::Damaged) }
    }
}

/// A token with its base64 undone and its lengths checked.
struct Decoded {
    kind: Kind,
    data: Vec<u8>,
    nonce: Short,
    tag: Short,
}

/// A nonce of 12 or 32 bytes, or a tag of 16.
struct Short([u8; 48], usize);

impl Short {
    fn decode(text: &[u8]) -> Option<Self> {
        let mut out = [0; 48];
        let length = base64::decode_into(text, &mut out)?;
        Some(Self(out, length))
    }
}

impl std::ops::Deref for Short {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

impl Decoded {
    fn parse(token: &[u8]) -> Result<Self, ValueError> {
        let parts = Parts::parse(token).ok_or(ValueError::NotEncrypted)?;
        let (kind, nonce, tag) = parts.small()?;
        let data = base64::decode(parts.data).ok_or(ValueError::Damaged)?;
        Ok(Self { kind, data, nonce, tag })
    }
}

/// What every token starts with.
const TOKEN: &[u8] = b"ENC[AES256_GCM,data:";

/// Decodes `length` characters of base64 from `start` to the front of `bytes`: the decoded length.
fn decode_in_place(bytes: &mut [u8], start: usize, length: usize) -> Option<usize> {
    const STEP: usize = 64 * 1024;
    let mut part = Zeroizing::new(vec![0; STEP / 4 * 3]);
    let (mut read, mut written) = (start, 0);
    let end = start + length;
    while read < end {
        let next = end.min(read + STEP);
        let decoded = base64::decode_into(&bytes[read..next], &mut part)?;
        // Only the last step may end with padding.
        if next < end && decoded != part.len() {
            return None;
        }
        bytes[written..written + decoded].copy_from_slice(&part[..decoded]);
        (read, written) = (next, written + decoded);
    }
    Some(written)
}

/// Whether `token` could be opened by some key: its parts are there, of the right lengths and of a known type.
///
/// # Errors
/// [`ValueError`] with what is wrong.
pub fn check_shape(token: &[u8]) -> Result<(), ValueError> {
    Decoded::parse(token).map(drop)
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    // A searcher would take longer to make than a token to read, and the first byte is rarely in vain.
    let index = memchr::memchr_iter(*at.first()?, text).find(|index| text[*index..].starts_with(at))?;
    Some((&text[..index], &text[index + at.len()..]))
}

/// Whether `text` has the shape of an encrypted value.
pub fn is_token(text: &[u8]) -> bool {
    Parts::parse(text).is_some()
}

/// The kind of a leaf and the bytes that SOPS hashes and encrypts for it; `None` for what is never encrypted
/// and never hashed (null, collections).
pub(crate) fn canonical(value: &Value) -> Option<(Kind, Zeroizing<Vec<u8>>)> {
    let (kind, bytes) = match value {
        Value::Str(bytes) => (Kind::Str, bytes.expose().to_vec()),
        Value::Int(int) => (Kind::Int, int.to_string().into_bytes()),
        Value::Float(float) => (Kind::Float, number::positional(*float).into_bytes()),
        Value::Bool(bool) => (Kind::Bool, if *bool { b"True".to_vec() } else { b"False".to_vec() }),
        Value::Time(time) => (Kind::Time, time.as_bytes().to_vec()),
        Value::Null | Value::Map(_) | Value::List(_) => return None,
    };
    Some((kind, Zeroizing::new(bytes)))
}

/// The value that decrypted bytes stand for, read as Go reads them.
///
/// # Errors
/// [`ValueError::WrongType`] when they do not read as `kind`.
pub(crate) fn read(kind: Kind, bytes: SecretBytes) -> Result<Value, ValueError> {
    let text = || bytes.expose_str().ok_or(ValueError::WrongType);
    Ok(match kind {
        Kind::Str | Kind::Comment => Value::Str(bytes),
        Kind::Int => Value::Int(go_int(text()?).ok_or(ValueError::WrongType)?),
        Kind::Float => Value::Float(go_float(text()?).ok_or(ValueError::WrongType)?),
        Kind::Bool => Value::Bool(go_bool(text()?).ok_or(ValueError::WrongType)?),
        Kind::Time => Value::Time(crate::timestamp::canonical_time(text()?).ok_or(ValueError::WrongType)?.into()),
    })
}

/// Go's `strconv.Atoi`.
pub(crate) fn go_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Go's `strconv.ParseFloat` for decimal texts without underscores; overflow is an error.
pub(crate) fn go_float(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = body.to_ascii_lowercase();
    let negative = text.starts_with('-');
    if lower == "inf" || lower == "infinity" {
        return Some(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if lower == "nan" {
        return (body.len() == text.len()).then_some(f64::NAN);
    }
    if !body.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite())
}

/// Go's `strconv.ParseBool`.
pub(crate) fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u8);
    impl Random for Counter {
        fn fill(&mut self, buffer: &mut [u8]) {
            for byte in buffer {
                self.0 = self.0.wrapping_add(1);
                *byte = self.0;
            }
        }
    }

    fn cipher() -> Cipher {
        Cipher::new(&DataKey::try_from(SecretBytes::new(vec![7; 32])).unwrap())
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place() {
        let token = cipher().seal(Kind::Int, b"42", b"a:b:", &mut Counter(0));
        let (kind, bytes) = cipher().open(token.as_bytes(), b"a:b:").unwrap();
        assert_eq!((kind, bytes.expose()), (Kind::Int, b"42".as_slice()));
        assert_eq!(cipher().open(token.as_bytes(), b"a:c:").unwrap_err(), ValueError::Unauthentic);
        let changed = token.replace("type:int", "type:pint");
        assert_eq!(cipher().open(changed.as_bytes(), b"a:b:").unwrap_err(), ValueError::UnknownType);
    }

    #[test]
    fn large_tokens_open_in_their_own_bytes() {
        for length in [1, 2, 3, 49_151, 49_152, 49_153, 200_000] {
            let plain = vec![b'p'; length];
            let token = cipher().seal(Kind::Str, &plain, b"data:", &mut Counter(0));
            let (kind, bytes) = cipher().open_large(SecretBytes::from(token.as_str()), b"data:").unwrap();
            assert!((kind, bytes.expose()) == (Kind::Str, &plain[..]), "{length}");
            let error = cipher().open_large(SecretBytes::from(token.as_str()), b"other:").unwrap_err();
            assert_eq!(error, ValueError::Unauthentic);
            let cut = token.replacen(",iv:", "=,iv:", 1);
            assert!(cipher().open_large(SecretBytes::from(cut.as_str()), b"data:").is_err(), "{length}");
        }
    }

    #[test]
    fn text_that_is_no_token_is_named_so() {
        for text in ["", "ENC[", "ENC[AES256_GCM,data:,iv:,tag:,type:]", "plain"] {
            assert_eq!(cipher().open(text.as_bytes(), b":").unwrap_err(), ValueError::NotEncrypted, "{text}");
        }
    }

    #[test]
    fn plaintexts_read_as_go_reads_them() {
        assert_eq!(go_int("+42"), Some(42));
        assert_eq!(go_int("007"), Some(7));
        assert_eq!(go_int("0x1F"), None);
        assert_eq!(go_int(" 1"), None);
        assert_eq!(go_float("1e3"), Some(1000.0));
        assert_eq!(go_float("+Inf"), Some(f64::INFINITY));
        assert_eq!(go_float("1e400"), None);
        assert_eq!(go_float("."), None);
        assert_eq!(go_bool("yes"), None);
    }
}
