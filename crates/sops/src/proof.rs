//! Nothing is given out before it was read back: the encrypted text is parsed, opened and restored, and the
//! result compared with the plain file byte by byte.

use std::collections::HashMap;

use document::{Comment, Document, Edits, Element, Format, Item, Map, Node, Path, Step, Token, Value};
use secret::SecretBytes;

use crate::error::SopsError;
use crate::layout::{Layout, LayoutEntry};
use crate::metadata::Metadata;
use crate::open::{Opened, Visit};
use crate::restore;
use crate::seal::{Pass, read_back};
use crate::value::is_token;

/// What reading back found.
pub(crate) enum Verdict {
    /// It comes back byte for byte; the text that was read.
    Proved(SecretBytes),
    /// These spellings (and the missing last line break) must go into the layout; what was read, with its metadata apart.
    Residue { entries: Vec<LayoutEntry>, unended: bool, read: Box<Document> },
    /// Comments that must be sealed under other additional data (by their number).
    CommentsMoved(HashMap<usize, Vec<u8>>),
}

/// Reads `text` back.
///
/// # Errors
/// [`SopsError::Proof`] when a value, the MAC or the metadata differs: the text must not be used.
pub(crate) fn check(
    pass: &Pass,
    metadata: &Metadata,
    text: SecretBytes,
    layout: &Layout,
) -> Result<Verdict, SopsError> {
    let (mut opened, moved, block) = read_back(pass, metadata, text, pass.doc.format)?;
    if !moved.is_empty() {
        return Ok(Verdict::CommentsMoved(moved));
    }
    if opened.computed.as_str() != pass.mac.as_str() {
        return Err(SopsError::Proof("the MAC differs"));
    }
    if !block.same(&metadata.to_map()) && !is_flat(pass.doc.format) {
        return Err(SopsError::Proof("the metadata differs"));
    }
    let source = pass.doc.source.expose();
    let restored = restore::text(&opened.doc, &opened.visits, layout, Some(source));
    if restored.as_ref().is_some_and(|restored| restored.expose() == source) {
        return Ok(Verdict::Proved(std::mem::take(&mut opened.doc.source)));
    }
    if !layout.entries.is_empty() || layout.unended {
        return Err(SopsError::Proof("the text could not be restored"));
    }
    let entries = residue(pass, &opened)?;
    let unended = !source.ends_with(b"\n");
    let read = Box::new(opened.doc);
    Ok(Verdict::Residue { entries, unended, read })
}

/// Flat formats carry the block as text.
fn is_flat(format: &dyn Format) -> bool {
    matches!(format.name(), "dotenv" | "ini")
}

/// Reads back the text of a file kept in SOPS' own layout: values and MAC must be the same.
pub(crate) fn check_tree(
    pass: &Pass,
    metadata: &Metadata,
    text: SecretBytes,
    format: &'static dyn Format,
) -> Result<(), SopsError> {
    let (opened, _, _) = read_back(pass, metadata, text, format)?;
    if opened.computed.as_str() == pass.mac.as_str() { Ok(()) } else { Err(SopsError::Proof("the MAC differs")) }
}

/// Reads back the wrapper of a file that is one value: its token and its metadata must be there as they were given.
pub(crate) fn check_wrapper(
    text: &SecretBytes,
    token: &str,
    metadata: &Metadata,
    format: &'static dyn Format,
) -> Result<(), SopsError> {
    let mut doc = format.parse_sealed(text.duplicate())?;
    format.take_metadata(&mut doc)?;
    let same = doc.metadata.as_ref().is_some_and(|block| block.same(&metadata.to_map()));
    let mut entries = doc.branches.iter().flat_map(|branch| branch.root.entries());
    let held = entries.next().and_then(|entry| entry.value.value.as_str()) == Some(token) && entries.next().is_none();
    if same && held { Ok(()) } else { Err(SopsError::Proof("the wrapper differs")) }
}

/// The tokens that do not come back by themselves.
fn residue(pass: &Pass, opened: &Opened) -> Result<Vec<LayoutEntry>, SopsError> {
    let mut finder = Finder {
        pass,
        doc: &opened.doc,
        visits: opened.visits.iter(),
        sealed: pass.sealed.iter(),
        verbatim: pass
            .verbatim
            .iter()
            .map(|entry| ((entry.doc, entry.pointer.as_str()), entry.text.as_str()))
            .collect(),
        branch: 0,
        path: Path::default(),
        comment: None,
        found: Vec::new(),
    };
    for (index, branch) in opened.doc.branches.iter().enumerate() {
        finder.branch = index;
        finder.map(&branch.root, true)?;
    }
    Ok(finder.found)
}

