//! JSON whose objects may have members of the same name: the drop-in mode takes such files, as SOPS does.

use secret::SecretBytes;

use super::{Json, read};
use crate::format::{Format, Insert, Token};
use crate::{Branch, Edits};
use crate::{Comment, Document, EmitOptions, FormatError, Map, Node, Path, Problem, Style, Value};

/// The JSON format with repeated members, kept in order. Everything else that [`Json`] refuses is refused.
#[derive(Debug)]
pub struct RepeatedJson;

impl Format for RepeatedJson {
    fn name(&self) -> &'static str {
        Json.name()
    }

    fn extensions(&self) -> &'static [&'static str] {
        Json.extensions()
    }

    /// The lenient reader also passes over text behind the object and repairs invalid UTF-8; both would lose
    /// something, so they are refused here.
    fn parse(&self, source: SecretBytes) -> Result<Document, FormatError> {
        let doc = read(source, true)?;
        let text = doc.source.expose();
        let end = doc.branches.first().map_or(0, |branch| branch.site.span.end as usize);
        let behind = text.get(end..).unwrap_or_default();
        if let Some(at) = behind.iter().position(|byte| !byte.is_ascii_whitespace()) {
            return Err(FormatError::at(text, end + at, Problem::Syntax, "text behind the object"));
        }
        if let Err(error) = std::str::from_utf8(text) {
            return Err(FormatError::at(text, error.valid_up_to(), Problem::Syntax, "the text is not UTF-8"));
        }
        Ok(Document { format: &Self, ..doc })
    }

    fn take_metadata(&self, doc: &mut Document) -> Result<(), FormatError> {
        Json.take_metadata(doc)
    }

    fn place_metadata(&self, doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
        Json.place_metadata(doc, meta, edits)
    }

    fn remove_metadata(&self, doc: &Document, edits: &mut Edits) {
        Json.remove_metadata(doc, edits);
    }

    fn write_leaf(&self, doc: &Document, node: &Node, token: Token<'_>, style: Option<Style>, edits: &mut Edits) {
        Json.write_leaf(doc, node, token, style, edits);
    }

    fn write_comment(&self, doc: &Document, comment: &Comment, text: &[u8], edits: &mut Edits) {
        Json.write_comment(doc, comment, text, edits);
    }

    fn insert(
        &self,
        doc: &Document,
        branch: usize,
        parent: &Path,
        entry: Insert<'_>,
        edits: &mut Edits,
    ) -> Result<(), FormatError> {
        Json.insert(doc, branch, parent, entry, edits)
    }

    fn remove(&self, doc: &Document, branch: usize, path: &Path, edits: &mut Edits) -> Result<(), FormatError> {
        Json.remove(doc, branch, path, edits)
    }

    fn replace(
        &self,
        doc: &Document,
        branch: usize,
        path: &Path,
        value: &Value,
        edits: &mut Edits,
    ) -> Result<(), FormatError> {
        Json.replace(doc, branch, path, value, edits)
    }

    fn emit(&self, branches: &[Branch], options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        Json.emit(branches, options)
    }

    fn emit_value(&self, value: &Value, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        Json.emit_value(value, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_members_are_kept_and_nothing_else_is_passed_over() {
        let parse = |text: &str| RepeatedJson.parse(SecretBytes::new(text.as_bytes().to_vec()));
        let doc = parse(r#"{"a": 1, "a": 2, "b": {"c": 1, "c": 1}}"#).unwrap();
        assert_eq!(doc.branches[0].root.entries().count(), 3);
        for wrong in [r#"{"a": 1} {"b": 2}"#, r#"{"a": 1"#, "[1]"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(RepeatedJson.parse(SecretBytes::new(b"{\"a\": \"\xff\"}".to_vec())).is_err());
    }
}
