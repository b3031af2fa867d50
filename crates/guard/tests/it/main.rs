//! The guard through its public face.

#![allow(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cases;
mod engine;
mod mutations;
mod repository;
