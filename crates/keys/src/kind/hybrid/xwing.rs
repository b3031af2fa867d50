//! X-Wing: ML-KEM-768 (FIPS 203) and X25519 (RFC 7748) in one key encapsulation, as an HPKE KEM.
//!
//! Construction: draft-connolly-cfrg-xwing-kem. Beyond the draft, and as age wants it, an X25519 share of low
//! order and a public key that is not in its canonical form are refused.

use hpke::{Deserializable, HpkeError, Serializable, kem::SharedSecret};
use ml_kem::{
    Ciphertext, EncodedSizeUser, KemCore, MlKem768,
    kem::{Decapsulate, Encapsulate},
};
use rand_core::{CryptoRng, RngCore};
use sha3::{
    Digest, Sha3_256, Shake256,
    digest::{
        ExtendableOutput, OutputSizeUser, Update, XofReader,
        typenum::{Sum, U32, Unsigned},
    },
};
use x25519_dalek::{PublicKey as PointX, StaticSecret};
use zeroize::Zeroizing;

/// What X-Wing mixes into its secret to tell itself from other combinations.
const LABEL: &[u8; 6] = b"\\.//^\\";

type EncapsulationKey = <MlKem768 as KemCore>::EncapsulationKey;
type DecapsulationKey = <MlKem768 as KemCore>::DecapsulationKey;
type EncapsulationKeyLen = <EncapsulationKey as EncodedSizeUser>::EncodedSize;
type CiphertextLen = <MlKem768 as KemCore>::CiphertextSize;

/// The KEM, as HPKE sees it.
pub(super) struct XWing;

/// A seed and the keys that follow from it.
#[derive(Clone)]
pub(super) struct PrivateKey {
    seed: Zeroizing<[u8; 32]>,
    pq: DecapsulationKey,
    x: StaticSecret,
    public: PublicKey,
}

/// Both public keys.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PublicKey {
    pq: EncapsulationKey,
    x: PointX,
}

/// Both ciphertexts.
#[derive(Clone)]
pub(super) struct EncappedKey {
    pq: Ciphertext<MlKem768>,
    x: PointX,
}

impl PrivateKey {
    pub(super) fn from_seed(seed: &[u8; 32]) -> Self {
        let mut xof = Shake256::default().chain(seed).finalize_xof();
        let (mut d, mut z, mut scalar) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        for part in [&mut d, &mut z, &mut scalar] {
            xof.read(part.as_mut());
        }
        let (pq, pq_public) = MlKem768::generate_deterministic(&(*d).into(), &(*z).into());
        let x = StaticSecret::from(*scalar);
        let public = PublicKey { pq: pq_public, x: PointX::from(&x) };
        Self { seed: Zeroizing::new(*seed), pq, x, public }
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        secret::ct_eq(self.seed.as_ref(), other.seed.as_ref())
    }
}

impl Eq for PrivateKey {}
impl Eq for PublicKey {}

impl Serializable for PrivateKey {
    type OutputSize = U32;

    fn write_exact(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(self.seed.as_ref());
    }
}

impl Deserializable for PrivateKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let seed = Zeroizing::new(bytes.try_into().map_err(|_| HpkeError::IncorrectInputLength(32, bytes.len()))?);
        Ok(Self::from_seed(&seed))
    }
}

impl Serializable for PublicKey {
    type OutputSize = Sum<EncapsulationKeyLen, U32>;

    fn write_exact(&self, buffer: &mut [u8]) {
        let (pq, x) = buffer.split_at_mut(EncapsulationKeyLen::USIZE);
        pq.copy_from_slice(&self.pq.as_bytes());
        x.copy_from_slice(self.x.as_bytes());
    }
}

