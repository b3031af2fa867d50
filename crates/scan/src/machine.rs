//! A rule's regular expression as the engine runs it: over parts of a text, seeing what stands round them.

use std::ops::Range;

use pattern::Pattern;
use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

/// Counted repetitions such as `[\w-]{50,1000}` make large programs; more than this is not run.
const SIZE_LIMIT: usize = 64 << 20;

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    regex: Regex,
}

impl Machine {
    /// Compiles; `None` if the program would be too large.
    pub(crate) fn new(pattern: &Pattern) -> Option<Self> {
        let config = Regex::config().nfa_size_limit(Some(SIZE_LIMIT)).utf8_empty(false);
        let built = Regex::builder().configure(config).syntax(dialect()).build(pattern.translated());
        built.ok().map(|regex| Self { regex })
    }

    /// Adds every leftmost-first match that does not overlap the one before and lies within `part`.
    pub(crate) fn matches(&self, text: &[u8], part: Range<usize>, found: &mut Vec<Range<usize>>) {
        let input = Input::new(text).span(part);
        found.extend(self.regex.find_iter(input).map(|found| found.range()));
    }

    /// The secret of a match: group `wanted`, or with 0 the first group that is not empty; `None` if there is no such.
    pub(crate) fn secret(&self, text: &[u8], matched: &Range<usize>, wanted: usize) -> Option<Range<usize>> {
        if self.regex.captures_len() < 2 {
            return None;
        }
        let mut captures: Captures = self.regex.create_captures();
        let input = Input::new(text).span(matched.clone()).anchored(Anchored::Yes);
        self.regex.captures(input, &mut captures);
        let group = |index: usize| captures.get_group(index).map(|span| span.range());
        match wanted {
            0 => (1..captures.group_len()).filter_map(group).find(|range| !range.is_empty()),
            index => Some(group(index).unwrap_or(matched.start..matched.start)),
        }
    }
}

/// How patterns are read: Go's classes and boundaries are ASCII, and texts are bytes.
pub(crate) fn dialect() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false)
}
