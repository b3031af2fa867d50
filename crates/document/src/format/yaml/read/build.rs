//! From nodes to the tree, on an explicit stack: aliases expanded, comments as items in the order in which
//! SOPS walks them.

mod budget;
mod keys;

use secret::SecretBytes;

use super::MAX_DEPTH;
use super::raw::{Content, Id, Raw, RawDocument, Raws, Tag};
use super::resolve;
use super::scan::Result;
use super::text::Texts;
use super::token::Line;
use crate::{Alias, Branch, Comment, Element, Entry, FormatError, Item, List, Map, Node, Problem, Span, Value};
use budget::Budget;

/// Makes trees of the nodes of a file.
pub(super) struct Builder<'s, 't> {
    source: &'s [u8],
    /// The same, for texts that are kept.
    whole: &'s SecretBytes,
    raws: &'t Raws,
    texts: &'t Texts<'s>,
    budget: Budget,
    stack: Vec<Open>,
    /// The first document: SOPS looks at no other with the reader that minds what keys are and merge keys hold.
    is_first: bool,
}

/// A collection that is being built.
struct Open {
    id: Id,
    children: Span,
    gather: Gather,
    /// Whether its own comments were given to what holds it.
    handled: bool,
    alias: Option<Alias>,
}

enum Gather {
    /// Items, and the key whose value is being built.
    Map(Vec<Item>, Option<(Box<str>, Span)>),
    List(Vec<Element>),
}

impl Gather {
    fn comments(&mut self, whole: &SecretBytes, lines: &[Line], inline: bool) {
        for span in lines.iter().flatten() {
            let text = whole.part(&whole.expose()[span.range()]);
            let comment = Comment { text, inline, span: Some(*span) };
            match self {
                Self::Map(items, _) => items.push(Item::Comment(comment)),
                Self::List(items) => items.push(Element::Comment(comment)),
            }
        }
    }
}

impl<'s, 't> Builder<'s, 't> {
    pub(super) fn new(whole: &'s SecretBytes, raws: &'t Raws, texts: &'t Texts<'s>) -> Self {
        let source = whole.expose();
        Self { source, whole, raws, texts, budget: Budget::new(source.len()), stack: Vec::new(), is_first: true }
    }

    /// The tree of one document.
    pub(super) fn branch(&mut self, document: &RawDocument) -> Result<Branch> {
        self.budget.next_document();
        let mut gather = Gather::Map(Vec::new(), None);
        gather.comments(self.whole, &document.head, false);
        let written = self.raw(document.root);
        let site = written.site;
        let mut root = document.root;
        let mut around = None;
        if let Content::Alias(target) = written.content {
            gather.comments(self.whole, written.head(), false);
            gather.comments(self.whole, written.line(), false);
            around = Some(written);
            root = target;
        }
        let mut items = self.root(root, gather)?;
        if let Some(alias) = around {
            items.comments(self.whole, alias.foot(), false);
        }
        items.comments(self.whole, &document.foot, false);
        self.is_first = false;
        let Gather::Map(items, _) = items else { unreachable!("a root gathers a map") };
        Ok(Branch { root: Map { items }, site })
    }

    /// Items of a root map behind those in `gather`.
    fn root(&mut self, id: Id, mut gather: Gather) -> Result<Gather> {
        let raw = self.raw(id);
        match raw.content {
            Content::Map(children) => {
                gather.comments(self.whole, raw.head(), false);
                gather.comments(self.whole, raw.line(), false);
                self.check_merge(children)?;
                self.stack.push(Open { id, children, gather, handled: false, alias: None });
                self.run()
            }
            Content::Scalar(text) => match resolve::scalar(raw.tag, raw.site.style, self.texts.get(text), self.whole) {
                Some(Value::Null) => {
                    gather.comments(self.whole, raw.head(), false);
                    gather.comments(self.whole, raw.line(), false);
                    Ok(gather)
                }
                _ => Err(self.no_map(raw.site.span.start, "document is a single value, not a map")),
            },
            Content::List(_) => Err(self.no_map(raw.site.span.start, "document is a list, not a map")),
            Content::Alias(_) => unreachable!("anchors never stand at aliases"),
        }
    }

