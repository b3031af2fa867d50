//! Entries and elements added, removed and replaced in the text, in the layout that stands around them.

use std::ops::Range;

use super::metadata::{self, last_leaf};
use super::spot::{self, Items, Spot, unwritable};
use super::token::{self, Place, Text};
use super::{emit, flow, indents, lines};
use crate::format::Insert;
use crate::{Branch, Document, Edits, Entry, FormatError, Node, Path, Site, Style, Value};

/// Adds `new` at the end of the collection at `parent`.
pub(super) fn insert(
    doc: &Document,
    branch: usize,
    parent: &Path,
    new: &Insert<'_>,
    edits: &mut Edits,
) -> Result<(), FormatError> {
    if parent.0.is_empty() {
        let branch_of = doc.branches.get(branch).ok_or_else(|| unwritable("the file has no such document"))?;
        let Insert::Entry(entry) = new else { return Err(unwritable("the root of a document is a map")) };
        if branch_of.site.style != Style::Flow && branch_of.root.entries().next().is_none() {
            return insert_first(doc, branch, branch_of, entry, edits);
        }
        return append(doc, branch_of.site, Items::Map(&branch_of.root.items), new, edits);
    }
    let spot = spot::find(doc, branch, parent)?;
    if spot.node.alias.is_some() {
        return Err(unwritable("the value stands in an alias"));
    }
    let items = match (&spot.node.value, new) {
        (Value::Map(map), Insert::Entry(_)) => Items::Map(&map.items),
        (Value::List(list), Insert::Element(_)) => Items::List(&list.items),
        (Value::Null, _) => return first_of(doc, &spot, new, edits),
        _ => return Err(unwritable("the value at this path cannot hold what is added")),
    };
    let fresh = items.last().is_none() && !spot.flow() && spot.node.site.style == Style::Flow;
    if fresh { first_of(doc, &spot, new, edits) } else { append(doc, spot.node.site, items, new, edits) }
}

/// The first entry of a document that has no content.
fn insert_first(
    doc: &Document,
    index: usize,
    branch: &Branch,
    entry: &Entry,
    edits: &mut Edits,
) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let span = branch.site.span;
    let text = emit::entry(entry, indents::step(doc))?;
    let text = lines::shifted(text.expose(), 0, lines::ending(source));
    if metadata::stands_in(doc, index) {
        let at = doc.metadata_spans[0].start as usize;
        edits.replace(at, at, text);
    } else if span.start < span.end {
        in_place_of_null(source, span.range(), &text, edits);
    } else {
        let at = metadata::empty_document_end(source, span.start as usize);
        let first: &[u8] = if lines::fresh(source, at) { b"" } else { lines::ending(source) };
        edits.replace(at, at, [first, &text].concat());
    }
    Ok(())
}

/// Lines in place of a document's root that is written as null.
fn in_place_of_null(source: &[u8], null: Range<usize>, text: &[u8], edits: &mut Edits) {
    let (line, next) = (lines::start(source, null.start), lines::next(source, null.end));
    let blank = |range: Range<usize>| source[range].iter().all(|&byte| lines::is_space(byte));
    if blank(line..null.start) && blank(null.end..next) {
        edits.replace(line, next, text);
        return;
    }
    edits.replace(null.start, null.end, "");
    let first: &[u8] = if lines::fresh(source, next) { b"" } else { lines::ending(source) };
    edits.replace(next, next, [first, text].concat());
}

/// Turns the null or empty value at `spot` into a collection with one item.
fn first_of(doc: &Document, spot: &Spot<'_>, new: &Insert<'_>, edits: &mut Edits) -> Result<(), FormatError> {
    if spot.flow() || spot.site().in_flow || !spot.colon {
        let (open, close): (&[u8], &[u8]) = match new {
            Insert::Entry(_) => (b"{", b"}"),
            Insert::Element(_) => (b"[", b"]"),
        };
        let text = [open, &flow_item(new), close].concat();
        if spot.colon {
            Place::of(doc, spot.site(), true).put(Text::Inline(text), edits);
        } else {
            add_value(doc, spot, &text, edits);
        }
        return Ok(());
    }
    let text = block_item(doc, new)?;
    put_below(doc, spot, &text, matches!(new, Insert::Element(_)), edits);
    Ok(())
}

