//! What is allowed to look like a secret.

use pattern::Pattern;

/// Whether one hit is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Any list that hits allows.
    #[default]
    Or,
    /// Every list that is not empty must hit.
    And,
}

/// What an allowlist's regular expressions look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The secret.
    #[default]
    Secret,
    /// The whole match.
    Match,
    /// The lines of the match.
    Line,
}

/// One allowlist, of a rule or of all.
#[derive(Clone, Debug, Default)]
pub struct Allowlist {
    /// Why.
    pub description: String,
    /// How its lists are combined.
    pub condition: Condition,
    /// Object ids, lower case.
    pub commits: Vec<String>,
    /// Paths, found anywhere in the path.
    pub paths: Vec<Pattern>,
    /// Texts, found anywhere in the target.
    pub regexes: Vec<Pattern>,
    /// What `regexes` look at.
    pub target: Target,
    /// Words, lower case, that allow a secret which holds them.
    pub stopwords: Vec<String>,
}
