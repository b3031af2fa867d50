//! The yaml format.

mod read;

use secret::SecretBytes;

use super::{EmitOptions, Format, Insert, Token};
use crate::{Branch, Comment, Document, Edits, FormatError, Map, Node, Path, Style, Value};

mod block;
mod emit;
mod flow;
mod indents;
mod layout;
mod lines;
mod lookalike;
mod metadata;
mod plain;
mod scalar;
mod spot;
mod structure;
mod token;

/// The yaml format.
#[derive(Debug)]
pub struct Yaml;

impl Format for Yaml {
    fn name(&self) -> &'static str {
        "yaml"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".yaml", ".yml"]
    }

    fn parse(&self, source: SecretBytes) -> Result<Document, FormatError> {
        let source = source.shared();
        let branches = read::branches(&source)?;
        Ok(Document { source, branches, metadata: None, metadata_spans: Vec::new(), format: &Yaml })
    }

    fn take_metadata(&self, doc: &mut Document) -> Result<(), FormatError> {
        metadata::take(doc)
    }

    fn place_metadata(&self, doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
        metadata::place(doc, meta, edits)
    }

    fn part_metadata(&self, doc: &Document, edits: &mut Edits) -> bool {
        metadata::part(doc, edits)
    }

    fn unpart_metadata(&self, doc: &Document, edits: &mut Edits) {
        metadata::unpart(doc, edits);
    }

    fn remove_metadata(&self, doc: &Document, edits: &mut Edits) {
        metadata::remove(doc, edits);
    }

    fn write_leaf(&self, doc: &Document, node: &Node, token: Token<'_>, style: Option<Style>, edits: &mut Edits) {
        token::write(doc, node, token, style, edits);
    }

    fn write_alias(&self, doc: &Document, node: &Node, edits: &mut Edits) {
        structure::write_alias(doc, node, edits);
    }

    fn write_comment(&self, _doc: &Document, comment: &Comment, text: &[u8], edits: &mut Edits) {
        if let Some(span) = comment.span {
            edits.replace(span.start as usize, span.end as usize, text);
        }
    }

    fn insert(
        &self,
        doc: &Document,
        branch: usize,
        parent: &Path,
        entry: Insert<'_>,
        edits: &mut Edits,
    ) -> Result<(), FormatError> {
        structure::insert(doc, branch, parent, &entry, edits)
    }

    fn remove(&self, doc: &Document, branch: usize, path: &Path, edits: &mut Edits) -> Result<(), FormatError> {
        structure::remove(doc, branch, path, edits)
    }

    fn replace(
        &self,
        doc: &Document,
        branch: usize,
        path: &Path,
        value: &Value,
        edits: &mut Edits,
    ) -> Result<(), FormatError> {
        structure::replace(doc, branch, path, value, edits)
    }

    fn emit(&self, branches: &[Branch], options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        emit::documents(branches, options)
    }

    fn emit_value(&self, value: &Value, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        emit::value(value, options)
    }
}
