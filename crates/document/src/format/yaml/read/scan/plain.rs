//! Plain scalars, and the folding of lines that they share with quoted ones.

use std::ops::Range;

use super::super::cursor::{Stops, break_width, is_blank};
use super::super::text::{Text, Texts};
use super::super::token::{Kind, Token};
use super::{Result, Scanner};
use crate::Style;

static BLOCK_STOPS: Stops<5> = Stops::new(b" \t\n\r:");
static FLOW_STOPS: Stops<11> = Stops::new(b" \t\n\r:,?[]{}");

/// Blanks and line breaks inside a scalar.
pub(super) struct Gap<'s> {
    /// Bytes of the blanks in front of the first break.
    pub(super) blanks: Range<usize>,
    /// Whether it holds a line break (or follows an escaped one).
    pub(super) breaks: bool,
    first: &'s [u8],
    more: Vec<u8>,
}

impl Gap<'_> {
    /// Writes what a gap with a break stands for: one break is a space, of several the first is dropped.
    pub(super) fn fold(&self, texts: &mut Texts<'_>) {
        if self.first != b"\n" {
            texts.push(self.first);
            texts.push(&self.more);
        } else if self.more.is_empty() {
            texts.push(b" ");
        } else {
            texts.push(&self.more);
        }
    }
}

impl<'s> Scanner<'s> {
    pub(super) fn plain(&mut self) -> Result<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let indent = self.indent + 1;
        let mut end = start.at();
        let mut gap: Option<Gap<'s>> = None;
        let mut decoded = false;
        while !self.cursor.at_document_marker() && self.cursor.byte() != b'#' {
            let segment = self.cursor.mark.at()..self.plain_segment_end();
            if !segment.is_empty() {
                if let Some(gap) = gap.take().filter(|gap| gap.breaks) {
                    if !decoded {
                        decoded = true;
                        self.texts.begin();
                        self.texts.push(&self.cursor.source[start.at()..end]);
                    }
                    gap.fold(&mut self.texts);
                    self.texts.push(&self.cursor.source[segment.clone()]);
                }
                end = segment.end;
                self.cursor.skip_text(end);
            }
            if !self.cursor.gap_at(0) || self.cursor.at_end() {
                break;
            }
            gap = Some(self.gap(false, indent)?);
            if self.flow == 0 && self.cursor.mark.column < indent {
                break;
            }
        }
        // A key may follow on the next line.
        if gap.is_some_and(|gap| gap.breaks) {
            self.key_allowed = true;
        }
        let text = if decoded { self.texts.finish() } else { Text::source(start.at(), end) };
        self.queue.push_back(Token { kind: Kind::Scalar(Style::Plain, text), start, end: end as u32 });
        Ok(())
    }

    /// Where the text at the cursor ends on this line, without blanks at its end.
    fn plain_segment_end(&self) -> usize {
        let source = self.cursor.source;
        let mut at = self.cursor.mark.at();
        let mut end = at;
        loop {
            let run = if self.flow == 0 { BLOCK_STOPS.next(source, at) } else { FLOW_STOPS.next(source, at) };
            if run > at {
                (at, end) = (run, run);
            }
            let Some(&byte) = source.get(at) else { break };
            match byte {
                b' ' | b'\t' => {
                    at += 1;
                    if source.get(at) == Some(&b'#') {
                        break;
                    }
                    continue;
                }
                b':' if self.ends_key(at + 1) => break,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if self.flow > 0 => break,
                b'\n' | b'\r' | 0xC2 | 0xE2 if break_width(&source[at..]) > 0 => break,
                _ => {}
            }
            at += 1;
            end = at;
        }
        end
    }

    fn ends_key(&self, at: usize) -> bool {
        self.cursor.source.get(at).is_none_or(|byte| is_blank(*byte)) || break_width(&self.cursor.source[at..]) > 0
    }

    /// Passes blanks and breaks. `breaks` says that an (escaped) break was passed already; a tab left of
    /// `tab_limit` behind a break is refused.
    pub(super) fn gap(&mut self, breaks: bool, tab_limit: i32) -> Result<Gap<'s>> {
        let start = self.cursor.mark.at();
        let mut gap = Gap { blanks: start..start, breaks, first: b"", more: Vec::new() };
        loop {
            if is_blank(self.cursor.byte()) {
                if gap.breaks && self.cursor.byte() == b'\t' && self.cursor.mark.column < tab_limit {
                    return Err(self.error(self.cursor.mark.at(), "tab in the indentation of a plain scalar"));
                }
                self.cursor.skip_blank();
                continue;
            }
            let at = self.cursor.mark.at();
            let kept = self.cursor.skip_break();
            if kept.is_empty() {
                if !gap.breaks {
                    gap.blanks.end = at;
                }
                return Ok(gap);
            }
            if gap.breaks {
                gap.more.extend_from_slice(kept);
            } else {
                gap.breaks = true;
                gap.first = kept;
            }
        }
    }
}
