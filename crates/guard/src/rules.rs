//! The creation rules of a repository, now and before the change, and which of them covers a file.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};
use sops::config::Strictness;
use sops::{Config, ConfigError, CreationRule, Policy, Selector};

use crate::breach::RulePlace;
use crate::reach::{Reach, by_path, reach};

/// `.sops.yaml` files: path from the repository's root with `/`, and bytes.
pub type Configs = BTreeMap<BString, Vec<u8>>;

/// The name of a configuration.
const NAME: &str = ".sops.yaml";

/// The rules that judge. Holds no state of a check; shared by all workers.
#[derive(Debug, Default)]
pub struct Rules {
    pub(crate) now: Tree,
    pub(crate) base: Option<Tree>,
    pub(crate) accepted: Vec<String>,
}

/// The configurations of one state of the repository, by folder (`/` at the end; the root is empty).
#[derive(Debug, Default)]
pub(crate) struct Tree(BTreeMap<BString, Loaded>, Option<Everywhere>);

/// Where a configuration lies that governs every file, as `--config` wants: by the file's path from the configuration's
/// folder, or by its whole path if it lies elsewhere.
#[derive(Clone, Debug)]
pub struct Everywhere {
    /// The configuration's absolute path.
    pub file: BString,
    /// The absolute path of the folder that paths are given from.
    pub root: BString,
}

impl Everywhere {
    /// The path that the rules are asked about; `None` for the configuration itself.
    fn asked(&self, path: &[u8]) -> Option<BString> {
        let mut whole = self.root.clone();
        if !whole.ends_with(b"/") {
            whole.push(b'/');
        }
        whole.extend_from_slice(path);
        let below = whole.strip_prefix(folder_of(&self.file)).map(BString::from);
        (whole != self.file).then(|| below.unwrap_or(whole))
    }
}

/// One configuration as far as it can be read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) path: BString,
    /// As SOPS would take it; `None` if nobody can read it.
    pub(crate) config: Option<Config>,
    /// What a strict reader says.
    pub(crate) error: Option<ConfigError>,
}

/// A creation rule that covers a file.
#[derive(Clone, Copy)]
pub(crate) struct Cover<'a> {
    pub(crate) config: &'a BStr,
    pub(crate) rule: &'a CreationRule,
    pub(crate) reach: Reach,
    /// Whether it is a rule of before the change.
    pub(crate) before: bool,
}

impl Rules {
    /// Reads the configurations as they are (`now`) and, where the caller has them, as they were before the change
    /// (`base`: HEAD, the merge base, the old ref). Files are judged by both, so that a change of the rules cannot
    /// let through what the old ones forbid. Entries whose name is not `.sops.yaml` are passed over. What cannot
    /// be read is told by [`Rules::check_rules`].
    pub fn new(base: Option<&Configs>, now: &Configs) -> Self {
        Self { now: Tree::load(now), base: base.map(Tree::load), accepted: Vec::new() }
    }

    /// One configuration, whatever its name, for every file; `path` is what it is called in breaches.
    pub fn everywhere(path: &BString, text: &[u8], place: Everywhere) -> Self {
        let files = BTreeMap::from([(BString::default(), Loaded::read(path, text))]);
        Self { now: Tree(files, Some(place)), ..Self::default() }
    }

    /// Takes recipients as accepted: that a change names them is no breach.
    pub fn accept(&mut self, recipients: impl IntoIterator<Item = String>) {
        self.accepted.extend(recipients);
    }

    /// Whether `path` is a configuration.
    pub fn is_config(path: &[u8]) -> bool {
        name_of(path) == NAME.as_bytes()
    }

    /// Whether a rule may say that a file of this path is to be encrypted: what a source needs to know before it
    /// reads the file. True for every file whose content decides.
    pub fn covers(&self, path: &[u8]) -> bool {
        self.covers_of(path).iter().any(|cover| by_path(cover.reach, path).is_some())
    }

    /// Whether the folder of this path has no configuration of its own.
    pub(crate) fn covers_nothing_at(&self, path: &[u8]) -> bool {
        !self.now.0.contains_key(folder_of(path).as_bstr())
    }

    /// The rules that cover a path: the present one first.
    pub(crate) fn covers_of<'a>(&'a self, path: &[u8]) -> Vec<Cover<'a>> {
        let now = self.now.cover(path);
        let base = self.base.as_ref().and_then(|base| base.cover(path)).map(|cover| Cover { before: true, ..cover });
        let differs = |base: &Cover<'_>| {
            now.as_ref().is_none_or(|now| now.rule.policy != base.rule.policy || now.reach != base.reach)
        };
        let base = base.filter(differs);
        now.into_iter().chain(base).collect()
    }
}

