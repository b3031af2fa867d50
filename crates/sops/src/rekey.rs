//! Other readers for an encrypted file: the same data key wrapped anew, or everything encrypted again.
//!
//! What an identity at hand can tell about the wrapped keys is looked at here too: labels can lie.

mod replace;

use document::{Document, Element, EmitOptions, Item, Map, Value};
use keys::{Access, Keyring, WrappedKey as ParsedKey, same_recipient};
use secret::{DataKey, Random, SecretBytes};

use crate::error::SopsError;
use crate::layout::Layout;
use crate::metadata::{Group, Metadata, WrappedKey};
use crate::open::{Encrypted, Plain};
use crate::policy::{checked_threshold, wrap, wrap_group};
use crate::seal::{Sealed, Sealing, seal, seal_tree};
use crate::value::{Cipher, is_token};

pub use replace::{Replaced, Replacement};

/// Who is to read a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readers {
    /// Key groups as recipient texts.
    pub groups: Vec<Vec<String>>,
    /// Groups needed to open; `None` is all of them.
    pub threshold: Option<usize>,
}

/// What the identities at hand tell about one wrapped key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It opens with an identity of its recipient and holds what it should.
    Verified,
    /// No identity at hand can tell.
    Unverified,
    /// It cannot be read by anyone.
    Damaged,
    /// It does not open with its recipient's identity, opens with somebody else's, or holds something else.
    False,
}

/// One wrapped key, looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Number of the group, from 0.
    pub group: usize,
    /// The label.
    pub recipient: String,
    /// The finding.
    pub standing: Standing,
}

/// Looks at every wrapped age key. `key` is the data key that the file was opened with. Identities that may ask
/// a person are only asked about entries that bear their own label.
pub fn examine(metadata: &Metadata, key: &DataKey, ring: &Keyring) -> Vec<Examined> {
    let shares = Shares::of(metadata, ring);
    let entry = |group: usize, entry: &WrappedKey| Examined {
        group,
        recipient: entry.recipient.clone(),
        standing: standing(group, entry, key, ring, &shares),
    };
    let groups = metadata.groups.iter().enumerate();
    groups.flat_map(|(number, group)| group.age.iter().map(move |wrapped| entry(number, wrapped))).collect()
}

fn standing(group: usize, entry: &WrappedKey, key: &DataKey, ring: &Keyring, shares: &Shares) -> Standing {
    if ParsedKey::parse(&entry.enc).is_err() {
        return Standing::Damaged;
    }
    let mine = ring.has_recipient(&entry.recipient);
    let all_known = ring.recipients().count() == ring.len();
    if !mine && !all_known {
        return Standing::Unverified;
    }
    match ring.unwrap_labelled(&entry.enc, &entry.recipient) {
        Ok(share) if !shares.fits(group, &share, key) => Standing::False,
        Ok(_) if mine => Standing::Verified,
        Ok(_) => Standing::False,
        // An identity that failed (no passphrase given) tells nothing.
        Err(unopened) if mine && unopened.damage().is_none() => Standing::False,
        Err(_) => Standing::Unverified,
    }
}

/// The shares that gave the data key, by group; the whole key where there is one group.
struct Shares {
    needed: usize,
    opened: Vec<(usize, SecretBytes)>,
}

impl Shares {
    fn of(metadata: &Metadata, ring: &Keyring) -> Self {
        let needed = metadata.needed_groups();
        let open = |group: &Group| group.age.iter().find_map(|key| ring.unwrap_labelled(&key.enc, &key.recipient).ok());
        let groups = metadata.groups.iter().enumerate();
        let opened = groups.filter_map(|(number, group)| Some((number, open(group)?)));
        Self { needed, opened: opened.take(needed).collect() }
    }

    /// Whether `share` of `group` belongs to `key`.
    fn fits(&self, group: usize, share: &SecretBytes, key: &DataKey) -> bool {
        if self.needed == 1 {
            return *share == key.to_secret();
        }
        if let Some((_, known)) = self.opened.iter().find(|(number, _)| *number == group) {
            return known == share;
        }
        let others = self.opened.iter().take(self.needed - 1).map(|(_, share)| share.duplicate());
        let set: Vec<_> = others.chain([share.duplicate()]).collect();
        set.len() == self.needed && keys::combine(&set).is_ok_and(|combined| combined == key.to_secret())
    }
}

