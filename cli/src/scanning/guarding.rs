//! The repository's own encryption rules, asked about what is scanned.

use std::path::PathBuf;

use source::Staged;

use super::Request;
use super::collector::Collector;
use crate::context::Context;
use crate::failure::Failure;

/// Rules ready to be asked.
pub(crate) struct Guarding;

/// Reads the rules, unless the request does without.
///
/// # Errors
/// When they cannot be read.
pub(crate) fn prepare(_request: &Request, _context: &Context) -> Result<Option<Guarding>, Failure> {
    Ok(None)
}

impl Guarding {
    /// Files and folders.
    pub(crate) fn files(&self, _paths: &[PathBuf], _collector: &Collector<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// What is staged.
    pub(crate) fn staged(&self, _staged: &Staged<'_>, _collector: &Collector<'_>) -> Result<(), Failure> {
        Ok(())
    }
}
