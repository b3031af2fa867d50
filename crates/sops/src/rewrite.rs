//! Changing an encrypted file: decrypted, changed, encrypted again under the same data key, so that values that
//! did not change keep their ciphertext.
//!
//! A file that plomb wrote keeps its text, in which the change is one edit. A file that SOPS wrote keeps SOPS' own
//! layout, until somebody gives it another one.

use document::{Document, EmitOptions, Format, Map, Path, Step, Value};
use secret::{Random, SecretBytes};

use crate::change::{self, Found};
use crate::error::SopsError;
use crate::layout::Layout;
use crate::open::{Notice, Plain};
use crate::seal::{SealOptions, Sealed, Sealing, is_metadata_key, seal_as, seal_tree};
use crate::timestamp::Timestamp;
use crate::value::{canonical, is_token};

mod block;
mod clear;
mod indent;
mod sops_path;
mod text;

pub use block::{Edited, Shown, with_block};
pub use clear::seal_clear;
pub use indent::detect as detect_indent;
pub use sops_path::sops_path;

/// What the encryption needs beside the decrypted file.
pub struct Again<'a> {
    /// Nonces of changed values come from here.
    pub rng: &'a mut dyn Random,
    /// The clock; `lastmodified` never goes back.
    pub now: Timestamp,
    /// How a file that SOPS wrote is printed.
    pub layout: EmitOptions,
    /// Whether SOPS' own result is wanted, byte for byte: comments behind values move above them.
    pub as_sops: bool,
}

/// A change of one value of the first document.
#[derive(Debug)]
pub enum Change {
    /// Puts the value at the path; missing maps and lists are made.
    Set(Path, Value),
    /// Removes what is at the path.
    Unset(Path),
}

impl Change {
    /// The tree with the change made.
    fn apply(&self, root: &mut Map) -> Result<(), SopsError> {
        match self {
            Self::Set(path, value) => {
                change::fits(root, path)?;
                change::set(root, path, value.duplicate());
                Ok(())
            }
            Self::Unset(path) => change::unset(root, path),
        }
    }

    /// The same change where SOPS would make it: it counts the comments of a list as elements.
    ///
    /// # Errors
    /// [`SopsError::Path`] when an index is that of a comment.
    pub fn as_sops_counts(&self, plain: &Plain) -> Result<Self, SopsError> {
        let no_document = || SopsError::Proof("there is no document");
        let root = &plain.document().branches.first().ok_or_else(no_document)?.root;
        Ok(match self {
            Self::Set(path, value) => Self::Set(sops_path(root, path)?, value.duplicate()),
            Self::Unset(path) => Self::Unset(sops_path(root, path)?),
        })
    }

    /// Whether one scalar takes another's place, so that the tree keeps its shape.
    fn is_of_scalars(&self, plain: &Plain) -> bool {
        let Self::Set(path, value) = self else { return false };
        let root = plain.document().branches.first().map(|branch| &branch.root);
        let old = root.and_then(|root| change::get(root, path).ok());
        matches!(old, Some(Found::Scalar(_))) && !matches!(value, Value::Map(_) | Value::List(_))
    }

    /// Whether the tree is already as the change would make it.
    fn is_done(&self, root: &Map) -> bool {
        let Self::Set(path, value) = self else { return false };
        match (change::get(root, path), value) {
            (Ok(Found::Scalar(old)), new) => equal(old, new),
            (Ok(Found::Map(old)), Value::Map(new)) => old.same(new),
            (Ok(Found::List(old)), Value::List(new)) => old.same(new),
            _ => false,
        }
    }
}

/// Equality of scalars: of numbers it is that of their digits, since JSON does not tell 1 and 1.0 apart.
fn equal(old: &Value, new: &Value) -> bool {
    old.same(new)
        || match (old, canonical(new)) {
            (Value::Int(_) | Value::Float(_), Some((_, text))) if matches!(new, Value::Int(_) | Value::Float(_)) => {
                canonical(old).is_some_and(|(_, old)| *old == *text)
            }
            _ => false,
        }
}

/// Whether the change would change nothing: the value is there, or what is to be removed is not.
pub fn is_done(plain: &Plain, change: &Change) -> bool {
    let Some(root) = plain.document().branches.first().map(|branch| &branch.root) else { return false };
    match change {
        Change::Set(path, value) => {
            let flat = is_flat(plain.document().format);
            Change::Set(path.clone(), as_held(flat, value)).is_done(root)
        }
        Change::Unset(path) => change::get(root, path).is_err(),
    }
}

/// Encrypts the file again with one value changed.
///
/// # Errors
/// [`SopsError::Path`] when the path leads nowhere, [`SopsError::Format`] when the format has no such shape, and as
/// [`crate::seal()`].
pub fn with_change(mut plain: Plain, change: &Change, again: Again<'_>) -> Result<Sealed, SopsError> {
    let format = plain.document().format;
    refuse_null(format, change)?;
    refuse_metadata(format, change)?;
    let options = SealOptions { plain_comments: plain_comments(&plain), allow_nothing: true, allow_big_integers: true };
    if plain.is_ours() && format.edits_in_place() {
        let doc = text::edited(&format.parse(plain.text(&EmitOptions::default())?)?, change)?;
        return again.seal(&mut plain, doc, options);
    }
    if again.as_sops || !change.is_of_scalars(&plain) {
        plain.move_comments_above();
    }
    let document = plain.document_mut();
    let root = document.branches.first_mut().ok_or(SopsError::Proof("there is no document"))?;
    let was_whole = is_whole(&root.root);
    change.apply(&mut root.root)?;
    if !format.edits_in_place() && was_whole && !is_whole(&root.root) {
        return Err(SopsError::Path("a binary file holds one text at [\"data\"]".to_owned()));
    }
    let doc = Document {
        source: document.source.duplicate(),
        branches: std::mem::take(&mut document.branches),
        metadata: None,
        metadata_spans: Vec::new(),
        format,
    };
    if plain.is_ours() { again.seal(&mut plain, doc, options) } else { again.seal_tree(&mut plain, doc, options) }
}

