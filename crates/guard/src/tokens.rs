//! Tokens by where they stand: what was copied, moved or retyped by hand shows without a key.

use std::collections::{HashMap, HashSet};

use document::{Path, Step};
use scan::Confidence;
use sha2::{Digest as _, Sha256};
use sops::{Encrypted, Found, Met, Selector};

use crate::breach::shown_path;
use crate::values::{Clear, ClearValues, heads, value_digest};

/// The tokens of one version of a file.
pub(crate) struct Ledger {
    /// Data, IV and tag of a token, and the place that it was first met at.
    tokens: HashMap<[u8; 32], Place>,
    /// Tokens met again at another key.
    repeated: Vec<Moves>,
    /// Document and path of every token.
    paths: HashSet<(usize, Path)>,
    /// Digest of what the MAC is made of, as far as it shows without a key.
    pub(crate) content: [u8; 32],
}

struct Place {
    bound_to: [u8; 32],
    kind: Vec<u8>,
    shown: String,
    offset: u32,
}

/// A token that stands where it cannot be opened.
pub(crate) struct Moves {
    pub(crate) shown: String,
    pub(crate) offset: u32,
    /// Only its type was changed.
    pub(crate) retyped: bool,
}

impl Ledger {
    /// Takes down a file's tokens; `only_tokens` if its MAC covers nothing else.
    pub(crate) fn of(encrypted: &mut Encrypted, only_tokens: bool) -> Self {
        let mut ledger = Self { tokens: HashMap::new(), repeated: Vec::new(), paths: HashSet::new(), content: [0; 32] };
        let mut content = Sha256::new();
        encrypted.each_value(&Selector::default(), &mut |met| {
            if met.found == Found::Token && !met.is_aliased() {
                ledger.take(met);
            }
            let counts = met.found == Found::Token || !only_tokens;
            if let Some(bytes) = met.canonical().filter(|bytes| counts && !bytes.as_ref().is_empty()) {
                content.update((bytes.as_ref().len() as u64).to_le_bytes());
                content.update(bytes.as_ref());
            }
        });
        ledger.content = content.finalize().into();
        ledger
    }

    fn take(&mut self, met: &Met<'_>) {
        let text = met.value.as_str().unwrap_or_default();
        let Some((body, kind)) = text.rsplit_once(",type:") else { return };
        let path = met.path();
        let place = Place {
            bound_to: Sha256::digest(met.bound_to()).into(),
            kind: kind.as_bytes().to_vec(),
            shown: shown_path(&path),
            offset: met.offset,
        };
        self.paths.insert((met.document(), path));
        match self.tokens.entry(Sha256::digest(body).into()) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(place);
            }
            std::collections::hash_map::Entry::Occupied(first) => {
                if first.get().bound_to != place.bound_to {
                    self.repeated.push(Moves { shown: place.shown, offset: place.offset, retyped: false });
                }
            }
        }
    }

    /// Tokens that cannot be opened where they stand: those that stand twice, and those that stood elsewhere, or
    /// under another type, in the `old` version.
    pub(crate) fn moves(self, old: Option<&Self>) -> Vec<Moves> {
        let mut found = self.repeated;
        for (body, place) in self.tokens {
            let Some(before) = old.and_then(|old| old.tokens.get(&body)) else { continue };
            let stays = before.bound_to == place.bound_to;
            if !stays || before.kind != place.kind {
                found.push(Moves { shown: place.shown, offset: place.offset, retyped: stays });
            }
        }
        found.sort_by_key(|moved| moved.offset);
        found
    }

    /// Adds the values that were tokens in this (old) version and stand in clear in the new one, whatever any selector
    /// says now.
    pub(crate) fn add_opened(&self, clear: &mut ClearValues, encrypted: &mut Encrypted) {
        let heads = heads(encrypted.document());
        encrypted.each_value(&Selector::default(), &mut |met| {
            if met.found != Found::Clear || clear.contains_key(&met.offset) {
                return;
            }
            let key = (met.document(), met.path());
            let is_head = matches!(key.1.0.first(), Some(Step::Key(first)) if heads.contains(&(key.0, first.clone())));
            if !is_head && self.paths.contains(&key) {
                let (document, path) = key;
                let (rule, placeholder) = (None, false);
                let why = "it was encrypted before the change";
                let (digest, confidence) = (value_digest(met), Confidence::Medium);
                let value = Clear { document, path, digest, placeholder, confidence, rule, why };
                clear.insert(met.offset, value);
            }
        });
    }
}
