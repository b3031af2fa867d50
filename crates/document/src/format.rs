//! The formats, one file each, behind one trait; [`ALL`] is the only list of them.

use secret::SecretBytes;

use crate::{Branch, Comment, Document, Edits, Entry, FormatError, Map, Node, Path, Style, Value};

mod binary;
mod env;
mod flatten;
mod ini;
mod json;
pub mod yaml;

pub use binary::Binary;
pub use env::Env;
pub use ini::Ini;
pub use json::{Json, RepeatedJson};
pub use yaml::Yaml;

/// Every format, in the order in which help lists them. Adding one is a file and a line here.
pub static ALL: &[&dyn Format] = &[&Yaml, &Json, &Env, &Ini, &Binary];

/// The format named `name` on a command line (`yaml`, `json`, `dotenv`, `ini`, `binary`).
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.name() == name)
}

/// The format of a file by the end of its name, as SOPS chooses it: binary where nothing else fits.
pub fn for_path(path: &[u8]) -> &'static dyn Format {
    let fits = |format: &&&dyn Format| format.extensions().iter().any(|end| path.ends_with(end.as_bytes()));
    ALL.iter().find(fits).copied().unwrap_or(&Binary)
}

/// Choices for [`Format::emit`].
#[derive(Clone, Copy, Debug, Default)]
pub struct EmitOptions {
    /// Blanks per level: `stores.*.indent` or `--indent`. `None` is the format's default.
    pub indent: Option<i64>,
}

