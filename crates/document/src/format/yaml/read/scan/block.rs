//! Block scalars: `|` and `>` with their indicators.

use super::super::cursor::{Mark, is_blank};
use super::super::text::Text;
use super::super::token::{Kind, Token};
use super::{Result, Scanner};
use crate::Style;

/// What becomes of the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomp {
    Strip,
    Clip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn block_scalar(&mut self) -> Result<()> {
        self.remove_key()?;
        self.key_allowed = true;
        let start = self.cursor.mark;
        let style = if self.cursor.byte() == b'|' { Style::Literal } else { Style::Folded };
        self.cursor.skip_ascii(1);
        let (chomp, increment) = self.block_header(start)?;
        let header_end = self.cursor.mark.at();
        self.rest_of_header(start)?;
        let mut indent = match increment {
            0 => 0,
            more => self.indent.max(0) + more,
        };
        let (text, end) = self.block_content(&mut indent, style, chomp, start)?;
        self.queue.push_back(Token { kind: Kind::Scalar(style, text), start, end: end.unwrap_or(header_end) as u32 });
        Ok(())
    }

    /// The chomping and the indentation indicator, in either order.
    fn block_header(&mut self, start: Mark) -> Result<(Chomp, i32)> {
        let mut chomp = self.chomp();
        let mut increment = 0;
        if let digit @ b'0'..=b'9' = self.cursor.byte() {
            if digit == b'0' {
                return Err(self.error(start.at(), "block scalar with indentation 0"));
            }
            increment = i32::from(digit - b'0');
            self.cursor.skip_ascii(1);
            chomp = chomp.or_else(|| self.chomp());
        }
        Ok((chomp.unwrap_or(Chomp::Clip), increment))
    }

    fn chomp(&mut self) -> Option<Chomp> {
        let chomp = match self.cursor.byte() {
            b'+' => Chomp::Keep,
            b'-' => Chomp::Strip,
            _ => return None,
        };
        self.cursor.skip_ascii(1);
        Some(chomp)
    }

    fn rest_of_header(&mut self, start: Mark) -> Result<()> {
        self.cursor.skip_blanks();
        if self.cursor.byte() == b'#' {
            self.line_comment(start);
        }
        if !self.cursor.line_ends_at(0) {
            return Err(self.error(start.at(), "text behind the start of a block scalar"));
        }
        self.cursor.skip_break();
        Ok(())
    }

    /// The text, and where its last line ends if there is one.
    fn block_content(
        &mut self,
        indent: &mut i32,
        style: Style,
        chomp: Chomp,
        start: Mark,
    ) -> Result<(Text, Option<usize>)> {
        let mut blank_lines = Vec::new();
        let mut line_break: &[u8] = b"";
        let mut was_indented = false;
        let mut end = None;
        self.texts.begin();
        self.block_breaks(indent, &mut blank_lines, start)?;
        while self.cursor.mark.column == *indent && !self.cursor.at_end() {
            let is_indented = is_blank(self.cursor.byte());
            if style == Style::Folded && !was_indented && !is_indented && line_break == b"\n" {
                if blank_lines.is_empty() {
                    self.texts.push(b" ");
                }
            } else {
                self.texts.push(line_break);
            }
            self.texts.push(&blank_lines);
            blank_lines.clear();
            was_indented = is_indented;
            let line = self.cursor.mark.at()..self.cursor.line_end();
            end = Some(line.end);
            self.pass_content_line(line);
            line_break = self.cursor.skip_break();
            self.block_breaks(indent, &mut blank_lines, start)?;
        }
        if chomp != Chomp::Strip {
            self.texts.push(line_break);
        }
        if chomp == Chomp::Keep {
            self.texts.push(&blank_lines);
        }
        Ok((self.texts.finish(), end))
    }

    fn pass_content_line(&mut self, line: std::ops::Range<usize>) {
        let text = &self.cursor.source[line.clone()];
        self.texts.push(text);
        if text.iter().all(|byte| is_blank(*byte)) {
            self.cursor.skip_blanks();
        } else {
            self.cursor.skip_text(line.end);
        }
    }

    /// Passes indentation and blank lines, and finds the indentation out if it is not known yet.
    fn block_breaks(&mut self, indent: &mut i32, breaks: &mut Vec<u8>, start: Mark) -> Result<()> {
        let mut widest = 0;
        loop {
            let indents = |column| *indent == 0 || column < *indent;
            while indents(self.cursor.mark.column) && self.cursor.byte() == b' ' {
                self.cursor.skip_blank();
            }
            widest = widest.max(self.cursor.mark.column);
            if indents(self.cursor.mark.column) && self.cursor.byte() == b'\t' {
                return Err(self.error(start.at(), "tab in the indentation of a block scalar"));
            }
            let kept = self.cursor.skip_break();
            if kept.is_empty() {
                break;
            }
            breaks.extend_from_slice(kept);
        }
        if *indent == 0 {
            *indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
