//! `plomb-controller keys export`: the backup of the cluster's keys as a file for the repository. It is ciphertext that
//! only the recovery recipients open, and the controller has signed what is in it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use sealed::custody::{Chain, EscrowFile, EscrowNote, Published};

use super::connect::{self, connect};
use super::custody::read;
use crate::outcome::{Exit, Failure, print, say};

/// Print the backup of the cluster's keys: an age file that the recovery recipients open
///
/// It is ciphertext and may lie in Git. `plomb keys restore` makes the key Secrets of it. With --output the note about
/// what is in it is written beside it, as FILE.json, and a file that holds keys which the cluster no longer has is not
/// replaced. Earlier backups that alone hold keys which resources need are written beside it, too, each with its digest in
/// its name.
///
/// Exit code 0: written; 1: there is no backup, or not one to be trusted; 2: something could not be read or written.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Reach the cluster as this file says; without, KUBECONFIG, ~/.kube/config or the pod's own account
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Namespace of the controller
    #[arg(short, long, env = "POD_NAMESPACE", default_value = "plomb-system")]
    namespace: String,
    /// First part of the names of the controller's own objects
    #[arg(long, default_value = "plomb")]
    name: String,
    /// Write it to this file; a file that holds the same already stays as it is, an older backup is replaced
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file although it holds keys that the cluster no longer has, or nobody knows what it holds
    #[arg(long, requires = "output")]
    force: bool,
}

/// Runs the command.
///
/// # Errors
/// When the cluster cannot be asked, or a file cannot be written.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let published = runtime.block_on(async {
        let client = connect(args.kubeconfig.as_deref(), connect::Default::Person).await?.client;
        let shown = read::shown(&client, &args.namespace, &args.name, None).await;
        shown.map(|shown| shown.published).map_err(|fault| Failure::new(fault.to_string()))
    })?;
    let place = format!("ConfigMap {}/{}", args.namespace, Published::config_map_name(&args.name));
    let escrow = match trusted(&published) {
        Ok(escrow) => escrow,
        Err(why) => {
            say(&format!("error: {place}: {why}"));
            return Ok(Exit::Refused);
        }
    };
    let older = published.older.iter().filter(|file| file.is_whole());
    match &args.output {
        None => print(escrow.file.as_bytes())?,
        Some(path) => {
            // First, so that nothing is replaced before what it alone holds is there.
            older.clone().try_for_each(|older| write(&beside(path, older), older, &[], args.force))?;
            write(path, escrow, &older.collect::<Vec<_>>(), args.force)?;
        }
    }
    let EscrowNote { keys, recovery, .. } = &escrow.note;
    say(&format!("{} keys, for {}", keys.len(), recovery.join(", ")));
    Ok(Exit::Ok)
}

/// The backup, if the cluster's own chain of statements vouches for it.
fn trusted(published: &Published) -> Result<&EscrowFile, String> {
    if published.statements.is_empty() {
        return Err("nothing is published: is the controller running?".to_owned());
    }
    let chain = Chain::verify(published.statements.clone()).map_err(|fault| fault.to_string())?;
    let hint = "no backup: start the controller with --recovery-recipient";
    let escrow = published.escrow.as_ref().ok_or_else(|| hint.to_owned())?;
    if !escrow.is_whole() {
        return Err("the backup is not what the controller wrote: its digest or signature is wrong".to_owned());
    }
    let signers = chain.statements().iter().map(|statement| &statement.statement_key);
    if !signers.into_iter().any(|signer| *signer == escrow.note.statement_key) {
        return Err("the backup is signed by a key that the cluster's statements do not name".to_owned());
    }
    Ok(escrow)
}

/// The name of an earlier backup: `prod.0123456789ab.age` beside `prod.age`.
fn beside(path: &Path, older: &EscrowFile) -> PathBuf {
    let end = path.extension().map_or_else(String::new, |end| format!(".{}", end.to_string_lossy()));
    path.with_extension(format!("{}{end}", older.id()))
}

/// Writes the file and its note, each whole or not at all, unless that would lose a key that is not in `older` either.
fn write(path: &Path, escrow: &EscrowFile, older: &[&EscrowFile], force: bool) -> Result<(), Failure> {
    let note = note_path(path);
    let text = serde_json::to_string_pretty(&escrow.note).map_err(|error| Failure::new(error.to_string()))? + "\n";
    match std::fs::read(path) {
        Ok(old) if old == escrow.file.as_bytes() => {
            say(&format!("{}: is up to date", path.display()));
        }
        Ok(_) if !force => {
            may_replace(path, &note, escrow, older)?;
            replace(path, escrow.file.as_bytes())?;
        }
        Ok(_) => replace(path, escrow.file.as_bytes())?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => replace(path, escrow.file.as_bytes())?,
        Err(error) => return Err(Failure::io(path, "read it", &error)),
    }
    // The note last: between the two there is a file of which nobody knows what it holds, and that is never replaced
    // unasked.
    if std::fs::read(&note).is_ok_and(|old| old == text.as_bytes()) { Ok(()) } else { replace(&note, text.as_bytes()) }
}

fn note_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

fn may_replace(path: &Path, note: &Path, new: &EscrowFile, older: &[&EscrowFile]) -> Result<(), Failure> {
    let name = path.display();
    let unknown = || {
        Failure::new(format!(
            "{name}: is there, and {} does not say what it holds; --force replaces it",
            note.display()
        ))
    };
    let file = std::fs::read_to_string(path).map_err(|_| unknown())?;
    let text = std::fs::read(note).map_err(|_| unknown())?;
    let old = EscrowFile { file, note: serde_json::from_slice(&text).map_err(|_| unknown())? };
    if !old.is_whole() {
        return Err(unknown());
    }
    let is_held = |key: &String| older.iter().chain([&new]).any(|file| file.note.keys.contains(key));
    match old.note.keys.iter().find(|key| !is_held(key)) {
        None => Ok(()),
        Some(lost) => Err(Failure::new(format!(
            "{name}: holds the key of {lost}, which the cluster no longer has; --force replaces it"
        ))),
    }
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |error: std::io::Error| Failure::io(path, "write it", &error);
    let mut temp = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temp.write_all(bytes).and_then(|()| temp.as_file().sync_all()).map_err(failed)?;
    temp.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
