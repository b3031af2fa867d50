//! The post-quantum age key: `age1pq1…` and `AGE-SECRET-KEY-PQ-1…`, stanza `mlkem768x25519`.
//!
//! The age crate does not have it. Ours stands on the crate's traits: X-Wing is here, HPKE and the rest are theirs.

mod xwing;

use std::{collections::HashSet, fmt};

use age::secrecy::ExposeSecret;
use age_core::{
    format::{FILE_KEY_BYTES, FileKey, Stanza},
    primitives::{bech32_decode, bech32_encode, hpke_open, hpke_seal},
};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use hpke::{Deserializable, HpkeError, Serializable};
use rand_core::OsRng;
use secret::{Random, SecretBytes, SecretString};
use zeroize::Zeroizing;

use self::xwing::{EncappedKey, PrivateKey, PublicKey, XWing};
use super::KeyKind;
use crate::{Access, Identity, KeyError, Recipient, WrappedKey, age_file, short_recipient};

const NAME: &str = "hybrid";
const RECIPIENT_PREFIX: &str = "age1pq1";
const RECIPIENT_HRP: bech32::Hrp = bech32::Hrp::parse_unchecked("age1pq");
const IDENTITY_PREFIX: &str = "AGE-SECRET-KEY-PQ-1";
const IDENTITY_HRP: bech32::Hrp = bech32::Hrp::parse_unchecked("age-secret-key-pq-");
const STANZA: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// The file key and the tag of its encryption.
const BODY_LEN: usize = FILE_KEY_BYTES + 16;

/// The post-quantum age key.
pub(super) struct Hybrid;

impl KeyKind for Hybrid {
    fn recipient(&self, text: &str, _: &Access) -> Option<Result<Box<dyn Recipient>, KeyError>> {
        text.starts_with(RECIPIENT_PREFIX).then(|| Ok(Box::new(HybridRecipient::parse(text)?) as _))
    }

    fn identity(&self, text: &str, _: &Access) -> Option<Result<Box<dyn Identity>, KeyError>> {
        text.starts_with(IDENTITY_PREFIX).then(|| Ok(Box::new(HybridIdentity::parse(text)?) as _))
    }
}

/// A new key: the identity's text and its recipient.
pub(crate) fn generate(random: &mut dyn Random) -> (SecretString, String) {
    let mut seed = Zeroizing::new([0; 32]);
    random.fill(seed.as_mut());
    let mut text = bech32_encode(IDENTITY_HRP, seed.as_ref());
    text.make_ascii_uppercase();
    (SecretString::new(text), encode(PrivateKey::from_seed(&seed).public()))
}

fn encode(public: &PublicKey) -> String {
    bech32_encode(RECIPIENT_HRP, &public.to_bytes())
}

/// The bytes in a Bech32 text of any length with the prefix `hrp`.
fn decode(text: &str, hrp: bech32::Hrp) -> Option<Zeroizing<Vec<u8>>> {
    let check = |found| if found == hrp { Ok(()) } else { Err(()) };
    bech32_decode(text, |_| (), check, |_, bytes| Ok(Zeroizing::new(bytes.collect()))).ok()
}

struct HybridRecipient {
    text: String,
    key: PublicKey,
}

impl HybridRecipient {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let key = decode(text, RECIPIENT_HRP).and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
        let refuse = || KeyError::Recipient {
            recipient: short_recipient(text),
            why: "not a valid post-quantum recipient (mistyped or cut off?)",
        };
        Ok(Self { text: text.into(), key: key.ok_or_else(refuse)? })
    }
}

impl Recipient for HybridRecipient {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn id(&self) -> &str {
        &self.text
    }

    fn wrap(&self, key: &SecretBytes) -> Result<String, KeyError> {
        age_file::seal(self, key).map_err(|_| KeyError::Encrypt {
            recipient: short_recipient(&self.text),
            why: "the key could not be encrypted",
        })
    }

    fn to_age(&self) -> Option<&dyn age::Recipient> {
        Some(self)
    }
}

impl age::Recipient for HybridRecipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let (share, body) = hpke_seal::<XWing, _>(&self.key, INFO, file_key.expose_secret(), &mut OsRng);
        let args = vec![BASE64_STANDARD_NO_PAD.encode(share.to_bytes())];
        let labels = HashSet::from(["postquantum".to_owned()]);
        Ok((vec![Stanza { tag: STANZA.into(), args, body }], labels))
    }
}

impl fmt::Debug for HybridRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}({})", short_recipient(&self.text))
    }
}

struct HybridIdentity(PrivateKey);

impl HybridIdentity {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let seed = decode(text, IDENTITY_HRP);
        let key = seed.and_then(|seed| PrivateKey::from_bytes(&seed).ok());
        key.map(Self).ok_or(KeyError::Identity("not a valid post-quantum secret key (mistyped or cut off?)"))
    }
}

impl Identity for HybridIdentity {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn recipient(&self) -> Option<String> {
        Some(encode(self.0.public()))
    }

    fn open(&self, wrapped: &WrappedKey) -> Option<Result<SecretBytes, KeyError>> {
        wrapped.open(self)
    }
}

impl age::Identity for HybridIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        if stanza.tag != STANZA {
            return None;
        }
        let Some(share) = share_in(stanza) else { return Some(Err(age::DecryptError::InvalidHeader)) };
        match hpke_open::<XWing>(&share, &self.0, INFO, &stanza.body).map(Zeroizing::new) {
            Ok(opened) => {
                let key = FileKey::try_init_with_mut(|key| {
                    key.copy_from_slice(opened.get(..FILE_KEY_BYTES).ok_or(age::DecryptError::InvalidHeader)?);
                    Ok(())
                });
                Some(key)
            }
            // A share of low order is no honest writer's work, whoever it was made for.
            Err(HpkeError::DecapError) => Some(Err(age::DecryptError::InvalidHeader)),
            Err(_) => None,
        }
    }
}

/// The encapsulated key of a well-formed stanza.
fn share_in(stanza: &Stanza) -> Option<EncappedKey> {
    let [argument] = stanza.args.as_slice() else { return None };
    if stanza.body.len() != BODY_LEN {
        return None;
    }
    EncappedKey::from_bytes(&BASE64_STANDARD_NO_PAD.decode(argument).ok()?).ok()
}

/// An identity as the age crate sees it, for tests of the layer below.
#[cfg(test)]
pub(super) fn age_identity(text: &str) -> Option<Box<dyn age::Identity>> {
    HybridIdentity::parse(text).ok().map(|identity| Box::new(identity) as _)
}

#[cfg(test)]
mod tests;
