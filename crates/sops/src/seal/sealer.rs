//! The walk that seals: every selected value becomes a token, in the tree and as an edit of the text.

use std::collections::{HashMap, HashSet, VecDeque};

use document::{Comment, Document, Edits, Node, Value};
use secret::{Random, SecretBytes};

use super::{SealedComment, SealedLeaf, TokenAt, offset};
use crate::error::SopsError;
use crate::layout::LayoutEntry;
use crate::mac::Running;
use crate::memory::Memory;
use crate::misread;
use crate::selector::Selector;
use crate::value::{Cipher, Kind, canonical};
use crate::walk::{At, Visitor};

/// What one walk over a document has sealed so far.
pub(super) struct Sealer<'a> {
    pub(super) doc: &'a Document,
    pub(super) cipher: &'a Cipher,
    pub(super) selector: &'a Selector,
    pub(super) memory: Memory,
    pub(super) rng: &'a mut dyn Random,
    pub(super) mac: Running,
    pub(super) plain_comments: bool,
    pub(super) allow_big_integers: bool,
    /// Additional data for comments (by number) that the metadata block attaches elsewhere.
    pub(super) places: HashMap<usize, Vec<u8>>,
    /// Comments with a place met so far.
    pub(super) met: usize,
    /// Where the texts of sealed comments stand.
    pub(super) sealed_comments: HashSet<u32>,
    pub(super) sealed: VecDeque<SealedLeaf>,
    pub(super) comments: Vec<SealedComment>,
    pub(super) verbatim: Vec<LayoutEntry>,
    /// Values sealed inside the alias that is being walked.
    pub(super) in_alias: usize,
    /// Clear values seen through aliases: the offset of their original and where the alias stands.
    pub(super) clear_in_alias: Vec<(u32, crate::error::Place)>,
    pub(super) sealed_spans: Vec<u32>,
    pub(super) edits: Edits,
    pub(super) leaves: usize,
    pub(super) covered: usize,
    /// Whether the text is edited (else only the tree is changed).
    pub(super) in_place: bool,
}

impl Sealer<'_> {
    fn token(&mut self, at: &At, kind: Kind, bytes: &[u8]) -> String {
        let old = self.memory.take(at.aad(), kind, bytes);
        old.unwrap_or_else(|| self.cipher.seal(kind, bytes, at.aad(), self.rng))
    }

    /// Integers beyond 64 bits are doubles to SOPS; in clear text their digits would be lost on its next write.
    fn refuse_big_integer(&self, at: &At, node: &Node) -> Result<(), SopsError> {
        if misread::digits(self.doc, node).is_none() {
            return Ok(());
        }
        let what = "is an integer beyond 64 bits and stays in clear; SOPS would change its digits (quote it)";
        Err(SopsError::Unsealable { place: at.place(self.doc, node), what })
    }

    /// A value in clear whose anchor stands at an encrypted place: leaving the alias would show an `ENC[…]`
    /// text there, writing it out would show the secret.
    pub(super) fn check_clear_aliases(&mut self) -> Result<(), SopsError> {
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
