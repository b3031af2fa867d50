//! Runs one command under the small launcher and reads its figures.

use super::Field;
use crate::shell::{Result, run, which};
use e2e::subject::key_file;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One run of one program.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) wall_ms: f64,
    pub(super) cpu_ms: f64,
    pub(super) peak_mb: f64,
}

/// Compiles the launcher with the machine's C compiler (Rust needs one as its linker anyway).
pub(super) fn build(folder: &Path) -> Result<PathBuf> {
    let source = testkit::fixtures::workspace().join("crates/xtask/src/bench/launch.c");
    let program = folder.join("launch");
    let compiler = which("cc").ok_or("no C compiler named cc")?;
    run(Command::new(compiler).args(["-O2", "-o"]).arg(&program).arg(source))?;
    Ok(program)
}

/// Runs a command with its standard output in the file `output`; fails if the command does.
pub(super) fn measure(field: &Field, output: &Path, program: &Path, args: &[String]) -> Result<Figures> {
    let mut launch = Command::new(&field.launcher);
    launch.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", field.scratch.home());
    launch.env("SOPS_DISABLE_VERSION_CHECK", "1").env("SOPS_AGE_KEY_FILE", key_file("k1"));
    launch.current_dir(field.scratch.work()).arg(output).arg(program).args(args);
    let done = launch.output().map_err(|error| format!("launcher: {error}"))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [wall, user, system, peak, code] = numbers.as_slice() else {
        return Err(format!("the launcher said {text:?}"));
    };
    if *code != 0.0 {
        return Err(format!("{} {}: exit {code}", program.display(), args.join(" ")));
    }
    Ok(Figures { wall_ms: wall / 1e3, cpu_ms: (user + system) / 1e3, peak_mb: peak / 1024.0 })
}
