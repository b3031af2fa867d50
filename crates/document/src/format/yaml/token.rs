//! One scalar's token written anew in its place, in the style that stands there.

use std::ops::Range;

use super::block::{Header, Room};
use super::scalar::{self, Form, Wide};
use super::{flow, indents, lines, plain};
use crate::format::Token;
use crate::{Document, Edits, Node, Site, Style, Value};

/// Edit that makes the leaf say `token`.
pub(super) fn write(doc: &Document, node: &Node, token: Token<'_>, style: Option<Style>, edits: &mut Edits) {
    let place = match token {
        Token::Verbatim(bytes) => return verbatim(doc, node.site, bytes, edits),
        Token::Sealed(_) => Place::of(doc, node.site, node.tagged),
        Token::Opened { value, .. } => Place::of(doc, node.site, node.tagged || !matches!(value, Value::Str(_))),
    };
    let style = style.unwrap_or(node.site.style);
    let text = match token {
        Token::Sealed(text) => match place.sealed_inline(text, style, edits) {
            true => return,
            false => place.sealed(text, style),
        },
        Token::Opened { value, spelling } => place.opened(value, spelling, style),
        Token::Verbatim(_) => unreachable!("handled above"),
    };
    place.put(text, edits);
}

/// Puts the text of a token back as it was.
fn verbatim(doc: &Document, site: Site, text: &[u8], edits: &mut Edits) {
    let (source, span) = (doc.source.expose(), site.span.range());
    let at = behind_props(text, 0).min(text.len());
    // An anchor behind a tag belongs to the token; sealing dropped the tag and left the anchor in front.
    let anchor = anchor(&text[..at]);
    let start = if source[..span.start].ends_with(&anchor) { span.start - anchor.len() } else { span.start };
    let header = matches!(site.style, Style::Literal | Style::Folded).then(|| Header::read(text, at)).flatten();
    let mut place = Place::of(doc, site, true);
    let commented = place.header.is_some_and(|there| !source[there.end..there.line_end].trim_ascii().is_empty());
    match header.filter(|_| commented) {
        Some(header) => {
            // The comment on the header's line is an item of its own, and written by itself.
            (place.start, place.lead) = (start, Vec::new());
            let content = text.get(lines::next(text, header.line_end)..).unwrap_or_default();
            place.put(Text::Block(text[..header.end].to_vec(), content.to_vec()), edits);
        }
        None => edits.replace(start, span.end, text),
    }
}

/// A new token or value.
pub(super) enum Text {
    /// On the line of the old one.
    Inline(Vec<u8>),
    /// A part on that line (the header of a block scalar, the first line of a list's element) and whole lines.
    Block(Vec<u8>, Vec<u8>),
}

/// Where a token stands and what belongs to it.
pub(super) struct Place<'d> {
    doc: &'d Document,
    source: &'d [u8],
    site: Site,
    /// First byte to replace: behind the tag, if that stays.
    start: usize,
    end: usize,
    /// Written in front of the new token: a blank where none is, an anchor that stood behind a dropped tag.
    lead: Vec<u8>,
    header: Option<Header>,
    /// A tag stays in front, which makes any text a string.
    string_tag: bool,
}

impl<'d> Place<'d> {
    pub(super) fn of(doc: &'d Document, site: Site, drop_tag: bool) -> Self {
        let source = doc.source.expose();
        let span = site.span.range();
        let at = behind_props(source, span.start).clamp(span.start, span.end);
        let mut lead = anchor(&source[span.start..at]);
        let header = match site.style {
            Style::Literal | Style::Folded => Header::read(source, at),
            _ => None,
        };
        let start = if drop_tag { span.start } else { at };
        if start == at {
            lead.clear();
        }
        // go-yaml ends an anchor before a colon: `&x:y` is the text `:y`.
        let touches = start.checked_sub(1).map(|before| source[before]).filter(|&byte| !lines::is_space(byte));
        let tight = matches!(touches, Some(b'[' | b'{' | b',' | b':'));
        if touches.is_some() && (!tight || start == span.end) {
            lead.insert(0, b' ');
        }
        let string_tag = source[span.start..start].contains(&b'!');
        Self { doc, source, site, start, end: span.end, lead, header, string_tag }
    }

    /// Writes a token that stays on its line without a copy of it; `false` where it does not.
    fn sealed_inline(&self, text: &str, style: Style, edits: &mut Edits) -> bool {
        let quote: &[u8] = match style {
            Style::SingleQuoted => b"'",
            Style::Plain if !self.site.in_flow => b"",
            Style::Literal | Style::Folded if !self.site.in_flow => return false,
            _ => b"\"",
        };
        if self.header.is_some() {
            return false;
        }
        let gap: &[u8] = if quote.is_empty() { gap(self.source, self.end, text.as_bytes()) } else { b"" };
        edits.replace_parts(self.start, self.end, &[&self.lead, quote, text.as_bytes(), quote, gap]);
        true
    }

    fn sealed(&self, text: &str, style: Style) -> Text {
        let flow = self.site.in_flow;
        let bytes = text.as_bytes();
        match style {
            Style::SingleQuoted => Text::Inline([b"'", bytes, b"'"].concat()),
            Style::Literal | Style::Folded if !flow => {
                let room = self.room();
                // No line break is part of the token: some readers of SOPS files want it to end where it ends.
                let header = self.header.map_or_else(|| b"|-".to_vec(), |header| header.stripping());
                let mut line = vec![b' '; room.indent];
                line.extend_from_slice(bytes);
                Text::Block(header, line)
            }
            Style::Plain if !flow => Text::Inline(bytes.to_vec()),
            _ => Text::Inline([b"\"", bytes, b"\""].concat()),
        }
    }

