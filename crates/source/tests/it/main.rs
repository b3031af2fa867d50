//! The sources against real folders and repositories; `git` is the second opinion.

#![expect(clippy::single_range_in_vec_init, reason = "ranges are what is compared")]
#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod archives;
mod files;
mod history;
mod log;
mod repo;
mod staged;
