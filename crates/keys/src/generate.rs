//! New keys, in the text form of `age-keygen`.

use secret::{Random, SecretString};

use crate::kind;

/// A new X25519 key: the identity (`AGE-SECRET-KEY-1…`) and its recipient (`age1…`).
pub fn generate_x25519(random: &mut dyn Random) -> (SecretString, String) {
    kind::generate_x25519(random)
}

/// A new post-quantum key (ML-KEM-768 with X25519): the identity (`AGE-SECRET-KEY-PQ-1…`) and its recipient
/// (`age1pq1…`).
pub fn generate_hybrid(random: &mut dyn Random) -> (SecretString, String) {
    kind::generate_hybrid(random)
}
