//! The walk over a tree in the order that the format defines, with the path, the additional data and the
//! selector's verdict for every value and comment.

use document::{Branch, Comment, Element, Item, List, Map, Node, Path, Step, Value};

use crate::error::{Place, SopsError};
use crate::selector::{Scope, Selector};

/// What is done at each place.
pub(crate) trait Visitor {
    /// A scalar, null included.
    fn leaf(&mut self, at: &At, node: &mut Node, encrypted: bool) -> Result<(), SopsError>;

    /// A comment; `at` is the container's place.
    fn comment(&mut self, at: &At, comment: &mut Comment, encrypted: bool) -> Result<(), SopsError>;

    /// Called behind every node that is an alias in the source.
    fn alias(&mut self, _at: &At, _node: &mut Node) -> Result<(), SopsError> {
        Ok(())
    }
}

/// Where the walk is.
#[derive(Default)]
pub(crate) struct At {
    /// Document number.
    pub(crate) document: usize,
    /// How many aliases lead here; the sites inside are those of the anchored original.
    pub(crate) aliases: usize,
    keys: Vec<u8>,
    steps: Vec<RawStep>,
}

#[derive(Clone, Copy)]
enum RawStep {
    /// From here to the colon, in `keys`.
    Key(usize, usize),
    Index(usize),
}

impl At {
    /// The additional data: each key and a colon; a lone colon at the root.
    pub(crate) fn aad(&self) -> &[u8] {
        if self.keys.is_empty() { b":" } else { &self.keys }
    }

    /// The path in its document.
    pub(crate) fn path(&self) -> Path {
        let text = |from, to| std::str::from_utf8(&self.keys[from..to]).expect("keys are pushed whole");
        let step = |step: &RawStep| match *step {
            RawStep::Key(from, to) => Step::Key(text(from, to).into()),
            RawStep::Index(index) => Step::Index(index),
        };
        Path(self.steps.iter().map(step).collect())
    }

    /// The top-level key that leads here.
    pub(crate) fn first_key(&self) -> Option<&str> {
        match *self.steps.first()? {
            RawStep::Key(from, to) => std::str::from_utf8(&self.keys[from..to]).ok(),
            RawStep::Index(_) => None,
        }
    }

    /// The place, with line and column of the node's token.
    pub(crate) fn place(&self, source: &document::Document, node: &Node) -> Place {
        let span = node.alias.map_or(node.site.span, |alias| alias.span);
        Place { at: Some(source.place(span.start)), path: self.path(), document: self.document }
    }

    /// The additional data of every container that encloses this place, innermost first.
    pub(crate) fn enclosing(&self) -> Vec<&[u8]> {
        let ends = self.steps.iter().rev().filter_map(|step| match step {
            RawStep::Key(_, end) => Some(&self.keys[..=*end]),
            RawStep::Index(_) => None,
        });
        ends.chain([b":".as_slice()]).collect()
    }

    fn push_key(&mut self, key: &str) {
        let from = self.keys.len();
        self.keys.extend_from_slice(key.as_bytes());
        self.steps.push(RawStep::Key(from, self.keys.len()));
        self.keys.push(b':');
    }

    fn pop(&mut self) {
        if let Some(RawStep::Key(from, _)) = self.steps.pop() {
            self.keys.truncate(from);
        }
    }
}

/// Walks all documents in order.
pub(crate) fn walk(branches: &mut [Branch], selector: &Selector, visitor: &mut dyn Visitor) -> Result<(), SopsError> {
    let mut walker = Walker { selector, visitor, at: At::default() };
    for (document, branch) in branches.iter_mut().enumerate() {
        walker.at.document = document;
        walker.map(&mut branch.root, Scope::default())?;
    }
    Ok(())
}

struct Walker<'a> {
    selector: &'a Selector,
    visitor: &'a mut dyn Visitor,
    at: At,
}

impl Walker<'_> {
    fn map(&mut self, map: &mut Map, mut scope: Scope) -> Result<(), SopsError> {
        for item in &mut map.items {
            match item {
                Item::Comment(comment) => self.comment(comment, &mut scope)?,
                Item::Entry(entry) => {
                    self.at.push_key(&entry.key);
                    self.node(&mut entry.value, scope.under(self.selector, &entry.key))?;
                    self.at.pop();
                    scope.entry_done();
                }
            }
        }
        Ok(())
    }

    fn list(&mut self, list: &mut List, mut scope: Scope) -> Result<(), SopsError> {
        let mut index = 0;
        for item in &mut list.items {
            match item {
                Element::Comment(comment) => self.comment(comment, &mut scope)?,
                Element::Node(node) => {
                    self.at.steps.push(RawStep::Index(index));
                    self.node(node, scope.inside())?;
                    self.at.pop();
                    scope.entry_done();
                    index += 1;
                }
            }
        }
        Ok(())
    }

    fn comment(&mut self, comment: &mut Comment, scope: &mut Scope) -> Result<(), SopsError> {
        let encrypted = scope.comment(self.selector, comment);
        self.visitor.comment(&self.at, comment, encrypted)
    }

    fn node(&mut self, node: &mut Node, scope: Scope) -> Result<(), SopsError> {
        let aliased = node.alias.is_some();
        self.at.aliases += usize::from(aliased);
        match &mut node.value {
            Value::Map(map) => self.map(map, scope)?,
            Value::List(list) => self.list(list, scope)?,
            _ => self.visitor.leaf(&self.at, node, scope.encrypts(self.selector))?,
        }
        self.at.aliases -= usize::from(aliased);
        if aliased { self.visitor.alias(&self.at, node) } else { Ok(()) }
    }
}