impl Tree {
    fn load(configs: &Configs) -> Self {
        let files = configs.iter().filter(|(path, _)| Rules::is_config(path));
        Self(files.map(|(path, text)| (folder_of(path).into(), Loaded::read(path, text))).collect(), None)
    }

    /// Every configuration.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Loaded> {
        self.0.values()
    }

    /// The configuration at `path`.
    pub(crate) fn file(&self, path: &BStr) -> Option<&Loaded> {
        self.0.get(folder_of(path).as_bstr())
    }

    /// The nearest configuration from the file's folder upward.
    pub(crate) fn governing(&self, path: &[u8]) -> Option<&Loaded> {
        let mut folder = folder_of(path);
        loop {
            if let Some(found) = self.0.get(folder.as_bstr()) {
                return Some(found);
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder_of(&folder[..folder.len() - 1]);
        }
    }

    /// The rule that covers `path`.
    pub(crate) fn cover(&self, path: &[u8]) -> Option<Cover<'_>> {
        if Rules::is_config(path) {
            return None;
        }
        let loaded = self.governing(path)?;
        let asked = self.1.as_ref().map(|place| place.asked(path));
        let relative = match &asked {
            Some(asked) => asked.as_ref()?.to_str_lossy(),
            None => path[folder_of(&loaded.path).len()..].to_str_lossy(),
        };
        let (_, rule) = loaded.config.as_ref()?.rule_for(&relative)?;
        Some(Cover { config: loaded.path.as_bstr(), rule, reach: reach(rule, &relative), before: false })
    }
}

impl Loaded {
    fn read(path: &BString, text: &[u8]) -> Self {
        let strict = Config::parse(text, Strictness::Strict);
        match strict {
            Ok(config) => Self { path: path.clone(), config: Some(config), error: None },
            Err(error) => {
                let config = Config::parse(text, Strictness::Unchecked).ok();
                Self { path: path.clone(), config, error: Some(error) }
            }
        }
    }
}

impl Cover<'_> {
    /// Where the rule stands.
    pub(crate) fn place(&self) -> RulePlace {
        RulePlace { path: self.config.to_owned(), line: self.rule.line, before: self.before }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.rule.policy
    }

    /// The selector that the rule's files get.
    pub(crate) fn selector(&self) -> Selector {
        self.policy().selector.clone().unwrap_or_default()
    }
}

/// The folder of a path with its `/`; empty at the root.
pub(crate) fn folder_of(path: &[u8]) -> &[u8] {
    path.rfind_byte(b'/').map_or(b"", |at| &path[..=at])
}

/// The last part of a path.
pub(crate) fn name_of(path: &[u8]) -> &[u8] {
    &path[folder_of(path).len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "age1d8v3r9npq5jhdn306sl66jqrz50lkhdt6ghm2cc2v56hn473h9rskfwjju";

    fn rules(files: &[(&str, &str)]) -> Rules {
        let text = |text: &str| text.replace("KEY", KEY).into_bytes();
        let configs = files.iter().map(|(path, rules)| (BString::from(*path), text(rules))).collect();
        Rules::new(None, &configs)
    }

    #[test]
    fn the_nearest_configuration_governs_and_sees_paths_from_its_own_folder() {
        let rules = rules(&[
            (".sops.yaml", "creation_rules:\n  - path_regex: ^a/b/x\\.yaml$\n    age: KEY\n"),
            ("a/.sops.yaml", "creation_rules:\n  - path_regex: ^c/y\\.yaml$\n    age: KEY\n"),
            ("a/.sops.yml", "creation_rules:\n  - age: KEY\n"),
        ]);
        assert!(rules.covers(b"a/c/y.yaml"));
        assert!(!rules.covers(b"a/b/x.yaml"), "the nested file hides the one above");
        assert!(!rules.covers(b"c/y.yaml"));
        assert!(!rules.covers(b"a/.sops.yaml"));
    }

    #[test]
    fn a_bad_recipient_does_not_switch_the_rule_off() {
        let rules = rules(&[(".sops.yaml", "creation_rules:\n  - path_regex: x\\.yaml$\n    age: age1nonsense\n")]);
        assert!(rules.covers(b"x.yaml"));
        assert!(rules.now.files().all(|file| file.error.is_some()));
    }
}
