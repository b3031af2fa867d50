//! Reading flags by the rules of Go's `flag` package, as SOPS' command lines are read: `-name` and `--name` are
//! the same, `--name=value` or `--name value`, `--name=false` for switches, letters are not joined.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, or `=true` and `=false`.
    Switch,
    /// A text; the last one counts.
    Text,
    /// A whole number.
    Number,
    /// Texts; all of them count.
    Texts,
}

/// One flag of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    /// Its names; the first is the one it is known by here.
    pub(super) names: &'static [&'static str],
    /// What it takes.
    pub(super) takes: Takes,
    /// The variable that stands in for it.
    pub(super) variable: Option<&'static str>,
    /// A switch that is on until it is turned off.
    pub(super) on: bool,
    /// For help.
    pub(super) about: &'static str,
}

impl Flag {
    /// The same, with a variable that stands in for it.
    pub(super) const fn or(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }

    /// The same, on by default.
    pub(super) const fn default_on(mut self) -> Self {
        self.on = true;
        self
    }

    /// The name it is known by.
    pub(super) fn name(&self) -> &'static str {
        self.names[0]
    }
}

const fn flag(names: &'static [&'static str], takes: Takes, about: &'static str) -> Flag {
    Flag { names, takes, variable: None, on: false, about }
}

pub(super) const fn switch(names: &'static [&'static str], about: &'static str) -> Flag {
    flag(names, Takes::Switch, about)
}

pub(super) const fn text(names: &'static [&'static str], about: &'static str) -> Flag {
    flag(names, Takes::Text, about)
}

pub(super) const fn number(names: &'static [&'static str], about: &'static str) -> Flag {
    flag(names, Takes::Number, about)
}

pub(super) const fn texts(names: &'static [&'static str], about: &'static str) -> Flag {
    flag(names, Takes::Texts, about)
}

/// A command line that was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    values: BTreeMap<&'static str, Vec<OsString>>,
    on: BTreeMap<&'static str, bool>,
    /// Names of the flags that stood on the command line, in order.
    pub(super) given: Vec<&'static str>,
    /// What is left: commands, files.
    pub(super) rest: Vec<OsString>,
}

impl Line {
    /// Whether a switch is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.on.get(name).copied().unwrap_or_default()
    }

    /// The value of a flag as it was given; an empty one counts as none.
    pub(super) fn raw(&self, name: &str) -> Option<&OsStr> {
        self.values.get(name)?.last().map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value of a flag as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// The value of a flag as a path.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.raw(name).map(PathBuf::from)
    }

    /// The value of a flag as a number; checked when it was read.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        go_integer(&self.text(name)?)
    }

    /// All values of a flag.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let values = self.values.get(name).map(Vec::as_slice).unwrap_or_default();
        values.iter().map(|value| value.to_string_lossy().into_owned()).collect()
    }
}

/// Reads `args`. `reorder` moves flags that stand behind files to the front, as SOPS does for sub-commands.
///
/// # Errors
/// What is wrong, in one line.
pub(super) fn read(flags: &[Flag], args: &[OsString], reorder: bool) -> Result<Line, String> {
    let mut line = Line::default();
    flags.iter().try_for_each(|flag| from_environment(flag, &mut line))?;
    let moved = if reorder { reordered(flags, args) } else { args.to_vec() };
    let mut args = moved.into_iter().peekable();
    let mut forms: BTreeMap<&str, String> = BTreeMap::new();
    while let Some(arg) = args.peek() {
        let bytes = arg.as_bytes();
        if bytes.len() < 2 || bytes[0] != b'-' {
            break;
        }
        let arg = args.next().unwrap_or_default();
        if arg == "--" {
            break;
        }
        let (name, value) = split(&arg)?;
        let flag = find(flags, &name).ok_or_else(|| format!("flag provided but not defined: -{name}"))?;
        let value = match (flag.takes, value) {
            (_, Some(value)) => Some(value),
            (Takes::Switch, None) => None,
            (_, None) => Some(args.next().ok_or_else(|| format!("flag needs an argument: -{name}"))?),
        };
        put(&mut line, flag, &name, value)?;
        let form = forms.entry(flag.name()).or_insert_with(|| name.clone());
        if *form != name {
            return Err(format!("Cannot use two forms of the same flag: {form} {name}"));
        }
    }
    line.rest = args.collect();
    Ok(line)
}

/// `--name=value` in its parts.
fn split(arg: &OsStr) -> Result<(String, Option<OsString>), String> {
    let bytes = arg.as_bytes();
    let name = bytes.strip_prefix(b"--").or_else(|| bytes.strip_prefix(b"-")).unwrap_or(bytes);
    if name.is_empty() || name[0] == b'-' || name[0] == b'=' {
        return Err(format!("bad flag syntax: {}", arg.to_string_lossy()));
    }
    let (name, value) = match name.iter().position(|byte| *byte == b'=') {
        Some(at) => (&name[..at], Some(OsString::from_vec(name[at + 1..].to_vec()))),
        None => (name, None),
    };
    Ok((String::from_utf8_lossy(name).into_owned(), value))
}

fn find<'t>(flags: &'t [Flag], name: &str) -> Option<&'t Flag> {
    flags.iter().find(|flag| flag.names.contains(&name))
}