fn append(
    doc: &Document,
    site: Site,
    items: Items<'_>,
    new: &Insert<'_>,
    edits: &mut Edits,
) -> Result<(), FormatError> {
    let source = doc.source.expose();
    if site.style == Style::Flow {
        append_in_flow(source, site, items, &flow_item(new), edits);
        return Ok(());
    }
    let ending = lines::ending(source);
    let text = lines::shifted(&block_item(doc, new)?, site.indent as usize, ending);
    let end = items.end().ok_or_else(|| unwritable("a block collection without items"))?;
    let at = behind_item(source, items.last(), end);
    let first: &[u8] = if lines::fresh(source, at) { b"" } else { ending };
    edits.replace(at, at, [first, &text].concat());
    Ok(())
}

fn append_in_flow(source: &[u8], site: Site, items: Items<'_>, text: &[u8], edits: &mut Edits) {
    let at = spot::inner(source, site);
    let Some(end) = items.end() else { return edits.replace(at, at, text) };
    let comma = items.comma();
    if spot::is_bare_pair(source, site) {
        edits.replace(at, at, "{");
        edits.replace(end, end, [comma, text, b"}"].concat());
    } else {
        edits.replace(end, end, [comma, text].concat());
    }
}

/// The line behind an item; blank lines that a block scalar keeps belong to it.
fn behind_item(source: &[u8], last: Option<&Node>, end: usize) -> usize {
    let mut at = lines::next(source, end);
    let scalar = last.map(last_leaf).filter(|leaf| matches!(leaf.site.style, Style::Literal | Style::Folded));
    if scalar.is_some_and(|leaf| leaf.alias.is_none()) {
        for _ in 0..lines::empty_lines(source, at) {
            at = lines::next(source, at);
        }
    }
    at
}

fn flow_item(new: &Insert<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match new {
        Insert::Entry(entry) => flow::push_entry(&mut out, &entry.key, &entry.value.value),
        Insert::Element(value) => flow::push(&mut out, value),
    }
    out
}

fn block_item(doc: &Document, new: &Insert<'_>) -> Result<Vec<u8>, FormatError> {
    let step = indents::step(doc);
    let text = match new {
        Insert::Entry(entry) => emit::entry(entry, step)?,
        Insert::Element(value) => emit::element(value, step)?,
    };
    Ok(text.into_inner())
}

/// Removes the item at `path`.
pub(super) fn remove(doc: &Document, branch: usize, path: &Path, edits: &mut Edits) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let spot = spot::find(doc, branch, path)?;
    let only = spot.before.is_none() && spot.after.is_none();
    if spot::is_bare_pair(source, spot.holder) {
        edits.replace(spot.start, spot.end, "{}");
    } else if spot.flow() {
        let range = flow_range(source, &spot);
        edits.replace(range.start, range.end, "");
    } else if !only || (path.0.len() == 1 && metadata::stands_in(doc, branch)) {
        remove_lines(source, &spot, edits);
    } else if path.0.len() == 1 {
        edits.replace(spot.start, spot.end, "{}");
    } else {
        let outer = spot::find(doc, branch, &Path(path.0[..path.0.len() - 1].to_vec()))?;
        let empty: &[u8] = if spot.in_map { b"{}" } else { b"[]" };
        if lines::start(source, spot.start) == lines::start(source, outer.lead_end) {
            edits.replace(spot.start, spot.end, empty);
        } else {
            edits.replace(outer.lead_end, outer.lead_end, [b" ", empty].concat());
            remove_lines(source, &spot, edits);
        }
    }
    Ok(())
}

