//! Comments by which authors let a line through: ours and those of the tools people come from.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::work;

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

/// Whether one stands in these lines.
pub(crate) fn stand_in(lines: &[u8]) -> bool {
    work::count(lines.len());
    AUTOMATON.is_match(lines)
}

#[cfg(test)]
mod tests {
    use super::stand_in;

    #[test]
    fn markers_are_known_in_any_case() {
        assert!(stand_in(b"two # Gitleaks:allow"));
        assert!(stand_in(b"a\nb // pragma: allowlist secret\n"));
        assert!(!stand_in(b"gitleaks: allow"));
    }
}
