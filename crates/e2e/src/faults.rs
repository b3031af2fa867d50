//! A fault at every system call of a command that writes: the process is killed, or the call fails. Whatever happens,
//! the file must be the old one or a complete new one, and no plaintext may lie about.

use crate::subject::{Subject, key_file};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::{Canary, Outcome, Run, Scratch};

/// Calls that can change a folder. A question mark lets strace pass over names that this machine's kernel lacks.
const CALLS: &str = "?open,openat,?creat,write,pwrite64,?writev,?copy_file_range,?sendfile,ftruncate,fsync,fdatasync,\
    ?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat,?mkdir,?mkdirat,?chmod,fchmod,?fchmodat,?fchown,?flock";

/// No command needs more calls than this; a larger number would mean an endless loop.
const MOST_CALLS: usize = 2000;

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process is killed before the call.
    Kill,
    /// The call fails for lack of space.
    NoSpace,
    /// The call fails with an input/output error.
    Broken,
}

impl Fault {
    fn injection(self) -> &'static str {
        match self {
            Self::Kill => "signal=KILL",
            Self::NoSpace => "error=ENOSPC",
            Self::Broken => "error=EIO",
        }
    }
}

/// The programs that the matrix needs.
#[derive(Clone, Debug)]
pub struct Tools {
    /// Injects the faults.
    pub strace: PathBuf,
    /// Says whether a file is complete.
    pub sops: PathBuf,
}

/// A command that changes `FILE`, and how to tell.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the command is called in messages and folder names.
    pub name: &'static str,
    /// The arguments, as given to the program under test.
    pub args: Vec<String>,
    /// Standard input.
    pub stdin: &'static str,
    /// Text of an editor script; it may hold canaries.
    pub editor: &'static str,
    /// The file before the command.
    pub before: Vec<u8>,
    /// `.sops.yaml` of the folder.
    pub config: String,
    /// Strings that may be seen in the file's old and new state only.
    pub canaries: Vec<&'static str>,
    /// A variable for the program under test.
    pub variable: (&'static str, String),
}

/// The file that every case changes.
pub const FILE: &str = "app.secret.yaml";

/// Breaks the command at every call in turn; gives the number of calls and every broken promise.
pub fn matrix(program: &Path, tools: &Tools, case: &Case) -> (usize, Vec<String>) {
    let mut problems = Vec::new();
    let mut calls = 0;
    for name in calls_made(program, tools, case) {
        let (count, more) = at_each(program, tools, case, &name);
        problems.extend(more);
        calls += count;
    }
    (calls, problems)
}

/// The names of the system calls that an undisturbed run makes.
fn calls_made(program: &Path, tools: &Tools, case: &Case) -> BTreeSet<String> {
    let world = World::new(program, case);
    let outcome = world.traced(tools, case, &[]);
    assert!(outcome.ok(), "{} does not even work undisturbed: {}", case.name, outcome.errors());
    let log = std::fs::read_to_string(world.log()).expect("strace wrote its log");
    let name = |line: &str| Some(line.split('(').next()?.rsplit(' ').next()?.to_owned());
    let names: BTreeSet<String> = log.lines().filter(|line| line.contains('(')).filter_map(name).collect();
    names.into_iter().filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())).collect()
}

/// Breaks the first, second, third … call of this name, until a run does not get that far.
fn at_each(program: &Path, tools: &Tools, case: &Case, name: &str) -> (usize, Vec<String>) {
    let mut problems = Vec::new();
    for number in 1..=MOST_CALLS {
        let mut reached = false;
        for fault in [Fault::Kill, Fault::NoSpace, Fault::Broken] {
            let world = World::new(program, case);
            let point = Point { fault, name, number };
            let inject = format!("inject={name}:{}:when={number}", fault.injection());
            let outcome = world.traced(tools, case, &["-e", &inject]);
            reached |= outcome.signal.is_some() || world.log_tells_of_a_fault();
            problems.extend(world.judge(tools, case, &outcome, point));
            if fault == Fault::Kill && !outcome.ok() {
                problems.extend(world.goes_on(case, point));
            }
        }
        if !reached {
            return (number - 1, problems);
        }
    }
    (MOST_CALLS, problems)
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
struct Point<'n> {
    fault: Fault,
    name: &'n str,
    number: usize,
}

impl std::fmt::Display for Point<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?} at {} {}", self.fault, self.name, self.number)
    }
}

struct World {
    subject: Subject,
    program: PathBuf,
    editor: PathBuf,
}

