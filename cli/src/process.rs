//! What the process promises about itself: no core dump, no terminal left without echo.

use std::sync::Arc;

/// Switches core dumps off: a crash must not leave secrets on disk. Has a write beyond the file size limit fail.
pub(crate) fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Best effort: a sandbox may forbid it.
    let _ = setrlimit(Resource::Core, none);
    // A file size limit is to fail the write, so that what was begun is removed, instead of ending us in its middle.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
