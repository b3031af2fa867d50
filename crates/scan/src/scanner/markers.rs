//! Comments by which authors let a line through: ours and those of the tools people come from.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// Each is searched as it stands, in any case.
const MARKERS: [&str; 11] = [
    "plomb:allow",
    "gitleaks:allow",
    "betterleaks:allow",
    "kingfisher:ignore",
    "trufflehog:ignore",
    "ggignore",
    "#nosec",
    "# nosec",
    "pragma: allowlist secret",
    "pragma: whitelist secret",
    "secretlint-disable-line",
];

static AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostFirst)
        .build(MARKERS)
        .expect("a few short literals make an automaton")
});

/// Where markers stand in a text.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    starts: Vec<usize>,
}

impl Markers {
    /// Finds them all, in one pass.
    pub(crate) fn of(text: &[u8]) -> Self {
        Self { starts: AUTOMATON.find_iter(text).map(|found| found.start()).collect() }
    }

    /// Whether one stands within these lines.
    pub(crate) fn touch(&self, lines: &Range<usize>) -> bool {
        let next = self.starts.partition_point(|start| *start < lines.start);
        self.starts.get(next).is_some_and(|start| *start < lines.end)
    }
}

#[cfg(test)]
mod tests {
    use super::Markers;

    #[test]
    fn a_marker_counts_for_its_lines_only() {
        let text = b"one\ntwo # Gitleaks:allow\nthree // pragma: allowlist secret";
        let markers = Markers::of(text);
        assert!(!markers.touch(&(0..3)));
        assert!(markers.touch(&(4..24)));
        assert!(markers.touch(&(0..24)));
        assert!(markers.touch(&(25..text.len())));
    }
}
