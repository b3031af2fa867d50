//! The `sops` entry at the root: taken out of the tree, put into the text, removed from it.

use super::spot::{self, Items};
use super::{emit, flow, indents, lines};
use crate::{
    Branch, Document, Edits, EmitOptions, Entry, FormatError, Item, Map, Node, Problem, Site, Span, Style, Value,
};

const KEY: &str = "sops";

/// Takes the entry out of every document; only the first document's counts.
pub(super) fn take(doc: &mut Document) -> Result<(), FormatError> {
    let first = doc.branches.first().and_then(|branch| branch.root.get(KEY));
    match first.map(|node| (&node.value, node)) {
        None => return Ok(()),
        Some((Value::Map(_), node)) if node.alias.is_none() => {}
        Some((_, node)) => {
            let at = node.alias.map_or(node.site.span, |alias| alias.span).start as usize;
            return Err(FormatError::at(doc.source.expose(), at, Problem::Unsupported, "the sops entry is not a map"));
        }
    }
    let mut spans = Vec::new();
    for (index, branch) in doc.branches.iter_mut().enumerate() {
        while let Some(at) = branch.root.items.iter().position(is_metadata) {
            spans.push(occupied(doc.source.expose(), branch.site, &branch.root.items, at));
            let Item::Entry(entry) = branch.root.items.remove(at) else { continue };
            if let (0, Value::Map(map), None) = (index, entry.value.value, &doc.metadata) {
                doc.metadata = Some(map);
            }
        }
    }
    doc.metadata_spans = spans;
    Ok(())
}

fn is_metadata(item: &Item) -> bool {
    matches!(item, Item::Entry(entry) if &*entry.key == KEY)
}

/// The lines of an entry of a block map; in a flow map the entry with one comma.
fn occupied(source: &[u8], root: Site, items: &[Item], at: usize) -> Span {
    let Item::Entry(entry) = &items[at] else { return Span::default() };
    let end = spot::end(entry.key_span.end as usize, &entry.value);
    let before = Items::Map(&items[..at]).end();
    let range = if root.style == Style::Flow {
        flow_range(source, before, entry, end)
    } else {
        lines::start(source, entry.key_span.start as usize)..lines::next(source, end)
    };
    let offset = |at: usize| u32::try_from(at).expect("documents are limited to 4 GiB when parsed");
    Span { start: offset(range.start), end: offset(range.end) }
}

fn flow_range(source: &[u8], before: Option<usize>, entry: &Entry, end: usize) -> std::ops::Range<usize> {
    let start = entry.key_span.start as usize;
    let Some(before) = before else {
        let comma = lines::token(source, end);
        let behind = if source.get(comma) == Some(&b',') { lines::skip_blanks(source, comma + 1) } else { end };
        return start..behind;
    };
    let comma = lines::token(source, before);
    if lines::skip_blanks(source, before) == comma { before..end } else { comma..end }
}

/// Makes `meta` the only metadata of the file.
pub(super) fn place(doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
    let Some(branch) = doc.branches.first() else {
        return Err(FormatError::new(Problem::Unwritable, "the file has no document"));
    };
    let in_flow = branch.site.style == Style::Flow;
    match doc.metadata_spans.split_first() {
        Some((first, rest)) => {
            let range = first.range();
            let old = &doc.source.expose()[range.clone()];
            let text = if in_flow { flow_again(old, meta) } else { block_again(doc, branch, old, meta)? };
            edits.replace(range.start, range.end, text);
            for span in rest {
                edits.replace(span.start as usize, span.end as usize, "");
            }
            Ok(())
        }
        None if in_flow => {
            place_in_flow(doc, branch, meta, edits);
            Ok(())
        }
        None => place_block(doc, branch, meta, edits),
    }
}

/// Removes all metadata.
pub(super) fn remove(doc: &Document, edits: &mut Edits) {
    for span in &doc.metadata_spans {
        edits.replace(span.start as usize, span.end as usize, "");
    }
}

/// Puts an empty line where [`place`] puts a new block below the first document's entries: a comment there ends what
/// stands above it, as at the end of a file, instead of heading the block.
pub(super) fn part(doc: &Document, edits: &mut Edits) -> bool {
    let Some(branch) = doc.branches.first() else { return false };
    let filled = branch.root.entries().next().is_some();
    if !filled || branch.site.style == Style::Flow || !doc.metadata_spans.is_empty() {
        return false;
    }
    let source = doc.source.expose();
    let at = document_end(source, branch.site.span.end as usize);
    edits.replace(at, at, lines::ending(source));
    true
}