impl World {
    fn new(program: &Path, case: &Case) -> Self {
        let subject = Subject::new(case.name, program);
        subject.scratch.write(FILE, &case.before);
        subject.scratch.write(".sops.yaml", &case.config);
        let editor = subject.scratch.script("editor", case.editor);
        Self { subject, program: program.to_path_buf(), editor }
    }

    fn scratch(&self) -> &Scratch {
        &self.subject.scratch
    }

    fn prepared(&self, run: Run, case: &Case) -> Run {
        let (name, value) = &case.variable;
        run.env("EDITOR", &self.editor).env(name, value).stdin(case.stdin).limit(Duration::from_secs(30))
    }

    fn log(&self) -> PathBuf {
        self.scratch().root().join("strace.log")
    }

    fn traced(&self, tools: &Tools, case: &Case, inject: &[&str]) -> Outcome {
        let run = self.scratch().command(&tools.strace).args(["-f", "-qq", "-o"]).arg(self.log());
        let run =
            run.args(["-e", &format!("trace={CALLS}")]).args(inject).arg("--").arg(&self.program).args(&case.args);
        self.prepared(run.env("SOPS_AGE_KEY_FILE", key_file("k1")), case).run()
    }

    fn log_tells_of_a_fault(&self) -> bool {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.contains("(INJECTED)") || log.contains("+++ killed by SIGKILL +++")
    }

    fn judge(&self, tools: &Tools, case: &Case, outcome: &Outcome, point: Point<'_>) -> Vec<String> {
        let mut problems = Vec::new();
        let now = std::fs::read(self.scratch().path(FILE)).unwrap_or_default();
        let old = now == case.before;
        if !old && !self.is_complete(tools) {
            problems.push(format!("the file is neither old nor new, {} bytes", now.len()));
        }
        if old && outcome.ok() {
            problems.push("exit 0, and the file is still the old one".to_owned());
        }
        if outcome.timed_out {
            problems.push("still running after 30 s".to_owned());
        }
        let told = outcome.errors();
        let leaked = self.plaintext(case, point, old).into_iter().filter(|path| !self.is_kept_on_purpose(path, &told));
        problems.extend(leaked.map(|path| format!("plaintext in {}", path.display())));
        if Canary::new(&case.canaries).is_in(&outcome.stderr) {
            problems.push("plaintext in the message".to_owned());
        }
        problems.iter().map(|problem| format!("{} {point}: {problem}", case.name)).collect()
    }

    fn is_complete(&self, tools: &Tools) -> bool {
        self.subject.of(&tools.sops, &["decrypt", FILE]).run().ok()
    }

    /// What a person typed is not thrown away when it cannot be written: it stays in the private room in memory, and
    /// the message says where.
    fn is_kept_on_purpose(&self, path: &Path, told: &str) -> bool {
        path.starts_with(self.scratch().runtime()) && told.contains(&*path.to_string_lossy())
    }

    /// Files with a canary. A killed process cannot clean up its private room in memory, nor can one whose removal
    /// fails; every other one can.
    fn plaintext(&self, case: &Case, point: Point<'_>, old: bool) -> Vec<PathBuf> {
        let canary = Canary::new(&case.canaries);
        let (file, runtime) = (self.scratch().path(FILE), self.scratch().runtime());
        let mut except = Vec::new();
        if old {
            except.push(file.as_path());
        }
        if point.fault == Fault::Kill || point.name.starts_with("unlink") {
            except.push(runtime.as_path());
        }
        let rooms = [self.scratch().work(), self.scratch().home(), self.scratch().tmp(), runtime.clone()];
        rooms.iter().flat_map(|room| canary.files_with_it(room, &except)).collect()
    }

    /// After a kill the same command must work again, and sweep what the killed one left.
    fn goes_on(&self, case: &Case, point: Point<'_>) -> Vec<String> {
        if std::fs::read(self.scratch().path(FILE)).is_ok_and(|now| now != case.before) {
            return Vec::new();
        }
        let args: Vec<&str> = case.args.iter().map(String::as_str).collect();
        let again = self.prepared(self.subject.run(&args), case).run();
        let mut problems = Vec::new();
        if !again.ok() {
            problems.push(format!("{} after {point}: does not work again: {}", case.name, again.errors()));
        }
        let expected = [".sops.yaml", FILE].map(|name| self.scratch().path(name));
        let found = testkit::fixtures::files_below(&self.scratch().work());
        let extra = found.iter().filter(|path| !expected.contains(path));
        let left = extra.map(|path| format!("{} after {point}: left {}", case.name, path.display()));
        problems.extend(left);
        problems
    }
}
