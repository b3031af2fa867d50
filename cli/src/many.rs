//! Many files in one call: files, folders and globs become a sorted list, which several threads work through.
//! One file that fails does not stop the others; the exit code is the first failure's in path order.

use std::collections::HashSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use globset::{GlobBuilder, GlobMatcher};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::paths::shown;
use crate::{files, inspect, paths, ui};

/// Flags of commands that write many files.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Flags {
    /// Say what would be done to each file, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Report as JSON: one array with file, status and, where it failed, error
    #[arg(long)]
    pub(crate) json: bool,
}

/// What was done to a file, in one or two words.
pub(crate) type Done = &'static str;

/// Which of the files in folders and globs are meant. Files named one by one are always meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Not encrypted, and a creation rule is for them.
    Plain,
    /// Encrypted.
    Encrypted,
    /// Either.
    Secret,
}

/// How a file came into the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Named by itself.
    Named,
    /// Found below a named folder.
    Folder,
    /// Matched a glob.
    Glob,
}

/// Refuses flags that make sense for many files only.
///
/// # Errors
/// When one of them is given.
pub(crate) fn refuse(flags: Flags) -> Result<(), Failure> {
    if flags.dry_run || flags.json {
        return Err(Failure::new(Exit::Usage, "--dry-run and --json go with --in-place"));
    }
    Ok(())
}

/// The files that `paths` mean, sorted by path, each once.
///
/// # Errors
/// When a folder cannot be read, a glob is broken or matches nothing at all, or a configuration is wrong.
pub(crate) fn select(paths: &[PathBuf], wanted: Wanted, context: &Context) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        found.extend(expand(path)?);
    }
    found.sort();
    found.dedup_by(|b, a| a.0 == b.0);
    let meant = each(&found, |(file, origin)| match origin {
        Origin::Named => Ok(true),
        _ => inspect::is_wanted(file, *origin, wanted, context),
    });
    let mut files = Vec::new();
    for ((file, _), (meant, _)) in found.into_iter().zip(meant) {
        if meant? {
            files.push(file);
        }
    }
    Ok(files)
}

/// Without paths: the whole repository, or the current folder outside of one.
pub(crate) fn or_everything(paths: &[PathBuf]) -> Vec<PathBuf> {
    if !paths.is_empty() {
        return paths.to_vec();
    }
    let here = paths::absolute(Path::new("."));
    let root = here.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
    vec![paths::from_here(root.unwrap_or(&here))]
}

fn expand(path: &Path) -> Result<Vec<(PathBuf, Origin)>, Failure> {
    let text = path.to_str().unwrap_or_default();
    if path.is_dir() {
        return walk(path, None);
    }
    if path.symlink_metadata().is_ok() || !text.contains(['*', '?', '[', '{']) {
        return Ok(vec![(path.to_owned(), Origin::Named)]);
    }
    let broken = |error: globset::Error| Failure::new(Exit::Usage, format!("{}: {}", shown(path), error.kind()));
    let glob = GlobBuilder::new(text.trim_start_matches("./")).literal_separator(true).build().map_err(broken)?;
    let fixed = path.components().take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']));
    let base: PathBuf = fixed.collect();
    let base = if base.as_os_str().is_empty() { PathBuf::from(".") } else { base };
    let matches = if base.is_dir() { walk(&base, Some(&glob.compile_matcher()))? } else { Vec::new() };
    if matches.is_empty() {
        return Err(Failure::new(Exit::NoFile, "matches no file").in_file(path));
    }
    Ok(matches)
}

/// The regular files below `folder` that Git does not ignore, sorted.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = walk(folder, None)?.into_iter().map(|(file, _)| file).collect();
    files.sort();
    Ok(files)
}

/// The regular files below `folder` that Git does not ignore. Links are not followed.
fn walk(folder: &Path, glob: Option<&GlobMatcher>) -> Result<Vec<(PathBuf, Origin)>, Failure> {
    let origin = if glob.is_some() { Origin::Glob } else { Origin::Folder };
    let mut files = Vec::new();
    for entry in source::walk(folder, true).build() {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path().strip_prefix(".").unwrap_or(entry.path());
        if glob.is_none_or(|glob| glob.is_match(path)) {
            files.push((path.to_owned(), origin));
        }
    }
    Ok(files)
}

fn unreadable(folder: &Path, error: &ignore::Error) -> Failure {
    match error.io_error() {
        Some(io) => Failure::io(folder, "read this folder", io),
        None => Failure::new(Exit::Generic, format!("cannot read this folder: {error}")).in_file(folder),
    }
}

/// Runs `work` for every item on as many threads as there are processors; results and noted lines in the order
/// of the items.
pub(crate) fn each<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<(T, Vec<String>)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    if threads <= 1 {
        return items.iter().map(|item| (work(item), Vec::new())).collect();
    }
    let (next, progress) = (AtomicUsize::new(0), Progress::new(items.len()));
    let worker = || {
        let mut done = Vec::new();
        while let Some((index, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            done.push((index, ui::holding(|| work(item))));
            progress.step();
        }
        done
    };
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    progress.clear();
    all.sort_unstable_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}

