//! Simple keys and indentation: what begins and ends block collections without a token of its own.

use super::super::MAX_DEPTH;
use super::super::cursor::Mark;
use super::super::token::{Kind, Token};
use super::{Result, Scanner};

/// A place where a key without `?` may have started: it is one if `:` follows in time.
#[derive(Clone, Copy, Default)]
pub(super) struct SimpleKey {
    pub(super) possible: bool,
    /// Whether nothing but a key can stand here.
    pub(super) required: bool,
    /// Number of its first token.
    pub(super) number: usize,
    pub(super) mark: Mark,
}

impl Scanner<'_> {
    /// Longest simple key, in characters.
    const KEY_LENGTH: i32 = 1024;

    /// Number that the next token to be appended gets.
    pub(super) fn next_number(&self) -> usize {
        self.taken + self.queue.len()
    }

    /// Whether a `MapStart` or `Key` may still have to be put in front of the queue.
    pub(super) fn head_may_be_key(&mut self) -> Result<bool> {
        while let Some(&(number, level)) = self.keyed.front() {
            if number >= self.taken {
                return Ok(number == self.taken && level < self.keys.len() && self.key_is_valid(level)?);
            }
            self.keyed.pop_front();
        }
        Ok(false)
    }

    /// Whether a `:` at the cursor makes a key of the candidate of this flow level.
    pub(super) fn key_is_valid(&mut self, level: usize) -> Result<bool> {
        let here = self.cursor.mark;
        let key = &mut self.keys[level];
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < here.line || key.mark.index + Self::KEY_LENGTH < here.index {
            if key.required {
                let at = key.mark.at();
                return Err(self.error(at, "no ':' after a key"));
            }
            key.possible = false;
        }
        Ok(self.keys[level].possible)
    }

    /// Notes that a key may start at the cursor.
    pub(super) fn save_key(&mut self) -> Result<()> {
        let required = self.flow == 0 && self.indent == self.cursor.mark.column;
        if self.key_allowed {
            self.remove_key()?;
            let number = self.next_number();
            let level = self.keys.len() - 1;
            self.keys[level] = SimpleKey { possible: true, required, number, mark: self.cursor.mark };
            self.keyed.push_back((number, level));
        }
        Ok(())
    }

    /// Gives up the candidate of the current flow level.
    pub(super) fn remove_key(&mut self) -> Result<()> {
        let level = self.keys.len() - 1;
        let SimpleKey { possible, required, number, mark } = self.keys[level];
        if possible {
            if required {
                return Err(self.error(mark.at(), "no ':' after a key"));
            }
            self.keys[level].possible = false;
            self.forget_key(number);
        }
        Ok(())
    }

    pub(super) fn forget_key(&mut self, number: usize) {
        if let Some(place) = self.keyed.iter().rposition(|(keyed, _)| *keyed == number) {
            self.keyed.remove(place);
        }
    }

    /// Begins a block collection at `mark` if that is deeper than the present one. Its start token goes in
    /// front of the token with this number, or to the end.
    pub(super) fn roll(&mut self, mark: Mark, number: Option<usize>, kind: Kind) -> Result<()> {
        if self.flow > 0 || self.indent >= mark.column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = mark.column;
        if self.indents.len() > MAX_DEPTH {
            return Err(self.error(mark.at(), "nested too deeply"));
        }
        self.insert(number, Token { kind, start: mark, end: mark.at() as u32 });
        Ok(())
    }

    /// Ends the block collections that are deeper than `column`.
    ///
    /// Comments behind a collection at its own column belong into it, later and less indented ones to those
    /// around it. So the end is put in front of the first of the latest comments that is at its column.
    pub(super) fn unroll(&mut self, column: i32, scanned_from: Mark) {
        if self.flow > 0 {
            return;
        }
        let mut end = scanned_from;
        end.index -= 1;
        while self.indent > column {
            let mut stop = end.index;
            for remark in self.remarks.iter().rev() {
                if remark.end < stop {
                    break;
                }
                if remark.start.column == self.indent + 1 {
                    end = remark.start;
                }
                stop = remark.scanned_from;
            }
            self.push(Kind::BlockEnd, end);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
}
