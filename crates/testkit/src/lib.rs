//! What every test of this workspace shares: where fixtures lie, scratch folders, isolated command runs, the real
//! peers, a real API server, canaries, and repeatable randomness. It knows nothing of the product beyond the `Random` trait.

pub mod canary;
pub mod clock;
pub mod cluster;
pub mod command;
pub mod fixtures;
pub mod peer;
pub mod random;
pub mod repository;
pub mod scratch;
pub mod token;
pub mod yaml;

pub use canary::Canary;
pub use cluster::ApiServer;
pub use command::{Outcome, Run};
pub use peer::Peer;
pub use random::{Dice, FixedRandom};
pub use repository::Repository;
pub use scratch::Scratch;
