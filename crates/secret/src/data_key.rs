//! The 256-bit key that encrypts the values of one file.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Random, SecretBytes};

/// The key that encrypts the values of one file (SOPS' "data key").
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A fresh key from `rng`.
    pub fn generate(rng: &mut dyn Random) -> Self {
        let mut key = Zeroizing::new([0; Self::LEN]);
        rng.fill(key.as_mut());
        Self(key)
    }

    /// The raw key. Keep the borrow short.
    pub fn expose(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The key as bytes, to be wrapped for a recipient.
    pub fn to_secret(&self) -> SecretBytes {
        SecretBytes::new(self.0.to_vec())
    }
}

impl TryFrom<SecretBytes> for DataKey {
    /// The length that was found instead of 32.
    type Error = usize;

    fn try_from(bytes: SecretBytes) -> Result<Self, usize> {
        let mut key = Zeroizing::new([0; Self::LEN]);
        if bytes.len() != Self::LEN {
            return Err(bytes.len());
        }
        key.copy_from_slice(bytes.expose());
        Ok(Self(key))
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}
