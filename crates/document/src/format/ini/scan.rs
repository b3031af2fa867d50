//! Reading an INI file into sections, keys and comments as go-ini sees them, with the place of each.

use std::collections::HashMap;

use secret::SecretBytes;

use super::token::{self, KeyToken, line_end, strip_break, trim, trim_start};
use crate::{Comment, Entry, FormatError, Item, Map, Node, Problem, Site, Span, Style, Value};

/// The section of keys that stand before any section.
pub(super) const DEFAULT: &str = "DEFAULT";

/// Reads a whole file. What go-ini would silently drop or cut is refused, except in a file with a section
/// `sops`: there it is too late, and the values must be those that were sealed.
pub(super) fn root(source: &[u8]) -> Result<Map, FormatError> {
    if u32::try_from(source.len()).is_err() {
        return Err(FormatError::new(Problem::Syntax, "a file may not be larger than 4 GiB"));
    }
    if source.starts_with(&[0xFE, 0xFF]) || source.starts_with(&[0xFF, 0xFE]) {
        return Err(FormatError::at(source, 0, Problem::Unsupported, "UTF-16 text"));
    }
    let start = text_offset(source);
    let first = Section { name: DEFAULT.into(), site: (start, start), ..Section::default() };
    let mut reader = Reader { source, at: start, lines: Vec::new(), sections: vec![first], count: 0, loss: None };
    while reader.at < source.len() {
        reader.line()?;
    }
    let sealed = reader.sections.iter().any(|section| &*section.name == "sops");
    match reader.loss.take() {
        Some(loss) if !sealed => Err(loss),
        _ => Ok(reader.into_map()),
    }
}

/// Where the text starts: behind a byte order mark.
pub(super) fn text_offset(source: &[u8]) -> usize {
    if source.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 }
}

#[derive(Default)]
struct Section {
    name: Box<str>,
    name_span: (usize, usize),
    site: (usize, usize),
    comment: Option<Comment>,
    keys: Vec<(Entry, Option<Comment>)>,
    by_name: HashMap<Box<str>, usize>,
}

struct Reader<'a> {
    source: &'a [u8],
    at: usize,
    /// The signs of the comment lines that wait for a key or section.
    lines: Vec<usize>,
    sections: Vec<Section>,
    /// Number of keys named `-` in this section.
    count: usize,
    /// The first thing that go-ini drops or cuts.
    loss: Option<FormatError>,
}

