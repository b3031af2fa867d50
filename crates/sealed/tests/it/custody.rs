//! The life of a cluster's keys, on a stage that stands for an API server.

mod chains;
mod crashes;
mod escrow;
mod lifecycle;
mod records;
mod rejoining;
mod rewrapping;
mod stage;
