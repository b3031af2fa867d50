//! Structural detectors: parsers where a regular expression is the wrong tool.
//!
//! A detector emits rule ids that have a record in `rules/*.toml`. It never panics, and its time is linear in the bytes
//! it is given. Where a detector's finding and a regular expression's finding have overlapping secrets, the engine
//! keeps the more specific one; rules with the tag `generic` give way to all others.

use std::ops::Range;

use bstr::BString;

mod assignment;
mod call;
mod command;
mod files;
mod header;
mod json;
mod jwk;
mod kubernetes;
mod pair;
mod pem;
mod place;
mod url;
mod value;
mod yaml;

use crate::finding::{Confidence, Severity};
pub(crate) use place::Place;

/// How much of a content a detector must see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One line (without its end) at a time; the answer depends on that line and its `Look::place` only.
    Line,
    /// The whole content.
    Whole,
}

/// One parser.
#[derive(Debug)]
pub(crate) struct Detector {
    /// Kebab-case; `detector` of the records whose rules it emits.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the test that finds orphans"))]
    pub id: &'static str,
    /// Lower-case words of which one must stand in the content (case ignored); empty = run on every content.
    pub keywords: &'static [&'static str],
    /// What `Look::bytes` is.
    pub scope: Scope,
    /// Appends what it finds.
    pub run: fn(&Look<'_>, &mut Vec<Detected>),
}

/// What a detector looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    /// A line or a whole content, by the detector's scope.
    pub bytes: &'a [u8],
    /// Every path the content stands at; empty for a stream without a name.
    pub paths: &'a [BString],
    /// What these paths say of the text.
    pub place: Place,
    /// Where in `bytes` the detector's keywords start, ascending.
    pub hits: &'a [usize],
}

/// One secret that a detector found; ranges are byte offsets in `Look::bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detected {
    /// Id of a rule.
    pub rule: &'static str,
    /// The whole match: name and value, first to last line of a key.
    pub matched: Range<usize>,
    /// The secret alone, within `matched`.
    pub secret: Range<usize>,
    /// How sure.
    pub confidence: Confidence,
    /// How bad.
    pub severity: Severity,
}

/// All detectors.
pub(crate) const DETECTORS: &[Detector] = &[
    Detector { id: "assignment", keywords: assignment::KEYWORDS, scope: Scope::Line, run: assignment::run },
    Detector { id: "pair", keywords: assignment::KEYWORDS, scope: Scope::Whole, run: pair::run },
    Detector {
        id: "url",
        keywords: &["://", "@tcp(", "@unix(", "jdbc:oracle:thin:"],
        scope: Scope::Line,
        run: url::run,
    },
    Detector { id: "header", keywords: &["bearer", "basic", "token", "apikey"], scope: Scope::Line, run: header::run },
    Detector { id: "command", keywords: command::KEYWORDS, scope: Scope::Line, run: command::run },
    Detector { id: "pem", keywords: &["private key"], scope: Scope::Whole, run: pem::run },
    Detector { id: "putty", keywords: &["putty-user-key-file-"], scope: Scope::Whole, run: pem::putty },
    Detector { id: "kubernetes-secret", keywords: &["kind"], scope: Scope::Whole, run: kubernetes::secret },
    Detector {
        id: "kubeconfig",
        keywords: &["current-context", "kind: config"],
        scope: Scope::Whole,
        run: kubernetes::kubeconfig,
    },
    Detector {
        id: "kubernetes-encryption",
        keywords: &["encryptionconfig"],
        scope: Scope::Whole,
        run: kubernetes::encryption,
    },
    Detector { id: "files", keywords: &[], scope: Scope::Whole, run: files::run },
    Detector { id: "netrc", keywords: &["machine "], scope: Scope::Whole, run: files::netrc },
    Detector { id: "jwk", keywords: &["\"kty\""], scope: Scope::Whole, run: jwk::run },
];

/// All detectors.
pub(crate) fn detectors() -> &'static [Detector] {
    DETECTORS
}
