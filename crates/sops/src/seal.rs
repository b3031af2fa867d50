//! From a plain file to an encrypted one, in place: only the tokens that become `ENC[…]` change.

mod echo;
mod sealer;

use std::collections::{HashMap, HashSet, VecDeque};

use document::{Document, Edits, EmitOptions, Format, Value};
use secret::{DataKey, Random, SecretBytes};

use crate::error::SopsError;
use crate::layout::{Layout, LayoutEntry};
use crate::mac::{Mac, Running};
use crate::memory::Memory;
use crate::metadata::Metadata;
use crate::misread;
use crate::open::Notice;
use crate::parts::{Parts, SealedText};
use crate::proof;
use crate::selector::Selector;
use crate::timestamp::Timestamp;
use crate::value::{Cipher, Kind};
use crate::walk::walk;

pub(crate) use echo::read_back;
use sealer::Sealer;

/// What an encryption needs beside the file.
pub struct Sealing<'a> {
    /// The data key.
    pub key: &'a DataKey,
    /// Recipients with the wrapped data key, threshold, selector, MAC scope. Time and MAC are filled in.
    pub metadata: Metadata,
    /// Old tokens to keep, under the same data key.
    pub memory: Memory,
    /// Choices.
    pub options: SealOptions,
    /// Nonces come from here.
    pub rng: &'a mut dyn Random,
    /// Becomes `lastmodified`.
    pub now: Timestamp,
    /// When the data key was made.
    pub created: Timestamp,
}

/// Choices of an encryption.
#[derive(Clone, Copy, Debug, Default)]
pub struct SealOptions {
    /// Leave every comment in clear.
    pub plain_comments: bool,
    /// Allow a file in which the selector finds nothing to encrypt.
    pub allow_nothing: bool,
    /// Allow integers beyond 64 bits in clear, whose digits SOPS changes when it writes the file.
    pub allow_big_integers: bool,
}

/// An encrypted file.
#[derive(Debug)]
pub struct Sealed {
    /// Its bytes.
    pub text: SealedText,
    /// What the user should hear of.
    pub notices: Vec<Notice>,
    /// How many values are encrypted.
    pub values: usize,
}

/// Whether a plain document carries metadata, or a key that would be taken for it.
pub fn is_encrypted(doc: &Document) -> bool {
    metadata_entry(doc).is_some()
}

/// The entry that makes a document count as encrypted.
pub fn metadata_entry(doc: &Document) -> Option<&document::Entry> {
    doc.branches.first()?.root.entries().find(|entry| is_metadata_key(doc.format, &entry.key))
}

/// Whether a key at the top of a file of `format` is that of the metadata.
pub(crate) fn is_metadata_key(format: &dyn Format, key: &str) -> bool {
    if format.name() == "dotenv" { key.starts_with("sops_") } else { key == "sops" }
}

/// Encrypts `doc` in place: every byte that is no selected value, written-out alias, comment or metadata stays.
/// The result was read back and restored to the very bytes of `doc` before it is given out.
///
/// # Errors
/// [`SopsError::AlreadyEncrypted`], [`SopsError::Unsealable`] with a place, [`SopsError::NothingSelected`].
pub fn seal(doc: Document, sealing: Sealing<'_>) -> Result<Sealed, SopsError> {
    let recipients = sealing.metadata.recipients().map(str::to_owned).collect();
    let layout = Layout::new(sealing.created, recipients);
    seal_as(doc, sealing, layout)
}

