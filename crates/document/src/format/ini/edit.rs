//! Changing an INI file in place: a value, a comment, a key, a section, the metadata section.

use super::emit;
use super::scan;
use super::token::{self, line_end, trim};
use crate::format::flatten::{self, replace_all};
use crate::format::{Insert, Token};
use crate::{Document, Edits, Entry, FormatError, Map, Path, Problem, Site, Span, Step, Style, Value};

/// The text of the value at `site` that is to say `token`.
pub(super) fn leaf(source: &[u8], site: Site, token: Token<'_>, style: Option<Style>) -> Vec<u8> {
    let style = style.unwrap_or(site.style);
    match token {
        Token::Verbatim(bytes) => bytes.to_vec(),
        Token::Sealed(text) => quoted(text.as_bytes(), sealed_style(style, behind(source, site.span))),
        Token::Opened { value, .. } => {
            let text = flatten::scalar(value).unwrap_or_default();
            spell(&text, style, behind(source, site.span)).unwrap_or_else(|| emit::value(&text))
        }
    }
}

/// The style of a sealed value: as it is, but bare where a comment follows, since go-ini sees a comment behind
/// a backtick or `"""` only if the value has several lines, which a sealed one has not.
fn sealed_style(style: Style, behind: &[u8]) -> Style {
    let hides = matches!(style, Style::Backtick | Style::TripleQuoted) && !trim(behind).is_empty();
    if hides { Style::Plain } else { style }
}

/// What stands behind a value on its last line, the line break included.
fn behind(source: &[u8], span: Span) -> &[u8] {
    let end = span.end as usize;
    &source[end..line_end(source, end)]
}

fn quoted(text: &[u8], style: Style) -> Vec<u8> {
    let quote: &[u8] = match style {
        Style::DoubleQuoted => b"\"",
        Style::SingleQuoted => b"'",
        Style::Backtick => b"`",
        Style::TripleQuoted => b"\"\"\"",
        _ => b"",
    };
    [quote, text, quote].concat()
}

/// A spelling of `value` that reads back as it before `behind`: in `style`, else as SOPS would, else in any
/// style that can. Nothing if none can.
fn spell(value: &[u8], style: Style, behind: &[u8]) -> Option<Vec<u8>> {
    let others = [Style::Plain, Style::DoubleQuoted, Style::SingleQuoted, Style::Backtick, Style::TripleQuoted];
    let texts = [quoted(value, style), emit::value(value)].into_iter();
    let mut texts = texts.chain(others.map(|style| quoted(value, style)));
    texts.find(|text| {
        let token = token::read_value(&[text, behind].concat(), 0);
        token.is_some_and(|token| token.value == value && token.span == (0, text.len()) && !token.junk)
    })
}

/// Writes `text` over the comment at `span`: a sealed one into its first line, the signs of the others kept;
/// a plain one line by line over these.
pub(super) fn write_comment(source: &[u8], span: Span, text: &[u8], edits: &mut Edits) {
    let at = span.start as usize;
    let (mut slots, header) = scan::slots_at(source, at);
    if slots.first().is_none_or(|first| !(first.0 < at && at <= first.1)) {
        slots = vec![(at, at + trim(&source[at..line_end(source, at)]).len())];
    }
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    let first = slots[0];
    match (header, slots.as_slice(), lines.as_slice()) {
        (Some(header), [only], [line]) if line.contains(&b']') => return lift(source, header, *only, line, edits),
        (Some(header), [above, behind], [line]) if !scan::is_sealed(line) => {
            return lower(source, header, *above, *behind, line, edits);
        }
        _ => {}
    }
    if lines.len() == slots.len() {
        edits.replace(at, first.1, lines[0]);
        for (slot, line) in slots.iter().zip(&lines).skip(1) {
            edits.replace(slot.0, slot.1, signed(line));
        }
        return;
    }
    let tail = |slot: (usize, usize)| if source[..slot.1].ends_with(b"\r") { &b"\r"[..] } else { b"" };
    let mut head = lines[0].to_vec();
    for line in &lines[1..] {
        head.push(b'\n');
        head.extend(signed(line));
    }
    edits.replace(at, first.1, [&head, tail(first)].concat());
    for slot in &slots[1..] {
        edits.replace(slot.0 + 1, slot.1, tail(*slot));
    }
}

