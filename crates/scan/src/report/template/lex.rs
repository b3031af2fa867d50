//! The words of a template: text, and what stands between `{{` and `}}`.

use super::TemplateError;

/// A word and the byte offset it begins at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) at: usize,
    pub(super) token: Token,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// Blanks; they part `$x .Field` from `$x.Field`.
    Space,
    Word(String),
    /// `.Name`
    Field(String),
    Dot,
    /// `$` or `$name`, with the sign.
    Variable(String),
    Quoted(String),
    Int(i64),
    Float(f64),
    Pipe,
    Left,
    Right,
    Declare,
    Assign,
    Comma,
}

type Lexed<T> = Result<T, TemplateError>;

/// All words of a template.
pub(super) fn items(source: &str) -> Lexed<Vec<Item>> {
    let mut lexer = Lexer { source, at: 0, items: Vec::new() };
    let mut trim_next = false;
    loop {
        let rest = &source[lexer.at..];
        let open = rest.find("{{");
        let mut text = &rest[..open.unwrap_or(rest.len())];
        let start = lexer.at;
        if trim_next {
            text = text.trim_start_matches(is_blank);
        }
        let after = &rest[open.map_or(rest.len(), |open| open + 2)..];
        let trims = after.starts_with('-') && after[1..].starts_with(is_blank);
        if trims {
            text = text.trim_end_matches(is_blank);
        }
        if !text.is_empty() {
            lexer.items.push(Item { at: start, token: Token::Text(text.to_owned()) });
        }
        let Some(open) = open else { return Ok(lexer.items) };
        lexer.at += open + 2 + usize::from(trims);
        trim_next = lexer.action(start + open)?;
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    items: Vec<Item>,
}

impl<'s> Lexer<'s> {
    fn error<T>(&self, at: usize, what: &str) -> Lexed<T> {
        Err(TemplateError::new(self.source, at, what.to_owned()))
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn push(&mut self, length: usize, token: Token) {
        self.items.push(Item { at: self.at, token });
        self.at += length;
    }

    /// One action up to its `}}`; says whether that was ` -}}`.
    fn action(&mut self, open: usize) -> Lexed<bool> {
        let inner = self.rest().trim_start_matches(is_blank);
        if inner.starts_with("/*") {
            return self.comment(open);
        }
        self.items.push(Item { at: open, token: Token::Open });
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
            let bare = &rest[blanks..];
            if bare.starts_with("}}") || (blanks > 0 && bare.starts_with("-}}")) {
                let trims = bare.starts_with('-');
                self.at += blanks;
                self.push(2 + usize::from(trims), Token::Close);
                return Ok(trims);
            }
            if blanks > 0 {
                self.push(blanks, Token::Space);
            } else {
                self.word(open)?;
            }
        }
    }

    fn comment(&mut self, open: usize) -> Lexed<bool> {
        let Some(end) = self.rest().find("*/") else { return self.error(open, "unclosed comment") };
        self.at += end + 2;
        let bare = self.rest().trim_start_matches(is_blank);
        let blanks = self.rest().len() - bare.len();
        let trims = blanks > 0 && bare.starts_with("-}}");
        if !trims && !self.rest().starts_with("}}") {
            return self.error(open, "comment ends before closing delimiter");
        }
        self.at += if trims { blanks + 3 } else { 2 };
        Ok(trims)
    }

    fn word(&mut self, open: usize) -> Lexed<()> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return self.error(open, "unclosed action") };
        let second = rest[first.len_utf8()..].chars().next();
        match first {
            '|' => self.push(1, Token::Pipe),
            '(' => self.push(1, Token::Left),
            ')' => self.push(1, Token::Right),
            ',' => self.push(1, Token::Comma),
            '=' => self.push(1, Token::Assign),
            ':' if second == Some('=') => self.push(2, Token::Declare),
            '"' => return self.quoted('"'),
            '`' => return self.raw(),
            '\'' => return self.quoted('\''),
            '.' if second.is_some_and(is_name) && !second.is_some_and(|digit| digit.is_ascii_digit()) => {
                let name = name(&rest[1..]);
                self.push(1 + name.len(), Token::Field(name.to_owned()));
            }
            '.' if !second.is_some_and(|digit| digit.is_ascii_digit()) => self.push(1, Token::Dot),
            '$' => {
                let length = 1 + name(&rest[1..]).len();
                self.push(length, Token::Variable(rest[..length].to_owned()));
            }
            '0'..='9' | '.' | '+' | '-' => return self.number(),
            _ if is_name(first) => {
                let name = name(rest);
                self.push(name.len(), Token::Word(name.to_owned()));
            }
            _ => return self.error(self.at, "unexpected character in an action"),
        }
        Ok(())
    }

    fn raw(&mut self) -> Lexed<()> {
        match self.rest()[1..].find('`') {
            Some(end) => {
                let text = self.rest()[1..1 + end].to_owned();
                self.push(end + 2, Token::Quoted(text));
                Ok(())
            }
            None => self.error(self.at, "unterminated raw quoted string"),
        }
    }

    /// `"…"` with Go's escapes, or a character constant, which is a number.
    fn quoted(&mut self, quote: char) -> Lexed<()> {
        let start = self.at;
        let body = &self.rest()[1..];
        let mut bytes = Vec::new();
        let mut characters = body.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\n' => break,
                _ if character == quote => {
                    let Ok(text) = String::from_utf8(bytes) else { return self.error(start, "string is not UTF-8") };
                    let token = if quote == '"' { Token::Quoted(text) } else { self.character(start, &text)? };
                    self.push(at + 2, token);
                    return Ok(());
                }
                '\\' => {
                    let Some((taken, escaped)) = escape(&body[at + 1..], quote) else {
                        return self.error(start + 1 + at, "invalid escape in a string");
                    };
                    bytes.extend(escaped);
                    for _ in body[at + 1..at + 1 + taken].chars() {
                        characters.next();
                    }
                }
                _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.error(start, if quote == '"' { "unterminated quoted string" } else { "unterminated character constant" })
    }

    fn character(&self, start: usize, text: &str) -> Lexed<Token> {
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(only), None) => Ok(Token::Int(i64::from(u32::from(only)))),
            _ => self.error(start, "malformed character constant"),
        }
    }

    fn number(&mut self) -> Lexed<()> {
        let rest = self.rest();
        let is_part = |(at, character): (usize, char)| {
            let after_exponent = at > 0 && rest[..at].ends_with(['e', 'E']) && !rest.starts_with("0x");
            is_name(character) || character == '.' || (matches!(character, '+' | '-') && (at == 0 || after_exponent))
        };
        let length = rest.char_indices().find(|&item| !is_part(item)).map_or(rest.len(), |(at, _)| at);
        let word = rest[..length].replace('_', "");
        match number(&word) {
            Some(token) => {
                self.push(length, token);
                Ok(())
            }
            None => self.error(self.at, "bad number syntax"),
        }
    }
}

