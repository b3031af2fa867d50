//! From an encrypted file to its plaintext: Encrypted → Unlocked → Plain.

mod opening;

use document::{Document, EmitOptions, Format, Path, Value};
use keys::{Keyring, same_recipient};
use secret::{DataKey, SecretBytes};

use crate::change;
use crate::error::{NoKey, SopsError};
use crate::layout::Layout;
use crate::mac::Mac;
use crate::memory::Memory;
use crate::metadata::{Group, Metadata};
use crate::misread;
use crate::restore;
use crate::selector::Selector;
use crate::survey::{Met, Survey, each_value, survey};
use crate::value::{Cipher, Kind};

use opening::{CipherOpener, PartialOpener};
pub(crate) use opening::{Opened, Opener, Visit, open_all};

/// A file as it lies in the repository.
#[derive(Debug)]
pub struct Encrypted {
    doc: Document,
    metadata: Metadata,
}

/// Why the MAC of a file is not checked. Every place that gives up integrity is one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacSkip {
    /// `--ignore-mac`.
    UserAsked,
    /// The object went through an API server, which changes what the MAC covers.
    ApiServerOwnsMetadata,
}

/// A file whose data key is at hand and whose values are decrypted, not yet verified.
#[derive(Debug)]
pub struct Unlocked {
    plain: Plain,
    computed: Mac,
    stored: Option<SecretBytes>,
}

/// A decrypted file: the only door to plaintext.
#[derive(Debug)]
pub struct Plain {
    doc: Document,
    metadata: Metadata,
    key: DataKey,
    layout: Option<Layout>,
    visits: Vec<Visit>,
    memory: Memory,
    notices: Vec<Notice>,
}

/// Something the user should hear of that is no failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A comment that should be encrypted is not, or does not decrypt; it is shown as it stands.
    PlainComment {
        /// Line and column.
        at: Option<(usize, usize)>,
    },
    /// A comment without text among the elements of a list: SOPS reads an empty element.
    EmptyElement {
        /// Line and column of the first.
        at: Option<(usize, usize)>,
        /// How many more there are.
        more: usize,
    },
    /// An integer beyond 64 bits: SOPS rounds it to a float.
    Rounded {
        /// Line and column of the first.
        at: Option<(usize, usize)>,
        /// How many more there are.
        more: usize,
    },
    /// The layout field is damaged or does not belong to this state of the file: canonical style was used.
    LayoutIgnored,
}

impl Encrypted {
    /// Takes the metadata out of a parsed file.
    ///
    /// # Errors
    /// [`SopsError::NotEncrypted`] without metadata, [`SopsError::Metadata`] when it is broken.
    pub fn new(mut doc: Document) -> Result<Self, SopsError> {
        let format: &dyn Format = doc.format;
        format.take_metadata(&mut doc)?;
        let parsed = Metadata::parse(doc.metadata.as_ref().ok_or(SopsError::NotEncrypted)?);
        let metadata = parsed.map_err(|error| located(&doc, error))?;
        Ok(Self { doc, metadata })
    }

    /// What stands at the selected places, without opening anything.
    pub fn survey(&mut self) -> Survey {
        survey(&mut self.doc, &self.metadata.selector)
    }

