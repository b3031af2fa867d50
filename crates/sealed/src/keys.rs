//! Every key that can open something here, and which may be used for which namespace.

use keys::{Access, Keyring, parse_key_file, same_recipient};
use sha2::{Digest as _, Sha256};

use crate::binding::hex;
use crate::desired::values;
use crate::manifest::Manifest;

/// The keys of a cluster, or of a person who renders without one.
#[derive(Debug, Default)]
pub struct Keys {
    ring: Keyring,
    revoked: Vec<String>,
    current: Option<String>,
    #[cfg(feature = "bitnami")]
    rsa: Vec<crate::dialect::bitnami::RsaKey>,
}

impl Keys {
    /// Keys with the age identities of `ring`.
    pub fn new(ring: Keyring) -> Self {
        Self { ring, ..Self::default() }
    }

    /// Adds what a Secret holds: every entry with age identities, whatever its name, and the private key of a
    /// `kubernetes.io/tls` Secret of Sealed Secrets. How many keys were found.
    ///
    /// # Errors
    /// Names the entry that looks like a key and is none.
    pub fn add_secret(&mut self, secret: &Manifest) -> Result<usize, KeySecretError> {
        let name = format!("Secret {}/{}", secret.id.namespace, secret.id.name);
        let fault = |entry: &str, why: String| KeySecretError { name: name.clone(), entry: entry.to_owned(), why };
        let values = values(&secret.root).map_err(|entry| fault(&entry, "is no base64".to_owned()))?;
        let mut found = 0;
        for (entry, value) in &values {
            let is_age = value.expose().windows(15).any(|window| window.eq_ignore_ascii_case(b"AGE-SECRET-KEY-"));
            if !is_age {
                continue;
            }
            let identities = parse_key_file(value.expose(), &name, &Access::none());
            for identity in identities.map_err(|error| fault(entry, error.to_string()))? {
                self.ring.add(identity, format!("{name}, {entry}"));
                found += 1;
            }
        }
        #[cfg(feature = "bitnami")]
        for key in crate::bitnami::RsaKey::from_secret(secret).map_err(|error| fault("tls.key", error.to_string()))? {
            self.rsa.push(key);
            found += 1;
        }
        Ok(found)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        #[cfg(feature = "bitnami")]
        return self.ring.len() + self.rsa.len();
        #[cfg(not(feature = "bitnami"))]
        self.ring.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names recipients whose key is revoked: known, and not used.
    #[must_use]
    pub fn with_revoked(mut self, recipients: impl IntoIterator<Item = String>) -> Self {
        self.revoked.extend(recipients);
        self
    }

    /// Names the recipient that files should be wrapped to now; those that are not are told so.
    #[must_use]
    pub fn with_current(mut self, recipient: String) -> Self {
        self.current = Some(recipient);
        self
    }

    /// The recipient that files should be wrapped to now, if one was named.
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// Why a file with these recipients should be wrapped anew.
    pub(crate) fn rewrap<'r>(&self, mut recipients: impl Iterator<Item = &'r str>) -> Option<String> {
        let current = self.current()?;
        let is_there = recipients.any(|recipient| same_recipient(recipient, current));
        let short = keys::short_recipient(current);
        (!is_there).then(|| format!("the file opens with an older key; it is not wrapped to {short} yet"))
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

    /// The recipients that fare otherwise here than in `before`: usable, revoked or current in one and not in the other.
    /// What lists none of them fares as it did.
    pub fn changed_since<'k>(&'k self, before: &'k Self) -> Vec<&'k str> {
        let standing = |keys: &Self, name: &str| {
            let is_current = keys.current.as_deref().is_some_and(|current| same_recipient(current, name));
            (keys.ring.has_recipient(name), keys.is_revoked(name), is_current)
        };
        let known =
            |keys: &'k Self| keys.ring.recipients().chain(keys.revoked.iter().chain(&keys.current).map(String::as_str));
        let mut changed: Vec<&str> =
            known(self).chain(known(before)).filter(|name| standing(self, name) != standing(before, name)).collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }

    /// Names the set: it changes exactly when a key comes, goes, is revoked, or another becomes the current one.
    pub fn id(&self) -> String {
        let mut names: Vec<String> = self.ring.recipients().map(str::to_owned).collect();
        names.extend(self.revoked.iter().map(|revoked| format!("revoked {revoked}")));
        #[cfg(feature = "bitnami")]
        names.extend(self.rsa.iter().map(|key| key.fingerprint().to_owned()));
        names.extend(self.current.iter().map(|current| format!("current {current}")));
        names.sort();
        names.dedup();
        hex(&Sha256::digest(names.join("\n"))[..8])
    }
}

/// A Secret that was to hold keys and does not. Says where, never what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: the entry {entry}: {why}")]
pub struct KeySecretError {
    /// The Secret.
    pub name: String,
    /// Its entry.
    pub entry: String,
    /// What is wrong with it.
    pub why: String,
}
