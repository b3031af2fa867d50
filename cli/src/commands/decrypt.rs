//! `plomb decrypt`: the plaintext, verified before the first byte is printed.

use std::path::{Path, PathBuf};

use document::{Branch, EmitOptions, Format, Value};
use secret::SecretBytes;
use sops::change::{self, Found};
use sops::{Plain, SopsError, rewrite};

use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::many::{self, Done, Wanted};
use crate::{files, format, result, ui};

/// Decrypt a file
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files; with --in-place also folders and globs: then the encrypted files there. Standard input if none is given
    files: Vec<PathBuf>,
    /// Write the result back to the file
    #[arg(short, long)]
    in_place: bool,
    #[command(flatten)]
    many: many::Flags,
    /// Write the result to this file
    #[arg(long, value_name = "FILE", conflicts_with = "in_place")]
    output: Option<PathBuf>,
    /// Choose the format as for a file of this name
    #[arg(long, value_name = "NAME")]
    filename_override: Option<PathBuf>,
    /// Format of the input: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    /// Format of the output
    #[arg(long, value_name = "FORMAT")]
    output_type: Option<String>,
    /// Print only the value at this path, such as '["a"][0]'
    #[arg(long, value_name = "PATH")]
    extract: Option<String>,
    /// Decrypt although the MAC is missing or wrong: values may have been changed, added, removed or moved
    #[arg(long)]
    ignore_mac: bool,
}

/// One text to decrypt.
pub(crate) struct Job<'a> {
    /// The name that chooses the configuration.
    pub(crate) name: &'a Path,
    /// Its text.
    pub(crate) text: SecretBytes,
    /// Its format.
    pub(crate) input: &'static dyn Format,
    /// The format to write.
    pub(crate) output: &'static dyn Format,
    /// Only the value at this path.
    pub(crate) extract: Option<&'a str>,
}

/// Decrypts one text.
///
/// # Errors
/// When it does not open, does not verify, or cannot be written in the output format.
pub(crate) fn decrypt(job: Job<'_>, context: &Context) -> Result<SecretBytes, Failure> {
    let options = context.emit_options(job.name, job.output)?;
    let encrypted = context.encrypted(job.text, job.input)?;
    let plain = context.decrypt(encrypted, false)?;
    ui::notices(job.name, plain.notices());
    match job.extract {
        Some(path) => extract(&plain, path, (job.output, &options), context.mode),
        None if job.input.name() == job.output.name() => Ok(plain.into_text(&options)?),
        None => Ok(job.output.emit(first_branch(&plain, job.output), &options)?),
    }
}

/// Only YAML can hold several documents.
fn first_branch<'p>(plain: &'p Plain, output: &dyn Format) -> &'p [Branch] {
    let branches = &plain.document().branches;
    if output.name() == "yaml" { branches } else { &branches[..branches.len().min(1)] }
}

/// As SOPS counts, comments of a list are elements of it.
fn extract(
    plain: &Plain,
    path: &str,
    (output, options): (&dyn Format, &EmitOptions),
    mode: Mode,
) -> Result<SecretBytes, Failure> {
    let not_there = |error: SopsError| Failure::from(error).exit(Exit::TreePath);
    let mut path = change::parse_path(path).map_err(not_there)?;
    let branch = plain.document().branches.first().ok_or_else(|| Failure::new(Exit::Generic, "has no document"))?;
    if mode == Mode::Sops {
        path = rewrite::sops_path(&branch.root, &path).map_err(not_there)?;
    }
    if mode == Mode::Plomb
        && let Some(Some(digits)) = plain.digits(std::slice::from_ref(&path)).pop()
    {
        return Ok(digits);
    }
    match change::get(&branch.root, &path)? {
        Found::Scalar(Value::Str(bytes)) => Ok(bytes.duplicate()),
        Found::Scalar(value) => Ok(output.emit_value(value, options)?),
        Found::List(list) => Ok(output.emit_list(list, options)?),
        Found::Map(map) => Ok(output.emit_map(map, options)?),
    }
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    context.ignore_mac = args.ignore_mac;
    if args.ignore_mac {
        ui::note("warning: the MAC is not checked: values may have been changed, added, removed or moved");
    }
    if args.files.is_empty() {
        let name = args.filename_override.clone().unwrap_or_default();
        let (input, _) = formats(&args, &name);
        let text = files::read_stdin(Context::limit(input))?;
        let is_untold = args.input_type.is_none() && args.filename_override.is_none();
        let plain = open(&args, &name, text, context).map_err(|failure| {
            let failure = failure.in_file(Path::new("standard input"));
            let is_guess = is_untold && failure.at.is_some() && failure.hint.is_none();
            if is_guess { failure.hint("say what it is with --input-type or --filename-override") } else { failure }
        })?;
        return put(&args, &plain);
    }
    if args.in_place {
        let files = many::select(&args.files, Wanted::Encrypted, context)?;
        return many::run(&files, args.many, |file| in_place(file, &args, context));
    }
    match args.files.as_slice() {
        [file] => {
            many::refuse(args.many)?;
            one(file, &args, context).map_err(|failure| failure.in_file(file))
        }
        _ => {
            let what = "several files can only be decrypted in place";
            Err(Failure::new(Exit::Usage, what).hint("add --in-place"))
        }
    }
}

fn in_place(file: &Path, args: &Args, context: &Context) -> Result<Done, Failure> {
    let name = args.filename_override.as_deref().unwrap_or(file);
    let limit = Context::limit(formats(args, name).0);
    let (rewrite, text) = files::Rewrite::begin_or_read(file, limit, args.many.dry_run)?;
    let plain = open(args, name, text, context)?;
    match rewrite {
        None => Ok("would be decrypted"),
        Some(rewrite) => {
            rewrite.commit(plain.expose())?;
            Ok("decrypted")
        }
    }
}

fn one(file: &Path, args: &Args, context: &Context) -> Outcome {
    let name = args.filename_override.as_deref().unwrap_or(file);
    let limit = Context::limit(formats(args, name).0);
    put(args, &open(args, name, files::read(file, limit)?, context)?)
}

fn formats(args: &Args, name: &Path) -> (&'static dyn Format, &'static dyn Format) {
    let input = format::choose(args.input_type.as_deref(), name);
    (input, args.output_type.as_deref().map_or(input, |word| format::choose(Some(word), name)))
}

fn open(args: &Args, name: &Path, text: SecretBytes, context: &Context) -> Result<SecretBytes, Failure> {
    let (input, output) = formats(args, name);
    decrypt(Job { name, text, input, output, extract: args.extract.as_deref() }, context)
}

fn put(args: &Args, plain: &SecretBytes) -> Outcome {
    result::put(args.output.as_deref(), plain.expose())?;
    Ok(Exit::Ok)
}
