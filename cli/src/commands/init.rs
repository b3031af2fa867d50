//! `plomb init`: from an empty repository to one where the first secret can be encrypted.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::commands::key;
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::{self, shown};
use crate::{identities, ui};

/// Make an identity if there is none, and a .sops.yaml
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Recipients (age or ssh), separated by commas; the identities at hand if none is given
    #[arg(short, long, value_name = "RECIPIENTS")]
    age: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    let here = paths::absolute(Path::new("."));
    let root = here.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
    let path = root.unwrap_or(&here).join(".sops.yaml");
    let name = paths::from_here(&path);
    if path.symlink_metadata().is_ok() {
        let hint = "`plomb config check` reads it; an existing configuration is never overwritten";
        return Err(Failure::new(Exit::Generic, "exists already").in_file(&name).hint(hint));
    }
    let (recipients, made) = recipients(&args, context)?;
    create(&path, &configuration(&recipients)).map_err(|failure| failure.in_file(&name))?;
    let mut text = String::new();
    if let Some(file) = made {
        let _ = writeln!(text, "Made an identity: {}", shown(&file));
        let _ =
            writeln!(text, "  Keep a copy of this file outside of the repository: without it no secret can be read.");
    }
    let _ = writeln!(text, "Wrote {}", shown(&name));
    for recipient in &recipients {
        let _ = writeln!(text, "  recipient {recipient}");
    }
    text.push_str(NEXT);
    ui::print(text.as_bytes())?;
    Ok(Exit::Ok)
}

const NEXT: &str = "\
Next:
  plomb encrypt -i FILE     FILE ends in .secret.yaml (Kubernetes) or .enc.yaml, .enc.json, .enc.env, .enc.ini
  plomb edit FILE           change an encrypted file
  plomb status              what is encrypted, to whom
  plomb config why FILE     which rule a file gets
";

/// The recipients for the rules, and the key file that was made for them, if one was.
fn recipients(args: &Args, context: &Context) -> Result<(Vec<String>, Option<PathBuf>), Failure> {
    if let Some(list) = &args.age {
        let list = crate::recipients::parse_list(std::slice::from_ref(list))?;
        let none = || Failure::new(Exit::Usage, "--age names no recipient");
        return if list.is_empty() { Err(none()) } else { Ok((list, None)) };
    }
    // An SSH key that happens to lie in the home folder was not made for secrets; only age identities are taken.
    let at_hand: Vec<String> =
        context.keyring().recipients().filter(|name| name.starts_with("age1")).map(str::to_owned).collect();
    if let Some(first) = at_hand.into_iter().next() {
        return Ok((vec![first], None));
    }
    let none = || {
        Failure::new(Exit::Generic, "there is no home folder to put an identity in").hint("name a recipient with --age")
    };
    let file = identities::default_key_file().ok_or_else(none)?;
    let recipient = key::make(&file, false, context)?;
    Ok((vec![recipient], Some(file)))
}

fn configuration(recipients: &[String]) -> String {
    let list = |text: &mut String| {
        for recipient in recipients {
            let _ = writeln!(text, "      - {}", quoted(recipient));
        }
    };
    let mut text = String::from(
        "# Which files are encrypted, to whom, and which of their values. Read by plomb and by SOPS.\n\
         # The first rule whose path_regex is found in a file's path is used.\n\
         # Who is added or removed below: `plomb updatekeys FILE` (a removal makes a new data key).\n\
         creation_rules:\n\
         \x20 # Kubernetes Secrets: only the values below data and stringData, so that kubectl and Argo CD can\n\
         \x20 # still read apiVersion, kind and metadata.\n\
         \x20 - path_regex: \\.secret\\.yaml$\n\
         \x20   encrypted_regex: ^(data|stringData)$\n\
         \x20   age:\n",
    );
    list(&mut text);
    text.push_str(
        "  # Every value of other files, but those whose key ends in _unencrypted.\n\
         \x20 - path_regex: \\.enc\\.(yaml|json|env|ini)$\n\
         \x20   age:\n",
    );
    list(&mut text);
    text
}

/// SSH recipients hold blanks and may end in a comment with any sign.
fn quoted(recipient: &str) -> String {
    if recipient.starts_with("age1") { recipient.to_owned() } else { format!("'{}'", recipient.replace('\'', "''")) }
}

/// A new file, never in the place of another one.
fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::io(path, "make it", &error).exit(Exit::Output);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
