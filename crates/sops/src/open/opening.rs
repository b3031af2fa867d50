//! The walk that opens: every token becomes its value, by the cipher or by the proof's list of what was just sealed.

use document::{Comment, Document, Node, Value};
use secret::SecretBytes;

use super::Notice;
use crate::error::SopsError;
use crate::mac::{Mac, Running};
use crate::memory::Memory;
use crate::metadata::Metadata;
use crate::restore;
use crate::survey::Found;
use crate::value::{Cipher, Kind, ValueError, canonical, is_token, read};
use crate::walk::{At, Visitor, walk};

/// What a walk met, one per leaf and comment, in order.
#[derive(Debug)]
pub(crate) enum Visit {
    /// Not encrypted, or nothing to encrypt.
    Clear,
    /// Decrypted, with the spelling inside the ciphertext where it differs from the canonical one.
    Opened(Option<SecretBytes>),
    /// A list element that turned out to be a comment (SOPS writes comments in lists so).
    ElementComment,
}

/// Something that turns tokens into plaintext: the cipher, or the proof's list of what was just sealed.
pub(crate) trait Opener {
    /// `source` is the text in which the token stands.
    fn open(&mut self, source: &[u8], token: &[u8], at: &At) -> Result<(Kind, SecretBytes), ValueError>;
    fn comment(&mut self, token: &[u8], at: &At) -> Option<(Kind, SecretBytes)>;

    /// Whether values that stand in clear at encrypted places are taken as they are, instead of being an error.
    fn keeps_clear(&self) -> bool {
        false
    }

    /// As [`Opener::open`], for tokens that nobody needs afterwards.
    fn open_large(&mut self, source: &[u8], token: SecretBytes, at: &At) -> Result<(Kind, SecretBytes), ValueError> {
        self.open(source, token.expose(), at)
    }
}

/// From this length on a token is decrypted in its own bytes.
const LARGE: usize = 1 << 20;

/// What [`open_all`] gives.
pub(crate) struct Opened {
    pub(crate) doc: Document,
    pub(crate) visits: Vec<Visit>,
    pub(crate) memory: Memory,
    pub(crate) notices: Vec<Notice>,
    pub(crate) computed: Mac,
}

/// Decrypts the tree of `doc` in place.
pub(crate) fn open_all(
    mut doc: Document,
    metadata: &Metadata,
    opener: &mut dyn Opener,
    remember: bool,
) -> Result<Opened, SopsError> {
    let mut branches = std::mem::take(&mut doc.branches);
    let mut opening = Opening {
        doc: &doc,
        opener,
        mac: Running::new(metadata.mac_only_encrypted),
        visits: Vec::new(),
        memory: remember.then(Memory::default),
        notices: Vec::new(),
        element_comments: false,
    };
    walk(&mut branches, &metadata.selector, &mut opening)?;
    let Opening { mac, visits, memory, notices, element_comments, .. } = opening;
    if element_comments {
        let mut seen = visits.iter();
        branches.iter_mut().for_each(|branch| restore::elements_to_comments(&mut branch.root, &mut seen));
    }
    doc.branches = branches;
    Ok(Opened { doc, visits, memory: memory.unwrap_or_default(), notices, computed: mac.finish() })
}

struct Opening<'a> {
    doc: &'a Document,
    opener: &'a mut dyn Opener,
    mac: Running,
    visits: Vec<Visit>,
    memory: Option<Memory>,
    notices: Vec<Notice>,
    element_comments: bool,
}

impl Opening<'_> {
    /// Keeps a token; a float that prints like an integer is also kept as that integer, since so it is
    /// read back when its printed text was not touched (both have the same bytes and the same MAC).
    fn remember(&mut self, at: &At, kind: Kind, bytes: &[u8], token: &[u8]) {
        let Some(memory) = &mut self.memory else { return };
        // A block scalar's text ends with its line break.
        let token = String::from_utf8_lossy(token.trim_ascii_end());
        let looks_integer = kind == Kind::Float && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
        if looks_integer {
            memory.remember(at.aad(), Kind::Int, bytes, token.clone().into_owned());
        }
        memory.remember(at.aad(), kind, bytes, token.into_owned());
    }
}