    /// Shows every value to `visit`, selected or not by `selector`, without opening anything.
    pub fn each_value(&mut self, selector: &Selector, visit: &mut dyn FnMut(&Met<'_>)) {
        each_value(&mut self.doc, selector, visit);
    }

    /// The metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The file's tree, to be walked; without the metadata.
    pub fn document_mut(&mut self) -> &mut Document {
        &mut self.doc
    }

    /// The file's tree with its `ENC[…]` texts, without the metadata.
    pub fn document(&self) -> &Document {
        &self.doc
    }

    /// The data key, opened by the first identity that fits; enough groups are opened for the threshold.
    ///
    /// # Errors
    /// [`SopsError::NoKey`] with what was tried.
    pub fn data_key(&self, ring: &Keyring) -> Result<DataKey, SopsError> {
        self.data_key_by(ring, None)
    }

    /// The same; what is wrapped to the recipient `first` is tried before the rest of its group.
    ///
    /// # Errors
    /// As [`Self::data_key`].
    pub fn data_key_by(&self, ring: &Keyring, first: Option<&str>) -> Result<DataKey, SopsError> {
        let mut report = NoKey { needed: self.metadata.needed_groups(), ..NoKey::default() };
        let mut shares = Vec::new();
        for group in &self.metadata.groups {
            if shares.len() == report.needed {
                break;
            }
            shares.extend(open_group(group, ring, first, &mut report));
        }
        report.opened = shares.len();
        if shares.len() < report.needed {
            return Err(SopsError::NoKey(Box::new(report)));
        }
        let key = if self.metadata.groups.len() > 1 { keys::combine(&shares)? } else { shares.swap_remove(0) };
        DataKey::try_from(key).map_err(|_| SopsError::Metadata("a wrapped key has the wrong length".to_owned()))
    }

    /// Decrypts every value with `key`. `remember` keeps the tokens for a later encryption.
    ///
    /// # Errors
    /// [`SopsError::Value`] with the place of the first value that does not open.
    pub fn unlock(self, key: DataKey, remember: bool) -> Result<Unlocked, SopsError> {
        let cipher = Cipher::new(&key);
        let layout = self.metadata.layout.as_deref().map(|token| Layout::open(&cipher, token));
        let aad = self.metadata.lastmodified.to_string();
        let stored = self.metadata.mac.as_ref().map(|mac| cipher.open(mac.as_bytes(), aad.as_bytes()));
        let mut opener = CipherOpener { cipher, every_path: self.metadata.has_layout() };
        let mut opened = open_all(self.doc, &self.metadata, &mut opener, remember)?;
        if layout.as_ref().is_some_and(Option::is_none) {
            opened.notices.push(Notice::LayoutIgnored);
        }
        let layout = layout.map(Option::unwrap_or_default);
        let Opened { doc, visits, memory, notices, computed } = opened;
        let plain = Plain { doc, metadata: self.metadata, key, layout, visits, memory, notices };
        // An undecryptable MAC, or one that is no text, is as wrong as a different one.
        let stored = stored.map(|opened| match opened {
            Ok((Kind::Str, bytes)) => bytes,
            _ => SecretBytes::default(),
        });
        Ok(Unlocked { plain, computed, stored })
    }

    /// The file with other metadata and everything else as it is: for changes of recipients.
    ///
    /// # Errors
    /// When the block cannot be placed, or the result does not read back.
    pub fn with_metadata(&self, metadata: &Metadata) -> Result<SecretBytes, SopsError> {
        if !self.doc.format.edits_in_place() {
            return self.rewrapped(metadata);
        }
        let mut edits = document::Edits::new();
        self.doc.format.place_metadata(&self.doc, &metadata.to_map(), &mut edits)?;
        let text = edits.apply(self.doc.source.expose()).ok_or(SopsError::Proof("overlapping edits"))?;
        let mut again = self.doc.format.parse(text.duplicate())?;
        self.doc.format.take_metadata(&mut again)?;
        let same = again.branches.len() == self.doc.branches.len()
            && again.branches.iter().zip(&self.doc.branches).all(|(a, b)| a.root.same(&b.root));
        if same { Ok(text) } else { Err(SopsError::Proof("values changed")) }
    }
}

/// Adds the place of the metadata field that an error names first, else that of the block.
pub(crate) fn located(doc: &Document, error: SopsError) -> SopsError {
    let what = match error {
        SopsError::Metadata(what) => what,
        other => return other,
    };
    let name = what.split(' ').next().unwrap_or_default();
    let field = doc.metadata.as_ref().and_then(|map| map.get(name));
    let start = field.map(|node| node.site.span).filter(|span| span.end > span.start);
    match start.or_else(|| doc.metadata_spans.first().copied()) {
        Some(span) if doc.format.edits_in_place() => SopsError::MetadataAt { at: doc.place(span.start), what },
        _ => SopsError::Metadata(what),
    }
}

impl Encrypted {
    /// A wrapper around the same ciphertexts with other metadata.
    fn rewrapped(&self, metadata: &Metadata) -> Result<SecretBytes, SopsError> {
        let held = self.doc.branches.first().ok_or(SopsError::Proof("there is no data"))?;
        let branch = document::Branch { root: held.root.duplicate(), site: held.site };
        Ok(self.doc.format.emit_encrypted(vec![branch], &|| metadata.to_map(), &EmitOptions::default())?)
    }
}

fn open_group(group: &Group, ring: &Keyring, first: Option<&str>, report: &mut NoKey) -> Option<SecretBytes> {
    let of_first = group.age.iter().partition(|key| first.is_some_and(|first| same_recipient(&key.recipient, first)));
    let (first, rest): (Vec<_>, Vec<_>) = of_first;
    for key in first.into_iter().chain(rest) {
        match ring.unwrap_labelled(&key.enc, &key.recipient) {
            Ok(share) => return Some(share),
            Err(unopened) => {
                report.trouble = report.trouble.take().or_else(|| unopened.damage().cloned());
                report.entries.push((key.recipient.clone(), unopened.to_string()));
            }
        }
    }
    report.entries.extend(group.foreign().into_iter().map(|name| (name, "plomb does not use such keys".to_owned())));
    None
}

impl Unlocked {
    /// Checks the MAC.
    ///
    /// # Errors
    /// [`SopsError::NoMac`], [`SopsError::MacMismatch`].
    pub fn verify(self) -> Result<Plain, SopsError> {
        let stored = self.stored.as_ref().ok_or(SopsError::NoMac)?;
        if !self.computed.matches(stored.expose()) {
            return Err(SopsError::MacMismatch);
        }
        let mut plain = self.plain;
        let fits = |layout: &Layout| layout.mac == self.computed.as_str();
        if plain.layout.as_ref().is_some_and(|layout| !layout.entries.is_empty() && !fits(layout)) {
            plain.notices.push(Notice::LayoutIgnored);
            plain.layout = plain.layout.map(|layout| Layout { entries: Vec::new(), ..layout });
        }
        Ok(plain)
    }

