//! `sops.plomb_layout`: what the encrypted text cannot carry, itself encrypted.
//!
//! Its presence says that plomb wrote the file. SOPS ignores the field on reading and drops it on writing,
//! and with it goes our way of printing the file. Its entries count only while `mac` equals the file's
//! verified MAC, so an old layout cannot be put back.

use std::collections::HashMap;

use secret::{Random, SecretBytes};
use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;
use crate::value::{Cipher, Kind};

const AAD: &[u8] = b"sops:plomb_layout:";

/// The field's plaintext, version 1.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) v: u32,
    /// When the data key was made (RFC 3339).
    #[serde(default)]
    pub(crate) created: String,
    /// The MAC of the file that this layout belongs to.
    #[serde(default)]
    pub(crate) mac: String,
    /// Recipients that were accepted when the data key was last wrapped.
    #[serde(default)]
    pub(crate) recipients: Vec<String>,
    /// Tokens whose spelling the ciphertext cannot carry.
    #[serde(default)]
    pub(crate) entries: Vec<LayoutEntry>,
    /// Set when the plain file had no line break at its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unended: bool,
    /// Set when an empty line was put in front of the metadata.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) parted: bool,
}

/// The spelling of one token.
#[derive(Serialize, Deserialize)]
pub(crate) struct LayoutEntry {
    pub(crate) doc: usize,
    /// RFC 6901 pointer in that document.
    pub(crate) pointer: String,
    pub(crate) text: String,
}

impl Layout {
    pub(crate) fn new(created: Timestamp, recipients: Vec<String>) -> Self {
        Self { v: 1, created: created.to_string(), recipients, ..Self::default() }
    }

    pub(crate) fn seal(&self, cipher: &Cipher, rng: &mut dyn Random) -> String {
        let text = SecretBytes::new(serde_json::to_vec(self).expect("plain structs serialise"));
        cipher.seal(Kind::Str, text.expose(), AAD, rng)
    }

    /// Opens the field; `None` if it is damaged or of a later version, which only costs the layout.
    pub(crate) fn open(cipher: &Cipher, token: &str) -> Option<Self> {
        let (_, text) = cipher.open(token.as_bytes(), AAD).ok()?;
        serde_json::from_slice::<Self>(text.expose()).ok().filter(|layout| layout.v == 1)
    }

    /// The entries by document and pointer.
    pub(crate) fn by_place(&self) -> HashMap<(usize, &str), &str> {
        self.entries.iter().map(|entry| ((entry.doc, entry.pointer.as_str()), entry.text.as_str())).collect()
    }
}

impl std::fmt::Debug for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Layout({} entries)", self.entries.len())
    }
}
