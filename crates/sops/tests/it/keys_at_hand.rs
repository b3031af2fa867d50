//! A key, a policy and the two directions, for the other tests.

use document::{EmitOptions, Format, format};
use keys::{Access, Keyring};
use secret::{DataKey, OsRandom, SecretBytes};
use sops::{Encrypted, Memory, Plain, Policy, SealOptions, Sealed, Sealing, Selector, SopsError, Timestamp};

/// An identity made for the run.
pub(crate) struct Keys {
    pub(crate) recipient: String,
    pub(crate) ring: Keyring,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let (identity, recipient) = keys::generate_x25519(&mut OsRandom::new());
        let mut ring = Keyring::new();
        ring.add(keys::parse_identity(identity.expose(), &Access::none()).unwrap(), "test");
        Self { recipient, ring }
    }

    pub(crate) fn policy(&self, selector: Option<(&str, &str)>) -> Policy {
        let selector = selector.map(|(field, text)| Selector::from_field(field, text).unwrap());
        Policy { groups: vec![vec![self.recipient.clone()]], selector, ..Policy::default() }
    }

    pub(crate) fn open(&self, text: &[u8], name: &str) -> Result<Plain, SopsError> {
        let doc = format(name).parse_sealed(SecretBytes::new(text.to_vec()))?;
        let encrypted = Encrypted::new(doc)?;
        let key = encrypted.data_key(&self.ring)?;
        encrypted.unlock(key, true)?.verify()
    }
}

pub(crate) fn format(name: &str) -> &'static dyn Format {
    format::by_name(name).unwrap()
}

/// Encrypts with a new data key.
pub(crate) fn seal(text: &str, name: &str, policy: &Policy) -> Result<Sealed, SopsError> {
    let key = DataKey::generate(&mut OsRandom::new());
    let metadata = policy.metadata(&key, &Access::none(), &mut OsRandom::new())?;
    seal_with(text, name, &key, metadata, Memory::default())
}

/// Encrypts under a given data key.
pub(crate) fn seal_with(
    text: &str,
    name: &str,
    key: &DataKey,
    metadata: sops::Metadata,
    memory: Memory,
) -> Result<Sealed, SopsError> {
    let doc = format(name).parse(SecretBytes::from(text))?;
    let mut rng = OsRandom::new();
    let now = Timestamp(1_790_000_000);
    let options = SealOptions::default();
    sops::seal(doc, Sealing { key, metadata, memory, options, rng: &mut rng, now, created: now })
}

pub(crate) fn text_of(plain: &Plain) -> String {
    String::from_utf8(plain.text(&EmitOptions::default()).unwrap().into_inner()).unwrap()
}
