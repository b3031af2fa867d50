//! The real tools that tests compare us with: found where a variable says, else in the cache, else built.

use crate::cluster;
use crate::shell::{Result, command, output, run, say, which};
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

const GO_PEERS: [GoPeer; 5] = [
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
    GoPeer {
        peer: Peer::Gitleaks,
        program: "gitleaks",
        folder: "gitleaks-8.30.1",
        package: GITLEAKS,
        version: "v8.30.1",
        minutes: "half a minute to a minute",
    },
    GoPeer {
        peer: Peer::Lua,
        program: "glua",
        folder: "gopher-lua-1.1.1",
        package: "github.com/yuin/gopher-lua/cmd/glua",
        version: "v1.1.1",
        minutes: "a few seconds",
    },
];

/// The module path that gitleaks' own go.mod names.
const GITLEAKS: &str = "github.com/zricethezav/gitleaks/v8";
/// Programs from PyPI, each in an environment of its own.
const PRE_COMMIT: PyPeer = PyPeer { peer: Peer::PreCommit, program: "pre-commit", version: "4.3.0" };
const JSON_SCHEMA: PyPeer = PyPeer { peer: Peer::JsonSchema, program: "jsonschema", version: "4.25.1" };
/// The crate that ships the official schema of SARIF.
const SARIF: (&str, &str) = ("serde-sarif", "0.8.0");

/// A program of a PyPI project of the same name.
struct PyPeer {
    peer: Peer,
    program: &'static str,
    version: &'static str,
}

/// Variables that name the peers, for the environment of the tests.
pub(crate) fn install() -> Result<Vec<(&'static str, PathBuf)>> {
    let mut found = Vec::new();
    for wanted in &GO_PEERS {
        found.push((wanted.peer.variable(), wanted.path()?));
    }
    found.push((Peer::GitleaksConfig.variable(), gitleaks_config()?));
    for wanted in [PRE_COMMIT, JSON_SCHEMA] {
        found.push((wanted.peer.variable(), wanted.path()?));
    }
    found.push((Peer::SarifSchema.variable(), sarif_schema()?));
    found.extend(cluster::install(&cache()?)?);
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

/// gitleaks' default rules, in the module cache that `go install` filled.
fn gitleaks_config() -> Result<PathBuf> {
    if let Some(path) = Peer::GitleaksConfig.find() {
        return Ok(path);
    }
    let module = format!("{GITLEAKS}@v8.30.1");
    let listed = output(&["go", "mod", "download", "-json", &module])?;
    let folder = listed.lines().find_map(|line| line.trim().strip_prefix("\"Dir\": \"")?.split('"').next());
    let path = PathBuf::from(folder.ok_or("go mod download names no folder")?).join("config").join("gitleaks.toml");
    if path.is_file() { Ok(path) } else { Err(format!("{} is not there", path.display())) }
}

impl PyPeer {
    fn path(&self) -> Result<PathBuf> {
        if let Some(path) = self.peer.find() {
            return Ok(path);
        }
        let Self { program, version, .. } = self;
        let folder = cache()?.join(format!("{program}-{version}"));
        let path = folder.join("bin").join(program);
        if !path.is_file() {
            say(&format!("installing {program} {version} from PyPI (10 to 30 seconds)"));
            // Without ensurepip (Debian's bare python3) the machine's own pip installs into the environment.
            let made = run(command(&["python3", "-m", "venv"]).arg(&folder));
            if made.is_err() {
                run(command(&["python3", "-m", "venv", "--without-pip"]).arg(&folder))?;
            }
            let package = format!("{program}=={version}");
            let python = folder.join("bin").join("python3");
            let pip = ["pip", "install", "--quiet", "--disable-pip-version-check", &package];
            match made {
                Ok(()) => run(std::process::Command::new(&python).arg("-m").args(pip))?,
                Err(_) => run(command(&["python3", "-m", "pip", "--python"]).arg(&python).args(&pip[1..]))?,
            }
        }
        if path.is_file() { Ok(path) } else { Err(format!("{} is not there", path.display())) }
    }
}

/// The schema in cargo's own cache, to which a project that needs the crate and is never built brings it.
fn sarif_schema() -> Result<PathBuf> {
    if let Some(path) = Peer::SarifSchema.find() {
        return Ok(path);
    }
    let (name, version) = SARIF;
    let folder = cache()?.join(format!("{name}-{version}"));
    let manifest = folder.join("Cargo.toml");
    let text = format!(
        "[package]\nname = \"schema\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n\
         [dependencies]\n{name} = \"={version}\"\n\n[workspace]\n"
    );
    let write =
        |path: &PathBuf, text: &str| std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    write(&manifest, &text)?;
    write(&folder.join("lib.rs"), "")?;
    let manifest = manifest.display().to_string();
    let metadata = output(&["cargo", "metadata", "--format-version", "1", "--manifest-path", &manifest])?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let found =
        packages.iter().find(|package| package["name"] == name).and_then(|package| package["manifest_path"].as_str());
    let path =
        PathBuf::from(found.ok_or("cargo metadata does not name the crate")?).with_file_name("src").join("schema.json");
    if path.is_file() { Ok(path) } else { Err(format!("{} is not there", path.display())) }
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
