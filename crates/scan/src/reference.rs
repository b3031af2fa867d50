//! The slow search: every rule over the whole text. The fast one must find the same; tests compare them.

use std::ops::Range;
use std::sync::LazyLock;

use bstr::ByteSlice;
use memchr::memmem::Finder;

use crate::machine;
use crate::rule::Rule;

/// All matches of a rule, whole text, if one of its keywords stands in it.
pub(crate) fn matches(rule: &Rule, text: &[u8], found: &mut Vec<Range<usize>>) {
    let Some(regex) = &rule.regex else { return };
    if rule.keywords.is_empty() || rule.keywords.iter().any(|keyword| holds(text, keyword)) {
        machine::matches(regex, text, 0..text.len(), found);
    }
}

/// Whether a keyword stands in a text, in any case.
pub(crate) fn holds(text: &[u8], keyword: &str) -> bool {
    match keyword.is_ascii() && !has_odd_letters(text) {
        true => text.to_ascii_lowercase().contains_str(keyword.to_ascii_lowercase()),
        false => text.to_lowercase().replace("\u{17F}", "s").contains_str(keyword.to_lowercase()),
    }
}

/// Whether a text holds one of the two characters outside ASCII that stand for an ASCII letter in any-case patterns:
/// the Kelvin sign for k and the long s for s.
pub(crate) fn has_odd_letters(text: &[u8]) -> bool {
    static KELVIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\u{212A}"));
    static LONG_S: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\u{17F}"));
    KELVIN.find(text).is_some() || LONG_S.find(text).is_some()
}

/// Every place of an ASCII keyword in any case, overlapping ones too.
pub(crate) fn places(text: &[u8], keyword: &str) -> Vec<usize> {
    let keyword = keyword.as_bytes();
    let is_there = |window: &[u8]| window.eq_ignore_ascii_case(keyword);
    text.windows(keyword.len().max(1)).enumerate().filter(|(_, window)| is_there(window)).map(|(at, _)| at).collect()
}
