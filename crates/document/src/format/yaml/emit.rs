//! A tree printed as SOPS prints it: its mapping of comments to go-yaml nodes, then go-yaml's block layout.
//!
//! go-yaml keeps the comments that wait for a place in slots, one per kind, that a later node may overwrite and that
//! some node ends claim late. The slots here are the same, so that even the odd placements are SOPS' own.

use secret::SecretBytes;

use super::layout::{Layout, Lines};
use super::scalar::{self, Form};
use crate::format::EmitOptions;
use crate::{Branch, Comment, Element, Entry, FormatError, Item, List, Map, Problem, Value, number};

/// More nesting than any reader of this crate accepts.
const DEPTH: usize = 1000;

/// Keys longer than this are written with `? `.
const LONG_KEY: usize = 128;

/// A file of these documents.
pub(super) fn documents(branches: &[Branch], options: &EmitOptions) -> Result<SecretBytes, FormatError> {
    let mut emitter = Emitter::new(step(options)?);
    for branch in branches {
        emitter.document(|emitter| emitter.map(&branch.root, Around::default(), Place::Root, 0))?;
    }
    Ok(emitter.layout.finish())
}

/// One value as a document. SOPS' indentation setting counts for maps only.
pub(super) fn value(value: &Value, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
    let step = step(options)?;
    let mut emitter = Emitter::new(if matches!(value, Value::Map(_)) { step } else { 4 });
    emitter.document(|emitter| emitter.node(value, Around::default(), Place::Root, 0))?;
    Ok(emitter.layout.finish())
}

/// The metadata under their key, as SOPS prints them below a document's entries.
pub(super) fn metadata(key: &str, meta: &Map, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
    let mut emitter = Emitter::new(step(options)?);
    emitter.document(|emitter| {
        let outer = emitter.layout.deeper(false, false);
        emitter.layout.new_line();
        emitter.layout.plain(key.as_bytes());
        emitter.map(meta, Around::default(), Place::Value { simple_key: true }, 1)?;
        emitter.layout.indent = outer;
        Ok(())
    })?;
    Ok(emitter.layout.finish())
}

/// An entry of a block map at column 0, to be put into a file.
pub(super) fn entry(entry: &Entry, step: usize) -> Result<SecretBytes, FormatError> {
    part(step, |emitter| emitter.entry(entry, Lines::new(), Lines::new(), 0))
}

/// An element of a block list at column 0, to be put into a file.
pub(super) fn element(value: &Value, step: usize) -> Result<SecretBytes, FormatError> {
    part(step, |emitter| emitter.node(value, Around::default(), Place::Element, 0))
}

/// A block collection at column 0, to be put into a file.
pub(super) fn collection(value: &Value, step: usize) -> Result<SecretBytes, FormatError> {
    let mut emitter = Emitter::new(step);
    emitter.layout.exact = true;
    emitter.document(|emitter| emitter.node(value, Around::default(), Place::Root, 0))?;
    Ok(emitter.layout.finish())
}

fn part<'t>(step: usize, inside: impl FnOnce(&mut Emitter<'t>) -> Done) -> Result<SecretBytes, FormatError> {
    let mut emitter = Emitter::new(step);
    emitter.layout.exact = true;
    emitter.document(|emitter| {
        let outer = emitter.layout.deeper(false, false);
        inside(emitter)?;
        emitter.layout.indent = outer;
        Ok(())
    })?;
    Ok(emitter.layout.finish())
}

/// Blanks per level: go-yaml takes 2 for what it cannot use.
fn step(options: &EmitOptions) -> Result<usize, FormatError> {
    match options.indent.unwrap_or(0) {
        0 => Ok(4),
        indent @ 2..=9 => Ok(indent.unsigned_abs() as usize),
        indent if indent < 0 => Err(FormatError::new(Problem::Unwritable, "the indentation is negative")),
        _ => Ok(2),
    }
}

/// Comments that SOPS attaches to a node.
#[derive(Default)]
struct Around<'t> {
    head: Lines<'t>,
    line: Lines<'t>,
    foot: Lines<'t>,
}

/// Where a node stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Element,
    Value { simple_key: bool },
}