/// Moves the comment behind a section name to a line above, since go-ini takes the last `]` of the line for
/// the end of the name. The sign stays behind as a mark.
fn lift(source: &[u8], header: usize, slot: (usize, usize), text: &[u8], edits: &mut Edits) {
    let sign = [source[slot.0], b' '];
    edits.replace(header, header, [&sign, text, newline(source), &source[line_start(source, header)..header]].concat());
    edits.replace(scan::text_start(source, slot), slot.1, "");
}

/// Undoes [`lift`]: `text` goes behind the section name and the line `above` goes away.
fn lower(source: &[u8], header: usize, above: (usize, usize), behind: (usize, usize), text: &[u8], edits: &mut Edits) {
    edits.replace(line_start(source, above.0), line_start(source, header), "");
    let lead = &source[behind.0..line_end(source, behind.0)];
    let sign = lead.iter().position(|byte| *byte != lead[0] && *byte != b' ').unwrap_or(lead.len());
    edits.replace(behind.0 + sign, behind.1.max(behind.0 + sign), text);
}

/// Where the line of `at` starts, a byte order mark not included.
fn line_start(source: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &source[..at]).map_or(scan::text_offset(source), |last| last + 1)
}

/// A further line of a comment with a sign in front.
fn signed(line: &[u8]) -> Vec<u8> {
    match line.first() {
        Some(b'#' | b';') => line.to_vec(),
        _ => [b"; ", line].concat(),
    }
}

/// Writes `meta` as the section `sops` at the end, or over the one that is there.
pub(super) fn place_metadata(doc: &Document, meta: &Map, edits: &mut Edits) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let newline = newline(source);
    let mut flat = Map::default();
    for (name, value) in flatten::flatten(meta) {
        let value = replace_all(&value, b"\n", b"\\n");
        flat.push(&name, Value::Str(secret::SecretBytes::new(value)));
    }
    let mut text = [b"[sops]\n", &emit::keys(&flat)?[..]].concat();
    if newline.len() > 1 {
        text = replace_all(&text, b"\n", newline);
    }
    if let Some(old) = doc.metadata_spans.first() {
        if !source[..old.end as usize].ends_with(b"\n") {
            text.truncate(text.len() - newline.len());
        }
        edits.replace(old.start as usize, old.end as usize, text);
        return Ok(());
    }
    let lead = match source {
        [] => Vec::new(),
        [.., b'\n'] => newline.to_vec(),
        _ => {
            // No final line break after the block either: so removing it knows that there was none.
            text.truncate(text.len() - newline.len());
            newline.repeat(2)
        }
    };
    edits.replace(source.len(), source.len(), [lead, text].concat());
    Ok(())
}

/// Removes the section at `span` with the blank line before it.
pub(super) fn remove_metadata(doc: &Document, span: Span, edits: &mut Edits) {
    let source = doc.source.expose();
    let newline = newline(source);
    let before = &source[..span.start as usize];
    let mut start = before.len();
    if let Some(rest) = before.strip_suffix(newline).filter(|rest| rest.ends_with(b"\n")) {
        start = rest.len();
        if !source[..span.end as usize].ends_with(b"\n") {
            start = rest.strip_suffix(newline).unwrap_or(rest).len();
        }
    }
    edits.replace(start, span.end as usize, "");
}

/// The line break of the file's first line.
fn newline(source: &[u8]) -> &'static [u8] {
    let first = &source[..line_end(source, 0)];
    if first.ends_with(b"\r\n") { b"\r\n" } else { b"\n" }
}

/// The lines of a section: from its start to the end of its last line, line break included.
pub(super) fn section_lines(source: &[u8], span: Span) -> Span {
    let end = if span.start == span.end { span.end as usize } else { line_end(source, span.end as usize) };
    scan::span((span.start as usize, end))
}

