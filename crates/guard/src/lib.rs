//! Says whether a file breaks the repository's own encryption rules. Needs no key.
//!
//! [`Rules`] are the `.sops.yaml` files of a repository as they are now and, if the caller has them, as they were
//! before the change. [`Rules::check`] looks at one file, [`Rules::check_rules`] at what a change of the rules does to
//! the files that are tracked. Both answer with [`Breach`]es, which never hold a value. This crate reads no file.
//! What counts as a breach, and why, is told in docs/guard.md.

mod breach;
mod change;
mod claim;
mod file;
mod lines;
mod marker;
mod mend;
mod opened;
mod places;
mod plain;
mod reach;
mod readers;
mod resource;
mod rules;
mod sealed;
mod tokens;
mod twin;
mod values;

pub use breach::{Breach, Kind, RulePlace, ValueAt};
pub use change::Tracked;
pub use file::{FileVersion, Sibling, is_encrypted, seems_encrypted};
pub use mend::Mend;
pub use places::Gone;
pub use resource::is_resource;
pub use rules::{Configs, Everywhere, Rules};
pub use twin::Names;
