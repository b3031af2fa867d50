//! From bytes to tokens and comments.
//!
//! Which token a comment is given to depends on how far the scanner looked ahead (two tokens, more while the
//! first may still turn out to be a key), so this part follows go-yaml's order of steps where that shows.

mod block;
mod comments;
mod directive;
mod keys;
mod plain;
mod quoted;
mod tag;

use std::collections::VecDeque;

use super::MAX_DEPTH;
use super::cursor::{Cursor, Mark};
use super::text::Texts;
use super::token::{Kind, Remark, Token};
use crate::{FormatError, Problem};
use keys::SimpleKey;

/// Errors are boxed, so that the many small results fit a register.
pub(super) type Result<T> = std::result::Result<T, Box<FormatError>>;

/// The scanner: tokens on demand, comments beside them.
pub(super) struct Scanner<'s> {
    cursor: Cursor<'s>,
    /// Decoded scalars.
    pub(super) texts: Texts<'s>,
    /// Comments that were not yet given to a token.
    pub(super) remarks: VecDeque<Remark>,
    queue: VecDeque<Token>,
    /// Number of tokens that left the queue.
    taken: usize,
    started: bool,
    flow: usize,
    /// Column of the innermost block collection, -1 outside of any.
    indent: i32,
    indents: Vec<i32>,
    /// The possible key of each flow level.
    keys: Vec<SimpleKey>,
    /// Number of the token that may be a key, with its level.
    keyed: VecDeque<(usize, usize)>,
    key_allowed: bool,
}

impl<'s> Scanner<'s> {
    /// Reads `source` from byte `start`.
    pub(super) fn new(source: &'s [u8], start: usize) -> Self {
        Self {
            cursor: Cursor::new(source, start),
            texts: Texts::new(source),
            remarks: VecDeque::new(),
            queue: VecDeque::with_capacity(16),
            taken: 0,
            started: false,
            flow: 0,
            indent: -1,
            indents: Vec::new(),
            keys: vec![SimpleKey::default()],
            keyed: VecDeque::new(),
            key_allowed: true,
        }
    }