    /// Goes on without the MAC. The layout's entries are not used: nothing vouches for them.
    pub fn skip_mac(self, _why: MacSkip) -> Plain {
        let mut plain = self.plain;
        plain.layout = plain.layout.map(|layout| Layout { entries: Vec::new(), ..layout });
        plain
    }
}

/// Integers from here on are doubles.
const TWO_TO_THE_63: f64 = 9_223_372_036_854_775_808.0;

impl Plain {
    /// The digits of integers beyond 64 bits in the first document, as its text has them; none of anything else, and
    /// none in a file that SOPS wrote, which has only what SOPS rounded.
    pub fn digits(&self, paths: &[Path]) -> Vec<Option<SecretBytes>> {
        let none = || paths.iter().map(|_| None).collect();
        let Some(root) = self.doc.branches.first().map(|branch| &branch.root) else { return none() };
        let is_large = |path: &Path| matches!(change::node(root, path).map(|node| &node.value), Some(Value::Float(float)) if float.abs() >= TWO_TO_THE_63);
        if !self.is_ours() || !paths.iter().any(is_large) {
            return none();
        }
        let text = self.text(&EmitOptions::default()).ok();
        let Some(doc) = text.and_then(|text| self.doc.format.parse(text).ok()) else { return none() };
        let exact = |path: &Path| {
            let node = change::node(&doc.branches.first()?.root, path)?;
            misread::digits(&doc, node).map(|digits| SecretBytes::new(digits.to_vec()))
        };
        paths.iter().map(exact).collect()
    }

    /// The decrypted text: as the file was before encryption if plomb wrote it, else as SOPS prints it.
    ///
    /// # Errors
    /// When the tree cannot be written in its format.
    pub fn text(&self, options: &EmitOptions) -> Result<SecretBytes, SopsError> {
        let Some(layout) = self.layout.as_ref().filter(|_| self.doc.format.edits_in_place()) else {
            return self.emit(options);
        };
        if let Some(text) = restore::text(&self.doc, &self.visits, layout, None) {
            return Ok(text);
        }
        let bare = Layout { unended: layout.unended, parted: layout.parted, ..Layout::default() };
        match restore::text(&self.doc, &self.visits, &bare, None) {
            Some(text) => Ok(text),
            None => self.emit(options),
        }
    }

