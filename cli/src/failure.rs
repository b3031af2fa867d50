//! What people and scripts see of a failure: one `error:` line, at most one `hint:` line, and an exit code.
//! The only file that knows exit numbers.

use std::fmt;
use std::path::{Path, PathBuf};

use document::{FormatError, Problem};
use sops::{ConfigError, SopsError};

/// Exit codes. Encryption commands use SOPS' numbers, so that scripts can swap the binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok,
    /// Any failure without a number of its own.
    Generic,
    /// The input could not be read as its format.
    Input,
    /// The output could not be written.
    Output,
    /// The tree cannot be written in the output format.
    Emit,
    /// A value given to `set` is not JSON.
    SetValue,
    /// Flags that exclude each other, or one that is missing.
    Flags,
    /// A value could not be encrypted.
    Encrypt,
    /// A value could not be decrypted.
    Decrypt,
    /// The MAC does not fit.
    Mac,
    /// The command line cannot be understood (outside the drop-in mode).
    Usage,
    /// A path into the tree that is not one.
    TreePath,
    /// The file is empty.
    Empty,
    /// There is no such file.
    NoFile,
    /// Keys were to be changed of a file that does not exist.
    KeysOfMissingFile,
    /// A key type twice in the decryption order.
    DecryptionOrder,
    /// No identity opens the file.
    NoKey,
    /// An edit that changed nothing.
    Unchanged,
    /// The editor failed.
    Editor,
    /// The file is encrypted already.
    AlreadyEncrypted,
    /// A scan that did not read everything it was asked to read, or could not begin.
    Incomplete,
    /// The exit code of a command that was run, or that the user chose.
    Child(u8),
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Generic => 1,
            Self::Input | Self::Incomplete => 2,
            Self::Output => 3,
            Self::Emit => 4,
            Self::SetValue => 7,
            Self::Flags => 8,
            Self::Encrypt => 23,
            Self::Decrypt => 25,
            Self::KeysOfMissingFile => 49,
            Self::Mac => 51,
            Self::Usage => 64,
            Self::TreePath => 91,
            Self::Empty => 92,
            Self::NoFile => 100,
            Self::DecryptionOrder => 112,
            Self::NoKey => 128,
            Self::Unchanged => 200,
            Self::Editor => 201,
            Self::AlreadyEncrypted => 203,
            Self::Child(code) => code,
        }
    }
}

/// A failure on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The file it is about.
    pub(crate) file: Option<PathBuf>,
    /// Line and column from 1.
    pub(crate) at: Option<(usize, usize)>,
    /// What, in one line.
    pub(crate) what: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
    /// The exit code.
    pub(crate) exit: Exit,
    /// `what` is the whole message: a line that programs compare, without `error:` and the file.
    pub(crate) is_bare: bool,
}

impl Failure {
    /// A failure without a file.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { file: None, at: None, what: what.into(), hint: None, exit, is_bare: false }
    }

    /// The same with the next step.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same about `file`, unless it names one already.
    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        self.file.get_or_insert_with(|| file.to_owned());
        self
    }

    /// The same with another exit code.
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// A failed operation of the operating system.
    pub(crate) fn io(file: &Path, doing: &str, error: &std::io::Error) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NoFile,
            _ => Exit::Generic,
        };
        Self::new(exit, format!("cannot {doing}: {}", reason(error))).in_file(file)
    }
}

/// The operating system's words without the error number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_bare {
            return write!(f, "{}", crate::paths::one_line(&self.what));
        }
        write!(f, "error: ")?;
        if let Some(file) = &self.file {
            write!(f, "{}:", crate::paths::shown(file))?;
            if let Some((line, column)) = self.at {
                write!(f, "{line}:{column}:")?;
            }
            write!(f, " ")?;
        }
        write!(f, "{}", crate::paths::one_line(&self.what))?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", crate::paths::one_line(hint))?;
        }
        Ok(())
    }
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        let exit = match error.problem {
            Problem::Syntax => Exit::Input,
            Problem::Empty => Exit::Empty,
            Problem::Unsupported => Exit::Encrypt,
            Problem::Unwritable => Exit::Emit,
        };
        Self { at: error.at, ..Self::new(exit, error.what) }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { at: error.at, hint: error.hint, ..Self::new(Exit::Generic, error.what) }
    }
}