impl Reader<'_> {
    fn line(&mut self) -> Result<(), FormatError> {
        let end = line_end(self.source, self.at);
        let start = end - trim_start(&self.source[self.at..end]).len();
        match self.source[start..end].first() {
            None => self.at = end,
            Some(b'#' | b';') => {
                self.lines.push(start);
                self.at = end;
            }
            Some(b'[') => self.section(start, end)?,
            Some(_) => self.key(start, end)?,
        }
        Ok(())
    }

    fn section(&mut self, start: usize, end: usize) -> Result<(), FormatError> {
        let Header { name: name_span, inline, junk } = read_header(self.source, start, end)
            .ok_or_else(|| FormatError::at(self.source, start, Problem::Syntax, "a section name without ']'"))?;
        if name_span.0 == name_span.1 {
            return Err(FormatError::at(self.source, start, Problem::Syntax, "a section without a name"));
        }
        if junk {
            self.lose(name_span.1 + 1, "text behind a section name, which INI readers drop");
        }
        let name = self.name(name_span)?;
        let comment = self.comment(inline);
        let site = (start, start + strip_break(&self.source[start..end]).len());
        self.sections.push(Section { name, name_span, site, comment, ..Section::default() });
        self.count = 0;
        self.at = end;
        Ok(())
    }

    fn key(&mut self, start: usize, end: usize) -> Result<(), FormatError> {
        let fail = |what: &str| FormatError::at(self.source, start, Problem::Syntax, what);
        let key = token::read_key(self.source, start, end).map_err(fail)?;
        let value = token::read_value(self.source, key.after);
        let value = value.ok_or_else(|| fail("a value without its closing quote"))?;
        let name = self.key_name(start, &key)?;
        if key.junk || value.junk {
            self.lose(start, "text behind a closing quote, which INI readers drop");
        } else if value.cut {
            self.lose(value.span.0, "a quoted value that INI readers cut at the '#' or ';' in it");
        }
        if value.value == b"\"\"\"" || (end - start <= 7 && self.source[start..].starts_with(b"\"\"\"")) {
            // go-ini reads these differently with and without a line break behind them.
            self.lose(start, "three quotes with too little behind them");
        }
        let comment = self.comment(value.comment);
        let site = Site { span: span(value.span), style: value.style, ..Site::default() };
        let node = Node { value: Value::Str(SecretBytes::new(value.value)), site, ..Node::default() };
        let entry = Entry { key: name.clone(), key_span: span((start, key.end)), value: node };
        self.at = value.next;
        let last = value.next.min(self.source.len());
        let line = strip_break(&self.source[..last]).len();
        let section = self.sections.last_mut().expect("the default section is always there");
        section.site.1 = line.max(value.span.1);
        if let Some(&index) = section.by_name.get(&name) {
            section.keys[index] = (entry, comment);
            let what = format!("duplicate key \"{}\" in a section", name.escape_debug());
            self.lose(start, &what);
        } else {
            section.by_name.insert(name, section.keys.len());
            section.keys.push((entry, comment));
        }
        Ok(())
    }

    fn key_name(&mut self, start: usize, key: &KeyToken) -> Result<Box<str>, FormatError> {
        let name = self.name(key.name)?;
        if &*name != "-" {
            return Ok(name);
        }
        self.lose(start, "a key \"-\", which INI readers number and write as a comment");
        self.count += 1;
        Ok(format!("#{}", self.count).into())
    }

    fn name(&self, span: (usize, usize)) -> Result<Box<str>, FormatError> {
        let name = std::str::from_utf8(&self.source[span.0..span.1]);
        let what = "a name that is not UTF-8";
        name.map(Box::from).map_err(|_| FormatError::at(self.source, span.0, Problem::Unsupported, what))
    }

    /// The comment made of the waiting lines and the one behind what was just read.
    fn comment(&mut self, inline: Option<(usize, usize)>) -> Option<Comment> {
        let slots = slots(self.source, &std::mem::take(&mut self.lines), inline);
        comment(self.source, &slots)
    }

    fn lose(&mut self, at: usize, what: &str) {
        let source = self.source;
        self.loss.get_or_insert_with(|| FormatError::at(source, at, Problem::Unsupported, what));
    }

    /// The tree. Comments that no key or section of the data follows are items of the root, where SOPS,
    /// which has no such thing, neither sees nor prints them.
    fn into_map(mut self) -> Map {
        let trailing = self.comment(None);
        let mut root = Map::default();
        for mut section in self.sections {
            if &*section.name == "sops" {
                root.items.extend(section.comment.take().map(Item::Comment));
            }
            let mut map = Map::default();
            map.items.extend(section.comment.map(Item::Comment));
            for (entry, comment) in section.keys {
                map.items.push(Item::Entry(entry));
                map.items.extend(comment.map(Item::Comment));
            }
            let site = Site { span: span(section.site), style: Style::Block, ..Site::default() };
            let value = Node { value: Value::Map(map), site, ..Node::default() };
            root.items.push(Item::Entry(Entry { key: section.name, key_span: span(section.name_span), value }));
        }
        root.items.extend(trailing.map(Item::Comment));
        root
    }
}

/// A section's line: its name, the comment behind it, and whether other text stands there.
struct Header {
    name: (usize, usize),
    inline: Option<(usize, usize)>,
    junk: bool,
}

