//! Reading back what was just sealed, without decrypting it: every token that is met must be the one that was made.

use std::collections::HashMap;

use document::{Format, Map};
use secret::SecretBytes;

use super::{Pass, SealedComment, SealedLeaf};
use crate::error::SopsError;
use crate::metadata::Metadata;
use crate::open::{Opened, Opener, open_all};
use crate::value::{Kind, ValueError};
use crate::walk::At;

/// Gives back what was just sealed instead of decrypting it: the proof's stand-in for the cipher.
pub(crate) struct Echo<'a> {
    starts: &'a [u32],
    leaves: std::collections::vec_deque::Iter<'a, SealedLeaf>,
    comments: HashMap<&'a str, &'a SealedComment>,
    /// Comments that are attached elsewhere now: their number, and where.
    pub(crate) moved: HashMap<usize, Vec<u8>>,
}

impl<'a> Echo<'a> {
    pub(crate) fn new(pass: &'a Pass) -> Self {
        let comments = pass.comments.iter().map(|comment| (comment.token.as_str(), comment)).collect();
        Self { starts: &pass.starts, leaves: pass.sealed.iter(), comments, moved: HashMap::new() }
    }

    /// Whether everything that was sealed was met again.
    pub(crate) fn is_done(&self) -> bool {
        self.leaves.len() == 0
    }
}

impl Opener for Echo<'_> {
    fn open(&mut self, source: &[u8], token: &[u8], at: &At) -> Result<(Kind, SecretBytes), ValueError> {
        if let Some(comment) = std::str::from_utf8(token).ok().and_then(|token| self.comments.get(token)) {
            return Ok((Kind::Comment, comment.text.duplicate()));
        }
        let _ = at;
        let leaf = self.leaves.next().ok_or(ValueError::NotEncrypted)?;
        let sealed = leaf.token.text(source, self.starts).ok_or(ValueError::Unauthentic)?;
        // A block scalar's text ends with its line break; readers look at the token only.
        if token.strip_prefix(sealed).is_none_or(|rest| !rest.trim_ascii().is_empty()) {
            return Err(ValueError::Unauthentic);
        }
        Ok((leaf.kind, leaf.bytes.duplicate()))
    }

    fn comment(&mut self, token: &[u8], at: &At) -> Option<(Kind, SecretBytes)> {
        let comment = *self.comments.get(std::str::from_utf8(token).ok()?)?;
        if comment.aad != at.aad() {
            self.moved.insert(comment.number, at.aad().to_vec());
        }
        Some((Kind::Comment, comment.text.duplicate()))
    }
}

/// What was read back: the tree, the places of comments that the block attaches elsewhere, and the block.
pub(crate) type ReadBack = (Opened, HashMap<usize, Vec<u8>>, Map);

/// Reads an encrypted text back with [`Echo`] in the cipher's place.
pub(crate) fn read_back(
    pass: &Pass,
    metadata: &Metadata,
    text: SecretBytes,
    format: &'static dyn Format,
) -> Result<ReadBack, SopsError> {
    let mut doc = format.parse_sealed(text)?;
    format.take_metadata(&mut doc)?;
    let block = doc.metadata.take().ok_or(SopsError::Proof("the metadata is not found"))?;
    let mut echo = Echo::new(pass);
    let opened = open_all(doc, metadata, &mut echo, false)?;
    if !echo.is_done() {
        return Err(SopsError::Proof("a value got lost"));
    }
    Ok((opened, echo.moved, block))
}
