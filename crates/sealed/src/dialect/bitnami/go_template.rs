//! The part of Go's text/template with sprig that SealedSecrets use: values by key, piped through a few functions.
//! What is not known is refused by name; there is no half-filled text.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secret::SecretBytes;
use zeroize::Zeroizing;

use crate::reason::Reason;

/// Why a template gives no text. Names keys and functions only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GoError {
    /// A function or statement outside the subset.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// An action that does not parse.
    #[error("the action at byte {0} is broken")]
    Broken(usize),
    /// A value that is not of the form a function needs.
    #[error("{0} cannot be applied to the value")]
    Value(&'static str),
    /// The result is larger than a Secret may be.
    #[error("the result is larger than {0} bytes")]
    TooLarge(usize),
    /// Functions that have more to do than any file needs.
    #[error("its functions go over more than {0} bytes altogether")]
    TooMuch(usize),
}

impl GoError {
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Unsupported(_) => Reason::TemplateUnsupported,
            _ => Reason::TemplateFailed,
        }
    }
}

type Values = BTreeMap<String, SecretBytes>;
/// A function and the arguments before the value.
pub(crate) type Call = (String, Vec<String>);

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text as it stands.
    Text(String),
    /// A pipeline: what it begins with, and the functions behind it with their arguments.
    Action(Start, Vec<Call>),
}

/// What a pipeline begins with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A value of the Secret.
    Key(String),
    /// A text.
    Literal(String),
}

/// What the functions of all templates of one resource may go over, in bytes: a result that stays small may be made in
/// thousands of steps, each over a value that is large.
const WORK: usize = 16 << 20;
/// What a step costs whatever it goes over.
const STEP: usize = 64;

/// What is left of it.
pub(crate) struct Work(usize);

impl Work {
    /// All of it.
    pub(crate) fn new() -> Self {
        Self(WORK)
    }

    /// Takes what a function over so many bytes costs.
    fn step(&mut self, bytes: usize) -> Result<(), GoError> {
        self.0 = self.0.checked_sub(bytes.saturating_add(STEP)).ok_or(GoError::TooMuch(WORK))?;
        Ok(())
    }
}

/// Fills `template`; the result has at most `limit` bytes.
pub(crate) fn fill(template: &str, values: &Values, limit: usize, work: &mut Work) -> Result<SecretBytes, GoError> {
    let mut out = Zeroizing::new(Vec::new());
    for piece in parse(template)? {
        let bytes = match &piece {
            Piece::Text(text) => Zeroizing::new(text.as_bytes().to_vec()),
            Piece::Action(start, functions) => {
                let mut value = Zeroizing::new(match start {
                    // As Go prints a map's missing entry.
                    Start::Key(key) => values.get(key).map_or(b"<no value>".to_vec(), |it| it.expose().to_vec()),
                    Start::Literal(text) => text.as_bytes().to_vec(),
                });
                let missing = matches!(start, Start::Key(key) if !values.contains_key(key));
                for (index, (name, arguments)) in functions.iter().enumerate() {
                    let absent = missing && index == 0;
                    work.step(value.len())?;
                    value = Zeroizing::new(apply(name, arguments, &value, absent, limit)?);
                }
                value
            }
        };
        if out.len() + bytes.len() > limit {
            return Err(GoError::TooLarge(limit));
        }
        out.extend_from_slice(&bytes);
    }
    Ok(SecretBytes::new(std::mem::take(&mut *out)))
}

/// Reads a template into its pieces.
pub(crate) fn parse(template: &str) -> Result<Vec<Piece>, GoError> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut trim = false;
    loop {
        let Some(at) = rest.find("{{") else {
            let text = if trim { rest.trim_start() } else { rest };
            pieces.push(Piece::Text(text.to_owned()));
            return Ok(pieces);
        };
        let place = template.len() - rest.len() + at;
        let mut text = if trim { rest[..at].trim_start() } else { &rest[..at] };
        let mut inner = &rest[at + 2..];
        if let Some(after) = inner.strip_prefix("- ") {
            text = text.trim_end();
            inner = after;
        }
        pieces.push(Piece::Text(text.to_owned()));
        let (words, length) = words(inner, place)?;
        trim = inner[..length].ends_with(" -");
        rest = &inner[length + 2..];
        if !inner[..length].trim_start().starts_with("/*") {
            pieces.push(action(words, place)?);
        }
    }
}