/// The same, with a layout that says who was accepted as recipient and when the data key was made.
pub(crate) fn seal_as(doc: Document, mut sealing: Sealing<'_>, mut layout: Layout) -> Result<Sealed, SopsError> {
    if is_encrypted(&doc) {
        return Err(SopsError::AlreadyEncrypted);
    }
    if !doc.format.edits_in_place() {
        return seal_whole(doc, sealing, layout);
    }
    let notices = misread::check(&doc)?;
    let cipher = Cipher::new(sealing.key);
    let memory = std::mem::take(&mut sealing.memory);
    let mut places = HashMap::new();
    let mut pass = Pass::run(doc, &cipher, &mut sealing, memory.clone(), places.clone(), true)?;
    layout.mac = pass.mac.as_str().to_owned();
    let mut unparted: Option<HashMap<usize, Vec<u8>>> = None;
    let mut metadata = pass.metadata(&cipher, &layout, &mut sealing);
    let mut text = pass.text(&metadata, layout.parted)?;
    // Read back; what does not come back by itself goes into the layout; a comment that the metadata block
    // would attach elsewhere is kept from it by an empty line, or else sealed for its new place. Three rounds settle
    // every file seen so far.
    for _ in 0..5 {
        match proof::check(&pass, &metadata, text, &layout)? {
            proof::Verdict::Proved(text) => return Ok(Sealed { notices, ..pass.done(text) }),
            proof::Verdict::Residue { entries, unended, read } => {
                layout.entries = entries;
                layout.unended = unended;
                metadata = pass.metadata(&cipher, &layout, &mut sealing);
                text = pass.text_again(*read, &metadata)?;
                continue;
            }
            proof::Verdict::CommentsMoved(found) if unparted.is_none() && pass.can_part => {
                (unparted, layout.parted) = (Some(found), true);
            }
            proof::Verdict::CommentsMoved(found) => {
                places = found;
                if let Some(before) = unparted.take_if(|before| layout.parted && before.len() <= places.len()) {
                    (places, layout.parted, unparted) = (before, false, Some(HashMap::new()));
                }
            }
        }
        // What did not change keeps its token in this round too; the tokens of the last one are gone unseen.
        pass = Pass::run(pass.undo(), &cipher, &mut sealing, memory.clone(), places.clone(), true)?;
        metadata = pass.metadata(&cipher, &layout, &mut sealing);
        text = pass.text(&metadata, layout.parted)?;
    }
    Err(SopsError::Proof("the text could not be restored"))
}

/// Encrypts the tree of a file that SOPS wrote, keeping SOPS' own layout.
///
/// # Errors
/// As [`seal`]; also when the tree cannot be written in its format.
pub fn seal_tree(mut doc: Document, mut sealing: Sealing<'_>, options: &EmitOptions) -> Result<Sealed, SopsError> {
    let format: &'static dyn Format = doc.format;
    let cipher = Cipher::new(sealing.key);
    let memory = std::mem::take(&mut sealing.memory);
    doc.branches.iter_mut().for_each(|branch| proof::forget_aliases(&mut branch.root));
    let mut pass = Pass::run(doc, &cipher, &mut sealing, memory, HashMap::new(), false)?;
    sealing.metadata.layout = None;
    let metadata = sealed_metadata(&pass.mac, &cipher, &mut sealing);
    let mut branches = std::mem::take(&mut pass.doc.branches);
    branches.iter_mut().for_each(|branch| proof::comments_to_elements(&mut branch.root));
    let text = format.emit_encrypted(branches, &|| metadata.to_map(), options)?;
    proof::check_tree(&pass, &metadata, text.duplicate(), format)?;
    Ok(pass.done(text))
}

/// Encrypts a binary file: one value in a wrapper, to which no selector applies.
fn seal_whole(mut doc: Document, mut sealing: Sealing<'_>, mut layout: Layout) -> Result<Sealed, SopsError> {
    let format: &'static dyn Format = doc.format;
    let cipher = Cipher::new(sealing.key);
    sealing.metadata.selector = Selector::default();
    sealing.metadata.selector_written = false;
    sealing.metadata.mac_only_encrypted = false;
    let memory = std::mem::take(&mut sealing.memory);
    if memory.is_empty()
        && let Some(plain) = format.single_value(&mut doc)
    {
        return seal_parts(plain, format, &cipher, sealing, layout);
    }
    let mut pass = Pass::run(doc, &cipher, &mut sealing, memory, HashMap::new(), false)?;
    layout.mac = pass.mac.as_str().to_owned();
    let metadata = pass.metadata(&cipher, &layout, &mut sealing);
    let branches = std::mem::take(&mut pass.doc.branches);
    let text = format.emit_encrypted(branches, &|| metadata.to_map(), &EmitOptions::default())?;
    proof::check_tree(&pass, &metadata, text.duplicate(), format)?;
    Ok(pass.done(text))
}

