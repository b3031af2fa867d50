//! `${key}` in the templates of an EncryptedSecret: decrypted values put into a text that stays in clear.
//!
//! `${key|base64}` and `${key|json}` (the inside of a JSON string) fit values into their surroundings. `$${` stands
//! for `${`. Nothing else is special, so that a template can hold any text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secret::SecretBytes;
use zeroize::Zeroizing;

/// Why a template gives no text. Names keys only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// A reference to a key that the Secret does not have.
    #[error("there is no key {0} in data or stringData")]
    Unknown(String),
    /// `${` without `}`, or with something that is no key inside.
    #[error("`${{` at byte {0} is not followed by a key and `}}` (write `$${{` for the text `${{`)")]
    Broken(usize),
    /// A filter that does not exist.
    #[error("the filter at byte {0} is neither base64 nor json")]
    Filter(usize),
    /// A value that is not text where JSON needs text.
    #[error("the value of {0} is not UTF-8 text, which `|json` needs")]
    NotText(String),
    /// The result is larger than a Secret may be.
    #[error("the result is larger than {0} bytes")]
    TooLarge(usize),
}

/// Fills `template` with what `value` gives for each key; the result has at most `limit` bytes.
pub(crate) fn fill<'v>(
    template: &str,
    value: impl Fn(&str) -> Option<&'v SecretBytes>,
    limit: usize,
) -> Result<SecretBytes, TemplateError> {
    let mut out = Zeroizing::new(Vec::new());
    let mut rest = template;
    while let Some(at) = rest.find("${") {
        let place = template.len() - rest.len() + at;
        if let Some(before) = rest[..at].strip_suffix('$') {
            push(&mut out, before.as_bytes(), limit)?;
            push(&mut out, b"${", limit)?;
            rest = &rest[at + 2..];
            continue;
        }
        push(&mut out, &rest.as_bytes()[..at], limit)?;
        let (inner, after) = rest[at + 2..].split_once('}').ok_or(TemplateError::Broken(place))?;
        let (key, filter) = inner.split_once('|').map_or((inner, None), |(key, filter)| (key, Some(filter)));
        if !crate::names::is_data_key(key) {
            return Err(TemplateError::Broken(place));
        }
        let value = value(key).ok_or_else(|| TemplateError::Unknown(key.to_owned()))?;
        if out.len() + value.len() > limit {
            return Err(TemplateError::TooLarge(limit));
        }
        push(&mut out, &filtered(value, filter, key, place)?, limit)?;
        rest = after;
    }
    push(&mut out, rest.as_bytes(), limit)?;
    Ok(SecretBytes::new(std::mem::take(&mut *out)))
}

fn push(out: &mut Vec<u8>, bytes: &[u8], limit: usize) -> Result<(), TemplateError> {
    if out.len() + bytes.len() > limit {
        return Err(TemplateError::TooLarge(limit));
    }
    out.extend_from_slice(bytes);
    Ok(())
}

fn filtered(
    value: &SecretBytes,
    filter: Option<&str>,
    key: &str,
    place: usize,
) -> Result<Zeroizing<Vec<u8>>, TemplateError> {
    let bytes = match filter {
        None => value.expose().to_vec(),
        Some("base64") => STANDARD.encode(value.expose()).into_bytes(),
        Some("json") => {
            let text = value.expose_str().ok_or_else(|| TemplateError::NotText(key.to_owned()))?;
            let quoted = Zeroizing::new(serde_json::to_vec(text).expect("text is always JSON"));
            quoted[1..quoted.len() - 1].to_vec()
        }
        Some(_) => return Err(TemplateError::Filter(place)),
    };
    Ok(Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(template: &str, limit: usize) -> Result<String, TemplateError> {
        let user = SecretBytes::from("bob \"b\"");
        let raw = SecretBytes::new(vec![0xff]);
        let value = |key: &str| match key {
            "user" => Some(&user),
            "raw" => Some(&raw),
            _ => None,
        };
        fill(template, value, limit).map(|text| String::from_utf8_lossy(text.expose()).into_owned())
    }

    #[test]
    fn values_and_escapes() {
        let cases = [
            ("", ""),
            ("plain $ {x} $$ }", "plain $ {x} $$ }"),
            ("a${user}b", "abob \"b\"b"),
            ("${user|json}", "bob \\\"b\\\""),
            ("${user|base64}", "Ym9iICJiIg=="),
            ("$${user}", "${user}"),
            ("$$${user}", "$${user}"),
        ];
        for (template, text) in cases {
            assert_eq!(run(template, 100).as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn what_cannot_be_filled_is_refused() {
        assert_eq!(run("x${nobody}", 100), Err(TemplateError::Unknown("nobody".into())));
        assert_eq!(run("xx${user", 100), Err(TemplateError::Broken(2)));
        assert_eq!(run("${us er}", 100), Err(TemplateError::Broken(0)));
        assert_eq!(run("${}", 100), Err(TemplateError::Broken(0)));
        assert_eq!(run("${user|upper}", 100), Err(TemplateError::Filter(0)));
        assert_eq!(run("${raw|json}", 100), Err(TemplateError::NotText("raw".into())));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        assert_eq!(run(&"${user}".repeat(1000), 100), Err(TemplateError::TooLarge(100)));
        assert_eq!(run(&"x".repeat(101), 100), Err(TemplateError::TooLarge(100)));
        assert!(run(&"x".repeat(100), 100).is_ok());
    }
}
