//! Where identities come from: SOPS' environment variables and default paths, in SOPS' order.
//!
//! Every source is collected before anything is tried; one that fails is mentioned only when nothing opens
//! the file.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use keys::{Access, Identity, KeyError, Keyring, Prompt, parse_key_file, parse_key_variable};
use secret::SecretString;

use crate::failure::Failure;
use crate::files;
use crate::paths::shown;

const LIMIT: u64 = 16 << 20;
/// What a key command may print, in bytes.
const COMMAND_LIMIT: u64 = 1 << 20;

/// Everything that can be found.
pub(crate) fn collect(access: &Access) -> Keyring {
    let mut ring = Keyring::new();
    ssh(&mut ring, access);
    if let Some(text) = variable("SOPS_AGE_KEY") {
        add(&mut ring, "SOPS_AGE_KEY", parse_key_variable(&text, access));
    }
    if let Some(path) = variable("SOPS_AGE_KEY_FILE") {
        add_file(&mut ring, PathBuf::from(&path), "SOPS_AGE_KEY_FILE", access);
    }
    if let Some(command) = variable("SOPS_AGE_KEY_CMD") {
        match output_of(&command) {
            Ok(text) => add(&mut ring, "SOPS_AGE_KEY_CMD", parse_key_variable(&text, access)),
            Err(why) => ring.add_failed("SOPS_AGE_KEY_CMD", why),
        }
    }
    if let Some(path) = default_key_file().filter(|path| path.exists()) {
        add_file(&mut ring, path, "default key file", access);
    }
    ring
}

/// The identities in key files that the user named.
///
/// # Errors
/// When one of them cannot be read or holds no identity.
pub(crate) fn from_files(files: &[PathBuf], access: &Access) -> Result<Keyring, Failure> {
    let mut ring = Keyring::new();
    for file in files {
        let text = files::read_named(file, LIMIT)?;
        let parsed = parse_key_file(text.expose(), &shown(file), access);
        let identities = parsed.map_err(|error| Failure::from(error).in_file(file))?;
        identities.into_iter().for_each(|identity| ring.add(identity, shown(file)));
    }
    Ok(ring)
}

fn ssh(ring: &mut Keyring, access: &Access) {
    if let Some(path) = variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE") {
        add_file(ring, PathBuf::from(path), "SOPS_AGE_SSH_PRIVATE_KEY_FILE", access);
    }
    if let Some(command) = variable("SOPS_AGE_SSH_PRIVATE_KEY_CMD") {
        match output_of(&command) {
            Ok(text) => {
                let parsed = parse_key_file(text.as_bytes(), "SOPS_AGE_SSH_PRIVATE_KEY_CMD", access);
                add(ring, "SOPS_AGE_SSH_PRIVATE_KEY_CMD", parsed);
            }
            Err(why) => ring.add_failed("SOPS_AGE_SSH_PRIVATE_KEY_CMD", why),
        }
    }
    for name in ["id_ed25519", "id_rsa"] {
        if let Some(path) = home().map(|home| home.join(".ssh").join(name)).filter(|path| path.exists()) {
            add_file(ring, path, "ssh key", access);
        }
    }
}

/// `sops/age/keys.txt` in the user's configuration folder.
pub(crate) fn default_key_file() -> Option<PathBuf> {
    let folder = match variable("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None if cfg!(target_os = "macos") => home()?.join("Library/Application Support"),
        None => home()?.join(".config"),
    };
    Some(folder.join("sops/age/keys.txt"))
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn add(ring: &mut Keyring, source: &str, parsed: Result<Vec<Box<dyn Identity>>, KeyError>) {
    match parsed {
        Ok(identities) => identities.into_iter().for_each(|identity| ring.add(identity, source)),
        Err(error) => ring.add_failed(source, error),
    }
}

fn add_file(ring: &mut Keyring, path: PathBuf, what: &str, access: &Access) {
    let source = format!("{what} {}", shown(&path));
    match files::read_named(&path, LIMIT) {
        Ok(text) => add(ring, &source, parse_key_file(text.expose(), &shown(&path), access)),
        Err(failure) => ring.add_failed(source, failure.what),
    }
}

/// Runs the user's key command, split as a shell would but without one.
fn output_of(command: &str) -> Result<zeroize::Zeroizing<String>, &'static str> {
    let words =
        shlex::split(command).filter(|words| !words.is_empty()).ok_or("the command cannot be split into words")?;
    let mut child = Command::new(&words[0]);
    child.args(&words[1..]).stdin(Stdio::inherit()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = child.spawn().map_err(|_| "the command cannot be started")?;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let read = child.stdout.take().map(|pipe| pipe.take(COMMAND_LIMIT + 1).read_to_end(&mut bytes));
    let too_much = bytes.len() as u64 > COMMAND_LIMIT;
    if too_much {
        // It may go on for ever.
        let _ = child.kill();
    }
    let status = child.wait();
    if too_much {
        return Err("the command prints more than 1 MiB");
    }
    if read.is_none_or(|read| read.is_err()) || !status.is_ok_and(|status| status.success()) {
        return Err("the command failed");
    }
    let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|_| "the command's output is not text")?;
    Ok(zeroize::Zeroizing::new(text))
}

/// Where identities were looked for, for the hint below "no identity opens the file".
pub(crate) fn looked_for(ring: &Keyring) -> String {
    let failed = ring.failed();
    if let Some(first) = failed.first() {
        let more =
            if failed.len() > 1 { format!(" (and {} more sources failed)", failed.len() - 1) } else { String::new() };
        return format!("{}: {}{more}", first.source, first.why);
    }
    if !ring.is_empty() {
        let count = ring.len();
        let those = if count == 1 {
            "the one identity at hand is".to_owned()
        } else {
            format!("the {count} identities at hand are")
        };
        return format!("{those} not among its recipients; `plomb key list` shows them");
    }
    let path = default_key_file().map_or_else(|| "the default key file".to_owned(), |path| shown(&path));
    format!("no identity found: put one into {path}, or name its file in SOPS_AGE_KEY_FILE")
}

/// What keys may do: ask at the terminal, and run the plugins that the user's own configuration allows.
pub(crate) fn access() -> Access {
    Access::new(Arc::new(Terminal), allowed_plugins())
}

/// One name per line in `plomb/plugins` of the user's configuration folder; a repository cannot add to it.
fn allowed_plugins() -> Vec<String> {
    let folder = variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home().map(|home| home.join(".config")));
    let Some(path) = folder.map(|folder| folder.join("plomb/plugins")).filter(|path| path.exists()) else {
        return Vec::new();
    };
    let text = files::read(&path, LIMIT).unwrap_or_default();
    let lines = text.expose_str().unwrap_or_default().lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Questions at the terminal; unanswered where there is none.
struct Terminal;

impl Prompt for Terminal {
    fn passphrase(&self, what: &str) -> Option<SecretString> {
        rpassword::prompt_password(format!("Passphrase for {what}: ")).ok().map(SecretString::new)
    }

    fn message(&self, text: &str) {
        crate::ui::say(&crate::paths::one_line(text));
    }
}
