//! What `set`, `unset` and `edit` share: a file decrypted to be encrypted again under the same data key.

use std::path::Path;

use document::{Document, EmitOptions, Format, Value};
use secret::{OsRandom, SecretBytes};
use sops::rewrite::{self, Again, Change};
use sops::{Plain, Sealed, Untrusted, untrusted_recipients};

use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::shown;
use crate::{files, recipients, resource, ui};

/// Decrypts `text` with its ciphertexts remembered, and tells what the user should hear of.
///
/// # Errors
/// As for decryption.
pub(crate) fn open(
    file: &Path,
    text: SecretBytes,
    format: &'static dyn Format,
    context: &Context,
) -> Result<Plain, Failure> {
    let plain = context.decrypt(context.encrypted(text, format)?, true)?;
    ui::notices(file, plain.notices());
    warn_of_strangers(file, &plain, context);
    Ok(plain)
}

/// Recipients keep what they have; one that nobody accepted is worth a word, since it can read the new values.
fn warn_of_strangers(file: &Path, plain: &Plain, context: &Context) {
    let rule = recipients::rule(file, context).ok().flatten();
    let found = untrusted_recipients(plain.metadata(), rule.as_ref(), plain.accepted_recipients(), &[]);
    if let Err(Untrusted::Recipients(strangers)) = found {
        let (name, strangers) = (shown(file), crate::paths::one_line(&strangers.join(", ")));
        ui::note(&format!("warning: {name}: encrypted to {strangers}, which no rule names and nobody accepted"));
    }
}

/// How a file that SOPS wrote is printed: as it is; in the drop-in mode as the configuration says.
///
/// # Errors
/// When the configuration is broken.
pub(crate) fn layout(file: &Path, plain: &Plain, context: &Context) -> Result<EmitOptions, Failure> {
    let document = plain.document();
    if context.indent.is_some() || context.mode == Mode::Sops {
        return context.emit_options(file, document.format);
    }
    // The encrypted form of a binary file is JSON.
    let name = if document.format.edits_in_place() { document.format.name() } else { "json" };
    Ok(EmitOptions { indent: rewrite::detect_indent(document.source.expose(), name) })
}

/// Encrypts again by `change`.
///
/// # Errors
/// Those of `change`.
pub(crate) fn seal(
    file: &Path,
    plain: Plain,
    context: &Context,
    change: impl FnOnce(Plain, Again<'_>) -> Result<Sealed, sops::SopsError>,
) -> Result<Sealed, Failure> {
    let layout = layout(file, &plain, context)?;
    let mut rng = OsRandom::new();
    let sealed =
        change(plain, Again { rng: &mut rng, now: context.now(), layout, as_sops: context.mode == Mode::Sops })?;
    Ok(sealed)
}

/// Why nothing is written in another format than the file has.
pub(crate) fn other_format() -> Failure {
    Failure::new(Exit::Flags, "the file cannot be written in another format than it has")
        .hint("decrypt it with --output-type, then encrypt that")
}

/// The selector, if it leaves a text in clear that is put into the file. Where comments choose values nobody can tell here.
fn in_clear(plain: &Plain, change: &Change) -> Option<String> {
    let Change::Set(path, value) = change else { return None };
    let selector = &plain.metadata().selector;
    let (field, pattern) = selector.field();
    if field.contains("comment") || !plain.document().format.edits_in_place() {
        return None;
    }
    let mut branch = document::Branch::default();
    sops::change::set(&mut branch.root, path, value.duplicate());
    let (source, metadata_spans) = (SecretBytes::default(), Vec::new());
    let mut doc =
        Document { source, branches: vec![branch], metadata: None, metadata_spans, format: plain.document().format };
    let mut clear = false;
    sops::each_value(&mut doc, selector, &mut |met| {
        clear |= !met.selected && matches!(met.value, Value::Str(text) if !text.is_empty());
    });
    clear.then(|| format!("{field} {pattern}"))
}

/// Changes one value of `file`; with `idempotent` nothing is written when nothing would change.
///
/// # Errors
/// When the file cannot be opened, the value not be put there, or the file not be written.
pub(crate) fn one_value(
    file: &Path,
    format: &'static dyn Format,
    change: &Change,
    idempotent: bool,
    context: &Context,
) -> Outcome {
    let run = || {
        let rewrite = files::Rewrite::begin(file, Context::limit(format))?;
        let plain = open(file, rewrite.before().duplicate(), format, context)?;
        let counted = if context.mode == Mode::Sops { Some(change.as_sops_counts(&plain)?) } else { None };
        let change = counted.as_ref().unwrap_or(change);
        if idempotent && rewrite::is_done(&plain, change) {
            return Ok(Exit::Ok);
        }
        if context.other_format {
            return Err(other_format());
        }
        let clear = if context.mode == Mode::Plomb { in_clear(&plain, change) } else { None };
        let (standing, key) = (resource::standing(&plain, context), plain.key().to_secret());
        let sealed = seal(file, plain, context, |plain, again| rewrite::with_change(plain, change, again))?;
        let sealed = resource::settled(file, standing, sealed, (&key, format), context)?;
        rewrite.commit(&sealed.text)?;
        if let Some(selector) = clear {
            ui::note(&format!("note: {}: the new value stands in clear: {selector} does not cover it", shown(file)));
        }
        context.tell("CMD", "info", "File written successfully", None);
        Ok(Exit::Ok)
    };
    run().map_err(|failure: Failure| failure.in_file(file))
}
