//! The metadata in the editor: readers who came or went there get, or lose, the data key as `rotate` gives it.

use std::path::Path;

use document::Format;
use secret::{DataKey, OsRandom, SecretBytes};
use sops::rewrite::{Edited, Shown, with_block};
use sops::{Memory, Metadata, Plain, Policy, SealOptions, Sealed, Sealing};

use crate::context::{Context, Mode};
use crate::failure::Failure;
use crate::paths::shown;
use crate::{recipients, rewrite, ui};

/// Encrypts what came back from the editor. Gives the data key of the result too.
///
/// # Errors
/// When text or block cannot be read, when nobody vouches for a recipient who stays, when one cannot be wrapped to.
pub(super) fn seal(
    file: &Path,
    plain: Plain,
    (before, text): (&Shown, SecretBytes),
    accepted: &[String],
    context: &Context,
) -> Result<(SecretBytes, Sealed), Failure> {
    let mut edited = before.read(text, plain.metadata())?;
    let key = wrap(file, &plain, &mut edited, accepted, context)?;
    let secret = key.as_ref().map_or_else(|| plain.key().to_secret(), DataKey::to_secret);
    let sealed = rewrite::seal(file, plain, context, |plain, again| with_block(plain, edited, key, again))?;
    Ok((secret, sealed))
}

/// Wraps the data key to the readers of the block, where they are others than the file's; a new one, which is given, if
/// somebody is to read it no longer.
fn wrap(
    file: &Path,
    plain: &Plain,
    edited: &mut Edited,
    accepted: &[String],
    context: &Context,
) -> Result<Option<DataKey>, Failure> {
    let Some(readers) = &edited.readers else { return Ok(None) };
    recipients::check_labels(plain.metadata(), plain.key(), &edited.gone, context)?;
    // Whom the user wrote into the block is accepted by that; whom somebody else did is not.
    let staying = without(plain.metadata(), &edited.gone);
    recipients::vouch(file, &staying, plain.accepted_recipients(), accepted, context)?;
    let mut rng = OsRandom::new();
    let access = context.access();
    if edited.gone.is_empty() || context.mode == Mode::Sops {
        let keys = (context.keyring(), &access);
        edited.metadata = sops::rewrapped(&edited.metadata, plain.key(), readers, keys, &mut rng)?;
        return Ok(None);
    }
    recipients::refuse_foreign(&edited.metadata)?;
    let note = "a reader was removed: new data key. Versions in Git stay readable to them: change the secrets too";
    ui::note(&format!("note: {}: {note}", shown(file)));
    let key = DataKey::generate(&mut rng);
    edited.metadata = sops::rekeyed(&edited.metadata, &key, readers, &access, &mut rng)?;
    Ok(Some(key))
}

fn without(metadata: &Metadata, gone: &[String]) -> Metadata {
    let mut metadata = metadata.clone();
    for group in &mut metadata.groups {
        group.age.retain(|key| !gone.iter().any(|name| keys::same_recipient(name, &key.recipient)));
    }
    metadata
}

/// A file that does not exist yet, shown with the metadata that its rule asks for.
pub(super) struct Draft {
    format: &'static dyn Format,
    key: DataKey,
    metadata: Metadata,
    shown: Shown,
}

impl Draft {
    /// `example` with the metadata of `policy`.
    ///
    /// # Errors
    /// When a recipient of the policy is unusable.
    pub(super) fn new(
        format: &'static dyn Format,
        example: &SecretBytes,
        policy: &Policy,
        context: &Context,
    ) -> Result<Self, Failure> {
        let mut rng = OsRandom::new();
        let key = DataKey::generate(&mut rng);
        let metadata = policy.metadata(&key, &context.access(), &mut rng)?;
        let shown = Shown::new(format, example, &metadata)?;
        Ok(Self { format, key, metadata, shown })
    }

    /// What the editor shows.
    pub(super) fn shown(&self) -> &SecretBytes {
        &self.shown.text
    }

    /// Encrypts what came back.
    ///
    /// # Errors
    /// When text or block cannot be read, or a recipient of it is unusable.
    pub(super) fn seal(&self, text: SecretBytes, context: &Context) -> Result<Sealed, Failure> {
        let edited = self.shown.read(text, &self.metadata)?;
        let mut rng = OsRandom::new();
        let metadata = match &edited.readers {
            None => edited.metadata,
            Some(readers) => {
                let keys = (context.keyring(), &context.access());
                sops::rewrapped(&edited.metadata, &self.key, readers, keys, &mut rng)?
            }
        };
        let doc = context.plain(edited.text, self.format)?;
        let (memory, options, now) = (Memory::default(), SealOptions::default(), context.now());
        Ok(sops::seal(doc, Sealing { key: &self.key, metadata, memory, options, rng: &mut rng, now, created: now })?)
    }
}
