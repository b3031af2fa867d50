//! The kinds of keys: one file each, one line in the list. The first kind that knows a text's prefix reads it.

mod hybrid;
mod locked;
#[cfg(not(all(feature = "ssh", feature = "plugin")))]
mod not_built_in;
#[cfg(feature = "plugin")]
mod plugin;
#[cfg(feature = "ssh")]
mod ssh;
mod x25519;

use crate::{Access, Identity, KeyError, Recipient};

pub(crate) use hybrid::generate as generate_hybrid;
#[cfg(test)]
pub(crate) use locked::Passphrase;
pub(crate) use locked::{LockedFile, MAX_WORK_FACTOR};
#[cfg(feature = "plugin")]
pub(crate) use plugin::plugin_error;
#[cfg(feature = "ssh")]
pub(crate) use ssh::parse_private_key as parse_ssh_key;
pub(crate) use x25519::generate as generate_x25519;

/// One kind of key.
pub(crate) trait KeyKind: Sync {
    /// Reads a recipient; `None` if the text does not start like one of this kind.
    fn recipient(&self, text: &str, access: &Access) -> Option<Result<Box<dyn Recipient>, KeyError>>;

    /// Reads an identity; `None` if the text does not start like one of this kind.
    fn identity(&self, text: &str, access: &Access) -> Option<Result<Box<dyn Identity>, KeyError>>;
}

/// Every kind. Hybrid stands before plugin, because `age1pq1…` has the form of a plugin's recipient.
pub(crate) static KINDS: &[&dyn KeyKind] = &[
    &hybrid::Hybrid,
    #[cfg(feature = "plugin")]
    &plugin::Plugin,
    #[cfg(not(feature = "plugin"))]
    &not_built_in::NotBuiltIn::PLUGIN,
    &x25519::X25519,
    #[cfg(feature = "ssh")]
    &ssh::Ssh,
    #[cfg(not(feature = "ssh"))]
    &not_built_in::NotBuiltIn::SSH,
];

/// The name in `age1NAME1…`: what stands before the last `1`, as Bech32 says.
fn plugin_name_in(recipient: &str) -> Option<&str> {
    let (head, _) = recipient.rsplit_once('1')?;
    head.strip_prefix("age1")
}

/// An identity as the age crate sees it, for tests of the layer below.
#[cfg(test)]
pub(crate) fn age_identity(text: &str) -> Box<dyn age::Identity> {
    match hybrid::age_identity(text) {
        Some(identity) => identity,
        None => Box::new(text.parse::<age::x25519::Identity>().expect("a test's key")),
    }
}