fn put(line: &mut Line, flag: &Flag, name: &str, value: Option<OsString>) -> Result<(), String> {
    line.given.push(flag.name());
    let text = value.as_deref().map(|value| value.to_string_lossy().into_owned());
    match (flag.takes, value) {
        (Takes::Switch, _) => {
            let text = text.unwrap_or_else(|| "true".to_owned());
            let on =
                go_bool(&text).ok_or_else(|| format!("invalid boolean value {text:?} for -{name}: parse error"))?;
            line.on.insert(flag.name(), on);
        }
        (Takes::Number, value) => {
            let text = text.unwrap_or_default();
            go_integer(&text).ok_or_else(|| format!("invalid value {text:?} for flag -{name}: parse error"))?;
            line.values.insert(flag.name(), value.into_iter().collect());
        }
        (Takes::Text, value) => drop(line.values.insert(flag.name(), value.into_iter().collect())),
        (Takes::Texts, value) => {
            // The command line replaces what the environment said, then adds up.
            let first = line.given.iter().filter(|given| **given == flag.name()).count() == 1;
            let values = line.values.entry(flag.name()).or_default();
            if first {
                values.clear();
            }
            values.extend(value);
        }
    }
    Ok(())
}

fn from_environment(flag: &Flag, line: &mut Line) -> Result<(), String> {
    if flag.takes == Takes::Switch {
        line.on.insert(flag.name(), flag.on);
    }
    let Some(value) = flag.variable.and_then(std::env::var_os) else { return Ok(()) };
    match flag.takes {
        Takes::Switch => {
            let text = value.to_string_lossy();
            let on = if text.is_empty() { Some(false) } else { go_bool(&text) };
            let wrong = || format!("could not parse {text} as bool value for flag {}", flag.name());
            line.on.insert(flag.name(), on.ok_or_else(wrong)?);
        }
        Takes::Texts => {
            let text = value.to_string_lossy();
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            line.values.insert(flag.name(), parts.map(OsString::from).collect());
        }
        Takes::Text | Takes::Number => drop(line.values.insert(flag.name(), vec![value])),
    }
    Ok(())
}

/// Flags first. A value is taken along with the flag before it, and so is a file behind a switch: then what
/// follows is not read as flags any more. SOPS does the same, and scripts that work with it must work here.
fn reordered(flags: &[Flag], args: &[OsString]) -> Vec<OsString> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let mut after_flag = false;
    for (at, arg) in args.iter().enumerate() {
        let is_flag = looks_like_flag(flags, arg);
        if after_flag && !is_flag {
            after_flag = false;
            front.push(arg.clone());
        } else if arg == "--" {
            back.insert(0, arg.clone());
            back.extend_from_slice(&args[at + 1..]);
            break;
        } else if is_flag {
            front.push(arg.clone());
            after_flag = !arg.as_bytes().contains(&b'=');
        } else {
            back.push(arg.clone());
        }
    }
    front.append(&mut back);
    front
}

fn looks_like_flag(flags: &[Flag], arg: &OsStr) -> bool {
    if arg == "-" || arg == "--" || !arg.as_bytes().starts_with(b"-") {
        return false;
    }
    split(arg).is_ok_and(|(name, _)| find(flags, &name).is_some())
}

/// What Go reads as a truth value.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// What Go reads as an integer with the base in its prefix.
fn go_integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [Flag; 4] =
        [switch(&["in-place", "i"], ""), text(&["extract"], ""), number(&["indent"], ""), texts(&["age", "a"], "")];

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn rest(line: &Line) -> Vec<&str> {
        line.rest.iter().filter_map(|word| word.to_str()).collect()
    }

    #[test]
    fn one_dash_and_two_are_the_same() {
        for given in ["-i -extract x F", "--i --extract=x F", "--in-place=true --extract x -- F"] {
            let line = read(&FLAGS, &words(given), false).unwrap();
            assert!(line.is_on("in-place"), "{given}");
            assert_eq!((line.text("extract").as_deref(), rest(&line)), (Some("x"), vec!["F"]), "{given}");
        }
        assert!(!read(&FLAGS, &words("-i=false F"), false).unwrap().is_on("in-place"));
    }

    #[test]
    fn mistakes_are_named() {
        for (given, what) in [
            ("--none", "flag provided but not defined: -none"),
            ("--extract", "flag needs an argument: -extract"),
            ("---x", "bad flag syntax: ---x"),
            ("--indent x", "invalid value \"x\" for flag -indent: parse error"),
            ("-i=maybe", "invalid boolean value \"maybe\" for -in-place: parse error"),
            ("-a x --age y", "Cannot use two forms of the same flag: a age"),
        ] {
            let found = read(&FLAGS, &words(given), false).unwrap_err();
            assert_eq!(found.replace("-i:", "-in-place:"), what);
        }
    }

    #[test]
    fn sub_commands_take_flags_behind_the_file() {
        let line = read(&FLAGS, &words("F --extract x"), true).unwrap();
        assert_eq!((line.text("extract").as_deref(), rest(&line)), (Some("x"), vec!["F"]));
        // A switch takes the file along, and reading stops there.
        let line = read(&FLAGS, &words("-i F --extract x"), true).unwrap();
        assert_eq!((line.text("extract"), rest(&line)), (None, vec!["F", "--extract", "x"]));
        assert_eq!(rest(&read(&FLAGS, &words("F --extract x"), false).unwrap()).len(), 3);
        assert_eq!(rest(&read(&FLAGS, &words("F -- -i"), true).unwrap()), ["F", "-i"]);
    }

    #[test]
    fn lists_add_up_and_numbers_have_bases() {
        assert_eq!(read(&FLAGS, &words("-a x -a y"), false).unwrap().texts("age"), ["x", "y"]);
        for (text, value) in [("4", Some(4)), ("0x10", Some(16)), ("010", Some(8)), ("-1", Some(-1)), ("--1", None)] {
            assert_eq!(go_integer(text), value, "{text}");
        }
    }
}
