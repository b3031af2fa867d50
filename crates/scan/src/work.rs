//! Counts the work of a scan, in bytes looked at, for tests of how it grows; costs nothing outside of tests.

#[cfg(test)]
thread_local! {
    static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// So many bytes are looked at.
#[inline(always)]
pub(crate) fn count(bytes: usize) {
    #[cfg(test)]
    DONE.set(DONE.get() + bytes);
    #[cfg(not(test))]
    let _ = bytes;
}

/// What `action` counts on this thread.
#[cfg(test)]
pub(crate) fn of(action: impl FnOnce()) -> usize {
    let before = DONE.get();
    action();
    DONE.get() - before
}