fn number(word: &str) -> Option<Token> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let radix = |prefix: &str, radix| {
        let digits = digits.strip_prefix(prefix)?;
        i64::from_str_radix(&format!("{}{digits}", if negative { "-" } else { "" }), radix).ok().map(Token::Int)
    };
    let lower = digits.to_ascii_lowercase();
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if lower.starts_with(prefix) {
            return radix(&digits[..2], base);
        }
    }
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return radix("0", 8);
    }
    if let Ok(number) = word.parse::<i64>() {
        return Some(Token::Int(number));
    }
    let starts = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    word.parse::<f64>().ok().filter(|number| starts && number.is_finite()).map(Token::Float)
}

/// What follows a backslash: how many bytes of the source it takes, and the bytes it stands for.
fn escape(rest: &str, quote: char) -> Option<(usize, Vec<u8>)> {
    let first = rest.chars().next()?;
    let simple = match first {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        _ if first == quote => quote as u8,
        'x' => return Some((3, vec![u8::from_str_radix(rest.get(1..3)?, 16).ok()?])),
        'u' => return code_point(rest.get(1..5)?, 5),
        'U' => return code_point(rest.get(1..9)?, 9),
        '0'..='7' => return Some((3, vec![u8::from_str_radix(rest.get(0..3)?, 8).ok()?])),
        _ => return None,
    };
    Some((1, vec![simple]))
}

fn code_point(digits: &str, taken: usize) -> Option<(usize, Vec<u8>)> {
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((taken, character.to_string().into_bytes()))
}

fn is_name(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

fn name(rest: &str) -> &str {
    &rest[..rest.find(|character| !is_name(character)).unwrap_or(rest.len())]
}
