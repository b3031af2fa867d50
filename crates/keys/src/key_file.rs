//! Key files: one identity per line, `#` comments, blank lines; or a whole file behind a passphrase.
//!
//! The reader is our own because the age crate's refuses post-quantum keys. It names lines, never their content.

use crate::{Access, Identity, KeyError, age_file, kind::LockedFile, parse_identity};

/// Reads the identities of a key file. `name` is how a prompt names the file, if it must ask for its passphrase.
///
/// The file may be a list of identities, such a list encrypted with a passphrase (asked for on first use), or,
/// where they are supported, an SSH private key.
///
/// # Errors
/// With the line, when a line is not an identity; and when there is none at all.
pub fn parse_key_file(bytes: &[u8], name: &str, access: &Access) -> Result<Vec<Box<dyn Identity>>, KeyError> {
    if age_file::is_age_file(bytes) {
        return Ok(vec![Box::new(LockedFile::parse(bytes, name, access)?)]);
    }
    #[cfg(feature = "ssh")]
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
        return Ok(vec![crate::kind::parse_ssh_key(bytes, name, access)?]);
    }
    parse_lines(bytes, access)
}

/// Reads the identities in a variable like `SOPS_AGE_KEY`: as a key file's lines, but several may stand in one
/// line, separated by white space.
///
/// # Errors
/// As [`parse_key_file`].
pub fn parse_key_variable(text: &str, access: &Access) -> Result<Vec<Box<dyn Identity>>, KeyError> {
    collect(lines(text).flat_map(|(line, text)| text.split_whitespace().map(move |word| (line, word))), access)
}

/// Reads a plain list of identities.
pub(crate) fn parse_lines(bytes: &[u8], access: &Access) -> Result<Vec<Box<dyn Identity>>, KeyError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => collect(lines(text), access),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
            Err(KeyError::Line { line, problem: Box::new(KeyError::Identity("not UTF-8 text")) })
        }
    }
}

/// Numbered lines, without those that hold no identity.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn collect<'t>(
    texts: impl Iterator<Item = (usize, &'t str)>,
    access: &Access,
) -> Result<Vec<Box<dyn Identity>>, KeyError> {
    let mut identities = Vec::new();
    for (line, text) in texts {
        let identity = parse_identity(text, access);
        identities.push(identity.map_err(|error| KeyError::Line { line, problem: Box::new(error) })?);
    }
    if identities.is_empty() {
        return Err(KeyError::NoIdentity);
    }
    Ok(identities)
}

#[cfg(test)]
mod tests;
