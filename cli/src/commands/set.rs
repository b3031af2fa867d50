//! `plomb set`: one value of an encrypted file, the rest stays as it is.

use std::path::PathBuf;

use document::{Format as _, Value, format::Json};
use secret::SecretBytes;
use sops::change;
use sops::rewrite::Change;

use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::{files, format, rewrite, signals, ui};

/// Values come in one piece; more than this is not one.
const LIMIT: u64 = 64 << 20;

/// Set one value of an encrypted file
///
/// The value is JSON ("text", 3, {"a": [1]}), or text with --string. Without a flag that says where it comes from
/// it is asked for at the terminal, and taken as text.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    file: PathBuf,
    /// Where the value is, such as '["a"][0]'; missing maps and lists are made
    #[arg(value_name = "PATH")]
    path: String,
    /// The value; needs --value-in-argv, since others can read it in the process list
    value: Option<String>,
    /// Take the value from the command line
    #[arg(long, requires = "value")]
    value_in_argv: bool,
    /// Read the value from this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["value", "value_stdin"])]
    value_file: Option<PathBuf>,
    /// Read the value from standard input
    #[arg(long, conflicts_with = "value")]
    value_stdin: bool,
    /// The value is text, not JSON (of standard input without the last line break)
    #[arg(long)]
    string: bool,
    /// Write nothing if the value is there already
    #[arg(long)]
    idempotent: bool,
    /// Format of the file: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    /// Go on although the MAC is missing or wrong: values may have been changed, added, removed or moved
    #[arg(long)]
    ignore_mac: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    context.ignore_mac = args.ignore_mac;
    let path = path(&args.path)?;
    let value = value(&args, context)?;
    let format = format::choose(args.input_type.as_deref(), &args.file);
    rewrite::one_value(&args.file, format, &Change::Set(path, value), args.idempotent, context)
}

/// Reads the path argument of `set` and `unset`.
///
/// # Errors
/// When it is none, or leads to the whole file.
pub(crate) fn path(text: &str) -> Result<document::Path, Failure> {
    let path = change::parse_path(text).map_err(|error| Failure::from(error).exit(Exit::SetValue))?;
    if path.0.is_empty() {
        return Err(Failure::new(Exit::SetValue, "the path is empty; it is written as [\"key\"][0]"));
    }
    Ok(path)
}

/// Reads a value written as JSON. Integers stay integers, and those beyond 64 bits are refused where they would be
/// rounded without a word; a list may be the whole value.
///
/// # Errors
/// When it is not JSON.
fn json(text: &SecretBytes, mode: Mode) -> Result<Value, Failure> {
    let bad = || Failure::new(Exit::SetValue, "the value is not JSON").hint("text needs quotes, or --string");
    // As the only member of an object: a text that closes the object early does not read as that.
    let wrapped = [b"{\"\":", text.expose(), b"}"].concat();
    let mut doc = Json.parse(SecretBytes::new(wrapped)).map_err(|_| bad())?;
    let root = doc.branches.first_mut().map(|branch| std::mem::take(&mut branch.root)).ok_or_else(bad)?;
    let [document::Item::Entry(entry)] = <[document::Item; 1]>::try_from(root.items).map_err(|_| bad())? else {
        return Err(bad());
    };
    if mode == Mode::Plomb && has_big_integer(text.expose()) && has_large_float(&entry.value.value) {
        let what = "an integer beyond 64 bits would lose digits";
        return Err(Failure::new(Exit::SetValue, what).hint("write it as text: in quotes, or with --string"));
    }
    Ok(entry.value.value)
}

/// Whether a text has so many digits in a row as an integer beyond 64 bits has, and no sign of a float around them.
fn has_big_integer(text: &[u8]) -> bool {
    let part = |byte: &u8| !(byte.is_ascii_digit() || b".eE+".contains(byte));
    text.split(part).any(|number| number.len() > 17 && number.iter().all(u8::is_ascii_digit))
}

/// Whether a value is a float from 2^63 on, or holds one.
fn has_large_float(value: &Value) -> bool {
    match value {
        Value::Float(float) => float.abs() >= 9_223_372_036_854_775_808.0,
        Value::Map(map) => map.entries().any(|entry| has_large_float(&entry.value.value)),
        Value::List(list) => list.nodes().any(|node| has_large_float(&node.value)),
        _ => false,
    }
}

fn value(args: &Args, context: &Context) -> Result<Value, Failure> {
    let text = match (&args.value, &args.value_file) {
        (Some(_), _) if !args.value_in_argv && context.mode == Mode::Plomb => {
            let what = "a value on the command line can be read by every process";
            let hint = "pipe it in with --value-stdin, or say --value-in-argv if that is fine";
            return Err(Failure::new(Exit::Usage, what).hint(hint));
        }
        (Some(text), _) => SecretBytes::from(text.as_str()),
        (None, Some(file)) => files::read_named(file, LIMIT).map_err(|failure| match context.mode {
            Mode::Sops => failure.exit(Exit::Generic),
            Mode::Plomb => failure,
        })?,
        (None, None) if args.value_stdin => {
            let text = files::read_stdin(LIMIT)?;
            if args.string { without_line_break(text) } else { text }
        }
        (None, None) => return ask(&args.path).map(Value::Str),
    };
    if args.string {
        let is_text = text.expose_str().is_some();
        return if is_text {
            Ok(Value::Str(text))
        } else {
            Err(Failure::new(Exit::SetValue, "the value is not UTF-8 text"))
        };
    }
    json(&text, context.mode)
}

fn without_line_break(text: SecretBytes) -> SecretBytes {
    let mut bytes = text.into_inner();
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    SecretBytes::new(bytes)
}

fn ask(path: &str) -> Result<SecretBytes, Failure> {
    if !ui::is_interactive() {
        let what = "there is no value, and no terminal to ask at";
        return Err(Failure::new(Exit::Usage, what).hint("give it with --value-stdin or --value-file"));
    }
    let question = format!("Value of {} (as text, not shown): ", crate::paths::one_line(path));
    let answer = signals::with_terminal(|| rpassword::prompt_password(question));
    answer.map(SecretBytes::from).map_err(|_| Failure::new(Exit::Generic, "no value was entered"))
}
