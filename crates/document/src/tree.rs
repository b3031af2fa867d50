//! The tree: ordered maps and lists, comments as items in their place, a site in the source per token.
//!
//! The shape is the one that SOPS' MAC and additional data are defined over (a list of documents, each an
//! ordered map whose items are entries or comments; a list's elements are values or comments), so that
//! walking it in order is walking the file as SOPS does.

use std::fmt;

use secret::SecretBytes;

use crate::{EmitOptions, Format};

/// Byte range in a document's source: `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range as `usize`, for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// How a token is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Bare: YAML plain scalars, JSON numbers and literals, dotenv values, unquoted INI values.
    #[default]
    Plain,
    /// `'…'`.
    SingleQuoted,
    /// `"…"`.
    DoubleQuoted,
    /// YAML `|`.
    Literal,
    /// YAML `>`.
    Folded,
    /// INI `"""…"""`.
    TripleQuoted,
    /// INI `` `…` ``.
    Backtick,
    /// A collection in block style (indentation).
    Block,
    /// A collection in flow style (brackets).
    Flow,
}

/// Where a token or collection stands in the source and how it is written there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// The token as a reader of the file would point at it, *with* a YAML tag in front of it, without an
    /// anchor; block scalars from their tag or `|` to the last content line's end (the line break after
    /// the last content line and further blank lines not included). Collections: from first to last token.
    pub span: Span,
    /// How the token is written.
    pub style: Style,
    /// Whether it stands inside a YAML flow collection.
    pub in_flow: bool,
    /// Indentation that belongs to the token, in columns: the column of a block collection; for a scalar
    /// the column of the block collection that holds it (0 at the root).
    pub indent: u32,
}

/// A value of the tree. Numbers, booleans and times are what go-yaml v3 makes of the text.
#[derive(Default)]
pub enum Value {
    /// YAML null in any spelling, JSON `null`.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits with sign.
    Int(i64),
    /// A double.
    Float(f64),
    /// Text, or any bytes in dotenv, INI and binary files.
    Str(SecretBytes),
    /// A YAML timestamp as RFC 3339 with nanoseconds trimmed, e.g. `2001-12-14T00:00:00Z`.
    Time(Box<str>),
    /// An ordered map.
    Map(Map),
    /// A list.
    List(List),
}

impl Value {
    /// A string value.
    pub fn str(text: &str) -> Self {
        Self::Str(SecretBytes::from(text))
    }

    /// The text of a string value, if it is one and is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(bytes) => bytes.expose_str(),
            _ => None,
        }
    }

    /// The map, if the value is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if the value is one.
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::Time(_) => "timestamp",
            Self::Map(_) => "map",
            Self::List(_) => "list",
        }
    }

    /// Deep equality of what the values mean: sites are ignored, comments too, floats by bits (with one NaN).
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a.same(b),
            (Self::List(a), Self::List(b)) => a.same(b),
            _ => false,
        }
    }
}

impl Value {
    /// A second copy, made on purpose; sites are kept.
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(bool) => Self::Bool(*bool),
            Self::Int(int) => Self::Int(*int),
            Self::Float(float) => Self::Float(*float),
            Self::Str(bytes) => Self::Str(bytes.duplicate()),
            Self::Time(time) => Self::Time(time.clone()),
            Self::Map(map) => Self::Map(map.duplicate()),
            Self::List(list) => Self::List(list.duplicate()),
        }
    }
}

impl Node {
    fn duplicate(&self) -> Self {
        Self { value: self.value.duplicate(), ..*self }
    }
}

impl Comment {
    fn duplicate(&self) -> Self {
        Self { text: self.text.duplicate(), inline: self.inline, span: self.span }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(map) => map.fmt(f),
            Self::List(list) => list.fmt(f),
            Self::Str(bytes) => write!(f, "string({} bytes)", bytes.len()),
            _ => f.write_str(self.kind()),
        }
    }
}

/// A `*alias` in the source, whose node holds an expanded copy of what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The `*name` token. The sites inside the copy are those of the anchored original.
    pub span: Span,
}

/// A value and where it stands.
#[derive(Debug, Default)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands; meaningless (default) in trees that were not parsed.
    pub site: Site,
    /// Set when the source has an alias here.
    pub alias: Option<Alias>,
    /// Whether the token carries a YAML tag that a reader of the encrypted text would apply to it (such as
    /// `!!int` or `!custom`; not `!!str`): sealing replaces the tag too.
    pub tagged: bool,
}

impl Node {
    /// A node that was not parsed.
    pub fn new(value: Value) -> Self {
        Self { value, ..Self::default() }
    }
}

