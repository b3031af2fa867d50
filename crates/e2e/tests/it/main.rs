//! The built binary against the real peers and under faults. Each test names what it needs and skips aloud without it.

mod bad_input;
mod command_line;
mod differential;
mod faults;
mod gitleaks;
mod parallel;
mod pre_commit;
mod sarif;
mod vectors;