impl Deserializable for PublicKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let (pq_bytes, x) = split::<<Self as Serializable>::OutputSize>(bytes)?;
        let pq = EncapsulationKey::from_bytes(pq_bytes.try_into().map_err(|_| HpkeError::ValidationError)?);
        // FIPS 203's modulus check, which the crate leaves out: a coefficient that was reduced encodes differently.
        if pq.as_bytes().as_slice() != pq_bytes {
            return Err(HpkeError::ValidationError);
        }
        if super::super::x25519::is_low_order(x) {
            return Err(HpkeError::ValidationError);
        }
        Ok(Self { pq, x: PointX::from(x) })
    }
}

impl Serializable for EncappedKey {
    type OutputSize = Sum<CiphertextLen, U32>;

    fn write_exact(&self, buffer: &mut [u8]) {
        let (pq, x) = buffer.split_at_mut(CiphertextLen::USIZE);
        pq.copy_from_slice(&self.pq);
        x.copy_from_slice(self.x.as_bytes());
    }
}

impl Deserializable for EncappedKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let (pq, x) = split::<<Self as Serializable>::OutputSize>(bytes)?;
        Ok(Self { pq: pq.try_into().map_err(|_| HpkeError::ValidationError)?, x: PointX::from(x) })
    }
}

/// The post-quantum part and the X25519 part of `bytes`, whose length must be `N`.
fn split<N: Unsigned>(bytes: &[u8]) -> Result<(&[u8], [u8; 32]), HpkeError> {
    match bytes.split_last_chunk() {
        Some((pq, x)) if bytes.len() == N::USIZE => Ok((pq, *x)),
        _ => Err(HpkeError::IncorrectInputLength(N::USIZE, bytes.len())),
    }
}

/// The secret both sides reach.
fn combine(pq: &[u8], x: &[u8; 32], share: &PointX, public: &PointX) -> SharedSecret<XWing> {
    let hash = Sha3_256::new().chain_update(pq).chain_update(x).chain_update(share.as_bytes());
    SharedSecret(hash.chain_update(public.as_bytes()).chain_update(LABEL).finalize())
}

impl hpke::Kem for XWing {
    type PublicKey = PublicKey;
    type PrivateKey = PrivateKey;
    type EncappedKey = EncappedKey;
    type NSecret = <Sha3_256 as OutputSizeUser>::OutputSize;

    const KEM_ID: u16 = 0x647a;

    fn sk_to_pk(private: &PrivateKey) -> PublicKey {
        private.public.clone()
    }

    /// The seed is SHAKE256 of the input, as the draft derives one from material of any length.
    fn derive_keypair(ikm: &[u8]) -> (PrivateKey, PublicKey) {
        let mut seed = Zeroizing::new([0; 32]);
        Shake256::default().chain(ikm).finalize_xof_into(seed.as_mut());
        let private = PrivateKey::from_seed(&seed);
        let public = private.public.clone();
        (private, public)
    }

    fn decap(
        private: &PrivateKey,
        sender: Option<&PublicKey>,
        encapped: &EncappedKey,
    ) -> Result<SharedSecret<Self>, HpkeError> {
        let x = private.x.diffie_hellman(&encapped.x);
        if sender.is_some() || !x.was_contributory() {
            return Err(HpkeError::DecapError);
        }
        let pq = private.pq.decapsulate(&encapped.pq).map_err(|()| HpkeError::DecapError)?;
        Ok(combine(&pq, x.as_bytes(), &encapped.x, &private.public.x))
    }

    fn encap<R: CryptoRng + RngCore>(
        public: &PublicKey,
        sender: Option<(&PrivateKey, &PublicKey)>,
        random: &mut R,
    ) -> Result<(SharedSecret<Self>, EncappedKey), HpkeError> {
        if sender.is_some() {
            return Err(HpkeError::EncapError);
        }
        let (ciphertext, pq) = public.pq.encapsulate(random).map_err(|()| HpkeError::EncapError)?;
        let ephemeral = StaticSecret::random_from_rng(random);
        let share = PointX::from(&ephemeral);
        let x = ephemeral.diffie_hellman(&public.x);
        let secret = combine(&pq, x.as_bytes(), &share, &public.x);
        Ok((secret, EncappedKey { pq: ciphertext, x: share }))
    }
}
