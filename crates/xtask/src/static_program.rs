//! The controller as its image has it: one file that needs no loader and no library. The cluster tests run this one.

use crate::shell::{Result, command, output, run};
use std::path::{Path, PathBuf};
use testkit::fixtures;

/// Builds it in the development profile, makes sure that it is static and starts, and gives its path.
pub(crate) fn build() -> Result<PathBuf> {
    let version = output(&["rustc", "-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
    // Naming the target keeps build scripts and macros, which cannot be static, apart from the flag.
    let words = ["cargo", "build", "--package", "plomb-controller", "--locked", "--target", host];
    run(command(&words).env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let path = fixtures::target().join(host).join("debug").join("plomb-controller");
    check(&path)?;
    run(command(&["env", "-i"]).arg(&path).arg("--version"))?;
    Ok(path)
}

fn check(path: &Path) -> Result {
    let program = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    match wants_interpreter(&program) {
        Some(false) => Ok(()),
        Some(true) => Err(format!("{}: wants an interpreter, so it is not static", path.display())),
        None => Err(format!("{}: is no 64-bit little-endian ELF file", path.display())),
    }
}

/// Whether an ELF file has a segment of type PT_INTERP (System V ABI, chapter 5).
fn wants_interpreter(program: &[u8]) -> Option<bool> {
    const PT_INTERP: u32 = 3;
    if !program.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let number = |at: usize, length: usize| {
        let bytes = program.get(at..at + length)?;
        Some(bytes.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        let at = usize::try_from(table + index * size).ok()?;
        if number(at, 4)? == u64::from(PT_INTERP) {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_program_wants_an_interpreter_and_text_is_no_program() {
        let own = std::fs::read("/proc/self/exe").unwrap();
        assert_eq!(wants_interpreter(&own), Some(true));
        assert_eq!(wants_interpreter(b"#!/bin/sh\n"), None);
        assert_eq!(wants_interpreter(&own[..64]), None, "cut off");
    }
}
