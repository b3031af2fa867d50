//! Documents as they are written: nodes with tags, anchors resolved to nodes, comments still on them.

use super::text::Text;
use super::token::Line;
use crate::{Site, Span};

/// Number of a node in [`Raws::nodes`].
pub(super) type Id = u32;

/// All nodes of a file.
#[derive(Default)]
pub(super) struct Raws {
    pub(super) nodes: Vec<Raw>,
    /// Children of collections: elements, or keys and values in turn.
    pub(super) children: Vec<Id>,
    pub(super) documents: Vec<RawDocument>,
}

/// A document with the comments that belong to none of its nodes.
pub(super) struct RawDocument {
    pub(super) root: Id,
    pub(super) head: Vec<Line>,
    pub(super) foot: Vec<Line>,
}

/// A node.
pub(super) struct Raw {
    pub(super) content: Content,
    pub(super) tag: Tag,
    pub(super) site: Site,
    pub(super) notes: Option<Box<Notes>>,
}

/// What a node is.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Scalar(Text),
    /// Range of [`Raws::children`].
    Map(Span),
    /// Range of [`Raws::children`].
    List(Span),
    Alias(Id),
}

/// A node's comments.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) head: Vec<Line>,
    pub(super) line: Vec<Line>,
    pub(super) foot: Vec<Line>,
}

impl Notes {
    /// Boxed, if there are any.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        let empty = self.head.is_empty() && self.line.is_empty() && self.foot.is_empty();
        (!empty).then(|| Box::new(self))
    }
}

impl Raw {
    pub(super) fn head(&self) -> &[Line] {
        self.notes.as_ref().map_or(&[], |notes| &notes.head)
    }

    pub(super) fn line(&self) -> &[Line] {
        self.notes.as_ref().map_or(&[], |notes| &notes.line)
    }

    pub(super) fn foot(&self) -> &[Line] {
        self.notes.as_ref().map_or(&[], |notes| &notes.foot)
    }

    /// Takes the comments below the node away.
    pub(super) fn take_foot(&mut self) -> Vec<Line> {
        self.notes.as_mut().map(|notes| std::mem::take(&mut notes.foot)).unwrap_or_default()
    }

    /// Puts comments below the node in place of those that are there.
    pub(super) fn set_foot(&mut self, foot: Vec<Line>) {
        self.notes.get_or_insert_default().foot = foot;
    }
}

/// A node's tag as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tag {
    /// None, or `!`, which is taken for none.
    #[default]
    None,
    Str,
    Bool,
    Int,
    Float,
    Null,
    Timestamp,
    Binary,
    Merge,
    /// Any other: scalars are strings.
    Other,
}

impl Tag {
    /// The tag with this name in full, `!!name` or `!name`.
    pub(super) fn named(full: &[u8]) -> Self {
        if full == b"!" {
            return Self::None;
        }
        match full.strip_prefix(b"tag:yaml.org,2002:").or_else(|| full.strip_prefix(b"!!")) {
            Some(b"str") => Self::Str,
            Some(b"bool") => Self::Bool,
            Some(b"int") => Self::Int,
            Some(b"float") => Self::Float,
            Some(b"null") => Self::Null,
            Some(b"timestamp") => Self::Timestamp,
            Some(b"binary") => Self::Binary,
            Some(b"merge") => Self::Merge,
            _ => Self::Other,
        }
    }
}
