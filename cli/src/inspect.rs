//! What a file is, told without a key: encrypted or not, under which rule, and how far from what the rule says.

use std::path::Path;
use std::sync::Arc;

use document::{Document, Format, Map};
use keys::{same_recipient, short_recipient};
use memchr::memmem;
use sops::config::Strictness;
use sops::{CreationRule, Metadata, Policy, Selector};

use crate::config::ConfigFile;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::many::{Origin, Wanted};
use crate::{files, format};

/// Said once when a rule encrypts what Kubernetes must read.
pub(crate) const MANIFEST_NOTE: &str = "note: apiVersion, kind and metadata of Kubernetes manifests get encrypted too: \
     kubectl and Argo CD cannot use such files; `encrypted_regex: ^(data|stringData)$` in the creation rule avoids it";

/// Files that steer Git or us and are never secrets, whatever a rule says.
const NEVER: [&str; 5] = [".sops.yaml", ".sops.yml", ".gitignore", ".gitattributes", ".gitmodules"];

/// The rule that governs a file.
pub(crate) struct Governed {
    /// The configuration.
    pub(crate) config: Arc<ConfigFile>,
    /// The rule's index.
    pub(crate) index: usize,
}

impl Governed {
    /// The rule.
    pub(crate) fn rule(&self) -> &CreationRule {
        &self.config.config.creation_rules.as_deref().unwrap_or_default()[self.index]
    }

    /// Its number from 1.
    pub(crate) fn number(&self) -> usize {
        self.index + 1
    }
}

/// The rule for `file`, if there is a configuration with one.
///
/// # Errors
/// When the configuration is wrong.
pub(crate) fn governed(file: &Path, context: &Context) -> Result<Option<Governed>, Failure> {
    let Some(config) = context.config_for(file, Strictness::Strict)? else { return Ok(None) };
    let index = config.config.rule_for(&config.rule_path(file)).map(|(index, _)| index);
    Ok(index.map(|index| Governed { config, index }))
}

/// Whether the rule is for every file: then it does not say which files are secrets.
pub(crate) fn is_catch_all(rule: &CreationRule) -> bool {
    let source = rule.path_regex.as_ref().map_or("", |pattern| pattern.source());
    matches!(source.trim_start_matches('^').trim_end_matches('$'), "" | ".*" | ".+" | "." | "(.*)")
}

/// Whether the file steers Git or us.
pub(crate) fn is_never_secret(file: &Path) -> bool {
    file.file_name().is_some_and(|name| NEVER.iter().any(|never| name == *never))
}

/// Whether a file that was found, not named, is meant.
///
/// # Errors
/// When the configuration is wrong.
pub(crate) fn is_wanted(file: &Path, origin: Origin, wanted: Wanted, context: &Context) -> Result<bool, Failure> {
    if wanted == Wanted::Encrypted {
        return Ok(looks_encrypted(file));
    }
    if is_never_secret(file) {
        return Ok(false);
    }
    // A rule for everything does not make every file of a folder a secret; a glob was chosen by the user.
    let counts = |governed: &Governed| origin == Origin::Glob || !is_catch_all(governed.rule());
    let ruled = governed(file, context)?.is_some_and(|it| counts(&it));
    Ok(match wanted {
        Wanted::Plain => ruled && !looks_encrypted(file),
        // What cannot be read cannot be passed over either.
        _ => ruled || looks_encrypted(file) || is_unreadable(file),
    })
}

/// Whether the file holds a SOPS block.
pub(crate) fn looks_encrypted(file: &Path) -> bool {
    let format = format::choose(None, file);
    let limit = Context::limit(format);
    if !format.edits_in_place() && !starts_with_brace(file) {
        return false;
    }
    files::read(file, limit).is_ok_and(|text| has_block(format, text.expose()))
}