/// An item of a flow collection with one comma.
fn flow_range(source: &[u8], spot: &Spot<'_>) -> Range<usize> {
    if let Some(before) = spot.before {
        return lines::token(source, before)..spot.end;
    }
    if let Some(after) = spot.after {
        return spot.start..after;
    }
    let comma = lines::token(source, spot.end);
    spot.start..if source.get(comma) == Some(&b',') { comma + 1 } else { spot.end }
}

fn remove_lines(source: &[u8], spot: &Spot<'_>, edits: &mut Edits) {
    let line = lines::start(source, spot.start);
    let mut behind = behind_item(source, Some(spot.node), spot.end);
    let alone = source[line..spot.start].iter().all(|&byte| lines::is_blank(byte));
    if alone {
        edits.replace(line, behind, "");
        return;
    }
    // The next item (or a comment before it) moves up behind the dash.
    while behind < source.len() && lines::is_space(source[behind]) {
        behind += 1;
    }
    edits.replace(spot.start, behind, "");
}

/// Replaces the value at `path`.
pub(super) fn replace(
    doc: &Document,
    branch: usize,
    path: &Path,
    value: &Value,
    edits: &mut Edits,
) -> Result<(), FormatError> {
    let spot = spot::find(doc, branch, path)?;
    let site = spot.site();
    let whole = !is_filled(value);
    let leaf = !matches!(spot.node.value, Value::Map(_) | Value::List(_)) || spot.node.alias.is_some();
    if !spot.colon {
        add_value(doc, &spot, &flow_text(value), edits);
    } else if spot.flow() || site.in_flow {
        let place = Place::of(doc, site, true);
        let text = if leaf && whole { place.replaced(value, site.style) } else { Text::Inline(flow_text(value)) };
        place.put(text, edits);
    } else if leaf && whole {
        let place = Place::of(doc, site, spot.node.tagged || !matches!(value, Value::Str(_)));
        let text = place.replaced(value, site.style);
        place.put(text, edits);
    } else if whole {
        replace_collection(doc, &spot, value, edits);
    } else {
        let text = emit::collection(value, indents::step(doc))?;
        put_below(doc, &spot, text.expose(), matches!(value, Value::List(_)), edits);
    }
    Ok(())
}

/// Gives a key without a colon its value.
fn add_value(doc: &Document, spot: &Spot<'_>, text: &[u8], edits: &mut Edits) {
    let source = doc.source.expose();
    if spot.flow() {
        edits.replace(spot.end, spot.end, [b": ", text].concat());
        return;
    }
    let line = lines::end(source, spot.end);
    let colon = lines::shifted(&[b": ", text].concat(), spot.holder.indent as usize, b"\n");
    edits.replace(line, line, [lines::ending(source), &colon].concat());
}

fn flow_text(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    flow::push(&mut out, value);
    out
}

/// Whether a value is written as lines of its own.
fn is_filled(value: &Value) -> bool {
    match value {
        Value::Map(map) => map.entries().next().is_some(),
        Value::List(list) => list.nodes().next().is_some(),
        _ => false,
    }
}

/// Removes the tag of a block collection that is about to be replaced.
fn drop_tag(source: &[u8], site: Site, edits: &mut Edits) {
    let start = site.span.start as usize;
    if source[start] == b'!' && spot::inner(source, site) > start {
        let blanks = source[..start].iter().rev().take_while(|&&byte| byte == b' ').count();
        edits.replace(start - blanks, lines::word_end(source, start), "");
    }
}