impl Encrypted {
    /// The recipients that were accepted when the data key was last wrapped, where the file says so.
    pub fn accepted_recipients(&self, key: &DataKey) -> Option<Vec<String>> {
        let layout = Layout::open(&Cipher::new(key), self.metadata().layout.as_deref()?)?;
        (!layout.recipients.is_empty()).then_some(layout.recipients)
    }

    /// The file for other readers with the same data key, values and MAC. Entries of readers who stay are kept
    /// byte for byte while their share stays the same and nothing speaks against them.
    ///
    /// # Errors
    /// [`SopsError::ForeignKey`] when a key of another kind would need wrapping; everything that
    /// [`wrap`] and [`Encrypted::with_metadata`] can meet.
    pub fn rewrap(
        &self,
        key: &DataKey,
        readers: &Readers,
        keys: (&Keyring, &Access),
        rng: &mut dyn Random,
    ) -> Result<SecretBytes, SopsError> {
        let mut metadata = rewrapped(self.metadata(), key, readers, keys, rng)?;
        metadata.layout = self.layout_for(key, &metadata, rng);
        self.with_metadata(&metadata)
    }

    /// The layout with the readers of `metadata` as the accepted ones. A damaged one is left as it is: it counts
    /// for nothing, and its presence says who wrote the file.
    fn layout_for(&self, key: &DataKey, metadata: &Metadata, rng: &mut dyn Random) -> Option<String> {
        let cipher = Cipher::new(key);
        let token = self.metadata().layout.as_deref()?;
        let Some(mut layout) = Layout::open(&cipher, token) else { return Some(token.to_owned()) };
        layout.recipients = metadata.recipients().map(str::to_owned).collect();
        Some(layout.seal(&cipher, rng))
    }
}

/// Metadata with the same data key for other readers.
///
/// # Errors
/// As [`Encrypted::rewrap`].
pub fn rewrapped(
    old: &Metadata,
    key: &DataKey,
    readers: &Readers,
    (ring, access): (&Keyring, &Access),
    rng: &mut dyn Random,
) -> Result<Metadata, SopsError> {
    let mut metadata = old.clone();
    metadata.threshold = checked_threshold(&readers.groups, readers.threshold)?;
    let usable = usable_entries(old, key, ring);
    if let Some(shares) = kept_shares(old, key, ring, readers, &usable) {
        let pairs = usable.iter().zip(&readers.groups).zip(&shares).zip(&old.groups);
        let groups = pairs.map(|(((usable, names), share), old)| {
            let mut group = regroup(usable, names, share.as_ref(), access)?;
            group.foreign_from(old);
            Ok(group)
        });
        metadata.groups = groups.collect::<Result<_, SopsError>>()?;
        return Ok(metadata);
    }
    refuse_foreign(old)?;
    metadata.groups = wrap(key, &readers.groups, metadata.threshold, access, rng)?;
    Ok(metadata)
}

/// Metadata with a new data key for other readers.
///
/// # Errors
/// As [`Encrypted::rewrap`].
pub fn rekeyed(
    old: &Metadata,
    new_key: &DataKey,
    readers: &Readers,
    access: &Access,
    rng: &mut dyn Random,
) -> Result<Metadata, SopsError> {
    refuse_foreign(old)?;
    let mut metadata = old.clone();
    metadata.threshold = checked_threshold(&readers.groups, readers.threshold)?;
    metadata.groups = wrap(new_key, &readers.groups, metadata.threshold, access, rng)?;
    Ok(metadata)
}

fn refuse_foreign(metadata: &Metadata) -> Result<(), SopsError> {
    let first = metadata.groups.iter().flat_map(Group::foreign).next();
    first.map_or(Ok(()), |name| Err(SopsError::ForeignKey(name)))
}

/// The entries of each group that may be kept.
fn usable_entries<'m>(metadata: &'m Metadata, key: &DataKey, ring: &Keyring) -> Vec<Vec<&'m WrappedKey>> {
    let mut found = examine(metadata, key, ring).into_iter();
    let mut good = |_: &&WrappedKey| {
        let standing = found.next().map(|examined| examined.standing);
        matches!(standing, Some(Standing::Verified | Standing::Unverified))
    };
    metadata.groups.iter().map(|group| group.age.iter().filter(&mut good).collect()).collect()
}

fn find<'m>(usable: &[&'m WrappedKey], name: &str) -> Option<&'m WrappedKey> {
    usable.iter().copied().find(|entry| same_recipient(&entry.recipient, name))
}