struct Emitter<'t> {
    layout: Layout<'t>,
    documents: usize,
}

type Done = Result<(), FormatError>;

impl<'t> Emitter<'t> {
    fn new(step: usize) -> Self {
        Self { layout: Layout::new(step), documents: 0 }
    }

    fn document(&mut self, root: impl FnOnce(&mut Self) -> Done) -> Done {
        if self.documents > 0 {
            self.layout.new_line();
            self.layout.indicator(b"---", false, false);
            self.layout.new_line();
            self.layout.leftover_head();
        }
        self.documents += 1;
        root(self)?;
        self.layout.end_document();
        Ok(())
    }

    fn node(&mut self, value: &'t Value, around: Around<'t>, place: Place, depth: usize) -> Done {
        if depth > DEPTH {
            return Err(FormatError::new(Problem::Unwritable, "the tree is nested too deeply"));
        }
        match value {
            Value::Map(map) => self.map(map, around, place, depth),
            Value::List(list) => self.list(list, around, place, depth),
            leaf => {
                self.layout.slots.note(around.head, around.line, around.foot);
                self.lead(place, false);
                self.leaf(leaf, place == Place::Element);
                self.layout.trail();
                Ok(())
            }
        }
    }

    /// What stands before a node: its dash, or the colon of its key.
    fn lead(&mut self, place: Place, collection: bool) {
        match place {
            Place::Root => self.layout.head_comment(),
            Place::Element => {
                self.layout.head_comment();
                self.layout.new_line();
                self.layout.indicator(b"-", true, false);
            }
            Place::Value { simple_key } => {
                if simple_key {
                    self.layout.colon();
                } else {
                    self.layout.new_line();
                    self.layout.indicator(b":", true, false);
                }
                self.layout.key_comment(collection);
            }
        }
    }

    fn map(&mut self, map: &'t Map, around: Around<'t>, place: Place, depth: usize) -> Done {
        let parts = map.items.iter().map(|item| match item {
            Item::Comment(comment) => Part::Comment(comment),
            Item::Entry(entry) => Part::Node(entry),
        });
        let parts = Parts::of(parts, self.layout.exact);
        let Parts { head, nodes, foot } = parts;
        self.open(around.head, head, place);
        if nodes.is_empty() {
            self.layout.empty([b'{', b'}'], around.line, around.foot, place == Place::Element);
            return Ok(());
        }
        let outer = self.layout.deeper(place == Place::Element, false);
        for (head, line, entry) in nodes {
            self.entry(entry, head, line, depth)?;
        }
        self.layout.slots.note_tail(foot);
        self.layout.slots.note(Lines::new(), around.line, around.foot);
        self.layout.head_comment();
        self.layout.indent = outer;
        Ok(())
    }

    fn entry(&mut self, entry: &'t Entry, head: Lines<'t>, line: Lines<'t>, depth: usize) -> Done {
        self.layout.slots.note(head, Lines::new(), Lines::new());
        self.layout.head_comment();
        self.layout.new_line();
        self.layout.slots.keep_for_key();
        let (form, breaks) = scalar::choose(&entry.key);
        let simple_key = !breaks && entry.key.len() <= LONG_KEY;
        if !simple_key {
            self.layout.indicator(b"?", true, false);
        }
        self.text(&entry.key, form, false);
        self.node(&entry.value.value, Around { line, ..Around::default() }, Place::Value { simple_key }, depth + 1)
    }

    fn list(&mut self, list: &'t List, around: Around<'t>, place: Place, depth: usize) -> Done {
        let parts = list.items.iter().map(|item| match item {
            Element::Comment(comment) => Part::Comment(comment),
            Element::Node(node) => Part::Node(node),
        });
        let parts = Parts::of(parts, self.layout.exact);
        let Parts { head, nodes, mut foot } = parts;
        self.open(around.head, head, place);
        if nodes.is_empty() {
            self.layout.empty([b'[', b']'], around.line, around.foot, place == Place::Element);
            return Ok(());
        }
        let outer = self.layout.deeper(place == Place::Element, false);
        let last = nodes.len() - 1;
        for (index, (head, line, node)) in nodes.into_iter().enumerate() {
            let foot = if index == last { std::mem::take(&mut foot) } else { Lines::new() };
            self.node(&node.value, Around { head, line, foot }, Place::Element, depth + 1)?;
        }
        self.layout.slots.note(Lines::new(), around.line, around.foot);
        self.layout.indent = outer;
        Ok(())
    }

