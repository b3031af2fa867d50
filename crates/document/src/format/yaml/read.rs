//! Reading: exactly what SOPS reads (go-yaml v3 and SOPS' own conversion), with the place of every token.
//!
//! Bytes become tokens and comments (`scan`), these become nodes (`compose`), these the tree (`build`). All
//! three work in one pass, in linear time and on stacks of their own.
//!
//! Refused although SOPS takes it, because it loses or confuses something there: in documents after the first
//! a key that stands twice, a value that does not fit its tag and a merge key without maps; keys that are not
//! strings (SOPS fails later); UTF-16; a second byte order mark; nesting beyond [`MAX_DEPTH`]; aliases that
//! copy more than a hundred times the file.

mod build;
mod compose;
mod cursor;
mod encoding;
mod raw;
mod resolve;
mod scan;
mod text;
mod token;

use secret::SecretBytes;

use crate::{Branch, FormatError, Problem, Style, Value};
use build::Builder;
use compose::Composer;
use raw::Tag;
use scan::Scanner;

/// Deepest nesting of collections, flow or block, aliases expanded.
const MAX_DEPTH: usize = 512;

/// The documents of a file.
pub(super) fn branches(whole: &SecretBytes) -> Result<Vec<Branch>, FormatError> {
    let source = whole.expose();
    if source.is_empty() {
        return Err(FormatError::new(Problem::Empty, "file is empty"));
    }
    let start = encoding::check(source)?;
    let (raws, texts) = Composer::new(Scanner::new(source, start)).compose().map_err(|error| *error)?;
    if raws.documents.is_empty() {
        return Err(FormatError::new(Problem::Syntax, "file holds no document"));
    }
    let mut builder = Builder::new(whole, &raws, &texts);
    raws.documents.iter().map(|document| builder.branch(document).map_err(|error| *error)).collect()
}

/// What an untagged plain text means.
pub(super) fn plain_value(text: &[u8]) -> Value {
    resolve::scalar(Tag::None, Style::Plain, text, &SecretBytes::default())
        .expect("a text without a tag always has a meaning")
}

/// Whether an untagged plain text is a string.
pub(super) fn is_plain_string(text: &[u8]) -> bool {
    resolve::is_string(text)
}