/// The share of each group, if groups and threshold stay as they are and every share that somebody new must get
/// is at hand (`None` where nobody new is in the group). `None` as a whole: the key must be split again.
fn kept_shares(
    old: &Metadata,
    key: &DataKey,
    ring: &Keyring,
    readers: &Readers,
    usable: &[Vec<&WrappedKey>],
) -> Option<Vec<Option<SecretBytes>>> {
    let count = readers.groups.len();
    if old.groups.len() != count {
        return None;
    }
    if count == 1 {
        return Some(vec![Some(key.to_secret())]);
    }
    if old.needed_groups() != readers.threshold.unwrap_or(count) {
        return None;
    }
    let shares = Shares::of(old, ring);
    let share = |(number, (names, usable)): (usize, (&Vec<String>, &Vec<&WrappedKey>))| {
        if names.iter().all(|name| find(usable, name).is_some()) {
            return Some(None);
        }
        let opened = usable.iter().find_map(|entry| ring.unwrap_labelled(&entry.enc, &entry.recipient).ok())?;
        shares.fits(number, &opened, key).then_some(Some(opened))
    };
    readers.groups.iter().zip(usable).enumerate().map(share).collect()
}

fn regroup(
    usable: &[&WrappedKey],
    names: &[String],
    share: Option<&SecretBytes>,
    access: &Access,
) -> Result<Group, SopsError> {
    let entry = |name: &String| {
        if let Some(old) = find(usable, name) {
            return Ok(WrappedKey { recipient: name.clone(), enc: old.enc.clone() });
        }
        let share = share.expect("kept_shares opened the share of every group that gains a reader");
        let recipient = keys::parse_recipient_with(name, access)?;
        let group = wrap_group(&[recipient], share)?;
        Ok(group.age.into_iter().next().expect("one recipient gives one entry"))
    };
    Ok(Group::of(names.iter().map(entry).collect::<Result<_, SopsError>>()?))
}

/// Encrypts a decrypted file again: the text of a file that plomb wrote stays as it is, the tree of a file that
/// SOPS wrote is printed in SOPS' layout.
///
/// # Errors
/// As [`seal`] and [`seal_tree`].
pub fn reseal(mut plain: Plain, sealing: Sealing<'_>, options: &EmitOptions) -> Result<Sealed, SopsError> {
    let format = plain.document().format;
    if plain.is_ours() {
        let text = plain.text(options)?;
        return seal(format.parse(text)?, sealing);
    }
    let doc = plain.document_mut();
    let doc = Document {
        source: std::mem::take(&mut doc.source),
        branches: std::mem::take(&mut doc.branches),
        metadata: None,
        metadata_spans: Vec::new(),
        format,
    };
    seal_tree(doc, sealing, options)
}

/// Whether an encrypted file has comments in clear and no encrypted one: its author wanted them so.
pub fn has_plain_comments(encrypted: &Document) -> bool {
    let (mut plain, mut sealed) = (false, false);
    let mut see = |text: &SecretBytes| {
        let token = is_token(text.expose());
        plain |= !token && !text.is_empty();
        sealed |= token;
    };
    encrypted.branches.iter().for_each(|branch| comments(&branch.root, &mut see));
    plain && !sealed
}

fn comments(map: &Map, see: &mut dyn FnMut(&SecretBytes)) {
    for item in &map.items {
        match item {
            Item::Comment(comment) => see(&comment.text),
            Item::Entry(entry) => comments_in(&entry.value.value, see),
        }
    }
}

fn comments_in(value: &Value, see: &mut dyn FnMut(&SecretBytes)) {
    match value {
        Value::Map(map) => comments(map, see),
        Value::List(list) => list.items.iter().for_each(|item| match item {
            Element::Comment(comment) => see(&comment.text),
            Element::Node(node) => comments_in(&node.value, see),
        }),
        _ => {}
    }
}

/// Blanks per level in an encrypted file as SOPS lays it out, read off its metadata block; `None` where that is
/// the format's default or cannot be told.
pub fn indent_of(encrypted: &Document) -> Option<i64> {
    let text = std::str::from_utf8(encrypted.source.expose()).ok()?;
    let mut lines = text.lines();
    let line = match encrypted.format.name() {
        "yaml" => lines.by_ref().skip_while(|line| line.trim_end() != "sops:").nth(1),
        "json" => lines.by_ref().find(|line| line.trim_start().starts_with("\"sops\":")),
        _ => None,
    }?;
    let blanks = line.len() - line.trim_start_matches(' ').len();
    (blanks > 0).then_some(blanks as i64)
}
