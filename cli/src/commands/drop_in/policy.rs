//! Flags that choose recipients and values.

use document::Format;

use super::{Call, table};
use crate::commands::encrypt::PolicyFlags;
use crate::failure::{Exit, Failure};
use crate::ui;

/// The policy flags of a command line. SOPS reads `--mac-only-encrypted` before the command only.
///
/// # Errors
/// When keys are named that we cannot wrap to.
pub(super) fn flags(call: &Call<'_>, format: &dyn Format) -> Result<PolicyFlags, Failure> {
    refuse_foreign(call)?;
    refuse_empty(call, "age")?;
    let line = &call.line;
    let threshold = line.number("shamir-secret-sharing-threshold").filter(|number| *number != 0);
    let threshold = threshold
        .map(usize::try_from)
        .transpose()
        .map_err(|_| Failure::new(Exit::Generic, "--shamir-secret-sharing-threshold must not be negative"))?;
    let mut flags = PolicyFlags {
        age: line.text("age"),
        mac_only_encrypted: call.global.is_on("mac-only-encrypted"),
        shamir_secret_sharing_threshold: threshold,
        ..PolicyFlags::default()
    };
    if format.edits_in_place() {
        flags.encrypted_regex = line.text("encrypted-regex");
        flags.unencrypted_regex = line.text("unencrypted-regex");
        flags.encrypted_suffix = line.text("encrypted-suffix");
        flags.unencrypted_suffix = line.text("unencrypted-suffix");
        flags.encrypted_comment_regex = line.text("encrypted-comment-regex");
        flags.unencrypted_comment_regex = line.text("unencrypted-comment-regex");
    } else if let Some(field) = sops::SELECTOR_FIELDS.iter().find(|field| line.raw(&field.replace('_', "-")).is_some())
    {
        let flag = field.replace('_', "-");
        ui::note(&format!("warning: --{flag} is ignored: a binary file is always encrypted whole"));
    }
    Ok(flags)
}

/// New files can only be encrypted to age and ssh recipients; anything else is refused by name.
fn refuse_foreign(call: &Call<'_>) -> Result<(), Failure> {
    refuse(call, &table::FOREIGN)
}

/// Refuses a list of recipients with nothing between two commas: a variable was empty that should have named a reader.
///
/// # Errors
/// When there is such a place.
pub(super) fn refuse_empty(call: &Call<'_>, flag: &str) -> Result<(), Failure> {
    let list = call.line.text(flag).filter(|list| !list.is_empty());
    if list.is_some_and(|list| list.split(',').any(|part| part.trim().is_empty())) {
        let what = format!("--{flag}: failed to parse input, unknown recipient type: \"\"");
        return Err(Failure::new(Exit::Generic, what));
    }
    Ok(())
}

/// Refuses a command line with one of these flags (or their variables).
///
/// # Errors
/// When one is there.
pub(super) fn refuse(call: &Call<'_>, flags: &[&str]) -> Result<(), Failure> {
    let Some(flag) = flags.iter().find(|flag| call.line.texts(flag).iter().any(|text| !text.is_empty())) else {
        return Ok(());
    };
    let given = call.line.given.contains(flag);
    let flags = table::GLOBAL.iter().filter(|known| known.name() == *flag);
    let variable = flags.filter_map(|known| known.variable).next().filter(|_| !given);
    let named = variable.map_or_else(|| format!("--{flag}"), str::to_owned);
    let what = format!("{named}: such keys are not supported, only age and ssh recipients are");
    Err(Failure::new(Exit::Generic, what))
}
