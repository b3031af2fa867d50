//! One file per command.

pub(crate) mod decrypt;
pub(crate) mod drop_in;
pub(crate) mod edit;
pub(crate) mod encrypt;
pub(crate) mod exec_env;
pub(crate) mod exec_file;
pub(crate) mod set;
pub(crate) mod unset;
