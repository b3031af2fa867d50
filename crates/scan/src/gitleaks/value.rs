//! Tables and values, typed as loosely as gitleaks types them: keys in any case, a text for a number, one value for a
//! list, a comma between the items of a text.

use std::ops::Range;

use pattern::Pattern;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::remark::Text;

/// A value and where it stands.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A text and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: usize,
    pub(super) end: usize,
}

/// The entries of one table; what is not taken is unknown.
pub(super) struct Fields<'v, 't> {
    /// Lower-case key, its place, and the value.
    entries: Vec<(String, usize, &'v Value<'t>)>,
    known: Vec<&'static str>,
    /// Where the table begins.
    pub(super) at: usize,
}

impl<'v, 't> Fields<'v, 't> {
    pub(super) fn new(text: &mut Text<'_>, table: &'v DeTable<'t>, at: usize) -> Self {
        let mut entries: Vec<(String, usize, &Value<'_>)> = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().to_lowercase();
            if let Some(earlier) = entries.iter_mut().find(|(known, ..)| *known == name) {
                text.warn(key.span().start, format!("`{name}` is there twice, in different letter case"));
                *earlier = (name, key.span().start, value);
            } else {
                entries.push((name, key.span().start, value));
            }
        }
        Self { entries, known: Vec::new(), at }
    }

    /// Takes the value of a key; `name` as gitleaks documents it.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'v Value<'t>> {
        self.known.push(name);
        let lower = name.to_lowercase();
        let position = self.entries.iter().position(|(key, ..)| *key == lower)?;
        Some(self.entries.swap_remove(position).2)
    }

    /// Warns of what is left.
    pub(super) fn finish(mut self, text: &mut Text<'_>, whose: &str) {
        self.entries.sort_by_key(|(_, at, _)| *at);
        for (key, at, _) in &self.entries {
            let what = format!("the key `{}` is unknown {whose}", key.escape_debug());
            match nearest(key, &self.known) {
                Some(near) => text.warn_with(*at, what, &format!("did you mean `{near}`?")),
                None => text.warn(*at, what),
            }
        }
    }
}

/// The known name that differs in at most two letters (one, if it is short).
pub(super) fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let close = known.iter().map(|known| (distance(&name.to_lowercase(), &known.to_lowercase()), *known));
    let limit = if name.len() < 5 { 1 } else { 2 };
    close.filter(|(distance, _)| *distance <= limit).min().map(|(_, known)| known)
}

/// Insertions, deletions and changes between two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// A single value as text.
pub(super) fn word(text: &mut Text<'_>, value: &Value<'_>, name: &str) -> Option<Word> {
    let span = value.span();
    let content = match value.get_ref() {
        DeValue::String(content) => content.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => u8::from(*flag).to_string(),
        other => {
            text.error(span.start, format!("`{name}` must be a text, not {}", kind(other)));
            return None;
        }
    };
    Some(Word { text: content, at: span.start, end: span.end })
}

/// A list of texts.
pub(super) fn words(text: &mut Text<'_>, value: &Value<'_>, name: &str) -> Vec<Word> {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().filter_map(|item| word(text, item, name)).collect(),
        DeValue::String(content) => {
            let Range { start: at, end } = value.span();
            if content.contains(',') {
                text.warn(at, format!("`{name}` is one text; it is cut at the commas, as gitleaks does"));
            }
            let parts = content.split(',').filter(|_| !content.is_empty());
            parts.map(|part| Word { text: part.to_owned(), at, end }).collect()
        }
        _ => word(text, value, name).into_iter().collect(),
    }
}

/// A number with fractions.
pub(super) fn number(text: &mut Text<'_>, value: &Value<'_>, name: &str) -> Option<f64> {
    let word = word(text, value, name)?;
    if word.text.is_empty() {
        return Some(0.0);
    }
    let number = word.text.replace('_', "").parse::<f64>().ok().filter(|number| number.is_finite());
    if number.is_none() {
        text.error(word.at, format!("`{name}` must be a number"));
    }
    number
}

/// A count.
pub(super) fn count(text: &mut Text<'_>, value: &Value<'_>, name: &str) -> Option<usize> {
    let word = word(text, value, name)?;
    if word.text.is_empty() {
        return Some(0);
    }
    let number = word.text.replace('_', "").parse::<f64>().ok().filter(|number| number.abs() < 1e9);
    match number {
        None => text.error(word.at, format!("`{name}` must be a whole number from 0")),
        Some(number) if number < 0.0 => text.warn(word.at, format!("`{name}` is below 0, which counts as 0")),
        Some(_) => {}
    }
    number.map(|number| number as usize)
}

/// Yes or no.
pub(super) fn flag(text: &mut Text<'_>, value: &Value<'_>, name: &str) -> Option<bool> {
    let word = word(text, value, name)?;
    let flag = match word.text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Some(true),
        "0" | "f" | "false" | "" => Some(false),
        _ => None,
    };
    if flag.is_none() {
        text.error(word.at, format!("`{name}` must be true or false"));
    }
    flag
}

/// A regular expression; an empty one is none. `whose` goes before the reason.
pub(super) fn pattern(text: &mut Text<'_>, word: &Word, whose: &str) -> Option<Pattern> {
    match Pattern::parse(&word.text) {
        Ok(pattern) => {
            for warning in pattern.warnings() {
                let at = inside(text.text, word, warning.offset);
                text.warn(at, format!("{whose}: gitleaks stops at this: {}", warning.reason));
            }
            Some(pattern)
        }
        Err(error) => {
            let at = inside(text.text, word, error.offset);
            text.error_with(at, format!("{whose} is no valid regular expression: {}", error.reason), DIALECT);
            None
        }
    }
}

const DIALECT: &str = "the dialect is Go's: https://pkg.go.dev/regexp/syntax";

/// Where a byte of a text stands in the file: exact unless the text is written with escapes.
fn inside(file: &str, word: &Word, offset: usize) -> usize {
    let raw = file.get(word.at..word.end).unwrap_or_default();
    raw.find(&word.text).map_or(word.at, |begin| word.at + begin + offset)
}

/// A table, or an error.
pub(super) fn table<'v, 't>(text: &mut Text<'_>, value: &'v Value<'t>, name: &str) -> Option<Fields<'v, 't>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(Fields::new(text, table, value.span().start)),
        DeValue::Array(items) if items.len() == 1 => table_of(text, items, name),
        other => {
            text.error(value.span().start, format!("`{name}` must be one table, not {}", kind(other)));
            None
        }
    }
}

fn table_of<'v, 't>(text: &mut Text<'_>, items: &'v DeArray<'t>, name: &str) -> Option<Fields<'v, 't>> {
    items.iter().next().filter(|item| item.get_ref().is_table()).and_then(|item| table(text, item, name))
}

/// A list of tables; a single table is a list of one.
pub(super) fn tables<'v, 't>(text: &mut Text<'_>, value: &'v Value<'t>, name: &str) -> Vec<Fields<'v, 't>> {
    let items: Vec<&Value<'_>> = match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        DeValue::Table(_) => vec![value],
        other => {
            text.error(value.span().start, format!("`{name}` must be a list of tables, not {}", kind(other)));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for item in items {
        match item.get_ref() {
            DeValue::Table(table) => found.push(Fields::new(text, table, item.span().start)),
            other => text.error(item.span().start, format!("each of `{name}` must be a table, not {}", kind(other))),
        }
    }
    found
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
