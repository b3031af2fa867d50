//! One file per command.

pub(crate) mod decrypt;
pub(crate) mod drop_in;
pub(crate) mod encrypt;
