//! The dotenv format: lines of `KEY=VALUE`, as SOPS reads them (no quotes, no variables, no trimming).

use secret::SecretBytes;

use super::flatten::{self, replace_all};
use super::{EmitOptions, Format, Insert, Token};
use crate::{
    Branch, Comment, Document, Edits, Entry, FormatError, Item, Map, Node, Path, Problem, Site, Span, Step, Style,
    Value,
};

/// What the names of metadata lines start with.
const PREFIX: &str = "sops_";

/// The dotenv format.
#[derive(Debug)]
pub struct Env;

impl Format for Env {
    fn name(&self) -> &'static str {
        "dotenv"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".env"]
    }

    fn parse(&self, source: SecretBytes) -> Result<Document, FormatError> {
        if u32::try_from(source.len()).is_err() {
            return Err(FormatError::new(Problem::Syntax, "a file may not be larger than 4 GiB"));
        }
        let text = source.expose();
        let mut root = Map::default();
        let mut start = 0;
        for line in text.split(|&byte| byte == b'\n') {
            if !line.is_empty() {
                root.items.push(read_line(text, line, start)?);
            }
            start += line.len() + 1;
        }
        let site = Site { span: span(0, text.len()), style: Style::Block, ..Site::default() };
        let branches = vec![Branch { root, site }];
        Ok(Document { source, branches, metadata: None, metadata_spans: Vec::new(), format: &Env })
    }

    fn take_metadata(&self, doc: &mut Document) -> Result<(), FormatError> {
        let Some(branch) = doc.branches.first_mut() else { return Ok(()) };
        let is_meta = |item: &Item| matches!(item, Item::Entry(entry) if entry.key.starts_with(PREFIX));
        let mut leaves = Vec::new();
        let mut spans: Vec<Span> = Vec::new();
        for item in branch.root.items.extract_if(.., |item| is_meta(item)) {
            let Item::Entry(Entry { key, key_span, value: Node { value: Value::Str(value), site, .. } }) = item else {
                continue;
            };
            let line = line_of(doc.source.expose(), key_span.start, site.span.end);
            match spans.last_mut().filter(|last| last.end == line.start) {
                Some(last) => last.end = line.end,
                None => spans.push(line),
            }
            leaves.push((Box::from(&key[PREFIX.len()..]), value));
        }
        if !leaves.is_empty() {
            doc.metadata = Some(flatten::unflatten(leaves)?);
            doc.metadata_spans = spans;
        }
        Ok(())
    }

    fn place_metadata(&self, doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
        let source = doc.source.expose();
        let mut text = Vec::new();
        for (name, value) in flatten::flatten(meta) {
            write_line(&mut text, &format!("{PREFIX}{name}"), &value);
        }
        let Some((last, others)) = doc.metadata_spans.split_last() else {
            if open_ended(source) {
                // No final newline after the block either: so removing it knows that there was none.
                text.pop();
                text.insert(0, b'\n');
            }
            edits.replace(source.len(), source.len(), text);
            return Ok(());
        };
        if open_ended(&source[..last.end as usize]) {
            text.pop();
        }
        edits.replace(last.start as usize, last.end as usize, text);
        for span in others {
            edits.replace(span.start as usize, span.end as usize, "");
        }
        Ok(())
    }

    fn remove_metadata(&self, doc: &Document, edits: &mut Edits) {
        let source = doc.source.expose();
        for span in &doc.metadata_spans {
            let added = open_ended(&source[..span.end as usize]) && span.start > 0;
            edits.replace(span.start as usize - usize::from(added), span.end as usize, "");
        }
    }

    fn write_leaf(&self, _doc: &Document, node: &Node, token: Token<'_>, _style: Option<Style>, edits: &mut Edits) {
        let text = match token {
            Token::Sealed(text) => text.as_bytes().to_vec(),
            Token::Verbatim(bytes) => bytes.to_vec(),
            Token::Opened { value, .. } => escape(&flatten::scalar(value).unwrap_or_default()),
        };
        let range = node.site.span.range();
        edits.replace(range.start, range.end, text);
    }

    fn write_comment(&self, _doc: &Document, comment: &Comment, text: &[u8], edits: &mut Edits) {
        if let Some(span) = comment.span {
            edits.replace(span.start as usize, span.end as usize, replace_all(text, b"\n", b"\n#"));
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
        let root = &doc.branches.get(branch).filter(|_| parent.0.is_empty()).ok_or_else(no_shape)?.root;
        let Insert::Entry(entry) = entry else { return Err(no_shape()) };
        let key = &*entry.key;
        if key.starts_with(PREFIX) || key.starts_with('#') || key.contains(['=', '\n']) {
            return Err(FormatError::new(Problem::Unwritable, "a dotenv file cannot hold this key"));
        }
        let mut text = Vec::new();
        write_line(&mut text, key, &checked(&entry.value.value)?);
        let source = doc.source.expose();
        let at = root.items.last().map_or(0, |last| line_end(source, last_byte(last)));
        if open_ended(&source[..at]) {
            text.pop();
            text.insert(0, b'\n');
        }
        edits.replace(at, at, text);
        Ok(())
    }

    fn remove(&self, doc: &Document, branch: usize, path: &Path, edits: &mut Edits) -> Result<(), FormatError> {
        let entry = find(doc, branch, path)?;
        let line = line_of(doc.source.expose(), entry.key_span.start, entry.value.site.span.end);
        edits.replace(line.start as usize, line.end as usize, "");
        Ok(())
    }

    fn replace(
        &self,
        doc: &Document,
        branch: usize,
        path: &Path,
        value: &Value,
        edits: &mut Edits,
    ) -> Result<(), FormatError> {
        let range = find(doc, branch, path)?.value.site.span.range();
        edits.replace(range.start, range.end, escape(&checked(value)?));
        Ok(())
    }

    fn emit(&self, branches: &[Branch], _options: &EmitOptions) -> Result<SecretBytes, FormatError> {
        let first = branches.first().ok_or_else(|| FormatError::new(Problem::Unwritable, "no document to print"))?;
        let mut out = Vec::new();
        for item in &first.root.items {
            match item {
                Item::Comment(comment) => {
                    out.push(b'#');
                    out.extend_from_slice(comment.text.expose());
                    out.push(b'\n');
                }
                Item::Entry(entry) => {
                    let text = flatten::scalar(&entry.value.value).ok_or_else(|| nested(&entry.key))?;
                    // Only strings are escaped; no other value has a line break in its text.
                    write_line(&mut out, &entry.key, &text);
                }
            }
        }
        Ok(SecretBytes::new(out))
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
        match value {
            Value::Str(bytes) => Ok(bytes.duplicate()),
            other => {
                let what = format!("dotenv can print a string on its own, not a {}", other.kind());
                Err(FormatError::new(Problem::Unwritable, what))
            }
        }
    }
}

