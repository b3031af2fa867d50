//! What is scanned: the whole bytes of one file, blob, stream or message; of very large ones, overlapping pieces.

use bstr::BString;

use crate::scanner::Seen;

/// One content, whole unless it is very large: rules that span lines, decoders and parsers see everything there is.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The bytes as stored.
    pub bytes: &'a [u8],
    /// Every path under which a source found these bytes, relative, `/` as separator; empty for a stream without a name.
    pub paths: &'a [BString],
    /// The number of the first line in `bytes`: 1, except for a piece of a content that is too large to be handed over
    /// at once. Spans count from here.
    pub first_line: usize,
    /// An earlier content that shares most of its bytes with this one, if the source knows one.
    pub base: Option<Base<'a>>,
}

/// The content that a delta was made against, as it was scanned, and what was taken from it.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// What the scanner said of the base; only an answer of the same scanner may be given.
    pub seen: &'a Seen,
    /// The base's bytes.
    pub bytes: &'a [u8],
    /// Runs of bytes that are equal in both, in ascending order of `to`, not overlapping in `to`.
    pub copied: &'a [Copied],
}

/// `len` bytes at `from` in the base stand at `to` in the new content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Byte offset in the base.
    pub from: usize,
    /// Byte offset in the new content.
    pub to: usize,
    /// Length in bytes.
    pub len: usize,
}