    /// The tree as SOPS prints it: an encrypted comment behind a value comes back above it.
    fn emit(&self, options: &EmitOptions) -> Result<SecretBytes, SopsError> {
        if !self.doc.branches.iter().any(|branch| restore::has_inline_comment(&branch.root)) {
            return Ok(self.doc.emit(options)?);
        }
        let mut visits = self.visits.iter();
        let moved = |branch: &document::Branch, visits: &mut std::slice::Iter<'_, Visit>| {
            let mut root = branch.root.duplicate();
            restore::opened_comments_above(&mut root, visits);
            document::Branch { root, site: branch.site }
        };
        let branches: Vec<_> = self.doc.branches.iter().map(|branch| moved(branch, &mut visits)).collect();
        Ok(self.doc.format.emit(&branches, options)?)
    }

    /// As [`Plain::text`], without a copy of what is one value as a whole.
    ///
    /// # Errors
    /// As [`Plain::text`].
    pub fn into_text(mut self, options: &EmitOptions) -> Result<SecretBytes, SopsError> {
        let format: &dyn Format = self.doc.format;
        match format.single_value(&mut self.doc) {
            Some(bytes) => Ok(bytes),
            None => self.text(options),
        }
    }

    /// The decrypted tree. Its sites are those of the encrypted text.
    pub fn document(&self) -> &Document {
        &self.doc
    }

    /// The decrypted tree, to change it.
    pub fn document_mut(&mut self) -> &mut Document {
        &mut self.doc
    }

    /// Has decrypted comments that stand behind values stand above them, as SOPS prints them.
    pub(crate) fn move_comments_above(&mut self) {
        let mut visits = self.visits.iter();
        self.doc.branches.iter_mut().for_each(|branch| restore::opened_comments_above(&mut branch.root, &mut visits));
    }

    /// The metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Puts other metadata in place of the file's; `wrapped` says that the readers in it were accepted.
    pub(crate) fn put_metadata(&mut self, metadata: Metadata, wrapped: bool) {
        if let Some(layout) = self.layout.as_mut().filter(|_| wrapped) {
            layout.recipients = metadata.recipients().map(str::to_owned).collect();
        }
        self.metadata = metadata;
    }

    /// Puts a new data key, made `now`, in place of the file's; tokens under the old one are forgotten.
    pub(crate) fn put_key(&mut self, key: DataKey, now: crate::Timestamp) {
        self.memory = Memory::default();
        if let Some(layout) = &mut self.layout {
            layout.created = now.to_string();
        }
        self.key = key;
    }

    /// The data key.
    pub fn key(&self) -> &DataKey {
        &self.key
    }

    /// The tokens of the encrypted file, if `remember` was asked for; they are handed out once.
    pub fn take_memory(&mut self) -> Memory {
        std::mem::take(&mut self.memory)
    }

    /// What the user should hear of.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Whether plomb wrote the file (else SOPS did).
    pub fn is_ours(&self) -> bool {
        self.layout.is_some()
    }

    /// The recipients that were accepted when the data key was last wrapped, where the file says so.
    pub fn accepted_recipients(&self) -> Option<&[String]> {
        self.layout.as_ref().filter(|layout| !layout.recipients.is_empty()).map(|layout| layout.recipients.as_slice())
    }

    /// When the data key was made, where the file says so.
    pub fn key_created(&self) -> Option<crate::Timestamp> {
        self.layout.as_ref().and_then(|layout| crate::Timestamp::parse(&layout.created))
    }
}

impl Encrypted {
    /// Decrypts every token and takes values in clear as they are. Nothing vouches for the result but what the caller
    /// has checked: `trusted` is the verified old version, whose layout is used if it is still the file's.
    pub(crate) fn unlock_partly(self, trusted: Plain) -> Result<Plain, SopsError> {
        let cipher = Cipher::new(&trusted.key);
        let mut opener = PartialOpener(CipherOpener { cipher, every_path: self.metadata.has_layout() });
        let Opened { doc, visits, memory, notices, .. } = open_all(self.doc, &self.metadata, &mut opener, true)?;
        let same = self.metadata.layout == trusted.metadata.layout;
        let bare = || self.metadata.layout.as_ref().map(|_| Layout::default());
        let layout = if same { trusted.layout } else { bare() };
        Ok(Plain { doc, metadata: self.metadata, key: trusted.key, layout, visits, memory, notices })
    }
}
