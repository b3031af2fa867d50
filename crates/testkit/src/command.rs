//! Runs a program in a scratch world: no variable of the caller but PATH, a time limit, everything it said kept.

use crate::scratch::Scratch;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A command line about to be run.
#[derive(Debug)]
pub struct Run {
    command: Command,
    stdin: Vec<u8>,
    limit: Duration,
}

/// What a finished command left behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Was it stopped at the time limit?
    pub timed_out: bool,
    /// All it wrote on standard output.
    pub stdout: Vec<u8>,
    /// All it wrote on standard error.
    pub stderr: Vec<u8>,
}

impl Run {
    /// A command that runs in the scratch's working folder.
    pub fn new(program: impl AsRef<OsStr>, scratch: &Scratch) -> Self {
        let mut command = Command::new(program);
        command.env_clear().current_dir(scratch.work()).process_group(0);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin")));
        command.env("HOME", scratch.home()).env("TMPDIR", scratch.tmp()).env("XDG_RUNTIME_DIR", scratch.runtime());
        command.env("XDG_CONFIG_HOME", scratch.home().join(".config"));
        command.env("XDG_CACHE_HOME", scratch.home().join(".cache"));
        command.env("LANG", "C.UTF-8").env("SOPS_DISABLE_VERSION_CHECK", "1").env("GIT_CONFIG_NOSYSTEM", "1");
        Self { command, stdin: Vec::new(), limit: Duration::from_secs(60) }
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds one argument.
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in another folder.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.command.current_dir(folder.into());
        self
    }

    /// Gives these bytes on standard input; without them it is empty.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Stops the command and all its children after this time (60 s if not said).
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to the end.
    pub fn run(mut self) -> Outcome {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = match self.command.spawn() {
            Ok(child) => child,
            Err(error) => return Outcome::not_started(&error.to_string()),
        };
        let mut input = child.stdin.take().expect("standard input is piped");
        let bytes = std::mem::take(&mut self.stdin);
        std::thread::spawn(move || input.write_all(&bytes));
        let of_plomb = self.of_plomb();
        let stdout = drain(child.stdout.take().expect("standard output is piped"));
        let stderr = drain(child.stderr.take().expect("standard error is piped"));
        let (status, timed_out) = wait(&mut child, started + self.limit);
        let grace = Duration::from_secs(5);
        let outcome = Outcome {
            code: status.code(),
            signal: status.signal(),
            timed_out,
            stdout: stdout.recv_timeout(grace).unwrap_or_default(),
            stderr: stderr.recv_timeout(grace).unwrap_or_default(),
        };
        if let Some(args) = of_plomb {
            crate::canary::check_run(&args, &outcome.stdout, &outcome.stderr);
        }
        outcome
    }

    /// The arguments, if it is our own program that runs.
    fn of_plomb(&self) -> Option<Vec<String>> {
        let name = std::path::Path::new(self.command.get_program()).file_name();
        let args = self.command.get_args().map(|word| word.to_string_lossy().into_owned());
        name.is_some_and(|name| name == "plomb").then(|| args.collect())
    }
}

impl Outcome {
    /// Did it end by itself with exit code 0?
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output as text, for messages and comparisons.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text, for messages and comparisons.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The last line of standard output that is not blank.
    pub fn last_line(&self) -> String {
        self.text().lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    }

    fn not_started(why: &str) -> Self {
        let stderr = format!("not started: {why}").into_bytes();
        Self { code: Some(127), signal: None, timed_out: false, stdout: Vec::new(), stderr }
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        sender.send(bytes)
    });
    receiver
}

/// Waits until the deadline, then stops the whole process group. Polls, because a blocking wait cannot be ended.
fn wait(child: &mut Child, deadline: Instant) -> (ExitStatus, bool) {
    let mut pause = Duration::from_micros(500);
    let mut timed_out = false;
    loop {
        match child.try_wait().expect("the child is ours") {
            Some(status) => return (status, timed_out),
            None if Instant::now() > deadline && !timed_out => {
                timed_out = true;
                let group = format!("-{}", child.id());
                let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
                let _ = child.kill();
            }
            None => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_variables_are_not_seen() {
        let scratch = Scratch::new("env");
        let outcome = scratch.command("env").run();
        assert!(outcome.ok());
        assert!(!outcome.text().contains("CARGO"), "{}", outcome.text());
    }

    #[test]
    fn input_output_and_code_are_kept() {
        let scratch = Scratch::new("cat");
        let outcome = scratch.command("sh").args(["-c", "cat; echo no >&2; exit 7"]).stdin("yes").run();
        assert_eq!((outcome.code, outcome.text().as_str(), outcome.errors().as_str()), (Some(7), "yes", "no\n"));
    }

    #[test]
    fn a_hang_is_ended() {
        let scratch = Scratch::new("hang");
        let outcome = scratch.command("sh").args(["-c", "sleep 30 & wait"]).limit(Duration::from_millis(100)).run();
        assert!(outcome.timed_out);
        assert_eq!(outcome.signal, Some(9));
    }
}