    /// Builds until the bottom of the stack is complete.
    fn run(&mut self) -> Result<Gather> {
        loop {
            let top = self.stack.last_mut().expect("the root is on the stack until it is returned");
            if top.children.start < top.children.end {
                match top.gather {
                    Gather::Map(..) => self.entry()?,
                    Gather::List(_) => self.element()?,
                }
                continue;
            }
            let mut done = self.stack.pop().expect("just seen");
            if !done.handled {
                done.gather.comments(self.whole, self.raw(done.id).foot(), false);
            }
            if let Gather::Map(items, _) = &done.gather {
                keys::check_unique(self.source, items)?;
            }
            if self.stack.is_empty() {
                return Ok(done.gather);
            }
            self.close(done);
        }
    }

    fn close(&mut self, done: Open) {
        let raw = self.raw(done.id);
        let value = match done.gather {
            Gather::Map(items, _) => Value::Map(Map { items }),
            Gather::List(items) => Value::List(List { items }),
        };
        if done.alias.is_some() {
            self.budget.leave_alias();
        }
        self.attach(Node { value, site: raw.site, alias: done.alias, tagged: tagged(raw) });
    }

    /// Next entry of the innermost collection, a map.
    fn entry(&mut self) -> Result<()> {
        let raws = self.raws;
        let top = self.stack.last_mut().expect("caller saw it");
        let [key, value] = raws.children[top.children.range()][..2] else { unreachable!("maps hold pairs") };
        top.children.start += 2;
        let (key_raw, value_raw) = (&raws.nodes[key as usize], &raws.nodes[value as usize]);
        self.charge(key_raw, key_raw.site.span.start)?;
        let key = self.key(key)?;
        let handled = matches!(value_raw.content, Content::Scalar(_) | Content::Alias(_));
        let whole = self.whole;
        let gather = &mut self.stack.last_mut().expect("caller saw it").gather;
        gather.comments(whole, key_raw.head(), false);
        gather.comments(whole, key_raw.line(), false);
        if handled {
            gather.comments(whole, value_raw.head(), false);
            gather.comments(whole, value_raw.line(), true);
        }
        if let Gather::Map(_, slot) = gather {
            *slot = Some((key, key_raw.site.span));
        }
        self.value(value, handled)
    }

    /// Next element of the innermost collection, a list.
    fn element(&mut self) -> Result<()> {
        let raws = self.raws;
        let whole = self.whole;
        let top = self.stack.last_mut().expect("caller saw it");
        let id = raws.children[top.children.start as usize];
        top.children.start += 1;
        let raw = &raws.nodes[id as usize];
        top.gather.comments(whole, raw.head(), false);
        top.gather.comments(whole, raw.line(), true);
        self.value(id, true)
    }

    /// Builds a value: a leaf at once, a collection by opening it.
    fn value(&mut self, id: Id, handled: bool) -> Result<()> {
        let raw = self.raw(id);
        let at = raw.site.span.start;
        self.count(at)?;
        self.charge(raw, at)?;
        match raw.content {
            Content::Alias(target) => {
                let alias = Some(Alias { span: raw.site.span });
                self.budget.enter_alias();
                self.count(at)?;
                self.charge(self.raw(target), at)?;
                self.start(target, false, alias, at)
            }
            _ => self.start(id, handled, None, at),
        }
    }

