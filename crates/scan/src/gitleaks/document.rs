//! One file, by itself.

use std::sync::Arc;

use toml::de::DeTable;

use super::remark::{Place, Remark, Text};
use super::value::{Fields, Word, flag, table, tables, word, words};
use super::{allow, rule};
use crate::allowlist::Allowlist;

/// The newest gitleaks whose configuration this reads.
const READS: (u64, u64, u64) = (8, 30, 1);

/// What one file says.
#[derive(Default)]
pub(super) struct Document {
    pub(super) rules: Vec<rule::Draft>,
    pub(super) allowlists: Vec<Allowlist>,
    /// Allowlists for single rules: the ids, and the place of each.
    pub(super) targeted: Vec<(Allowlist, Vec<(String, Place)>)>,
    pub(super) use_default: bool,
    pub(super) path: Option<(String, Place)>,
    pub(super) disabled: Vec<(String, Place)>,
    /// Where `[extend]` stands.
    pub(super) extend_place: Option<Place>,
    pub(super) remarks: Vec<Remark>,
}

/// Reads a file; `file` is its path if it is an extended one.
pub(super) fn read(bytes: &[u8], file: Option<Arc<str>>) -> Document {
    let content = match std::str::from_utf8(bytes) {
        Ok(content) => content,
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let mut text = Text::new(&valid, file);
            text.error_with(valid.len(), "this is not UTF-8 text", "TOML files are UTF-8; save it again as such");
            return Document { remarks: text.remarks, ..Document::default() };
        }
    };
    let mut text = Text::new(content, file);
    // A byte order mark is replaced by blanks of the same length, so that places stay right.
    let unmarked = content.strip_prefix('\u{feff}').map(|rest| format!("   {rest}"));
    let mut document = match DeTable::parse(unmarked.as_deref().unwrap_or(content)) {
        Ok(root) => top(&mut text, root.get_ref()),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            text.error(at, format!("this is not valid TOML: {}", error.message().trim().replace('\n', ", ")));
            Document::default()
        }
    };
    document.remarks = text.remarks;
    document
}

fn top(text: &mut Text<'_>, root: &DeTable<'_>) -> Document {
    let mut document = Document::default();
    let mut fields = Fields::new(text, root, 0);
    for name in ["title", "description"] {
        fields.take(name).map(|value| word(text, value, name));
    }
    if let Some(version) = fields.take("minVersion").and_then(|value| word(text, value, "minVersion")) {
        min_version(text, &version);
    }
    if let Some(value) = fields.take("extend") {
        document.extend_place = Some(text.place(value.span().start));
        if let Some(fields) = table(text, value, "extend") {
            extend(text, fields, &mut document);
        }
    }
    let rules = fields.take("rules").map(|value| tables(text, value, "rules")).unwrap_or_default();
    for fields in rules {
        document.rules.extend(rule::rule(text, fields));
    }
    let drafts = allow::allowlists(text, &mut fields, "the global allowlist", true);
    for draft in drafts {
        if draft.targets.is_empty() {
            document.allowlists.push(draft.allowlist);
        } else {
            document.targeted.push((draft.allowlist, placed(text, draft.targets)));
        }
    }
    fields.finish(text, "here");
    document
}

fn extend(text: &mut Text<'_>, mut fields: Fields<'_, '_>, document: &mut Document) {
    let at = fields.at;
    let use_default = fields.take("useDefault").and_then(|value| flag(text, value, "useDefault"));
    document.use_default = use_default.unwrap_or(false);
    let path = fields.take("path").and_then(|value| word(text, value, "path")).filter(|word| !word.text.is_empty());
    document.path = path.map(|word| (word.text, text.place(word.at)));
    let disabled = fields.take("disabledRules").map(|value| words(text, value, "disabledRules")).unwrap_or_default();
    document.disabled = placed(text, disabled);
    if let Some(url) = fields.take("url") {
        text.warn(url.span().start, "`extend.url` is not supported, nor is it by gitleaks");
    }
    fields.finish(text, "in `[extend]`");
    if document.use_default && document.path.is_some() {
        text.error(at, "`extend.useDefault` and `extend.path` cannot stand together");
        document.path = None;
    }
}

fn placed(text: &Text<'_>, words: Vec<Word>) -> Vec<(String, Place)> {
    words.into_iter().map(|word| (word.text, text.place(word.at))).collect()
}

fn min_version(text: &mut Text<'_>, word: &Word) {
    if word.text.is_empty() {
        return;
    }
    let numbers = word.text.trim_start_matches(['v', 'V']).split(['-', '+']).next().unwrap_or_default();
    let parts: Option<Vec<u64>> = numbers.split('.').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some([major, rest @ ..]) if rest.len() < 3 => {
            let asked = (*major, rest.first().copied().unwrap_or(0), rest.get(1).copied().unwrap_or(0));
            if asked > READS {
                let (major, minor, patch) = READS;
                let what = "it asks for a newer gitleaks than the one whose configuration is read here";
                text.warn_with(word.at, what, &format!("what gitleaks {major}.{minor}.{patch} knows is read"));
            }
        }
        _ => text.warn(word.at, "`minVersion` is no version number"),
    }
}
