//! Opening and closing collections; the block ones step by step.

use super::super::MAX_DEPTH;
use super::super::raw::{Content, Id, Notes, Raw};
use super::super::scan::Result;
use super::super::token::Kind;
use super::{Composer, Properties};
use crate::{Span, Style};

/// What an open collection expects next.
#[derive(Clone, Copy)]
pub(super) enum State {
    List {
        first: bool,
    },
    /// A list at the column of the map that holds it: no token starts or ends it.
    Dashes,
    MapKey {
        first: bool,
    },
    MapValue,
    FlowList {
        first: bool,
    },
    FlowMapKey {
        first: bool,
    },
    /// `bare` if the key had neither `?` nor `:`.
    FlowMapValue {
        bare: bool,
    },
    /// A single `key: value` in a flow list.
    PairKey,
    PairValue,
    PairEnd,
}

/// An open collection.
pub(super) struct Frame {
    pub(super) state: State,
    id: Id,
    /// Number of its first child among the loose nodes.
    first_child: usize,
    /// Column of the innermost block collection.
    pub(super) column: u32,
    pub(super) flow: bool,
}

impl<'s> Composer<'s> {
    /// Opens the collection that the next token starts.
    pub(super) fn open(&mut self, state: State, start: u32, properties: &Properties<'s>) -> Result<()> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(self.unexpected("nested too deeply"));
        }
        let flow = matches!(state, State::FlowList { .. } | State::FlowMapKey { .. } | State::PairKey);
        let notes = match state {
            State::FlowList { .. } | State::FlowMapKey { .. } => self.take_notes(),
            State::List { .. } | State::MapKey { .. } => {
                Notes { head: std::mem::take(&mut self.stem), ..Notes::default() }
            }
            _ => Notes::default(),
        };
        let mut site = self.site(start, start, if flow { Style::Flow } else { Style::Block });
        let column = if flow { site.indent } else { self.token.start.column as u32 };
        site.indent = column;
        let nothing = Span::default();
        let content = match state {
            State::List { .. } | State::Dashes | State::FlowList { .. } => Content::List(nothing),
            _ => Content::Map(nothing),
        };
        let id = self.add(Raw { content, tag: properties.tag, site, notes: notes.boxed() }, properties.anchor);
        self.frames.push(Frame { state, id, first_child: self.loose.len(), column, flow });
        Ok(())
    }

    /// Goes on with the innermost open collection.
    pub(super) fn step(&mut self) -> Result<()> {
        match self.frames.last().expect("a collection is open").state {
            State::List { first } => self.list(first),
            State::Dashes => self.dashes(),
            State::MapKey { first } => self.map_key(first),
            State::MapValue => self.map_value(),
            State::FlowList { first } => self.flow_list(first),
            State::FlowMapKey { first } => self.flow_map_key(first),
            State::FlowMapValue { bare } => self.flow_map_value(bare),
            State::PairKey => self.pair_key(),
            State::PairValue => self.pair_value(),
            State::PairEnd => {
                self.peek()?;
                self.close(Notes::default());
                Ok(())
            }
        }
    }

    /// Says what the innermost collection expects after the child that comes now.
    pub(super) fn then(&mut self, state: State) {
        self.frames.last_mut().expect("a collection is open").state = state;
    }

    /// Closes the innermost collection. Comments of its end replace those of its start, except for the head.
    pub(super) fn close(&mut self, end: Notes) {
        let Some(frame) = self.frames.pop() else { return };
        let start = self.raws.children.len() as u32;
        self.raws.children.extend(self.loose.drain(frame.first_child..));
        let children = Span { start, end: self.raws.children.len() as u32 };
        let raw = &mut self.raws.nodes[frame.id as usize];
        raw.site.span.end = raw.site.span.end.max(self.last_end);
        let head = raw.notes.take().map(|notes| notes.head).unwrap_or_default();
        raw.notes = Notes { head, ..end }.boxed();
        match &mut raw.content {
            Content::Map(range) => {
                *range = children;
                self.settle_feet(frame.id, children, frame.flow);
            }
            Content::List(range) => *range = children,
            Content::Scalar(_) | Content::Alias(_) => {}
        }
    }

    /// Gives comments below entries to the keys: those in front of a dedented key to the key before, those
    /// of a value to its key, those at the end of a block map to its last key.
    fn settle_feet(&mut self, id: Id, children: Span, flow: bool) {
        let nodes = &mut self.raws.nodes;
        let children = &self.raws.children[children.range()];
        let mut before: Option<usize> = None;
        for pair in children.chunks_exact(2) {
            let (key, value) = (pair[0] as usize, pair[1] as usize);
            if let Some(before) = before.filter(|_| !flow && !nodes[key].foot().is_empty()) {
                let foot = nodes[key].take_foot();
                nodes[before].set_foot(foot);
            }
            if nodes[key].foot().is_empty() && !nodes[value].foot().is_empty() {
                let foot = nodes[value].take_foot();
                nodes[key].set_foot(foot);
            }
            before = Some(key);
        }
        if let Some(last) = before.filter(|_| !flow && !nodes[id as usize].foot().is_empty()) {
            let foot = nodes[id as usize].take_foot();
            nodes[last].set_foot(foot);
        }
    }

    fn list(&mut self, first: bool) -> Result<()> {
        if first {
            self.peek()?;
            self.skip();
        }
        self.then(State::List { first: false });
        let kind = self.peek()?;
        match kind {
            Kind::BlockEntry => {
                self.dash()?;
                if matches!(self.peek()?, Kind::BlockEntry | Kind::BlockEnd) {
                    self.empty();
                    return Ok(());
                }
                self.node(true, false)
            }
            Kind::BlockEnd => {
                self.close(Notes::default());
                self.skip();
                Ok(())
            }
            _ => Err(self.unexpected("no '-' where a list goes on")),
        }
    }

    fn dashes(&mut self) -> Result<()> {
        let kind = self.peek()?;
        if !matches!(kind, Kind::BlockEntry) {
            self.close(Notes::default());
            return Ok(());
        }
        self.dash()?;
        if matches!(self.peek()?, Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd) {
            self.empty();
            return Ok(());
        }
        self.node(true, false)
    }

    /// Passes a dash. Comments above it head the block collection behind it as a whole.
    fn dash(&mut self) -> Result<()> {
        let above = self.pending.head.len();
        self.skip();
        if above > 0 && matches!(self.peek()?, Kind::ListStart | Kind::MapStart) {
            let rest = self.pending.head.split_off(above);
            self.stem = std::mem::replace(&mut self.pending.head, rest);
        }
        Ok(())
    }

    fn map_key(&mut self, first: bool) -> Result<()> {
        if first {
            self.peek()?;
            self.skip();
        }
        let kind = self.peek()?;
        match kind {
            Kind::Key => {
                self.skip();
                self.then(State::MapValue);
                self.entry_part()
            }
            Kind::BlockEnd => {
                let end = self.take_notes();
                self.close(end);
                self.skip();
                Ok(())
            }
            _ => Err(self.unexpected("no key where a map goes on")),
        }
    }

    fn map_value(&mut self) -> Result<()> {
        let kind = self.peek()?;
        self.then(State::MapKey { first: false });
        if matches!(kind, Kind::Value) {
            self.skip();
            return self.entry_part();
        }
        self.empty();
        Ok(())
    }

    /// The key or value that follows its indicator, possibly none.
    fn entry_part(&mut self) -> Result<()> {
        if matches!(self.peek()?, Kind::Key | Kind::Value | Kind::BlockEnd) {
            self.empty();
            return Ok(());
        }
        self.node(true, true)
    }
}
