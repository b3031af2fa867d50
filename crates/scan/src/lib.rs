//! Finds secrets in bytes and says where, without saying what.
//!
//! The flow: a [`RuleSet`] (our own rules, or a `gitleaks.toml`) makes a [`Scanner`]; a source hands every [`Content`]
//! to a [`Visitor`]; the scanner answers with a [`Seen`], which holds the candidates of that content, free of any path
//! or commit; for every place where the content stands, [`Scanner::judge`] turns the candidates into [`Finding`]s.

pub mod allowlist;
mod anchor;
pub mod baseline;
pub mod builtin;
mod check;
mod classify;
pub mod content;
mod decode;
mod detect;
pub mod entropy;
pub mod finding;
pub mod fingerprint;
mod fold;
pub mod gitleaks;
pub mod ignore;
mod lines;
mod machine;
mod prefilter;
mod reference;
pub mod report;
pub mod rule;
pub mod ruleset;
pub mod scanner;
pub mod visitor;
mod windows;
mod work;

pub use allowlist::{Allowlist, Condition, Target};
pub use baseline::{Baseline, BaselineError};
pub use content::{Base, Content, Copied};
pub use finding::{Commit, Component, Confidence, Decoded, Finding, Origin, Place, Presence, Severity, Span};
pub use fingerprint::Fingerprints;
pub use rule::{Requirement, Rule};
pub use ruleset::RuleSet;
pub use scanner::{Candidate, Options, Redaction, Scanner, Seen, holds_allow_marker};
pub use visitor::{Lines, Skipped, Unread, Visitor};