    /// A value that is new here: a string stands bare only where go-yaml, too, would write it so. Readers of YAML 1.1
    /// take more texts for booleans and numbers than those of 1.2.
    pub(super) fn replaced(&self, value: &Value, style: Style) -> Text {
        let style = match value.as_str().map(|text| scalar::choose(text).0) {
            Some(Form::Double) if style == Style::Plain => Style::DoubleQuoted,
            Some(Form::Single) if style == Style::Plain => Style::SingleQuoted,
            _ => style,
        };
        self.opened(value, None, style)
    }

    fn opened(&self, value: &Value, spelling: Option<&[u8]>, style: Style) -> Text {
        let Value::Str(bytes) = value else {
            return Text::Inline(match value {
                Value::Map(_) | Value::List(_) => inline(value),
                leaf => plain::spelled(leaf, spelling).into_bytes(),
            });
        };
        match bytes.expose_str() {
            Some(text) => self.string(text, style),
            None => Text::Inline(inline(value)),
        }
    }

    fn string(&self, text: &str, style: Style) -> Text {
        let flow = self.site.in_flow;
        let form = match style {
            Style::SingleQuoted if scalar::one_line(text) => Form::Single,
            Style::Literal | Style::Folded => Form::Literal,
            Style::SingleQuoted | Style::DoubleQuoted => Form::Double,
            _ if plain::reads_back(text, flow) || (self.string_tag && plain::stands_bare(text, flow)) => Form::Plain,
            _ => match scalar::choose(text).0 {
                Form::Plain => Form::Double,
                form => form,
            },
        };
        let mut out = Vec::with_capacity(text.len() + 2);
        match form {
            Form::Plain => out.extend_from_slice(text.as_bytes()),
            Form::Single if scalar::one_line(text) => {
                out.push(b'\'');
                scalar::push_quotes_doubled(&mut out, text.as_bytes());
                out.push(b'\'');
            }
            Form::Literal if !flow => {
                if let Some((header, content)) = self.room().fit(text) {
                    return Text::Block(header, content);
                }
                scalar::push_double(&mut out, text, Wide::Raw);
            }
            Form::Single | Form::Double | Form::Literal => scalar::push_double(&mut out, text, Wide::Raw),
        }
        Text::Inline(out)
    }

    fn room(&self) -> Room<'d> {
        let base = self.site.indent as usize;
        let there = self.header.and_then(|header| header.indent(self.source, self.end, base));
        let indent = there.unwrap_or_else(|| base + indents::step(self.doc));
        let behind = match self.header {
            Some(header) => self.end.max(header.line_end),
            None => lines::end(self.source, self.end),
        };
        Room { source: self.source, header: self.header, base, indent, behind }
    }

    /// Where the part on the first line ends, and the lines below it.
    fn extent(&self) -> (usize, Range<usize>) {
        match self.header {
            Some(header) => (header.end, header.line_end..self.end.max(header.line_end)),
            None => {
                let line_end = lines::end(self.source, self.end);
                (self.end, line_end..line_end)
            }
        }
    }

    /// Replaces the token. What stands behind it on its line (a comment) stays there.
    pub(super) fn put(self, text: Text, edits: &mut Edits) {
        let (first, below) = match text {
            Text::Inline(text) => (text, None),
            Text::Block(header, content) => (header, Some(content)),
        };
        let first_end = self.header.map_or(self.end, |header| header.end);
        let first = [&self.lead, &*first, gap(self.source, first_end, &first)].concat();
        if self.source[self.start..first_end] != *first {
            edits.replace(self.start, first_end, first);
        }
        // Most tokens end here; looking for the end of a long line each time would cost squares.
        if below.is_none() && self.header.is_none() {
            return;
        }
        let region = self.extent().1;
        let below = below.filter(|content| !content.is_empty()).map(|content| {
            let ending = lines::ending(self.source);
            [ending, &content].concat()
        });
        if below.is_some() || !region.is_empty() {
            edits.replace(region.start, region.end, below.unwrap_or_default());
        }
    }
}

/// Writes lines in place of a leaf: `first` behind the colon or dash that ends at `lead`, `rest` (with its break in
/// front) below the leaf's line, whose comment stays.
pub(super) fn put_lines(doc: &Document, site: Site, lead: usize, first: &[u8], rest: &[u8], edits: &mut Edits) {
    let place = Place::of(doc, site, true);
    let (first_end, region) = place.extent();
    let blank: &[u8] = if first.is_empty() { b"" } else { b" " };
    let start = if lead <= place.start { lead } else { place.start };
    let gap = gap(doc.source.expose(), first_end, first);
    edits.replace(start, first_end.max(start), [blank, first, gap].concat());
    edits.replace(region.start, region.end, rest);
}

/// A blank between a new token and a comment that stood directly behind a quote.
fn gap(source: &[u8], end: usize, token: &[u8]) -> &'static [u8] {
    let needed = source.get(end) == Some(&b'#') && !token.ends_with(b"\"") && !token.ends_with(b"'");
    if needed { b" " } else { b"" }
}

/// The token behind tags and anchors that stand at `at`.
pub(super) fn behind_props(source: &[u8], mut at: usize) -> usize {
    while matches!(source.get(at), Some(b'!' | b'&')) {
        at = lines::token(source, lines::word_end(source, at));
    }
    at
}

/// The anchor among properties, with a blank behind it.
fn anchor(props: &[u8]) -> Vec<u8> {
    let words = props.split(|&byte| lines::is_space(byte));
    let anchor = words.filter(|word| word.starts_with(b"&")).take(1);
    anchor.flat_map(|word| [word, b" "].concat()).collect()
}

fn inline(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    flow::push(&mut out, value);
    out
}