/// Adds a key to a section, or a section to the file.
pub(super) fn insert(
    doc: &Document,
    branch: usize,
    parent: &Path,
    entry: Insert<'_>,
    edits: &mut Edits,
) -> Result<(), FormatError> {
    let root = &doc.branches.get(branch).ok_or_else(no_shape)?.root;
    let Insert::Entry(entry) = entry else { return Err(no_shape()) };
    match (parent.0.as_slice(), &entry.value.value) {
        ([], Value::Map(map)) => insert_section(doc, &entry.key, map, edits),
        ([Step::Key(name)], value) => {
            let section = root.entries().find(|entry| entry.key == *name);
            insert_key(doc, section.ok_or_else(|| nothing_at(parent))?, &entry.key, value, edits)
        }
        _ => Err(no_shape()),
    }
}

fn insert_section(doc: &Document, name: &str, map: &Map, edits: &mut Edits) -> Result<(), FormatError> {
    let source = doc.source.expose();
    if name.is_empty() || name == "sops" || name.contains(['\n', ']']) {
        return Err(FormatError::new(Problem::Unwritable, "an INI file cannot hold this section name"));
    }
    let newline = newline(source);
    let mut text = format!("[{name}]").into_bytes();
    text.extend_from_slice(newline);
    text.extend_from_slice(&lines(map, " = ", newline)?);
    let at = doc.metadata_spans.first().map_or(source.len(), |span| span.start as usize);
    let lead = match &source[..at] {
        [] => Vec::new(),
        before if before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n") => Vec::new(),
        [.., b'\n'] => newline.to_vec(),
        _ => newline.repeat(2),
    };
    if at < source.len() {
        text.extend_from_slice(newline);
    }
    edits.replace(at, at, [lead, text].concat());
    Ok(())
}

fn insert_key(doc: &Document, section: &Entry, key: &str, value: &Value, edits: &mut Edits) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let newline = newline(source);
    let keys = section.value.value.as_map().into_iter().flat_map(Map::entries);
    let last = keys.max_by_key(|entry| entry.value.site.span.start);
    let sample = last.map_or(&b" = "[..], |entry| {
        &source[entry.key_span.end as usize..(entry.value.site.span.start as usize).max(entry.key_span.end as usize)]
    });
    let delimiter = if trim(sample).len() == sample.len() { "=" } else { " = " };
    let mut map = Map::default();
    map.push(key, Value::Str(secret::SecretBytes::new(flatten::scalar(value).ok_or_else(no_shape)?)));
    let mut text = lines(&map, delimiter, newline)?;
    let at = section_lines(source, section.value.site.span).end as usize;
    if at > scan::text_offset(source) && !source[..at].ends_with(b"\n") {
        text.truncate(text.len() - newline.len());
        text = [newline, &text].concat();
    }
    let before = &source[line_start(source, at.saturating_sub(1))..at];
    if trim(before).ends_with(b"\\") {
        // A blank line ends the continued value.
        text = [newline, &text].concat();
    }
    edits.replace(at, at, text);
    Ok(())
}

/// The keys of `map` as lines that read back as they are.
fn lines(map: &Map, delimiter: &str, newline: &[u8]) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::new();
    for entry in map.entries() {
        let start = out.len();
        let value = flatten::scalar(&entry.value.value).ok_or_else(no_shape)?;
        out.extend_from_slice(emit::name(&entry.key).as_bytes());
        out.extend_from_slice(delimiter.as_bytes());
        let good = token::read_key(&out, start, out.len()).is_ok_and(|key| {
            out[key.name.0..key.name.1] == *entry.key.as_bytes() && !key.junk && key.after <= out.len()
        });
        let special = entry.key.starts_with(['#', ';', '[']) || &*entry.key == "-" || entry.key.contains('\n');
        if !good || special {
            return Err(FormatError::new(Problem::Unwritable, "an INI file cannot hold this key"));
        }
        let text = spell(&value, Style::Plain, newline);
        out.extend(text.ok_or_else(unwritable_value)?);
        out.extend_from_slice(newline);
    }
    Ok(out)
}

