//! One file per command.

pub(crate) mod bind;
pub(crate) mod completion;
pub(crate) mod config_command;
pub(crate) mod convert;
pub(crate) mod decrypt;
pub(crate) mod demo;
pub(crate) mod drop_in;
pub(crate) mod edit;
pub(crate) mod encrypt;
pub(crate) mod exec_env;
pub(crate) mod exec_file;
pub(crate) mod filestatus;
pub(crate) mod groups;
pub(crate) mod hook;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod publish;
pub(crate) mod rotate;
pub(crate) mod seal;
pub(crate) mod set;
pub(crate) mod status;
pub(crate) mod unseal;
pub(crate) mod unset;
pub(crate) mod updatekeys;
pub(crate) mod verify;
