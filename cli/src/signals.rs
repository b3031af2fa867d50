//! Signals while something must be cleaned up or passed on: private folders, a child, a terminal without echo.
//!
//! Nothing is watched until one of these exists; till then signals do what they always do.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::Termios;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// What a signal that comes while a child runs means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// An editor: with it goes the text, at once.
    Editor,
    /// The user's command: it gets the signal and decides; we end when it does.
    Command,
}

struct State {
    watching: bool,
    folders: Vec<PathBuf>,
    child: Option<(Pid, Manner)>,
    terminal: Option<(std::fs::File, Termios)>,
}

static STATE: Mutex<State> = Mutex::new(State { watching: false, folders: Vec::new(), child: None, terminal: None });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has `folder` removed when a signal ends us.
pub(crate) fn remove_at_end(folder: &Path) {
    let mut state = state();
    watch(&mut state);
    state.folders.push(folder.to_owned());
}

/// Takes `folder` off that list.
pub(crate) fn forget(folder: &Path) {
    state().folders.retain(|other| other != folder);
}

/// Runs `ask`, which switches the terminal's echo off; a signal meanwhile switches it on again.
pub(crate) fn with_terminal<T>(ask: impl FnOnce() -> T) -> T {
    let saved = std::fs::File::open("/dev/tty").ok().and_then(|tty| {
        let modes = rustix::termios::tcgetattr(&tty).ok()?;
        Some((tty, modes))
    });
    let mut locked = state();
    watch(&mut locked);
    locked.terminal = saved;
    drop(locked);
    let answer = ask();
    state().terminal = None;
    answer
}

/// Starts `command` by `spawn` and waits for its end.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn run(
    command: &mut Command,
    manner: Manner,
    spawn: impl FnOnce(&mut Command) -> io::Result<Child>,
) -> io::Result<ExitStatus> {
    let mut locked = state();
    watch(&mut locked);
    // Under the lock: a signal is handled before the child exists or when it is known.
    let mut child = spawn(command)?;
    locked.child = Pid::from_raw(child.id().cast_signed()).map(|pid| (pid, manner));
    drop(locked);
    let status = child.wait();
    state().child = None;
    status
}

/// Starts the thread that handles signals. Those that we were told to ignore (nohup, background jobs) stay so.
fn watch(state: &mut State) {
    if std::mem::replace(&mut state.watching, true) {
        return;
    }
    let ignored = ignored();
    let wanted = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0);
    // Without the thread signals end us as ever; what is left behind is swept at the next start.
    let Ok(mut signals) = signal_hook::iterator::Signals::new(wanted) else { return };
    std::thread::spawn(move || signals.forever().for_each(handle));
}

/// The mask of ignored signals, where the kernel tells.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn handle(signal: i32) {
    let state = state();
    let send = |pid| Signal::from_named_raw(signal).map(|signal| kill_process(pid, signal));
    match state.child {
        // The terminal sends these to the child as well, and they are its business.
        Some(_) if matches!(signal, SIGINT | SIGQUIT) => return,
        Some((pid, Manner::Command)) => {
            send(pid);
            return;
        }
        Some((pid, Manner::Editor)) => {
            remove(&state.folders);
            send(pid);
            // It may have been writing just then.
            std::thread::sleep(Duration::from_millis(50));
        }
        None => {}
    }
    remove(&state.folders);
    if let Some((tty, modes)) = &state.terminal {
        let _ = rustix::termios::tcsetattr(tty, rustix::termios::OptionalActions::Now, modes);
    }
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

fn remove(folders: &[PathBuf]) {
    for folder in folders {
        let _ = std::fs::remove_dir_all(folder);
    }
}
