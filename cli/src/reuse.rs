//! Encrypting a file again under the data key of an older version, so that unchanged values keep their
//! ciphertext. The older version never decides who can read: its readers must be exactly the policy's.

use std::path::{Path, PathBuf};

use document::{Document, Format};
use secret::SecretBytes;
use sops::{Encrypted, Plain, Policy, Sealed, SealedText, Standing};

use crate::commands::encrypt::Job;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::paths::shown;
use crate::{files, head, ui};

/// Where the older version is.
#[derive(Clone, Debug, Default)]
pub(crate) enum Source {
    /// There is none.
    #[default]
    Nothing,
    /// The last commit has it under this path.
    Head(PathBuf),
    /// In this file.
    File(PathBuf),
}

/// An older version that may serve again.
pub(crate) struct Older {
    /// Its bytes.
    pub(crate) text: SecretBytes,
    /// Opened and verified, with the memory of its tokens.
    pub(crate) plain: Plain,
    indent: Option<i64>,
}

impl Source {
    /// The older version, if its data key may be used for a file under `policy`. Reasons why not are told where
    /// the user can do something about them.
    ///
    /// # Errors
    /// When the file that the user named cannot be read or used.
    pub(crate) fn open(
        &self,
        name: &Path,
        format: &'static dyn Format,
        policy: &Policy,
        context: &Context,
    ) -> Result<Option<Older>, Failure> {
        let limit = Context::limit(format);
        let (text, named) = match self {
            Self::Nothing => return Ok(None),
            Self::File(path) => (files::read(path, limit)?, Some(path)),
            Self::Head(path) => match head::version(path, limit) {
                Ok(Some(text)) => (text, None),
                Ok(None) => return Ok(None),
                Err(why) => {
                    tell(name, &format!("the committed version cannot be read ({why})"));
                    return Ok(None);
                }
            },
        };
        let encrypted = match (context.encrypted(text.duplicate(), format), named) {
            (Ok(encrypted), _) => encrypted,
            (Err(failure), Some(path)) => return Err(failure.in_file(path)),
            // A plain or broken file in HEAD is nothing to build on, and nothing to talk about here.
            (Err(_), None) => return Ok(None),
        };
        match usable(encrypted, format, policy, context) {
            Ok((plain, indent)) => Ok(Some(Older { text, plain, indent })),
            Err(why) => {
                tell(name, &why);
                Ok(None)
            }
        }
    }
}

fn tell(name: &Path, why: &str) {
    let line = format!("note: {}: {why}: a new data key is made, every value changes", shown(name));
    ui::note(&crate::paths::one_line(&line));
}

/// Opens and checks an older version; else says why it does not serve.
fn usable(
    encrypted: Encrypted,
    format: &dyn Format,
    policy: &Policy,
    context: &Context,
) -> Result<(Plain, Option<i64>), String> {
    let mut policy = policy.clone();
    if !format.edits_in_place() {
        // A binary file is one value: no selector applies to it.
        policy.selector = None;
        policy.mac_only_encrypted = false;
    }
    if !policy.equals(encrypted.metadata()) {
        return Err("readers or selectors differ from the older version's".to_owned());
    }
    let indent = sops::indent_of(encrypted.document());
    let plain = context.decrypt(encrypted, true).map_err(|failure| match failure.exit {
        Exit::NoKey => "no identity at hand opens the older version".to_owned(),
        Exit::Mac => "the MAC of the older version does not fit".to_owned(),
        _ => "the older version does not open".to_owned(),
    })?;
    let found = sops::examine(plain.metadata(), plain.key(), context.keyring());
    let bad = |entry: &&sops::Examined| matches!(entry.standing, Standing::False | Standing::Damaged);
    match found.iter().find(bad) {
        Some(entry) => Err(format!("the older version's entry for {} does not hold its key", entry.recipient)),
        None => Ok((plain, indent)),
    }
}

impl Older {
    /// The older bytes as they are, if they decrypt to exactly the text that is to be encrypted.
    pub(crate) fn unchanged(&self, doc: &Document, job: &Job<'_>, context: &Context) -> Option<Sealed> {
        if job.input.name() != job.output.name() || job.options.plain_comments {
            return None;
        }
        let options = context.emit_options(job.name, job.output).ok()?;
        let text = self.plain.text(&options).ok()?;
        let now = if job.input.edits_in_place() { doc.source.duplicate() } else { doc.emit(&options).ok()? };
        let notices = self.plain.notices().to_vec();
        (text == now).then(|| Sealed { text: SealedText::Whole(self.text.duplicate()), notices, values: 0 })
    }

    /// Whether SOPS wrote the older version and would print exactly this text: then its layout is kept.
    pub(crate) fn is_sops_layout(&self, doc: &Document, name: &Path, context: &Context) -> bool {
        let printed = context.emit_options(name, doc.format).ok().and_then(|options| doc.emit(&options).ok());
        !self.plain.is_ours() && printed.is_some_and(|printed| printed == doc.source)
    }

    /// Blanks per level of the older version as SOPS laid it out.
    pub(crate) fn indent(&self) -> Option<i64> {
        self.indent
    }
}
