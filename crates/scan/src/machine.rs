//! A rule's regular expression as the engine runs it: over parts of a text, seeing what stands round them.

use std::ops::Range;

use pattern::Pattern;
use regex_automata::{Anchored, Input};

use crate::work;

/// Adds every leftmost-first match that does not overlap the one before and lies within `part`.
pub(crate) fn matches(pattern: &Pattern, text: &[u8], part: Range<usize>, found: &mut Vec<Range<usize>>) {
    work::count(part.len());
    let input = Input::new(text).span(part);
    found.extend(pattern.regex().find_iter(input).map(|found| found.range()));
}

/// The secret of a match: group `wanted`, or with 0 the first group that is not empty; `None` if there is no such.
pub(crate) fn secret(pattern: &Pattern, text: &[u8], matched: &Range<usize>, wanted: usize) -> Option<Range<usize>> {
    let regex = pattern.regex();
    if regex.captures_len() < 2 {
        return None;
    }
    work::count(matched.len());
    let mut captures = regex.create_captures();
    regex.captures(Input::new(text).span(matched.clone()).anchored(Anchored::Yes), &mut captures);
    let group = |index: usize| captures.get_group(index).map(|span| span.range());
    match wanted {
        0 => (1..captures.group_len()).filter_map(group).find(|range| !range.is_empty()),
        index => Some(group(index).unwrap_or(matched.start..matched.start)),
    }
}
