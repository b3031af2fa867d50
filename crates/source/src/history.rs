//! Whole history, or a part of it: every blob once with all its paths, then every commit that brought what was found.

mod ancestors;
mod blobs;
mod changes;
mod choice;
mod commits;
mod info;
mod messages;
mod places;
mod presence;
mod refs;
mod selection;
mod unfolding;

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bstr::BString;
use scan::{Skipped, Unread, Visitor};

use crate::pack::reader::{Packs, Reader};
use crate::repository::Repository;
use crate::{Limits, Source, SourceError};
use changes::Changes;
pub use choice::{Choice, Kinds, Paths, date};
use commits::Commits;
pub use selection::Selection;

/// The commits of a repository.
///
/// Lines count as added where `git log -p -U0 --full-history` shows them, with Git's default rename detection; those of
/// a merge, where none of its parents has them. Attributes, replacements, grafts and commit-graphs are not looked at.
#[derive(Debug)]
pub struct History<'r> {
    /// The repository.
    pub repository: &'r Repository,
    /// Which commits.
    pub selection: Selection,
    /// Whether the messages of commits and tags are contents too.
    pub messages: bool,
    /// Limits.
    pub limits: Limits,
}

impl<'r> History<'r> {
    /// Everything that any ref reaches.
    pub fn new(repository: &'r Repository) -> Self {
        Self { repository, selection: Selection::all(), messages: false, limits: Limits::default() }
    }
}

impl Source for History<'_> {
    fn each<'s>(&self, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) -> Result<(), SourceError> {
        let refs = refs::read(self.repository);
        let tips = self.selection.resolve(self.repository, &refs)?;
        let hash = self.repository.local().object_hash();
        let packs = Packs::open(self.repository, hash);
        let mut notes = Notes::default();
        packs.broken.iter().for_each(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            notes.unread(format!("pack index {name}"), "it or its pack cannot be read");
        });
        refs.broken.iter().for_each(|name| notes.unread(name.clone(), "this ref cannot be read, or leads nowhere"));
        if self.repository.is_shallow() {
            notes.skipped("history".into(), "the clone is shallow: older commits are not here");
        }
        let reader = || Reader::new(&packs, self.repository.objects());
        let commits =
            Commits::walk(self.repository, &mut reader(), &tips, &self.selection.choice, &refs.names, &mut notes)?;
        let mut visitor = new_visitor();
        let mut changes = Changes::find(&commits, &mut reader(), &mut notes, &mut || visitor.stop());
        changes.retain(&self.selection.choice);
        notes.tell(&mut *visitor);
        if visitor.stop() {
            return Ok(());
        }
        drop(visitor);
        let context = Context { history: self, packs: &packs, commits: &commits, changes: &changes };
        if self.messages {
            messages::visit(&context, new_visitor);
        }
        messages::bare_blobs(&context, new_visitor);
        let found = blobs::visit(&context, new_visitor);
        places::visit(&context, &refs, found, new_visitor);
        Ok(())
    }
}

/// What every stage needs.
struct Context<'c> {
    history: &'c History<'c>,
    packs: &'c Packs,
    commits: &'c Commits,
    changes: &'c Changes,
}

impl<'c> Context<'c> {
    fn reader(&self) -> Reader<'c> {
        Reader::new(self.packs, self.history.repository.objects())
    }

    /// Shares `items` out to workers, each with a visitor and a reader of its own.
    fn share<'s>(
        &self,
        items: usize,
        new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync),
        work: &(dyn Fn(usize, &mut Reader<'c>, &mut (dyn Visitor + 's)) + Sync),
    ) {
        let next = AtomicUsize::new(0);
        let run = || {
            let mut visitor = new_visitor();
            let mut reader = self.reader();
            while !visitor.stop() {
                let item = next.fetch_add(1, Ordering::Relaxed);
                if item >= items {
                    return;
                }
                work(item, &mut reader, &mut *visitor);
            }
        };
        let workers = self.history.limits.workers().min(items);
        if workers <= 1 {
            return if items > 0 {
                run()
            };
        }
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(run);
            }
        });
    }
}

/// What is told before any content: what could not be read on the way.
#[derive(Default)]
struct Notes {
    told: HashSet<BString>,
    unread: Vec<Unread>,
    skipped: Vec<Skipped>,
}

impl Notes {
    /// Each thing is told once, however many commits need it.
    fn unread(&mut self, what: impl Into<BString>, why: &str) {
        let what = what.into();
        if self.told.insert(what.clone()) {
            self.unread.push(Unread { what, why: why.to_owned() });
        }
    }

    fn skipped(&mut self, what: BString, why: &'static str) {
        self.skipped.push(Skipped { what, why });
    }

    fn tell(self, visitor: &mut dyn Visitor) {
        self.unread.into_iter().for_each(|unread| visitor.unread(unread));
        self.skipped.into_iter().for_each(|skipped| visitor.skipped(skipped));
    }
}

/// A lock whose holder cannot have left things half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
