//! What the scanner hands to the composer.

use super::cursor::Mark;
use super::text::Text;
use crate::{Span, Style};

/// Kind of a token with what it carries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Kind {
    #[default]
    StreamStart,
    StreamEnd,
    /// `%YAML major.minor`
    Version(u8, u8),
    /// `%TAG handle prefix`
    TagDirective(Span, Text),
    DocumentStart,
    DocumentEnd,
    /// A block list begins (zero width).
    ListStart,
    /// A block map begins (zero width).
    MapStart,
    /// A block collection ends (zero width).
    BlockEnd,
    FlowListStart,
    FlowListEnd,
    FlowMapStart,
    FlowMapEnd,
    /// `- `
    BlockEntry,
    /// `,`
    FlowEntry,
    /// `? `, or zero width in front of a simple key.
    Key,
    /// `: `
    Value,
    /// `*name`
    Alias(Span),
    /// `&name`
    Anchor(Span),
    /// Handle (empty for `!<…>` and `!`) and suffix.
    Tag(Span, Text),
    Scalar(Style, Text),
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: Mark,
    /// Byte offset of its end; of a block scalar, the end of its last line of content.
    pub(super) end: u32,
}

/// One line of a comment: its text after the `#`, or `None` for blank lines between comments.
pub(super) type Line = Option<Span>;

/// Comment lines that stand together, as the scanner found them.
#[derive(Debug)]
pub(super) struct Remark {
    /// How it relates to what it belongs to.
    pub(super) role: Role,
    /// What it says.
    pub(super) lines: Vec<Line>,
    /// It is given to the first token that starts at this index or later.
    pub(super) due: i32,
    /// Index at which the search for the next token began; 0 for line comments.
    pub(super) scanned_from: i32,
    /// Place of the first `#`; its column counts from 1 for head and foot comments.
    pub(super) start: Mark,
    /// Index behind it; 0 for line comments.
    pub(super) end: i32,
}

/// How a comment relates to its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Above it.
    Head,
    /// Behind it on the same line.
    Line,
    /// Below it.
    Foot,
}
