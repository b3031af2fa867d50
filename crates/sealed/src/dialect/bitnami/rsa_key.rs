//! The private RSA keys of Sealed Secrets, as their `kubernetes.io/tls` Secrets hold them.

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secret::SecretBytes;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::binding::hex;
use crate::desired::values;
use crate::manifest::Manifest;
use crate::tree;

/// A private key.
pub struct RsaKey {
    key: OaepPrivateDecryptingKey,
    public: OaepPublicEncryptingKey,
    fingerprint: String,
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaKey({})", self.fingerprint)
    }
}

/// What is wrong with a key; the text is never echoed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RsaKeyError {
    /// No private key in the text.
    #[error("there is no RSA PRIVATE KEY or PRIVATE KEY block in it")]
    NoKey,
    /// A block that is no such key.
    #[error("a private key in it is damaged, or no RSA key of 2048 to 8192 bits")]
    Damaged,
}

impl RsaKey {
    /// Reads every private key of a PEM text.
    ///
    /// # Errors
    /// [`RsaKeyError`]; a text without a private key is one.
    pub fn from_pem(text: &SecretBytes) -> Result<Vec<Self>, RsaKeyError> {
        let text = text.expose_str().ok_or(RsaKeyError::NoKey)?;
        let mut keys = Vec::new();
        for (label, is_pkcs1) in [("RSA PRIVATE KEY", true), ("PRIVATE KEY", false)] {
            let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
            for block in text.split(&begin).skip(1) {
                let body = block.split(&end).next().unwrap_or_default();
                let compact: Zeroizing<Vec<u8>> =
                    Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
                let der = STANDARD.decode(&*compact).map(Zeroizing::new).map_err(|_| RsaKeyError::Damaged)?;
                keys.push(if is_pkcs1 { Self::from_pkcs8(&pkcs8(&der))? } else { Self::from_pkcs8(&der)? });
            }
        }
        if keys.is_empty() { Err(RsaKeyError::NoKey) } else { Ok(keys) }
    }

    /// Reads the keys of an object: a Secret of type `kubernetes.io/tls`. None for an object that is something else.
    ///
    /// # Errors
    /// As [`Self::from_pem`].
    pub fn from_secret(manifest: &Manifest) -> Result<Vec<Self>, RsaKeyError> {
        let is_tls = tree::text(&manifest.root, "type") == Some("kubernetes.io/tls");
        if manifest.id.kind != "Secret" || !is_tls {
            return Ok(Vec::new());
        }
        let values = values(&manifest.root).map_err(|_| RsaKeyError::Damaged)?;
        values.get("tls.key").map_or(Ok(Vec::new()), Self::from_pem)
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, RsaKeyError> {
        let key = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| RsaKeyError::Damaged)?;
        let public = key.public_key();
        let der = aws_lc_rs::encoding::AsDer::as_der(&public);
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = der.map_err(|_| RsaKeyError::Damaged)?;
        let fingerprint = format!("rsa-{}", &hex(&Sha256::digest(der.as_ref()))[..16]);
        drop(der);
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| RsaKeyError::Damaged)?;
        let public = OaepPublicEncryptingKey::new(public).map_err(|_| RsaKeyError::Damaged)?;
        Ok(Self { key, public, fingerprint })
    }

    /// Names the key: the beginning of the SHA-256 of its public half.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// RSA-OAEP with SHA-256; `None` if the text is too long for the key.
    pub(crate) fn encrypt(&self, plaintext: &SecretBytes, label: &[u8]) -> Option<Vec<u8>> {
        let mut room = vec![0; self.public.ciphertext_size()];
        let label = (!label.is_empty()).then_some(label);
        let sealed = self.public.encrypt(&OAEP_SHA256_MGF1SHA256, plaintext.expose(), &mut room, label).ok()?;
        Some(sealed.to_vec())
    }

    /// RSA-OAEP with SHA-256; `None` if it does not open, for whatever reason.
    pub(crate) fn decrypt(&self, ciphertext: &[u8], label: &[u8]) -> Option<SecretBytes> {
        if ciphertext.len() != self.key.key_size_bytes() {
            return None;
        }
        let mut room = Zeroizing::new(vec![0; self.key.min_output_size()]);
        let label = (!label.is_empty()).then_some(label);
        let opened = self.key.decrypt(&OAEP_SHA256_MGF1SHA256, ciphertext, &mut room, label).ok()?;
        Some(SecretBytes::new(opened.to_vec()))
    }
}

/// PKCS#1 in the PKCS#8 wrapper that aws-lc-rs reads (RFC 5208): version 0, rsaEncryption, the key.
fn pkcs8(pkcs1: &[u8]) -> Zeroizing<Vec<u8>> {
    const ALGORITHM: [u8; 18] = [2, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let inner = [&ALGORITHM[..], &tlv(4, pkcs1)].concat();
    let inner = Zeroizing::new(inner);
    Zeroizing::new(tlv(0x30, &inner))
}

fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    match body.len() {
        0..128 => out.push(body.len() as u8),
        _ => {
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(body);
    out
}
