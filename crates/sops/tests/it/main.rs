//! The engine through its public face.

mod keys_at_hand;
mod nonces;
mod round_trip;
mod tampering;
