//! Added lines looked at alone, as a scanner of patches sees them.
//!
//! A rule finds the leftmost match and goes on behind it. In a whole content a match that begins before the added lines can
//! take the place of one that a scan of these lines alone would name, and what is decoded can begin elsewhere. Where
//! that match is told, nothing is hidden, but it is named by another line, and whoever scans with a configuration of gitleaks
//! has lists of such names; where its entropy or an allowlist drops it, what it took the place of would be missed.

use std::collections::HashSet;

use crate::content::Content;
use crate::scanner::{Scanner, Seen};

impl Scanner {
    /// Whether added lines are looked at alone, too: with rules that are not our own.
    pub fn wants_excerpts(&self) -> bool {
        !self.rules.structural
    }

    /// What some lines of a content hold alone beyond `whole`, the answer for all of it. Places count from the content's
    /// first line, so a candidate is known if rule, line and secret are the same.
    pub fn excerpt(&self, lines: &Content<'_>, whole: &Seen) -> Seen {
        let count = lines.bytes.iter().filter(|byte| **byte == b'\n').count();
        if whole.is_quiet() && !whole.swallows_at_ends(lines.first_line, lines.first_line + count) {
            return Seen::default();
        }
        let mut seen = Seen { named: false, swallowed: Vec::new(), ..self.scan(lines) };
        let spoken = whole.candidates.iter().filter(|candidate| !candidate.part && candidate.covered_by.is_empty());
        let known: HashSet<_> = spoken.map(|known| (known.rule, known.span.start_line, &known.body.digest.0)).collect();
        let same: Vec<bool> = seen
            .candidates
            .iter()
            .map(|it| known.contains(&(it.rule, it.span.start_line, &it.body.digest.0)))
            .collect();
        for (index, candidate) in seen.candidates.iter_mut().enumerate() {
            candidate.part |= same[index] || candidate.covered_by.iter().any(|better| same[*better]);
        }
        seen
    }
}

impl Seen {
    /// Whether a match that came to nothing lies over the border before line `first`, or before line `end` that follows the
    /// lines.
    fn swallows_at_ends(&self, first: usize, end: usize) -> bool {
        let over = |border: usize| move |(from, to): &(usize, usize)| *from < border && border <= *to;
        self.swallowed.iter().any(over(first)) || self.swallowed.iter().any(over(end))
    }
}
