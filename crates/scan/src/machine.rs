//! A rule's regular expression as the engine runs it: over parts of a text, seeing what stands round them.

use std::ops::Range;

use pattern::Pattern;
use regex_automata::meta::Cache;
use regex_automata::util::captures::Captures;
use regex_automata::util::iter::Searcher;
use regex_automata::{Anchored, Input};

use crate::work;

/// What one worker keeps for one expression: the states of its automata that were met, and room for groups. The
/// expression has a store of these of its own, but hands them out by thread, and what threads that have ended had is
/// lost in it.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    cache: Option<Cache>,
    groups: Option<Captures>,
}

impl Machine {
    /// Bytes of what is kept, about.
    pub(crate) fn memory(&self) -> usize {
        self.cache.as_ref().map_or(0, Cache::memory_usage)
    }

    /// Adds every leftmost-first match that does not overlap the one before and lies within `part`.
    pub(crate) fn matches(
        &mut self,
        pattern: &Pattern,
        text: &[u8],
        part: Range<usize>,
        found: &mut Vec<Range<usize>>,
    ) {
        work::count(part.len());
        let regex = pattern.regex();
        let cache = self.cache.get_or_insert_with(|| regex.create_cache());
        let mut searcher = Searcher::new(Input::new(text).span(part));
        while let Some(next) = searcher.advance(|input| Ok(regex.search_with(cache, input))) {
            found.push(next.range());
        }
    }

    /// The secret of a match: group `wanted`, or with 0 the first group that is not empty; `None` if there is no such.
    pub(crate) fn secret(
        &mut self,
        pattern: &Pattern,
        text: &[u8],
        matched: &Range<usize>,
        wanted: usize,
    ) -> Option<Range<usize>> {
        if pattern.group_count() == 0 {
            return None;
        }
        let regex = pattern.regex();
        if regex.captures_len() < 2 {
            return None;
        }
        work::count(matched.len());
        let cache = self.cache.get_or_insert_with(|| regex.create_cache());
        let groups = self.groups.get_or_insert_with(|| regex.create_captures());
        let input = Input::new(text).span(matched.clone()).anchored(Anchored::Yes);
        regex.search_captures_with(cache, &input, groups);
        let group = |index: usize| groups.get_group(index).map(|span| span.range());
        match wanted {
            0 => (1..groups.group_len()).filter_map(group).find(|range| !range.is_empty()),
            index => Some(group(index).unwrap_or(matched.start..matched.start)),
        }
    }
}