fn read_line(source: &[u8], line: &[u8], start: usize) -> Result<Item, FormatError> {
    let end = start + line.len();
    if line[0] == b'#' {
        let text = SecretBytes::new(line[1..].to_vec());
        return Ok(Item::Comment(Comment { text, inline: false, span: Some(span(start + 1, end)) }));
    }
    let fail = |problem, what: &str| Err(FormatError::at(source, start, problem, what));
    let Some(equals) = memchr::memchr(b'=', line) else {
        return fail(Problem::Syntax, "a line that is neither a comment nor KEY=VALUE");
    };
    let Ok(key) = std::str::from_utf8(&line[..equals]) else {
        return fail(Problem::Unsupported, "a key that is not UTF-8");
    };
    let value = Value::Str(SecretBytes::new(replace_all(&line[equals + 1..], b"\\n", b"\n")));
    let site = Site { span: span(start + equals + 1, end), ..Site::default() };
    let value = Node { value, site, ..Node::default() };
    Ok(Item::Entry(Entry { key: key.into(), key_span: span(start, start + equals), value }))
}

fn write_line(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    out.extend_from_slice(&escape(value));
    out.push(b'\n');
}

fn escape(value: &[u8]) -> Vec<u8> {
    replace_all(value, b"\n", b"\\n")
}

/// The text of a value that would read back as the same bytes.
fn checked(value: &Value) -> Result<Vec<u8>, FormatError> {
    let text = flatten::scalar(value).ok_or_else(no_shape)?;
    if memchr::memmem::find(&text, b"\\n").is_some() {
        let what = "dotenv cannot hold a backslash followed by \"n\": it would read back as a line break";
        return Err(FormatError::new(Problem::Unwritable, what));
    }
    Ok(text)
}

fn find<'a>(doc: &'a Document, branch: usize, path: &Path) -> Result<&'a Entry, FormatError> {
    let branch = doc.branches.get(branch);
    let found = match (branch, path.0.as_slice()) {
        (Some(branch), [Step::Key(key)]) => branch.root.entries().find(|entry| entry.key == *key),
        _ => None,
    };
    found.ok_or_else(|| FormatError::new(Problem::Unwritable, format!("there is nothing at {path}")))
}

fn no_shape() -> FormatError {
    FormatError::new(Problem::Unwritable, "a dotenv file holds keys with plain values only")
}

fn nested(key: &str) -> FormatError {
    let what = format!("dotenv cannot hold the collection under \"{}\"", key.escape_debug());
    FormatError::new(Problem::Unwritable, what)
}

/// Whether text ends in the middle of a line.
fn open_ended(text: &[u8]) -> bool {
    text.last().is_some_and(|&byte| byte != b'\n')
}

/// The line of a token with its line break.
fn line_of(source: &[u8], start: u32, end: u32) -> Span {
    span(start as usize, line_end(source, end as usize))
}

/// The end of the line in which `at` stands, its line break included.
fn line_end(source: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &source[at..]).map_or(source.len(), |length| at + length + 1)
}

fn last_byte(item: &Item) -> usize {
    match item {
        Item::Comment(comment) => comment.span.map_or(0, |span| span.end as usize),
        Item::Entry(entry) => entry.value.site.span.end as usize,
    }
}

fn span(start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).expect("sources over 4 GiB are refused first");
    Span { start: offset(start), end: offset(end) }
}
