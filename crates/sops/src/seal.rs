//! From a plain file to an encrypted one, in place: only the tokens that become `ENC[…]` change.

mod echo;

use std::collections::{HashMap, HashSet, VecDeque};

use document::{Comment, Document, Edits, EmitOptions, Format, Node, Value};
use secret::{DataKey, Random, SecretBytes};

use crate::error::SopsError;
use crate::layout::{Layout, LayoutEntry};
use crate::mac::{Mac, Running};
use crate::memory::Memory;
use crate::metadata::Metadata;
use crate::open::Notice;
use crate::parts::{Parts, SealedText};
use crate::proof;
use crate::selector::Selector;
use crate::timestamp::Timestamp;
use crate::value::{Cipher, Kind, canonical};
use crate::walk::{At, Visitor, walk};

pub(crate) use echo::read_back;

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
            proof::Verdict::Proved(text) => return Ok(pass.done(text)),
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

struct Sealer<'a> {
    doc: &'a Document,
    cipher: &'a Cipher,
    selector: &'a Selector,
    memory: Memory,
    rng: &'a mut dyn Random,
    mac: Running,
    plain_comments: bool,
    allow_big_integers: bool,
    /// Additional data for comments (by number) that the metadata block attaches elsewhere.
    places: HashMap<usize, Vec<u8>>,
    /// Comments with a place met so far.
    met: usize,
    /// Where the texts of sealed comments stand.
    sealed_comments: HashSet<u32>,
    sealed: VecDeque<SealedLeaf>,
    comments: Vec<SealedComment>,
    verbatim: Vec<LayoutEntry>,
    /// Values sealed inside the alias that is being walked.
    in_alias: usize,
    /// Clear values seen through aliases: the offset of their original and where the alias stands.
    clear_in_alias: Vec<(u32, crate::error::Place)>,
    sealed_spans: Vec<u32>,
    edits: Edits,
    leaves: usize,
    covered: usize,
    /// Whether the text is edited (else only the tree is changed).
    in_place: bool,
}

impl Sealer<'_> {
    fn token(&mut self, at: &At, kind: Kind, bytes: &[u8]) -> String {
        let old = self.memory.take(at.aad(), kind, bytes);
        old.unwrap_or_else(|| self.cipher.seal(kind, bytes, at.aad(), self.rng))
    }

    /// Integers beyond 64 bits are doubles to SOPS; in clear text their digits would be lost on its next write.
    fn refuse_big_integer(&self, at: &At, node: &Node) -> Result<(), SopsError> {
        let text = self.doc.source.expose().get(node.site.span.range()).unwrap_or_default();
        let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        let big = digits.len() > 17 && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'_');
        if !big || !matches!(node.value, Value::Float(_)) {
            return Ok(());
        }
        let what = "is an integer beyond 64 bits and stays in clear; SOPS would change its digits (quote it)";
        Err(SopsError::Unsealable { place: at.place(self.doc, node), what })
    }

    /// A value in clear whose anchor stands at an encrypted place: leaving the alias would show an `ENC[…]`
    /// text there, writing it out would show the secret.
    fn check_clear_aliases(&mut self) -> Result<(), SopsError> {
        if self.clear_in_alias.is_empty() {
            return Ok(());
        }
        let sealed: HashSet<u32> = self.sealed_spans.iter().copied().collect();
        let mut found = self.clear_in_alias.drain(..).filter(|(start, _)| sealed.contains(start));
        found.next().map_or(Ok(()), |(_, place)| {
            let what = "is an alias in clear to an anchor whose value is encrypted";
            Err(SopsError::Unsealable { place, what })
        })
    }

    /// A block scalar in clear that ends the file without a line break would gain one from the metadata behind
    /// it: its header is changed to say that the break does not count.
    fn end_last_block(&mut self, at: &At, node: &Node) {
        let source = self.doc.source.expose();
        let is_block = matches!(node.site.style, document::Style::Literal | document::Style::Folded);
        let is_last = node.site.span.end as usize == source.len() && !source.ends_with(b"\n");
        if !self.in_place || !is_block || !is_last || at.aliases > 0 {
            return;
        }
        let token = document::Token::Opened { value: &node.value, spelling: None };
        self.doc.format.write_leaf(self.doc, node, token, None, &mut self.edits);
        let text = String::from_utf8_lossy(&source[node.site.span.range()]).into_owned();
        self.verbatim.push(LayoutEntry { doc: at.document, pointer: at.path().pointer(), text });
    }

    fn clear(&mut self, at: &At, node: &Node, bytes: &[u8]) -> Result<(), SopsError> {
        self.mac.value(bytes, false);
        if at.aliases > 0 {
            self.clear_in_alias.push((node.site.span.start, at.place(self.doc, node)));
        }
        if self.in_place && !self.allow_big_integers { self.refuse_big_integer(at, node) } else { Ok(()) }
    }

    /// An encrypted leaf of which `bytes` are the canonical ones.
    fn seal_leaf(&mut self, at: &At, node: &mut Node, kind: Kind, bytes: SecretBytes) -> Result<(), SopsError> {
        self.covered += 1;
        self.mac.value(bytes.expose(), true);
        if bytes.is_empty() {
            return Ok(());
        }
        let token = self.token(at, kind, bytes.expose());
        let direct = at.aliases == 0;
        let mut found = None;
        if direct && self.in_place {
            self.doc.format.write_leaf(self.doc, node, document::Token::Sealed(&token), None, &mut self.edits);
            self.sealed_spans.push(node.site.span.start);
            found = self.edits.find_in_last(token.as_bytes());
        }
        self.in_alias += usize::from(!direct);
        let span = direct.then_some(node.site.span);
        // Where the text is edited nobody reads the tree's value again; one copy of the token is enough.
        node.value = if direct && self.in_place { Value::Bool(true) } else { Value::str(&token) };
        let token = match found {
            Some((number, from)) => {
                TokenAt::Edit { number: offset(number), from: offset(from), length: offset(token.len()) }
            }
            None => TokenAt::Here(token.into_boxed_str()),
        };
        self.sealed.push_back(SealedLeaf { token, kind, bytes, span });
        Ok(())
    }
}

