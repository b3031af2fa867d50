//! Changing a JSON file in place: a token, a member, the metadata block.

use std::ops::Range;

use secret::SecretBytes;

use super::layout::{self, Layout};
use super::scan;
use crate::format::{Insert, Token};
use crate::{Document, Edits, FormatError, Map, Path, Problem, Site, Span, Step, Value};

/// The text of a leaf that is to say `token`.
pub(super) fn leaf(token: Token<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match token {
        Token::Sealed(text) => super::text::write_plain(&mut out, text.as_bytes()),
        Token::Verbatim(bytes) => out.extend_from_slice(bytes),
        Token::Opened { value, spelling } => match spelling.filter(|text| says(text, value)) {
            Some(text) => out.extend_from_slice(text),
            None => layout::write_scalar(&mut out, value),
        },
    }
    out
}

/// Whether `spelling` is a number, boolean or null token that reads back as `value`.
fn says(spelling: &[u8], value: &Value) -> bool {
    if matches!(value, Value::Str(_) | Value::Map(_) | Value::List(_)) {
        return false;
    }
    let wrapped = SecretBytes::new([b"{\"\":", spelling, b"}"].concat());
    let Ok((map, _)) = scan::root(&wrapped, false) else { return false };
    let node = map.get("").filter(|node| node.site.span.range() == (4..4 + spelling.len()));
    node.is_some_and(|node| node.value.same(value))
}

/// Writes `meta` as the last member of the root object, or over the one that is there.
pub(super) fn place_metadata(doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let root = root(doc, 0)?;
    let layout = Layout::detect(source, root.span.start as usize);
    let base = layout::line_indent(source, root.span.start as usize);
    let indent = if layout.has_lines() { layout.deeper(base) } else { Vec::new() };
    let mut text = Vec::new();
    if let Some(old) = doc.metadata_spans.first() {
        layout.write_map(&mut text, meta, &indent);
        edits.replace(value_start(source, *old), old.end as usize, text);
        return Ok(());
    }
    let at = match root.children.last() {
        Some(last) => {
            text.push(b',');
            last.end
        }
        None => root.span.start as usize + 1,
    };
    text.extend_from_slice(&layout.lead(&indent, root.children.is_empty()));
    super::text::write_plain(&mut text, b"sops");
    text.extend_from_slice(layout.colon());
    layout.write_map(&mut text, meta, &indent);
    edits.replace(at, at, text);
    Ok(())
}

/// Removes the member or element at `span` with one comma beside it.
pub(super) fn remove_member(doc: &Document, span: Span, edits: &mut Edits) {
    let source = doc.source.expose();
    let Range { start, end } = span.range();
    let after = end + layout::blanks(&source[end..]).len();
    let before = start - layout::blanks_before(source, start).len();
    if before > 0 && source[before - 1] == b',' {
        edits.replace(before - 1, end, "");
    } else if source.get(after) == Some(&b',') {
        let next = after + 1 + layout::blanks(&source[after + 1..]).len();
        edits.replace(start, next, "");
    } else {
        edits.replace(before, end, "");
    }
}

/// Adds a member or element at the end of the collection at `parent`.
pub(super) fn insert(
    doc: &Document,
    branch: usize,
    parent: &Path,
    entry: Insert<'_>,
    edits: &mut Edits,
) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let place = collection(doc, branch, parent)?;
    let file = Layout::detect(source, root(doc, branch)?.span.start as usize);
    if place.is_map != matches!(entry, Insert::Entry(_)) {
        return Err(FormatError::new(Problem::Unwritable, "a list has no keys, and a map's values need one"));
    }
    let first_block = doc.metadata_spans.first().filter(|_| parent.0.is_empty() && place.children.is_empty());
    let last = place.children.last();
    let lead = last.map(|last| layout::split_lead(layout::blanks_before(source, last.start)));
    let (layout, indent) = match lead {
        Some((Some(_), indent)) => (file, indent.to_vec()),
        Some((None, _)) => (file.on_one_line(), Vec::new()),
        None => {
            let base = layout::line_indent(source, place.span.start as usize);
            let indent = file.deeper(base);
            (file, indent)
        }
    };
    let mut text = Vec::new();
    let write = |text: &mut Vec<u8>| match entry {
        Insert::Entry(entry) => layout.write_member(text, &entry.key, &entry.value.value, &indent),
        Insert::Element(value) => layout.write(text, value, &indent),
    };
    if let Some(block) = first_block {
        write(&mut text);
        text.push(b',');
        text.extend_from_slice(&layout.lead(&indent, false));
        edits.replace(block.start as usize, block.start as usize, text);
    } else if let Some(last) = last {
        text.push(b',');
        text.extend_from_slice(&layout.lead(&indent, false));
        write(&mut text);
        edits.replace(last.end, last.end, text);
    } else {
        text.extend_from_slice(&layout.lead(&indent, true));
        write(&mut text);
        text.extend_from_slice(&layout.lead(layout::line_indent(source, place.span.start as usize), true));
        edits.replace(place.span.start as usize + 1, place.span.end as usize - 1, text);
    }
    Ok(())
}

