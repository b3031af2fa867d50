//! A server in the background that cannot outlive the tests.
//!
//! A small shell stands beside it and waits for the end of its own standard input, whose other end this process
//! holds: when the test process ends, however it ends, the pipe closes and the shell kills the server. Ctrl-C does not
//! reach the shell, which leads a process group of its own.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Standard error is the log; standard output says the process id, and then ends.
const WATCH: &str = r#""$@" </dev/null >&2 & echo $!; exec >/dev/null; cat; kill -KILL $! 2>&-; wait"#;
/// A moment later, so that no program writes into the folder any more.
const SWEEP: &str = r#"cat; sleep 1; rm -rf -- "$1""#;

/// A running program with its output in a file. Killed when dropped, and when this process ends.
#[derive(Debug)]
pub struct Daemon {
    watch: Watch,
    id: u32,
    log: PathBuf,
}

/// A shell that does something when the pipe to it closes.
#[derive(Debug)]
struct Watch {
    shell: Child,
    pipe: Option<ChildStdin>,
}

/// Removes a folder when dropped, and when this process ends.
#[derive(Debug)]
pub struct Sweep(#[expect(dead_code, reason = "its drop is what counts")] Watch);

impl Daemon {
    /// Starts a program that sees `variables`, PATH and HOME only; what it says is added to the file `log`.
    pub fn start<A: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
        variables: &[(&str, &str)],
        home: &Path,
        log: &Path,
    ) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(log).expect("the log folder is writable");
        let mut command = Command::new("sh");
        command.args(["-c", WATCH, "watch"]).arg(program).args(args).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(file);
        let mut watch = Watch::start(&mut command);
        let mut line = String::new();
        let said = watch.shell.stdout.take().expect("standard output is piped");
        BufReader::new(said).read_line(&mut line).expect("the shell says the process id");
        let id = line.trim().parse().expect("a process id is a number");
        Self { watch, id, log: log.to_path_buf() }
    }

    /// The process id of the program.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Everything it said so far.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Does it still run? A stopped one does.
    pub fn is_running(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id)).unwrap_or_default();
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        !matches!(state, None | Some('Z' | 'X'))
    }

    /// Sends a signal, such as `TERM`, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let _ = Command::new("kill").arg(format!("-{name}")).arg(self.id.to_string()).stderr(Stdio::null()).status();
    }

    /// Waits until it has ended; false if it still runs after `limit`.
    pub fn wait(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_running() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        !self.is_running()
    }

    /// Largest resident memory so far in bytes; `None` when it has ended.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().split(' ').next()?.parse::<u64>().ok().map(|kib| kib << 10)
    }

    /// User and system time so far; `None` when it has ended.
    pub fn cpu_time(&self) -> Option<Duration> {
        // Fields 14 and 15 of proc(5), in the ticks of 10 ms that Linux shows to every program.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id)).ok()?;
        let fields = stat.rsplit(") ").next()?.split(' ').skip(11).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.signal("KILL");
        self.watch.end();
    }
}

impl Sweep {
    /// Will remove `folder`.
    pub fn new(folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SWEEP, "sweep"]).arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
        Self(Watch::start(&mut command))
    }
}

impl Watch {
    fn start(command: &mut Command) -> Self {
        let mut shell = command.stdin(Stdio::piped()).process_group(0).spawn().expect("sh starts");
        let pipe = shell.stdin.take();
        Self { shell, pipe }
    }

    fn end(&mut self) {
        drop(self.pipe.take());
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scratch;

    fn sleeper(scratch: &Scratch) -> Daemon {
        let script = "echo started; exec sleep 60";
        Daemon::start(Path::new("sh"), ["-c", script], &[], &scratch.home(), &scratch.path("log"))
    }

    fn runs(id: u32) -> bool {
        Path::new(&format!("/proc/{id}")).exists()
    }

    #[test]
    fn a_dropped_daemon_is_gone() {
        let scratch = Scratch::new("daemon-drop");
        let daemon = sleeper(&scratch);
        let id = daemon.id();
        assert!(daemon.is_running() && runs(id));
        drop(daemon);
        assert!(!runs(id));
    }

    #[test]
    fn the_watch_ends_a_frozen_program_when_nobody_holds_the_pipe() {
        let scratch = Scratch::new("daemon-watch");
        let mut daemon = sleeper(&scratch);
        daemon.signal("STOP");
        assert!(daemon.is_running());
        drop(daemon.watch.pipe.take());
        assert!(daemon.wait(Duration::from_secs(10)), "what is left when a test process dies");
    }

    #[test]
    fn its_words_and_its_end_are_seen() {
        let scratch = Scratch::new("daemon-end");
        let log = scratch.path("log");
        let daemon = Daemon::start(
            Path::new("sh"),
            ["-c", "echo $A; echo two >&2"],
            &[("A", "one")],
            scratch.work().as_path(),
            &log,
        );
        assert!(daemon.wait(Duration::from_secs(10)));
        assert_eq!(daemon.said(), "one\ntwo\n");
    }
}
