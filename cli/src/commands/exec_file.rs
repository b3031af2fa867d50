//! `plomb exec-file`: a command with the decrypted text as a file that exists once.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use secret::SecretBytes;

use crate::account::Account;
use crate::commands::{decrypt, exec_env};
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::private::{Place, Room};
use crate::{files, format};

/// Run a command with the decrypted text in a temporary file
///
/// In the command {} is replaced by the file's path. The file is a FIFO: it can be read once and lies nowhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file
    file: PathBuf,
    /// The command, for /bin/sh -c
    command: String,
    /// A real file, for commands that read it twice or move about in it
    #[arg(long)]
    no_fifo: bool,
    /// Name of the temporary file
    #[arg(long, value_name = "NAME", default_value = "tmp-file")]
    filename: PathBuf,
    /// Format of the file: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    /// Format of the temporary file
    #[arg(long, value_name = "FORMAT")]
    output_type: Option<String>,
    /// Run the command as this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// With --no-fifo: on disk if there is no place in memory
    #[arg(long)]
    allow_disk_temp: bool,
    /// Go on although the MAC is missing or wrong: values may have been changed, added, removed or moved
    #[arg(long)]
    ignore_mac: bool,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    context.ignore_mac = args.ignore_mac;
    let done = text(&args, context).and_then(|text| start(&args, text));
    done.map_err(|failure| failure.in_file(&args.file))
}

fn text(args: &Args, context: &Context) -> Result<SecretBytes, Failure> {
    let input = format::choose(args.input_type.as_deref(), &args.file);
    let output = args.output_type.as_deref().map_or(input, |word| format::choose(Some(word), &args.file));
    let text = files::read(&args.file, Context::limit(input))?;
    decrypt::decrypt(decrypt::Job { name: &args.file, text, input, output, extract: None }, context)
}

fn start(args: &Args, text: SecretBytes) -> Outcome {
    let mut parts = args.filename.components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(Failure::new(Exit::Generic, "--filename must be a name without folders"));
    }
    let account = args.user.as_deref().map(Account::find).transpose()?;
    // A FIFO holds nothing; it may be anywhere.
    let place = if args.no_fifo && !args.allow_disk_temp { Place::Memory } else { Place::AlsoDisk };
    let room = Room::new(place)?;
    let path = room.path_for(&args.filename);
    let line = command_line(&args.command, &path)?;
    if args.no_fifo {
        room.write(&path, text.expose())?;
    } else {
        room.fifo(&path)?;
    }
    if let Some(account) = &account {
        room.give_to(account.uid, account.gid)?;
    }
    if !args.no_fifo {
        feed(path, text);
    }
    let mut command = exec_env::shell(&line);
    if let Some(account) = &account {
        account.set_environment(&mut command);
    }
    exec_env::wait(&mut command, account.as_ref())
}

fn command_line(command: &str, path: &Path) -> Result<String, Failure> {
    let odd = || Failure::new(Exit::Generic, "the temporary file's path is not UTF-8");
    Ok(command.replace("{}", path.to_str().ok_or_else(odd)?))
}

/// Writes the text into the FIFO as soon as somebody reads it, once. A command that never reads it, or stops in the
/// middle, is nothing to us: the thread ends with the process.
fn feed(path: PathBuf, text: SecretBytes) {
    std::thread::spawn(move || {
        let Ok(mut fifo) = OpenOptions::new().write(true).open(&path) else { return };
        // A second reader finds no file; it would wait for ever at a FIFO that nobody fills.
        let _ = std::fs::remove_file(&path);
        let _ = fifo.write_all(text.expose());
    });
}
