//! The yaml format.

mod read;

use secret::SecretBytes;

use super::{EmitOptions, Format, Insert, Token};
use crate::{Branch, Comment, Document, Edits, FormatError, Map, Node, Path, Style, Value};

mod emit;
mod layout;
mod lookalike;
mod scalar;

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
        let branches = read::branches(source.expose())?;
        Ok(Document { source, branches, metadata: None, metadata_spans: Vec::new(), format: &Yaml })
    }

    fn take_metadata(&self, _doc: &mut Document) -> Result<(), FormatError> {
        todo!()
    }

    fn place_metadata(&self, _doc: &Document, _meta: &Map, _edits: &mut Edits) -> Result<(), FormatError> {
        todo!()
    }

    fn remove_metadata(&self, _doc: &Document, _edits: &mut Edits) {
        todo!()
    }

    fn write_leaf(&self, _doc: &Document, _node: &Node, _token: Token<'_>, _style: Option<Style>, _edits: &mut Edits) {
        todo!()
    }

    fn write_comment(&self, _doc: &Document, _comment: &Comment, _text: &[u8], _edits: &mut Edits) {
        todo!()
    }

    fn insert(
        &self,
        _doc: &Document,
        _branch: usize,
        _parent: &Path,
        _entry: Insert<'_>,
        _edits: &mut Edits,
    ) -> Result<(), FormatError> {
        todo!()
    }

    fn remove(&self, _doc: &Document, _branch: usize, _path: &Path, _edits: &mut Edits) -> Result<(), FormatError> {
        todo!()
    }

    fn replace(
        &self,
        _doc: &Document,
        _branch: usize,
        _path: &Path,
        _value: &Value,
        _edits: &mut Edits,
    ) -> Result<(), FormatError> {
        todo!()
    }

    fn emit(&self, branches: &[Branch], options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        emit::documents(branches, options)
    }

    fn emit_value(&self, value: &Value, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        emit::value(value, options)
    }
}
