//! A structured file as an ordered tree with its comments, and the formats that read and write it.
//!
//! A [`Document`] keeps the bytes it was read from. Writing never re-serialises them: a caller asks the
//! [`Format`] for [`Edits`] of single tokens and applies these. Only [`Format::emit`] builds text anew,
//! in exactly the layout that SOPS would print.
//!
//! This crate knows nothing about encryption: an `ENC[...]` text is to it a string like any other.

mod edit;
mod error;
pub mod format;
pub mod number;
mod path;
mod tree;

pub use edit::Edits;
pub use error::{FormatError, Problem};
pub use format::{EmitOptions, Format, Token};
pub use path::{Path, Step};
pub use tree::{Alias, Branch, Comment, Document, Element, Entry, Item, List, Map, Node, Site, Span, Style, Value};