/// Encrypts `text`, which somebody made of the decrypted text, in place of the old one.
///
/// # Errors
/// As [`crate::seal()`], and when the text cannot be read.
pub fn with_text(mut plain: Plain, text: SecretBytes, again: Again<'_>) -> Result<Sealed, SopsError> {
    let format = plain.document().format;
    let options = SealOptions { plain_comments: plain_comments(&plain), ..SealOptions::default() };
    let options = SealOptions { allow_nothing: selects_nothing(&plain), ..options };
    let doc = format.parse(text)?;
    if crate::is_encrypted(&doc) {
        return Err(SopsError::AlreadyEncrypted);
    }
    let sops_would_print_it =
        || !format.edits_in_place() || doc.emit(&again.layout).is_ok_and(|printed| printed == doc.source);
    if !plain.is_ours() && sops_would_print_it() {
        return again.seal_tree(&mut plain, doc, options);
    }
    again.seal(&mut plain, doc, options)
}

impl Again<'_> {
    fn sealing<'s>(&'s mut self, plain: &'s Plain, memory: crate::Memory, options: SealOptions) -> Sealing<'s> {
        let metadata = plain.metadata().clone();
        let now = Timestamp(self.now.0.max(metadata.lastmodified.0));
        Sealing { key: plain.key(), metadata, memory, options, rng: &mut *self.rng, now, created: now }
    }

    fn seal(mut self, plain: &mut Plain, doc: Document, options: SealOptions) -> Result<Sealed, SopsError> {
        let memory = plain.take_memory();
        // The data key is not wrapped again, so nobody becomes an accepted recipient here.
        let recipients = plain.accepted_recipients().unwrap_or_default().to_vec();
        let created = plain.key_created().map(|at| at.to_string()).unwrap_or_default();
        let layout = Layout { created, ..Layout::new(self.now, recipients) };
        seal_as(doc, self.sealing(plain, memory, options), layout)
    }

    fn seal_tree(mut self, plain: &mut Plain, doc: Document, options: SealOptions) -> Result<Sealed, SopsError> {
        let memory = plain.take_memory();
        let layout = self.layout;
        seal_tree(doc, self.sealing(plain, memory, options), &layout)
    }
}

/// Whether comments were left in clear on purpose: there are some, and none is encrypted.
fn plain_comments(plain: &Plain) -> bool {
    let clear = plain.notices().iter().any(|notice| matches!(notice, Notice::PlainComment { .. }));
    let document = plain.document();
    let sealed = |comment: &document::Comment| {
        let text = comment.span.and_then(|span| document.source.expose().get(span.range()));
        text.is_none_or(is_token)
    };
    plain.is_ours() && clear && !document.branches.iter().any(|branch| any_comment(&branch.root, &sealed))
}

fn any_comment(map: &Map, test: &dyn Fn(&document::Comment) -> bool) -> bool {
    fn in_value(value: &Value, test: &dyn Fn(&document::Comment) -> bool) -> bool {
        match value {
            Value::Map(map) => any_comment(map, test),
            Value::List(list) => list.items.iter().any(|item| match item {
                document::Element::Comment(comment) => test(comment),
                document::Element::Node(node) => in_value(&node.value, test),
            }),
            _ => false,
        }
    }
    map.items.iter().any(|item| match item {
        document::Item::Comment(comment) => test(comment),
        document::Item::Entry(entry) => in_value(&entry.value.value, test),
    })
}

/// Whether the file, as it was before the change, has no encrypted value.
fn selects_nothing(plain: &Plain) -> bool {
    let source = plain.document().source.expose();
    let tokens = source.windows(4).filter(|four| *four == b"ENC[").count();
    // The MAC is one, and in our files the layout another.
    tokens <= 1 + usize::from(plain.is_ours())
}

fn is_flat(format: &dyn Format) -> bool {
    matches!(format.name(), "dotenv" | "ini")
}

/// SOPS writes a null into a flat file as text in clear, and cannot read the file then.
fn refuse_null(format: &dyn Format, change: &Change) -> Result<(), SopsError> {
    match change {
        Change::Set(_, Value::Null) if is_flat(format) => {
            let what = format!("{} cannot hold null", format.name());
            Err(document::FormatError::new(document::Problem::Unwritable, what).into())
        }
        _ => Ok(()),
    }
}

/// What the metadata is called is no name for a value.
fn refuse_metadata(format: &dyn Format, change: &Change) -> Result<(), SopsError> {
    match change {
        Change::Set(Path(steps), _) if matches!(steps.first(), Some(Step::Key(key)) if is_metadata_key(format, key)) => {
            Err(SopsError::AlreadyEncrypted)
        }
        _ => Ok(()),
    }
}

fn is_whole(root: &Map) -> bool {
    root.entries().count() == 1 && root.get("data").is_some_and(|node| matches!(node.value, Value::Str(_)))
}

/// The value as a format holds it: in flat ones scalars are text.
fn as_held(flat: bool, value: &Value) -> Value {
    match canonical(value) {
        Some((_, bytes)) if flat => match value {
            Value::Bool(bool) => Value::str(if *bool { "true" } else { "false" }),
            _ => Value::Str(SecretBytes::new(bytes.to_vec())),
        },
        _ => value.duplicate(),
    }
}