/// Takes the line of [`part`] away.
pub(super) fn unpart(doc: &Document, edits: &mut Edits) {
    let source = doc.source.expose();
    let start = doc.metadata_spans.first().map_or(0, |span| span.start as usize);
    let ending = lines::ending(source);
    if source[..start].ends_with(&[ending, ending].concat()) {
        edits.replace(start - ending.len(), start, "");
    }
}

fn flow_text(meta: &Map) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(b"\"sops\": ");
    flow::push_collection(&mut out, meta);
    out
}

fn flow_again(old: &[u8], meta: &Map) -> Vec<u8> {
    let text = flow_text(meta);
    let head = old.iter().position(|&byte| !lines::is_space(byte)).filter(|&at| old[at] == b',');
    let tail = old.iter().rposition(|&byte| !lines::is_space(byte)).filter(|&at| head.is_none() && old[at] == b',');
    let before = head.map_or(&b""[..], |at| &old[..=at]);
    let blank: &[u8] = if head.is_some() { b" " } else { b"" };
    [before, blank, &text, tail.map_or(&b""[..], |at| &old[at..])].concat()
}

fn block_again(doc: &Document, branch: &Branch, old: &[u8], meta: &Map) -> Result<Vec<u8>, FormatError> {
    let mut text = block_text(doc, branch.site.indent as usize, meta)?;
    if !old.ends_with(b"\n") && !old.ends_with(b"\r") {
        text.truncate(text.len() - lines::ending(doc.source.expose()).len());
    }
    Ok(text)
}

/// The entry's lines as SOPS lays them out, at the file's indentation.
fn block_text(doc: &Document, column: usize, meta: &Map) -> Result<Vec<u8>, FormatError> {
    let options = EmitOptions { indent: i64::try_from(indents::step(doc)).ok() };
    let text = emit::metadata(KEY, meta, &options)?;
    Ok(lines::shifted(text.expose(), column, lines::ending(doc.source.expose())))
}

/// Directly behind the last value, before comments and a last comma: there a break is always allowed.
fn place_in_flow(doc: &Document, branch: &Branch, meta: &Map, edits: &mut Edits) {
    let source = doc.source.expose();
    let text = flow_text(meta);
    let items = Items::Map(&branch.root.items);
    match items.end() {
        Some(end) => edits.replace(end, end, [items.comma(), &text].concat()),
        None => {
            let at = spot::inner(source, branch.site);
            edits.replace(at, at, text);
        }
    }
}

fn place_block(doc: &Document, branch: &Branch, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let filled = branch.root.entries().next().is_some();
    if !filled && branch.site.span.start < branch.site.span.end {
        return Err(FormatError::at(
            source,
            branch.site.span.start as usize,
            Problem::Unwritable,
            "a document that is written as null has no place for metadata; write {} instead",
        ));
    }
    let column = if filled { branch.site.indent as usize } else { 0 };
    let at = if filled { document_end(source, branch.site.span.end as usize) } else { empty_document_end(source, 0) };
    let text = block_text(doc, column, meta)?;
    let first: &[u8] = if lines::fresh(source, at) { b"" } else { lines::ending(source) };
    edits.replace(at, at, [first, &text].concat());
    Ok(())
}

/// Where the document ends whose content ends at `content`.
pub(super) fn document_end(source: &[u8], content: usize) -> usize {
    let mut at = lines::next(source, content);
    while at < source.len() && !is_marker(source, at) {
        at = lines::next(source, at);
    }
    at
}

/// Where a document ends that has no content and starts at or before `content`.
pub(super) fn empty_document_end(source: &[u8], content: usize) -> usize {
    let mut at = lines::start(source, content);
    while at < source.len() && !is_marker(source, at) {
        at = lines::next(source, at);
    }
    if source[at..].starts_with(b"---") { document_end(source, at) } else { at }
}

/// Whether the line that starts at `at` starts or ends a document.
fn is_marker(source: &[u8], at: usize) -> bool {
    let line = &source[at..];
    let sign = line.starts_with(b"---") || line.starts_with(b"...");
    sign && line.get(3).is_none_or(|&byte| lines::is_space(byte))
}

/// Whether metadata stand beside the entries of document `branch`.
pub(super) fn stands_in(doc: &Document, branch: usize) -> bool {
    branch == 0 && !doc.metadata_spans.is_empty()
}

/// The last leaf of a node: what the text of a collection ends with.
pub(super) fn last_leaf(node: &Node) -> &Node {
    let mut node = node;
    while node.alias.is_none() {
        let last = match &node.value {
            Value::Map(map) => Items::Map(&map.items).last(),
            Value::List(list) => Items::List(&list.items).last(),
            _ => None,
        };
        match last {
            Some(last) => node = last,
            None => break,
        }
    }
    node
}
