//! When to look at a resource again: the one place that turns outcomes into times.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use kube::runtime::utils::Backoff;
use sealed::Refusal;

/// First and longest wait after a failure.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// Longest wait before a list that was refused is asked for again.
const DENIED: Duration = Duration::from_secs(30);
/// How often a resource without a key is looked at, though it is woken when a key comes.
const WITHOUT_KEY: Duration = Duration::from_secs(600);
/// How often a resource is looked at that nothing but a change of its own can help: a net, should an event be missed.
const NET: Duration = Duration::from_secs(3600);

/// After all went well: at its interval, give or take a tenth, so that thousands do not come at once.
pub(crate) fn in_time(interval_seconds: u64) -> Duration {
    jitter(Duration::from_secs(interval_seconds), 0.1)
}

/// After the `attempt`th failure in a row (from 1) that may pass by itself.
pub(crate) fn after_failure(attempt: u32) -> Duration {
    let factor = 2_u32.saturating_pow(attempt.saturating_sub(1).min(16));
    jitter(FIRST.saturating_mul(factor).min(LONGEST), 0.2)
}

/// After the `attempt`th time in a row that opening took too long: most likely it will again, at the expense of others.
pub(crate) fn after_timeout(attempt: u32) -> Duration {
    after_failure(attempt.saturating_add(10))
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(4)))
        .min(NET)
}

/// After a failure about something that is so many seconds old: twice as long each time, with nothing to remember.
pub(crate) fn after_age(seconds: i64) -> Duration {
    jitter(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).clamp(FIRST, LONGEST), 0.2)
}

/// Between two tries to list what we may not.
pub(crate) fn after_denial(attempt: u32) -> Duration {
    after_failure(attempt.saturating_add(3)).min(DENIED)
}

/// Before another try in a namespace where looks take long.
pub(crate) fn held_up() -> Duration {
    jitter(FIRST, 0.5)
}

/// After a change by somebody else in between: at once, but not in a tight loop.
pub(crate) fn at_once() -> Duration {
    jitter(Duration::from_millis(50), 0.5)
}

/// After a refusal. `until`: seconds from now until a suspended resource goes on by itself.
pub(crate) fn after_refusal(refusal: &Refusal, attempt: u32, until: Option<u64>) -> Duration {
    match until {
        Some(seconds) => Duration::from_secs(seconds.max(1)).min(NET),
        None if refusal.reason.waits_for_key() => jitter(WITHOUT_KEY, 0.1),
        None if refusal.reason.waits_for_secret() => after_failure(attempt),
        None => jitter(NET, 0.1),
    }
}

/// The pauses of a watch: they grow from failure to failure, up to half a minute.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    failures: u32,
    /// When the last pause ends.
    until: Option<Instant>,
    /// Good news since.
    news: u32,
}

/// A watch that is refused says before each try that it begins: that alone, and at once, is no good news.
const BEGINNING: Duration = Duration::from_secs(5);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        self.news = 0;
        let pause = after_failure(self.failures).min(DENIED);
        self.until = Some(Instant::now() + pause);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.news = self.news.saturating_add(1);
        let late = self.until.is_none_or(|until| Instant::now() > until + BEGINNING);
        if self.news > 1 || late {
            self.failures = 0;
        }
    }
}

/// `around` give or take the share `by`. Nothing secret hangs on it.
fn jitter(around: Duration, by: f64) -> Duration {
    let random = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
    around.mul_f64(1.0 + by * (2.0 * random - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        for (attempt, expected) in [(1, 1.0), (2, 2.0), (5, 16.0), (9, 256.0), (10, 300.0), (4_000_000, 300.0)] {
            let wait = after_failure(attempt).as_secs_f64();
            assert!((0.8 * expected..=1.2 * expected).contains(&wait), "attempt {attempt}: {wait}");
        }
    }

    #[test]
    fn what_took_too_long_waits_for_minutes() {
        for (attempt, expected) in [(1, 300.0), (2, 600.0), (3, 1200.0), (4, 2400.0)] {
            let wait = after_timeout(attempt).as_secs_f64();
            assert!((0.8 * expected..=1.2 * expected).contains(&wait), "attempt {attempt}: {wait}");
        }
        assert_eq!(after_timeout(u32::MAX), NET);
    }

    #[test]
    fn what_is_old_waits_longer() {
        for (age, expected) in [(-5, 1.0), (0, 1.0), (40, 40.0), (i64::MAX, 300.0)] {
            let wait = after_age(age).as_secs_f64();
            assert!((0.8 * expected..=1.2 * expected).contains(&wait), "{age} s: {wait}");
        }
    }

    #[test]
    fn a_watch_that_only_begins_waits_longer_and_longer() {
        let mut pauses = Pauses::default();
        let mut of = |news: u32| {
            (0..news).for_each(|_| pauses.reset());
            pauses.next().unwrap().as_secs_f64()
        };
        for expected in [1.0, 2.0, 4.0, 8.0, 16.0] {
            let pause = of(1);
            assert!((0.8 * expected..=1.2 * expected).contains(&pause), "{pause} for {expected}");
        }
        assert!((24.0..=30.0).contains(&of(1)) && (24.0..=30.0).contains(&of(1)));
        assert!(of(2) <= 1.2, "it began and read something");
    }

    #[test]
    fn each_refusal_waits_for_what_can_help() {
        let wait = |reason, until| after_refusal(&Refusal::new(reason, ""), 1, until).as_secs();
        assert!((500..=700).contains(&wait(sealed::Reason::KeyNotFound, None)));
        assert!(wait(sealed::Reason::OwnershipConflict, None) <= 2);
        assert!(wait(sealed::Reason::MacMismatch, None) > 3000);
        assert_eq!(wait(sealed::Reason::Suspended, Some(90)), 90);
        assert_eq!(wait(sealed::Reason::Suspended, Some(1 << 40)), 3600);
    }
}