/// A word of an action.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    Bare(String),
    Quoted(String),
    Pipe,
}

/// The words up to `}}`, and the offset of that.
fn words(inner: &str, place: usize) -> Result<(Vec<Word>, usize), GoError> {
    let broken = || GoError::Broken(place);
    if inner.trim_start().starts_with("/*") {
        let end = inner.find("*/").ok_or_else(broken)?;
        let close = inner[end..].find("}}").ok_or_else(broken)? + end;
        return Ok((Vec::new(), close));
    }
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        let rest = &inner[at..];
        let skipped = rest.len() - rest.trim_start().len();
        at += skipped;
        let rest = &inner[at..];
        if rest.starts_with("}}") {
            return Ok((words, at));
        }
        if rest.starts_with("-}}") && skipped > 0 {
            return Ok((words, at + 1));
        }
        match rest.chars().next().ok_or_else(broken)? {
            '|' => {
                words.push(Word::Pipe);
                at += 1;
            }
            '"' => {
                let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let text = stream.next().and_then(Result::ok).ok_or_else(broken)?;
                at += stream.byte_offset();
                words.push(Word::Quoted(text));
            }
            '`' => {
                let end = rest[1..].find('`').ok_or_else(broken)?;
                words.push(Word::Quoted(rest[1..=end].to_owned()));
                at += end + 2;
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || c == '|' || c == '}').unwrap_or(rest.len());
                if end == 0 {
                    return Err(broken());
                }
                words.push(Word::Bare(rest[..end].to_owned()));
                at += end;
            }
        }
    }
}

fn action(words: Vec<Word>, place: usize) -> Result<Piece, GoError> {
    let mut stages = words.split(|word| *word == Word::Pipe);
    let first = stages.next().ok_or(GoError::Broken(place))?;
    let (start, mut functions) = first_stage(first, place)?;
    for stage in stages {
        functions.push(call(stage, place)?);
    }
    Ok(Piece::Action(start, functions))
}

/// `.key`, `index . "key"`, `"text"`, or a function whose last argument is one of these.
fn first_stage(words: &[Word], place: usize) -> Result<(Start, Vec<Call>), GoError> {
    match words {
        [Word::Quoted(text)] => Ok((Start::Literal(text.clone()), Vec::new())),
        [Word::Bare(field)] if is_field(field) => Ok((Start::Key(field[1..].to_owned()), Vec::new())),
        [Word::Bare(index), Word::Bare(dot), Word::Quoted(key)] if index == "index" && dot == "." => {
            Ok((Start::Key(key.clone()), Vec::new()))
        }
        [function @ .., last] if !function.is_empty() => {
            let call = call(function, place)?;
            let (start, _) = first_stage(std::slice::from_ref(last), place)?;
            Ok((start, vec![call]))
        }
        [Word::Bare(word)] => Err(GoError::Unsupported(shown(word))),
        _ => Err(GoError::Broken(place)),
    }
}

