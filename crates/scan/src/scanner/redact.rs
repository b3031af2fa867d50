//! What of a text may be shown.

use std::ops::Range;

use crate::finding::Shown;
use crate::scanner::Redaction;
use crate::work;

const HIDDEN: &str = "REDACTED";
/// Bytes shown on either side of a match that stands on a long line.
const AROUND: usize = 120;

/// The secrets of one text: merged ranges, ascending.
#[derive(Debug, Default)]
pub(crate) struct Masks(Vec<Range<usize>>);

impl Masks {
    /// Merges ranges that overlap.
    pub(crate) fn new(mut ranges: Vec<Range<usize>>) -> Self {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        Self(merged)
    }

    fn within(&self, range: &Range<usize>) -> impl Iterator<Item = &Range<usize>> {
        let first = self.0.partition_point(|mask| mask.end <= range.start);
        let end = range.end;
        self.0[first..].iter().take_while(move |mask| mask.start < end)
    }
}

impl Redaction {
    /// The secret itself.
    pub(crate) fn secret(self, secret: &[u8]) -> Shown {
        Shown::new(self.hide(secret))
    }

    /// A part of a text with every secret in it hidden, and every other occurrence of `secrets` too: one secret as it
    /// stands in the views of a content, decoded and not.
    pub(crate) fn part(self, text: &[u8], range: &Range<usize>, masks: &Masks, secrets: &[&[u8]]) -> Shown {
        if self.shows_all() {
            return Shown::new(lossy(&text[range.clone()]));
        }
        let mut shown = String::new();
        let mut position = range.start;
        for mask in masks.within(range) {
            let from = mask.start.max(range.start);
            shown.push_str(&self.hide_in(&text[position..from], secrets));
            shown.push_str(&self.hide(&text[mask.clone()]));
            position = mask.end.min(range.end);
        }
        shown.push_str(&self.hide_in(&text[position..range.end], secrets));
        Shown::new(shown)
    }

    fn shows_all(self) -> bool {
        matches!(self, Self::Off | Self::Percent(0))
    }

    fn hide(self, secret: &[u8]) -> String {
        match self {
            Self::Off | Self::Percent(0) => lossy(secret),
            Self::Percent(percent) if percent < 100 => {
                let keep = (secret.len() as f64 * f64::from(100 - percent) / 100.0).round_ties_even() as usize;
                let whole = std::str::from_utf8(secret).map_or(keep, |text| text.floor_char_boundary(keep));
                format!("{}...", lossy(&secret[..whole]))
            }
            Self::Full | Self::Percent(_) => HIDDEN.to_owned(),
        }
    }

    fn hide_in(self, text: &[u8], secrets: &[&[u8]]) -> String {
        let Some((secret, rest)) = secrets.split_first() else { return lossy(text) };
        if secret.is_empty() {
            return self.hide_in(text, rest);
        }
        // The text may have been cut within an occurrence: neither a long head nor a long tail of one is shown.
        let start = overlap(secret, text).unwrap_or(0);
        let end = overlap(&text[start..], secret).map_or(text.len(), |head| text.len() - head);
        let mut shown = String::new();
        if start > 0 {
            shown.push_str(&self.hide(&text[..start]));
        }
        let whole = &text[start..end];
        let mut position = 0;
        while let Some(found) = find(&whole[position..], secret).map(|at| at + position) {
            shown.push_str(&self.hide_in(&whole[position..found], rest));
            shown.push_str(&self.hide(secret));
            position = found + secret.len();
        }
        shown.push_str(&self.hide_in(&whole[position..], rest));
        if end < text.len() {
            shown.push_str(&self.hide(&text[end..]));
        }
        shown
    }
}

/// Where a secret stands in a text. Lines are short and many: to make a searcher for each would be dearer than the search.
fn find(text: &[u8], secret: &[u8]) -> Option<usize> {
    let last = text.len().checked_sub(secret.len())?;
    match last <= SHORT {
        true => memchr::memchr_iter(secret[0], &text[..=last]).find(|at| text[*at..].starts_with(secret)),
        false => memchr::memmem::find(text, secret),
    }
}