/// A counter at the terminal, at most ten times a second.
struct Progress {
    done: AtomicUsize,
    total: usize,
    last: Option<Mutex<Instant>>,
    shown: AtomicUsize,
}

impl Progress {
    fn new(total: usize) -> Self {
        let last = std::io::stderr().is_terminal().then(|| Mutex::new(Instant::now()));
        Self { done: AtomicUsize::new(0), total, last, shown: AtomicUsize::new(0) }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let Some(Ok(mut last)) = self.last.as_ref().map(Mutex::try_lock) else { return };
        if last.elapsed() > Duration::from_millis(100) {
            *last = Instant::now();
            self.shown.store(1, Ordering::Relaxed);
            let _ = write!(std::io::stderr().lock(), "\r{done}/{}", self.total);
        }
    }

    fn clear(&self) {
        if self.shown.load(Ordering::Relaxed) > 0 {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

/// Runs a command that writes files over all of them and reports.
pub(crate) fn run(files: &[PathBuf], flags: Flags, work: impl Fn(&Path) -> Result<Done, Failure> + Sync) -> Outcome {
    if files.is_empty() && !flags.json {
        ui::note(
            "note: nothing to do: no file there is meant (a creation rule must match whose path_regex is not for every file)",
        );
    }
    let results = files::syncing_once(|| each(files, |file| work(file).map_err(|failure| failure.in_file(file))));
    report(files, flags, results)
}

/// What became of a file, with the lines noted for it.
pub(crate) type Fate = (Result<Done, Failure>, Vec<String>);

/// Reports what became of many files.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn report(files: &[PathBuf], flags: Flags, results: Vec<Fate>) -> Outcome {
    let mut report = Report::new(flags.json);
    for (file, (result, notes)) in files.iter().zip(results) {
        report.notes(notes);
        match result {
            Ok(done) => {
                if flags.dry_run && !flags.json {
                    ui::print(format!("{}: {done}\n", shown(file)).as_bytes())?;
                }
                report.done(file, done, Map::new());
            }
            Err(failure) => report.failed(file, "failed", failure),
        }
    }
    report.finish()
}

/// The report over many files.
pub(crate) struct Report {
    json: bool,
    entries: Vec<Value>,
    noted: HashSet<String>,
    counts: Vec<(String, usize)>,
    exit: Exit,
}

impl Report {
    /// A report, as JSON or as text.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, entries: Vec::new(), noted: HashSet::new(), counts: Vec::new(), exit: Exit::Ok }
    }

    /// Prints lines that were noted for a file, each only once.
    pub(crate) fn notes(&mut self, lines: Vec<String>) {
        for line in lines {
            if !self.noted.contains(&line) {
                ui::note(&line);
                self.noted.insert(line);
            }
        }
    }

    /// A file that went well.
    pub(crate) fn done(&mut self, file: &Path, status: &str, more: Map<String, Value>) {
        self.count(status);
        self.push(file, status, more);
    }

    /// A file that did not.
    pub(crate) fn failed(&mut self, file: &Path, status: &str, failure: Failure) {
        self.count(status);
        if self.exit == Exit::Ok {
            self.exit = failure.exit;
        }
        if self.json {
            let more = [("error".to_owned(), error_json(&failure))].into_iter().collect();
            self.push(file, status, more);
        } else {
            ui::note(&failure.to_string());
        }
    }

    fn count(&mut self, status: &str) {
        match self.counts.iter_mut().find(|(known, _)| known == status) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((status.to_owned(), 1)),
        }
    }

    fn push(&mut self, file: &Path, status: &str, more: Map<String, Value>) {
        if !self.json {
            return;
        }
        let mut entry = Map::new();
        entry.insert("file".to_owned(), json!(shown(file)));
        entry.insert("status".to_owned(), json!(status));
        entry.extend(more);
        self.entries.push(Value::Object(entry));
    }

    /// `12 encrypted, 1 failed`.
    pub(crate) fn summary(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
        counts.join(", ")
    }

    /// Prints what is left to print; the exit code is the first failure's.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn finish(self) -> Outcome {
        if self.json {
            let text = serde_json::to_string_pretty(&self.entries).expect("strings and numbers are always JSON");
            ui::print(format!("{text}\n").as_bytes())?;
        } else if self.counts.iter().map(|(_, count)| count).sum::<usize>() > 1 {
            ui::note(&format!("files: {}", self.summary()));
        }
        Ok(self.exit)
    }
}

impl Report {
    /// As [`Self::finish`], without the counts.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn finish_quietly(mut self) -> Outcome {
        self.counts.clear();
        self.finish()
    }
}

fn error_json(failure: &Failure) -> Value {
    let mut error = Map::new();
    error.insert("message".to_owned(), json!(paths::one_line(&failure.what)));
    if let Some((line, column)) = failure.at {
        error.insert("line".to_owned(), json!(line));
        error.insert("column".to_owned(), json!(column));
    }
    if let Some(hint) = &failure.hint {
        error.insert("hint".to_owned(), json!(paths::one_line(hint)));
    }
    error.insert("exit".to_owned(), json!(failure.exit.code()));
    Value::Object(error)
}