fn is_unreadable(file: &Path) -> bool {
    std::fs::File::open(file).is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// Encrypted binary files are JSON; images and archives are told apart by their first byte.
fn starts_with_brace(file: &Path) -> bool {
    use std::io::Read as _;
    let mut first = [0; 16];
    let read = files::open_regular(file).ok().and_then(|mut file| file.read(&mut first).ok()).unwrap_or(0);
    first[..read].trim_ascii_start().starts_with(b"{")
}

/// Whether `text` holds a SOPS block of `format`. Of one that cannot be read its bytes tell; in another, words that a block
/// would have do not make one.
pub(crate) fn has_block(format: &'static dyn Format, text: &[u8]) -> bool {
    sops::has_block(format, text) && !matches!(sops::look(text, format), sops::Look::Plain(_))
}

/// What is said of a file whose values are encrypted and whose block is gone.
pub(crate) fn stripped() -> Failure {
    let what = "sops metadata not found: values of it are encrypted, but its `sops` block is missing";
    Failure::new(Exit::Generic, what)
        .hint("take the block from an older version of the file, such as `git log -p` shows")
}

/// Whether values of `doc` are tokens, though it has no block.
pub(crate) fn is_stripped(doc: &mut Document) -> bool {
    let source = doc.source.expose();
    if !doc.format.edits_in_place() || memmem::find(source, b"ENC[AES256_GCM,data:").is_none() {
        return false;
    }
    let found = sops::survey(doc, &Selector::default());
    found.sealed + found.stray > 0
}

/// What is said of a text of `format` in which a merge left its markers.
pub(crate) fn conflict(format: &dyn Format, text: &[u8]) -> Option<Failure> {
    let line = conflict_marker(text).filter(|_| format.edits_in_place())?;
    let what = "a merge conflict was left unresolved here";
    Some(Failure { at: Some((line, 1)), ..Failure::new(Exit::Generic, what) })
}

/// The line of a merge conflict marker, from 1.
fn conflict_marker(text: &[u8]) -> Option<usize> {
    memmem::find(text, b"<<<<<<< ").or_else(|| memmem::find(text, b">>>>>>> "))?;
    let marks = |line: &[u8]| line.starts_with(b"<<<<<<< ") || line.starts_with(b">>>>>>> ");
    text.split(|byte| *byte == b'\n').position(marks).map(|index| index + 1)
}

/// Whether a policy encrypts parts of a Kubernetes manifest that Kubernetes must read.
pub(crate) fn hides_manifest(doc: &Document, policy: &Policy) -> bool {
    let selector = policy.selector.clone().unwrap_or_default();
    let hidden = || ["apiVersion", "kind", "metadata"].iter().any(|key| selector.selects_key(key));
    matches!(doc.format.name(), "yaml" | "json")
        && doc.branches.iter().any(|branch| is_manifest(&branch.root))
        && hidden()
}

fn is_manifest(root: &Map) -> bool {
    let text = |key: &str| root.get(key).is_some_and(|node| node.value.as_str().is_some());
    text("apiVersion") && text("kind")
}

/// How a file's metadata differ from its rule, in words; empty if they do not.
pub(crate) fn drift(metadata: &Metadata, policy: &Policy, format: &dyn Format) -> Vec<String> {
    let mut drift = Vec::new();
    let has = |list: &[&str], name: &str| list.iter().any(|other| same_recipient(other, name));
    let (file, rule): (Vec<&str>, Vec<&str>) = (metadata.recipients().collect(), policy.recipients().collect());
    drift.extend(rule.iter().filter(|name| !has(&file, name)).map(|name| format!("lacks {}", short_recipient(name))));
    drift.extend(file.iter().filter(|name| !has(&rule, name)).map(|name| format!("extra {}", short_recipient(name))));
    drift.extend(metadata.groups.iter().flat_map(sops::Group::foreign).map(|name| format!("extra {name}")));
    if metadata.groups.len() != policy.groups.len() {
        drift.push(format!("{} key groups, not {}", metadata.groups.len(), policy.groups.len()));
    }
    let needed = policy.threshold.unwrap_or(policy.groups.len()).min(policy.groups.len().max(1));
    if policy.groups.len() > 1 && metadata.needed_groups() != needed {
        drift.push(format!("threshold {}, not {needed}", metadata.needed_groups()));
    }
    if !format.edits_in_place() {
        return drift;
    }
    let wanted = policy.selector.clone().unwrap_or_default();
    if metadata.selector != wanted {
        let ((field, text), (should, be)) = (metadata.selector.field(), wanted.field());
        drift.push(format!("selector {field} {text}, not {should} {be}"));
    }
    if metadata.mac_only_encrypted != policy.mac_only_encrypted {
        let scope = |only: bool| if only { "encrypted values" } else { "all values" };
        drift.push(format!("MAC over {}", scope(metadata.mac_only_encrypted)));
    }
    drift
}
