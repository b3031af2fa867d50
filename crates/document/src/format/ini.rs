//! The INI format, as go-ini reads and writes it for SOPS: sections of keys, values with optional quotes.
//!
//! Where go-ini drops or cuts text (a `#` inside quotes, a key given twice), reading a plain file fails, since
//! the lost text would stay in clear beside what is sealed.

use secret::SecretBytes;

use super::flatten::{self, replace_all};
use super::{EmitOptions, Format, Insert, Token, json};
use crate::{Branch, Comment, Document, Edits, FormatError, Item, Map, Node, Path, Problem, Site, Style, Value};

mod edit;
mod emit;
mod scan;
mod token;

/// The INI format.
#[derive(Debug)]
pub struct Ini;

impl Format for Ini {
    fn name(&self) -> &'static str {
        "ini"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".ini"]
    }

    fn parse(&self, source: SecretBytes) -> Result<Document, FormatError> {
        let root = scan::root(source.expose())?;
        let site = Site { span: scan::span((0, source.len())), style: Style::Block, ..Site::default() };
        let branches = vec![Branch { root, site }];
        Ok(Document { source, branches, metadata: None, metadata_spans: Vec::new(), format: &Ini })
    }

    fn take_metadata(&self, doc: &mut Document) -> Result<(), FormatError> {
        let Some(branch) = doc.branches.first_mut() else { return Ok(()) };
        let source = doc.source.expose();
        let is_block = |item: &Item| matches!(item, Item::Entry(entry) if &*entry.key == "sops");
        let mut found = branch.root.items.extract_if(.., |item| is_block(item));
        let Some(Item::Entry(entry)) = found.next() else { return Ok(()) };
        if let Some(Item::Entry(second)) = found.next() {
            let at = second.key_span.start as usize;
            return Err(FormatError::at(source, at, Problem::Unsupported, "duplicate section \"sops\""));
        }
        drop(found);
        let span = edit::section_lines(source, entry.value.site.span);
        let Value::Map(map) = entry.value.value else { return Ok(()) };
        let leaves = map.items.into_iter().filter_map(|item| match item {
            Item::Entry(entry) => match entry.value.value {
                Value::Str(text) => Some((entry.key, SecretBytes::new(replace_all(text.expose(), b"\\n", b"\n")))),
                _ => None,
            },
            Item::Comment(_) => None,
        });
        doc.metadata = Some(flatten::unflatten(leaves)?);
        doc.metadata_spans = vec![span];
        Ok(())
    }

    fn place_metadata(&self, doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
        edit::place_metadata(doc, meta, edits)
    }

    fn remove_metadata(&self, doc: &Document, edits: &mut Edits) {
        for span in &doc.metadata_spans {
            edit::remove_metadata(doc, *span, edits);
        }
    }

    fn write_leaf(&self, doc: &Document, node: &Node, token: Token<'_>, style: Option<Style>, edits: &mut Edits) {
        let range = node.site.span.range();
        edits.replace(range.start, range.end, edit::leaf(doc.source.expose(), node.site, token, style));
    }

    fn write_comment(&self, doc: &Document, comment: &Comment, text: &[u8], edits: &mut Edits) {
        if let Some(span) = comment.span {
            edit::write_comment(doc.source.expose(), span, text, edits);
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

    fn emit(&self, branches: &[Branch], _options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        emit::file(branches)
    }

    fn emit_encrypted(
        &self,
        branches: Vec<Branch>,
        meta: &dyn Fn() -> Map,
        options: &EmitOptions,
    ) -> Result<SecretBytes, FormatError> {
        super::emit_then_place(self, &branches, &meta(), options)
    }

    fn emit_value(&self, value: &Value, _options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        json::scalar(value)
    }
}
