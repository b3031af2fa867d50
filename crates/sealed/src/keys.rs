//! Every key that can open something here, and which may be used for which namespace.

use keys::{Keyring, same_recipient};
use sha2::{Digest as _, Sha256};

use crate::binding::hex;

/// The keys of a cluster, or of a person who renders without one.
#[derive(Debug, Default)]
pub struct Keys {
    ring: Keyring,
    revoked: Vec<String>,
    #[cfg(feature = "bitnami")]
    rsa: Vec<crate::dialect::bitnami::RsaKey>,
}

impl Keys {
    /// Keys with the age identities of `ring`.
    pub fn new(ring: Keyring) -> Self {
        Self { ring, ..Self::default() }
    }

    /// Names recipients whose key is revoked: known, and not used.
    #[must_use]
    pub fn with_revoked(mut self, recipients: impl IntoIterator<Item = String>) -> Self {
        self.revoked.extend(recipients);
        self
    }

    /// Adds a private key of Sealed Secrets.
    #[cfg(feature = "bitnami")]
    pub fn add_rsa(&mut self, key: crate::dialect::bitnami::RsaKey) {
        self.rsa.push(key);
    }

    /// The private keys of Sealed Secrets.
    #[cfg(feature = "bitnami")]
    pub fn rsa(&self) -> &[crate::dialect::bitnami::RsaKey] {
        &self.rsa
    }

    /// The identities that may open resources of `namespace`. Today these are all; every caller names the namespace,
    /// so that keys of single namespaces can come without a change of any of them.
    pub fn for_namespace(&self, _namespace: &str) -> &Keyring {
        &self.ring
    }

    /// Whether `recipient` is known and revoked.
    pub fn is_revoked(&self, recipient: &str) -> bool {
        self.revoked.iter().any(|revoked| same_recipient(revoked, recipient))
    }

    /// Names the set: it changes exactly when a key comes, goes, or is revoked.
    pub fn id(&self) -> String {
        let mut names: Vec<String> = self.ring.recipients().map(str::to_owned).collect();
        names.extend(self.revoked.iter().map(|revoked| format!("revoked {revoked}")));
        #[cfg(feature = "bitnami")]
        names.extend(self.rsa.iter().map(|key| key.fingerprint().to_owned()));
        names.sort();
        names.dedup();
        hex(&Sha256::digest(names.join("\n"))[..8])
    }
}
