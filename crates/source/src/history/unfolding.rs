//! How far trees are unfolded that hold the same tree over and over: a few kilobytes of objects can stand for more paths
//! than anybody could look at.

use std::collections::HashMap;

use gix::ObjectId;

/// Bytes of trees that may be looked at once more than needed, in all.
const SPARE: usize = 8 << 20;
/// And for each byte of a tree that is looked at for the first time.
const TIMES: usize = 4;
/// A map of more trees is not kept for the next commit.
const KEPT: usize = 1024;

/// What was unfolded so far, and whether to go on.
#[derive(Default)]
pub(super) struct Unfolding<'s> {
    /// Trees of the comparison at hand and their bytes.
    seen: HashMap<ObjectId, usize>,
    first: usize,
    again: usize,
    /// Says that there is no time left.
    stop: Option<&'s mut dyn FnMut() -> bool>,
    stopped: bool,
}

impl<'s> Unfolding<'s> {
    /// Until somebody says stop.
    pub(super) fn until(stop: &'s mut dyn FnMut() -> bool) -> Self {
        Self { stop: Some(stop), ..Self::default() }
    }

    /// Other trees are compared: each may be looked at.
    pub(super) fn begin(&mut self) {
        match self.seen.capacity() > KEPT {
            true => self.seen = HashMap::new(),
            false => self.seen.clear(),
        }
    }

    /// Whether a tree may be looked at once more, if it was before; asked before it is read.
    pub(super) fn may_enter(&mut self, tree: Option<ObjectId>) -> bool {
        let Some(bytes) = tree.and_then(|tree| self.seen.get(&tree)) else { return true };
        self.again = self.again.saturating_add(*bytes);
        self.again <= SPARE.saturating_add(self.first.saturating_mul(TIMES))
    }

    /// A tree was read.
    pub(super) fn entered(&mut self, tree: Option<ObjectId>, bytes: usize) {
        if let Some(tree) = tree
            && self.seen.insert(tree, bytes).is_none()
        {
            self.first = self.first.saturating_add(bytes);
        }
    }

    /// Whether there is no time left.
    pub(super) fn is_over(&mut self) -> bool {
        if !self.stopped {
            self.stopped = self.stop.as_mut().is_some_and(|stop| stop());
        }
        self.stopped
    }
}
