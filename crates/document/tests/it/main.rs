//! Tests of the formats through the crate's public face.
#![allow(clippy::disallowed_methods, reason = "tests read fixtures and start the Go oracle")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "a skipped comparison says so")]

mod yaml_hostile;
mod yaml_oracle;
mod yaml_sites;