    fn open(&mut self, mut head: Lines<'t>, own: Lines<'t>, place: Place) {
        head.extend(own);
        self.layout.slots.note(head, Lines::new(), Lines::new());
        self.lead(place, true);
        self.layout.trail();
    }

    fn leaf(&mut self, value: &'t Value, element: bool) {
        match value {
            Value::Null => self.layout.plain(b"null"),
            Value::Bool(value) => self.layout.plain(if *value { b"true" } else { b"false" }),
            Value::Int(value) => self.layout.plain(value.to_string().as_bytes()),
            Value::Float(value) => self.layout.plain(number::yaml(*value).as_bytes()),
            Value::Time(text) => self.layout.plain(text.as_bytes()),
            Value::Str(bytes) => match bytes.expose_str() {
                Some(text) => self.text(text, scalar::choose(text).0, element),
                None => self.binary(bytes.expose(), element),
            },
            Value::Map(_) | Value::List(_) => unreachable!("collections are not leaves"),
        }
    }

    fn text(&mut self, text: &str, form: Form, element: bool) {
        let fits = form == Form::Plain || !self.layout.exact || can_be_put_anywhere(text);
        match if fits { form } else { Form::Double } {
            Form::Plain if text == "<<" => {
                self.layout.tag(b"!!merge");
                self.layout.plain(b"<<");
            }
            Form::Plain => self.layout.plain(text.as_bytes()),
            Form::Double => self.layout.double(text),
            Form::Single => {
                let outer = self.layout.deeper(element, true);
                self.layout.single(text.as_bytes());
                self.layout.indent = outer;
            }
            Form::Literal => {
                let outer = self.layout.deeper(element, true);
                self.layout.literal(text.as_bytes(), outer);
                self.layout.indent = outer;
            }
        }
    }

    /// Bytes that are not text: base64 in lines of 70.
    fn binary(&mut self, bytes: &[u8], element: bool) {
        self.layout.tag(b"!!binary");
        let text = scalar::base64_lines(bytes);
        let form = if text.contains('\n') { Form::Literal } else { Form::Plain };
        self.text(&text, form, element);
    }
}

/// Whether a text in lines stays the same in a part of a file, which is moved to the right line by line (other line
/// breaks would be in the way) and may stand before blank lines (which a block that keeps its breaks would take in).
fn can_be_put_anywhere(text: &str) -> bool {
    !text.contains(['\u{2028}', '\u{2029}']) && scalar::chomping(text.as_bytes()) != b"+"
}

enum Part<'t, N> {
    Comment(&'t Comment),
    Node(&'t N),
}

/// A collection's nodes with the comments that SOPS attaches to each.
struct Parts<'t, N> {
    head: Lines<'t>,
    nodes: Vec<(Lines<'t>, Lines<'t>, &'t N)>,
    foot: Lines<'t>,
}

impl<'t, N> Parts<'t, N> {
    /// Comments before the first node belong to the collection, those behind the last one to the last one. `bare`
    /// leaves them out: go-yaml's places for them do not always read back.
    fn of(parts: impl ExactSizeIterator<Item = Part<'t, N>>, bare: bool) -> Self {
        let mut nodes = Vec::with_capacity(parts.len());
        let (mut first, mut head, mut line) = (Lines::new(), Lines::new(), Lines::new());
        for part in parts {
            match part {
                Part::Comment(_) if bare => {}
                Part::Comment(comment) if comment.inline => line.push(comment.text.expose()),
                Part::Comment(comment) => head.push(comment.text.expose()),
                Part::Node(node) => {
                    if nodes.is_empty() {
                        first = std::mem::take(&mut head);
                    }
                    nodes.push((std::mem::take(&mut head), std::mem::take(&mut line), node));
                }
            }
        }
        head.append(&mut line);
        if nodes.is_empty() { Self { head, nodes, foot: first } } else { Self { head: first, nodes, foot: head } }
    }
}
