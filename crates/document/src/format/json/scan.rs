//! Reading JSON: one pass over the bytes, strict grammar, a span per token.

use std::collections::HashSet;

use secret::SecretBytes;

use super::text;
use crate::{Element, Entry, FormatError, Item, List, Map, Node, Problem, Site, Span, Style, Value};

/// Nesting beyond this is refused, the root counted.
const MAX_DEPTH: usize = 512;

/// Reads a whole file: the members of its top-level object and where the object stands.
pub(super) fn root(source: &SecretBytes, lenient: bool) -> Result<(Map, Span), FormatError> {
    let mut scanner = Scanner::new(source, lenient)?;
    scanner.seek_root()?;
    let node = scanner.value()?;
    scanner.finish()?;
    match node.value {
        Value::Map(map) => Ok((map, node.site.span)),
        _ => fail(source.expose(), node.site.span.start as usize, Problem::Syntax, "the top level must be an object"),
    }
}

/// A collection whose end has not come yet.
struct Open {
    start: usize,
    close: u8,
    value: Value,
    /// The name of the member whose value comes next.
    name: Name,
}

impl Open {
    fn add(&mut self, node: Node) {
        match &mut self.value {
            Value::Map(map) => {
                let Name { key, span } = std::mem::take(&mut self.name);
                map.items.push(Item::Entry(Entry { key, key_span: span, value: node }));
            }
            Value::List(list) => list.items.push(Element::Node(node)),
            _ => {}
        }
    }

    /// Without the room for more, which would be a third of a large file's tree.
    fn closed(mut self) -> Self {
        match &mut self.value {
            Value::Map(map) => map.items.shrink_to_fit(),
            Value::List(list) => list.items.shrink_to_fit(),
            _ => {}
        }
        self
    }
}

/// What [`Scanner::open`] met.
enum Opened {
    Empty(Node),
    Filled(Open),
}

/// A member's name.
#[derive(Default)]
pub(in crate::format) struct Name {
    /// What it says.
    pub(in crate::format) key: Box<str>,
    /// Its token.
    pub(in crate::format) span: Span,
}

/// A string token: where it stands with its quotes, and whether it has escapes.
#[derive(Clone, Copy)]
pub(in crate::format) struct Raw {
    /// The token with its quotes.
    pub(in crate::format) span: Span,
    escaped: bool,
}

impl Raw {
    /// The span between the quotes, if what stands there needs no decoding.
    pub(in crate::format) fn bare(self) -> Option<Span> {
        let inner = Span { start: self.span.start + 1, end: self.span.end - 1 };
        Some(inner).filter(|_| !self.escaped)
    }
}

/// A reader that stands somewhere in the source.
pub(in crate::format) struct Scanner<'a> {
    source: &'a [u8],
    /// The same, for strings that are kept.
    whole: &'a SecretBytes,
    at: usize,
    lenient: bool,
    /// Whether the whole source is UTF-8.
    clean: bool,
}

impl<'a> Scanner<'a> {
    /// A reader at the start of `source`.
    pub(in crate::format) fn new(whole: &'a SecretBytes, lenient: bool) -> Result<Self, FormatError> {
        let source = whole.expose();
        if u32::try_from(source.len()).is_err() {
            return Err(FormatError::new(Problem::Syntax, "a file may not be larger than 4 GiB"));
        }
        let bad = std::str::from_utf8(source).err();
        match bad {
            Some(bad) if !lenient => {
                Err(FormatError::at(source, bad.valid_up_to(), Problem::Syntax, "a byte that is not UTF-8"))
            }
            _ => Ok(Self { source, whole, at: 0, lenient, clean: bad.is_none() }),
        }
    }

