//! Git hooks that call us: where a repository keeps them, who manages them, and our block inside of them.

mod block;
mod place;

pub(crate) use block::{Kind, with_block, without_block};
pub(crate) use place::{Manager, Place, find};
