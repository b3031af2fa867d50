//! Computation beside everything else: on a thread of its own, within a limit, and with an end that harms nobody.

use std::time::Duration;

use super::fault::Fault;

/// The reason of what takes too long.
pub(super) const TIMED_OUT: &str = "TimedOut";

/// What `open` gives. It runs on a thread for computation, so that one that takes long holds up nobody else.
///
/// # Errors
/// `TimedOut` after `limit`, and `Internal` when it panics, which nothing is known to make it do.
pub(super) async fn within<T: Send + 'static>(
    limit: Duration,
    open: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, tokio::task::spawn_blocking(open)).await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(_)) => Err(Fault::new("Internal", "opening the resource failed within the controller")),
        Err(_) => Err(Fault::new(TIMED_OUT, format!("opening takes more than {} s", limit.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended<T: Send + 'static>(limit: Duration, open: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let ended = runtime.block_on(within(limit, open));
        // A thread that is still busy is left to itself.
        runtime.shutdown_background();
        ended
    }

    #[test]
    fn what_takes_too_long_or_breaks_is_a_reason() {
        assert_eq!(ended(Duration::from_secs(60), || 7), Ok(7));
        let busy = ended(Duration::from_secs(1), || std::thread::sleep(Duration::from_secs(3))).unwrap_err();
        assert_eq!((busy.reason, busy.message.as_str()), ("TimedOut", "opening takes more than 1 s"));
        let broken = ended(Duration::from_secs(60), || assert!(std::env::args().count() > 1000, "canary")).unwrap_err();
        assert_eq!(broken.reason, "Internal");
        assert!(!broken.message.contains("canary"), "nothing of what it held is told");
    }
}
