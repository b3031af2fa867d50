//! Regular expressions in Go's syntax (RE2), as `.sops.yaml` and `gitleaks.toml` write them, run by Rust's engine.
//!
//! Go's grammar is read here, by hand, and turned into the tree (`Hir`) that Rust's engine compiles: a translation of
//! the text could not point at mistakes and would trip over what both sides spell alike and mean differently. What is
//! Go's: ASCII `\d \w \s \b`, simple Unicode case folding, wildcards that take one code point or one invalid byte,
//! leftmost-first matches. Known differences, both where it finds more than Go: if nothing else matches, a wildcard may
//! take the bytes of one non-ASCII character one by one, and an empty match may lie within such a character.

mod error;
mod parse;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::WhichCaptures;
use regex_syntax::hir::Hir;

pub use error::{PatternError, Warning};

/// A regular expression in Go's syntax. Checked when it is made, compiled when it is first asked; clones share that.
#[derive(Clone)]
pub struct Pattern(Arc<Inner>);

struct Inner {
    source: Cow<'static, str>,
    parsed: OnceLock<parse::Parsed>,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// Reads Go (RE2) syntax, exactly what Go takes.
    ///
    /// # Errors
    /// A sentence that says why the pattern is invalid. SOPS takes an invalid pattern as one that matches
    /// nothing and leaves secrets in clear; we never do.
    pub fn new(source: &str) -> Result<Self, String> {
        let pattern = Self::parse(source).map_err(|error| error.to_string())?;
        match pattern.warnings().first() {
            None => Ok(pattern),
            Some(warning) => Err(warning.to_string()),
        }
    }

    /// Reads Go (RE2) syntax, and a few things that Go refuses but whose meaning is plain; [`Pattern::warnings`] lists
    /// those.
    ///
    /// # Errors
    /// Where the pattern is invalid and why.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        let parsed = parse::parse(source)?;
        let (source, parsed) = (Cow::Owned(source.to_owned()), OnceLock::from(parsed));
        Ok(Self(Arc::new(Inner { source, parsed, compiled: OnceLock::new() })))
    }

    /// Takes a pattern that is part of a program and that the program's tests have read with [`Pattern::new`]: it is
    /// read when it is first asked.
    ///
    /// # Panics
    /// On first use, if the pattern is invalid after all.
    pub fn trusted(source: &'static str) -> Self {
        Self(Arc::new(Inner { source: Cow::Borrowed(source), parsed: OnceLock::new(), compiled: OnceLock::new() }))
    }

    fn parsed(&self) -> &parse::Parsed {
        self.0.parsed.get_or_init(|| parse::parse(&self.0.source).expect("the program's tests read its own patterns"))
    }

    /// One pattern that is found wherever any of `patterns` is, joined as gitleaks joins the lists of an allowlist: a
    /// flag set in one, such as `(?i)`, holds for all after it too.
    ///
    /// # Errors
    /// Together they are too large.
    pub fn any_of(patterns: &[Self]) -> Result<Self, PatternError> {
        let sources: Vec<&str> = patterns.iter().map(Self::source).collect();
        match patterns {
            [one] => Ok(one.clone()),
            _ => Self::parse(&format!("(?:{})", sources.join("|"))),
        }
    }

    /// Whether it is found anywhere in `text`.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex().is_match(text)
    }

    /// The text as given.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What Go would refuse.
    pub fn warnings(&self) -> &[Warning] {
        &self.parsed().warnings
    }

    /// Whether a flag set in it, such as `(?i)`, would hold for what is joined after it.
    pub fn leaks_flags(&self) -> bool {
        self.parsed().leaks_flags
    }

    /// What the engine compiles. Works on bytes; group indexes are Go's.
    pub fn hir(&self) -> &Hir {
        &self.parsed().hir
    }

    /// How many states it compiles to, about: the cost of the slowest search per byte.
    pub fn size(&self) -> usize {
        self.parsed().cost
    }

    /// Capture groups, the whole match not counted.
    pub fn group_count(&self) -> usize {
        self.parsed().groups
    }

    /// Capture groups, the whole match counted.
    pub fn captures_len(&self) -> usize {
        self.parsed().groups + 1
    }

    /// The compiled form; the first call compiles. A group that can never take part may be missing in it.
    pub fn regex(&self) -> &Regex {
        self.0.compiled.get_or_init(|| compile(&self.parsed().hir))
    }

    /// Whether it has been compiled.
    pub fn is_compiled(&self) -> bool {
        self.0.compiled.get().is_some()
    }
}

/// Whether any of several patterns is found: one search for all of them, however many there are.
#[derive(Clone, Debug)]
pub struct AnyOf(Together);

#[derive(Clone, Debug)]
enum Together {
    Compiled(Regex),
    /// Together they would be too large.
    Apart(Vec<Pattern>),
}

/// States of patterns that are compiled together.
const LARGEST_TOGETHER: usize = 100_000;

impl AnyOf {
    /// Compiles them. Flags of one do not hold for another.
    pub fn new(patterns: &[Pattern]) -> Self {
        let size = patterns.iter().fold(0_usize, |sum, pattern| sum.saturating_add(pattern.size()));
        let compile = || {
            let hirs: Vec<&Hir> = patterns.iter().map(Pattern::hir).collect();
            let config = Regex::config().nfa_size_limit(None).utf8_empty(false);
            let config = config.which_captures(WhichCaptures::Implicit);
            Regex::builder().configure(config).build_many_from_hir(&hirs).ok()
        };
        Self(match (size <= LARGEST_TOGETHER).then(compile).flatten() {
            Some(regex) => Together::Compiled(regex),
            None => Together::Apart(patterns.to_vec()),
        })
    }

    /// Whether any is found anywhere in `text`; of none, none is.
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &self.0 {
            Together::Compiled(regex) => regex.is_match(text),
            Together::Apart(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}

/// Sizes are bounded by the parser, so that compiling cannot fail.
fn compile(hir: &Hir) -> Regex {
    let config = Regex::config().nfa_size_limit(None).utf8_empty(false);
    Regex::builder().configure(config).build_from_hir(hir).expect("the parser bounds the size and numbers the groups")
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source().fmt(f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests;
