//! The drop-in mode: called as `sops`, or as `plomb sops …`, Plomb takes SOPS 3.13.3's command lines with its
//! exit codes and outputs. Where a refusal of ours is safer it stays; docs/drop-in.md lists every difference.

mod crypt;
mod flags;
mod help;
mod legacy;
mod policy;
mod table;
mod translate;
mod words;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::ui;
use flags::Line;
use table::{COMMANDS, Command, GLOBAL};

/// The version whose command lines are taken.
const VERSION: &str = "sops 3.13.3\n";

/// Runs a sops command line; the first word is the program's name.
pub(crate) fn run(argv: Vec<OsString>) -> Outcome {
    let args = argv.get(1..).unwrap_or_default();
    if let Some((last, words)) = args.split_last()
        && last == "--generate-bash-completion"
    {
        return printed(&help::candidates(words));
    }
    dispatch(args).map_err(words::in_sops_words)
}

fn dispatch(args: &[OsString]) -> Outcome {
    let global = flags::read(GLOBAL, args, false).map_err(|what| misuse(&what, &help::overview()))?;
    if global.is_on("help") {
        return printed(&help::overview());
    }
    if global.is_on("version") {
        return printed(VERSION);
    }
    let Some(word) = global.rest.first().and_then(|word| word.to_str()) else { return legacy::run(&global) };
    if matches!(word, "help" | "h") {
        return topic(COMMANDS, global.rest.get(1), &help::overview());
    }
    match COMMANDS.iter().find(|command| command.name == word) {
        Some(command) => enter(command, command.name, &global.rest[1..], &global),
        None => legacy::run(&global),
    }
}

/// Reads what follows a command's name, and runs it or the one below it.
fn enter(command: &'static Command, path: &str, args: &[OsString], global: &Line) -> Outcome {
    let usage = || help::of(path, command);
    let line = flags::read(command.flags, args, command.below.is_empty()).map_err(|what| misuse(&what, &usage()))?;
    if line.is_on("help") {
        return printed(&usage());
    }
    if command.below.is_empty() {
        return Call::new(path, line, global).run();
    }
    let Some(word) = line.rest.first() else { return printed(&usage()) };
    match command.below.iter().find(|below| word == below.name) {
        Some(below) => enter(below, &format!("{path} {}", below.name), &line.rest[1..], global),
        None if word == "help" || word == "h" => topic(command.below, line.rest.get(1), &usage()),
        None => topic(command.below, Some(word), ""),
    }
}

fn topic(commands: &'static [Command], word: Option<&OsString>, overview: &str) -> Outcome {
    let Some(word) = word else { return printed(overview) };
    match commands.iter().find(|command| word == command.name) {
        Some(command) => printed(&help::of(command.name, command)),
        None => {
            let what = format!("No help topic for '{}'", word.to_string_lossy());
            Err(Failure::new(Exit::Output, what))
        }
    }
}

fn printed(text: &str) -> Outcome {
    ui::print(text.as_bytes())?;
    Ok(Exit::Ok)
}

/// A command line that cannot be read. Help goes to stderr: stdout is for results.
fn misuse(what: &str, help: &str) -> Failure {
    ui::note(help);
    Failure::new(Exit::Generic, format!("incorrect usage: {what}"))
}

/// Flags before a command have no effect in SOPS, and none here: scripts may carry them along. But it is said.
fn dropped(global: &Line, command: &str) {
    for name in &global.given {
        if !table::WORK_BEFORE_A_COMMAND.contains(name) {
            ui::note(&format!("warning: --{name} before `{command}` has no effect: write it behind `{command}`"));
        }
    }
}

/// A command with its flags.
struct Call<'a> {
    command: &'a str,
    line: Line,
    global: &'a Line,
    /// Without a command: `sops -r FILE`.
    old_style: bool,
    context: Context,
}

impl<'a> Call<'a> {
    fn new(command: &'a str, line: Line, global: &'a Line) -> Self {
        let mut context = Context::new(Mode::Sops);
        context.config = global.path("config");
        context.indent = global.number("indent").filter(|_| global.given.contains(&"indent"));
        // Before a command it has no effect in SOPS.
        context.verbose = line.is_on("verbose");
        context.ignore_mac = line.is_on("ignore-mac");
        context.without_keys = !line.is_on("enable-local-keyservice");
        Self { command, line, global, old_style: false, context }
    }

    fn run(mut self) -> Outcome {
        let elsewhere = self.line.is_on("in-place") || self.line.raw("output").is_some();
        if matches!(self.command, "encrypt" | "decrypt" | "rotate") && !elsewhere {
            ui::protect_result();
        }
        if !self.old_style {
            dropped(self.global, self.command);
        }
        match self.command {
            "encrypt" => crypt::encrypt(&mut self),
            "decrypt" => crypt::decrypt(&mut self),
            "completion bash" => printed(help::BASH),
            "completion zsh" => printed(help::ZSH),
            "keyservice" => {
                let what = "keyservice: key services are not supported; plomb opens no connection";
                Err(Failure::new(Exit::Generic, what))
            }
            _ => translate::run(self),
        }
    }

    /// The only file, as given; an empty name is the current folder. More of them are named in a warning.
    fn file(&self) -> Option<PathBuf> {
        warn_of_more(&self.line.rest);
        let name = self.line.rest.first()?;
        Some(PathBuf::from(if name.is_empty() { OsStr::new(".") } else { name }))
    }

    /// The only file of a command that needs one.
    fn needed_file(&self) -> Result<PathBuf, Failure> {
        let missing = || Failure::new(Exit::NoFile, "no file specified");
        self.file().ok_or_else(missing)
    }

    /// What every command that opens a file checks first.
    fn check_keys(&self) -> Result<(), Failure> {
        check_order(&self.line)?;
        if !self.line.texts("keyservice").is_empty() {
            ui::note("warning: --keyservice is ignored: key services are not supported");
        }
        if self.context.ignore_mac {
            ui::note("warning: the MAC is not checked: values may have been changed, added, removed or moved");
        }
        Ok(())
    }
}

fn warn_of_more(rest: &[OsString]) {
    if rest.len() < 2 {
        return;
    }
    ui::note("warning: More than one positional argument provided. Only the first one will be used!");
    if let Some(word) = rest[1..].iter().rfind(|word| word.to_string_lossy().starts_with('-')) {
        let word = crate::paths::shown(Path::new(word));
        ui::note(&format!("warning: {word:?} looks like a flag; flags must stand before the first file"));
    }
}

/// Only age and ssh keys can be tried, so the order has no effect, but a wrong one is wrong.
fn check_order(line: &Line) -> Result<(), Failure> {
    let Some(order) = line.text("decryption-order") else { return Ok(()) };
    let mut seen = std::collections::BTreeSet::new();
    match order.split(',').find(|kind| !seen.insert(*kind)) {
        Some(twice) => {
            Err(Failure::new(Exit::DecryptionOrder, format!("--decryption-order: duplicate key type {twice:?}")))
        }
        None => Ok(()),
    }
}

/// A missing file, as commands of SOPS report it before anything else.
fn must_exist(file: &Path) -> Result<(), Failure> {
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::new(Exit::NoFile, "cannot operate on non-existent file").in_file(file))
        }
        _ => Ok(()),
    }
}
