//! `plomb hook`: the scanner in Git's hooks, beside whatever hooks there are.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::hooks::{self, Kind, Manager, Place};
use crate::paths::{from_here, shown};
use crate::{files, ui};

/// Put the scanner into Git's hooks, or take it out
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add our lines to the hooks; what the hooks do already stays
    Install(Which),
    /// Take our lines out again
    Uninstall(Which),
    /// Show which hooks call us
    Status,
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Only these hooks
    #[arg(value_enum)]
    hooks: Vec<Kind>,
}

impl Which {
    fn kinds(&self) -> &[Kind] {
        if self.hooks.is_empty() { &Kind::ALL } else { &self.hooks }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, _context: &mut Context) -> Outcome {
    let place = hooks::find(Path::new("."))?;
    match &args.what {
        What::Install(which) => install(which.kinds(), &place),
        What::Uninstall(which) => uninstall(which.kinds(), &place),
        What::Status => status(&place),
    }
}

fn install(kinds: &[Kind], place: &Place) -> Outcome {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("plomb"));
    // All or none: a hook that cannot be changed must not leave the others half installed.
    let mut changes = Vec::new();
    for kind in kinds {
        let path = place.folder.join(kind.name());
        let before = read(&path)?;
        if let Some(manager) = before.as_deref().and_then(Manager::of) {
            return Err(managed(manager, *kind, "writes this hook").in_file(&from_here(&path)));
        }
        if let (None, Some((manager, file))) = (&before, Manager::configured_in(&place.root)) {
            let file = from_here(&place.root.join(file));
            return Err(managed(manager, *kind, "is configured here, and writes the hooks").in_file(&file));
        }
        let after = hooks::with_block(before.as_deref(), *kind, &program).ok_or_else(|| {
            let hint = format!("let it run `plomb {}` itself", kind.arguments());
            Failure::new(Exit::Generic, "this hook is not a shell script").in_file(&from_here(&path)).hint(hint)
        })?;
        changes.push((path, before, after));
    }
    for (path, before, after) in changes {
        let name = shown(&from_here(&path));
        let stands = before.as_deref() == Some(&after);
        if !stands {
            write(&path, &after)?;
        }
        let when = if stands { "already" } else { "now" };
        let woken = if is_executable(&path) { "" } else { ", and is executable: Git did not run it before" };
        if !woken.is_empty() {
            make_executable(&path)?;
        }
        ui::print(format!("{name} calls plomb {when}{woken}\n").as_bytes())?;
    }
    Ok(Exit::Ok)
}

/// How a tool that owns the hooks is told about us.
fn managed(manager: Manager, kind: Kind, does: &str) -> Failure {
    let (name, run) = (kind.name(), kind.arguments().replace("\"$1\"", "{1}").replace("\"$@\"", "{0}"));
    let (who, hint) = match manager {
        Manager::PreCommit => {
            let id = "repos: - repo: local, hooks: - {id: plomb, name: plomb, language: system, \
                      entry: plomb scan --staged, pass_filenames: false}";
            ("pre-commit", format!("add to .pre-commit-config.yaml: {id}"))
        }
        Manager::Lefthook => ("lefthook", format!("add to lefthook.yml: {name}: commands: plomb: run: plomb {run}")),
    };
    Failure::new(Exit::Generic, format!("{who} {does}")).hint(hint)
}

fn uninstall(kinds: &[Kind], place: &Place) -> Outcome {
    for kind in kinds {
        let path = place.folder.join(kind.name());
        let Some(before) = read(&path)? else { continue };
        let after = hooks::without_block(&before);
        if after == before {
            continue;
        }
        // What is left of a hook that was ours alone.
        if matches!(after.trim(), "" | "#!/bin/sh") {
            std::fs::remove_file(&path).map_err(|error| Failure::io(&path, "remove it", &error))?;
        } else {
            write(&path, &after)?;
        }
        ui::print(format!("{} does not call plomb any more\n", shown(&from_here(&path))).as_bytes())?;
    }
    Ok(Exit::Ok)
}

fn status(place: &Place) -> Outcome {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let path = place.folder.join(kind.name());
        let hook = read(&path)?;
        rows.push(vec![kind.name().to_owned(), state(hook.as_deref(), &path).to_owned(), shown(&from_here(&path))]);
    }
    ui::note(&format!("hooks lie in {} ({})", shown(&from_here(&place.folder)), place.chosen_by));
    ui::table(&["HOOK", "STATE", "FILE"], &rows)?;
    Ok(Exit::Ok)
}

fn state(hook: Option<&str>, path: &Path) -> &'static str {
    let Some(hook) = hook else { return "none" };
    if !is_executable(path) {
        return "not executable: Git does not run it";
    }
    if hook.contains("plomb scan") || hooks::without_block(hook) != hook {
        return "calls plomb";
    }
    match Manager::of(hook) {
        Some(Manager::PreCommit) => "managed by pre-commit",
        Some(Manager::Lefthook) => "managed by lefthook",
        None => "does not call plomb",
    }
}

/// husky's own scripts need no bit: its wrapper calls `sh` on them.
fn is_executable(path: &Path) -> bool {
    let in_husky = path.parent().is_some_and(|folder| folder.ends_with(".husky"));
    in_husky || std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    let text = files::read(path, 1 << 20)?;
    let text = String::from_utf8(text.expose().to_vec());
    text.map(Some).map_err(|_| Failure::new(Exit::Generic, "this hook is a program").in_file(&from_here(path)))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let new = path.symlink_metadata().is_err();
    if let (true, Some(folder)) = (new, path.parent()) {
        std::fs::create_dir_all(folder).map_err(|error| Failure::io(folder, "make it", &error))?;
    }
    files::replace(path, text.as_bytes())?;
    if new {
        set_mode(path, 0o755)?;
    }
    Ok(())
}

/// Whoever may read it may run it.
fn make_executable(path: &Path) -> Result<(), Failure> {
    let mode = std::fs::metadata(path).map_or(0o644, |meta| meta.permissions().mode());
    set_mode(path, mode | 0o100 | (mode & 0o444) >> 2)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode).map_err(|error| Failure::io(path, "make it executable", &error))
}
