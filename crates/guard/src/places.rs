//! Whether one file is another in clear, told without a key: values under the same keys, each as long as what is
//! encrypted there.

use std::collections::HashMap;

use document::{Format, Path};
use sops::{Encrypted, Found, Look, Selector, each_value, look};

use crate::claim::is_placeholder;
use crate::file::{format_of, seems_encrypted};

/// Document and path of values, and how long each is, in bytes.
pub(crate) type Places = HashMap<(usize, Path), usize>;

/// Files that are compared with each new one.
const MOST: usize = 200;

/// The encrypted files that a change removes, to tell which of its new files is one of them in clear.
pub struct Gone<'g>(Vec<(&'g [u8], Places)>);

/// What is in them is not shown.
impl std::fmt::Debug for Gone<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gone({} files)", self.0.len())
    }
}

impl<'g> Gone<'g> {
    /// Of these paths and contents those that are encrypted.
    pub fn new(files: impl IntoIterator<Item = (&'g [u8], &'g [u8])>) -> Self {
        let places = |(path, bytes): (&'g [u8], &'g [u8])| {
            let format = format_of(path, bytes);
            if !format.edits_in_place() || !seems_encrypted(path, bytes) {
                return None;
            }
            let Look::Encrypted(mut encrypted) = look(bytes, format) else { return None };
            Some((bytes, sealed(&mut encrypted)))
        };
        Self(files.into_iter().filter_map(places).take(MOST).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one that this file is in clear.
    pub fn original_of(&self, path: &[u8], bytes: &[u8]) -> Option<&'g [u8]> {
        let format = format_of(path, bytes);
        if self.is_empty() || !format.edits_in_place() || seems_encrypted(path, bytes) {
            return None;
        }
        let clear = clear(bytes, format);
        self.0.iter().find(|(_, sealed)| is_opened(&clear, sealed)).map(|(bytes, _)| *bytes)
    }
}

/// The values that are encrypted.
pub(crate) fn sealed(encrypted: &mut Encrypted) -> Places {
    let mut places = Places::new();
    encrypted.each_value(&Selector::default(), &mut |met| {
        if met.found == Found::Token {
            let bytes = met.value.as_str().and_then(sealed_bytes).unwrap_or(usize::MAX);
            places.insert((met.document(), met.path()), bytes);
        }
    });
    places
}

/// How many bytes a token encrypts: in this mode as many as it has data.
fn sealed_bytes(token: &str) -> Option<usize> {
    let data = token.strip_prefix("ENC[AES256_GCM,data:")?.split(',').next()?;
    let padding = data.bytes().rev().take_while(|byte| *byte == b'=').count();
    (data.len() / 4 * 3).checked_sub(padding)
}

/// The values of a file in clear, but for what something else fills in later.
pub(crate) fn clear(bytes: &[u8], format: &'static dyn Format) -> Places {
    let mut places = Places::new();
    let Look::Plain(mut doc) = look(bytes, format) else { return places };
    each_value(&mut doc, &Selector::default(), &mut |met| {
        let stands_in = met.value.as_str().is_some_and(|text| is_placeholder(text.as_bytes()));
        if met.found == Found::Clear
            && !stands_in
            && let Some(value) = met.canonical()
        {
            places.insert((met.document(), met.path()), value.as_ref().len());
        }
    });
    places
}

/// Whether at least half of the encrypted values stand in clear.
pub(crate) fn is_opened(clear: &Places, sealed: &Places) -> bool {
    let same = sealed.iter().filter(|(place, bytes)| clear.get(place) == Some(bytes)).count();
    same > 0 && same * 2 >= sealed.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_as_long_as_their_values() {
        for (data, bytes) in [("", 0), ("AA==", 1), ("AAA=", 2), ("AAAA", 3), ("AAAAAA==", 4)] {
            assert_eq!(sealed_bytes(&format!("ENC[AES256_GCM,data:{data},iv:x,tag:y,type:str]")), Some(bytes));
        }
        assert_eq!(sealed_bytes("ENC[OTHER,data:AA==]"), None);
    }

    #[test]
    fn half_of_the_values_must_fit() {
        let places = |list: &[(usize, usize)]| -> Places {
            list.iter().map(|(place, bytes)| ((*place, Path::default()), *bytes)).collect()
        };
        let sealed = places(&[(0, 8), (1, 24), (2, 3), (3, 4)]);
        assert!(is_opened(&places(&[(0, 8), (1, 24), (2, 9)]), &sealed));
        assert!(!is_opened(&places(&[(0, 8), (1, 23), (2, 9), (3, 5)]), &sealed));
        assert!(!is_opened(&places(&[(0, 8)]), &Places::new()));
    }
}
