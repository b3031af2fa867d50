//! A decrypted text with its metadata block in it, as an editor shows it, and what comes back from there.
//!
//! Of the block count readers, threshold, selector, MAC scope and fields that nobody knows. Wrapped keys, MAC, times and
//! layout are never taken from a text that somebody edited.

use document::{Branch, Document, Edits, Element, EmitOptions, Format, Item, Map, Span, Value, format::Json};
use keys::{KeyError, same_recipient};
use secret::{DataKey, SecretBytes};

use super::{Again, with_text};
use crate::error::SopsError;
use crate::metadata::{Group, Metadata, WrappedKey};
use crate::open::{Plain, located};
use crate::rekey::Readers;
use crate::seal::Sealed;

/// The member of a binary file's wrapper that holds its content.
const DATA: &str = "data";

/// A decrypted text with its block.
pub struct Shown {
    /// What the editor shows.
    pub text: SecretBytes,
    format: &'static dyn Format,
    /// Whether the text has no line break at its end: the block behind it, or the editor, may add one.
    unended: bool,
}

/// What somebody made of it.
#[derive(Debug)]
pub struct Edited {
    /// The text without the block.
    pub text: SecretBytes,
    /// The block: the file's wrapped keys, everything else as it was edited.
    pub metadata: Metadata,
    /// Who shall read the file; `None`: the same as before.
    pub readers: Option<Readers>,
    /// Who shall no longer read it: recipients and entries of other kinds.
    pub gone: Vec<String>,
}

impl Shown {
    /// `text`, which was decrypted or is about to be encrypted, with `metadata` in it. A binary file is shown as the
    /// JSON object that its encrypted form is.
    ///
    /// # Errors
    /// When the block cannot be put there or not be told apart again, or the content of a binary file is no text.
    pub fn new(format: &'static dyn Format, text: &SecretBytes, metadata: &Metadata) -> Result<Self, SopsError> {
        if !format.edits_in_place() {
            return Self::wrapped(format, text, metadata);
        }
        let doc = format.parse(text.duplicate())?;
        let mut edits = Edits::new();
        format.place_metadata(&doc, &metadata.to_map(), &mut edits)?;
        let shown = edits.apply(text.expose()).ok_or(SopsError::Proof("overlapping edits"))?;
        let this = Self { text: shown, format, unended: !text.expose().ends_with(b"\n") };
        if this.part(this.text.duplicate())?.1 != *text {
            return Err(SopsError::Proof("the metadata cannot be shown in this text"));
        }
        Ok(this)
    }

    fn wrapped(format: &'static dyn Format, text: &SecretBytes, metadata: &Metadata) -> Result<Self, SopsError> {
        if std::str::from_utf8(text.expose()).is_err() {
            let what = "its content is no text, which could be shown beside the metadata";
            return Err(document::FormatError::new(document::Problem::Unsupported, what).into());
        }
        let mut branch = Branch::default();
        branch.root.push(DATA, Value::Str(text.duplicate()));
        let text = Json.emit_encrypted(vec![branch], &|| metadata.to_map(), &EmitOptions::default())?;
        Ok(Self { text, format, unended: false })
    }

    /// Reads what the editor left; `before` is the metadata that was shown.
    ///
    /// # Errors
    /// With the place, when the text or its block cannot be read, when a recipient is none, or when the block asks for
    /// what only plomb itself can write: a wrapped key, an entry of another kind.
    pub fn read(&self, edited: SecretBytes, before: &Metadata) -> Result<Edited, SopsError> {
        let (doc, text) = self.part(edited)?;
        let block = doc.metadata.as_ref().ok_or_else(|| self.without_block(&doc))?;
        let after = Metadata::parse(block).map_err(|error| placed(&doc, error))?;
        if !self.format.edits_in_place() && (after.selector != before.selector || after.mac_only_encrypted) {
            return Err(broken(
                &doc,
                after.selector.field().0,
                "a binary file is one value: no selector applies to it",
            ));
        }
        check_entries(&doc, before, &after)?;
        let (gone, readers) = (gone(before, &after), readers(before, &after));
        Ok(Edited { text, metadata: merged(before, after), readers, gone })
    }