fn is_field(word: &str) -> bool {
    let name = word.strip_prefix('.').unwrap_or_default();
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn call(words: &[Word], place: usize) -> Result<Call, GoError> {
    let [Word::Bare(name), arguments @ ..] = words else { return Err(GoError::Broken(place)) };
    if !FUNCTIONS.iter().any(|(known, _)| known == name) {
        return Err(GoError::Unsupported(shown(name)));
    }
    let argument = |word: &Word| match word {
        Word::Quoted(text) => Ok(text.clone()),
        Word::Bare(number) if number.parse::<u16>().is_ok() => Ok(number.clone()),
        _ => Err(GoError::Unsupported(format!("such an argument of {name}"))),
    };
    let arguments: Vec<String> = arguments.iter().map(argument).collect::<Result<_, _>>()?;
    let wanted = FUNCTIONS.iter().find(|(known, _)| known == name).map_or(0, |(_, count)| *count);
    if arguments.len() == wanted { Ok((name.clone(), arguments)) } else { Err(GoError::Broken(place)) }
}

fn shown(word: &str) -> String {
    format!("{:?}", word.chars().take(40).collect::<String>())
}

/// The functions, and how many arguments stand before the value.
const FUNCTIONS: [(&str, usize); 17] = [
    ("b64enc", 0),
    ("b64dec", 0),
    ("quote", 0),
    ("squote", 0),
    ("toJson", 0),
    ("toString", 0),
    ("trim", 0),
    ("upper", 0),
    ("lower", 0),
    ("indent", 1),
    ("nindent", 1),
    ("default", 1),
    ("trimSuffix", 1),
    ("trimPrefix", 1),
    ("replace", 2),
    ("sha256sum", 0),
    ("print", 0),
];

fn apply(name: &str, arguments: &[String], value: &[u8], missing: bool, limit: usize) -> Result<Vec<u8>, GoError> {
    let text = || std::str::from_utf8(value).map_err(|_| GoError::Value("a function for text"));
    let argument = |at: usize| arguments.get(at).map_or("", String::as_str);
    let result = match name {
        "b64enc" => STANDARD.encode(value).into_bytes(),
        "b64dec" => STANDARD.decode(value).map_err(|_| GoError::Value("b64dec"))?,
        "quote" => go_quoted(text()?)?,
        "squote" => [b"'", value, b"'"].concat(),
        "toJson" => go_json(text()?),
        "toString" | "print" => value.to_vec(),
        "trim" => text()?.trim().as_bytes().to_vec(),
        "upper" => text()?.to_uppercase().into_bytes(),
        "lower" => text()?.to_lowercase().into_bytes(),
        "indent" | "nindent" => {
            let blanks: usize = argument(0).parse().map_err(|_| GoError::Value("indent"))?;
            let lines = text()?.matches('\n').count() + 1;
            if value.len() + lines * (blanks + 1) > limit {
                return Err(GoError::TooLarge(limit));
            }
            let pad = " ".repeat(blanks);
            let head = if name == "nindent" { "\n" } else { "" };
            format!("{head}{pad}{}", text()?.replace('\n', &format!("\n{pad}"))).into_bytes()
        }
        "default" if missing || value.is_empty() => argument(0).as_bytes().to_vec(),
        "default" => value.to_vec(),
        "trimSuffix" => text()?.strip_suffix(argument(0)).unwrap_or(text()?).as_bytes().to_vec(),
        "trimPrefix" => text()?.strip_prefix(argument(0)).unwrap_or(text()?).as_bytes().to_vec(),
        "replace" => replaced(text()?, argument(0), argument(1), limit)?,
        "sha256sum" => crate::binding::hex(&<sha2::Sha256 as sha2::Digest>::digest(value)).into_bytes(),
        other => return Err(GoError::Unsupported(shown(other))),
    };
    if result.len() > limit { Err(GoError::TooLarge(limit)) } else { Ok(result) }
}

fn replaced(text: &str, old: &str, new: &str, limit: usize) -> Result<Vec<u8>, GoError> {
    let count = text.matches(old).count();
    if text.len() + count * new.len() > limit {
        return Err(GoError::TooLarge(limit));
    }
    Ok(text.replace(old, new).into_bytes())
}

/// Go's `%q` for text without control characters beyond those with short escapes; others are refused, not guessed.
fn go_quoted(text: &str) -> Result<Vec<u8>, GoError> {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => return Err(GoError::Value("quote")),
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(out.into_bytes())
}

/// Go's JSON escapes `<`, `>` and `&` too.
fn go_json(text: &str) -> Vec<u8> {
    let json = serde_json::to_string(text).expect("text is always JSON");
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(template: &str) -> Result<String, GoError> {
        let values = [("user", "bob <b>"), ("a-b", "x\ny"), ("empty", ""), ("b64", "eA==")];
        let values = values.map(|(key, value)| (key.to_owned(), SecretBytes::from(value))).into();
        fill(template, &values, 200, &mut Work::new()).map(|text| text.expose_str().unwrap().to_owned())
    }

    #[test]
    fn the_subset_gives_what_go_gives() {
        let cases = [
            ("", ""),
            ("plain { } }} text", "plain { } }} text"),
            ("{{ .user }}:{{.user}}", "bob <b>:bob <b>"),
            (r#"{{ index . "a-b" }}"#, "x\ny"),
            (r#"{{ .user | b64enc }}"#, "Ym9iIDxiPg=="),
            (r#"{{ b64enc .user }}"#, "Ym9iIDxiPg=="),
            (r#"{{ .b64 | b64dec | upper }}"#, "X"),
            (r#"{{ .user | quote }}"#, "\"bob <b>\""),
            (r#"{{ .user | toJson }}"#, "\"bob \\u003cb\\u003e\""),
            (r#"{{ index . "a-b" | indent 2 }}"#, "  x\n  y"),
            (r#"k:{{ index . "a-b" | nindent 2 }}"#, "k:\n  x\n  y"),
            (r#"{{ .empty | default "d" }}{{ .nobody | default `e` }}"#, "de"),
            (r#"{{ .user | replace " " "-" | trimSuffix "<b>" }}"#, "bob-"),
            ("a  {{- .user -}}  \n b", "abob <b>b"),
            (r#"{{ "{{" }}{{/* gone */}}"#, "{{"),
            ("{{ .nobody }}", "<no value>"),
        ];
        for (template, text) in cases {
            assert_eq!(run(template).as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for template in
            ["{{ if .user }}x{{ end }}", "{{ range . }}", "{{ env \"HOME\" }}", "{{ .a.b }}", "{{ $x := 1 }}"]
        {
            assert!(matches!(run(template), Err(GoError::Unsupported(_))), "{template}: {:?}", run(template));
        }
        for template in ["{{ .user", "{{ }}", "{{ \"x }}", "{{ .user | }}", "{{ .user | indent }}", "{{ /* x }}"] {
            assert!(matches!(run(template), Err(GoError::Broken(_))), "{template}: {:?}", run(template));
        }
        assert_eq!(run("{{ .user | b64dec }}"), Err(GoError::Value("b64dec")));
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        assert_eq!(run(&"{{ .user }}".repeat(100)), Err(GoError::TooLarge(200)));
        assert_eq!(run("{{ .user | indent 65535 }}"), Err(GoError::TooLarge(200)));
        assert_eq!(
            run(&format!("{{{{ .user | replace \"b\" \"{}\" }}}}", "x".repeat(300))),
            Err(GoError::TooLarge(200))
        );
    }

    #[test]
    fn much_ado_about_a_small_result_ends_too() {
        let big = [("big".to_owned(), SecretBytes::from("a".repeat(300_000).as_str()))].into();
        let fill = |template: &str, work: &mut Work| fill(template, &big, 1 << 20, work).map(|_| ());
        let steps = format!("{{{{ .big {}}}}}", r#"| replace "a" "b" | replace "b" "a" "#.repeat(6000));
        assert_eq!(fill(&steps, &mut Work::new()), Err(GoError::TooMuch(WORK)));
        assert_eq!(fill(&"{{ .big | sha256sum }}".repeat(1000), &mut Work::new()), Err(GoError::TooMuch(WORK)));
        assert_eq!(
            fill(&format!("{{{{ `` {} }}}}", "| trim".repeat(300_000)), &mut Work::new()),
            Err(GoError::TooMuch(WORK))
        );
        // All templates of a resource together, and what files hold is far below.
        let mut work = Work::new();
        let few = "{{ .big | b64enc | b64dec | sha256sum }}".repeat(10);
        assert_eq!((fill(&few, &mut work), fill(&few, &mut work)), (Ok(()), Err(GoError::TooMuch(WORK))));
    }
}
