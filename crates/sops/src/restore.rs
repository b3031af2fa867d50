//! The decrypted text of a file that plomb wrote: the encrypted text with its tokens put back.

use std::collections::HashMap;

use document::{Comment, Document, Edits, Element, Item, List, Map, Node, Path, Span, Step, Token, Value};
use secret::SecretBytes;

use crate::layout::Layout;
use crate::open::Visit;

/// The text, proved by reading it again: its tree must equal the decrypted one. `None` if it does not.
/// `known` is a text that was read before; meeting it again is proof enough.
pub(crate) fn text(doc: &Document, visits: &[Visit], layout: &Layout, known: Option<&[u8]>) -> Option<SecretBytes> {
    let mut edits = Edits::new();
    doc.format.remove_metadata(doc, &mut edits);
    if layout.parted {
        doc.format.unpart_metadata(doc, &mut edits);
    }
    let entries = layout.by_place();
    let mut restorer =
        Restorer { doc, visits: visits.iter(), entries: &entries, branch: 0, path: Path::default(), edits };
    for (index, branch) in doc.branches.iter().enumerate() {
        restorer.branch = index;
        restorer.map(&branch.root)?;
    }
    let mut text = restorer.edits.apply(doc.source.expose())?;
    if layout.unended {
        text = without_line_break(text);
    }
    if known.is_some_and(|known| known == text.expose()) {
        return Some(text);
    }
    let again = doc.format.parse(text.duplicate()).ok()?;
    let same = again.branches.len() == doc.branches.len()
        && again.branches.iter().zip(&doc.branches).all(|(a, b)| equivalent_map(&a.root, &b.root));
    same.then_some(text)
}

/// The text without a line break at its end.
pub(crate) fn without_line_break(text: SecretBytes) -> SecretBytes {
    let mut bytes = text.into_inner();
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    SecretBytes::new(bytes)
}

/// Equal for the MAC and for every reader: `1` and `1.0` have the same canonical bytes, as SOPS prints them.
fn equivalent(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => equivalent_map(a, b),
        (Value::List(a), Value::List(b)) => {
            a.nodes().count() == b.nodes().count()
                && a.nodes().zip(b.nodes()).all(|(a, b)| equivalent(&a.value, &b.value))
        }
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => {
            crate::value::canonical(a).map(|it| it.1) == crate::value::canonical(b).map(|it| it.1)
        }
        _ => a.same(b),
    }
}

fn equivalent_map(a: &Map, b: &Map) -> bool {
    a.entries().count() == b.entries().count()
        && a.entries().zip(b.entries()).all(|(a, b)| a.key == b.key && equivalent(&a.value.value, &b.value.value))
}

struct Restorer<'a> {
    doc: &'a Document,
    visits: std::slice::Iter<'a, Visit>,
    entries: &'a HashMap<(usize, &'a str), &'a str>,
    branch: usize,
    path: Path,
    edits: Edits,
}

