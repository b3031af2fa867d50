//! Large single values, encrypted while they are written: the plaintext is held once, ciphertext and base64 exist one
//! part at a time. AES-256-GCM as in NIST SP 800-38D, from the same block cipher, counter mode and GHASH that the
//! `aes-gcm` crate is made of; a test compares the two.

use aes_gcm::aes::Aes256;
use aes_gcm::aes::cipher::{InnerIvInit as _, KeyInit as _, StreamCipher as _};
use ctr::{Ctr32BE, CtrCore};
use ghash::GHash;
use ghash::universal_hash::UniversalHash as _;
use secret::{DataKey, Random, SecretBytes};
use zeroize::Zeroizing;

use crate::base64;
use crate::error::SopsError;
use crate::value::{Kind, NONCE};

/// Bytes of plaintext per part: whole blocks of AES and whole groups of base64.
const PART: usize = 48 * 1024;

/// An encrypted file that is made in parts.
pub struct Parts {
    plain: SecretBytes,
    head: Vec<u8>,
    tail: Vec<u8>,
    gcm: Gcm,
}

impl Parts {
    /// Encrypts `plain` (not empty) under `aad`. `wrap` gives the file around the token that it is given. Every part was
    /// decoded and decrypted again and compared with `plain`.
    ///
    /// # Errors
    /// [`SopsError::Proof`], and what `wrap` gives.
    pub(crate) fn seal(
        key: &DataKey,
        plain: SecretBytes,
        aad: &[u8],
        rng: &mut dyn Random,
        wrap: impl FnOnce(&str) -> Result<SecretBytes, SopsError>,
    ) -> Result<Self, SopsError> {
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce);
        let gcm = Gcm::new(key, &nonce);
        let tag = proved_tag(&gcm, plain.expose(), aad)?;
        let token = |data: &str| {
            let (iv, tag, kind) = (base64::text(&nonce), base64::text(&tag), Kind::Str.name());
            format!("ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:{kind}]")
        };
        // Parsed whole with a stand-in for the data; the file is what stands on both sides of it.
        let sample = wrap(&token("AAAA"))?;
        let sample = sample.expose();
        let at = memchr::memmem::find(sample, b"data:AAAA,").ok_or(SopsError::Proof("the token is not found"))?;
        let (head, tail) = (sample[..at + 5].to_vec(), sample[at + 9..].to_vec());
        Ok(Self { plain, head, tail, gcm })
    }

    /// Gives the file's bytes to `put`, part by part.
    ///
    /// # Errors
    /// Those of `put`.
    pub fn for_each<E>(&self, put: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        put(&self.head)?;
        let (mut cipher, mut text) = (self.gcm.cipher(), Vec::new());
        let mut part = Zeroizing::new(Vec::with_capacity(PART));
        for plain in self.plain.expose().chunks(PART) {
            encode(&mut cipher, plain, &mut part, &mut text);
            put(&text)?;
        }
        put(&self.tail)
    }

    fn len(&self) -> usize {
        self.head.len() + base64::length(self.plain.len()) + self.tail.len()
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parts({} bytes)", self.len())
    }
}

/// The text of an encrypted file.
#[derive(Debug)]
pub enum SealedText {
    /// All of it.
    Whole(SecretBytes),
    /// Made while it is written.
    Parts(Box<Parts>),
}

impl SealedText {
    /// Gives the bytes to `put`, part by part.
    ///
    /// # Errors
    /// Those of `put`.
    pub fn for_each<E>(&self, put: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Whole(text) => put(text.expose()),
            Self::Parts(parts) => parts.for_each(put),
        }
    }

    /// All bytes at once.
    pub fn into_whole(self) -> SecretBytes {
        match self {
            Self::Whole(text) => text,
            Self::Parts(parts) => {
                let mut out = Zeroizing::new(Vec::with_capacity(parts.len()));
                let done = parts.for_each(&mut |part| {
                    out.extend_from_slice(part);
                    Ok::<_, std::convert::Infallible>(())
                });
                let Ok(()) = done;
                SecretBytes::new(std::mem::take(&mut *out))
            }
        }
    }
}

/// One key and nonce.
struct Gcm {
    aes: Aes256,
    hash: GHash,
    /// The counter block before the first one of the data.
    first: [u8; 16],
}

