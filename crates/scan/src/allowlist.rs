//! What is allowed to look like a secret.

use bstr::BStr;
use pattern::{AnyOf, Pattern};

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

/// Where a content stands, as far as allowlists look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'a> {
    /// Path as reported.
    pub(crate) path: &'a BStr,
    /// Object id of the commit.
    pub(crate) commit: Option<&'a str>,
}

/// The texts of one match.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    /// The secret.
    pub(crate) secret: &'a [u8],
    /// The whole match.
    pub(crate) matched: &'a [u8],
}

/// Answers that are worth remembering from match to match.
pub(crate) trait Asks {
    /// Whether `regexes` of the list hit the lines of the match.
    fn line(&mut self, list: &Allowlist) -> bool;

    /// Whether the secret holds one of the list's stop words, in any case.
    fn word(&mut self, list: &Allowlist, secret: &[u8]) -> bool;
}

/// What an allowlist says of a match when its place is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// It never lets this match through because of its text.
    No,
    /// It lets it through everywhere.
    Everywhere,
    /// It lets it through where [`Allowlist::covers_spot`].
    AtItsPlaces,
}

impl Allowlist {
    /// Whether everything at this place is let through, whatever its text; `paths` are this list's, made ready.
    pub(crate) fn allows_spot<'p>(&self, spot: Spot<'_>, paths: &dyn Fn() -> &'p AnyOf) -> bool {
        match self.condition {
            Condition::Or => self.commit_hits(spot) || self.path_hits(spot, paths),
            Condition::And => !self.has_texts() && self.has_places() && self.covers_spot(spot, paths),
        }
    }

    /// Whether every list about places that is not empty hits.
    pub(crate) fn covers_spot<'p>(&self, spot: Spot<'_>, paths: &dyn Fn() -> &'p AnyOf) -> bool {
        (self.commits.is_empty() || self.commit_hits(spot)) && (self.paths.is_empty() || self.path_hits(spot, paths))
    }

    /// Whether the text of a match lets it through.
    pub(crate) fn leave(&self, texts: &Texts<'_>, asks: &mut dyn Asks) -> Leave {
        if !self.has_texts() {
            return Leave::No;
        }
        let regex = |asks: &mut dyn Asks| match self.target {
            Target::Secret => self.regex_hits(texts.secret),
            Target::Match => self.regex_hits(texts.matched),
            Target::Line => asks.line(self),
        };
        let word = |asks: &mut dyn Asks| !self.stopwords.is_empty() && asks.word(self, texts.secret);
        match self.condition {
            Condition::Or if word(asks) || regex(asks) => Leave::Everywhere,
            Condition::Or => Leave::No,
            Condition::And => {
                let words = self.stopwords.is_empty() || word(asks);
                match words && (self.regexes.is_empty() || regex(asks)) {
                    false => Leave::No,
                    true if self.has_places() => Leave::AtItsPlaces,
                    true => Leave::Everywhere,
                }
            }
        }
    }

    /// Whether any of `regexes` is found in `text`.
    pub(crate) fn regex_hits(&self, text: &[u8]) -> bool {
        self.regexes.iter().any(|regex| regex.is_match(text))
    }

    fn has_texts(&self) -> bool {
        !self.regexes.is_empty() || !self.stopwords.is_empty()
    }

    fn has_places(&self) -> bool {
        !self.commits.is_empty() || !self.paths.is_empty()
    }

    fn commit_hits(&self, spot: Spot<'_>) -> bool {
        spot.commit.is_some_and(|commit| self.commits.iter().any(|allowed| allowed.eq_ignore_ascii_case(commit)))
    }

    fn path_hits<'p>(&self, spot: Spot<'_>, paths: &dyn Fn() -> &'p AnyOf) -> bool {
        !self.paths.is_empty() && paths().is_match(spot.path)
    }
}
