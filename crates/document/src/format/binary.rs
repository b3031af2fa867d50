//! The binary format: any bytes, which SOPS keeps as one string in a JSON wrapper.
//!
//! Plain and sealed files have nothing in common, so this format has a reader for each and no edits:
//! [`Binary::seal_text`] writes the whole wrapper. Neither reader keeps the source beside the value, since
//! such files may be large: `doc.source` is empty.
//!
//! SOPS writes any tree into that JSON, too, where a structured file gets this output format (`.env.prod` with an input
//! type and no extension). Such trees are read and written with all their members; only as plain text they have no form.

use secret::SecretBytes;

use super::json::{self, scan::Scanner};
use super::{EmitOptions, Format, Insert, Token};
use crate::{
    Branch, Comment, Document, Edits, Entry, FormatError, Item, Map, Node, Path, Problem, Site, Span, Style, Value,
};

const DATA: &str = "data";

/// The binary format.
#[derive(Debug)]
pub struct Binary;

impl Binary {
    /// Reads an encrypted file: a JSON object, as a rule with a string `data`. Its other members, `sops` among
    /// them, are in the tree too, so that [`Format::take_metadata`] finds the block. Without `data` the source is kept.
    pub fn parse_sealed(source: SecretBytes) -> Result<Document, FormatError> {
        let (mut root, data) = read_wrapper(&source)?;
        let text = match data {
            Data::Missing => return Ok(Document { source, ..document(root) }),
            Data::Escaped(text) => text,
            Data::Bare(span) => cut(source.into_inner(), span),
        };
        if let Some(node) = root.get_mut(DATA) {
            node.value = Value::Str(SecretBytes::new(text));
        }
        Ok(document(root))
    }

    /// The encrypted file for the ciphertext `enc` and the metadata `meta`, exactly as SOPS prints it.
    /// `enc` must be ASCII that JSON need not escape, as `ENC[…]` is, or empty.
    pub fn seal_text(enc: &str, meta: &Map) -> Result<SecretBytes, FormatError> {
        let mut tail = b"\",\n\t\"sops\": ".to_vec();
        json::write_block(meta, &mut tail)?;
        tail.extend_from_slice(b"\n}\n");
        let head = b"{\n\t\"data\": \"";
        let mut out = Vec::with_capacity(head.len() + enc.len() + tail.len());
        out.extend_from_slice(head);
        out.extend_from_slice(enc.as_bytes());
        out.extend_from_slice(&tail);
        Ok(SecretBytes::new(out))
    }

    /// The bytes of a plain document, moved out instead of copied as [`Format::emit`] does.
    pub fn into_bytes(mut doc: Document) -> Result<SecretBytes, FormatError> {
        let node = doc.branches.first_mut().and_then(|branch| branch.root.get_mut(DATA));
        match node.map(|node| std::mem::take(&mut node.value)) {
            Some(Value::Str(bytes)) => Ok(bytes),
            _ => Err(no_data()),
        }
    }
}

/// What the wrapper's `data` says.
enum Data {
    Missing,
    /// A string without escapes: the span between its quotes.
    Bare(Span),
    Escaped(Vec<u8>),
}

/// Reads the wrapper without a copy of a `data` that has no escapes.
fn read_wrapper(source: &SecretBytes) -> Result<(Map, Data), FormatError> {
    let mut scanner = Scanner::new(source, false)?;
    scanner.seek_root()?;
    let (mut root, mut data) = (Map::default(), Data::Missing);
    let mut more = scanner.enter();
    while more {
        let name = scanner.name()?;
        let value = if &*name.key == DATA && scanner.peek() == Some(b'"') {
            let raw = scanner.string()?;
            data = raw.bare().map_or_else(|| Data::Escaped(scanner.bytes(raw)), Data::Bare);
            Node::default()
        } else {
            scanner.value()?
        };
        root.items.push(Item::Entry(Entry { key: name.key, key_span: name.span, value }));
        more = scanner.more(b'}')?;
    }
    scanner.refuse_duplicates(&root)?;
    scanner.finish()?;
    Ok((root, data))
}

/// The bytes at `span`, in the same allocation.
fn cut(mut bytes: Vec<u8>, span: Span) -> Vec<u8> {
    bytes.truncate(span.end as usize);
    bytes.drain(..span.start as usize);
    bytes
}

