//! Random trees from a fixed seed, full of what makes YAML writers stumble.

use document::{Comment, Element, Entry, Item, List, Map, Node, Span, Value};
use secret::SecretBytes;

/// Pieces of text; strings and keys are made of one or several.
const PIECES: &[&str] = &[
    "a",
    "b",
    "word",
    "two words",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "\r",
    "\r\n",
    ":",
    ": ",
    " #",
    "#",
    "-",
    "- ",
    "?",
    "? ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "&a",
    "*a",
    "!",
    "|",
    ">",
    "'",
    "''",
    "\"",
    "%",
    "@",
    "`",
    "\\",
    "---",
    "...",
    "=",
    "<<",
    "~",
    "é",
    "ß",
    "漢字",
    "\u{1F600}",
    "\u{85}",
    "\u{A0}",
    "\u{2028}",
    "\u{2029}",
    "\u{FEFF}",
    "\u{FFFE}",
    "\u{FFFD}",
    "\u{E000}",
    "\u{7F}",
    "\u{0}",
    "\u{1B}",
    "\u{200B}",
    "/",
    "$",
    "text\nmore\n",
    "line\n  indented\n",
    " lead\nx",
    "x \ny",
    "_",
];

/// Texts that look like something else.
const LOOKALIKES: &[&str] = &[
    "",
    "true",
    "True",
    "tRUE",
    "false",
    "null",
    "Null",
    "~",
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "N",
    "0",
    "-0",
    "+1",
    "007",
    "08",
    "0o17",
    "0O17",
    "0x1F",
    "-0x1F",
    "0b101",
    "0b-1",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "1.5",
    "1.",
    ".5",
    ".5_0",
    "._5",
    "-.5",
    "+.5",
    ".",
    "1e3",
    "1E+3",
    "1e",
    "e1",
    "1e400",
    "-1e400",
    "1e-400",
    ".5e400",
    ".inf",
    "-.inf",
    "+.Inf",
    ".nan",
    "+.nan",
    ".NaN",
    "NaN",
    "inf",
    "Inf",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "123456789012345678901234567890",
    "12:30:45",
    "1:30",
    "1:60",
    "-1:2.3",
    "190:20:30.15",
    "2001-12-14",
    "2001-1-4",
    "2001-02-29",
    "2000-02-29",
    "2001-13-01",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14T21:59:43Z",
    "2001-12-15 2:59:43",
    "2001-12-15   2:59:43.1",
    "2001-12-14 21:59:43.10 -5",
    "2001-12-14T21:59:43",
    "2001-12-14T21:59:43,5Z",
    "2001-12-14T24:00:00Z",
    "2001-12-14T1:2:3+24:60",
    "2001-12-14T1:2:3+25:00",
    "2001-12-14 ",
    "0x",
    "0b",
    "0o",
    "0_",
    "<<",
    "=",
    "!!str a",
    "- a",
    "? a",
    ": a",
    "a: b",
    "a:",
    "a #b",
    "#a",
    "[a]",
    "{a: b}",
    "*a",
    "&a",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "'a'",
    "\"a\"",
    "'",
    "\"",
    "\n",
    "\n\n",
    "a\n",
    "a\n\n",
    "\na",
    "\n\na\n",
    " a\nb",
    "a\n b",
    "a\n\n\nb",
    "\u{2028}",
    "a\u{2028}",
    "\u{2028}a",
    "a\u{2028}\u{2028}b\nc",
    "x\nab\u{2028}",
    "\u{FEFF}abc d",
    "a\u{FEFF}",
    "\t",
    "a\tb",
    "a\tb\nc",
    "\ta\nb",
    "a\n\tb",
    "a\r\nb\r\n",
    "\r",
    "-----BEGIN X-----\nabc=\n-----END X-----\n",
    "#!/bin/sh\necho \"$x\"\n",
    "a # b\nc",
    "ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]",
    "http://x.y/z?a=b&c#d",
];

/// A source of random trees.
pub(crate) struct Trees(u64);

impl Trees {
    /// The trees of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    /// A number below `limit`, small ones more often.
    pub(crate) fn skewed(&mut self, limit: usize) -> usize {
        let first = self.below(limit);
        first.min(self.below(limit))
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Any text.
    pub(crate) fn text(&mut self) -> String {
        match self.below(10) {
            0..4 => LOOKALIKES[self.below(LOOKALIKES.len())].to_owned(),
            4 => format!("word{}", self.below(100)),
            5 if self.one_in(3) => "long ".repeat(20 + self.below(20)) + LOOKALIKES[self.below(LOOKALIKES.len())],
            _ => (0..=self.skewed(7)).map(|_| PIECES[self.below(PIECES.len())]).collect(),
        }
    }

    fn comment(&mut self) -> Comment {
        let text = match self.below(8) {
            0 => String::new(),
            1 => " ".to_owned(),
            2 => "# more".to_owned(),
            3 if self.one_in(4) => self.text(),
            _ => format!(" comment {}", self.below(100)),
        };
        Comment { text: SecretBytes::from(text), inline: self.one_in(3), span: None }
    }

    fn leaf(&mut self) -> Value {
        match self.below(16) {
            0 => Value::Null,
            1 => Value::Bool(self.one_in(2)),
            2 => Value::Int(self.next().cast_signed() >> self.below(64)),
            3 => Value::Float([0.0, -0.0, 1.5, 1e21, 1e-7, f64::INFINITY, f64::NAN, 123_456.7, 1e6][self.below(9)]),
            4 if self.one_in(2) => Value::Float((self.next() >> 11) as f64 / 4.0),
            4 => Value::Float(f64::from_bits(self.next())),
            5 => Value::Time(["2001-12-14T00:00:00Z", "2001-12-14T21:59:43.1-05:00"][self.below(2)].into()),
            6 if self.one_in(2) => {
                let bytes = (0..self.below(150)).map(|_| self.next().to_le_bytes()[0] | 0x80).collect();
                Value::Str(SecretBytes::new(bytes))
            }
            _ => Value::Str(SecretBytes::from(self.text())),
        }
    }

    /// Any value.
    pub(crate) fn value(&mut self, depth: usize) -> Value {
        let leaf = depth > 5 || self.below(10) < 4 + depth / 2;
        match (leaf, self.one_in(2)) {
            (true, _) => self.leaf(),
            (false, true) => Value::Map(self.map(depth + 1)),
            (false, false) => Value::List(self.list(depth + 1)),
        }
    }

    fn comments(&mut self) -> Vec<Comment> {
        let count = if self.one_in(4) { 1 + self.skewed(3) } else { 0 };
        (0..count).map(|_| self.comment()).collect()
    }

    /// Any map.
    pub(crate) fn map(&mut self, depth: usize) -> Map {
        let mut map = Map::default();
        for index in 0..self.skewed(5) {
            map.items.extend(self.comments().into_iter().map(Item::Comment));
            let key = if self.one_in(4) { self.text() } else { format!("key{index}") };
            let value = Node::new(self.value(depth));
            map.items.push(Item::Entry(Entry { key: key.into(), key_span: Span::default(), value }));
        }
        map.items.extend(self.comments().into_iter().map(Item::Comment));
        map
    }

    fn list(&mut self, depth: usize) -> List {
        let mut list = List::default();
        for _ in 0..self.skewed(5) {
            list.items.extend(self.comments().into_iter().map(Element::Comment));
            list.items.push(Element::Node(Node::new(self.value(depth))));
        }
        list.items.extend(self.comments().into_iter().map(Element::Comment));
        list
    }
}
