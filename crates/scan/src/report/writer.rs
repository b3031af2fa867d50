//! JSON as Go's encoder writes it: its indentation, its escapes, its short numbers.

use std::io::{self, Write};

/// Writes one JSON value after the other; the caller keeps begin and end in step.
pub(crate) struct Writer<'o> {
    out: &'o mut dyn Write,
    /// What one level is indented by; `None` writes everything on one line.
    indent: Option<&'static str>,
    depth: usize,
    /// Nothing stands in the innermost object or array yet.
    empty: bool,
    /// A key has been written and its value comes next.
    keyed: bool,
}

impl<'o> Writer<'o> {
    pub(crate) fn new(out: &'o mut dyn Write, indent: Option<&'static str>) -> Self {
        Self { out, indent, depth: 0, empty: true, keyed: false }
    }

    pub(crate) fn begin(&mut self, bracket: char) -> io::Result<()> {
        self.separate()?;
        write!(self.out, "{bracket}")?;
        self.depth += 1;
        self.empty = true;
        Ok(())
    }

    pub(crate) fn end(&mut self, bracket: char) -> io::Result<()> {
        self.depth -= 1;
        if !self.empty {
            self.new_line()?;
        }
        self.empty = false;
        write!(self.out, "{bracket}")
    }

    pub(crate) fn key(&mut self, key: &str) -> io::Result<()> {
        self.string(key.as_bytes())?;
        self.out.write_all(if self.indent.is_some() { b": " } else { b":" })?;
        self.keyed = true;
        Ok(())
    }

    pub(crate) fn string(&mut self, text: &[u8]) -> io::Result<()> {
        self.separate()?;
        escape(text, self.out)
    }

    /// A number or `true`, `false`, `null`, as they are displayed.
    pub(crate) fn raw(&mut self, value: impl std::fmt::Display) -> io::Result<()> {
        self.separate()?;
        write!(self.out, "{value}")
    }

    pub(crate) fn text_field(&mut self, key: &str, text: impl AsRef<[u8]>) -> io::Result<()> {
        self.key(key)?;
        self.string(text.as_ref())
    }

    pub(crate) fn raw_field(&mut self, key: &str, value: impl std::fmt::Display) -> io::Result<()> {
        self.key(key)?;
        self.raw(value)
    }

    pub(crate) fn begin_field(&mut self, key: &str, bracket: char) -> io::Result<()> {
        self.key(key)?;
        self.begin(bracket)
    }

    /// A list of strings as an item of a list, or behind a key.
    pub(crate) fn list(&mut self, items: impl IntoIterator<Item: AsRef<[u8]>>) -> io::Result<()> {
        self.begin('[')?;
        for item in items {
            self.string(item.as_ref())?;
        }
        self.end(']')
    }

    pub(crate) fn list_field(&mut self, key: &str, items: impl IntoIterator<Item: AsRef<[u8]>>) -> io::Result<()> {
        self.key(key)?;
        self.list(items)
    }

    fn separate(&mut self) -> io::Result<()> {
        if self.keyed {
            self.keyed = false;
            return Ok(());
        }
        if self.depth == 0 {
            return Ok(());
        }
        if !self.empty {
            self.out.write_all(b",")?;
        }
        self.empty = false;
        self.new_line()
    }

    fn new_line(&mut self) -> io::Result<()> {
        let Some(indent) = self.indent else { return Ok(()) };
        self.out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| self.out.write_all(indent.as_bytes()))
    }
}

/// A number as Go writes a float32: the fewest digits that give it back.
pub(crate) fn float(number: f32) -> String {
    if number.is_finite() { format!("{number}") } else { "0".to_owned() }
}

/// A string as Go's encoder writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped, bytes that are no UTF-8 as `\ufffd`.
fn escape(text: &[u8], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    for chunk in text.utf8_chunks() {
        escape_valid(chunk.valid(), out)?;
        chunk.invalid().iter().try_for_each(|_| out.write_all(b"\\ufffd"))?;
    }
    out.write_all(b"\"")
}

fn escape_valid(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut written = 0;
    for (at, character) in text.char_indices() {
        let escaped = match character {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", character as u32),
            _ => continue,
        };
        out.write_all(&text.as_bytes()[written..at])?;
        out.write_all(escaped.as_bytes())?;
        written = at + character.len_utf8();
    }
    out.write_all(&text.as_bytes()[written..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_go_does() {
        let mut out = Vec::new();
        escape(b"a\"\\\n\r\t\x08\x0c\x01\x7f<>&\xe2\x80\xa8\xc3\xa9\xff\xfe/", &mut out).unwrap();
        let expected = r#""a\"\\\n\r\t\b\f\u0001"#.to_owned() + "\x7f" + r#"\u003c\u003e\u0026\u2028é\ufffd\ufffd/""#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn empty_things_stay_on_one_line() {
        let mut out = Vec::new();
        let mut json = Writer::new(&mut out, Some(" "));
        json.begin('{').unwrap();
        json.list_field("a", [""; 0]).unwrap();
        json.list_field("b", ["x"]).unwrap();
        json.end('}').unwrap();
        assert_eq!(out, b"{\n \"a\": [],\n \"b\": [\n  \"x\"\n ]\n}");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(["0", "4.4", "2.5503407"], [0.0, 4.4, 2.550_340_7].map(float).each_ref().map(String::as_str));
    }
}