impl Gcm {
    fn new(key: &DataKey, nonce: &[u8; NONCE]) -> Self {
        let aes = Aes256::new(key.expose().into());
        let mut subkey = Zeroizing::new([0; 16]);
        aes_gcm::aes::cipher::BlockEncrypt::encrypt_block(&aes, (&mut *subkey).into());
        let hash = GHash::new((&*subkey).into());
        // A nonce that is not 12 bytes long is hashed (section 7.1).
        let mut of_nonce = hash.clone();
        of_nonce.update_padded(nonce);
        of_nonce.update(&[lengths(0, NONCE).into()]);
        Self { aes, hash, first: of_nonce.finalize().into() }
    }

    /// The key stream, at the first byte of the data, and before it the mask of the tag.
    fn masked(&self) -> (Ctr32BE<Aes256>, [u8; 16]) {
        let core = CtrCore::inner_iv_init(self.aes.clone(), (&self.first).into());
        let mut stream = Ctr32BE::from_core(core);
        let mut mask = [0; 16];
        stream.apply_keystream(&mut mask);
        (stream, mask)
    }

    fn cipher(&self) -> Ctr32BE<Aes256> {
        self.masked().0
    }
}

/// The last block of a hash: both lengths in bits.
fn lengths(aad: usize, data: usize) -> [u8; 16] {
    (((aad as u128 * 8) << 64) | (data as u128 * 8)).to_be_bytes()
}

/// Encrypts and encodes one part.
fn encode(cipher: &mut Ctr32BE<Aes256>, plain: &[u8], part: &mut Vec<u8>, text: &mut Vec<u8>) {
    part.clear();
    part.extend_from_slice(plain);
    cipher.apply_keystream(part);
    text.clear();
    base64::append(part, text);
}

/// The tag over the text as it will be written: each part is decoded, hashed, decrypted with a stream of its own and
/// compared with what it was made of.
fn proved_tag(gcm: &Gcm, plain: &[u8], aad: &[u8]) -> Result<[u8; 16], SopsError> {
    let (mut there, mask) = gcm.masked();
    let (mut back, mut hash) = (gcm.cipher(), gcm.hash.clone());
    let (mut part, mut text) = (Zeroizing::new(Vec::with_capacity(PART)), Vec::new());
    hash.update_padded(aad);
    for source in plain.chunks(PART) {
        encode(&mut there, source, &mut part, &mut text);
        let room = part.len() + 3;
        part.resize(room, 0);
        let read = base64::decode_into(&text, &mut part);
        let decoded = &mut part[..read.ok_or(SopsError::Proof("the base64 does not decode"))?];
        hash.update_padded(decoded);
        back.apply_keystream(decoded);
        if decoded != source {
            return Err(SopsError::Proof("the value differs"));
        }
    }
    hash.update(&[lengths(aad.len(), plain.len()).into()]);
    let mut tag: [u8; 16] = hash.finalize().into();
    tag.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Cipher;

    struct Counter(u8);
    impl Random for Counter {
        fn fill(&mut self, buffer: &mut [u8]) {
            for byte in buffer {
                self.0 = self.0.wrapping_mul(29).wrapping_add(7);
                *byte = self.0;
            }
        }
    }

    #[test]
    fn the_parts_are_what_the_whole_cipher_writes() {
        let key = DataKey::try_from(SecretBytes::new(vec![9; 32])).unwrap();
        for length in [1, 2, 15, 16, 17, 31, 48, PART - 1, PART, PART + 1, 3 * PART + 5] {
            let plain: Vec<u8> = (0..length).map(|at| (at * 7 % 251) as u8).collect();
            let wrap = |token: &str| Ok(SecretBytes::from(format!("<{token}>")));
            let parts = Parts::seal(&key, SecretBytes::new(plain.clone()), b"data:", &mut Counter(1), wrap).unwrap();
            let announced = parts.len();
            let text = SealedText::Parts(Box::new(parts)).into_whole();
            assert_eq!(text.len(), announced, "{length}");
            let whole = Cipher::new(&key).seal(Kind::Str, &plain, b"data:", &mut Counter(1));
            assert!(text.expose() == format!("<{whole}>").as_bytes(), "{length}");
        }
    }
}