    /// The parsed text, its block taken out of the tree, and the bytes that are left without it.
    fn part(&self, edited: SecretBytes) -> Result<(Document, SecretBytes), SopsError> {
        if !self.format.edits_in_place() {
            return part_wrapper(edited);
        }
        let mut doc = self.format.parse(edited)?;
        self.format.take_metadata(&mut doc)?;
        let mut edits = Edits::new();
        self.format.remove_metadata(&doc, &mut edits);
        let text = edits.apply(doc.source.expose()).ok_or(SopsError::Proof("overlapping edits"))?;
        let text = if self.unended { crate::restore::without_line_break(text) } else { text };
        Ok((doc, text))
    }

    fn without_block(&self, doc: &Document) -> SopsError {
        let end = Span { start: doc.source.len() as u32, end: doc.source.len() as u32 };
        SopsError::MetadataAt { at: doc.place(end.start), what: "it is not there any more".to_owned() }
    }
}

/// The JSON object in which a binary file is shown, and its content.
fn part_wrapper(edited: SecretBytes) -> Result<(Document, SecretBytes), SopsError> {
    let mut doc = Json.parse(edited)?;
    Json.take_metadata(&mut doc)?;
    let mut entries = doc.branches.iter_mut().flat_map(|branch| &mut branch.root.items);
    let only = (entries.next(), entries.next());
    let (Some(Item::Entry(entry)), None) = only else { return Err(not_whole()) };
    match &mut entry.value.value {
        Value::Str(text) if &*entry.key == DATA => {
            let text = std::mem::take(text);
            Ok((doc, text))
        }
        _ => Err(not_whole()),
    }
}

fn not_whole() -> SopsError {
    SopsError::Path("a binary file holds one text at [\"data\"]".to_owned())
}

/// Encrypts what came back: under the file's data key, or under `key`, for which every value gets new ciphertext.
/// `metadata` of `edited` must hold the wrapped keys already.
///
/// # Errors
/// As [`with_text`].
pub fn with_block(
    mut plain: Plain,
    edited: Edited,
    key: Option<DataKey>,
    again: Again<'_>,
) -> Result<Sealed, SopsError> {
    plain.put_metadata(edited.metadata, edited.readers.is_some());
    if let Some(key) = key {
        plain.put_key(key, again.now);
    }
    with_text(plain, edited.text, again)
}

/// Adds the place to what [`Metadata::parse`] found.
fn placed(doc: &Document, error: SopsError) -> SopsError {
    match error {
        SopsError::Selector { field, why } => broken(doc, &field, &format!("{field}: {why}")),
        SopsError::NoRecipients => broken(doc, "", "it lists no keys"),
        SopsError::Format(error) => SopsError::Format(error),
        other => located(doc, other),
    }
}

/// An error at the field `name` of the block, or at its start.
fn broken(doc: &Document, name: &str, what: &str) -> SopsError {
    let field = doc.metadata.as_ref().and_then(|map| map.get(name)).map(|node| node.site.span);
    at(doc, field, what)
}

fn at(doc: &Document, span: Option<Span>, what: &str) -> SopsError {
    let span = span.filter(|span| span.end > span.start).or_else(|| doc.metadata_spans.first().copied());
    let place = doc.place(span.unwrap_or_default().start);
    SopsError::MetadataAt { at: place, what: what.to_owned() }
}

/// Every entry of the edited block must be one of the file, or a recipient that can be wrapped to.
fn check_entries(doc: &Document, before: &Metadata, after: &Metadata) -> Result<(), SopsError> {
    for (number, group) in after.groups.iter().enumerate() {
        let known = before.groups.get(number);
        if let Some(foreign) = group.foreign_beyond(known) {
            return Err(SopsError::ForeignKey(foreign));
        }
        group.age.iter().try_for_each(|entry| check_entry(doc, before, entry))?;
    }
    Ok(())
}

