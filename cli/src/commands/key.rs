//! `plomb key`: make identities, show the public side of those at hand, bring a cluster's keys back.

mod restore;

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use secret::{OsRandom, SecretString};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::shown;
use crate::{files, identities, ui};

const LIMIT: u64 = 16 << 20;

/// Make identities, show their recipients, bring a cluster's keys back
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an identity; its recipient is printed
    New(New),
    /// Print the recipients of the identities in a key file
    Show(Show),
    /// Print kind, recipient and source of every identity at hand
    List,
    Restore(restore::Args),
}

#[derive(Debug, clap::Args)]
struct New {
    /// Make a post-quantum identity (ML-KEM-768 with X25519); its recipients are 2 KB long
    #[arg(long)]
    pq: bool,
    /// Write the identity to this file, which must not exist; the default is SOPS' key file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The key file; the default is SOPS' key file
    file: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    match args.command {
        Command::New(args) => new(&args, context),
        Command::Show(args) => show(&args, context),
        Command::List => list(context),
        Command::Restore(args) => restore::run(&args, context),
    }
}

fn default_file() -> Result<PathBuf, Failure> {
    let none = || Failure::new(Exit::Generic, "there is no home folder to put it in").hint("name a file with -o");
    identities::default_key_file().ok_or_else(none)
}

fn new(args: &New, context: &Context) -> Outcome {
    let path = args.output.clone().map_or_else(default_file, Ok)?;
    let recipient = make(&path, args.pq, context)?;
    ui::print(format!("{recipient}\n").as_bytes())?;
    ui::note(&format!("identity written to {}", shown(&path)));
    Ok(Exit::Ok)
}

/// Makes an identity in a new file at `path`, with the folders above it, and gives its recipient.
///
/// # Errors
/// When there is such a file already, or it cannot be written.
pub(crate) fn make(path: &Path, pq: bool, context: &Context) -> Result<String, Failure> {
    let mut rng = OsRandom::new();
    let (identity, recipient) = if pq { keys::generate_hybrid(&mut rng) } else { keys::generate_x25519(&mut rng) };
    let text = key_file(&identity, &recipient, context);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| Failure::io(folder, "make this folder", &error).exit(Exit::Output))?;
    }
    write_private(path, &text)?;
    Ok(recipient)
}

fn key_file(identity: &SecretString, recipient: &str, context: &Context) -> SecretString {
    let (now, identity) = (context.now(), identity.expose());
    SecretString::new(format!("# created: {now}\n# public key: {recipient}\n{identity}\n"))
}

/// A file that only the user can read, never in the place of another one.
fn write_private(path: &Path, text: &SecretString) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let hint = "an identity is never overwritten; choose another file with -o, or add to this one by hand";
            Failure::new(Exit::Output, "exists already").in_file(path).hint(hint)
        }
        _ => Failure::io(path, "make it", &error).exit(Exit::Output),
    })?;
    let written = file.write_all(text.expose().as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half an identity is worse than none.
        let _ = std::fs::remove_file(path);
        Failure::io(path, "write it", &error).exit(Exit::Output)
    })
}

fn show(args: &Show, context: &Context) -> Outcome {
    let path = args.file.clone().map_or_else(default_file, Ok)?;
    let text = files::read(&path, LIMIT)?;
    let parsed = keys::parse_key_file(text.expose(), &shown(&path), &context.access());
    let identities = parsed.map_err(|error| Failure::from(error).in_file(&path))?;
    let line = |identity: &dyn keys::Identity| match identity.recipient() {
        Some(recipient) => format!("{recipient}\n"),
        None => format!("# {} identity: its recipient is not known here\n", identity.kind()),
    };
    ui::print(identities.iter().map(|identity| line(identity.as_ref())).collect::<String>().as_bytes())?;
    Ok(Exit::Ok)
}

fn list(context: &Context) -> Outcome {
    let ring = context.keyring();
    let line = |(identity, source): (&dyn keys::Identity, &str)| {
        let recipient = identity.recipient().unwrap_or_else(|| "-".to_owned());
        format!("{}\t{recipient}\t{source}\n", identity.kind())
    };
    let text: String = ring.identities().map(line).collect();
    for failed in ring.failed() {
        ui::note(&crate::paths::one_line(&format!("warning: {}: {}", failed.source, failed.why)));
    }
    if ring.is_empty() {
        return Err(Failure::new(Exit::NoKey, "no identity at hand").hint(identities::looked_for(ring)));
    }
    ui::print(text.as_bytes())?;
    Ok(Exit::Ok)
}
