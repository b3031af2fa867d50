//! What a backslash makes of the next character.

use regex_syntax::hir::Look;

use super::item::Item;
use super::{Parser, class};
use crate::error::PatternError;

impl Parser<'_> {
    pub(super) fn escape(&mut self) -> Result<(), PatternError> {
        let rest = self.rest();
        match rest.as_bytes().get(1) {
            Some(b'A') => self.look(2, Look::Start),
            Some(b'z') => self.look(2, Look::End),
            Some(b'b') => self.look(2, Look::WordAscii),
            Some(b'B') => self.look(2, Look::WordAsciiNegate),
            Some(b'Q') => return self.quoted(),
            _ => {
                if let Some((class, len)) = class::escaped(rest, self.flags.fold, self.at)? {
                    self.at += len;
                    return self.push(Item::Class(class));
                }
                let (character, len) = character(rest, self.at)?;
                self.at += len;
                self.literal(character)?;
            }
        }
        Ok(())
    }

    /// `\Q…\E`; without an end it goes to the end of the pattern.
    fn quoted(&mut self) -> Result<(), PatternError> {
        let text = &self.rest()[2..];
        let end = text.find(r"\E");
        for character in text[..end.unwrap_or(text.len())].chars() {
            self.literal(u32::from(character))?;
        }
        self.at += 2 + end.map_or(text.len(), |end| end + 2);
        Ok(())
    }
}

/// The character that an escape at the start of `text` stands for, and the length of the escape. `at` is its offset.
pub(super) fn character(text: &str, at: usize) -> Result<(u32, usize), PatternError> {
    let letter = text[1..].chars().next().ok_or_else(|| PatternError::new(at, "a backslash at the end"))?;
    let octal = |byte: Option<&u8>| byte.is_some_and(|byte| (b'0'..=b'7').contains(byte));
    let plain = match letter {
        '0' => return Ok(digits(text)),
        '1'..='7' if octal(text.as_bytes().get(2)) => return Ok(digits(text)),
        '1'..='9' => return Err(PatternError::new(at, "back-references are not supported")),
        'x' => {
            return hexadecimal(text).ok_or_else(|| PatternError::new(at, "`\\x` needs two hexadecimal digits or {…}"));
        }
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => letter,
        letter => return Err(PatternError::new(at, format!("the escape `\\{}` is unknown", letter.escape_default()))),
    };
    Ok((u32::from(plain), 2))
}

/// Up to three octal digits.
fn digits(text: &str) -> (u32, usize) {
    let digits = text.bytes().skip(1).take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
    digits.fold((0, 1), |(value, len), digit| (value * 8 + u32::from(digit - b'0'), len + 1))
}

/// `\xHH` or `\x{H…}`.
fn hexadecimal(text: &str) -> Option<(u32, usize)> {
    let valid = |digits: &&str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (digits, len) = match text.strip_prefix("\\x{") {
        Some(braced) => braced.split_once('}').map(|(digits, _)| (digits, digits.len() + 4))?,
        None => (text.get(2..4)?, 4),
    };
    let digits = Some(digits).filter(valid)?.trim_start_matches('0');
    let value = if digits.is_empty() { 0 } else { u32::from_str_radix(digits, 16).ok()? };
    (value <= u32::from(char::MAX)).then_some((value, len))
}
