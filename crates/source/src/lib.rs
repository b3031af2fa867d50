//! Where the bytes to scan come from: files, archives, a stream, the Git index, Git history.
//!
//! This is the crate that touches the file system. It starts no program, and nothing that a repository says
//! (configuration, attributes, replacements, grafts, hooks) can hide content from it or make it do something.

mod archive;
mod error;
mod feed;
mod files;
mod history;
mod ignored;
mod limits;
mod lines;
mod loose;
mod objects;
mod pack;
mod path;
mod renames;
mod repository;
mod shape;
mod sniff;
mod staged;
mod staging;
mod stream;
mod tracked;
mod unstaged;

use scan::Visitor;

pub use error::SourceError;
pub use files::Files;
pub use history::{Choice, History, Kinds, Paths, Selection, date};
pub use ignored::walk;
pub use limits::Limits;
pub use repository::Repository;
pub use shape::fault;
pub use staged::{Change, Staged};
pub use stream::Stdin;
pub use unstaged::Unstaged;

/// Something that contents come from.
pub trait Source: Sync {
    /// Hands every content to a visitor and then names its places. Workers run in parallel, each with a visitor of
    /// its own; a content and its places may meet different visitors.
    ///
    /// # Errors
    /// When nothing could be read at all: no repository, an unknown revision. What can be told file by file goes to
    /// [`Visitor::unread`] instead.
    fn each<'s>(&self, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) -> Result<(), SourceError>;
}
