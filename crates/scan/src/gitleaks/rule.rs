//! `[[rules]]`.

use std::sync::Arc;

use super::allow;
use super::remark::{Place, Text};
use super::value::{Fields, count, flag, number, pattern, tables, word, words};
use crate::finding::{Confidence, Severity};
use crate::rule::{Requirement, Rule};

/// A rule as one file says it: it may lack what an extended rule has.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) rule: Rule,
    pub(super) place: Place,
    /// Where `secretGroup` stands.
    pub(super) group_place: Option<Place>,
    /// Where each of `required` stands.
    pub(super) required_places: Vec<Place>,
}

/// Reads one rule; `None` if it has no usable id.
pub(super) fn rule(text: &mut Text<'_>, mut fields: Fields<'_, '_>) -> Option<Draft> {
    let at = fields.at;
    let id = fields.take("id").and_then(|value| word(text, value, "id")).map(|word| word.text).unwrap_or_default();
    if id.trim().is_empty() {
        text.error_with(at, "a rule without `id`", "give it an id in kebab-case, such as `my-api-token`");
        return None;
    }
    let whose = format!("rule `{}`", id.escape_debug());
    let mut expression = |text: &mut Text<'_>, name: &'static str| {
        let word = fields.take(name).and_then(|value| word(text, value, name)).filter(|word| !word.text.is_empty())?;
        pattern(text, &word, &format!("the {name} of {whose}"))
    };
    let (regex, path) = (expression(text, "regex"), expression(text, "path"));
    if regex.as_ref().is_some_and(allow::matches_everything) {
        text.warn(at, format!("the regex of {whose} is found in every text"));
    }
    let description = fields.take("description").and_then(|value| word(text, value, "description"));
    let group = fields.take("secretGroup");
    let required = required(text, &mut fields, &whose);
    let rule = Rule {
        description: Arc::from(description.map(|word| word.text).unwrap_or_default()),
        regex,
        path,
        secret_group: group.and_then(|value| count(text, value, "secretGroup")).unwrap_or(0),
        entropy: fields.take("entropy").and_then(|value| number(text, value, "entropy")).unwrap_or(0.0),
        keywords: keywords(text, &mut fields, &whose),
        tags: tags(text, &mut fields),
        skip_report: fields.take("skipReport").and_then(|value| flag(text, value, "skipReport")).unwrap_or(false),
        required: required.iter().map(|(requirement, _)| requirement.clone()).collect(),
        allowlists: allow::allowlists(text, &mut fields, &whose, false)
            .into_iter()
            .map(|draft| draft.allowlist)
            .collect(),
        severity: Severity::High,
        confidence: if id.contains("generic") { Confidence::Medium } else { Confidence::High },
        check: None,
        id: Arc::from(id),
    };
    fields.finish(text, "in a rule");
    let group_place = group.map(|value| text.place(value.span().start));
    let required_places = required.into_iter().map(|(_, place)| place).collect();
    Some(Draft { rule, place: text.place(at), group_place, required_places })
}

fn keywords(text: &mut Text<'_>, fields: &mut Fields<'_, '_>, whose: &str) -> Vec<String> {
    let given = fields.take("keywords").map(|value| words(text, value, "keywords")).unwrap_or_default();
    let mut keywords = Vec::new();
    for word in given {
        if word.text.is_empty() {
            text.warn(word.at, format!("{whose}: an empty keyword is left out"));
        } else {
            keywords.push(word.text.to_lowercase());
        }
    }
    keywords
}

fn tags(text: &mut Text<'_>, fields: &mut Fields<'_, '_>) -> Vec<String> {
    let given = fields.take("tags").map(|value| words(text, value, "tags")).unwrap_or_default();
    given.into_iter().map(|word| word.text).collect()
}

fn required(text: &mut Text<'_>, fields: &mut Fields<'_, '_>, whose: &str) -> Vec<(Requirement, Place)> {
    let given = fields.take("required").map(|value| tables(text, value, "required")).unwrap_or_default();
    let mut found = Vec::new();
    for mut fields in given {
        let at = fields.at;
        let id = fields.take("id").and_then(|value| word(text, value, "id")).map(|word| word.text).unwrap_or_default();
        let within_lines = fields.take("withinLines").and_then(|value| count(text, value, "withinLines"));
        let within_columns = fields.take("withinColumns").and_then(|value| count(text, value, "withinColumns"));
        fields.finish(text, "in `required`");
        if id.is_empty() {
            text.error(at, format!("{whose}: one of `required` has no `id`"));
        } else {
            found.push((Requirement { id, within_lines, within_columns }, text.place(at)));
        }
    }
    found
}
