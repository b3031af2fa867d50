//! The `plomb` command: reads the world, calls the core, prints, exits.

mod account;
mod args;
mod commands;
mod config;
mod content;
mod context;
mod editor;
mod failure;
mod files;
mod format;
mod head;
mod hooks;
mod identities;
mod inspect;
mod lock;
mod many;
mod paths;
mod private;
mod process;
mod recipients;
mod resource;
mod result;
mod reuse;
mod rewrite;
mod scanning;
mod signals;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    process::harden();
    let argv: Vec<_> = std::env::args_os().collect();
    ui::finish(args::dispatch(argv))
}