/// A comment line.
#[derive(Debug)]
pub struct Comment {
    /// The text after the comment sign (a leading blank is part of it).
    pub text: SecretBytes,
    /// Whether it stands behind a value on the same line.
    pub inline: bool,
    /// The bytes of [`Comment::text`] in the source (the sign is not in it).
    pub span: Option<Span>,
}

/// A key with its value.
#[derive(Debug)]
pub struct Entry {
    /// The key; SOPS knows string keys only.
    pub key: Box<str>,
    /// The key's token.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// One item of a map.
#[derive(Debug)]
pub enum Item {
    /// A comment line.
    Comment(Comment),
    /// A key with its value.
    Entry(Entry),
}

/// An ordered map with its comments.
#[derive(Debug, Default)]
pub struct Map {
    /// Items in file order.
    pub items: Vec<Item>,
}

impl Map {
    /// The entries, without the comments.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.items.iter().filter_map(|item| match item {
            Item::Entry(entry) => Some(entry),
            Item::Comment(_) => None,
        })
    }

    /// The first value under `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().find(|entry| &*entry.key == key).map(|entry| &entry.value)
    }

    /// The first value under `key`, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.items.iter_mut().find_map(|item| match item {
            Item::Entry(entry) if &*entry.key == key => Some(&mut entry.value),
            _ => None,
        })
    }

    /// Appends an entry that was not parsed.
    pub fn push(&mut self, key: &str, value: Value) {
        self.items.push(Item::Entry(Entry { key: key.into(), key_span: Span::default(), value: Node::new(value) }));
    }

    /// A second copy with its comments.
    pub fn duplicate(&self) -> Self {
        let item = |item: &Item| match item {
            Item::Comment(comment) => Item::Comment(comment.duplicate()),
            Item::Entry(entry) => {
                Item::Entry(Entry { key: entry.key.clone(), key_span: entry.key_span, value: entry.value.duplicate() })
            }
        };
        Self { items: self.items.iter().map(item).collect() }
    }

    /// Equality of keys and values in order, comments and sites ignored.
    pub fn same(&self, other: &Self) -> bool {
        self.entries().count() == other.entries().count()
            && self.entries().zip(other.entries()).all(|(a, b)| a.key == b.key && a.value.value.same(&b.value.value))
    }
}

/// One element of a list.
#[derive(Debug)]
pub enum Element {
    /// A comment line.
    Comment(Comment),
    /// A value.
    Node(Node),
}

/// A list with its comments.
#[derive(Debug, Default)]
pub struct List {
    /// Elements in file order.
    pub items: Vec<Element>,
}

impl List {
    /// The values, without the comments.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.items.iter().filter_map(|item| match item {
            Element::Node(node) => Some(node),
            Element::Comment(_) => None,
        })
    }

    /// A second copy with its comments.
    pub fn duplicate(&self) -> Self {
        let item = |item: &Element| match item {
            Element::Comment(comment) => Element::Comment(comment.duplicate()),
            Element::Node(node) => Element::Node(node.duplicate()),
        };
        Self { items: self.items.iter().map(item).collect() }
    }

    /// Equality of values in order, comments and sites ignored.
    pub fn same(&self, other: &Self) -> bool {
        self.nodes().count() == other.nodes().count()
            && self.nodes().zip(other.nodes()).all(|(a, b)| a.value.same(&b.value))
    }
}

/// One document of a file: its root map.
#[derive(Debug, Default)]
pub struct Branch {
    /// The root map. An empty or null document is an empty map.
    pub root: Map,
    /// Where the root collection stands (an empty span at the place of an empty document's content).
    pub site: Site,
}

/// A parsed file: its bytes, its documents, and the metadata block once it was taken out.
pub struct Document {
    /// The file, byte for byte.
    pub source: SecretBytes,
    /// Its documents in order; at least one, except for formats whose empty file has none.
    pub branches: Vec<Branch>,
    /// The `sops` block of the first document as a nested map, after [`Format::take_metadata`].
    pub metadata: Option<Map>,
    /// What the metadata occupies in the source, one span per block (a YAML file may have one per document).
    pub metadata_spans: Vec<Span>,
    /// The format that parsed it.
    pub format: &'static dyn Format,
}

impl Document {
    /// The file in the layout that SOPS prints, from the tree as it is now.
    pub fn emit(&self, options: &EmitOptions) -> Result<SecretBytes, crate::FormatError> {
        self.format.emit(&self.branches, options)
    }

    /// Line and column, both from 1, of a byte offset (columns count characters).
    pub fn place(&self, offset: u32) -> (usize, usize) {
        crate::error::place(self.source.expose(), offset as usize)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({}, {} documents, {} bytes)", self.format.name(), self.branches.len(), self.source.len())
    }
}
