//! What the process promises about itself: no core dump, no terminal left without echo.

/// Switches core dumps off: a crash must not leave secrets on disk.
pub(crate) fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    // Best effort: a sandbox may forbid it.
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
