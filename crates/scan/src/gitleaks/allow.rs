//! `[[allowlists]]`, `[[rules.allowlists]]`, and the older `[allowlist]`.

use pattern::Pattern;

use super::remark::Text;
use super::value::{Fields, Value, Word, pattern, table, tables, word, words};
use crate::allowlist::{Allowlist, Condition, Target};

/// An allowlist and the rules that it is for; none = all.
pub(super) struct Draft {
    pub(super) allowlist: Allowlist,
    pub(super) targets: Vec<Word>,
}

/// Both spellings of one table's allowlists. `whose` names the table in errors.
pub(super) fn allowlists(text: &mut Text<'_>, fields: &mut Fields<'_, '_>, whose: &str, global: bool) -> Vec<Draft> {
    let newer = fields.take("allowlists").map(|value| tables(text, value, "allowlists")).unwrap_or_default();
    let older = fields.take("allowlist").filter(|value| !is_empty(value));
    if let Some(older) = older.filter(|_| !newer.is_empty()) {
        let what = format!("{whose}: `allowlist` and `allowlists` cannot stand together");
        text.error_with(older.span().start, what, "move it into `[[allowlists]]`");
        return Vec::new();
    }
    let older = older.and_then(|value| table(text, value, "allowlist"));
    newer.into_iter().chain(older).filter_map(|fields| allowlist(text, fields, whose, global)).collect()
}

fn is_empty(value: &Value<'_>) -> bool {
    value.get_ref().as_table().is_some_and(|table| table.is_empty())
}

fn allowlist(text: &mut Text<'_>, mut fields: Fields<'_, '_>, whose: &str, global: bool) -> Option<Draft> {
    let at = fields.at;
    let description = fields.take("description").and_then(|value| word(text, value, "description"));
    let condition = fields.take("condition").map_or(Some(Condition::Or), |value| condition(text, value));
    let target = fields.take("regexTarget").map_or(Some(Target::Secret), |value| target(text, value));
    let targets = match fields.take("targetRules") {
        Some(value) if global => words(text, value, "targetRules"),
        Some(value) => {
            text.warn(value.span().start, format!("{whose}: `targetRules` counts in top-level allowlists only"));
            Vec::new()
        }
        None => Vec::new(),
    };
    let allowlist = Allowlist {
        description: description.map(|word| word.text).unwrap_or_default(),
        condition: condition?,
        commits: commits(text, &mut fields),
        paths: patterns(text, &mut fields, "paths", whose),
        regexes: patterns(text, &mut fields, "regexes", whose),
        target: target?,
        stopwords: stopwords(text, &mut fields),
    };
    fields.finish(text, "in an allowlist");
    let lists = [allowlist.commits.len(), allowlist.paths.len(), allowlist.regexes.len(), allowlist.stopwords.len()];
    if lists == [0; 4] {
        let hint = "give it at least one of commits, paths, regexes, stopwords";
        text.error_with(at, format!("{whose}: this allowlist allows nothing"), hint);
        return None;
    }
    Some(Draft { allowlist, targets })
}

fn condition(text: &mut Text<'_>, value: &Value<'_>) -> Option<Condition> {
    let word = word(text, value, "condition")?;
    match word.text.to_ascii_uppercase().as_str() {
        "" | "OR" | "||" => Some(Condition::Or),
        "AND" | "&&" => Some(Condition::And),
        _ => {
            text.error(word.at, "`condition` must be \"AND\" or \"OR\"");
            None
        }
    }
}

fn target(text: &mut Text<'_>, value: &Value<'_>) -> Option<Target> {
    let word = word(text, value, "regexTarget")?;
    match word.text.to_ascii_lowercase().as_str() {
        "" | "secret" => Some(Target::Secret),
        "match" => Some(Target::Match),
        "line" => Some(Target::Line),
        _ => {
            text.error(word.at, "`regexTarget` must be \"secret\", \"match\" or \"line\"");
            None
        }
    }
}

fn commits(text: &mut Text<'_>, fields: &mut Fields<'_, '_>) -> Vec<String> {
    let given = fields.take("commits").map(|value| words(text, value, "commits")).unwrap_or_default();
    let mut commits = Vec::new();
    for word in given {
        let id = word.text.trim().to_lowercase();
        if ![40, 64].contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            text.warn(word.at, "this is no full commit id, so it allows nothing");
        }
        commits.push(id);
    }
    commits.sort();
    commits.dedup();
    commits
}

fn stopwords(text: &mut Text<'_>, fields: &mut Fields<'_, '_>) -> Vec<String> {
    let given = fields.take("stopwords").map(|value| words(text, value, "stopwords")).unwrap_or_default();
    let mut stopwords = Vec::new();
    for word in given {
        if word.text.is_empty() {
            text.warn(word.at, "an empty stopword is left out");
        } else {
            stopwords.push(word.text.to_lowercase());
        }
    }
    stopwords.sort();
    stopwords.dedup();
    stopwords
}

/// One list of expressions, joined as gitleaks joins it: a flag of one entry holds for the next.
fn patterns(text: &mut Text<'_>, fields: &mut Fields<'_, '_>, name: &'static str, whose: &str) -> Vec<Pattern> {
    let given = fields.take(name).map(|value| words(text, value, name)).unwrap_or_default();
    let mut found = Vec::new();
    for (index, word) in given.iter().enumerate() {
        let Some(pattern) = pattern(text, word, &format!("{whose}: an entry of `{name}`")) else { continue };
        if matches_everything(&pattern) {
            text.warn(word.at, format!("{whose}: this entry of `{name}` allows everything"));
        }
        if pattern.leaks_flags() && index + 1 < given.len() {
            let what = format!("{whose}: the flag set in this entry of `{name}` holds for the entries after it too");
            text.warn_with(word.at, what, "write `(?i:…)` to keep it to this entry");
        }
        found.push(pattern);
    }
    // Together they may be too large; then they stay alone.
    match Pattern::any_of(&found) {
        Ok(joined) if found.len() > 1 => vec![joined],
        _ => found,
    }
}

/// Whether it is found in every text.
pub(super) fn matches_everything(pattern: &Pattern) -> bool {
    let properties = pattern.hir().properties();
    properties.minimum_len() == Some(0) && properties.look_set().is_empty()
}