struct Finder<'a> {
    pass: &'a Pass,
    doc: &'a Document,
    visits: std::slice::Iter<'a, Visit>,
    sealed: std::collections::vec_deque::Iter<'a, crate::seal::SealedLeaf>,
    verbatim: HashMap<(usize, &'a str), &'a str>,
    branch: usize,
    path: Path,
    /// The last comment met: behind the `|` of a block scalar it is part of the scalar's text.
    comment: Option<&'a Comment>,
    found: Vec<LayoutEntry>,
}

impl<'a> Finder<'a> {
    fn map(&mut self, map: &'a Map, wanted: bool) -> Result<(), SopsError> {
        map.items.iter().try_for_each(|item| match item {
            Item::Comment(comment) => {
                self.comment = Some(comment);
                self.visit().map(drop)
            }
            Item::Entry(entry) => self.node(&entry.value, Step::Key(entry.key.clone()), wanted),
        })
    }

    fn visit(&mut self) -> Result<&Visit, SopsError> {
        self.visits.next().ok_or(SopsError::Proof("the walks differ"))
    }

    /// `wanted` is false inside an alias that was written out: its one entry stands for all of it.
    fn node(&mut self, node: &'a Node, step: Step, wanted: bool) -> Result<(), SopsError> {
        self.path.0.push(step);
        let alias = wanted.then(|| self.verbatim.get(&(self.branch, self.path.pointer().as_str())).copied()).flatten();
        if let Some(text) = alias {
            self.keep(text.to_owned());
        }
        let wanted = wanted && alias.is_none();
        match &node.value {
            Value::Map(map) => self.map(map, wanted)?,
            Value::List(list) => {
                let mut index = 0;
                for item in &list.items {
                    match item {
                        Element::Comment(comment) => {
                            self.comment = Some(comment);
                            self.visit()?;
                        }
                        Element::Node(node) => {
                            self.node(node, Step::Index(index), wanted)?;
                            index += 1;
                        }
                    }
                }
            }
            value => self.leaf(node, value, wanted)?,
        }
        self.path.0.pop();
        Ok(())
    }

    fn leaf(&mut self, node: &Node, value: &Value, wanted: bool) -> Result<(), SopsError> {
        let doc = self.doc;
        let Visit::Opened(spelling) = self.visits.next().ok_or(SopsError::Proof("the walks differ"))? else {
            return Ok(());
        };
        let leaf = self.sealed.next().ok_or(SopsError::Proof("the walks differ"))?;
        let (Some(span), true) = (leaf.span, wanted) else { return Ok(()) };
        let mut edits = Edits::new();
        let token = Token::Opened { value, spelling: spelling.as_ref().map(SecretBytes::expose) };
        doc.format.write_leaf(doc, node, token, None, &mut edits);
        let site = node.site.span;
        let inside = |span: document::Span| site.start <= span.start && span.end <= site.end;
        if let Some(comment) = self.comment.filter(|comment| comment.span.is_some_and(inside)) {
            doc.format.write_comment(doc, comment, comment.text.expose(), &mut edits);
        }
        let shown = edits.preview(doc.source.expose(), site);
        let original = &self.pass.doc.source.expose()[span.range()];
        if shown.is_none_or(|shown| shown.expose() != original) {
            self.keep(String::from_utf8_lossy(original).into_owned());
        }
        Ok(())
    }

    fn keep(&mut self, text: String) {
        self.found.push(LayoutEntry { doc: self.branch, pointer: self.path.pointer(), text });
    }
}

/// SOPS writes an encrypted comment inside a list as an element.
pub(crate) fn comments_to_elements(map: &mut Map) {
    for item in &mut map.items {
        if let Item::Entry(entry) = item {
            in_value(&mut entry.value.value);
        }
    }
}

fn in_value(value: &mut Value) {
    match value {
        Value::Map(map) => comments_to_elements(map),
        Value::List(list) => list.items.iter_mut().for_each(|item| match item {
            Element::Node(node) => in_value(&mut node.value),
            Element::Comment(comment) if is_token(comment.text.expose()) => {
                let text = std::mem::take(&mut comment.text);
                *item = Element::Node(Node::new(Value::Str(text)));
            }
            Element::Comment(_) => {}
        }),
        _ => {}
    }
}

/// Turns alias copies into ordinary values, and gives comments without a place one, so that a tree about to be
/// written anew is sealed as a whole.
pub(crate) fn forget_aliases(map: &mut Map) {
    for item in &mut map.items {
        match item {
            Item::Comment(comment) => place(comment),
            Item::Entry(entry) => in_node(&mut entry.value),
        }
    }
}

fn place(comment: &mut Comment) {
    comment.span.get_or_insert_default();
}

fn in_node(node: &mut Node) {
    node.alias = None;
    match &mut node.value {
        Value::Map(map) => forget_aliases(map),
        Value::List(list) => list.items.iter_mut().for_each(|item| match item {
            Element::Comment(comment) => place(comment),
            Element::Node(node) => in_node(node),
        }),
        _ => {}
    }
}