impl From<keys::KeyError> for Failure {
    fn from(error: keys::KeyError) -> Self {
        Self::new(Exit::Generic, error.to_string())
    }
}

impl From<sealed::Refusal> for Failure {
    fn from(refusal: sealed::Refusal) -> Self {
        use sealed::Reason;
        let exit = match refusal.reason {
            Reason::KeyNotFound | Reason::KeyRevoked => Exit::NoKey,
            Reason::MacMismatch | Reason::KeyOrder => Exit::Mac,
            Reason::DecryptFailed => Exit::Decrypt,
            _ => Exit::Generic,
        };
        Self { hint: refusal.hint.clone(), ..Self::new(exit, refusal.to_string()) }
    }
}

impl From<sealed::WriteError> for Failure {
    fn from(error: sealed::WriteError) -> Self {
        use sealed::WriteError as E;
        let what = error.to_string();
        match error {
            E::Refused(refusal) => refusal.into(),
            E::Manifest(error) => error.into(),
            E::NoNamespace(_) => Self::new(Exit::Usage, what).hint("give --namespace, or --scope cluster"),
            E::Moved(_) => {
                Self::new(Exit::Generic, what).hint("`plomb bind --move FILE`, if that is where it is to be used")
            }
            _ => Self::new(Exit::Generic, what),
        }
    }
}

impl From<sealed::ManifestError> for Failure {
    fn from(error: sealed::ManifestError) -> Self {
        Self::new(Exit::Input, error.what)
    }
}

impl From<SopsError> for Failure {
    fn from(error: SopsError) -> Self {
        let what = error.to_string();
        let new = |exit| Self::new(exit, what.clone());
        match error {
            SopsError::Format(error) => error.into(),
            SopsError::AlreadyEncrypted => {
                new(Exit::AlreadyEncrypted).hint("change it with `plomb edit`, or decrypt it first")
            }
            SopsError::NotEncrypted => new(Exit::Generic).hint("encrypt it with `plomb encrypt -i FILE`"),
            SopsError::Unsealable { place, what } => {
                let path = if place.path.0.is_empty() { String::new() } else { format!(" {}", place.path) };
                let hint =
                    what.contains("alias").then(|| "write the value out there, or have both encrypted".to_owned());
                Self { at: place.at, hint, ..Self::new(Exit::Encrypt, format!("the value{path} {what}")) }
            }
            SopsError::Value { place, .. } => Self { at: place.at, ..new(Exit::Decrypt) },
            SopsError::MetadataAt { at, .. } => Self { at: Some(at), ..new(Exit::Generic) },
            SopsError::NoKey(report) => no_key(&report),
            SopsError::NoMac | SopsError::MacMismatch => {
                new(Exit::Mac).hint("find out who changed the file; `--ignore-mac` opens it without this protection")
            }
            SopsError::NothingSelected(_) => {
                new(Exit::Encrypt).hint("correct the selector, or say --allow-plaintext if that is meant")
            }
            SopsError::Path(_) => new(Exit::Generic),
            _ => new(Exit::Generic),
        }
    }
}

/// Names the file's recipients and says how many groups are missing.
fn no_key(report: &sops::NoKey) -> Failure {
    let mut names: Vec<String> = report.entries.iter().map(|(name, _)| keys::short_recipient(name)).collect();
    names.dedup();
    let shown = names.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > 4 { format!(" and {} more", names.len() - 4) } else { String::new() };
    let groups = match report.needed {
        0 | 1 => String::new(),
        needed => format!(" ({} of {needed} key groups opened)", report.opened),
    };
    let failure =
        Failure::new(Exit::NoKey, format!("no identity at hand opens it{groups}; it is encrypted to {shown}{more}"));
    if let Some(trouble) = &report.trouble {
        return failure.hint(trouble.to_string());
    }
    if report.opened == 0 {
        return failure;
    }
    failure.hint("the identities at hand open some key groups, but not enough: an identity of another group is needed")
}

/// The result of a command.
pub(crate) type Outcome = Result<Exit, Failure>;
