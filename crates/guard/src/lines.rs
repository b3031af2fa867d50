//! From byte offsets to lines and columns, for many offsets of one file.

use scan::Span;

use crate::breach::point;

/// Where the lines of a text begin. LF, CRLF and CR end a line, as the document parsers have it.
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let mut starts = vec![0];
        for index in memchr::memchr2_iter(b'\n', b'\r', text) {
            if text[index] == b'\n' || text.get(index + 1) != Some(&b'\n') {
                starts.push(index + 1);
            }
        }
        Self { text, starts }
    }

    /// The place of a byte offset.
    pub(crate) fn at(&self, offset: usize) -> Span {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = &self.text[start..offset];
        point(line, String::from_utf8_lossy(before).chars().count() + 1, before.len() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_parsers_end_them() {
        let lines = Lines::new("a\r\nbé c\rd\n".as_bytes());
        let at = |offset| {
            let span = lines.at(offset);
            (span.start_line, span.start_column, span.start_byte_column)
        };
        assert_eq!(at(0), (1, 1, 1));
        assert_eq!(at(3), (2, 1, 1));
        assert_eq!(at(6), (2, 3, 4));
        assert_eq!(at(9), (3, 1, 1));
        assert_eq!(at(99), (4, 1, 1));
    }
}
