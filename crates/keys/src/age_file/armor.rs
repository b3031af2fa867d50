//! The ASCII armor of age: strict PEM, 64 columns, white space only outside.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::KeyError;

pub(super) const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const COLUMNS: usize = 64;

/// Armors `bytes`, with a final newline.
pub(super) fn encode(bytes: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(bytes);
    let mut text = String::with_capacity(base64.len() + base64.len() / COLUMNS + 80);
    text.push_str(BEGIN);
    text.push('\n');
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(COLUMNS));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// Takes the armor off.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut lines = text.trim_ascii().split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if lines.next() != Some(BEGIN.as_bytes()) {
        return Err(KeyError::Armor("its first line is missing"));
    }
    let mut base64 = Vec::with_capacity(text.len());
    let mut full = true;
    for line in &mut lines {
        if line == END.as_bytes() {
            return match lines.next() {
                None => decode_base64(&base64),
                Some(_) => Err(KeyError::Armor("text after its last line")),
            };
        }
        if line.is_empty() || line.len() > COLUMNS || !full {
            return Err(KeyError::Armor("a line of the wrong length"));
        }
        full = line.len() == COLUMNS;
        base64.extend_from_slice(line);
    }
    Err(KeyError::Armor("its last line is missing"))
}

fn decode_base64(base64: &[u8]) -> Result<Vec<u8>, KeyError> {
    BASE64_STANDARD.decode(base64).map_err(|_| KeyError::Armor("not canonical base64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        for len in 0..200 {
            let bytes: Vec<u8> = (0..len).collect();
            let text = encode(&bytes);
            assert!(text.ends_with("-----END AGE ENCRYPTED FILE-----\n"));
            assert!(text.lines().all(|line| line.len() <= COLUMNS));
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes);
        }
    }
}
