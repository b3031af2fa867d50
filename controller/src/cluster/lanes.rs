//! Who may work now. Looks of one namespace never take every place: where each write waits for something (an admission
//! webhook that hangs, a throttled tenant), those of other namespaces pass by.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// A look that takes longer holds up its namespace.
const LONG: Duration = Duration::from_secs(3);
/// How long to wait for a place before somebody else may ask.
const PATIENCE: Duration = Duration::from_secs(1);

/// The places for looks that do more than compare.
#[derive(Clone)]
pub(crate) struct Lanes {
    slots: Arc<Semaphore>,
    /// All places, and how many of them one namespace may have.
    places: u16,
    width: usize,
    busy: Arc<Mutex<HashMap<String, Lane>>>,
}

/// One namespace.
struct Lane {
    free: Arc<Semaphore>,
    /// When each of those who work began; `u64` tells them apart.
    began: HashMap<u64, Instant>,
    next: u64,
    /// Who works or waits for it.
    users: usize,
}

/// The right to work; it ends when this is dropped.
pub(crate) struct Pass {
    user: User,
    _free: tokio::sync::OwnedSemaphorePermit,
    _slot: tokio::sync::OwnedSemaphorePermit,
    number: u64,
}

/// Keeps a lane there while somebody works in it or waits for it.
struct User {
    lanes: Lanes,
    namespace: String,
}

impl Lanes {
    /// So many places, of which one namespace may have three quarters.
    pub(crate) fn new(places: u16) -> Self {
        let width = usize::from(places - places / 4).max(1);
        Self { slots: Arc::new(Semaphore::new(places.into())), places, width, busy: Arc::default() }
    }

    /// How many looks may be begun at a time: those that work, and some that find out that they may not.
    pub(crate) fn waiting(&self) -> u16 {
        self.places.saturating_add(self.places / 2).saturating_add(1)
    }

    /// Whether every place is taken.
    pub(crate) fn is_full(&self) -> bool {
        self.slots.available_permits() == 0
    }

    /// Waits for a place in this namespace. `None` if those who work there take long: come back later.
    pub(crate) async fn enter(&self, namespace: &str) -> Option<Pass> {
        let user = self.user(namespace);
        let free = self.locked().get(namespace)?.free.clone();
        let free = match free.clone().try_acquire_owned() {
            Ok(free) => free,
            Err(_) if self.is_held_up(namespace) => return None,
            Err(_) => tokio::time::timeout(PATIENCE, free.acquire_owned()).await.ok()?.ok()?,
        };
        let slot = self.slots.clone().acquire_owned().await.ok()?;
        let mut busy = self.locked();
        let lane = busy.get_mut(namespace)?;
        lane.next += 1;
        let number = lane.next;
        lane.began.insert(number, Instant::now());
        drop(busy);
        Some(Pass { user, _free: free, _slot: slot, number })
    }

    fn user(&self, namespace: &str) -> User {
        let mut busy = self.locked();
        let lane = busy.entry(namespace.to_owned()).or_insert_with(|| Lane {
            free: Arc::new(Semaphore::new(self.width)),
            began: HashMap::new(),
            next: 0,
            users: 0,
        });
        lane.users += 1;
        User { lanes: self.clone(), namespace: namespace.to_owned() }
    }

    fn is_held_up(&self, namespace: &str) -> bool {
        let busy = self.locked();
        busy.get(namespace).is_some_and(|lane| lane.began.values().any(|began| began.elapsed() >= LONG))
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(lane) = self.user.lanes.locked().get_mut(&self.user.namespace) {
            lane.began.remove(&self.number);
        }
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let mut busy = self.lanes.locked();
        let Some(lane) = busy.get_mut(&self.namespace) else { return };
        lane.users -= 1;
        if lane.users == 0 {
            busy.remove(&self.namespace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_take_long_leave_room_for_others() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let lanes = Lanes::new(4);
            let mut slow = Vec::new();
            for _ in 0..3 {
                slow.push(lanes.enter("slow").await.unwrap());
            }
            let started = Instant::now();
            assert!(lanes.enter("slow").await.is_none() && started.elapsed() >= PATIENCE, "it waits for a while");
            tokio::time::sleep(LONG).await;
            let started = Instant::now();
            assert!(lanes.enter("slow").await.is_none() && started.elapsed() < PATIENCE, "and then it knows better");
            let good = lanes.enter("good").await.unwrap();
            assert!(lanes.is_full());
            drop(good);
            // One of them ends: the next goes on.
            slow.pop();
            assert!(lanes.enter("slow").await.is_some());
            drop(slow);
            assert!(!lanes.is_full() && lanes.locked().is_empty(), "nothing is kept of a namespace that rests");
        });
    }

    #[test]
    fn a_single_place_is_a_place() {
        assert_eq!((Lanes::new(1).width, Lanes::new(16).width, Lanes::new(256).width), (1, 12, 192));
    }
}
