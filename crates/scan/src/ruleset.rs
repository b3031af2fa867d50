//! A set of rules that scan together.

use crate::allowlist::Allowlist;
use crate::rule::Rule;

/// Rules, and what is allowed for all of them.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// In the order of their ids.
    pub rules: Vec<Rule>,
    /// Allowlists of every rule.
    pub allowlists: Vec<Allowlist>,
    /// Whether the structural detectors of our own rule set (URLs, manifests, key files …) run too.
    pub structural: bool,
}