/// Removes the member or element at `path`; the last one of its collection leaves `{}` or `[]`.
pub(super) fn remove(doc: &Document, branch: usize, path: &Path, edits: &mut Edits) -> Result<(), FormatError> {
    let (last, parent) = path.0.split_last().ok_or_else(|| no_such_path(path))?;
    let place = collection(doc, branch, &Path(parent.to_vec()))?;
    let index = place.position(last).ok_or_else(|| no_such_path(path))?;
    let block_beside = parent.is_empty() && !doc.metadata_spans.is_empty();
    if place.children.len() == 1 && !block_beside {
        edits.replace(place.span.start as usize + 1, place.span.end as usize - 1, "");
        return Ok(());
    }
    let child = &place.children[index];
    let offset = |at: usize| u32::try_from(at).expect("offsets come from spans");
    remove_member(doc, Span { start: offset(child.start), end: offset(child.end) }, edits);
    Ok(())
}

/// Replaces the value at `path`.
pub(super) fn replace(
    doc: &Document,
    branch: usize,
    path: &Path,
    value: &Value,
    edits: &mut Edits,
) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let span = match path.0.split_last() {
        None if matches!(value, Value::Map(_)) => root(doc, branch)?.span,
        None => return Err(FormatError::new(Problem::Unwritable, "the top level of JSON must stay an object")),
        Some((last, parent)) => {
            let place = collection(doc, branch, &Path(parent.to_vec()))?;
            let index = place.position(last).ok_or_else(|| no_such_path(path))?;
            place.values[index].span
        }
    };
    let layout = Layout::detect(source, root(doc, branch)?.span.start as usize);
    let mut text = Vec::new();
    layout.write(&mut text, value, layout::line_indent(source, span.start as usize));
    edits.replace(span.start as usize, span.end as usize, text);
    Ok(())
}

/// A collection in the source.
struct Place<'a> {
    span: Span,
    is_map: bool,
    keys: Vec<&'a str>,
    /// From the start of the key, or of the element, to the end of the value.
    children: Vec<Range<usize>>,
    values: Vec<Site>,
}

impl Place<'_> {
    fn position(&self, step: &Step) -> Option<usize> {
        match step {
            Step::Key(key) => self.keys.iter().position(|other| *other == &**key),
            Step::Index(index) => Some(*index).filter(|index| !self.is_map && *index < self.values.len()),
        }
    }
}

fn of_map(map: &Map, span: Span) -> Place<'_> {
    let child = |entry: &crate::Entry| entry.key_span.start as usize..entry.value.site.span.end as usize;
    Place {
        span,
        is_map: true,
        keys: map.entries().map(|entry| &*entry.key).collect(),
        children: map.entries().map(child).collect(),
        values: map.entries().map(|entry| entry.value.site).collect(),
    }
}

fn root(doc: &Document, branch: usize) -> Result<Place<'_>, FormatError> {
    let branch = doc.branches.get(branch);
    let branch = branch.ok_or_else(|| FormatError::new(Problem::Unwritable, "there is no such document"))?;
    Ok(of_map(&branch.root, branch.site.span))
}

/// The collection at `path`.
fn collection<'a>(doc: &'a Document, branch: usize, path: &Path) -> Result<Place<'a>, FormatError> {
    let Some((first, rest)) = path.0.split_first() else { return root(doc, branch) };
    let map = &doc.branches.get(branch).ok_or_else(|| no_such_path(path))?.root;
    let Step::Key(key) = first else { return Err(no_such_path(path)) };
    let mut node = map.get(key).ok_or_else(|| no_such_path(path))?;
    for step in rest {
        let next = match (step, &node.value) {
            (Step::Key(key), Value::Map(map)) => map.get(key),
            (Step::Index(index), Value::List(list)) => list.nodes().nth(*index),
            _ => None,
        };
        node = next.ok_or_else(|| no_such_path(path))?;
    }
    match &node.value {
        Value::Map(map) => Ok(of_map(map, node.site.span)),
        Value::List(list) => {
            let values: Vec<Site> = list.nodes().map(|node| node.site).collect();
            let children = values.iter().map(|site| site.span.range()).collect();
            Ok(Place { span: node.site.span, is_map: false, keys: Vec::new(), children, values })
        }
        _ => Err(no_such_path(path)),
    }
}

fn no_such_path(path: &Path) -> FormatError {
    FormatError::new(Problem::Unwritable, format!("there is nothing at {path}"))
}

/// Where the value of a member span starts.
fn value_start(source: &[u8], member: Span) -> usize {
    let text = &source[member.range()];
    let rest = layout::after_string(text).unwrap_or_default();
    member.end as usize - rest.len() + layout::colon_length(rest)
}
