//! `plomb edit`: the decrypted text in the user's editor, encrypted again when it closes.

mod block;

use std::path::{Path, PathBuf};

use document::Format;
use secret::SecretBytes;
use sops::rewrite::{Again, Shown, with_text};
use sops::{SealOptions, Sealed};

use crate::commands::encrypt::{self, PolicyFlags};
use crate::context::Context;
use crate::editor::Editor;
use crate::failure::{Exit, Failure, Outcome};
use crate::private::{Place, Room};
use crate::{files, format, resource, rewrite, ui};

/// Edit an encrypted file, or create one
///
/// The editor is that of SOPS_EDITOR, else of EDITOR, else vim, nano or vi. The text lies in memory only, in a folder
/// that is removed afterwards. Values that were not changed keep their ciphertext.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; if there is none it is created, as .sops.yaml or the flags below say
    file: PathBuf,
    /// Format of the file: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    /// Let the decrypted text lie in the temporary folder on disk where there is no place in memory
    #[arg(long)]
    allow_disk_temp: bool,
    /// Go on although the MAC is missing or wrong: values may have been changed, added, removed or moved
    #[arg(long)]
    ignore_mac: bool,
    /// Show the metadata in the editor too: recipients, threshold and selector can be changed there
    #[arg(short, long)]
    show_master_keys: bool,
    /// With -s: let this recipient of the file go on reading it, though neither .sops.yaml nor the file's own list names it
    #[arg(long, value_name = "RECIPIENT", requires = "show_master_keys")]
    accept_recipient: Vec<String>,
    #[command(flatten)]
    policy: PolicyFlags,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    context.ignore_mac = args.ignore_mac;
    let format = format::choose(args.input_type.as_deref(), &args.file);
    let place = if args.allow_disk_temp { Place::AlsoDisk } else { Place::Memory };
    let accepted = args.show_master_keys.then_some(args.accept_recipient.as_slice());
    let work = Work { file: &args.file, format, place, accepted };
    let missing = args.file.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    let done = if missing { work.create(&args.policy, context) } else { work.change(context) };
    done.map_err(|failure| failure.in_file(&args.file))
}

struct Work<'a> {
    file: &'a Path,
    format: &'static dyn Format,
    place: Place,
    /// The metadata is shown too; these recipients are accepted.
    accepted: Option<&'a [String]>,
}

impl Work<'_> {
    fn change(&self, context: &Context) -> Outcome {
        let before = files::read(self.file, Context::limit(self.format))?;
        let plain = rewrite::open(self.file, before.duplicate(), self.format, context)?;
        let shown = plain.text(&rewrite::layout(self.file, &plain, context)?)?;
        let key = plain.key().to_secret();
        let standing = resource::standing(&plain, context);
        let again = || {
            let encrypted = context.encrypted(before.duplicate(), self.format)?;
            context.decrypt_with(encrypted, key.duplicate())
        };
        let settle =
            |key: &SecretBytes, sealed| resource::settled(self.file, standing, sealed, (key, self.format), context);
        let (room, text, sealed) = match self.accepted {
            None => self.edit(&shown, |text| {
                let seal = |plain, again: Again<'_>| with_text(plain, text, again);
                settle(&key, rewrite::seal(self.file, again()?, context, seal)?)
            })?,
            Some(accepted) => {
                let shown = Shown::new(self.format, &shown, plain.metadata())?;
                self.edit(&shown.text, |text| {
                    let (key, sealed) = block::seal(self.file, again()?, (&shown, text), accepted, context)?;
                    settle(&key, sealed)
                })?
            }
        };
        let written = files::Rewrite::begin(self.file, files::BINARY_LIMIT).and_then(|rewrite| {
            if *rewrite.before() != before {
                return Err(Failure::new(
                    Exit::Generic,
                    "it was changed while the editor was open; nothing was written",
                ));
            }
            rewrite.commit(&sealed.text)
        });
        written.map_err(|failure| kept(failure, room, &text))?;
        context.tell("CMD", "info", "File written successfully", None);
        Ok(Exit::Ok)
    }

    fn create(&self, flags: &PolicyFlags, context: &Context) -> Outcome {
        // Before the user writes anything: is there somebody to encrypt to?
        let policy = flags.over(context.policy_for(self.file)?, self.file)?;
        let shown = SecretBytes::from(example(self.format.name()));
        let seal = |text: SecretBytes| {
            let options = SealOptions::default();
            let job = encrypt::Job { name: self.file, text, input: self.format, output: self.format, options };
            encrypt::encrypt(job, flags, context)
        };
        let (room, text, sealed) = match self.accepted {
            None => self.edit(&shown, seal)?,
            Some(_) => {
                let draft = block::Draft::new(self.format, &shown, &policy, context)?;
                self.edit(draft.shown(), |text| draft.seal(text, context))?
            }
        };
        ui::notices(self.file, &sealed.notices);
        if self.file.symlink_metadata().is_ok() {
            let what = "it was created by somebody else meanwhile; nothing was written";
            return Err(kept(Failure::new(Exit::Generic, what), room, &text));
        }
        files::replace(self.file, &sealed.text).map_err(|failure| kept(failure, room, &text))?;
        Ok(Exit::Ok)
    }

    /// Has `shown` edited until `seal` takes the text. Gives the folder and the file in it too.
    fn edit(
        &self,
        shown: &SecretBytes,
        seal: impl Fn(SecretBytes) -> Result<Sealed, Failure>,
    ) -> Result<(Room, PathBuf, Sealed), Failure> {
        let editor = Editor::choose()?;
        let room = Room::new(self.place)?;
        let path = room.path_for(self.file);
        room.write(&path, shown.expose())?;
        loop {
            editor.open(&path)?;
            let text = files::read(&path, Context::limit(self.format));
            let text = text.map_err(|failure| {
                Failure::new(Exit::Editor, format!("the editor left no text that can be read: {}", failure.what))
            })?;
            if text == *shown {
                return Err(Failure::new(Exit::Unchanged, "file has not changed, exiting"));
            }
            match seal(text) {
                Ok(sealed) => return Ok((room, path, sealed)),
                Err(failure) if !ui::is_interactive() => return Err(discarded(failure)),
                Err(failure) => reopen(failure.in_file(self.file))?,
            }
        }
    }
}

/// Without a terminal nobody can correct the text, and a copy of it would lie about in clear.
fn discarded(failure: Failure) -> Failure {
    match failure.hint {
        None => failure.hint("this is about the edited text, which was discarded; the file is as it was"),
        Some(_) => failure,
    }
}

/// Shows what is wrong with the text and waits for Enter.
fn reopen(failure: Failure) -> Result<(), Failure> {
    ui::note(&failure.to_string());
    ui::note("Press Enter to return to the editor, Ctrl-C to give up.");
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(1..) => Ok(()),
        _ => Err(failure),
    }
}

/// The failure, with the place where the user's text is kept.
fn kept(failure: Failure, room: Room, text: &Path) -> Failure {
    let path = room.keep(text);
    failure.hint(format!("your text is kept in {}; remove it when you have used it", crate::paths::shown(&path)))
}

/// What a new file starts with.
fn example(format: &str) -> &'static str {
    match format {
        "yaml" => "# Replace this example; values are encrypted when you save it and leave the editor.\nhello: world\n",
        "json" => "{\n  \"hello\": \"Replace this example.\"\n}\n",
        "dotenv" => "# Replace this example.\nHELLO=world\n",
        "ini" => "[section]\nhello = Replace this example.\n",
        _ => "Replace this example.\n",
    }
}
