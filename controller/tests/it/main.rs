//! The controller's commands that need no cluster, run as the built program.

#![allow(clippy::unwrap_used, reason = "a test that fails here says so")]

mod crd;
mod render;
mod run;
