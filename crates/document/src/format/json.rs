//! The JSON format: read by its own tokenizer, edited token by token, printed as SOPS prints it.

use secret::SecretBytes;

use super::{EmitOptions, Format, Insert, Token};
use crate::{Branch, Comment, Document, Edits, FormatError, Item, Map, Node, Path, Problem, Site, Span, Style, Value};

mod edit;
mod emit;
mod layout;
mod repeated;
pub(super) mod scan;
pub(super) mod text;

pub(super) use emit::{scalar, write_block};
pub use repeated::RepeatedJson;

/// The JSON format. Comments do not exist in it; a tree that has some loses them when printed.
#[derive(Debug)]
pub struct Json;

impl Json {
    /// Reads a file as tolerantly as SOPS does: duplicate members are kept in order, text after the
    /// object is ignored, and each byte that is not UTF-8 becomes U+FFFD.
    pub fn parse_lenient(source: SecretBytes) -> Result<Document, FormatError> {
        read(source, true)
    }
}

fn read(source: SecretBytes, lenient: bool) -> Result<Document, FormatError> {
    let source = source.shared();
    let (root, span) = scan::root(&source, lenient)?;
    let site = Site { span, style: Style::Flow, ..Site::default() };
    let branches = vec![Branch { root, site }];
    Ok(Document { source, branches, metadata: None, metadata_spans: Vec::new(), format: &Json })
}

/// Takes the only `sops` member out of `root`: its map and the span from its key to its value's end.
pub(super) fn take_member(root: &mut Map, source: &[u8]) -> Result<Option<(Map, Span)>, FormatError> {
    let is_block = |item: &Item| matches!(item, Item::Entry(entry) if &*entry.key == "sops");
    let mut found = root.items.extract_if(.., |item| is_block(item));
    let Some(Item::Entry(entry)) = found.next() else { return Ok(None) };
    let refuse = |at: Span, what| Err(FormatError::at(source, at.start as usize, Problem::Unsupported, what));
    if let Some(Item::Entry(second)) = found.next() {
        return refuse(second.key_span, "duplicate member \"sops\"");
    }
    match entry.value.value {
        Value::Map(map) => Ok(Some((map, Span { start: entry.key_span.start, end: entry.value.site.span.end }))),
        _ => refuse(entry.value.site.span, "the member \"sops\" is not an object"),
    }
}

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".json"]
    }

    fn parse(&self, source: SecretBytes) -> Result<Document, FormatError> {
        read(source, false)
    }

    fn take_metadata(&self, doc: &mut Document) -> Result<(), FormatError> {
        let Some(branch) = doc.branches.first_mut() else { return Ok(()) };
        if let Some((meta, span)) = take_member(&mut branch.root, doc.source.expose())? {
            doc.metadata = Some(meta);
            doc.metadata_spans = vec![span];
        }
        Ok(())
    }

    fn place_metadata(&self, doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
        edit::place_metadata(doc, meta, edits)
    }

    fn remove_metadata(&self, doc: &Document, edits: &mut Edits) {
        for span in &doc.metadata_spans {
            edit::remove_member(doc, *span, edits);
        }
    }

    fn write_leaf(&self, _doc: &Document, node: &Node, token: Token<'_>, _style: Option<Style>, edits: &mut Edits) {
        let range = node.site.span.range();
        match token {
            Token::Sealed(text) => edits.replace_parts(range.start, range.end, &[b"\"", text.as_bytes(), b"\""]),
            other => edits.replace(range.start, range.end, edit::leaf(other)),
        }
    }

    fn write_comment(&self, _doc: &Document, _comment: &Comment, _text: &[u8], _edits: &mut Edits) {
        // JSON has no comments, so none of its documents holds one to write.
    }

    fn insert(
        &self,
        doc: &Document,
        branch: usize,
        parent: &Path,
        entry: Insert<'_>,
        edits: &mut Edits,
    ) -> Result<(), FormatError> {
        edit::insert(doc, branch, parent, entry, edits)
    }

    fn remove(&self, doc: &Document, branch: usize, path: &Path, edits: &mut Edits) -> Result<(), FormatError> {
        edit::remove(doc, branch, path, edits)
    }

    fn replace(
        &self,
        doc: &Document,
        branch: usize,
        path: &Path,
        value: &Value,
        edits: &mut Edits,
    ) -> Result<(), FormatError> {
        edit::replace(doc, branch, path, value, edits)
    }

    fn emit(&self, branches: &[Branch], options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        emit::file(branches, options)
    }

    fn emit_value(&self, value: &Value, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        emit::value(value, options)
    }
}
