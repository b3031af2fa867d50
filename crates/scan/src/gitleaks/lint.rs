//! Advice on a configuration that can be used.

use super::remark::{Level, Place, Remark};
use crate::allowlist::Condition;
use crate::ruleset::RuleSet;

/// Adds advice. Places of rules are not known any more here; ids are named instead.
pub(super) fn advise(rules: &RuleSet, remarks: &mut Vec<Remark>) {
    let top = Place { file: None, line: 1, column: 1 };
    let mut say = |what: String, hint: &str| remarks.push(top.remark(Level::Advice, what, Some(hint)));
    for rule in &rules.rules {
        let id = rule.id.escape_debug();
        if rule.keywords.is_empty() && rule.regex.is_some() {
            let hint = "a word that every match holds lets most files pass unread";
            say(format!("rule `{id}` has no keywords: its regex runs over everything"), hint);
        }
        if rule.description.is_empty() {
            say(format!("rule `{id}` has no description"), "say in one sentence what was found");
        }
    }
    let both = |list: &&crate::allowlist::Allowlist| {
        list.condition == Condition::And && !list.paths.is_empty() && list.regexes.len() + list.stopwords.len() > 0
    };
    if rules.allowlists.iter().any(|list| both(&list)) {
        let hint = "here both must hit, in every mode";
        say("a global AND allowlist with paths: gitleaks' `dir` mode leaves out the whole file".to_owned(), hint);
    }
}