fn check_entry(doc: &Document, before: &Metadata, entry: &WrappedKey) -> Result<(), SopsError> {
    let fail = |what: String| {
        let span = doc.metadata.as_ref().and_then(|map| find(map, &entry.recipient));
        Err(at(doc, span, &what))
    };
    let mut old = before.groups.iter().flat_map(|group| &group.age);
    let known = old.clone().any(|old| same_recipient(&old.recipient, &entry.recipient));
    match keys::parse_recipient(&entry.recipient) {
        // Whether its plugin may run is asked when the key is wrapped.
        Ok(_) | Err(KeyError::PluginNotAllowed(_)) => {}
        Err(_) if known => {}
        Err(error) => return fail(error.to_string()),
    }
    let enc = entry.enc.trim();
    let same = |old: &WrappedKey| old.enc.trim() == enc && same_recipient(&old.recipient, &entry.recipient);
    if !enc.is_empty() && !old.any(same) {
        let name = &entry.recipient;
        return fail(format!("the wrapped key of {name} was changed; without its `enc` a new one is made"));
    }
    Ok(())
}

/// Where a scalar of the block says `text`.
fn find(map: &Map, text: &str) -> Option<Span> {
    fn in_value(value: &Value, span: Span, text: &str) -> Option<Span> {
        match value {
            Value::Map(map) => find(map, text),
            Value::List(list) => list.items.iter().find_map(|item| match item {
                Element::Node(node) => in_value(&node.value, node.site.span, text),
                Element::Comment(_) => None,
            }),
            value => (value.as_str() == Some(text)).then_some(span),
        }
    }
    map.entries().find_map(|entry| in_value(&entry.value.value, entry.value.site.span, text))
}

/// Who is in a group of the file and no longer in that of the block.
fn gone(before: &Metadata, after: &Metadata) -> Vec<String> {
    let none = Group::default();
    let mut gone = Vec::new();
    for (number, old) in before.groups.iter().enumerate() {
        let new = after.groups.get(number).unwrap_or(&none);
        let stays = |key: &&WrappedKey| new.age.iter().any(|other| same_recipient(&other.recipient, &key.recipient));
        gone.extend(old.age.iter().filter(|key| !stays(key)).map(|key| key.recipient.clone()));
        let left = new.foreign();
        gone.extend(old.foreign().into_iter().filter(|name| !left.contains(name)));
    }
    gone
}

/// The readers of the block, if they are others than the file's, or one of them needs a new wrapped key.
fn readers(before: &Metadata, after: &Metadata) -> Option<Readers> {
    let names = |metadata: &Metadata| -> Vec<Vec<String>> {
        let group = |group: &Group| group.age.iter().map(|key| key.recipient.clone()).collect();
        metadata.groups.iter().map(group).collect()
    };
    let foreign = |metadata: &Metadata| metadata.groups.iter().map(Group::foreign).collect::<Vec<_>>();
    let bare = after.groups.iter().flat_map(|group| &group.age).any(|key| key.enc.trim().is_empty());
    let same = names(before) == names(after)
        && before.threshold == after.threshold
        && foreign(before) == foreign(after)
        && !bare;
    (!same).then(|| Readers { groups: names(after), threshold: after.threshold })
}

/// The block with what only the file itself can say: wrapped keys, times, MAC.
fn merged(before: &Metadata, after: Metadata) -> Metadata {
    let mut groups = before.groups.clone();
    for (number, group) in groups.iter_mut().enumerate() {
        let Some(new) = after.groups.get(number) else { continue };
        let bare = |key: &WrappedKey| {
            let mut entries = new.age.iter().filter(|other| same_recipient(&other.recipient, &key.recipient));
            entries.any(|other| other.enc.trim().is_empty())
        };
        group.age.iter_mut().filter(|key| bare(key)).for_each(|key| key.enc.clear());
        group.foreign_from(new);
    }
    let mut merged = after;
    merged.groups = groups;
    merged.threshold = before.threshold;
    merged.lastmodified = before.lastmodified;
    merged.mac.clone_from(&before.mac);
    merged.version.clone_from(&before.version);
    merged.layout.clone_from(&before.layout);
    merged
}
