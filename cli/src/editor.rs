//! The user's editor: which one, and how it is kept from writing copies elsewhere.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use crate::failure::{Exit, Failure};
use crate::signals::{self, Manner};

const USUAL: [&str; 3] = ["vim", "nano", "vi"];

/// An editor's command line without the file.
#[derive(Debug)]
pub(crate) struct Editor {
    words: Vec<OsString>,
}

impl Editor {
    /// The editor of `SOPS_EDITOR`, else of `EDITOR`, else the first usual one that is installed.
    ///
    /// # Errors
    /// When there is none, or its command line cannot be split into words.
    pub(crate) fn choose() -> Result<Self, Failure> {
        let named = ["SOPS_EDITOR", "EDITOR"].into_iter().find_map(|name| {
            let text = std::env::var(name).ok().filter(|text| !text.trim().is_empty())?;
            Some((name, text))
        });
        let words: Vec<OsString> = match named {
            Some((name, text)) => {
                let words = shlex::split(&text).filter(|words| !words.is_empty());
                let unclosed = || Failure::new(Exit::Editor, format!("{name} cannot be split into words"));
                words.ok_or_else(unclosed)?.into_iter().map(OsString::from).collect()
            }
            None => {
                let found = USUAL.iter().find_map(|name| in_path(OsStr::new(name)));
                let none = || Failure::new(Exit::Editor, "no editor found").hint("name one in EDITOR");
                vec![found.ok_or_else(none)?.into_os_string()]
            }
        };
        let mut words = words.into_iter();
        let program = words.next().expect("checked to be there");
        let quiet = without_copies(&program);
        Ok(Self { words: std::iter::once(program).chain(quiet.iter().map(OsString::from)).chain(words).collect() })
    }

    /// Opens `file` and waits until the editor ends.
    ///
    /// # Errors
    /// When it cannot be started, or fails.
    pub(crate) fn open(&self, file: &Path) -> Result<(), Failure> {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).arg(file);
        let name = crate::paths::shown(Path::new(&self.words[0]));
        let status = signals::run(&mut command, Manner::Editor, Command::spawn);
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new(Exit::Editor, format!("the editor {name} {}", ended(status)))),
            Err(_) => Err(Failure::new(Exit::Editor, format!("the editor {name} cannot be started"))),
        }
    }
}

fn ended(status: ExitStatus) -> String {
    status.code().map_or_else(|| "was ended by a signal".to_owned(), |code| format!("failed (exit code {code})"))
}

/// Flags that switch swap, backup, undo and history files off.
fn without_copies(program: &OsStr) -> &'static [&'static str] {
    const VIM: &[&str] = &["-n", "-i", "NONE", "-c", "set nobackup nowritebackup noundofile"];
    const EMACS: &[&str] = &[
        "--eval",
        "(setq make-backup-files nil auto-save-default nil create-lockfiles nil auto-save-list-file-prefix nil)",
    ];
    let name = Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or_default();
    match name {
        "vim" | "nvim" | "gvim" | "vimx" | "view" => VIM,
        "vi" | "ex" if is_vim(program) => VIM,
        "emacs" | "emacs-nox" | "emacs-gtk" => EMACS,
        _ => &[],
    }
}

/// Whether a program called `vi` is a vim in truth; others do not know its flags.
fn is_vim(program: &OsStr) -> bool {
    let real = in_path(program).and_then(|path| path.canonicalize().ok());
    real.and_then(|path| Some(path.file_name()?.to_string_lossy().contains("vim"))).unwrap_or(false)
}

fn in_path(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return Some(path.to_owned());
    }
    let folders = std::env::var_os("PATH")?;
    let runs = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(&folders).filter(|folder| folder.is_absolute()).map(|folder| folder.join(path)).find(runs)
}
