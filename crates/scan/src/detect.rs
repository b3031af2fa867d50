//! Structural detectors: code that finds secrets by the structure of a text where a regular expression cannot.

use std::ops::Range;

use bstr::BString;

use crate::finding::{Confidence, Severity};

/// How much of a content a detector wants at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)]
pub(crate) enum Scope {
    /// One line that holds a keyword, without its line end; the answer depends on that line alone.
    Line,
    /// The whole text.
    Whole,
}

/// One detector.
#[derive(Debug)]
pub(crate) struct Detector {
    /// For tests and profiles.
    #[allow(dead_code)]
    pub(crate) id: &'static str,
    /// Lower case; it runs only where one of them stands, in any case.
    pub(crate) keywords: &'static [&'static str],
    /// What it is given.
    pub(crate) scope: Scope,
    /// Adds what it finds.
    pub(crate) run: fn(&Look<'_>, &mut Vec<Detected>),
}

/// What a detector looks at.
#[derive(Debug)]
#[allow(dead_code)]
pub(crate) struct Look<'a> {
    /// The text, or one line of it.
    pub(crate) bytes: &'a [u8],
    /// Every path under which the content is known.
    pub(crate) paths: &'a [BString],
    /// Offsets in `bytes` at which its keywords stand, ascending; of a whole text at most one for each line.
    pub(crate) hits: &'a [usize],
}

/// A possible secret; ranges in [`Look::bytes`].
#[derive(Clone, Debug)]
pub(crate) struct Detected {
    /// Id of a rule of the set, which gives description, tags and allowlists.
    pub(crate) rule: &'static str,
    /// The whole match.
    pub(crate) matched: Range<usize>,
    /// The secret in it.
    pub(crate) secret: Range<usize>,
    /// How sure.
    pub(crate) confidence: Confidence,
    /// How bad.
    pub(crate) severity: Severity,
}

/// All detectors.
pub(crate) fn detectors() -> &'static [Detector] {
    &[]
}
