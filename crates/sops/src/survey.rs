//! What stands at the places that a selector names, told without any key: tokens, clear values, damage.

use std::collections::BTreeSet;

use document::{Comment, Document, Node, Value};

use crate::error::{Place, SopsError};
use crate::selector::Selector;
use crate::value::{ValueError, check_shape, is_token};
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

/// Surveys the tree of `doc` under `selector`. The tree is left as it is.
pub fn survey(doc: &mut Document, selector: &Selector) -> Survey {
    let mut branches = std::mem::take(&mut doc.branches);
    let mut surveyor = Surveyor { doc, found: Survey::default() };
    walk(&mut branches, selector, &mut surveyor).expect("the surveyor never fails");
    let found = surveyor.found;
    doc.branches = branches;
    found
}

struct Surveyor<'a> {
    doc: &'a Document,
    found: Survey,
}

impl Visitor for Surveyor<'_> {
    fn leaf(&mut self, at: &At, node: &mut Node, encrypted: bool) -> Result<(), SopsError> {
        let place = || at.place(self.doc, node);
        let found = &mut self.found;
        let text = match &node.value {
            Value::Null => return Ok(()),
            Value::Str(bytes) if bytes.is_empty() => return Ok(()),
            Value::Str(bytes) => bytes.expose(),
            _ => &[],
        };
        if !encrypted {
            if is_token(text) {
                found.stray += 1;
                found.first_stray.get_or_insert_with(place);
            }
            return Ok(());
        }
        if at.document == 0
            && let Some(key) = at.first_key()
            && !found.selected_keys.contains(key)
        {
            found.selected_keys.insert(key.to_owned());
        }
        match check_shape(text) {
            Ok(()) => found.sealed += 1,
            // A cut token is damage; anything else was never encrypted.
            Err(ValueError::NotEncrypted) if !text.starts_with(b"ENC[AES256_GCM,") => {
                found.in_clear += 1;
                found.first_in_clear.get_or_insert_with(place);
            }
            Err(ValueError::NotEncrypted) => {
                found.damaged += 1;
                found.first_damaged.get_or_insert_with(|| (place(), ValueError::Damaged));
            }
            Err(error) => {
                found.damaged += 1;
                found.first_damaged.get_or_insert_with(|| (place(), error));
            }
        }
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