/// So many places are tried one by one.
const SHORT: usize = 512;

/// Fewest bytes of a secret that are worth hiding.
const PART: usize = 8;

/// How many of the last bytes of `first`, if more than a few, are the first of `then`. No text is cut further from a match
/// than [`AROUND`].
fn overlap(first: &[u8], then: &[u8]) -> Option<usize> {
    let most = first.len().min(then.len()).min(AROUND);
    let last = *first.last()?;
    let lengths = memchr::memrchr_iter(last, &then[..most]).map(|at| at + 1).take_while(|length| *length >= PART);
    let mut equal = lengths.filter(|length| first[first.len() - length..] == then[..*length]);
    equal.next()
}

/// As much of the lines of `matched` as is shown.
pub(crate) fn excerpt(text: &[u8], matched: &Range<usize>) -> Range<usize> {
    let from = matched.start.saturating_sub(AROUND);
    let to = matched.end.saturating_add(AROUND).min(text.len());
    let start = memchr::memrchr(b'\n', &text[from..matched.start]).map_or(from, |newline| from + newline + 1);
    let end = memchr::memchr(b'\n', &text[matched.end..to]).map_or(to, |newline| matched.end + newline);
    work::count(end - start);
    start..end
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(redaction: Redaction, masks: &[Range<usize>]) -> String {
        let text = b"key = abcdefgh; again abcdefgh; other = 12345678";
        let masks = Masks::new(masks.to_vec());
        redaction.part(text, &(0..text.len()), &masks, &[b"abcdefgh"]).as_str().to_owned()
    }

    #[test]
    fn occurrences_that_were_cut_are_hidden() {
        let secret: &[u8] = b"0123456789abcdef";
        let shown = |text: &[u8]| Redaction::Full.hide_in(text, &[b"other", secret]);
        assert_eq!(
            shown(b"6789abcdef and 0123456789abcdef, other, 0123456789"),
            "REDACTED and REDACTED, REDACTED, REDACTED"
        );
        assert_eq!(shown(b"cdef and 0123"), "cdef and 0123");
    }

    #[test]
    fn every_secret_of_a_line_is_hidden() {
        let masks = [6..14, 40..48, 44..47];
        assert_eq!(shown(Redaction::Full, &masks), "key = REDACTED; again REDACTED; other = REDACTED");
        assert_eq!(shown(Redaction::Percent(50), &masks), "key = abcd...; again abcd...; other = 1234...");
        assert_eq!(shown(Redaction::Off, &masks), "key = abcdefgh; again abcdefgh; other = 12345678");
        assert_eq!(shown(Redaction::Percent(0), &masks), shown(Redaction::Off, &masks));
        assert_eq!(shown(Redaction::Percent(100), &masks), shown(Redaction::Full, &masks));
    }

    #[test]
    fn a_part_that_cuts_a_secret_shows_none_of_it() {
        let text = b"abcdefgh";
        let masks = Masks::new(Vec::from([2..6, 3..4]));
        assert_eq!(Redaction::Full.part(text, &(4..8), &masks, &[]).as_str(), "REDACTEDgh");
        assert_eq!(Redaction::Full.part(text, &(0..3), &masks, &[]).as_str(), "abREDACTED");
    }

    #[test]
    fn percent_rounds_half_to_even_and_keeps_characters_whole() {
        assert_eq!(Redaction::Percent(50).secret(b"abcde").as_str(), "ab...");
        assert_eq!(Redaction::Percent(50).secret(b"abcdefg").as_str(), "abcd...");
        assert_eq!(Redaction::Percent(75).secret("aöbcd".as_bytes()).as_str(), "a...");
    }

    #[test]
    fn long_lines_are_cut_round_the_match() {
        let text = [&[b'x'; 1000][..], b"\n", &[b'y'; 50], b"\n", &[b'z'; 50]].concat();
        assert_eq!(excerpt(&text, &(500..510)), 380..630);
        assert_eq!(excerpt(&text, &(990..1000)), 870..1000);
        assert_eq!(excerpt(&text, &(1010..1020)), 1001..1051);
        assert_eq!(excerpt(&text, &(1060..1060)), 1052..1102);
    }
}