    /// Goes to the `{` that a file must start with.
    pub(in crate::format) fn seek_root(&mut self) -> Result<(), FormatError> {
        match self.peek() {
            Some(b'{') => Ok(()),
            Some(b'[') => self.fail(Problem::Syntax, "the top level must be an object, not an array"),
            Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                self.fail(Problem::Syntax, "the top level must be an object")
            }
            _ => self.fail(Problem::Syntax, "expected '{'"),
        }
    }

    /// Goes into the object that starts here; false if it is empty (and passed).
    pub(in crate::format) fn enter(&mut self) -> bool {
        self.at += 1;
        let empty = self.peek() == Some(b'}');
        self.at += usize::from(empty);
        !empty
    }

    /// Checks that nothing but blanks follows.
    pub(in crate::format) fn finish(&mut self) -> Result<(), FormatError> {
        if self.peek().is_some() && !self.lenient {
            return self.fail(Problem::Syntax, "text after the end of the top-level object");
        }
        Ok(())
    }

    /// Reads any value. Not recursive, so that depth costs no stack.
    pub(in crate::format) fn value(&mut self) -> Result<Node, FormatError> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            let mut node = match self.peek() {
                Some(b'{' | b'[') => match self.open(open.len())? {
                    Opened::Empty(node) => node,
                    Opened::Filled(collection) => {
                        open.push(collection);
                        continue;
                    }
                },
                _ => self.scalar()?,
            };
            loop {
                let Some(collection) = open.last_mut() else { return Ok(node) };
                collection.add(node);
                if self.more(collection.close)? {
                    collection.name = self.name_in(collection.close)?;
                    break;
                }
                let done = open.pop().expect("it was just looked at").closed();
                if !self.lenient
                    && let Value::Map(map) = &done.value
                {
                    self.refuse_duplicates(map)?;
                }
                node = self.node(done.start, done.value, Style::Flow);
            }
        }
    }

    /// Enters the collection that starts here, inside `depth` others; an empty one is read whole.
    fn open(&mut self, depth: usize) -> Result<Opened, FormatError> {
        if depth >= MAX_DEPTH {
            return self.fail(Problem::Syntax, "nested deeper than 512 levels");
        }
        let start = self.at;
        let (close, value) = match self.source[start] {
            b'{' => (b'}', Value::Map(Map::default())),
            _ => (b']', Value::List(List::default())),
        };
        self.at += 1;
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(Opened::Empty(self.node(start, value, Style::Flow)));
        }
        let name = self.name_in(close)?;
        Ok(Opened::Filled(Open { start, close, value, name }))
    }

    /// The name of the next member, if the collection that `close` ends has names.
    fn name_in(&mut self, close: u8) -> Result<Name, FormatError> {
        if close == b']' { Ok(Name::default()) } else { self.name() }
    }

    /// Reads the name of a member and the colon after it.
    pub(in crate::format) fn name(&mut self) -> Result<Name, FormatError> {
        if self.peek() != Some(b'"') {
            return self.fail(Problem::Syntax, "expected a member name in double quotes");
        }
        let raw = self.string()?;
        if self.peek() != Some(b':') {
            return self.fail(Problem::Syntax, "expected ':' after a member name");
        }
        self.at += 1;
        let key = String::from_utf8(self.bytes(raw)).expect("decoded strings are UTF-8");
        Ok(Name { key: key.into(), span: raw.span })
    }

    /// Passes what follows a member or element: true after a comma, false after `close`.
    pub(in crate::format) fn more(&mut self, close: u8) -> Result<bool, FormatError> {
        match self.peek() {
            Some(byte) if byte == b',' || byte == close => {
                self.at += 1;
                Ok(byte == b',')
            }
            _ if close == b'}' => self.fail(Problem::Syntax, "expected ',' or '}' after a member"),
            _ => self.fail(Problem::Syntax, "expected ',' or ']' after an element"),
        }
    }

    fn scalar(&mut self) -> Result<Node, FormatError> {
        let start = self.at;
        let (value, style) = match self.source.get(start) {
            Some(b'"') => {
                let raw = self.string()?;
                (Value::Str(self.kept(raw)), Style::DoubleQuoted)
            }
            Some(b'-' | b'0'..=b'9') => (self.number()?, Style::Plain),
            Some(b't') => (self.word("true", Value::Bool(true))?, Style::Plain),
            Some(b'f') => (self.word("false", Value::Bool(false))?, Style::Plain),
            Some(b'n') => (self.word("null", Value::Null)?, Style::Plain),
            _ => return self.fail(Problem::Syntax, "expected a value"),
        };
        Ok(self.node(start, value, style))
    }

    fn node(&self, start: usize, value: Value, style: Style) -> Node {
        Node { value, site: Site { span: span(start, self.at), style, ..Site::default() }, ..Node::default() }
    }

    /// Reads a string token; the reader stands on its opening quote.
    pub(in crate::format) fn string(&mut self) -> Result<Raw, FormatError> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            let rest = &self.source[self.at..];
            let Some(length) = end_of_run(rest) else {
                self.at = self.source.len();
                return self.fail(Problem::Syntax, "a string without its closing quote");
            };
            self.at += length;
            match rest[length] {
                b'"' => {
                    self.at += 1;
                    return Ok(Raw { span: span(start, self.at), escaped });
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return self.fail(Problem::Syntax, "a control character in a string"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), FormatError> {
        let length = match self.source.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if self.source[self.at..].len() >= 6 => 6,
            _ => return self.fail(Problem::Syntax, "an unknown escape in a string"),
        };
        if !self.source[self.at..self.at + length].iter().skip(2).all(u8::is_ascii_hexdigit) {
            return self.fail(Problem::Syntax, "an unknown escape in a string");
        }
        self.at += length;
        Ok(())
    }

    /// What a string token says.
    pub(in crate::format) fn bytes(&self, raw: Raw) -> Vec<u8> {
        let inner = self.inner(raw);
        if self.is_plain(raw) { inner.to_vec() } else { text::decode(inner) }
    }

    /// The same, as a part of the source where it can be one.
    fn kept(&self, raw: Raw) -> SecretBytes {
        let inner = self.inner(raw);
        if self.is_plain(raw) { self.whole.part(inner) } else { SecretBytes::new(text::decode(inner)) }
    }

    fn inner(&self, raw: Raw) -> &'a [u8] {
        &self.source[raw.span.start as usize + 1..raw.span.end as usize - 1]
    }

    fn is_plain(&self, raw: Raw) -> bool {
        self.clean && !raw.escaped
    }

    fn number(&mut self) -> Result<Value, FormatError> {
        let start = self.at;
        self.skip(|byte| byte == b'-');
        let digits = self.at;
        self.skip(|byte| byte.is_ascii_digit());
        let whole = &self.source[digits..self.at];
        let mut good = digits - start <= 1 && !whole.is_empty() && (whole.len() == 1 || whole[0] != b'0');
        let mut integer = true;
        if self.source.get(self.at) == Some(&b'.') {
            self.at += 1;
            integer = false;
            good &= self.skip(|byte| byte.is_ascii_digit()) > 0;
        }
        if matches!(self.source.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            integer = false;
            self.at += usize::from(matches!(self.source.get(self.at), Some(b'+' | b'-')));
            good &= self.skip(|byte| byte.is_ascii_digit()) > 0;
        }
        let text = std::str::from_utf8(&self.source[start..self.at]).ok().filter(|_| good);
        let value = text.and_then(|text| number(text, integer));
        value.map_or_else(|| fail(self.source, start, Problem::Syntax, "not a number that 64 bits can hold"), Ok)
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, FormatError> {
        if !self.source[self.at..].starts_with(word.as_bytes()) {
            return self.fail(Problem::Syntax, "expected a value");
        }
        self.at += word.len();
        Ok(value)
    }

    /// Fails if two members of `map`, just read, have one name.
    pub(in crate::format) fn refuse_duplicates(&self, map: &Map) -> Result<(), FormatError> {
        let keys = || map.entries().map(|entry| &*entry.key);
        let second = if map.items.len() <= 16 {
            keys().enumerate().position(|(index, key)| keys().take(index).any(|earlier| earlier == key))
        } else {
            let mut seen = HashSet::with_capacity(map.items.len());
            keys().position(|key| !seen.insert(key))
        };
        let Some(entry) = second.and_then(|index| map.entries().nth(index)) else { return Ok(()) };
        let what = format!("duplicate member \"{}\"", entry.key.escape_debug());
        Err(FormatError::at(self.source, entry.key_span.start as usize, Problem::Unsupported, what))
    }

    /// Passes bytes while `keep` says so and gives how many.
    fn skip(&mut self, keep: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.source.get(self.at).is_some_and(|&byte| keep(byte)) {
            self.at += 1;
        }
        self.at - start
    }

    /// Passes blanks and gives the byte that follows.
    pub(in crate::format) fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.source.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn fail<T>(&self, problem: Problem, what: &str) -> Result<T, FormatError> {
        fail(self.source, self.at, problem, what)
    }
}