/// Removes a key with its line, or a section with its lines.
pub(super) fn remove(doc: &Document, branch: usize, path: &Path, edits: &mut Edits) -> Result<(), FormatError> {
    let source = doc.source.expose();
    let span = match find(doc, branch, path)? {
        Found::Section(section) => {
            let lines = section_lines(source, section.value.site.span);
            let rest = &source[lines.end as usize..];
            let blank = rest.len() - rest.iter().skip_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            scan::span((lines.start as usize, lines.end as usize + blank))
        }
        Found::Key(entry) => {
            let start = line_start(source, entry.key_span.start as usize);
            scan::span((start, line_end(source, entry.value.site.span.end as usize)))
        }
    };
    edits.replace(span.start as usize, span.end as usize, "");
    Ok(())
}

/// Replaces the value of a key, or all lines of a section below its name.
pub(super) fn replace(
    doc: &Document,
    branch: usize,
    path: &Path,
    value: &Value,
    edits: &mut Edits,
) -> Result<(), FormatError> {
    let source = doc.source.expose();
    match (find(doc, branch, path)?, value) {
        (Found::Key(entry), value) => replace_value(source, entry, value, edits)?,
        (Found::Section(section), Value::Map(map)) => {
            let lines_span = section_lines(source, section.value.site.span);
            let implicit = section.key_span == Span::default();
            let start = if implicit { lines_span.start as usize } else { line_end(source, lines_span.start as usize) };
            let newline = newline(source);
            let mut text = lines(map, " = ", newline)?;
            if start > scan::text_offset(source) && !source[..start].ends_with(b"\n") {
                text = [newline, &text].concat();
            }
            edits.replace(start, (lines_span.end as usize).max(start), text);
        }
        _ => return Err(no_shape()),
    }
    Ok(())
}

fn replace_value(source: &[u8], entry: &Entry, value: &Value, edits: &mut Edits) -> Result<(), FormatError> {
    let value = flatten::scalar(value).ok_or_else(no_shape)?;
    let Site { span, style, .. } = entry.value.site;
    let (start, end) = (span.start as usize, span.end as usize);
    let rest = behind(source, span);
    if let Some(text) = spell(&value, style, rest) {
        edits.replace(start, end, text);
        return Ok(());
    }
    // The quotes that the value needs would hide the comment behind it: that goes to a line above.
    let text = spell(&value, style, newline(source)).ok_or_else(unwritable_value)?;
    let line = line_start(source, entry.key_span.start as usize);
    let (sign, last) =
        token::comment_to_end(source, end + rest.len() - token::trim_start(rest).len(), end + rest.len());
    edits.replace(line, line, [&source[sign..last], newline(source)].concat());
    edits.replace(start, end + rest.len(), [&text, newline(source)].concat());
    Ok(())
}

fn unwritable_value() -> FormatError {
    FormatError::new(Problem::Unwritable, "an INI file cannot hold this value")
}

enum Found<'a> {
    Section(&'a Entry),
    Key(&'a Entry),
}

fn find<'a>(doc: &'a Document, branch: usize, path: &Path) -> Result<Found<'a>, FormatError> {
    let root = &doc.branches.get(branch).ok_or_else(|| nothing_at(path))?.root;
    let section = |name: &str| root.entries().find(|entry| &*entry.key == name);
    let found = match path.0.as_slice() {
        [Step::Key(name)] => section(name).map(Found::Section),
        [Step::Key(name), Step::Key(key)] => section(name)
            .and_then(|section| section.value.value.as_map())
            .and_then(|map| map.entries().find(|entry| entry.key == *key))
            .map(Found::Key),
        _ => None,
    };
    found.ok_or_else(|| nothing_at(path))
}

fn nothing_at(path: &Path) -> FormatError {
    FormatError::new(Problem::Unwritable, format!("there is nothing at {path}"))
}

fn no_shape() -> FormatError {
    FormatError::new(Problem::Unwritable, "an INI file holds sections, and sections hold keys with plain values")
}