impl Visitor for Opening<'_> {
    fn leaf(&mut self, at: &At, node: &mut Node, encrypted: bool) -> Result<(), SopsError> {
        if !encrypted {
            if let Value::Str(bytes) = &node.value {
                self.mac.value(bytes.expose(), false);
            } else if let Some((_, bytes)) = canonical(&node.value) {
                self.mac.value(&bytes, false);
            }
            self.visits.push(Visit::Clear);
            return Ok(());
        }
        if let Value::Str(bytes) = &mut node.value
            && bytes.len() >= LARGE
            && self.memory.is_none()
        {
            let token = std::mem::take(bytes);
            let opened = self.opener.open_large(self.doc.source.expose(), token, at);
            let failed = |source| SopsError::Value { place: at.place(self.doc, node), source };
            let (kind, bytes) = opened.map_err(failed)?;
            return self.opened(at, node, kind, bytes);
        }
        let token = match &node.value {
            Value::Null => {
                self.visits.push(Visit::Clear);
                return Ok(());
            }
            Value::Str(bytes) if bytes.is_empty() => {
                self.visits.push(Visit::Clear);
                return Ok(());
            }
            Value::Str(bytes) => bytes.expose(),
            _ => &[],
        };
        if self.opener.keeps_clear() && Found::of(&node.value) == Found::Clear {
            self.visits.push(Visit::Clear);
            return Ok(());
        }
        let failed = |source| SopsError::Value { place: at.place(self.doc, node), source };
        let (kind, bytes) = self.opener.open(self.doc.source.expose(), token, at).map_err(failed)?;
        if self.memory.is_some() {
            let token = token.to_vec();
            self.remember(at, kind, bytes.expose(), &token);
        }
        self.opened(at, node, kind, bytes)
    }

    fn comment(&mut self, at: &At, comment: &mut Comment, encrypted: bool) -> Result<(), SopsError> {
        let text = comment.text.expose();
        let mut visit = Visit::Clear;
        // Seen through an alias a comment is only a copy; it is opened where it stands.
        if encrypted && !text.is_empty() && at.aliases == 0 {
            match self.opener.comment(text, at) {
                Some((kind, bytes)) => {
                    if kind != Kind::Comment {
                        // Another type than ours or SOPS' writes there: it counts as a value, so that the MAC tells.
                        self.mac.value(bytes.expose(), true);
                    }
                    let token = text.to_vec();
                    self.remember(at, kind, bytes.expose(), &token);
                    comment.text = bytes;
                    visit = Visit::Opened(None);
                }
                None => {
                    let at = comment.span.map(|span| self.doc.place(span.start));
                    self.notices.push(Notice::PlainComment { at });
                }
            }
        }
        self.visits.push(visit);
        Ok(())
    }
}

impl Opening<'_> {
    /// Puts what a token held into the tree.
    fn opened(&mut self, at: &At, node: &mut Node, kind: Kind, bytes: SecretBytes) -> Result<(), SopsError> {
        if kind == Kind::Comment {
            self.element_comments = true;
            self.visits.push(Visit::ElementComment);
            node.value = Value::Str(bytes);
            return Ok(());
        }
        if kind == Kind::Str {
            self.mac.value(bytes.expose(), true);
            self.visits.push(Visit::Opened(None));
            node.value = Value::Str(bytes);
            return Ok(());
        }
        let spelling = bytes.duplicate();
        let value = read(kind, bytes).map_err(|source| SopsError::Value { place: at.place(self.doc, node), source })?;
        let (_, usual) = canonical(&value).expect("only scalars are read from ciphertexts");
        self.mac.value(&usual, true);
        let spelling = (spelling.expose() != usual.as_slice()).then_some(spelling);
        self.visits.push(Visit::Opened(spelling));
        node.value = value;
        Ok(())
    }
}

/// As the cipher, but values in clear stay.
pub(super) struct PartialOpener(pub(super) CipherOpener);

impl Opener for PartialOpener {
    fn open(&mut self, source: &[u8], token: &[u8], at: &At) -> Result<(Kind, SecretBytes), ValueError> {
        self.0.open(source, token, at)
    }

    fn comment(&mut self, token: &[u8], at: &At) -> Option<(Kind, SecretBytes)> {
        self.0.comment(token, at)
    }

    fn keeps_clear(&self) -> bool {
        true
    }
}

/// The real thing.
pub(super) struct CipherOpener {
    pub(super) cipher: Cipher,
    /// Whether comments may have been sealed under any enclosing path, several times (files of ours).
    pub(super) every_path: bool,
}

impl Opener for CipherOpener {
    fn open(&mut self, _: &[u8], token: &[u8], at: &At) -> Result<(Kind, SecretBytes), ValueError> {
        self.cipher.open(token, at.aad())
    }

    fn open_large(&mut self, _: &[u8], token: SecretBytes, at: &At) -> Result<(Kind, SecretBytes), ValueError> {
        self.cipher.open_large(token, at.aad())
    }

    fn comment(&mut self, token: &[u8], at: &At) -> Option<(Kind, SecretBytes)> {
        if !self.every_path {
            return self.cipher.open(token, at.aad()).ok();
        }
        let once = |token: &[u8]| at.enclosing().into_iter().find_map(|aad| self.cipher.open(token, aad).ok());
        let mut opened = once(token)?;
        while is_token(opened.1.expose()) {
            match once(opened.1.expose()) {
                Some(inner) => opened = inner,
                None => break,
            }
        }
        Some(opened)
    }
}