#[cold]
fn fail<T>(source: &[u8], at: usize, problem: Problem, what: &str) -> Result<T, FormatError> {
    let what = if at >= source.len() { format!("{what}, but the file ends") } else { what.to_owned() };
    Err(FormatError::at(source, at, problem, what))
}

/// An integer if it is one and fits 64 bits with sign, else the nearest double, if there is a finite one.
pub(super) fn number(text: &str, integer: bool) -> Option<Value> {
    match text.parse() {
        Ok(value) if integer => Some(Value::Int(value)),
        _ => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Value::Float),
    }
}

/// Where plain string content ends: at a quote, a backslash or a control character.
fn end_of_run(text: &[u8]) -> Option<usize> {
    let length = memchr::memchr2(b'"', b'\\', text);
    let plain = &text[..length.unwrap_or(text.len())];
    // Whole chunks without a way out are looked at many bytes at a time.
    let has_control = |chunk: &[u8]| chunk.iter().fold(false, |found, &byte| found | (byte < b' '));
    let chunk = plain.chunks(256).position(has_control);
    let control =
        chunk.and_then(|at| plain[at * 256..].iter().position(|&byte| byte < b' ').map(|in_it| at * 256 + in_it));
    control.or(length)
}

fn span(start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).expect("sources over 4 GiB are refused first");
    Span { start: offset(start), end: offset(end) }
}