    fn start(&mut self, id: Id, handled: bool, alias: Option<Alias>, at: u32) -> Result<()> {
        let raw = self.raw(id);
        let (children, mut gather) = match raw.content {
            Content::Map(children) => (children, Gather::Map(Vec::with_capacity(room(children) / 2), None)),
            Content::List(children) => (children, Gather::List(Vec::with_capacity(room(children)))),
            _ => return self.leaf(raw, alias),
        };
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.syntax(at, "nested too deeply"));
        }
        if alias.is_some() && self.stack.iter().any(|open| open.id == id) {
            return Err(self.syntax(at, "alias inside of its own anchor"));
        }
        if matches!(gather, Gather::Map(..)) {
            self.check_merge(children)?;
        }
        if !handled {
            gather.comments(self.whole, raw.head(), false);
            gather.comments(self.whole, raw.line(), false);
        }
        self.stack.push(Open { id, children, gather, handled, alias });
        Ok(())
    }

    fn leaf(&mut self, raw: &Raw, alias: Option<Alias>) -> Result<()> {
        let Content::Scalar(text) = raw.content else { unreachable!("anchors never stand at aliases") };
        let text = self.texts.get(text);
        if alias.is_some() {
            self.budget.leave_alias();
        }
        let Some(value) = resolve::scalar(raw.tag, raw.site.style, text, self.whole) else {
            return Err(self.refuse(raw.site.span.start, "value does not fit its tag"));
        };
        self.attach(Node { value, site: raw.site, alias, tagged: tagged(raw) });
        Ok(())
    }

    /// Puts a complete value into the innermost collection, with the comments below it.
    fn attach(&mut self, node: Node) {
        let raws = self.raws;
        let whole = self.whole;
        let top = self.stack.last_mut().expect("a value has a holder");
        let last = &raws.nodes[raws.children[top.children.start as usize - 1] as usize];
        match &mut top.gather {
            Gather::List(items) => {
                items.push(Element::Node(node));
                top.gather.comments(whole, last.foot(), false);
            }
            Gather::Map(items, key) => {
                let (key, key_span) = key.take().expect("a value follows its key");
                items.push(Item::Entry(Entry { key, key_span, value: node }));
                let key = &raws.nodes[raws.children[top.children.start as usize - 2] as usize];
                if matches!(last.content, Content::Scalar(_) | Content::Alias(_)) {
                    top.gather.comments(whole, last.foot(), false);
                }
                top.gather.comments(whole, key.foot(), false);
            }
        }
    }

    fn raw(&self, id: Id) -> &'t Raw {
        &self.raws.nodes[id as usize]
    }

    fn count(&mut self, at: u32) -> Result<()> {
        if self.budget.count() { Ok(()) } else { Err(self.too_much(at)) }
    }

    /// Counts what a copy of the node inside of an alias costs.
    fn charge(&mut self, raw: &Raw, at: u32) -> Result<()> {
        if !self.budget.in_alias() {
            return Ok(());
        }
        let text = match raw.content {
            Content::Scalar(text) => self.texts.get(text).len(),
            _ => 0,
        };
        let comments = [raw.head(), raw.line(), raw.foot()].into_iter().flatten().flatten();
        let bytes = comments.map(|span| span.range().len() + size_of::<Comment>()).sum::<usize>() + text;
        if self.budget.copy(bytes) { Ok(()) } else { Err(self.too_much(at)) }
    }

    fn too_much(&self, at: u32) -> Box<FormatError> {
        self.syntax(at, "aliases expand to too much")
    }

    fn syntax(&self, at: u32, what: &str) -> Box<FormatError> {
        Box::new(FormatError::at(self.source, at as usize, Problem::Syntax, what))
    }

    /// A document that no tree can be made of counts as one that cannot be read.
    fn no_map(&self, at: u32, what: &str) -> Box<FormatError> {
        Box::new(FormatError::at(self.source, at as usize, Problem::Syntax, what))
    }

    fn refuse(&self, at: u32, what: &str) -> Box<FormatError> {
        Box::new(FormatError::at(self.source, at as usize, Problem::Unsupported, what))
    }
}

/// Whether a reader of an encrypted text in this place would apply the tag to it.
fn tagged(raw: &Raw) -> bool {
    !matches!(raw.tag, Tag::None | Tag::Str)
}

fn room(children: Span) -> usize {
    (children.end - children.start) as usize
}
