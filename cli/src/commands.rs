//! One file per command.

pub(crate) mod decrypt;
pub(crate) mod drop_in;
pub(crate) mod encrypt;
pub(crate) mod filestatus;
pub(crate) mod groups;
pub(crate) mod key;
pub(crate) mod publish;
pub(crate) mod rotate;
pub(crate) mod updatekeys;
