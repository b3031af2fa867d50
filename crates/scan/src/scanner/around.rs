//! Public values that only what stands round them tells from secrets.

use memchr::memmem;

use crate::scanner::Scanner;
use crate::scanner::views::Views;
use crate::scanner::weigh::Hit;

/// How far round a key the rest of its object is looked for, in bytes.
const NEAR: usize = 300;
/// How far above a value the key of its map is looked for.
const ABOVE: usize = 32 << 10;
/// No ciphertext of a SealedSecret is shorter.
const SHORTEST_CIPHERTEXT: usize = 300;

impl Scanner {
    /// Takes out hits of our own rules that their surroundings show to be public.
    pub(crate) fn drop_public(&self, views: &Views<'_>, hits: &mut Vec<Hit>) {
        if self.rules.structural {
            hits.retain(|hit| !is_public(views.text(hit.view), hit));
        }
    }
}

fn is_public(text: &[u8], hit: &Hit) -> bool {
    is_search_key(text, hit) || is_sealed(text, hit)
}

/// DocSearch: the key that searches a site's index stands in the page beside the index' name and the application's id.
fn is_search_key(text: &[u8], hit: &Hit) -> bool {
    let secret = &text[hit.secret.clone()];
    if secret.len() != 32 || !secret.iter().all(u8::is_ascii_hexdigit) {
        return false;
    }
    let near = &text[hit.matched.start.saturating_sub(NEAR)..text.len().min(hit.matched.end + NEAR)];
    let named =
        [&b"apiKey"[..], b"api_key"].iter().any(|name| memmem::find(&text[hit.matched.clone()], name).is_some());
    named && [&b"indexName"[..], b"appId"].iter().all(|name| memmem::find(near, name).is_some())
}

/// The ciphertexts of a SealedSecret, for keys of any length: what is indented below `encryptedData:`.
fn is_sealed(text: &[u8], hit: &Hit) -> bool {
    let secret = &text[hit.secret.clone()];
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    if secret.len() < SHORTEST_CIPHERTEXT || !secret.iter().all(base64) {
        return false;
    }
    let above = &text[hit.matched.start.saturating_sub(ABOVE)..hit.matched.start];
    let Some(key) = memmem::rfind(above, b"encryptedData") else { return false };
    let line = memchr::memrchr(b'\n', &above[..key]).map_or(0, |end| end + 1);
    let indent = key - line;
    let spaces = |line: &[u8]| line.iter().take_while(|byte| **byte == b' ').count();
    let below: Vec<&[u8]> = above[key..].split(|byte| *byte == b'\n').skip(1).collect();
    below.split_last().is_some_and(|(last, before)| {
        spaces(last) > indent && before.iter().all(|line| line.trim_ascii().is_empty() || spaces(line) > indent)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::content::Content;
    use crate::scanner::{Options, Scanner};

    /// Candidates, with the fast search and with the slow one.
    fn count(text: &str) -> usize {
        let scanner = Scanner::new(Arc::new(crate::builtin::builtin()), Options::default());
        let content = Content { bytes: text.as_bytes(), paths: &[], base: None, first_line: 1 };
        let seen = scanner.scan(&content);
        assert_eq!(seen, scanner.scan_by_reference(&content));
        seen.candidates.len()
    }

    fn drawn(letters: &str, length: usize) -> String {
        let mut state = 5_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(letters.as_bytes()[(state >> 16) as usize % letters.len()])
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn the_key_of_a_search_in_a_site_is_public() {
        let key = drawn("0123456789abcdef", 32);
        for object in [
            "algolia: {\n  appId: 'A1',\n  apiKey: 'KEY',\n  indexName: 'docs',\n}",
            "algolia: { apiKey: 'KEY', indexName: 'docs', appId: 'A1' }",
        ] {
            assert_eq!(count(&object.replace("KEY", &key)), 0, "{object}");
        }
        for object in [
            "shop: {\n  appId: 'A1',\n  apiKey: 'KEY',\n}",
            "algolia: { adminKey: 'KEY', indexName: 'docs', appId: 'A1' }",
        ] {
            assert_eq!(count(&object.replace("KEY", &key)), 1, "{object}");
        }
    }

    #[test]
    fn what_stands_below_encrypted_data_is_sealed() {
        let long = format!("zQ{}", drawn("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 398));
        let sealed = format!("kind: SealedSecret\nspec:\n  encryptedData:\n    user: {long}\n\n    password: {long}\n");
        assert_eq!(count(&sealed), 0);
        let beside = format!("kind: SealedSecret\nspec:\n  encryptedData:\n    user: {long}\n  password: {long}\n");
        assert_eq!(count(&beside), 1);
        assert_eq!(count(&format!("kind: SealedSecret\npassword: {long}\n")), 1);
    }
}