fn document(root: Map) -> Document {
    let branches = vec![Branch { root, site: Site::default() }];
    Document { source: SecretBytes::default(), branches, metadata: None, metadata_spans: Vec::new(), format: &Binary }
}

fn no_data() -> FormatError {
    let what = "no binary data found in tree: a binary file is one string under the key \"data\"; \
                choose another output format";
    FormatError::new(Problem::Unwritable, what)
}

/// The only member of a wrapper that [`Binary::seal_text`] can write.
fn bare_data(root: &Map) -> Option<&str> {
    let bare = |text: &&str| text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'));
    let [Item::Entry(only)] = root.items.as_slice() else { return None };
    only.value.value.as_str().filter(|_| &*only.key == DATA).filter(bare)
}

fn no_structure() -> FormatError {
    FormatError::new(Problem::Unwritable, "a binary file has no structure that could be changed")
}

impl Format for Binary {
    fn name(&self) -> &'static str {
        "binary"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[]
    }

    fn parse(&self, source: SecretBytes) -> Result<Document, FormatError> {
        let mut root = Map::default();
        root.push(DATA, Value::Str(source));
        Ok(document(root))
    }

    fn edits_in_place(&self) -> bool {
        false
    }

    fn parse_sealed(&self, source: SecretBytes) -> Result<Document, FormatError> {
        Self::parse_sealed(source)
    }

    fn emit_encrypted(
        &self,
        mut branches: Vec<Branch>,
        meta: &dyn Fn() -> Map,
        options: &EmitOptions,
    ) -> Result<SecretBytes, FormatError> {
        let branch = branches.first_mut().ok_or_else(no_data)?;
        if let Some(data) = bare_data(&branch.root) {
            return Self::seal_text(data, &meta());
        }
        branch.root.push("sops", Value::Map(meta()));
        json::Json.emit(&branches, options)
    }

    fn single_value(&self, doc: &mut Document) -> Option<SecretBytes> {
        let value = &mut doc.branches.first_mut()?.root.get_mut(DATA)?.value;
        match value {
            Value::Str(bytes) if !bytes.is_empty() => Some(std::mem::take(bytes)),
            _ => None,
        }
    }

    fn take_metadata(&self, doc: &mut Document) -> Result<(), FormatError> {
        let Some(branch) = doc.branches.first_mut() else { return Ok(()) };
        doc.metadata = json::take_member(&mut branch.root, doc.source.expose())?.map(|(meta, _)| meta);
        Ok(())
    }

    fn place_metadata(&self, _doc: &Document, _meta: &Map, _edits: &mut Edits) -> Result<(), FormatError> {
        Err(no_structure())
    }

    fn remove_metadata(&self, _doc: &Document, _edits: &mut Edits) {
        // The wrapper goes as a whole: the plain file is the value itself.
    }

    fn write_leaf(&self, _doc: &Document, _node: &Node, _token: Token<'_>, _style: Option<Style>, _edits: &mut Edits) {
        // No source is kept, so there is no token to replace.
    }

    fn write_comment(&self, _doc: &Document, _comment: &Comment, _text: &[u8], _edits: &mut Edits) {
        // Binary files have no comments.
    }

    fn insert(
        &self,
        _doc: &Document,
        _branch: usize,
        _parent: &Path,
        _entry: Insert<'_>,
        _edits: &mut Edits,
    ) -> Result<(), FormatError> {
        Err(no_structure())
    }

    fn remove(&self, _doc: &Document, _branch: usize, _path: &Path, _edits: &mut Edits) -> Result<(), FormatError> {
        Err(no_structure())
    }

    fn replace(
        &self,
        _doc: &Document,
        _branch: usize,
        _path: &Path,
        _value: &Value,
        _edits: &mut Edits,
    ) -> Result<(), FormatError> {
        Err(no_structure())
    }

    fn emit(&self, branches: &[Branch], _options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        match branches {
            [only] => match only.root.get(DATA).map(|node| &node.value) {
                Some(Value::Str(bytes)) => Ok(bytes.duplicate()),
                _ => Err(no_data()),
            },
            _ => Err(no_data()),
        }
    }

    fn emit_value(&self, _value: &Value, _options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        Err(FormatError::new(Problem::Unwritable, "a binary file has no values that could be taken out of it"))
    }
}
