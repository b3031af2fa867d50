//! Quoted scalars with their escapes.

use super::super::cursor::{Mark, Stops, break_width};
use super::super::text::Text;
use super::super::token::{Kind, Token};
use super::{Result, Scanner};
use crate::Style;

static STOPS: Stops<5> = Stops::new(b"'\"\\\n\r");
static RUN_STOPS: Stops<7> = Stops::new(b"'\"\\ \t\n\r");

/// Columns start at 0, so no tab is left of this one.
const NO_TAB_LIMIT: i32 = 0;

impl Scanner<'_> {
    pub(super) fn single_quoted(&mut self) -> Result<()> {
        self.quoted(Style::SingleQuoted, b'\'')
    }

    pub(super) fn double_quoted(&mut self) -> Result<()> {
        self.quoted(Style::DoubleQuoted, b'"')
    }

    fn quoted(&mut self, style: Style, quote: u8) -> Result<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        self.cursor.skip_ascii(1);
        let text = match self.literal_end(quote) {
            Some(end) => {
                let text = Text::source(self.cursor.mark.at(), end);
                self.cursor.skip_text(end);
                text
            }
            None => self.decode(start, quote)?,
        };
        self.cursor.skip_ascii(1);
        self.queue.push_back(Token { kind: Kind::Scalar(style, text), start, end: self.cursor.mark.at() as u32 });
        Ok(())
    }

    /// Where the closing quote is, if the text up to it stands for itself.
    fn literal_end(&self, quote: u8) -> Option<usize> {
        let source = self.cursor.source;
        let mut at = self.cursor.mark.at();
        loop {
            at = STOPS.next(source, at);
            match *source.get(at)? {
                byte if byte == quote => {
                    let doubled = quote == b'\'' && source.get(at + 1) == Some(&quote);
                    return (!doubled).then_some(at);
                }
                b'\\' if quote == b'"' => return None,
                b'\n' | b'\r' | 0xC2 | 0xE2 if break_width(&source[at..]) > 0 => return None,
                _ => at += 1,
            }
        }
    }

    fn decode(&mut self, start: Mark, quote: u8) -> Result<Text> {
        self.texts.begin();
        loop {
            if self.cursor.at_document_marker() {
                return Err(self.error(self.cursor.mark.at(), "document marker inside a quoted scalar"));
            }
            if self.cursor.at_end() {
                return Err(self.error(start.at(), "quoted scalar without end"));
            }
            let escaped_break = self.decode_run(start, quote)?;
            if self.cursor.byte() == quote {
                return Ok(self.texts.finish());
            }
            let gap = self.gap(escaped_break, NO_TAB_LIMIT)?;
            if gap.breaks {
                gap.fold(&mut self.texts);
            } else {
                self.texts.push(&self.cursor.source[gap.blanks]);
            }
        }
    }

    /// Text without blanks. Says whether it ended with an escaped line break.
    fn decode_run(&mut self, start: Mark, quote: u8) -> Result<bool> {
        while !self.cursor.gap_at(0) {
            match self.cursor.byte() {
                b'\'' if quote == b'\'' && self.cursor.peek(1) == b'\'' => {
                    self.texts.push(b"'");
                    self.cursor.skip_ascii(2);
                }
                byte if byte == quote => break,
                b'\\' if quote == b'"' => {
                    if self.cursor.break_at(1) {
                        self.cursor.skip_ascii(1);
                        self.cursor.skip_break();
                        return Ok(true);
                    }
                    self.escape(start)?;
                }
                _ => self.copy_run(),
            }
        }
        Ok(false)
    }

    /// Copies text up to the next character that may mean something.
    fn copy_run(&mut self) {
        let source = self.cursor.source;
        let start = self.cursor.mark.at();
        let mut end = RUN_STOPS.next(source, start + 1);
        while matches!(source.get(end), Some(0xC2 | 0xE2)) && break_width(&source[end..]) == 0 {
            end = RUN_STOPS.next(source, end + 1);
        }
        self.texts.push(&source[start..end]);
        self.cursor.skip_text(end);
    }

    fn escape(&mut self, start: Mark) -> Result<()> {
        let (text, digits): (&str, usize) = match self.cursor.peek(1) {
            b'0' => ("\0", 0),
            b'a' => ("\x07", 0),
            b'b' => ("\x08", 0),
            b't' | b'\t' => ("\t", 0),
            b'n' => ("\n", 0),
            b'v' => ("\x0B", 0),
            b'f' => ("\x0C", 0),
            b'r' => ("\r", 0),
            b'e' => ("\x1B", 0),
            b' ' => (" ", 0),
            b'"' => ("\"", 0),
            b'\'' => ("'", 0),
            b'\\' => ("\\", 0),
            b'N' => ("\u{85}", 0),
            b'_' => ("\u{A0}", 0),
            b'L' => ("\u{2028}", 0),
            b'P' => ("\u{2029}", 0),
            b'x' => ("", 2),
            b'u' => ("", 4),
            b'U' => ("", 8),
            _ => return Err(self.error(self.cursor.mark.at(), "unknown escape")),
        };
        if digits > 0 {
            return self.escaped_code(start, digits);
        }
        self.texts.push(text.as_bytes());
        self.cursor.skip_ascii(2);
        Ok(())
    }

    /// `\x`, `\u` and `\U` with their digits.
    fn escaped_code(&mut self, start: Mark, digits: usize) -> Result<()> {
        let code = self.cursor.rest(2).get(..digits).unwrap_or_default();
        let mut value = Some(0_u32).filter(|_| code.len() == digits);
        for byte in code {
            let digit = char::from(*byte).to_digit(16);
            value = value.zip(digit).and_then(|(value, digit)| value.checked_mul(16)?.checked_add(digit));
        }
        match value.and_then(char::from_u32) {
            Some(letter) => {
                self.texts.push(letter.encode_utf8(&mut [0; 4]).as_bytes());
                self.cursor.skip_ascii(2 + digits);
                Ok(())
            }
            None => Err(self.error(start.at(), "quoted scalar with an escape that is no character")),
        }
    }
}
