//! Which lines are new: Git's default line diff.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput, sources};

/// Git leaves out equal ends in blocks of this size before it compares, and so groups of lines cannot slide into them.
const TAIL_BLOCK: usize = 1024;

/// Above this many bytes in both together the whole content counts as new; the comparison would take too much memory.
const MOST_BYTES: usize = 256 << 20;

/// Every line.
pub(crate) const EVERYTHING: Range<usize> = 1..usize::MAX;

/// The lines of `new` that `old` does not have, numbered from 1, as half open ranges in ascending order.
pub(crate) fn added(old: &[u8], new: &[u8]) -> Vec<Range<usize>> {
    if old.is_empty() || old.len() + new.len() > MOST_BYTES {
        return vec![EVERYTHING];
    }
    let (old, new) = trimmed(old, new);
    let input = InternedInput::new(sources::byte_lines(old), sources::byte_lines(new));
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_lines(&input);
    let number = |line: u32| line as usize + 1;
    diff.hunks()
        .filter(|hunk| !hunk.after.is_empty())
        .map(|hunk| number(hunk.after.start)..number(hunk.after.end))
        .collect()
}

/// The bytes of ascending ranges of lines.
pub(crate) fn cut<'t>(text: &'t [u8], ranges: &[Range<usize>]) -> Vec<(Range<usize>, &'t [u8])> {
    let mut out = Vec::with_capacity(ranges.len());
    let (mut line, mut at) = (1, 0);
    let go = |to: usize, line: &mut usize, at: &mut usize| {
        while *line < to && *at < text.len() {
            *at = memchr::memchr(b'\n', &text[*at..]).map_or(text.len(), |length| *at + length + 1);
            *line += 1;
        }
    };
    for range in ranges {
        go(range.start, &mut line, &mut at);
        let start = at;
        go(range.end, &mut line, &mut at);
        if start < at {
            out.push((range.clone(), &text[start..at]));
        }
    }
    out
}

/// Both without their common end, cut at a line.
fn trimmed<'a>(old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let shorter = old.len().min(new.len());
    let mut equal = 0;
    while equal + TAIL_BLOCK <= shorter
        && old[old.len() - equal - TAIL_BLOCK..old.len() - equal]
            == new[new.len() - equal - TAIL_BLOCK..new.len() - equal]
    {
        equal += TAIL_BLOCK;
    }
    let line = memchr::memchr(b'\n', &old[old.len() - equal..]).map_or(equal, |at| at + 1);
    let equal = equal - line;
    (&old[..old.len() - equal], &new[..new.len() - equal])
}

/// What is in both lists of ranges.
pub(crate) fn common(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut common = Vec::new();
    let (mut a, mut b) = (0, 0);
    while let (Some(left), Some(right)) = (one.get(a), other.get(b)) {
        let both = left.start.max(right.start)..left.end.min(right.end);
        if !both.is_empty() {
            common.push(both);
        }
        if left.end <= right.end { a += 1 } else { b += 1 }
    }
    common
}

/// Everything from line 1 on that is in none of the ranges.
pub(crate) fn outside(ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut start = 1;
    let mut outside = Vec::new();
    for range in ranges {
        if start < range.start {
            outside.push(start..range.start);
        }
        start = range.end;
    }
    outside.push(start..usize::MAX);
    outside
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "ranges are what is compared")]
mod tests {
    use super::*;

    #[test]
    fn added_lines_are_those_of_git() {
        let cases: [(&str, &str, &[Range<usize>]); 7] = [
            ("", "a\n", &[EVERYTHING]),
            ("a\n", "a\n", &[]),
            ("a\nb\n", "a\nx\nb\n", &[2..3]),
            ("a\nb\n", "a\nb", &[2..3]),
            ("a\r\nb\n", "a\nb\n", &[1..2]),
            ("a\nb\nc\n", "x\nb\ny\nz\n", &[1..2, 3..5]),
            ("a\nb\n", "b\n", &[]),
        ];
        for (old, new, want) in cases {
            assert_eq!(added(old.as_bytes(), new.as_bytes()), want, "{old:?} {new:?}");
        }
    }

    #[test]
    fn common_ranges() {
        assert_eq!(common(&[1..4, 6..9], &[2..7, 8..20]), [2..4, 6..7, 8..9]);
        assert!(common(&[1..2], &[2..3]).is_empty());
        assert_eq!(outside(&[2..4, 9..10]), [1..2, 4..9, 10..usize::MAX]);
    }

    #[test]
    fn lines_are_cut_out() {
        let pieces = |text: &'static str, ranges: &[Range<usize>]| {
            cut(text.as_bytes(), ranges).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>()
        };
        assert_eq!(pieces("a\nb\nc\nd", &[1..2, 3..5]), [&b"a\n"[..], b"c\nd"]);
        assert_eq!(pieces("a\n", &[EVERYTHING]), [b"a\n"]);
        assert!(pieces("a\n", &[2..3]).is_empty());
    }
}
