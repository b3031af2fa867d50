//! The classic age key: `age1…` and `AGE-SECRET-KEY-1…`.

use std::fmt;

use age_core::primitives::{bech32_decode, bech32_encode};
use secret::{Random, SecretBytes, SecretString};
use zeroize::Zeroizing;

use super::KeyKind;
use crate::{Access, Identity, KeyError, Recipient, WrappedKey, age_file, short_recipient};

const NAME: &str = "x25519";
const RECIPIENT_PREFIX: &str = "age1";
const IDENTITY_PREFIX: &str = "AGE-SECRET-KEY-1";
const IDENTITY_HRP: bech32::Hrp = bech32::Hrp::parse_unchecked("age-secret-key-");

/// The classic age key.
pub(super) struct X25519;

impl KeyKind for X25519 {
    fn recipient(&self, text: &str, _: &Access) -> Option<Result<Box<dyn Recipient>, KeyError>> {
        text.starts_with(RECIPIENT_PREFIX).then(|| Ok(Box::new(X25519Recipient::parse(text)?) as _))
    }

    fn identity(&self, text: &str, _: &Access) -> Option<Result<Box<dyn Identity>, KeyError>> {
        text.starts_with(IDENTITY_PREFIX).then(|| Ok(Box::new(X25519Identity::parse(text)?) as _))
    }
}

/// A new key: the identity's text and its recipient.
pub(crate) fn generate(random: &mut dyn Random) -> (SecretString, String) {
    let mut seed = Zeroizing::new([0; 32]);
    random.fill(seed.as_mut());
    let mut text = bech32_encode(IDENTITY_HRP, seed.as_ref());
    text.make_ascii_uppercase();
    let identity = X25519Identity::parse(&text).expect("32 bytes in Bech32 are an identity");
    (SecretString::new(text), identity.public())
}

struct X25519Recipient {
    text: String,
    key: age::x25519::Recipient,
}

impl X25519Recipient {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let refuse = |why| KeyError::Recipient { recipient: short_recipient(text), why };
        let key = text.parse().map_err(|_| refuse("not a valid age recipient (mistyped or cut off?)"))?;
        if point_in(text).is_none_or(is_low_order) {
            return Err(refuse("a weak public key that protects nothing"));
        }
        Ok(Self { text: text.into(), key })
    }
}

/// The largest coordinate, p - 1, and the two beyond it that are 0 and 1 in another spelling, without their first byte.
const HIGHEST: [u8; 31] = {
    let mut bytes = [0xff; 31];
    bytes[30] = 0x7f;
    bytes
};

/// The coordinates of the points of order 8.
const OF_ORDER_8: [[u8; 32]; 2] = [
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
        0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
        0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
];

/// Whether every secret shared with this public key is zero. The age crate would panic on encrypting to one.
///
/// The curve and its twist have five such coordinates: 0, 1, p - 1 and the two of order 8; of these 0 and 1 can be
/// spelled as p and p + 1 too (RFC 7748, section 5: the top bit does not count, larger numbers are reduced).
pub(super) fn is_low_order(mut point: [u8; 32]) -> bool {
    point[31] &= 0x7f;
    let (first, rest) = (point[0], &point[1..]);
    (first <= 1 && rest.iter().all(|byte| *byte == 0))
        || (matches!(first, 0xec..=0xee) && *rest == HIGHEST)
        || OF_ORDER_8.contains(&point)
}

/// The point in a recipient's text.
fn point_in(text: &str) -> Option<[u8; 32]> {
    let bytes = bech32_decode(text, |_| (), |_| Ok(()), |_, bytes| Ok(bytes.collect::<Vec<u8>>()));
    bytes.ok()?.try_into().ok()
}

impl Recipient for X25519Recipient {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn id(&self) -> &str {
        &self.text
    }

    fn wrap(&self, key: &SecretBytes) -> Result<String, KeyError> {
        age_file::seal(&self.key, key).map_err(|_| KeyError::Encrypt {
            recipient: short_recipient(&self.text),
            why: "the key could not be encrypted",
        })
    }

    fn to_age(&self) -> Option<&dyn age::Recipient> {
        Some(&self.key)
    }
}

impl fmt::Debug for X25519Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}({})", short_recipient(&self.text))
    }
}