impl Visitor for Sealer<'_> {
    fn leaf(&mut self, at: &At, node: &mut Node, encrypted: bool) -> Result<(), SopsError> {
        if let Value::Str(bytes) = &mut node.value
            && encrypted
        {
            self.leaves += 1;
            let bytes = std::mem::take(bytes);
            return self.seal_leaf(at, node, Kind::Str, bytes);
        }
        let Some((kind, mut usual)) = canonical(&node.value) else {
            self.covered += usize::from(encrypted);
            return Ok(());
        };
        self.leaves += 1;
        if !encrypted {
            self.end_last_block(at, node);
            return self.clear(at, node, &usual);
        }
        let bytes = SecretBytes::new(std::mem::take(&mut *usual));
        self.seal_leaf(at, node, kind, bytes)
    }

    fn comment(&mut self, at: &At, comment: &mut Comment, encrypted: bool) -> Result<(), SopsError> {
        let Some(span) = comment.span else { return Ok(()) };
        let number = self.met;
        self.met += 1;
        if !encrypted || self.plain_comments || comment.text.is_empty() {
            if at.aliases > 0 && self.sealed_comments.contains(&span.start) {
                // Where the alias is written out, the copy of a comment that is encrypted does not go with it.
                comment.span = None;
            }
            return Ok(());
        }
        let aad = self.places.get(&number).cloned().unwrap_or_else(|| at.aad().to_vec());
        let old = self.memory.take(&aad, Kind::Comment, comment.text.expose());
        let token = old.unwrap_or_else(|| self.cipher.seal(Kind::Comment, comment.text.expose(), &aad, self.rng));
        if let Selector::UnencryptedCommentRegex(pattern) = self.selector
            && pattern.is_match(token.as_bytes())
        {
            let place =
                crate::error::Place { at: Some(self.doc.place(span.start)), path: at.path(), document: at.document };
            return Err(SopsError::Unsealable {
                place,
                what: "is a comment whose encrypted text would match the selector",
            });
        }
        if at.aliases > 0 {
            self.in_alias += 1;
        } else if self.in_place {
            self.doc.format.write_comment(self.doc, comment, token.as_bytes(), &mut self.edits);
            self.sealed_comments.insert(span.start);
        }
        let text = std::mem::replace(&mut comment.text, SecretBytes::from(token.as_str()));
        self.comments.push(SealedComment { number, token, aad, text });
        Ok(())
    }

    fn alias(&mut self, at: &At, node: &mut Node) -> Result<(), SopsError> {
        if at.aliases > 0 || self.in_alias == 0 {
            return Ok(());
        }
        self.in_alias = 0;
        self.doc.format.write_alias(self.doc, node, &mut self.edits);
        let span = node.alias.expect("only aliases are announced").span;
        let text = String::from_utf8_lossy(&self.doc.source.expose()[span.range()]).into_owned();
        self.verbatim.push(LayoutEntry { doc: at.document, pointer: at.path().pointer(), text });
        Ok(())
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
