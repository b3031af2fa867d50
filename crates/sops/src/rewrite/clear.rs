//! Values that somebody wrote in clear into an encrypted file: encrypted where they stand, with the file's data key.

use std::collections::HashMap;

use document::{EmitOptions, Path};
use secret::DataKey;

use super::{Again, with_text};
use crate::error::SopsError;
use crate::open::{Encrypted, Plain};
use crate::seal::Sealed;
use crate::survey::Found;
use crate::value::ValueError;

/// Encrypts the values that stand in clear at the places which the selector of `new` names, and makes a new MAC.
///
/// The MAC of `new` cannot fit, so something else must vouch for the rest: `old`, the version before the change, must
/// verify with `key`, and every token of `new` must be the one that stands at the same path in `old`. Values that were
/// removed, and clear values that the selector does not name, are taken as they are in `new`. The data key is not
/// wrapped to anyone.
///
/// # Errors
/// What unlocking and verifying `old` can meet; [`SopsError::Value`] with the first token of `new` that is not one of
/// `old` or is damaged; as [`with_text`].
pub fn seal_clear(new: Encrypted, old: Encrypted, key: DataKey, again: Again<'_>) -> Result<Sealed, SopsError> {
    let mut old = old;
    let known = tokens(&mut old);
    let old = old.unlock(key, false)?.verify()?;
    let mut new = new;
    let selector = new.metadata().selector.clone();
    let mut stranger = None;
    new.each_value(&selector, &mut |met| {
        let is_known = || known.get(&(met.document(), met.path())).is_some_and(|text| met.value.as_str() == Some(text));
        let source = match met.found {
            Found::Token if !met.selected || is_known() => return,
            Found::Token => ValueError::Unauthentic,
            Found::Damaged(error) if met.selected => error,
            Found::Damaged(_) | Found::Clear | Found::Nothing => return,
        };
        stranger.get_or_insert_with(|| SopsError::Value { place: met.place(), source });
    });
    match stranger {
        Some(error) => Err(error),
        None => sealed(new.unlock_partly(old)?, again),
    }
}

fn sealed(plain: Plain, again: Again<'_>) -> Result<Sealed, SopsError> {
    let options = if plain.is_ours() { EmitOptions::default() } else { again.layout };
    let text = plain.text(&options)?;
    with_text(plain, text, again)
}

fn tokens(encrypted: &mut Encrypted) -> HashMap<(usize, Path), String> {
    let mut known = HashMap::new();
    let selector = encrypted.metadata().selector.clone();
    encrypted.each_value(&selector, &mut |met| {
        if let (Found::Token, Some(text)) = (met.found, met.value.as_str()) {
            known.insert((met.document(), met.path()), text.to_owned());
        }
    });
    known
}
