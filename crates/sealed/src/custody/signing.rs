//! The statement key: Ed25519 (RFC 8032), kept as PKCS #8 in PEM (RFC 8410), which openssl reads too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use secret::{Random, SecretBytes};
use zeroize::Zeroizing;

/// What stands before the seed in a PKCS #8 file of an Ed25519 key: RFC 8410, section 7.
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// Name of the algorithm before a public key.
const NAME: &str = "ed25519:";

/// The private half. Zeroed on drop, never printed.
#[derive(Clone)]
pub struct StatementKey(SigningKey);

impl StatementKey {
    /// A new key.
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(seed.as_mut());
        Self(SigningKey::from_bytes(&seed))
    }

    /// Reads PEM. `None` for what is no Ed25519 key; nothing of it is told.
    pub fn from_pem(pem: &SecretBytes) -> Option<Self> {
        let body = pem.expose_str()?.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let text: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
        let der = Zeroizing::new(STANDARD.decode(text.as_bytes()).ok()?);
        let seed: &[u8; 32] = der.strip_prefix(&PKCS8)?.try_into().ok()?;
        Some(Self(SigningKey::from_bytes(seed)))
    }

    /// The key in PEM.
    pub fn to_pem(&self) -> SecretBytes {
        let mut der = Zeroizing::new([0; 48]);
        der[..16].copy_from_slice(&PKCS8);
        der[16..].copy_from_slice(self.0.as_bytes());
        let body = Zeroizing::new(STANDARD.encode(der.as_slice()));
        SecretBytes::from(format!("{BEGIN}\n{}\n{END}\n", body.as_str()))
    }

    /// The public half: `ed25519:` and base64.
    pub fn public(&self) -> String {
        format!("{NAME}{}", STANDARD.encode(self.0.verifying_key().as_bytes()))
    }

    /// A signature over `text` in base64.
    pub fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.0.sign(text.as_bytes()).to_bytes())
    }
}

impl std::fmt::Debug for StatementKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StatementKey({})", self.public())
    }
}

/// Whether `signature` over `text` was made by the owner of `public`. Weak keys sign nothing.
pub(super) fn verify(public: &str, text: &str, signature: &str) -> bool {
    let key = || -> Option<VerifyingKey> {
        let raw: [u8; 32] = STANDARD.decode(public.strip_prefix(NAME)?).ok()?.try_into().ok()?;
        VerifyingKey::from_bytes(&raw).ok().filter(|key| !key.is_weak())
    };
    let signature = STANDARD.decode(signature).ok().and_then(|raw| Signature::from_slice(&raw).ok());
    key().zip(signature).is_some_and(|(key, signature)| key.verify_strict(text.as_bytes(), &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::FixedRandom;

    #[test]
    fn it_signs_and_survives_its_file() {
        let key = StatementKey::generate(&mut FixedRandom::new(1));
        let again = StatementKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(again.public(), key.public());
        let signature = again.sign("text");
        assert!(verify(&key.public(), "text", &signature));
        assert!(!verify(&key.public(), "texT", &signature));
        let other = StatementKey::generate(&mut FixedRandom::new(2));
        assert!(!verify(&other.public(), "text", &signature));
        let weak = format!("{NAME}{}", STANDARD.encode([0; 32]));
        for (public, signature) in [("", ""), (weak.as_str(), &*signature), ("ed25519:AAAA", "AAAA")] {
            assert!(!verify(public, "text", signature));
        }
    }

    #[test]
    fn the_vector_of_the_rfc() {
        // RFC 8032, section 7.1, test 2.
        let seed = [
            0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f, 0x5b, 0x8a,
            0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb,
        ];
        let key = StatementKey(SigningKey::from_bytes(&seed));
        assert_eq!(key.public(), "ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=");
        let signature = key.sign("r");
        let wanted = concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert_eq!(crate::binding::hex(&STANDARD.decode(signature).unwrap()), wanted);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = StatementKey::generate(&mut FixedRandom::new(1)).to_pem();
        let good = good.expose_str().unwrap();
        for bad in [
            String::new(),
            BEGIN.to_owned(),
            good.replace("PRIVATE", "PUBLIC"),
            good.replace("MC4C", "MC4D"),
            format!("{}\n{END}", &good[..60]),
        ] {
            assert!(StatementKey::from_pem(&SecretBytes::from(bad)).is_none());
        }
        let key = StatementKey::generate(&mut FixedRandom::new(1));
        let body = good.lines().nth(1).unwrap();
        assert!(!format!("{key:?}").contains(&body[24..40]));
    }
}
