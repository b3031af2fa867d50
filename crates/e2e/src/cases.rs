//! Recorded command lines.
