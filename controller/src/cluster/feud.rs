//! When somebody changes a Secret back as often as it is put right: less and less is done about it, and it is told.

use std::time::{Duration, Instant};

use super::retry;

/// So many times in a row are put right at once: people and tools that try something out are not meant.
const PATIENCE: u32 = 10;
/// A change that comes later than this after a pause is not one of the row.
const ROW: Duration = Duration::from_secs(60);

/// A row of changes to the Secrets of a resource that itself stayed as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Feud {
    times: u32,
    /// Until when nothing is done about the next one.
    until: Instant,
}

impl Feud {
    /// What one more change makes of it, at `now`.
    pub(crate) fn after(before: Option<Self>, now: Instant) -> Self {
        let times = before.filter(|before| now < before.until + ROW).map_or(0, |before| before.times).saturating_add(1);
        let pause = if times > PATIENCE { retry::after_failure(times - PATIENCE) } else { Duration::ZERO };
        Self { times, until: now + pause }
    }

    /// Whether it is worth telling.
    pub(crate) fn is_on(&self) -> bool {
        self.times > PATIENCE
    }

    /// How long the next change is left as it is, at `now`.
    pub(crate) fn pause(&self, now: Instant) -> Option<Duration> {
        self.until.checked_duration_since(now).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_changes_is_put_right_less_and_less_often() {
        let mut now = Instant::now();
        let mut feud = None;
        let mut pauses = Vec::new();
        for _ in 0..PATIENCE + 12 {
            let next = Feud::after(feud, now);
            let pause = next.pause(now).unwrap_or_default();
            assert_eq!(next.is_on(), !pause.is_zero());
            pauses.push(pause.as_secs_f64());
            now += pause + Duration::from_millis(300);
            feud = Some(next);
        }
        let (before, after) = pauses.split_at(PATIENCE as usize);
        assert!(before.iter().all(|pause| *pause == 0.0) && after[0] <= 1.2 && after[11] >= 240.0, "{pauses:?}");
        // Peace, and a single change long after.
        now += feud.unwrap().pause(now).unwrap_or_default() + ROW;
        assert!(!Feud::after(feud, now).is_on());
    }
}
