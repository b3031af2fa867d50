//! The keys in named files; for `render`, without any, those of SOPS' variables. No process is ever started.

use std::path::{Path, PathBuf};

use keys::{Access, Keyring, parse_key_file, parse_key_variable};
use sealed::{Keys, manifest};
use secret::SecretBytes;

use crate::outcome::Failure;

/// Key files are small; manifests with keys are not large either.
const LIMIT: u64 = 16 << 20;

/// Reads the keys in `files`; without any, those that `SOPS_AGE_KEY` and `SOPS_AGE_KEY_FILE` name.
///
/// # Errors
/// As [`collect`].
pub(crate) fn collect_or_variables(files: &[PathBuf]) -> Result<Keys, Failure> {
    if !files.is_empty() {
        return collect(files);
    }
    let mut ring = Keyring::new();
    if let Some(text) = std::env::var("SOPS_AGE_KEY").ok().filter(|text| !text.is_empty()) {
        let text = zeroize::Zeroizing::new(text);
        let identities = parse_key_variable(&text, &Access::none());
        let identities = identities.map_err(|error| Failure::new(format!("SOPS_AGE_KEY: {error}")))?;
        identities.into_iter().for_each(|identity| ring.add(identity, "SOPS_AGE_KEY"));
    }
    let file = std::env::var_os("SOPS_AGE_KEY_FILE").filter(|it| !it.is_empty()).map(PathBuf::from);
    add_files(ring, file.as_slice())
}

/// Reads the keys in `files`, and no others: a controller must not open resources with the key of whoever started it.
///
/// # Errors
/// When a file cannot be read or holds no key: a missing key is worth knowing before every resource fails.
pub(crate) fn collect(files: &[PathBuf]) -> Result<Keys, Failure> {
    add_files(Keyring::new(), files)
}

fn add_files(mut ring: Keyring, files: &[PathBuf]) -> Result<Keys, Failure> {
    let mut manifests = Vec::new();
    let mut pems = Vec::new();
    for file in files {
        let text = read(file, LIMIT)?;
        match kind(&text) {
            Kind::Manifest => manifests.push((file, text)),
            Kind::Pem => pems.push((file, text)),
            Kind::Identities => {
                let name = file.display().to_string();
                let identities = parse_key_file(text.expose(), &name, &Access::none());
                let identities = identities.map_err(|error| Failure::new(format!("{name}: {error}")))?;
                identities.into_iter().for_each(|identity| ring.add(identity, name.as_str()));
            }
        }
    }
    let mut keys = Keys::new(ring);
    for (file, text) in manifests {
        add_manifest(&mut keys, file, text)?;
    }
    for (file, text) in pems {
        let found = sealed::bitnami::RsaKey::from_pem(&text);
        let found = found.map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        found.into_iter().for_each(|key| keys.add_rsa(key));
    }
    Ok(keys)
}

enum Kind {
    Identities,
    Manifest,
    Pem,
}

fn kind(text: &SecretBytes) -> Kind {
    let text = text.expose_str().unwrap_or_default();
    let start = text.trim_start();
    if start.starts_with("-----BEGIN RSA PRIVATE KEY") || start.starts_with("-----BEGIN PRIVATE KEY") {
        return Kind::Pem;
    }
    let field = |line: &str| line.starts_with("apiVersion:") || line.starts_with("kind:");
    if start.starts_with('{') || text.lines().any(field) { Kind::Manifest } else { Kind::Identities }
}

fn add_manifest(keys: &mut Keys, file: &Path, text: SecretBytes) -> Result<(), Failure> {
    let name = if text.expose().trim_ascii_start().starts_with(b"{") { "keys.json" } else { "keys.yaml" };
    let objects = manifest::read(text, name, "");
    let objects = objects.map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    let mut found = 0;
    for object in objects.iter().filter(|object| object.id.kind == "Secret") {
        found += keys.add_secret(object).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    }
    let none = || Failure::new(format!("{}: no Secret in it holds an age identity or an RSA key", file.display()));
    if found == 0 { Err(none()) } else { Ok(()) }
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// When it cannot be read, is no regular file, or is larger.
pub(crate) fn read(path: &Path, limit: u64) -> Result<SecretBytes, Failure> {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    // Opening a FIFO must not wait for a writer.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(nonblock).open(path);
    let file = file.map_err(|error| Failure::io(path, "open it", &error))?;
    let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
    if !is_file {
        return Err(Failure::new(format!("{}: is not a regular file", path.display())));
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::io(path, "read it", &error))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::new(format!("{}: is larger than {} MiB", path.display(), limit >> 20)));
    }
    Ok(SecretBytes::new(std::mem::take(&mut *bytes)))
}
