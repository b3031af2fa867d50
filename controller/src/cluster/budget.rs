//! How much may be in memory at a time of what is being opened and written. Templates make much of little, and sixteen
//! places times the largest resource is more than a pod has; ordinary resources never meet this limit.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For all looks together, in KiB.
const TOTAL: u32 = 96 << 10;
/// For all texts that are held between two looks, in bytes.
const HELD: usize = 16 << 20;
/// A look that needs less passes, in KiB.
const SMALL: u32 = 256;
/// How often the text of a resource is held while it is opened: as a tree, sorted, decrypted.
const COPIES: usize = 5;
/// How often the largest Secret is held while it is read and written: as text, coded, and in buffers of the connection.
const BUFFERS: usize = 8;
/// What a part of an object takes as a tree, beside its text, in bytes.
const PART: usize = 256;
/// Largest sum of the values of one resource, and of one Secret, in bytes.
const RESOURCE: usize = sealed::RESOURCE_LIMIT;
const SECRET: usize = sealed::SECRET_LIMIT;

/// What all looks share.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    left: Arc<Semaphore>,
    held: Arc<Semaphore>,
}

/// A part of it; given back when the last holder drops it.
pub(crate) type Share = Arc<Option<OwnedSemaphorePermit>>;

impl Budget {
    pub(crate) fn new() -> Self {
        Self { left: Arc::new(Semaphore::new(TOTAL as usize)), held: Arc::new(Semaphore::new(HELD)) }
    }

    /// Room for a text of so many bytes that is held between two looks. `None`: there is none, and it is read again.
    pub(crate) fn hold(&self, bytes: usize) -> Option<Share> {
        let bytes = u32::try_from(bytes).ok()?;
        self.held.clone().try_acquire_many_owned(bytes).ok().map(|room| Arc::new(Some(room)))
    }

    /// The part that a resource of this [`weight`] may need, reading it included. `None`: others have it now; come back
    /// later, for whoever waited here would hold up those that need little.
    pub(crate) fn take(&self, weight: u32) -> Option<Share> {
        match weight {
            small if small < SMALL => Some(Arc::new(None)),
            weight => self.left.clone().try_acquire_many_owned(weight.min(TOTAL)).ok().map(|part| Arc::new(Some(part))),
        }
    }
}

/// The most that looking at a resource takes, in KiB: each place where a template names a value may be as long as all.
pub(crate) fn weight(text: &str) -> u32 {
    let parts = text.bytes().filter(|byte| *byte == b',').count();
    let places = text.matches("${").count() + text.matches("{{").count();
    let values = text.len().saturating_mul(places + 1).min(RESOURCE.max(text.len()));
    let bytes = COPIES * text.len() + PART * parts + values + BUFFERS * values.min(SECRET);
    u32::try_from(bytes >> 10).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_resources_pass_whatever_large_ones_have_taken() {
        let budget = Budget::new();
        let (bomb, ordinary) = ("${k}".repeat(90_000), format!("{}${{k}}", "x".repeat(8_000)));
        let mut taken: Vec<Share> = std::iter::from_fn(|| budget.take(weight(&bomb))).collect();
        assert!((4..=8).contains(&taken.len()), "{} at a time", taken.len());
        assert!((0..100).all(|_| budget.take(weight(&ordinary)).is_some()));
        // One ends, and whoever still works with it on another thread is counted, too.
        let last = taken.pop().unwrap();
        let thread = last.clone();
        drop(last);
        assert!(budget.take(weight(&bomb)).is_none());
        drop(thread);
        assert!(budget.take(weight(&bomb)).is_some());
    }

    #[test]
    fn the_largest_object_that_a_cluster_stores_has_its_turn() {
        let budget = Budget::new();
        assert!(budget.take(weight(&"${k}".repeat(400_000))).is_some());
        assert!(weight(&"x".repeat(1_500_000)) < TOTAL / 4);
    }
}
