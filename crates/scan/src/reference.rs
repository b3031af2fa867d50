//! The slow search: every rule over the whole text. The fast one must find the same; tests compare them.

use std::cell::OnceCell;
use std::ops::Range;

use bstr::ByteSlice;

use crate::fold;
use crate::machine::Machine;
use crate::rule::Rule;

/// A text in lower case, for keywords.
#[derive(Debug)]
pub(crate) struct Lowered<'a> {
    text: &'a [u8],
    ascii: OnceCell<Vec<u8>>,
    all: OnceCell<Vec<u8>>,
}

impl<'a> Lowered<'a> {
    /// Nothing is folded before a keyword asks.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, ascii: OnceCell::new(), all: OnceCell::new() }
    }

    /// Whether a keyword stands in the text, in any case.
    pub(crate) fn holds(&self, keyword: &str) -> bool {
        match keyword.is_ascii() {
            true => self
                .ascii
                .get_or_init(|| fold::plain(self.text).to_ascii_lowercase())
                .contains_str(keyword.to_ascii_lowercase()),
            false => self.all.get_or_init(|| self.text.to_lowercase()).contains_str(keyword.to_lowercase()),
        }
    }
}

/// All matches of a rule, whole text, if one of its keywords stands in it.
pub(crate) fn matches(
    rule: &Rule,
    text: &[u8],
    lowered: &Lowered<'_>,
    machine: &mut Machine,
    found: &mut Vec<Range<usize>>,
) {
    let Some(regex) = &rule.regex else { return };
    if rule.keywords.is_empty() || rule.keywords.iter().any(|keyword| lowered.holds(keyword)) {
        machine.matches(regex, text, 0..text.len(), found);
    }
}

/// Every place of an ASCII keyword in any case, overlapping ones too.
pub(crate) fn places(text: &[u8], keyword: &str) -> Vec<usize> {
    let keyword = keyword.as_bytes();
    let is_there = |window: &[u8]| window.eq_ignore_ascii_case(keyword);
    text.windows(keyword.len().max(1)).enumerate().filter(|(_, window)| is_there(window)).map(|(at, _)| at).collect()
}
