//! From tokens to nodes, on an explicit stack.

mod collection;
mod flow;

use std::collections::HashMap;

use super::raw::{Content, Id, Notes, Raw, RawDocument, Raws, Tag};
use super::scan::{Result, Scanner};
use super::text::{Text, Texts};
use super::token::{Kind, Line, Role, Token};
use crate::{FormatError, Site, Span, Style};
use collection::{Frame, State};

/// Builds the nodes of a file.
pub(super) struct Composer<'s> {
    scanner: Scanner<'s>,
    /// The next token, if `fresh`, else the last one.
    token: Token,
    fresh: bool,
    raws: Raws,
    /// Nodes whose parent is still open.
    loose: Vec<Id>,
    frames: Vec<Frame>,
    /// Anchors stay known in later documents.
    anchors: HashMap<&'s [u8], Id>,
    /// Prefixes by the handle that `%TAG` gives them in this document.
    directives: HashMap<&'s [u8], Text>,
    /// Comments for the next node that takes some.
    pending: Notes,
    /// Comments of a list entry, for the block collection that the entry is.
    stem: Vec<Line>,
    /// Where the last token ended that has a width.
    last_end: u32,
}

/// Tag and anchor in front of a node.
#[derive(Default)]
struct Properties<'s> {
    anchor: Option<&'s [u8]>,
    tag: Tag,
    tag_start: Option<u32>,
}

impl<'s> Composer<'s> {
    pub(super) fn new(scanner: Scanner<'s>) -> Self {
        Self {
            scanner,
            token: Token::default(),
            fresh: false,
            raws: Raws::default(),
            loose: Vec::new(),
            frames: Vec::new(),
            anchors: HashMap::new(),
            directives: HashMap::new(),
            pending: Notes::default(),
            stem: Vec::new(),
            last_end: 0,
        }
    }

    /// Reads all documents.
    pub(super) fn compose(mut self) -> Result<(Raws, Texts<'s>)> {
        self.peek()?;
        self.skip();
        let mut first = true;
        while let Some(document) = self.document(first)? {
            self.raws.documents.push(document);
            first = false;
        }
        Ok((self.raws, self.scanner.texts))
    }

    fn document(&mut self, first: bool) -> Result<Option<RawDocument>> {
        let mut kind = self.peek()?;
        while !first && matches!(kind, Kind::DocumentEnd) {
            self.skip();
            kind = self.peek()?;
        }
        let explicit = matches!(kind, Kind::Version(..) | Kind::TagDirective(..) | Kind::DocumentStart);
        let mut head = Vec::new();
        if matches!(kind, Kind::StreamEnd) {
            return Ok(None);
        }
        if first && !explicit {
            head = self.split_document_head();
            self.node(true, false)?;
        } else {
            self.explicit_start()?;
        }
        while !self.frames.is_empty() {
            self.step()?;
        }
        let root = self.loose.pop().expect("a document's content was composed");
        let foot = self.document_end()?;
        Ok(Some(RawDocument { root, head, foot }))
    }

    /// Directives, `---`, and the start of the content.
    fn explicit_start(&mut self) -> Result<()> {
        self.process_directives()?;
        let kind = self.peek()?;
        if !matches!(kind, Kind::DocumentStart) {
            return Err(self.unexpected("text behind the end of a document"));
        }
        self.skip();
        let ends = matches!(
            self.peek()?,
            Kind::Version(..) | Kind::TagDirective(..) | Kind::DocumentStart | Kind::DocumentEnd | Kind::StreamEnd
        );
        if ends {
            self.empty();
            return Ok(());
        }
        self.node(true, false)
    }

    fn process_directives(&mut self) -> Result<()> {
        let mut versions = 0;
        loop {
            let kind = self.peek()?;
            match kind {
                Kind::Version(1, 1) if versions == 0 => versions += 1,
                Kind::Version(..) => return Err(self.unexpected("YAML version that SOPS does not read")),
                Kind::TagDirective(handle, prefix) => {
                    if self.directives.insert(&self.scanner.source()[handle.range()], prefix).is_some() {
                        return Err(self.unexpected("second tag directive for this handle"));
                    }
                }
                _ => return Ok(()),
            }
            self.skip();
        }
    }

    /// Comments above the last blank line at the top of a file belong to the document, not to its first node.
    fn split_document_head(&mut self) -> Vec<Line> {
        let head = &mut self.pending.head;
        match head.iter().rposition(Option::is_none) {
            Some(blank) if blank > 0 => {
                let rest = head.split_off(blank + 1);
                head.truncate(blank);
                std::mem::replace(head, rest)
            }
            _ => Vec::new(),
        }
    }

    fn document_end(&mut self) -> Result<Vec<Line>> {
        let kind = self.peek()?;
        if matches!(kind, Kind::DocumentEnd) {
            self.skip();
        }
        self.directives.clear();
        let notes = self.take_notes();
        Ok(if notes.foot.is_empty() { notes.head } else { notes.foot })
    }

    /// The next token; comments that are due by then become pending.
    fn peek(&mut self) -> Result<Kind> {
        if !self.fresh {
            self.token = self.scanner.next()?;
            self.fresh = true;
            self.give_out_remarks();
        }
        Ok(self.token.kind)
    }

