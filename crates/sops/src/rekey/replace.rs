//! One reader in the place of another, and nothing else: every other entry stays byte for byte, and nobody is wrapped
//! to but who is named here. What a file says of itself is not believed, so nobody has to vouch for it.

use keys::{Access, Keyring, WrappedKey as ParsedKey, parse_recipient_with, same_recipient};
use secret::{DataKey, Random, SecretBytes};

use super::Shares;
use crate::error::SopsError;
use crate::layout::Layout;
use crate::metadata::{Group, Metadata, WrappedKey};
use crate::open::Encrypted;
use crate::value::Cipher;

/// Who comes and who goes.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// Recipients to wrap to.
    pub to: &'a [String],
    /// Recipients whose entries go. A group in which none goes gains nobody, unless this is empty: then those who come
    /// go into the first group.
    pub drop: &'a [String],
}

/// A file with other readers.
#[derive(Debug)]
pub struct Replaced {
    /// Its text.
    pub text: SecretBytes,
    /// Entries that came.
    pub added: usize,
    /// Entries that went.
    pub dropped: usize,
}

impl Replacement<'_> {
    /// Whether a file with this metadata is meant: it lists one who goes, or nobody goes.
    pub fn concerns(&self, metadata: &Metadata) -> bool {
        self.drop.is_empty() || metadata.recipients().any(|name| self.drops(name))
    }

    fn drops(&self, name: &str) -> bool {
        self.drop.iter().any(|gone| same_recipient(gone, name))
    }
}

impl Encrypted {
    /// The file with readers replaced, under the same data key, values and MAC. `None` if nothing would change.
    ///
    /// # Errors
    /// [`SopsError::Groups`] when the share of a group is not at hand or nobody would be left in it;
    /// [`SopsError::NoRecipients`]; when a recipient cannot be wrapped to.
    pub fn replace_readers(
        &self,
        key: &DataKey,
        replacement: Replacement<'_>,
        (ring, access): (&Keyring, &Access),
        rng: &mut dyn Random,
    ) -> Result<Option<Replaced>, SopsError> {
        let mut metadata = self.metadata().clone();
        let shares = Shares::of(self.metadata(), ring);
        let (mut added, mut dropped) = (0, 0);
        for (number, group) in metadata.groups.iter_mut().enumerate() {
            let goes = group.age.iter().any(|entry| replacement.drops(&entry.recipient));
            if !goes && (number > 0 || !replacement.drop.is_empty()) {
                continue;
            }
            let share = || share(self.metadata(), number, key, ring, &shares);
            let (came, went) = replace(group, replacement, &share, access)?;
            (added, dropped) = (added + came, dropped + went);
            if group.age.is_empty() && group.foreign().is_empty() {
                let what = SopsError::Groups(format!("key group {} would have no keys", number + 1));
                return Err(if self.metadata().groups.len() == 1 { SopsError::NoRecipients } else { what });
            }
        }
        if added == 0 && dropped == 0 {
            return Ok(None);
        }
        metadata.layout = self.layout_with(key, replacement, rng);
        Ok(Some(Replaced { text: self.with_metadata(&metadata)?, added, dropped }))
    }

    /// The stored list of accepted recipients follows; those whom it does not name are not accepted on the way.
    fn layout_with(&self, key: &DataKey, replacement: Replacement<'_>, rng: &mut dyn Random) -> Option<String> {
        let cipher = Cipher::new(key);
        let token = self.metadata().layout.as_deref()?;
        let Some(mut layout) = Layout::open(&cipher, token) else { return Some(token.to_owned()) };
        if layout.recipients.is_empty() {
            return Some(token.to_owned());
        }
        layout.recipients.retain(|name| !replacement.drops(name));
        for name in replacement.to {
            if !layout.recipients.iter().any(|known| same_recipient(known, name)) {
                layout.recipients.push(name.clone());
            }
        }
        Some(layout.seal(&cipher, rng))
    }
}

/// Changes one group: those who come stand where the first one went. How many came and went.
fn replace(
    group: &mut Group,
    replacement: Replacement<'_>,
    share: &dyn Fn() -> Result<SecretBytes, SopsError>,
    access: &Access,
) -> Result<(usize, usize), SopsError> {
    let at = group.age.iter().position(|entry| replacement.drops(&entry.recipient)).unwrap_or(group.age.len());
    let before = group.age.len();
    // An entry that nobody can read is none.
    let is_there = |name: &String| {
        let mut same = group.age.iter().filter(|entry| same_recipient(&entry.recipient, name));
        same.any(|entry| ParsedKey::parse(&entry.enc).is_ok()) && !replacement.drops(name)
    };
    let missing: Vec<&String> = replacement.to.iter().filter(|name| !is_there(name)).collect();
    let mut new = Vec::new();
    if !missing.is_empty() {
        let share = share()?;
        for name in &missing {
            let recipient = parse_recipient_with(name, access)?;
            new.push(WrappedKey { recipient: recipient.id().to_owned(), enc: recipient.wrap(&share)? });
        }
    }
    let added = new.len();
    let goes = |entry: &WrappedKey| {
        let again = missing.iter().any(|name| same_recipient(name, &entry.recipient));
        replacement.drops(&entry.recipient) || again
    };
    let (head, tail) = group.age.split_at(at);
    let kept = |part: &[WrappedKey]| part.iter().filter(|entry| !goes(entry)).cloned().collect::<Vec<_>>();
    let all: Vec<WrappedKey> = kept(head).into_iter().chain(new).chain(kept(tail)).collect();
    let dropped = before + added - all.len();
    group.age = all;
    Ok((added, dropped))
}

/// The share of a group: the whole data key where there is one group.
fn share(
    metadata: &Metadata,
    number: usize,
    key: &DataKey,
    ring: &Keyring,
    shares: &Shares,
) -> Result<SecretBytes, SopsError> {
    if metadata.groups.len() == 1 {
        return Ok(key.to_secret());
    }
    let opened = metadata.groups[number].age.iter().filter_map(|it| ring.unwrap_labelled(&it.enc, &it.recipient).ok());
    let found = opened.into_iter().find(|share| shares.fits(number, share, key));
    found.ok_or_else(|| SopsError::Groups(format!("no identity at hand opens key group {}", number + 1)))
}