/// The same while it is written, so that a large file is in memory once.
fn seal_parts(
    plain: SecretBytes,
    format: &'static dyn Format,
    cipher: &Cipher,
    mut sealing: Sealing<'_>,
    mut layout: Layout,
) -> Result<Sealed, SopsError> {
    let mut mac = Running::new(false);
    mac.value(plain.expose(), true);
    let mac = mac.finish();
    layout.mac = mac.as_str().to_owned();
    let mut metadata = sealed_metadata(&mac, cipher, &mut sealing);
    metadata.layout = Some(layout.seal(cipher, sealing.rng));
    let wrap = |token: &str| {
        let mut branch = document::Branch::default();
        branch.root.push("data", Value::str(token));
        let text = format.emit_encrypted(vec![branch], &|| metadata.to_map(), &EmitOptions::default())?;
        proof::check_wrapper(&text, token, &metadata, format)?;
        Ok(text)
    };
    let parts = Parts::seal(sealing.key, plain, b"data:", sealing.rng, wrap)?;
    Ok(Sealed { text: SealedText::Parts(Box::new(parts)), notices: Vec::new(), values: 1 })
}

/// The metadata with time and MAC.
fn sealed_metadata(mac: &Mac, cipher: &Cipher, sealing: &mut Sealing<'_>) -> Metadata {
    let mut metadata = sealing.metadata.clone();
    metadata.lastmodified = sealing.now;
    let aad = sealing.now.to_string();
    metadata.mac = Some(cipher.seal(Kind::Str, mac.as_bytes(), aad.as_bytes(), sealing.rng));
    metadata
}

/// One run over the tree: every selected value replaced by its token, the edits that do the same to the text,
/// and the list of what was sealed, in order.
pub(crate) struct Pass {
    /// The document; its tree holds tokens now.
    pub(crate) doc: Document,
    pub(crate) mac: Mac,
    pub(crate) sealed: VecDeque<SealedLeaf>,
    pub(crate) comments: Vec<SealedComment>,
    /// What must come back as it was spelled: aliases that were written out, a last block scalar.
    pub(crate) verbatim: Vec<LayoutEntry>,
    pub(crate) notices: Vec<Notice>,
    edits: Edits,
    /// Where in the encrypted text each edit's text starts.
    starts: Vec<u32>,
    /// Whether an empty line can stand in front of the metadata.
    can_part: bool,
}

/// A value that was sealed.
pub(crate) struct SealedLeaf {
    token: TokenAt,
    pub(crate) kind: Kind,
    /// The bytes inside the ciphertext.
    pub(crate) bytes: SecretBytes,
    /// The original token; none inside aliases.
    pub(crate) span: Option<document::Span>,
}

/// A token; many of them are most of what a large file needs in memory, so those in the text are not kept beside it.
enum TokenAt {
    /// Here: inside aliases, and where trees are printed.
    Here(Box<str>),
    /// In the text of an edit, from a byte on.
    Edit { number: u32, from: u32, length: u32 },
}

/// A comment that was sealed.
pub(crate) struct SealedComment {
    /// How many comments (with a place) were met before.
    pub(crate) number: usize,
    pub(crate) token: String,
    pub(crate) aad: Vec<u8>,
    pub(crate) text: SecretBytes,
}