impl Restorer<'_> {
    fn map(&mut self, map: &Map) -> Option<()> {
        for item in &map.items {
            match item {
                Item::Comment(comment) => self.comment(comment)?,
                Item::Entry(entry) => self.node(&entry.value, || Step::Key(entry.key.clone()))?,
            }
        }
        Some(())
    }

    fn list(&mut self, list: &List) -> Option<()> {
        let mut index = 0;
        for item in &list.items {
            match item {
                Element::Comment(comment) => self.comment(comment)?,
                Element::Node(node) => {
                    self.node(node, || Step::Index(index))?;
                    index += 1;
                }
            }
        }
        Some(())
    }

    fn comment(&mut self, comment: &Comment) -> Option<()> {
        match (self.visits.next()?, comment.span) {
            (Visit::Opened(_), Some(_)) => {
                self.doc.format.write_comment(self.doc, comment, comment.text.expose(), &mut self.edits);
                Some(())
            }
            (Visit::Clear, _) => Some(()),
            // A comment in SOPS' list form, or one without a place: only a whole new text can show it.
            _ => None,
        }
    }

    fn node(&mut self, node: &Node, step: impl FnOnce() -> Step) -> Option<()> {
        // Paths are needed only to look entries up; most files have none.
        let deep = !self.entries.is_empty() || matches!(node.value, Value::Map(_) | Value::List(_));
        if deep {
            self.path.0.push(step());
        }
        let verbatim = if self.entries.is_empty() { None } else { self.entry() };
        if let Some(text) = verbatim {
            let token = Token::Verbatim(text.as_bytes());
            self.doc.format.write_leaf(self.doc, node, token, None, &mut self.edits);
            self.skip(&node.value, node.site.span)?;
        } else {
            self.value(node)?;
        }
        if deep {
            self.path.0.pop();
        }
        Some(())
    }

    fn entry(&self) -> Option<String> {
        self.entries.get(&(self.branch, self.path.pointer().as_str())).map(|text| (*text).to_owned())
    }

    fn value(&mut self, node: &Node) -> Option<()> {
        match &node.value {
            Value::Map(map) if node.alias.is_none() => self.map(map),
            Value::List(list) if node.alias.is_none() => self.list(list),
            Value::Map(_) | Value::List(_) => self.skip(&node.value, node.site.span),
            value => match self.visits.next()? {
                Visit::Opened(spelling) if node.alias.is_none() => {
                    let token = Token::Opened { value, spelling: spelling.as_ref().map(SecretBytes::expose) };
                    self.doc.format.write_leaf(self.doc, node, token, None, &mut self.edits);
                    Some(())
                }
                Visit::Clear | Visit::Opened(_) => Some(()),
                Visit::ElementComment => None,
            },
        }
    }

    /// Passes over the visits of a subtree at `span` that is written by other means (or is an untouched alias).
    fn skip(&mut self, value: &Value, span: Span) -> Option<()> {
        match value {
            Value::Map(map) => map.items.iter().try_for_each(|item| match item {
                Item::Comment(comment) => self.skip_comment(comment, span),
                Item::Entry(entry) => self.skip(&entry.value.value, span),
            }),
            Value::List(list) => list.items.iter().try_for_each(|item| match item {
                Element::Comment(comment) => self.skip_comment(comment, span),
                Element::Node(node) => self.skip(&node.value, span),
            }),
            _ => self.visits.next().map(drop),
        }
    }

    /// A comment behind a flow collection belongs to it, but stands outside of what is written by other means.
    fn skip_comment(&mut self, comment: &Comment, span: Span) -> Option<()> {
        let visit = self.visits.next()?;
        let inside = |at: Span| span.start <= at.start && at.end <= span.end;
        if matches!(visit, Visit::Opened(_)) && comment.span.is_some_and(|at| !inside(at)) {
            self.doc.format.write_comment(self.doc, comment, comment.text.expose(), &mut self.edits);
        }
        Some(())
    }
}

/// Turns list elements that decrypted to comments back into comments.
pub(crate) fn elements_to_comments(map: &mut Map, visits: &mut std::slice::Iter<'_, Visit>) {
    for item in &mut map.items {
        match item {
            Item::Comment(_) => drop(visits.next()),
            Item::Entry(entry) => in_value(&mut entry.value.value, visits),
        }
    }
}

fn in_value(value: &mut Value, visits: &mut std::slice::Iter<'_, Visit>) {
    match value {
        Value::Map(map) => elements_to_comments(map, visits),
        Value::List(list) => list.items.iter_mut().for_each(|item| in_element(item, visits)),
        _ => drop(visits.next()),
    }
}

fn in_element(item: &mut Element, visits: &mut std::slice::Iter<'_, Visit>) {
    let Element::Node(node) = item else {
        visits.next();
        return;
    };
    if matches!(node.value, Value::Map(_) | Value::List(_)) {
        return in_value(&mut node.value, visits);
    }
    let is_comment = matches!(visits.next(), Some(Visit::ElementComment));
    if let (true, Value::Str(text)) = (is_comment, &mut node.value) {
        *item = Element::Comment(Comment { text: std::mem::take(text), inline: false, span: None });
    }
}

/// Whether any comment stands behind a value.
pub(crate) fn has_inline_comment(map: &Map) -> bool {
    fn in_value(value: &Value) -> bool {
        match value {
            Value::Map(map) => has_inline_comment(map),
            Value::List(list) => list.items.iter().any(|item| match item {
                Element::Comment(comment) => comment.inline,
                Element::Node(node) => in_value(&node.value),
            }),
            _ => false,
        }
    }
    map.items.iter().any(|item| match item {
        Item::Comment(comment) => comment.inline,
        Item::Entry(entry) => in_value(&entry.value.value),
    })
}

/// Forgets that decrypted comments stood behind values.
pub(crate) fn opened_comments_above(map: &mut Map, visits: &mut std::slice::Iter<'_, Visit>) {
    fn comment(comment: &mut Comment, visits: &mut std::slice::Iter<'_, Visit>) {
        comment.inline &= !matches!(visits.next(), Some(Visit::Opened(_)));
    }
    fn value(value_: &mut Value, visits: &mut std::slice::Iter<'_, Visit>) {
        match value_ {
            Value::Map(map) => opened_comments_above(map, visits),
            Value::List(list) => list.items.iter_mut().for_each(|item| match item {
                Element::Comment(it) => comment(it, visits),
                Element::Node(node) => value(&mut node.value, visits),
            }),
            _ => drop(visits.next()),
        }
    }
    map.items.iter_mut().for_each(|item| match item {
        Item::Comment(it) => comment(it, visits),
        Item::Entry(entry) => value(&mut entry.value.value, visits),
    });
}