/// What a leaf's token is to say.
#[derive(Clone, Copy)]
pub enum Token<'a> {
    /// An opaque ASCII text (`ENC[…]`) that must read back as exactly this string, in the style of the
    /// leaf's present token.
    Sealed(&'a str),
    /// The value, written so that it reads back as `value`: with `spelling` where that reads back as
    /// the same value (the text of a number as the file once had it), in the style that the present
    /// sealed token mirrors; where the style cannot carry the value, in the one SOPS would choose.
    Opened {
        /// What it must read back as.
        value: &'a Value,
        /// The spelling to prefer for numbers and booleans; ignored for strings.
        spelling: Option<&'a [u8]>,
    },
    /// These bytes, unchanged, in place of [`crate::Site::span`].
    Verbatim(&'a [u8]),
}

/// A file format: reading, editing in place, and writing as SOPS does.
pub trait Format: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Ends of file names that choose it, with the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Reads a file. What SOPS refuses is refused; limits (depth, alias expansion) hold.
    fn parse(&self, source: SecretBytes) -> Result<Document, FormatError>;

    /// Whether files are edited in place. False for binary files, whose encrypted form is a wrapper around
    /// the whole.
    fn edits_in_place(&self) -> bool {
        true
    }

    /// Reads an encrypted file. The same as [`Format::parse`] but for the binary format's JSON wrapper.
    fn parse_sealed(&self, source: SecretBytes) -> Result<Document, FormatError> {
        self.parse(source)
    }

    /// Takes the bytes out of a document that is one value and nothing else, if this format's documents are and it is
    /// not empty.
    fn single_value(&self, _doc: &mut Document) -> Option<SecretBytes> {
        None
    }

    /// Takes the SOPS metadata out of every document of the tree and puts the first document's, nested, into
    /// `doc.metadata`, with its place in `doc.metadata_spans`. Leaves `doc` without metadata when the first
    /// document has none.
    fn take_metadata(&self, doc: &mut Document) -> Result<(), FormatError>;

    /// Edits that make `meta` the file's only metadata block: the old blocks are replaced or removed, or a
    /// new one is put where a reader of this format expects it. `doc` is as `take_metadata` left it.
    fn place_metadata(&self, doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError>;

    /// Edit that puts an empty line in front of the new block of [`Format::place_metadata`] (to be asked before it), so
    /// that comments at the end of the document do not become the block's. `false` where that is not possible.
    fn part_metadata(&self, _doc: &Document, _edits: &mut Edits) -> bool {
        false
    }

    /// Edit that takes this empty line away again (`doc` as `take_metadata` left it).
    fn unpart_metadata(&self, _doc: &Document, _edits: &mut Edits) {}

    /// Edits that remove all metadata blocks (`doc` as `take_metadata` left it), including what
    /// [`Format::place_metadata`] added around them.
    fn remove_metadata(&self, doc: &Document, edits: &mut Edits);

    /// Edit that makes the leaf `node` of `doc` say `token`. `node` must not be a collection or an alias.
    /// `style`, if given, overrides the style of the present token (plain for a file that SOPS wrote).
    fn write_leaf(&self, doc: &Document, node: &Node, token: Token<'_>, style: Option<Style>, edits: &mut Edits);

    /// Edit that makes the alias `node` of `doc` say its (changed) expanded value: in YAML a flow collection (with
    /// its comments, except those without a place in the source) or a scalar. Formats without aliases are never asked.
    fn write_alias(&self, _doc: &Document, _node: &Node, _edits: &mut Edits) {}

    /// Edit that replaces a comment's text. Comments with an empty text are never asked for.
    fn write_comment(&self, doc: &Document, comment: &Comment, text: &[u8], edits: &mut Edits);

    /// Edit that adds `entry` at the end of the map, or (by index) the value at the end of the list, that stands
    /// at `parent` in document `branch`. Fails with [`crate::Problem::Unwritable`] where the format has no such shape.
    fn insert(
        &self,
        doc: &Document,
        branch: usize,
        parent: &Path,
        entry: Insert<'_>,
        edits: &mut Edits,
    ) -> Result<(), FormatError>;

    /// Edit that removes the entry or list element at `path` of document `branch` with its line(s). The last
    /// entry of a map leaves `{}`, the last element of a list `[]`.
    fn remove(&self, doc: &Document, branch: usize, path: &Path, edits: &mut Edits) -> Result<(), FormatError>;

    /// Edit that replaces the whole value at `path` (leaf, alias or collection) by `value`.
    fn replace(
        &self,
        doc: &Document,
        branch: usize,
        path: &Path,
        value: &Value,
        edits: &mut Edits,
    ) -> Result<(), FormatError>;

    /// The tree as SOPS' store of this format prints it, byte for byte.
    fn emit(&self, branches: &[Branch], options: &EmitOptions) -> Result<SecretBytes, FormatError>;

    /// An encrypted tree with its metadata as SOPS' store prints it: nested formats carry the block as last
    /// entry `sops` of every document. `meta` makes the block anew for each.
    fn emit_encrypted(
        &self,
        mut branches: Vec<Branch>,
        meta: &dyn Fn() -> Map,
        options: &EmitOptions,
    ) -> Result<SecretBytes, FormatError> {
        branches.iter_mut().for_each(|branch| branch.root.push("sops", Value::Map(meta())));
        self.emit(&branches, options)
    }

    /// One value as `sops decrypt --extract` prints it (strings are printed raw by the caller, not by this).
    fn emit_value(&self, value: &Value, options: &EmitOptions) -> Result<SecretBytes, FormatError>;
}

impl dyn Format + '_ {
    /// A map of a tree as a document of its own, as `sops decrypt --extract` prints it.
    ///
    /// # Errors
    /// When the format cannot hold it.
    pub fn emit_map(&self, map: &Map, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        self.emit(&[Branch { root: map.duplicate(), site: crate::Site::default() }], options)
    }

    /// A list of a tree, as `sops decrypt --extract` prints it.
    ///
    /// # Errors
    /// When the format cannot hold it.
    pub fn emit_list(&self, list: &crate::List, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        self.emit_value(&Value::List(list.duplicate()), options)
    }
}

/// [`Format::emit_encrypted`] for formats whose metadata is flattened: the tree, then the block placed behind it.
fn emit_then_place(
    format: &dyn Format,
    branches: &[Branch],
    meta: &Map,
    options: &EmitOptions,
) -> Result<SecretBytes, FormatError> {
    let doc = format.parse(format.emit(branches, options)?)?;
    let mut edits = Edits::new();
    format.place_metadata(&doc, meta, &mut edits)?;
    let overlap = || FormatError::new(crate::Problem::Unwritable, "the metadata could not be placed");
    edits.apply(doc.source.expose()).ok_or_else(overlap)
}

/// What [`Format::insert`] adds.
pub enum Insert<'a> {
    /// A key with a value, into a map.
    Entry(&'a Entry),
    /// A value, to the end of a list.
    Element(&'a Value),
}
