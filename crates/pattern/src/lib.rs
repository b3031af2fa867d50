//! Regular expressions in Go's syntax (RE2), as `.sops.yaml` and `gitleaks.toml` write them, run by Rust's engine.

use regex::bytes::{Regex, RegexBuilder};

/// A regular expression in Go's syntax, compiled for us.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles Go (RE2) syntax; its classes and boundaries are ASCII as Go's are.
    ///
    /// # Errors
    /// A sentence that says why the pattern is invalid. SOPS takes an invalid pattern as one that matches
    /// nothing and leaves secrets in clear; we never do.
    pub fn new(source: &str) -> Result<Self, String> {
        let translated = from_go(source);
        let regex = RegexBuilder::new(&translated).size_limit(4 << 20).build().map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
            _ => "the regular expression is invalid".to_owned(),
        })?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// Whether it is found anywhere in `text`.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// The text as given.
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.source.fmt(f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Rewrites what Go spells differently: `\z`, `\Q…\E`, and perl classes that are ASCII in Go.
fn from_go(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut rest = source;
    let mut in_class = false;
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix(r"\Q") {
            let (literal, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            out.push_str(&regex::escape(literal));
            rest = after;
            continue;
        }
        if first == '\\' {
            let second = rest[1..].chars().next();
            out.push_str(&escape_from_go(second, in_class));
            rest = &rest[1 + second.map_or(0, char::len_utf8)..];
            continue;
        }
        match first {
            '[' if in_class && !rest.starts_with("[:") => out.push_str(r"\["),
            '[' => {
                let head = ["[^]", "[]"].into_iter().find(|head| !in_class && rest.starts_with(head));
                if let Some(head) = head {
                    out.push_str(&head.replace(']', r"\]"));
                    rest = &rest[head.len()..];
                    in_class = true;
                    continue;
                }
                let posix = in_class.then(|| rest.find(":]")).flatten();
                if let Some(end) = posix {
                    out.push_str(&rest[..end + 2]);
                    rest = &rest[end + 2..];
                    continue;
                }
                in_class = true;
                out.push('[');
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            // Rust reads these pairs in a class as set operations; Go does not.
            '&' | '~' if in_class => out.extend(['\\', first]),
            _ => out.push(first),
        }
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// One escape; Go's `\d \w \s \b` know ASCII only.
fn escape_from_go(letter: Option<char>, in_class: bool) -> String {
    match (letter, in_class) {
        (Some('z'), false) => r"\z".to_owned(),
        (Some('d'), false) => "[0-9]".to_owned(),
        (Some('D'), false) => "[^0-9]".to_owned(),
        (Some('s'), false) => r"[\t\n\f\r ]".to_owned(),
        (Some('S'), false) => r"[^\t\n\f\r ]".to_owned(),
        (Some('w'), false) => "[0-9A-Za-z_]".to_owned(),
        (Some('W'), false) => "[^0-9A-Za-z_]".to_owned(),
        (Some('b'), false) => r"(?-u:\b)".to_owned(),
        (Some('d'), true) => "0-9".to_owned(),
        (Some('s'), true) => r"\t\n\f\r ".to_owned(),
        (Some('w'), true) => "0-9A-Za-z_".to_owned(),
        (Some(other), _) => format!("\\{other}"),
        (None, _) => "\\".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn go_syntax_is_translated() {
        let found = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().is_match(text.as_bytes());
        assert!(found(r"^data\z", "data"));
        assert!(found(r"\Qa.b\E$", "xa.b"));
        assert!(!found(r"\Qa.b\E", "aXb"));
        assert!(!found(r"^\d$", "\u{0663}"));
        assert!(found(r"[\w-]+", "a-b"));
        assert!(found(r"[]x]", "]"));
        assert!(found(r"[[a]", "["));
        assert!(found(r"[[:alpha:]]", "q"));
        assert!(found(r"^(data|stringData)$", "stringData"));
        assert!(found(r"[a&&b]", "&"));
        assert!(Pattern::new("(").is_err());
        assert!(Pattern::new("a\\").is_err());
    }
}
