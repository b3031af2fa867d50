//! What stands at the places that a selector names, told without any key: tokens, clear values, damage.

use std::collections::BTreeSet;

use document::{Comment, Document, Node, Path, Value};

use crate::error::{Place, SopsError};
use crate::selector::Selector;
use crate::value::{ValueError, canonical, check_shape, is_token};
use crate::walk::{At, Visitor, walk};

/// What a walk over a file found. Places are kept for the first of a kind; the counts say how many there are.
#[derive(Debug, Default)]
pub struct Survey {
    /// Selected values that are well-formed tokens.
    pub sealed: usize,
    /// Selected values in clear (null and empty text, which are never encrypted, not counted).
    pub in_clear: usize,
    /// The first of them.
    pub first_in_clear: Option<Place>,
    /// Selected values that are tokens no key could open.
    pub damaged: usize,
    /// The first of them.
    pub first_damaged: Option<(Place, ValueError)>,
    /// Values that are not selected and still look like tokens.
    pub stray: usize,
    /// The first of them.
    pub first_stray: Option<Place>,
    /// Top-level keys of the first document with a selected value below them.
    pub selected_keys: BTreeSet<String>,
}

impl Survey {
    /// How many values are selected.
    pub fn selected(&self) -> usize {
        self.sealed + self.in_clear + self.damaged
    }
}

/// What stands at one place of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Null or an empty text: never encrypted.
    Nothing,
    /// A token that some key could open.
    Token,
    /// A token that no key could open.
    Damaged(ValueError),
    /// Anything else.
    Clear,
}

impl Found {
    pub(crate) fn of(value: &Value) -> Self {
        let text = match value {
            Value::Null => return Self::Nothing,
            Value::Str(bytes) if bytes.is_empty() => return Self::Nothing,
            Value::Str(bytes) => bytes.expose(),
            _ => return Self::Clear,
        };
        match check_shape(text) {
            Ok(()) => Self::Token,
            // A cut token is damage; anything else was never encrypted.
            Err(ValueError::NotEncrypted) if !text.starts_with(b"ENC[AES256_GCM,") => Self::Clear,
            Err(ValueError::NotEncrypted) => Self::Damaged(ValueError::Damaged),
            Err(error) => Self::Damaged(error),
        }
    }
}

/// A scalar as a walk met it.
pub struct Met<'a> {
    /// Its value: a secret, if it is in clear.
    pub value: &'a Value,
    /// What it is.
    pub found: Found,
    /// Whether the selector names it.
    pub selected: bool,
    /// Byte offset of its token in the source (of the alias, where it is one).
    pub offset: u32,
    at: &'a At,
    doc: &'a Document,
}

impl Met<'_> {
    /// Where it stands. Counts lines from the start of the file: for a few values, not for all.
    pub fn place(&self) -> Place {
        Place { at: Some(self.doc.place(self.offset)), path: self.path(), document: self.document() }
    }

    /// Its path.
    pub fn path(&self) -> Path {
        self.at.path()
    }

    /// Its document, from 0.
    pub fn document(&self) -> usize {
        self.at.document
    }

    /// Whether it is reached through an alias.
    pub fn is_aliased(&self) -> bool {
        self.at.aliases > 0
    }

    /// The additional data that its token must be made with: every key of the path and a colon.
    pub fn bound_to(&self) -> &[u8] {
        self.at.aad()
    }

    /// The bytes that the MAC takes in for it while it is encrypted or in clear: the same for values that SOPS
    /// cannot tell apart. `None` for null.
    pub fn canonical(&self) -> Option<impl AsRef<[u8]> + use<>> {
        canonical(self.value).map(|(_, bytes)| Bytes(bytes))
    }
}

/// Zeroed when dropped.
struct Bytes(zeroize::Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Met<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Met({}, {:?})", self.path(), self.found)
    }
}

/// Shows every scalar of `doc`, null included, to `visit`, in the order of the file. The tree is left as it is.
pub fn each_value(doc: &mut Document, selector: &Selector, visit: &mut dyn FnMut(&Met<'_>)) {
    let mut branches = std::mem::take(&mut doc.branches);
    walk(&mut branches, selector, &mut Surveyor { doc, visit }).expect("the surveyor never fails");
    doc.branches = branches;
}

/// Surveys the tree of `doc` under `selector`. The tree is left as it is.
pub fn survey(doc: &mut Document, selector: &Selector) -> Survey {
    let mut survey = Survey::default();
    each_value(doc, selector, &mut |met| survey.count(met));
    survey
}

impl Survey {
    fn count(&mut self, met: &Met<'_>) {
        if met.found == Found::Nothing {
            return;
        }
        if !met.selected {
            if matches!(met.value, Value::Str(bytes) if is_token(bytes.expose())) {
                self.stray += 1;
                self.first_stray.get_or_insert_with(|| met.place());
            }
            return;
        }
        if met.document() == 0
            && let Some(key) = met.at.first_key()
            && !self.selected_keys.contains(key)
        {
            self.selected_keys.insert(key.to_owned());
        }
        match met.found {
            Found::Token | Found::Nothing => self.sealed += 1,
            Found::Clear => {
                self.in_clear += 1;
                self.first_in_clear.get_or_insert_with(|| met.place());
            }
            Found::Damaged(error) => {
                self.damaged += 1;
                self.first_damaged.get_or_insert_with(|| (met.place(), error));
            }
        }
    }
}

struct Surveyor<'v, 'd> {
    doc: &'d Document,
    visit: &'v mut dyn FnMut(&Met<'_>),
}

impl Visitor for Surveyor<'_, '_> {
    fn leaf(&mut self, at: &At, node: &mut Node, encrypted: bool) -> Result<(), SopsError> {
        let offset = node.alias.map_or(node.site.span, |alias| alias.span).start;
        let found = Found::of(&node.value);
        (self.visit)(&Met { value: &node.value, found, selected: encrypted, offset, at, doc: self.doc });
        Ok(())
    }

    fn comment(&mut self, _at: &At, _comment: &mut Comment, _encrypted: bool) -> Result<(), SopsError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use document::Format as _;

    fn survey_of(text: &str, field: &str, pattern: &str) -> Survey {
        let mut doc = document::format::Json.parse(text.into()).unwrap();
        survey(&mut doc, &Selector::from_field(field, pattern).unwrap())
    }

    #[test]
    fn counts_what_stands_at_selected_places() {
        let token = "ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]";
        let cut = &token[..60];
        let text = format!(
            r#"{{"data": {{"a": "{token}", "b": "clear", "c": 1, "d": "{cut}", "e": null, "f": ""}}, "kind": "{token}"}}"#
        );
        let found = survey_of(&text, "encrypted_regex", "^data$");
        assert_eq!((found.sealed, found.in_clear, found.damaged, found.stray), (1, 2, 1, 1));
        assert_eq!(found.first_in_clear.unwrap().path.to_string(), r#"["data"]["b"]"#);
        assert_eq!(found.first_damaged.unwrap().1, ValueError::Damaged);
        assert_eq!(found.selected_keys.into_iter().collect::<Vec<_>>(), ["data"]);
    }

    #[test]
    fn tokens_of_wrong_length_or_type_are_damage() {
        for token in
            ["ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]", "ENC[AES256_GCM,data:?,iv:?,tag:?,type:str]"]
        {
            let found = survey_of(&format!(r#"{{"a": "{token}"}}"#), "encrypted_regex", "a");
            assert_eq!((found.sealed, found.damaged), (0, 1), "{token}");
        }
    }
}