/// Writes a leaf (or an empty collection) in place of a collection.
fn replace_collection(doc: &Document, spot: &Spot<'_>, value: &Value, edits: &mut Edits) {
    let site = spot.site();
    let plain = Site { style: Style::Plain, indent: spot.holder.indent, ..site };
    if !spot.is_block_collection() {
        let place = Place::of(doc, plain, true);
        let text = place.replaced(value, Style::Plain);
        return place.put(text, edits);
    }
    // As if an empty value stood behind the colon or dash, and the collection's lines not at all.
    let source = doc.source.expose();
    drop_tag(source, site, edits);
    let compact = lines::start(source, spot.lead_end) == lines::start(source, spot::inner(source, site));
    let (start, line) = (spot.lead_end, lines::end(source, spot.lead_end));
    let text = Place::of(doc, plain, false).replaced(value, Style::Plain);
    let (first, below) = match text {
        Text::Inline(first) => (first, Vec::new()),
        Text::Block(header, content) => (header, [lines::ending(source), &content].concat()),
    };
    let end = lines::end(source, spot.end);
    if compact {
        edits.replace(start, end, [b" ", &*first, &below].concat());
    } else {
        edits.replace(start, start, [b" ", &*first].concat());
        edits.replace(line, end, below);
    }
}

/// Writes lines (LF, at column 0) as a block collection in place of the value.
fn put_below(doc: &Document, spot: &Spot<'_>, text: &[u8], list: bool, edits: &mut Edits) {
    let source = doc.source.expose();
    let site = spot.site();
    let ending = lines::ending(source);
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let block = spot.is_block_collection();
    let content = if block { spot::inner(source, site) } else { site.span.start as usize };
    let same_line = lines::start(source, content) == lines::start(source, spot.lead_end);
    let column = match (block, spot.in_map) {
        // A list may stand at the column of its key, a map may not.
        (true, _) if list || site.indent > spot.holder.indent => site.indent as usize,
        (true, _) | (false, true) => spot.holder.indent as usize + indents::step(doc),
        (false, false) if same_line && content > spot.lead_end => content - lines::start(source, content),
        (false, false) => spot.holder.indent as usize + 2,
    };
    let below = lines::shifted(text, column, ending);
    let compact = !spot.in_map && !spot.described && (same_line || !block);
    let (first, rest) =
        if compact { split_line(&below, column, ending) } else { (Vec::new(), [ending, &below].concat()) };
    if block && same_line {
        edits.replace(content, lines::end(source, spot.end), [first, rest].concat());
    } else if block {
        drop_tag(source, site, edits);
        edits.replace(lines::end(source, spot.lead_end), lines::end(source, spot.end), rest);
    } else {
        token::put_lines(doc, site, spot.lead_end, &first, &rest, edits);
    }
}

/// The first line without its indentation, and the rest with the break before it.
fn split_line(lines: &[u8], column: usize, ending: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let end = lines.iter().position(|byte| ending.starts_with(&[*byte])).unwrap_or(lines.len());
    (lines[column..end].to_vec(), lines[end..].to_vec())
}

/// The value of an alias written out, with the comments of the anchored original as far as they have a place.
pub(super) fn write_alias(doc: &Document, node: &Node, edits: &mut Edits) {
    let Some(alias) = node.alias else { return };
    let range = alias.span.range();
    let text = match line_for_parts(doc.source.expose(), range.start) {
        Some(line) => {
            let mut out = Vec::new();
            flow::push_commented(&mut out, &node.value, &line);
            out
        }
        None => flow_text(&node.value),
    };
    edits.replace(range.start, range.end, text);
}

/// Furthest look back for the start of a line, so that many aliases on one long line cost no squares.
const LOOK_BACK: usize = 4096;

/// A break and blanks for a line that continues what stands at `at`: further in than any key or dash before it. A bare
/// LF in every file: go-yaml loses comments behind the CRLF of a flow collection.
fn line_for_parts(source: &[u8], at: usize) -> Option<Vec<u8>> {
    let from = at.saturating_sub(LOOK_BACK);
    let start = lines::start(&source[from..at], at - from);
    if start == 0 && from > 0 {
        return None;
    }
    let lead = source[from + start..at].iter().take_while(|byte| matches!(byte, b' ' | b'-' | b'?')).count();
    Some([&b"\n"[..], &vec![b' '; lead + 2]].concat())
}
