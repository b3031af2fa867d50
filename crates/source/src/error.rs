//! Why a source could not start at all.

use std::path::PathBuf;

use bstr::BString;

/// Why there is nothing to scan. Says where, never what the bytes were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No Git repository at or above the path.
    #[error("{}: not a Git repository", path.display())]
    NotARepository {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// There is a repository, but it cannot be read.
    #[error("{}: the Git repository cannot be read: {why}", path.display())]
    Repository {
        /// The repository.
        path: PathBuf,
        /// Why, in words.
        why: String,
    },
    /// A revision, range or ref that does not exist.
    #[error("{name}: no such revision")]
    Revision {
        /// As given.
        name: BString,
    },
    /// An object that is needed for everything else.
    #[error("object {id} cannot be read: {why}")]
    Object {
        /// Its id.
        id: String,
        /// Why, in words.
        why: String,
    },
    /// A committed or staged file that was asked for and is larger than what fits into memory.
    #[error("{what}: larger than {limit} bytes")]
    TooLarge {
        /// Path or object.
        what: BString,
        /// The limit.
        limit: u64,
    },
}
