//! What a commit was made from.

use std::collections::{HashMap, HashSet};

use bstr::BStr;

use super::Notes;
use super::choice::Choice;
use super::commits::Commits;
use super::selection::Tips;
use crate::SourceError;
use crate::pack::reader::{Packs, Reader};
use crate::repository::Repository;

impl Repository {
    /// The ids of the commit that a revision names and of all that led to it, as far as they can be read; in hex.
    ///
    /// # Errors
    /// [`SourceError::Revision`] if there is no such commit; [`SourceError::Repository`] if it is damaged.
    pub fn ancestors(&self, revision: &BStr) -> Result<HashSet<String>, SourceError> {
        let tips = Tips { include: vec![self.commit(revision)?], ..Tips::default() };
        let packs = Packs::open(self, self.local().object_hash());
        let mut reader = Reader::new(&packs, self.objects());
        let mut notes = Notes::default();
        let commits = Commits::walk(self, &mut reader, &tips, &Choice::default(), &HashMap::new(), &mut notes)?;
        Ok(commits.list.iter().map(|commit| commit.id.to_string()).collect())
    }
}
