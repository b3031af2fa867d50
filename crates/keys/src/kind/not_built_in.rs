//! Kinds this build does not have: recognised, so that the message can say so.

use super::KeyKind;
use crate::{Access, Identity, KeyError, Recipient, short_recipient};

/// A kind of key that was left out of this build.
pub(super) struct NotBuiltIn {
    is_recipient: fn(&str) -> bool,
    identity_prefix: &'static str,
    why: &'static str,
}

impl NotBuiltIn {
    #[cfg(not(feature = "ssh"))]
    pub(super) const SSH: Self = Self {
        is_recipient: |text| text.starts_with("ssh-ed25519 ") || text.starts_with("ssh-rsa "),
        identity_prefix: "-----BEGIN ",
        why: "SSH keys are not supported in this program",
    };
    #[cfg(not(feature = "plugin"))]
    pub(super) const PLUGIN: Self = Self {
        is_recipient: |text| super::plugin_name_in(text).is_some(),
        identity_prefix: "AGE-PLUGIN-",
        why: "plugins are not supported in this program",
    };
}

impl KeyKind for NotBuiltIn {
    fn recipient(&self, text: &str, _: &Access) -> Option<Result<Box<dyn Recipient>, KeyError>> {
        (self.is_recipient)(text).then(|| Err(KeyError::Recipient { recipient: short_recipient(text), why: self.why }))
    }

    fn identity(&self, text: &str, _: &Access) -> Option<Result<Box<dyn Identity>, KeyError>> {
        text.starts_with(self.identity_prefix).then_some(Err(KeyError::Identity(self.why)))
    }
}