    /// What is read.
    pub(super) fn source(&self) -> &'s [u8] {
        self.cursor.source
    }

    /// A syntax error at byte `at`.
    pub(super) fn error(&self, at: usize, what: &str) -> Box<FormatError> {
        Box::new(FormatError::at(self.cursor.source, at, Problem::Syntax, what))
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Result<Token> {
        loop {
            if self.queue.len() > 2
                && !self.head_may_be_key()?
                && let Some(token) = self.queue.pop_front()
            {
                self.taken += 1;
                return Ok(token);
            }
            self.fetch()?;
        }
    }

    fn fetch(&mut self) -> Result<()> {
        if !self.started {
            self.started = true;
            self.push(Kind::StreamStart, self.cursor.mark);
            return Ok(());
        }
        let scanned_from = self.cursor.mark;
        self.pass_to_next_token()?;
        self.unroll(self.cursor.mark.column, scanned_from);
        if self.cursor.at_end() {
            return self.stream_end();
        }
        if self.cursor.mark.column == 0 && self.cursor.byte() == b'%' {
            return self.directive();
        }
        if self.cursor.at_document_marker() {
            return self.document_marker();
        }
        let owner = self.comment_owner();
        self.token()?;
        // A comment behind a dash is no line comment: it heads whatever follows.
        if !matches!(self.queue.back(), Some(Token { kind: Kind::BlockEntry, .. })) {
            self.line_comment(owner);
        }
        Ok(())
    }

    /// What a comment behind the token at the cursor belongs to: behind `:` and `,` the token before.
    fn comment_owner(&self) -> Mark {
        let separator = if self.flow == 0 { b':' } else { b',' };
        match self.queue.back() {
            Some(before) if self.cursor.byte() == separator => before.start,
            _ => self.cursor.mark,
        }
    }

    fn token(&mut self) -> Result<()> {
        match self.cursor.byte() {
            b'[' => self.flow_start(Kind::FlowListStart),
            b'{' => self.flow_start(Kind::FlowMapStart),
            b']' => self.flow_end(Kind::FlowListEnd),
            b'}' => self.flow_end(Kind::FlowMapEnd),
            b',' => self.flow_entry(),
            b'-' if self.cursor.gap_at(1) => self.block_entry(),
            b'?' if self.flow > 0 || self.cursor.gap_at(1) => self.key(),
            b':' if self.flow > 0 || self.cursor.gap_at(1) => self.value(),
            b'*' | b'&' => self.anchor(),
            b'!' => self.tag(),
            b'|' | b'>' if self.flow == 0 => self.block_scalar(),
            b'\'' => self.single_quoted(),
            b'"' => self.double_quoted(),
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                Err(self.error(self.cursor.mark.at(), "character that cannot start any token"))
            }
            _ => self.plain(),
        }
    }

    fn pass_to_next_token(&mut self) -> Result<()> {
        let scanned_from = self.cursor.mark;
        loop {
            while self.cursor.byte() == b' ' || (self.cursor.byte() == b'\t' && (self.flow > 0 || !self.key_allowed)) {
                self.cursor.skip_blank();
            }
            self.raise_comment_behind_dash();
            if self.cursor.byte() == b'#' {
                self.comments(scanned_from);
            }
            if !self.cursor.break_at(0) {
                return Ok(());
            }
            self.cursor.skip_break();
            if self.flow == 0 {
                self.key_allowed = true;
            }
        }
    }

    fn stream_end(&mut self) -> Result<()> {
        let mark = &mut self.cursor.mark;
        if mark.column != 0 {
            mark.column = 0;
            mark.line += 1;
        }
        self.close_blocks()?;
        self.push(Kind::StreamEnd, self.cursor.mark);
        Ok(())
    }

    fn document_marker(&mut self) -> Result<()> {
        self.close_blocks()?;
        let kind = if self.cursor.byte() == b'-' { Kind::DocumentStart } else { Kind::DocumentEnd };
        self.push_ascii(kind, 3);
        Ok(())
    }

    /// Ends all block collections, as a document's end does.
    fn close_blocks(&mut self) -> Result<()> {
        self.unroll(-1, self.cursor.mark);
        self.remove_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn flow_start(&mut self, kind: Kind) -> Result<()> {
        self.save_key()?;
        self.keys.push(SimpleKey { number: self.next_number(), mark: self.cursor.mark, ..SimpleKey::default() });
        self.flow += 1;
        if self.flow > MAX_DEPTH {
            return Err(self.error(self.cursor.mark.at(), "nested too deeply"));
        }
        self.key_allowed = true;
        self.push_ascii(kind, 1);
        Ok(())
    }

    fn flow_end(&mut self, kind: Kind) -> Result<()> {
        self.remove_key()?;
        if self.flow > 0 {
            self.flow -= 1;
            if let Some(key) = self.keys.pop() {
                self.forget_key(key.number);
            }
        }
        self.key_allowed = false;
        self.push_ascii(kind, 1);
        Ok(())
    }

    fn flow_entry(&mut self) -> Result<()> {
        self.remove_key()?;
        self.key_allowed = true;
        self.push_ascii(Kind::FlowEntry, 1);
        Ok(())
    }

    fn block_entry(&mut self) -> Result<()> {
        if self.flow == 0 {
            if !self.key_allowed {
                return Err(self.error(self.cursor.mark.at(), "list entry where none can start"));
            }
            self.roll(self.cursor.mark, None, Kind::ListStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.push_ascii(Kind::BlockEntry, 1);
        Ok(())
    }

    fn key(&mut self) -> Result<()> {
        if self.flow == 0 {
            if !self.key_allowed {
                return Err(self.error(self.cursor.mark.at(), "key where none can start"));
            }
            self.roll(self.cursor.mark, None, Kind::MapStart)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow == 0;
        self.push_ascii(Kind::Key, 1);
        Ok(())
    }

    fn value(&mut self) -> Result<()> {
        let level = self.keys.len() - 1;
        if self.key_is_valid(level)? {
            let SimpleKey { number, mark, .. } = self.keys[level];
            self.insert(Some(number), Token { kind: Kind::Key, start: mark, end: mark.at() as u32 });
            self.roll(mark, Some(number), Kind::MapStart)?;
            self.keys[level].possible = false;
            self.forget_key(number);
            self.key_allowed = false;
        } else {
            if self.flow == 0 {
                if !self.key_allowed {
                    return Err(self.error(self.cursor.mark.at(), "map value where none can start"));
                }
                self.roll(self.cursor.mark, None, Kind::MapStart)?;
            }
            self.key_allowed = self.flow == 0;
        }
        self.push_ascii(Kind::Value, 1);
        Ok(())
    }

    /// Appends a token of zero width.
    fn push(&mut self, kind: Kind, mark: Mark) {
        self.queue.push_back(Token { kind, start: mark, end: mark.at() as u32 });
    }

    /// Appends the token that the next `width` ASCII characters are.
    fn push_ascii(&mut self, kind: Kind, width: usize) {
        let start = self.cursor.mark;
        self.cursor.skip_ascii(width);
        self.queue.push_back(Token { kind, start, end: self.cursor.mark.at() as u32 });
    }

    /// Inserts a token before the one with this number, or appends it if that one has left.
    fn insert(&mut self, number: Option<usize>, token: Token) {
        match number.and_then(|number| number.checked_sub(self.taken)) {
            Some(place) => self.queue.insert(place, token),
            None => self.queue.push_back(token),
        }
    }
}