impl Pass {
    fn run(
        mut doc: Document,
        cipher: &Cipher,
        sealing: &mut Sealing<'_>,
        memory: Memory,
        places: HashMap<usize, Vec<u8>>,
        in_place: bool,
    ) -> Result<Self, SopsError> {
        let mut branches = std::mem::take(&mut doc.branches);
        let metadata = &sealing.metadata;
        let mut sealer = Sealer {
            doc: &doc,
            cipher,
            selector: &metadata.selector,
            memory,
            rng: &mut *sealing.rng,
            mac: Running::new(metadata.mac_only_encrypted),
            plain_comments: sealing.options.plain_comments,
            allow_big_integers: sealing.options.allow_big_integers,
            places,
            met: 0,
            sealed_comments: HashSet::new(),
            sealed: VecDeque::new(),
            comments: Vec::new(),
            verbatim: Vec::new(),
            in_alias: 0,
            clear_in_alias: Vec::new(),
            sealed_spans: Vec::new(),
            edits: Edits::new(),
            leaves: 0,
            covered: 0,
            in_place,
        };
        walk(&mut branches, &metadata.selector, &mut sealer)?;
        sealer.check_clear_aliases()?;
        let Sealer { mac, sealed, comments, verbatim, edits, leaves, covered, .. } = sealer;
        doc.branches = branches;
        if leaves > 0 && covered == 0 && !sealing.options.allow_nothing {
            let (field, text) = sealing.metadata.selector.field();
            return Err(SopsError::NothingSelected(format!("{field} {text:?} selects no value of this file")));
        }
        let (mac, notices, starts) = (mac.finish(), Vec::new(), vec![0; edits.len()]);
        let can_part = in_place && doc.format.part_metadata(&doc, &mut Edits::new());
        Ok(Self { doc, mac, sealed, comments, verbatim, notices, edits, starts, can_part })
    }

    fn metadata(&self, cipher: &Cipher, layout: &Layout, sealing: &mut Sealing<'_>) -> Metadata {
        let mut metadata = sealed_metadata(&self.mac, cipher, sealing);
        metadata.layout = Some(layout.seal(cipher, sealing.rng));
        metadata
    }

    /// The encrypted text. Tree and edits are given up for it: they would lie beside the tree that is read back.
    fn text(&mut self, metadata: &Metadata, parted: bool) -> Result<SecretBytes, SopsError> {
        let mut block = Edits::new();
        if parted {
            self.doc.format.part_metadata(&self.doc, &mut block);
        }
        self.doc.format.place_metadata(&self.doc, &metadata.to_map(), &mut block)?;
        self.doc.branches.clear();
        let (edits, starts) = (std::mem::take(&mut self.edits), &mut self.starts);
        let note = |number: usize, start: usize| starts[number] = offset(start);
        let text = edits.apply_noting(&block, self.doc.source.expose(), note);
        text.ok_or(SopsError::Proof("overlapping edits"))
    }

    /// The encrypted text `read`, which was read back, with other metadata in its block.
    fn text_again(&mut self, read: Document, metadata: &Metadata) -> Result<SecretBytes, SopsError> {
        let mut block = Edits::new();
        read.format.place_metadata(&read, &metadata.to_map(), &mut block)?;
        let before = read.source.len();
        let text = block.apply(read.source.expose()).ok_or(SopsError::Proof("overlapping edits"))?;
        let end = read.metadata_spans.first().map_or(0, |span| span.end);
        let moved = |start: u32| offset((start as usize + text.len()).saturating_sub(before));
        self.starts.iter_mut().filter(|start| **start >= end).for_each(|start| *start = moved(*start));
        Ok(text)
    }

    fn done(self, text: SecretBytes) -> Sealed {
        Sealed { text: SealedText::Whole(text), notices: self.notices, values: self.sealed.len() }
    }

    /// The plain document again.
    fn undo(self) -> Document {
        let source = self.doc.source.duplicate();
        self.doc.format.parse(source).expect("the same bytes were parsed before")
    }
}

impl TokenAt {
    /// The token, as it was put into the text that is `source` now.
    fn text<'t>(&'t self, source: &'t [u8], starts: &[u32]) -> Option<&'t [u8]> {
        match self {
            Self::Here(text) => Some(text.as_bytes()),
            Self::Edit { number, from, length } => {
                let start = (starts.get(*number as usize)? + from) as usize;
                source.get(start..start + *length as usize)
            }
        }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("documents are limited to 4 GiB when parsed")
}
