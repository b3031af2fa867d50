//! `%YAML` and `%TAG`.

use super::super::cursor::Mark;
use super::super::token::{Kind, Token};
use super::{Result, Scanner};
use crate::Span;

impl Scanner<'_> {
    pub(super) fn directive(&mut self) -> Result<()> {
        self.close_blocks()?;
        let start = self.cursor.mark;
        let length = self.word_length(1);
        let name = &self.cursor.rest(1)[..length];
        if length == 0 || !self.cursor.gap_at(1 + length) {
            return Err(self.error(start.at(), "directive without a proper name"));
        }
        self.cursor.skip_ascii(1 + length);
        let kind = match name {
            b"YAML" => self.version(start)?,
            b"TAG" => self.tag_directive(start)?,
            _ => return Err(self.error(start.at(), "unknown directive")),
        };
        self.queue.push_back(Token { kind, start, end: self.cursor.mark.at() as u32 });
        self.cursor.skip_blanks();
        if self.cursor.byte() == b'#' {
            let end = self.cursor.line_end();
            self.cursor.skip_text(end);
        }
        if !self.cursor.line_ends_at(0) {
            return Err(self.error(start.at(), "text behind a directive"));
        }
        self.cursor.skip_break();
        Ok(())
    }

    fn version(&mut self, start: Mark) -> Result<Kind> {
        self.cursor.skip_blanks();
        let major = self.version_number(start)?;
        if self.cursor.byte() != b'.' {
            return Err(self.error(start.at(), "version without '.'"));
        }
        self.cursor.skip_ascii(1);
        Ok(Kind::Version(major, self.version_number(start)?))
    }

    fn version_number(&mut self, start: Mark) -> Result<u8> {
        let digits = self.cursor.rest(0).iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=2).contains(&digits) {
            return Err(self.error(start.at(), "version without a proper number"));
        }
        let number = self.cursor.rest(0)[..digits].iter().fold(0, |number, digit| number * 10 + (digit - b'0'));
        self.cursor.skip_ascii(digits);
        Ok(number)
    }

    fn tag_directive(&mut self, start: Mark) -> Result<Kind> {
        self.cursor.skip_blanks();
        let at = self.cursor.mark.at();
        let word = self.word_length(1);
        let length = match (self.cursor.byte(), self.cursor.peek(1 + word)) {
            (b'!', b'!') => word + 2,
            (b'!', _) if word == 0 => 1,
            _ => return Err(self.error(start.at(), "tag directive without a proper handle")),
        };
        self.cursor.skip_ascii(length);
        let blank = self.cursor.mark.at();
        self.cursor.skip_blanks();
        if self.cursor.mark.at() == blank {
            return Err(self.error(start.at(), "tag directive without a prefix"));
        }
        let prefix = self.uri(start)?.ok_or_else(|| self.error(start.at(), "tag directive without a prefix"))?;
        if !self.cursor.gap_at(0) {
            return Err(self.error(start.at(), "tag directive that does not end"));
        }
        Ok(Kind::TagDirective(Span { start: at as u32, end: (at + length) as u32 }, prefix))
    }
}
