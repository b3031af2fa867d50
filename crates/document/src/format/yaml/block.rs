//! Block scalars in an existing file: their header, and how a text fits under it.

use super::lines;

/// The header of a block scalar.
#[derive(Clone, Copy)]
pub(super) struct Header {
    /// `|` or `>`.
    sign: u8,
    /// Chomping indicator, if any.
    chomp: Option<u8>,
    /// Indentation indicator, if any.
    digit: Option<u8>,
    pub(super) start: usize,
    /// Behind the indicators.
    pub(super) end: usize,
    /// End of the header's line: its comment ends here.
    pub(super) line_end: usize,
}

impl Header {
    /// The header at `start`, if a block scalar starts there.
    pub(super) fn read(source: &[u8], start: usize) -> Option<Self> {
        let sign = source.get(start).copied().filter(|sign| matches!(sign, b'|' | b'>'))?;
        let mut header = Self { sign, chomp: None, digit: None, start, end: start + 1, line_end: 0 };
        while let Some(&byte) = source.get(header.end) {
            match byte {
                b'+' | b'-' => header.chomp = Some(byte),
                b'1'..=b'9' => header.digit = Some(byte - b'0'),
                _ => break,
            }
            header.end += 1;
        }
        header.line_end = lines::end(source, header.end);
        Some(header)
    }

    /// The same header for a text without a line break at its end.
    pub(super) fn stripping(&self) -> Vec<u8> {
        [Some(self.sign), self.digit.map(|digit| b'0' + digit), Some(b'-')].into_iter().flatten().collect()
    }

    /// Column of the content that ends at `end`, in a collection at column `base`; `None` if there is no content.
    pub(super) fn indent(&self, source: &[u8], end: usize, base: usize) -> Option<usize> {
        if let Some(digit) = self.digit {
            return Some(base + usize::from(digit));
        }
        let mut at = lines::next(source, self.line_end);
        while at < end {
            if !lines::is_empty(source, at) {
                return Some(source[at..].iter().take_while(|&&byte| byte == b' ').count());
            }
            at = lines::next(source, at);
        }
        None
    }
}

/// The place that a block scalar gets.
pub(super) struct Room<'s> {
    pub(super) source: &'s [u8],
    /// The header that stands there, if it is to be kept where possible.
    pub(super) header: Option<Header>,
    /// Column of the collection around it.
    pub(super) base: usize,
    /// Column of its content.
    pub(super) indent: usize,
    /// Where the text behind the content goes on: at a line break or the end of the file.
    pub(super) behind: usize,
}

impl Room<'_> {
    /// Header and content (lines without the first break, and without the last one unless the file ends here) of a
    /// block scalar that reads back as `text`, if there is one.
    pub(super) fn fit(&self, text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let body = text.trim_end_matches('\n');
        let breaks = text.len() - body.len();
        if body.is_empty() {
            return self.fit_empty(breaks);
        }
        let last = body.rsplit('\n').next().unwrap_or(body);
        if !body.chars().all(carried) || last.trim_matches([' ', '\t']).is_empty() || self.would_swallow() {
            return None;
        }
        let starts_blank = body.trim_start_matches('\n').starts_with([' ', '\t']);
        let digit = match self.header.and_then(|header| header.digit) {
            None if starts_blank => Some(u8::try_from(self.indent - self.base).ok().filter(|digit| *digit < 10)?),
            digit => digit,
        };
        let folded = self.header.is_some_and(|header| header.sign == b'>') && !body.contains('\n') && !starts_blank;
        let (chomp, missing) = self.chomp(breaks)?;
        let header = self.header(if folded { b'>' } else { b'|' }, digit, chomp);
        Some((header, self.content(body, missing)))
    }

    /// Whether a comment follows that stands so far to the right that a new block scalar would take it in.
    fn would_swallow(&self) -> bool {
        let mut at = lines::next(self.source, self.behind);
        while at < self.source.len() && lines::is_empty(self.source, at) {
            at = lines::next(self.source, at);
        }
        let blanks = self.source[at..].iter().take_while(|&&byte| byte == b' ').count();
        self.header.is_none() && at < self.source.len() && blanks >= self.indent
    }

    /// A text of breaks only stands as blank lines, which are there already or not at all.
    fn fit_empty(&self, breaks: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let header = self.header.filter(|header| header.chomp.is_some() && breaks > 0)?;
        (self.empty_lines() == breaks).then(|| (self.header(header.sign, header.digit, Some(b'+')), Vec::new()))
    }

    fn empty_lines(&self) -> usize {
        lines::empty_lines(self.source, lines::next(self.source, self.behind))
    }

    /// The chomping indicator for a text with so many breaks at its end, and how many breaks are to be added.
    fn chomp(&self, breaks: usize) -> Option<(Option<u8>, usize)> {
        let last = self.behind == self.source.len();
        let keeps = self.header.is_some_and(|header| header.chomp == Some(b'+'));
        let there = if last { 0 } else { 1 + self.empty_lines() };
        match breaks {
            0 => Some((Some(b'-'), 0)),
            1 if keeps && there == 1 => Some((Some(b'+'), 0)),
            1 => Some((None, usize::from(last))),
            more => more.checked_sub(there).map(|missing| (Some(b'+'), missing)),
        }
    }

    fn header(&self, sign: u8, digit: Option<u8>, chomp: Option<u8>) -> Vec<u8> {
        match self.header {
            Some(old) if (old.sign, old.digit, old.chomp) == (sign, digit, chomp) => {
                self.source[old.start..old.end].to_vec()
            }
            _ => [Some(sign), digit.map(|digit| b'0' + digit), chomp].into_iter().flatten().collect(),
        }
    }

    fn content(&self, body: &str, missing: usize) -> Vec<u8> {
        let ending = lines::ending(self.source);
        let mut out = Vec::with_capacity(body.len() + 64);
        for (index, line) in body.split('\n').enumerate() {
            if index > 0 {
                out.extend_from_slice(ending);
            }
            if !line.is_empty() {
                out.resize(out.len() + self.indent, b' ');
                out.extend_from_slice(line.as_bytes());
            }
        }
        out.extend_from_slice(&ending.repeat(missing));
        out
    }
}

/// Characters that a block scalar holds as they are.
fn carried(char: char) -> bool {
    char == '\n' || super::scalar::printed(char)
}
