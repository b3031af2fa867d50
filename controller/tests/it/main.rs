//! The controller's commands that need no cluster, run as the built program.

mod crd;
mod render;
