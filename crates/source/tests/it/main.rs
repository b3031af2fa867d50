//! The sources against real folders and repositories; `git` is the second opinion.

mod archives;
mod files;
mod log;
mod repo;
mod staged;
