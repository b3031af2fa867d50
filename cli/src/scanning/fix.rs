//! Mends what the creation rules cover: encrypts the file or the value, and stages it again.

use std::collections::BTreeSet;
use std::path::Path;

use bstr::{BString, ByteSlice as _};
use guard::Mend;
use secret::{OsRandom, SecretBytes};
use source::{Repository, Staged};

use super::guarding::{self, Guarding, old_of};
use super::rules::source_failure;
use super::{Request, What};
use crate::args::run_command;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::{one_line, shown};
use crate::{files, format, ui};

/// A file that may need mending.
struct Patient {
    /// Path that rules know.
    path: BString,
    bytes: Vec<u8>,
    old: Option<Vec<u8>>,
}

/// Mends what can be mended, then scans again and reports what is left.
///
/// # Errors
/// When a file cannot be encrypted or staged; those before it stay mended.
pub(crate) fn fix(request: &Request, context: &mut Context) -> Outcome {
    let Some(guard) = guarding::prepare(request, None, &[])? else {
        let hint = "`plomb init` makes one; `plomb scan` without --fix reports only";
        return Err(Failure::new(Exit::Incomplete, "no .sops.yaml says what is to be encrypted").hint(hint));
    };
    let staged = matches!(request.what, What::Staged(_));
    for patient in patients(request, &guard, context)? {
        let mend = guard.mend(&patient.path, &patient.bytes, patient.old.as_deref());
        let file = guard.file_of(patient.path.as_bstr());
        if mend == Mend::Nothing {
            continue;
        }
        let done = carry_out(&mend, &file, &patient, staged, context).map_err(|failure| failure.in_file(&file))?;
        if let (Some(done), Some(repository), true) = (done, &guard.repository, staged) {
            let after = files::read(&file, 1 << 31)?;
            let staged = repository.stage(patient.path.as_bstr(), after.expose());
            staged.map_err(|error| source_failure(&error).hint(not_staged(done, &file)))?;
            ui::note(&one_line(&format!("{done} {} and staged it again", shown(&file))));
        } else if let Some(done) = done {
            ui::note(&one_line(&format!("{done} {}", shown(&file))));
        }
    }
    super::run(request, context)
}

/// What to do where a file was mended and the index cannot be written.
fn not_staged(done: &str, file: &Path) -> String {
    format!("plomb {done} {name} in the work tree; stage it: git add -- {name}", name = shown(file))
}

/// The files that are staged, or those in which something was found.
fn patients(request: &Request, guard: &Guarding, context: &mut Context) -> Result<Vec<Patient>, Failure> {
    if let What::Staged(repo) = &request.what {
        let repository = Repository::discover(repo).map_err(|error| source_failure(&error))?;
        return staged(&repository).map_err(|error| source_failure(&error));
    }
    let found = super::find(request, context)?;
    let paths: BTreeSet<BString> =
        found.findings.iter().filter_map(|finding| guard.inside(finding.origin.path.as_bstr())).collect();
    let mut patients = Vec::new();
    for path in paths {
        let file = guard.file_of(path.as_bstr());
        if !file.is_file() {
            continue;
        }
        let bytes = files::read(&file, 1 << 31)?.expose().to_vec();
        let old = guard.repository.as_ref().and_then(|it| it.read_head(path.as_bstr()).ok().flatten());
        patients.push(Patient { path, bytes, old });
    }
    Ok(patients)
}

fn staged(repository: &Repository) -> Result<Vec<Patient>, source::SourceError> {
    let mut patients = Vec::new();
    for change in Staged::new(repository).changes()? {
        let Some(new) = change.new.filter(|_| change.regular && change.stage == 0) else { continue };
        let bytes = repository.blob(new, 1 << 31)?;
        let old = old_of(repository, &change);
        patients.push(Patient { path: change.path, bytes, old });
    }
    Ok(patients)
}

/// Does what the plan says; gives a word for what was done, and nothing where people must act.
fn carry_out(
    mend: &Mend,
    file: &Path,
    patient: &Patient,
    staged: bool,
    context: &mut Context,
) -> Result<Option<&'static str>, Failure> {
    let same = || files::read(file, 1 << 31).is_ok_and(|text| text.expose() == patient.bytes.as_slice());
    let acts = matches!(mend, Mend::Encrypt { .. } | Mend::SealValues(_) | Mend::UpdateReaders(_));
    if staged && acts && !same() {
        let hint = "stage the file as it is, or undo what is not staged, and say --fix again";
        return Err(Failure::new(Exit::Generic, "has changes that are not staged").hint(hint));
    }
    match mend {
        Mend::Nothing => Ok(None),
        Mend::Encrypt { .. } => {
            let exit = run_command(words(&["encrypt", "--in-place"], file), context)?;
            Ok((exit == Exit::Ok).then_some("encrypted"))
        }
        Mend::SealValues(_) => {
            seal_values(file, patient, context)?;
            Ok(Some("encrypted the new values of"))
        }
        Mend::UpdateReaders(_) => {
            let exit = run_command(words(&["updatekeys", "--yes"], file), context)?;
            Ok((exit == Exit::Ok).then_some("updated the recipients of"))
        }
        Mend::Untrack => {
            by_hand(file, &["take it out of the repository (`git rm --cached`) and name it in .gitignore".to_owned()]);
            Ok(None)
        }
        Mend::ByHand(steps) => {
            by_hand(file, steps);
            Ok(None)
        }
    }
}

fn words(command: &[&str], file: &Path) -> Vec<std::ffi::OsString> {
    let flags = command.iter().map(Into::into);
    flags.chain(["--".into(), file.as_os_str().to_owned()]).collect()
}

fn by_hand(file: &Path, steps: &[String]) {
    for step in steps.iter().take(3) {
        ui::note(&one_line(&format!("{}: {step}", shown(file))));
    }
}

/// Encrypts values that were written in clear into an encrypted file; the version before vouches for the others.
fn seal_values(file: &Path, patient: &Patient, context: &Context) -> Result<(), Failure> {
    let Some(old) = &patient.old else {
        let hint = "open it with `plomb edit --ignore-mac` and look at what changed";
        return Err(Failure::new(Exit::Mac, "no committed version vouches for its other values").hint(hint));
    };
    let format = format::choose(None, file);
    let rewrite = files::Rewrite::begin(file, Context::limit(format))?;
    let new = context.encrypted(rewrite.before().duplicate(), format)?;
    let old = context.encrypted(SecretBytes::new(old.clone()), format)?;
    let key = context.data_key(&old)?;
    let layout = context.emit_options(file, format)?;
    let mut rng = OsRandom::new();
    let again = sops::rewrite::Again { rng: &mut rng, now: context.now(), layout, as_sops: false };
    let sealed = sops::rewrite::seal_clear(new, old, key, again)?;
    rewrite.commit(&sealed.text)
}
