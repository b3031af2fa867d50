//! Lines and columns of byte offsets, for many offsets in one pass.

use std::ops::Range;

use crate::finding::Span;
use crate::work;

/// Spans of ranges of `text`, in the order of `ranges`. One pass over the text, however many there are and however
/// long its lines.
pub(crate) fn spans(text: &[u8], ranges: &[Range<usize>]) -> Vec<Span> {
    let mut offsets: Vec<usize> = ranges.iter().flat_map(|range| [range.start, last(range), range.end]).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let points = points(text, &offsets);
    let point = |offset: usize| {
        let index = offsets.binary_search(&offset).expect("every offset of a range was put into the list");
        points[index]
    };
    ranges.iter().map(|range| span(point(range.start), point(last(range)), range)).collect()
}

/// The lines that `range` stands on, without the last line end.
pub(crate) fn line_range(text: &[u8], range: &Range<usize>) -> Range<usize> {
    let start = memchr::memrchr(b'\n', &text[..range.start]).map_or(0, |newline| newline + 1);
    let from = range.end.max(start);
    work::count(range.start - start);
    let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |newline| from + newline);
    work::count(end - from);
    start..end
}

/// Offset of the last byte; of an empty range its place.
fn last(range: &Range<usize>) -> usize {
    range.end.saturating_sub(1).max(range.start)
}

#[derive(Clone, Copy, Debug)]
struct Point {
    offset: usize,
    line: usize,
    line_start: usize,
    /// Code points between the line's start and the offset.
    code_points: usize,
    /// Whether a code point starts here.
    starts: bool,
}

fn span(start: Point, last: Point, range: &Range<usize>) -> Span {
    let filled = !range.is_empty();
    Span {
        start_line: start.line,
        end_line: last.line,
        start_column: start.code_points + 1,
        end_column: last.code_points + usize::from(filled && last.starts),
        start_byte_column: start.offset - start.line_start + 1,
        end_byte_column: last.offset - last.line_start + usize::from(filled),
    }
}

/// `offsets` ascending.
fn points(text: &[u8], offsets: &[usize]) -> Vec<Point> {
    let (mut position, mut line, mut line_start, mut code_points) = (0, 1, 0, 0);
    let mut points = Vec::with_capacity(offsets.len());
    for &offset in offsets {
        let passed = &text[position..offset];
        work::count(passed.len());
        if let Some(newline) = memchr::memrchr(b'\n', passed) {
            line += memchr::memchr_iter(b'\n', passed).count();
            line_start = position + newline + 1;
            code_points = 0;
            position = line_start;
        }
        code_points += text[position..offset].iter().filter(|byte| starts_code_point(**byte)).count();
        position = offset;
        let starts = text.get(offset).is_some_and(|byte| starts_code_point(*byte));
        points.push(Point { offset, line, line_start, code_points, starts });
    }
    points
}

/// A byte that does not continue a UTF-8 sequence: code points are counted by these, whatever else stands between.
fn starts_code_point(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, needle: &str) -> [usize; 6] {
        let start = text.find(needle).unwrap();
        let range = start..start + needle.len();
        let span = spans(text.as_bytes(), std::slice::from_ref(&range))[0];
        [
            span.start_line,
            span.end_line,
            span.start_column,
            span.end_column,
            span.start_byte_column,
            span.end_byte_column,
        ]
    }

    #[test]
    fn columns_count_from_one_on_every_line() {
        assert_eq!(of("token", "token"), [1, 1, 1, 5, 1, 5]);
        assert_eq!(of("a\ntoken\n", "token"), [2, 2, 1, 5, 1, 5]);
        assert_eq!(of("a\r\n\n  token", "token"), [3, 3, 3, 7, 3, 7]);
        assert_eq!(of("x one\ntwo three", "one\ntwo"), [1, 2, 3, 3, 3, 3]);
    }

    #[test]
    fn columns_are_code_points_and_bytes() {
        assert_eq!(of("a\nüü töken", "töken"), [2, 2, 4, 8, 6, 11]);
        assert_eq!(of("ö", "ö"), [1, 1, 1, 1, 1, 2]);
    }

    #[test]
    fn an_empty_match_ends_before_it_starts() {
        assert_eq!(of("ab\ncd", ""), [1, 1, 1, 0, 1, 0]);
        let span = spans(b"ab\ncd", std::slice::from_ref(&(4..4)))[0];
        assert_eq!((span.start_line, span.start_column, span.end_column), (2, 2, 1));
    }

    #[test]
    fn many_ranges_agree_with_one_by_one() {
        let text = "α one\ntwo\n\nüthree four".repeat(7);
        let ranges: Vec<_> = (0..text.len() - 5).map(|start| start..start + start % 5).collect();
        let together = spans(text.as_bytes(), &ranges);
        for (range, span) in ranges.iter().zip(&together) {
            assert_eq!(spans(text.as_bytes(), std::slice::from_ref(range))[0], *span);
        }
    }

    #[test]
    fn lines_of_a_range() {
        assert_eq!(line_range(b"ab\ncd\nef", &(4..4)), 3..5);
        assert_eq!(line_range(b"ab\ncd\nef", &(1..7)), 0..8);
        assert_eq!(line_range(b"ab\ncd\nef", &(0..1)), 0..2);
    }
}
