//! The arrows between our crates. Cargo refuses cycles; this refuses an arrow that is acyclic but not drawn.

use crate::shell::{Result, none_of, output};

/// Crate and what it may use: the dependency graph of docs/ARCHITECTURE.md as a list. `*` = anything.
const DRAWN: [(&str, &[&str]); 15] = [
    ("pattern", &[]),
    ("secret", &[]),
    ("document", &["secret"]),
    ("keys", &["secret"]),
    ("scan", &["pattern"]),
    ("sops", &["document", "keys", "pattern", "secret"]),
    ("source", &["scan"]),
    ("sealed", &["sops", "document", "keys", "secret"]),
    ("guard", &["sealed", "sops", "keys", "document", "scan"]),
    ("plomb", &["pattern", "secret", "document", "keys", "sops", "sealed", "scan", "source", "guard"]),
    ("controller", &["sealed", "keys", "secret"]),
    ("testkit", &["*"]),
    ("e2e", &["testkit"]),
    ("xtask", &["*"]),
    ("fuzz", &["*"]),
];

/// Compares the workspace's real arrows (tests' own dependencies left out) with the drawn ones.
pub(crate) fn check() -> Result {
    let tree = [
        "cargo",
        "tree",
        "--workspace",
        "--depth",
        "1",
        "--edges",
        "normal,build",
        "--prefix",
        "depth",
        "--no-dedupe",
        "--all-features",
        "--format",
        "{p}",
    ];
    none_of(undrawn(&output(&tree)?))
}

fn undrawn(tree: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut user = "";
    for line in tree.lines().filter(|line| line.contains(" (/")) {
        let name = line[1..].split(' ').next().unwrap_or_default();
        let name = name.strip_prefix("plomb-").unwrap_or(name);
        if line.starts_with('0') {
            user = name;
        } else if !is_drawn(user, name) {
            problems.push(format!("{user} uses {name}: not drawn in docs/ARCHITECTURE.md"));
        }
    }
    problems
}

fn is_drawn(user: &str, used: &str) -> bool {
    let row = DRAWN.iter().find(|(name, _)| *name == user);
    row.is_some_and(|(_, allowed)| allowed.iter().any(|name| *name == used || *name == "*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_up_or_from_an_unknown_crate_is_refused() {
        let tree = "0plomb-secret v0.1.0 (/w/secret)\n1plomb-sops v0.1.0 (/w/sops)\n1zeroize v1.8.1\n\n\
                    0plomb-new v0.1.0 (/w/new)\n1plomb-secret v0.1.0 (/w/secret)\n";
        assert_eq!(undrawn(tree).len(), 2);
    }

    #[test]
    fn a_drawn_arrow_passes() {
        assert!(undrawn("0plomb-sops v0.1.0 (/w/sops)\n1plomb-keys v0.1.0 (/w/keys)\n").is_empty());
    }
}
