//! The real tools that tests compare us with: found where a variable says, else in the cache, else built.

use crate::shell::{Result, command, run, say, which};
use std::path::PathBuf;
use testkit::Peer;

/// A program of a Go module: variable, name in the cache, version, packages to install, and how long that takes cold.
struct GoPeer {
    peer: Peer,
    program: &'static str,
    folder: &'static str,
    package: &'static str,
    version: &'static str,
    minutes: &'static str,
}

const GO_PEERS: [GoPeer; 3] = [
    GoPeer {
        peer: Peer::Sops,
        program: "sops",
        folder: "sops-3.13.3",
        package: "github.com/getsops/sops/v3/cmd/sops",
        version: "v3.13.3",
        minutes: "3 to 5 minutes",
    },
    GoPeer {
        peer: Peer::Age,
        program: "age",
        folder: "age-1.3.2",
        package: "filippo.io/age/cmd/...",
        version: "v1.3.2",
        minutes: "half a minute",
    },
    GoPeer {
        peer: Peer::AgeKeygen,
        program: "age-keygen",
        folder: "age-1.3.2",
        package: "filippo.io/age/cmd/...",
        version: "v1.3.2",
        minutes: "half a minute",
    },
];

/// Variables that name the peers, for the environment of the tests.
pub(crate) fn install() -> Result<Vec<(&'static str, PathBuf)>> {
    let mut found = Vec::new();
    for wanted in &GO_PEERS {
        found.push((wanted.peer.variable(), wanted.path()?));
    }
    if let Some(strace) = strace() {
        found.push((Peer::Strace.variable(), strace));
    }
    Ok(found)
}

/// Installs and prints the variables in the shell's form.
pub(crate) fn print() -> Result {
    for (variable, path) in install()? {
        say(&format!("export {variable}={}", path.display()));
    }
    Ok(())
}

impl GoPeer {
    fn path(&self) -> Result<PathBuf> {
        if let Some(path) = self.peer.find() {
            return Ok(path);
        }
        let folder = cache()?.join(self.folder);
        let path = folder.join(self.program);
        if !path.is_file() {
            say(&format!("building {} {} with go install ({})", self.program, self.version, self.minutes));
            let package = format!("{}@{}", self.package, self.version);
            let mut go = command(&["go", "install", "-trimpath", &package]);
            run(go.env("GOBIN", &folder).env("CGO_ENABLED", "0"))?;
        }
        if path.is_file() { Ok(path) } else { Err(format!("{} is not there after go install", path.display())) }
    }
}

/// Debian's strace; installed when we may. Without it the fault tests skip aloud.
fn strace() -> Option<PathBuf> {
    let root = testkit::peer::is_root();
    if which("strace").is_none() && root && which("apt-get").is_some() {
        say("installing strace with apt-get");
        // A new machine may have no package lists yet.
        let _ = run(&mut command(&["apt-get", "update", "--quiet"]));
        let _ = run(&mut command(&["apt-get", "install", "--yes", "--quiet", "strace"]));
    }
    which("strace")
}

fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME").ok_or("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache"),
    };
    Ok(base.join("plomb").join("peers"))
}
