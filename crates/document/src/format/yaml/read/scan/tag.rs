//! Tags, anchors and aliases.

use super::super::cursor::Mark;
use super::super::text::Text;
use super::super::token::{Kind, Token};
use super::{Result, Scanner};
use crate::Span;

/// Letters of anchors, tag handles and directives.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_uri(byte: u8) -> bool {
    is_word(byte) || b";/?:@&=+$,.!~*'()[]%".contains(&byte)
}

impl Scanner<'_> {
    /// Length of the word `ahead` bytes further on.
    pub(super) fn word_length(&self, ahead: usize) -> usize {
        self.cursor.rest(ahead).iter().take_while(|byte| is_word(**byte)).count()
    }

    /// `&name` or `*name`.
    pub(super) fn anchor(&mut self) -> Result<()> {
        self.save_key()?;
        self.key_allowed = false;
        let length = self.word_length(1);
        let ends = self.cursor.gap_at(1 + length)
            || matches!(self.cursor.peek(1 + length), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if length == 0 || !ends {
            return Err(self.error(self.cursor.mark.at(), "anchor or alias without a proper name"));
        }
        let at = self.cursor.mark.at() + 1;
        let name = Span { start: at as u32, end: (at + length) as u32 };
        let kind = if self.cursor.byte() == b'&' { Kind::Anchor(name) } else { Kind::Alias(name) };
        self.push_ascii(kind, 1 + length);
        Ok(())
    }

    /// `!`, `!suffix`, `!handle!suffix` or `!<uri>`.
    pub(super) fn tag(&mut self) -> Result<()> {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.cursor.mark;
        let (handle, suffix) = if self.cursor.peek(1) == b'<' { self.verbatim_tag()? } else { self.short_tag()? };
        if !self.cursor.gap_at(0) {
            return Err(self.error(start.at(), "tag that does not end"));
        }
        self.queue.push_back(Token { kind: Kind::Tag(handle, suffix), start, end: self.cursor.mark.at() as u32 });
        Ok(())
    }

    fn verbatim_tag(&mut self) -> Result<(Span, Text)> {
        let start = self.cursor.mark;
        self.cursor.skip_ascii(2);
        let uri = self.uri(start)?.ok_or_else(|| self.error(start.at(), "empty tag"))?;
        if self.cursor.byte() != b'>' {
            return Err(self.error(start.at(), "tag without '>'"));
        }
        self.cursor.skip_ascii(1);
        Ok((Span::default(), uri))
    }

    fn short_tag(&mut self) -> Result<(Span, Text)> {
        let start = self.cursor.mark;
        let at = start.at();
        let word = self.word_length(1);
        if self.cursor.peek(1 + word) == b'!' {
            self.cursor.skip_ascii(word + 2);
            let suffix = self.uri(start)?.ok_or_else(|| self.error(at, "tag without a name"))?;
            return Ok((Span { start: at as u32, end: (at + word + 2) as u32 }, suffix));
        }
        self.cursor.skip_ascii(1);
        Ok(match self.uri(start)? {
            Some(suffix) => (Span { start: at as u32, end: at as u32 + 1 }, suffix),
            None => (Span::default(), Text::source(at, at + 1)),
        })
    }

    /// Characters of a tag with their escapes decoded, or `None` if there are none.
    pub(super) fn uri(&mut self, start: Mark) -> Result<Option<Text>> {
        let rest = self.cursor.rest(0);
        let length = rest.iter().take_while(|byte| is_uri(**byte)).count();
        if length == 0 {
            return Ok(None);
        }
        let at = self.cursor.mark.at();
        if !rest[..length].contains(&b'%') {
            self.cursor.skip_ascii(length);
            return Ok(Some(Text::source(at, at + length)));
        }
        let decoded = unescape(&rest[..length]).ok_or_else(|| self.error(start.at(), "tag with a bad '%' escape"))?;
        self.cursor.skip_ascii(length);
        self.texts.begin();
        self.texts.push(&decoded);
        Ok(Some(self.texts.finish()))
    }
}

/// Decodes `%xx`; each run of escapes must be one whole UTF-8 character, by its first byte's word.
fn unescape(uri: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(uri.len());
    let mut rest = uri;
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            out.push(*first);
            rest = tail;
            continue;
        }
        let mut missing = None;
        while missing != Some(0) {
            let [b'%', high, low, tail @ ..] = rest else { return None };
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let octet = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
            let left = match missing {
                None => width(octet)?,
                Some(left) if octet & 0xC0 == 0x80 => left,
                Some(_) => return None,
            };
            missing = Some(left - 1);
            out.push(octet);
            rest = tail;
        }
    }
    Some(out)
}

/// Length of the UTF-8 sequence that starts with this byte.
fn width(octet: u8) -> Option<usize> {
    match octet.leading_ones() {
        0 => Some(1),
        ones @ 2..=4 => Some(ones as usize),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_in_tags_are_whole_characters() {
        assert_eq!(unescape(b"a%21%C3%A9").unwrap(), "a!é".as_bytes());
        for bad in [&b"%2"[..], b"%zz", b"%C3x", b"%C3%41", b"%80"] {
            assert_eq!(unescape(bad), None);
        }
    }
}