fn read_header(source: &[u8], start: usize, end: usize) -> Option<Header> {
    let close = start + memchr::memrchr(b']', &source[start..end])?;
    let rest = &source[close + 1..end];
    let sign = memchr::memchr2(b'#', b';', rest);
    let inline = sign.map(|sign| token::comment_to_end(source, close + 1 + sign, end));
    let junk = !trim(&rest[..sign.unwrap_or(rest.len())]).is_empty();
    Some(Header { name: (start + 1, close), inline, junk })
}

/// The pieces of one comment: from sign to the end of its line, the last one to its last character.
pub(super) fn slots(source: &[u8], lines: &[usize], inline: Option<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut slots: Vec<_> = lines
        .iter()
        .map(|&sign| {
            let end = line_end(source, sign);
            (sign, if source[..end].ends_with(b"\n") { end - 1 } else { end })
        })
        .collect();
    match inline {
        Some(slot) => slots.push(slot),
        None => {
            if let Some(last) = slots.last_mut() {
                last.1 = last.0 + trim(&source[last.0..last.1]).len();
            }
        }
    }
    slots
}

/// The slots of the comment whose text starts at `at`, and the start of the section line if one of them is
/// behind a section name.
pub(super) fn slots_at(source: &[u8], at: usize) -> (Vec<(usize, usize)>, Option<usize>) {
    let mut at = memchr::memrchr(b'\n', &source[..at]).map_or(text_offset(source), |last| last + 1);
    let mut lines = Vec::new();
    while at < source.len() {
        let end = line_end(source, at);
        let start = end - trim_start(&source[at..end]).len();
        let inline = match source[start..end].first() {
            None => None,
            Some(b'#' | b';') => {
                lines.push(start);
                None
            }
            Some(b'[') => {
                let inline = read_header(source, start, end).and_then(|header| header.inline);
                return (slots(source, &lines, inline), inline.map(|_| start));
            }
            Some(_) => {
                let key = token::read_key(source, start, end).ok();
                let value = key.and_then(|key| token::read_value(source, key.after));
                Some(value.and_then(|value| value.comment))
            }
        };
        if let Some(inline) = inline {
            return (slots(source, &lines, inline), None);
        }
        at = end;
    }
    (slots(source, &lines, None), None)
}

/// Where the text of a comment starts: behind the signs and blanks that its first line starts with.
pub(super) fn text_start(source: &[u8], slot: (usize, usize)) -> usize {
    let sign = source[slot.0];
    let text = &source[slot.0..slot.1];
    slot.0 + text.iter().position(|&byte| byte != sign && byte != b' ').unwrap_or(text.len())
}

/// The comment that `slots` hold. A sealed one stands in the first of them, the others have only signs.
fn comment(source: &[u8], slots: &[(usize, usize)]) -> Option<Comment> {
    let (&first, others) = slots.split_first()?;
    let start = text_start(source, first);
    let head = &source[start..first.1];
    let is_bare = |slot: &(usize, usize)| trim(&source[text_start(source, *slot)..slot.1]).is_empty();
    let sealed = is_sealed(trim(head)) && others.iter().all(is_bare);
    let mut text = if sealed { trim(head).to_vec() } else { head.to_vec() };
    for slot in others.iter().filter(|_| !sealed) {
        text.push(b'\n');
        text.extend_from_slice(&source[slot.0..slot.1]);
    }
    let end = others.iter().map(|slot| slot.1).next_back().filter(|_| !sealed).unwrap_or(first.1);
    Some(Comment { text: SecretBytes::new(text), inline: false, span: Some(span((start, end))) })
}

/// Whether a comment's text is a ciphertext.
pub(super) fn is_sealed(text: &[u8]) -> bool {
    text.starts_with(b"ENC[AES256_GCM,") && text.ends_with(b"]") && !text.contains(&b'\n')
}

pub(super) fn span((start, end): (usize, usize)) -> Span {
    let offset = |at: usize| u32::try_from(at).expect("sources over 4 GiB are refused first");
    Span { start: offset(start), end: offset(end) }
}