struct X25519Identity {
    key: age::x25519::Identity,
}

impl X25519Identity {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let key: age::x25519::Identity =
            text.parse().map_err(|_| KeyError::Identity("not a valid age secret key (mistyped or cut off?)"))?;
        Ok(Self { key })
    }

    /// Its recipient; a multiplication.
    fn public(&self) -> String {
        self.key.to_public().to_string()
    }
}

impl Identity for X25519Identity {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn recipient(&self) -> Option<String> {
        Some(self.public())
    }

    fn open(&self, wrapped: &WrappedKey) -> Option<Result<SecretBytes, KeyError>> {
        wrapped.open(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixtures::Counter, parse_identity, parse_recipient};
    use x25519_dalek::{PublicKey, StaticSecret};

    /// Clamping makes every scalar a multiple of the cofactor, so one try tells; it takes a whole multiplication.
    fn shares_nothing(point: [u8; 32]) -> bool {
        !StaticSecret::from([1; 32]).diffie_hellman(&PublicKey::from(point)).was_contributory()
    }

    #[test]
    fn low_order_is_told_as_by_multiplying() {
        let number = |first: u8, rest: u8, last: u8| {
            let mut point = [rest; 32];
            (point[0], point[31]) = (first, last);
            point
        };
        let mut low = 0;
        let smallest = (0..=255).map(|first| number(first, 0, 0));
        let largest = (0..=255).map(|first| number(first, 0xff, 0x7f));
        let order8 = OF_ORDER_8.into_iter();
        let near = OF_ORDER_8.into_iter().flat_map(|point| {
            (0..256).map(move |bit: usize| {
                let mut point = point;
                point[bit / 8] ^= 1 << (bit % 8);
                point
            })
        });
        let mut random = Counter(3);
        let any = std::iter::repeat_with(move || {
            let mut point = [0; 32];
            Random::fill(&mut random, &mut point);
            point
        });
        for mut point in smallest.chain(largest).chain(order8).chain(near).chain(any.take(200)) {
            assert_eq!(is_low_order(point), shares_nothing(point), "{point:?}");
            low += usize::from(is_low_order(point));
            point[31] ^= 0x80;
            assert_eq!(is_low_order(point), shares_nothing(point), "{point:?}");
        }
        // 0, 1, p - 1, p, p + 1 and the two of order 8, these once more with the bit that does not count.
        assert_eq!(low, 9);
    }

    #[test]
    fn a_new_key_opens_what_is_wrapped_for_it() {
        let (text, recipient) = generate(&mut Counter(1));
        assert!(text.expose().starts_with("AGE-SECRET-KEY-1") && recipient.starts_with("age1"));
        let identity = parse_identity(text.expose(), &Access::none()).unwrap();
        assert_eq!(identity.recipient().as_deref(), Some(recipient.as_str()));
        let key = SecretBytes::new((0..32).collect());
        let recipient = parse_recipient(&format!(" {recipient}\n")).unwrap();
        let enc = recipient.wrap(&key).unwrap();
        assert!(enc.ends_with("-----END AGE ENCRYPTED FILE-----\n"));
        assert_eq!(identity.unwrap(&enc).unwrap().unwrap(), key);
        assert!(!enc.contains('\r') && recipient.id().ends_with(|c: char| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn malformed_keys_are_refused() {
        let (text, recipient) = generate(&mut Counter(2));
        for bad in [&recipient[..40], &recipient.to_uppercase(), "age1", &format!("{recipient} x")] {
            assert!(parse_recipient(bad).is_err(), "{bad}");
        }
        for bad in [&text.expose()[..40], &text.expose().to_lowercase(), &format!("{}A", text.expose())] {
            assert!(parse_identity(bad, &Access::none()).is_err());
        }
    }

    #[test]
    fn weak_public_keys_are_refused() {
        // The points of low order, as RFC 7748 section 6.1 warns of them; the first two are 0 and 1.
        let order_8 = [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
            0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ];
        let mut one = [0; 32];
        one[0] = 1;
        for point in [[0; 32], one, order_8] {
            let text = bech32_encode(bech32::Hrp::parse_unchecked("age"), &point);
            assert!(matches!(parse_recipient(&text), Err(KeyError::Recipient { .. })), "{text}");
        }
    }
}
