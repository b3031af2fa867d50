//! Comments: which stand above, behind and below a token.
//!
//! The additional data of an encrypted comment is the path it is attached to, so the rules are go-yaml's to
//! the letter, including how they read a CRLF break (twice) and their look-ahead of 512 bytes.

use super::super::cursor::{Mark, is_blank};
use super::super::token::{Kind, Line, Remark, Role, Token};
use super::Scanner;
use crate::Span;

/// Furthest look past blanks and blank lines for the next comment.
const LOOK_AHEAD: usize = 512;

/// A block of comment lines while it is read.
struct Block {
    lines: Vec<Line>,
    start: Mark,
    due: i32,
    scanned_from: i32,
    /// Line and column (from 1) of the byte that is looked at.
    line: i32,
    column: i32,
    /// Whether the last line seen was blank.
    after_blank: bool,
    /// Whether no blank line was seen so far.
    unbroken: bool,
}

impl Block {
    /// Whether it starts left of the innermost block collection.
    fn dedented(&self, indent: i32) -> bool {
        self.start.column - 1 < indent
    }

    fn take(&mut self, role: Role, due: i32, end: i32) -> Remark {
        let lines = std::mem::take(&mut self.lines);
        Remark { role, lines, due, scanned_from: self.scanned_from, start: self.start, end }
    }

    /// Closes what was read so far as comments below what precedes.
    fn take_foot(&mut self, end: i32) -> Remark {
        let foot = self.take(Role::Foot, self.due, end);
        self.scanned_from = end;
        self.due = end;
        foot
    }
}

impl Scanner<'_> {
    /// Reads a comment behind a token on its line, for the token at `owner`.
    pub(super) fn line_comment(&mut self, owner: Mark) {
        if self.cursor.newlines > 0 {
            return;
        }
        let rest = self.cursor.rest(0);
        let blanks = rest.iter().take(LOOK_AHEAD).take_while(|byte| is_blank(**byte)).count();
        if blanks == LOOK_AHEAD || rest.get(blanks) != Some(&b'#') {
            return;
        }
        self.cursor.skip_blanks();
        let start = self.cursor.mark;
        let lines = vec![self.comment_text()];
        self.remarks.push_back(Remark { role: Role::Line, lines, due: owner.index, scanned_from: 0, start, end: 0 });
    }

    /// Passes a comment from its `#` to the end of the line.
    fn comment_text(&mut self) -> Line {
        let start = self.cursor.mark.at() + 1;
        let end = self.cursor.line_end();
        self.cursor.skip_text(end);
        Some(Span { start: start as u32, end: end as u32 })
    }

    /// A comment behind the dash of a first list entry stands above what the entry holds.
    pub(super) fn raise_comment_behind_dash(&mut self) {
        let last = self.queue.len().wrapping_sub(1);
        let opens_list = last > 0
            && last < self.queue.len()
            && matches!(self.queue[last].kind, Kind::BlockEntry)
            && matches!(self.queue[last - 1].kind, Kind::ListStart);
        let Some(remark) = self.remarks.back_mut() else { return };
        if opens_list && remark.role == Role::Line && !self.cursor.break_at(0) {
            remark.role = Role::Head;
            if remark.start.line == self.cursor.mark.line - 1 {
                remark.due = self.cursor.mark.index;
            }
        }
    }

    /// Reads the comment at the cursor and those that follow it before the next token.
    pub(super) fn comments(&mut self, scanned_from: Mark) {
        let token = self.token_before_comment();
        let indent = self.indent.max(0);
        let here = self.cursor.mark;
        let foot_line = self.foot_line(scanned_from);
        let mut block = Block {
            lines: Vec::new(),
            start: Mark::default(),
            due: token.start.index,
            scanned_from: scanned_from.index,
            line: here.line,
            column: here.column,
            after_blank: false,
            unbroken: self.cursor.newlines <= 1,
        };
        let mut ahead = 0;
        while ahead < LOOK_AHEAD {
            block.column += 1;
            let byte = self.cursor.peek(ahead);
            let closes = self.flow > 0 && matches!(byte, b']' | b'}');
            if is_blank(byte) {
                ahead += 1;
                continue;
            }
            if closes || self.cursor.line_ends_at(ahead) {
                let touches = block.start.line == foot_line && !matches!(token.kind, Kind::Value);
                let is_foot = closes || (block.unbroken && (touches || block.dedented(indent)));
                self.end_of_comment_line(&mut block, ahead, closes, is_foot, indent);
                if !self.cursor.break_at(ahead) {
                    break;
                }
                block.unbroken = false;
                block.after_blank = true;
                block.column = 0;
                block.line += 1;
                ahead += 1;
                continue;
            }
            let moved = block.column - 1 < indent && block.column != block.start.column;
            if !block.lines.is_empty() && moved {
                let foot = block.take_foot(self.cursor.mark.index + ahead as i32);
                self.remarks.push_back(foot);
            }
            if byte != b'#' {
                break;
            }
            self.take_comment_line(&mut block, ahead);
            // The byte of the break itself is passed over.
            ahead = 1;
        }
        if !block.lines.is_empty() {
            let due = block.start.index;
            let head = block.take(Role::Head, due, self.cursor.mark.index + ahead as i32 - 1);
            self.remarks.push_back(head);
        }
    }

    /// The first line end after a comment decides whether the comment was the foot of what precedes it.
    fn end_of_comment_line(&mut self, block: &mut Block, ahead: usize, closes: bool, is_foot: bool, indent: i32) {
        if block.lines.is_empty() || (block.after_blank && !closes) {
            return;
        }
        if is_foot {
            if block.dedented(indent) {
                block.due = block.start.index;
            }
            let foot = block.take_foot(self.cursor.mark.index + ahead as i32);
            self.remarks.push_back(foot);
        } else if self.cursor.peek(ahead) != 0 {
            block.lines.push(None);
        }
    }

    /// Passes blanks and breaks up to the `#` that stands `ahead` bytes further on, and the comment.
    fn take_comment_line(&mut self, block: &mut Block, ahead: usize) {
        let at = self.cursor.mark.at() + ahead;
        if block.lines.is_empty() {
            let index = self.cursor.mark.index + ahead as i32;
            block.start = Mark::new(at, index, block.line, block.column);
        }
        block.after_blank = false;
        while self.cursor.mark.at() < at {
            if self.cursor.skip_break().is_empty() {
                self.cursor.skip_blank();
            }
        }
        block.lines.push(self.comment_text());
        block.column = 0;
        block.line = self.cursor.mark.line;
    }

    /// The last token, or the one before it if that is a comma.
    fn token_before_comment(&self) -> Token {
        let last = self.queue.len() - 1;
        match self.queue[last].kind {
            Kind::FlowEntry if last > 0 => self.queue[last - 1],
            _ => self.queue[last],
        }
    }

    /// Line on which a comment must start to be below the preceding content without a gap.
    fn foot_line(&self, scanned_from: Mark) -> i32 {
        let Mark { line, column, .. } = self.cursor.mark;
        let newlines = self.cursor.newlines;
        match scanned_from.line {
            0 => -1,
            _ if newlines == 0 && column > 1 => line - newlines + 2,
            _ => line - newlines + 1,
        }
    }
}
