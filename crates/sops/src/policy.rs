//! What a creation rule resolves to for one file, and wrapping a data key by it.

use std::collections::HashSet;

use keys::{Access, Recipient, parse_recipient_with, same_recipient};
use secret::{DataKey, Random, SecretBytes};

use crate::error::SopsError;
use crate::metadata::{Group, Metadata, WrappedKey};
use crate::selector::Selector;

/// Who a file is encrypted to, and which of its values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Key groups as recipient texts; one group in the ordinary case.
    pub groups: Vec<Vec<String>>,
    /// Groups needed to open; `None` is all of them.
    pub threshold: Option<usize>,
    /// Which values; `None` is SOPS' default.
    pub selector: Option<Selector>,
    /// Whether the MAC covers encrypted values only.
    pub mac_only_encrypted: bool,
    /// Keys of other kinds that the rule names, as `field: identifier`.
    pub foreign: Vec<String>,
}

impl Policy {
    /// Every recipient.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(String::as_str)
    }

    /// Metadata for a file under this policy, with `key` wrapped to every recipient; `access` says which plugins
    /// may run.
    ///
    /// # Errors
    /// [`SopsError::ForeignKey`] for kinds we cannot wrap to, [`SopsError::NoRecipients`],
    /// [`SopsError::Groups`] for a threshold or group that makes no sense, [`SopsError::Key`] for a bad recipient.
    pub fn metadata(&self, key: &DataKey, access: &Access, rng: &mut dyn Random) -> Result<Metadata, SopsError> {
        if let Some(foreign) = self.foreign.first() {
            return Err(SopsError::ForeignKey(foreign.clone()));
        }
        let threshold = checked_threshold(&self.groups, self.threshold)?;
        let groups = wrap(key, &self.groups, threshold, access, rng)?;
        let selector = self.selector.clone().unwrap_or_default();
        Ok(Metadata::new(groups, threshold, selector, self.mac_only_encrypted))
    }

    /// The threshold as a file under this policy stores it.
    pub fn stored_threshold(&self) -> Option<usize> {
        if self.groups.len() > 1 { self.threshold.or(Some(self.groups.len())) } else { self.threshold }
    }

    /// Whether an encrypted file's readers (in any order inside a group), threshold, selector and MAC scope are those of the policy.
    pub fn equals(&self, metadata: &Metadata) -> bool {
        let of_file = metadata.groups.iter().map(|group| sorted(group.age.iter().map(|key| key.recipient.as_str())));
        let of_rule = self.groups.iter().map(|group| sorted(group.iter().map(String::as_str)));
        of_file.eq(of_rule)
            && self.foreign.is_empty()
            && metadata.groups.iter().all(|group| group.foreign().is_empty())
            && metadata.threshold == self.stored_threshold()
            && metadata.selector == self.selector.clone().unwrap_or_default()
            && metadata.mac_only_encrypted == self.mac_only_encrypted
    }
}

fn sorted<'t>(names: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names
}

/// The threshold as it is stored: absent for one group without one, the number of groups by default.
pub(crate) fn checked_threshold(groups: &[Vec<String>], threshold: Option<usize>) -> Result<Option<usize>, SopsError> {
    if groups.iter().all(Vec::is_empty) {
        return Err(SopsError::NoRecipients);
    }
    let count = groups.len();
    if count == 1 {
        return Ok(threshold);
    }
    if let Some(empty) = groups.iter().position(Vec::is_empty) {
        return Err(SopsError::Groups(format!("key group {} has no keys", empty + 1)));
    }
    let threshold = threshold.unwrap_or(count);
    if threshold < 2 || threshold > count || count > 255 {
        return Err(SopsError::Groups(format!("a threshold of {threshold} does not fit {count} key groups")));
    }
    Ok(Some(threshold))
}

/// Wraps `key` to groups of recipients: whole for one group, a share per group for several.
///
/// # Errors
/// As [`Policy::metadata`].
pub fn wrap(
    key: &DataKey,
    groups: &[Vec<String>],
    threshold: Option<usize>,
    access: &Access,
    rng: &mut dyn Random,
) -> Result<Vec<Group>, SopsError> {
    let recipients =
        groups.iter().map(|group| group.iter().map(|text| Ok(parse_recipient_with(text, access)?)).collect());
    let recipients: Vec<Vec<Box<dyn Recipient>>> = recipients.collect::<Result<_, SopsError>>()?;
    let shares = match recipients.len() {
        1 => vec![key.to_secret()],
        count => keys::split(&key.to_secret(), threshold.unwrap_or(count) as u8, count as u8, rng)?,
    };
    recipients.iter().zip(&shares).map(|(group, share)| wrap_group(group, share)).collect()
}

pub(crate) fn wrap_group(group: &[Box<dyn Recipient>], share: &SecretBytes) -> Result<Group, SopsError> {
    let wrap = |recipient: &dyn Recipient| {
        Ok(WrappedKey { recipient: recipient.id().to_owned(), enc: recipient.wrap(share)? })
    };
    Ok(Group::of(group.iter().map(|recipient| wrap(recipient.as_ref())).collect::<Result<_, SopsError>>()?))
}

/// What the check of a file's recipients found, before its data key is wrapped to them again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// These recipients are neither in the matching creation rule nor in the list stored with the file.
    Recipients(Vec<String>),
    /// There is neither a rule nor a stored list to compare these with.
    Unknown(Vec<String>),
}

/// Compares a file's recipients with what vouches for them. Anyone who can write the file can add a
/// recipient to its metadata; wrapping the data key to it would hand the secrets over.
///
/// # Errors
/// [`Untrusted`].
pub fn untrusted_recipients(
    metadata: &Metadata,
    rule: Option<&Policy>,
    stored: Option<&[String]>,
    accepted: &[String],
) -> Result<(), Untrusted> {
    let known: Vec<&str> = rule
        .into_iter()
        .flat_map(Policy::recipients)
        .chain(stored.unwrap_or_default().iter().map(String::as_str))
        .chain(accepted.iter().map(String::as_str))
        .collect();
    let exact: HashSet<&str> = known.iter().copied().collect();
    let is_known = |recipient: &str| {
        exact.contains(recipient)
            || (recipient.starts_with("ssh-") && known.iter().any(|known| same_recipient(known, recipient)))
    };
    let mut seen = HashSet::new();
    let strangers = metadata.recipients().filter(|recipient| !is_known(recipient) && seen.insert(*recipient));
    let strangers: Vec<String> = strangers.map(str::to_owned).collect();
    match strangers.is_empty() {
        true => Ok(()),
        false if rule.is_none() && stored.is_none() => Err(Untrusted::Unknown(strangers)),
        false => Err(Untrusted::Recipients(strangers)),
    }
}