    fn give_out_remarks(&mut self) {
        while let Some(remark) = self.scanner.remarks.front_mut() {
            let is_end = matches!(self.token.kind, Kind::BlockEnd);
            if remark.due > self.token.start.index || (remark.role == Role::Head && is_end) {
                break;
            }
            let list = match remark.role {
                Role::Head => &mut self.pending.head,
                Role::Line => &mut self.pending.line,
                Role::Foot => &mut self.pending.foot,
            };
            list.append(&mut remark.lines);
            self.scanner.remarks.pop_front();
        }
    }

    /// Passes the token that was looked at.
    fn skip(&mut self) {
        self.fresh = false;
        if self.token.end as usize > self.token.start.at() {
            self.last_end = self.token.end;
        }
    }

    /// A syntax error at the token that was looked at.
    fn unexpected(&self, what: &str) -> Box<FormatError> {
        self.scanner.error(self.token.start.at(), what)
    }

    fn take_notes(&mut self) -> Notes {
        self.stem.clear();
        std::mem::take(&mut self.pending)
    }

    /// Composes a node: a leaf at once, a collection by opening it.
    fn node(&mut self, block: bool, dashes_only: bool) -> Result<()> {
        let kind = self.peek()?;
        if let Kind::Alias(name) = kind {
            return self.alias(name);
        }
        let properties = self.properties()?;
        let kind = self.peek()?;
        let token = self.token;
        let start = properties.tag_start.unwrap_or(token.start.at() as u32);
        let state = match kind {
            Kind::BlockEntry if dashes_only => State::Dashes,
            Kind::ListStart if block => State::List { first: true },
            Kind::MapStart if block => State::MapKey { first: true },
            Kind::FlowListStart => State::FlowList { first: true },
            Kind::FlowMapStart => State::FlowMapKey { first: true },
            Kind::Scalar(style, text) => {
                let notes = self.take_notes().boxed();
                self.skip();
                let site = self.site(start, token.end, style);
                self.add(Raw { content: Content::Scalar(text), tag: properties.tag, site, notes }, properties.anchor);
                return Ok(());
            }
            _ if properties.tag_start.is_some() || properties.anchor.is_some() => {
                self.empty_with(&properties);
                return Ok(());
            }
            _ => return Err(self.unexpected("no value where one is needed")),
        };
        self.open(state, start, &properties)
    }

    fn alias(&mut self, name: Span) -> Result<()> {
        let source = self.scanner.source();
        let Some(target) = self.anchors.get(&source[name.range()]).copied() else {
            return Err(self.unexpected("alias without an anchor"));
        };
        let notes = self.take_notes().boxed();
        self.skip();
        let site = self.site(self.token.start.at() as u32, self.token.end, Style::Plain);
        self.add(Raw { content: Content::Alias(target), tag: Tag::None, site, notes }, None);
        Ok(())
    }

    /// A tag and an anchor, in either order.
    fn properties(&mut self) -> Result<Properties<'s>> {
        let mut properties = Properties::default();
        loop {
            let kind = self.peek()?;
            match kind {
                Kind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(&self.scanner.source()[name.range()]);
                }
                Kind::Tag(handle, suffix) if properties.tag_start.is_none() => {
                    properties.tag_start = Some(self.token.start.at() as u32);
                    properties.tag = self.resolve_tag(handle, suffix)?;
                }
                _ => return Ok(properties),
            }
            self.skip();
        }
    }

    fn resolve_tag(&self, handle: Span, suffix: Text) -> Result<Tag> {
        let texts = &self.scanner.texts;
        let handle = &self.scanner.source()[handle.range()];
        let prefix: &[u8] = match (self.directives.get(handle), handle) {
            (_, b"") => b"",
            (Some(prefix), _) => texts.get(*prefix),
            (None, b"!") => b"!",
            (None, b"!!") => b"tag:yaml.org,2002:",
            _ => return Err(self.unexpected("tag with an unknown handle")),
        };
        Ok(Tag::named(&[prefix, texts.get(suffix)].concat()))
    }

    /// An empty node behind the last token.
    fn empty(&mut self) {
        self.empty_with(&Properties::default());
    }

    fn empty_with(&mut self, properties: &Properties<'s>) {
        let start = properties.tag_start.unwrap_or(self.last_end);
        let site = self.site(start, self.last_end, Style::Plain);
        let raw = Raw { content: Content::Scalar(Text::default()), tag: properties.tag, site, notes: None };
        self.add(raw, properties.anchor);
    }

    fn site(&self, start: u32, end: u32, style: Style) -> Site {
        let (in_flow, indent) = self.frames.last().map_or((false, 0), |frame| (frame.flow, frame.column));
        Site { span: Span { start, end }, style, in_flow, indent }
    }

    fn add(&mut self, raw: Raw, anchor: Option<&'s [u8]>) -> Id {
        let id = self.raws.nodes.len() as Id;
        self.raws.nodes.push(raw);
        self.loose.push(id);
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        id
    }
}
