//! Reading JSON: one pass over the bytes, strict grammar, a span per token.

use std::collections::HashSet;

use secret::SecretBytes;

use super::text;
use crate::{Element, Entry, FormatError, Item, List, Map, Node, Problem, Site, Span, Style, Value};

/// Nesting beyond this is refused, the root counted.
const MAX_DEPTH: usize = 512;

/// Reads a whole file: the members of its top-level object and where the object stands.
pub(super) fn root(source: &[u8], lenient: bool) -> Result<(Map, Span), FormatError> {
    let mut scanner = Scanner::new(source, lenient)?;
    let start = scanner.open_root()?;
    let map = scanner.object()?;
    let span = scanner.span_from(start);
    scanner.finish()?;
    Ok((map, span))
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
    at: usize,
    depth: usize,
    lenient: bool,
    /// Whether the whole source is UTF-8.
    clean: bool,
}

impl<'a> Scanner<'a> {
    /// A reader at the start of `source`.
    pub(in crate::format) fn new(source: &'a [u8], lenient: bool) -> Result<Self, FormatError> {
        if u32::try_from(source.len()).is_err() {
            return Err(FormatError::new(Problem::Syntax, "a file may not be larger than 4 GiB"));
        }
        let bad = std::str::from_utf8(source).err();
        match bad {
            Some(bad) if !lenient => {
                Err(FormatError::at(source, bad.valid_up_to(), Problem::Syntax, "a byte that is not UTF-8"))
            }
            _ => Ok(Self { source, at: 0, depth: 0, lenient, clean: bad.is_none() }),
        }
    }

    /// Goes to the `{` that a file must start with and gives its offset.
    pub(in crate::format) fn open_root(&mut self) -> Result<usize, FormatError> {
        match self.peek() {
            Some(b'{') => Ok(self.at),
            Some(b'[') => self.fail(Problem::Unsupported, "the top level must be an object, not an array"),
            Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                self.fail(Problem::Unsupported, "the top level must be an object")
            }
            _ => self.fail(Problem::Syntax, "expected '{'"),
        }
    }

    /// Checks that nothing but blanks follows.
    pub(in crate::format) fn finish(&mut self) -> Result<(), FormatError> {
        if self.peek().is_some() && !self.lenient {
            return self.fail(Problem::Syntax, "text after the end of the top-level object");
        }
        Ok(())
    }

    /// The span from `start` to here.
    pub(in crate::format) fn span_from(&self, start: usize) -> Span {
        span(start, self.at)
    }

    /// Reads an object; the reader stands on its `{`.
    pub(in crate::format) fn object(&mut self) -> Result<Map, FormatError> {
        let mut map = Map::default();
        self.members(&mut |scanner, key| {
            let value = scanner.value()?;
            map.items.push(Item::Entry(Entry { key: scanner.key(key), key_span: key.span, value }));
            Ok(())
        })?;
        if !self.lenient {
            self.refuse_duplicates(&map)?;
        }
        Ok(map)
    }

    /// Walks the members of the object that starts here; `each` gets the key and must read the value.
    pub(in crate::format) fn members(
        &mut self,
        each: &mut dyn FnMut(&mut Self, Raw) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        self.enter()?;
        if self.peek() == Some(b'}') {
            self.leave();
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return self.fail(Problem::Syntax, "expected a member name in double quotes");
            }
            let key = self.string()?;
            if self.peek() != Some(b':') {
                return self.fail(Problem::Syntax, "expected ':' after a member name");
            }
            self.at += 1;
            each(self, key)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.leave();
                    return Ok(());
                }
                _ => return self.fail(Problem::Syntax, "expected ',' or '}' after a member"),
            }
        }
    }

    fn array(&mut self) -> Result<List, FormatError> {
        let mut list = List::default();
        self.enter()?;
        if self.peek() == Some(b']') {
            self.leave();
            return Ok(list);
        }
        loop {
            list.items.push(Element::Node(self.value()?));
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.leave();
                    return Ok(list);
                }
                _ => return self.fail(Problem::Syntax, "expected ',' or ']' after an element"),
            }
        }
    }

    /// Reads any value.
    pub(in crate::format) fn value(&mut self) -> Result<Node, FormatError> {
        let first = self.peek();
        let start = self.at;
        let (value, style) = match first {
            Some(b'"') => {
                let raw = self.string()?;
                (Value::Str(SecretBytes::new(self.bytes(raw))), Style::DoubleQuoted)
            }
            Some(b'{') => (Value::Map(self.object()?), Style::Flow),
            Some(b'[') => (Value::List(self.array()?), Style::Flow),
            Some(b'-' | b'0'..=b'9') => (self.number()?, Style::Plain),
            Some(b't') => (self.word("true", Value::Bool(true))?, Style::Plain),
            Some(b'f') => (self.word("false", Value::Bool(false))?, Style::Plain),
            Some(b'n') => (self.word("null", Value::Null)?, Style::Plain),
            _ => return self.fail(Problem::Syntax, "expected a value"),
        };
        let site = Site { span: span(start, self.at), style, ..Site::default() };
        Ok(Node { value, site, ..Node::default() })
    }

    /// Reads a string token; the reader stands on its opening quote.
    pub(in crate::format) fn string(&mut self) -> Result<Raw, FormatError> {
        let start = self.at;
        let mut escaped = false;
        self.at += 1;
        loop {
            let rest = &self.source[self.at..];
            let Some(length) = rest.iter().position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\') else {
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
        let inner = &self.source[raw.span.start as usize + 1..raw.span.end as usize - 1];
        if raw.escaped || !self.clean { text::decode(inner) } else { inner.to_vec() }
    }

    /// What a member's name says.
    pub(in crate::format) fn key(&self, raw: Raw) -> Box<str> {
        String::from_utf8(self.bytes(raw)).expect("decoded strings are UTF-8").into()
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

    fn enter(&mut self) -> Result<(), FormatError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail(Problem::Syntax, "nested deeper than 512 levels");
        }
        self.at += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
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

fn span(start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).expect("sources over 4 GiB are refused first");
    Span { start: offset(start), end: offset(end) }
}
