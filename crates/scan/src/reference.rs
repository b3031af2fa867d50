//! The slow search: every rule over the whole text. The fast one must find the same; tests compare them.

use std::ops::Range;

use bstr::ByteSlice;

use crate::machine::Machine;
use crate::rule::Rule;

/// All matches of a rule, whole text, if one of its keywords stands in it.
pub(crate) fn matches(rule: &Rule, machine: &Machine, text: &[u8], found: &mut Vec<Range<usize>>) {
    if rule.keywords.is_empty() || rule.keywords.iter().any(|keyword| holds(text, keyword)) {
        machine.matches(text, 0..text.len(), found);
    }
}

/// Whether a keyword stands in a text, in any case.
pub(crate) fn holds(text: &[u8], keyword: &str) -> bool {
    match keyword.is_ascii() {
        true => text.to_ascii_lowercase().contains_str(keyword.to_ascii_lowercase()),
        false => text.to_lowercase().contains_str(keyword.to_lowercase()),
    }
}

/// Every place of an ASCII keyword in any case, overlapping ones too.
pub(crate) fn places(text: &[u8], keyword: &str) -> Vec<usize> {
    let keyword = keyword.as_bytes();
    let is_there = |window: &[u8]| window.eq_ignore_ascii_case(keyword);
    text.windows(keyword.len().max(1)).enumerate().filter(|(_, window)| is_there(window)).map(|(at, _)| at).collect()
}
