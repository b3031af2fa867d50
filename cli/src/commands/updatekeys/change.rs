//! What differs between a file's metadata and a creation rule, and how that is shown.

use document::Format;
use keys::same_recipient;
use sops::{Metadata, Policy, Selector};

use crate::context::Mode;

/// The difference between a file and the rule for it.
#[derive(Debug)]
pub(crate) struct Change {
    /// The recipients of each group as they shall be.
    pub(crate) groups: Vec<Vec<String>>,
    /// Per group: who stays, comes, goes.
    pub(crate) diffs: Vec<GroupDiff>,
    /// The threshold as stored, before and after.
    pub(crate) threshold: (Option<usize>, Option<usize>),
    /// Keys of other kinds that the rule names.
    pub(crate) foreign: Vec<String>,
    selector: Option<(Selector, Selector)>,
    mac_only_encrypted: Option<bool>,
    /// Keys of other kinds that only the file has.
    foreign_gone: Vec<String>,
    /// Keys of other kinds that only the rule names.
    foreign_new: Vec<String>,
    /// Entries that nobody can open, or that do not hold the data key.
    damaged: Vec<String>,
}

/// What happens to one group.
#[derive(Debug, Default)]
pub(crate) struct GroupDiff {
    /// Recipients who stay.
    pub(crate) common: Vec<String>,
    /// Recipients who come.
    pub(crate) added: Vec<String>,
    /// Recipients who go, and second entries of those who stay.
    pub(crate) removed: Vec<String>,
}

impl Change {
    /// The difference. In the drop-in mode it is SOPS': the rule's selectors do not count, and its threshold
    /// only bounds the file's.
    pub(crate) fn between(metadata: &Metadata, policy: &Policy, format: &dyn Format, mode: Mode) -> Self {
        let groups = without_repetitions(&policy.groups);
        let file: Vec<Vec<String>> =
            metadata.groups.iter().map(|group| group.age.iter().map(|key| key.recipient.clone()).collect()).collect();
        let none = Vec::new();
        let count = file.len().max(groups.len());
        let group = |all: &[Vec<String>], number: usize| all.get(number).unwrap_or(&none).clone();
        let diffs = (0..count).map(|number| GroupDiff::between(&group(&file, number), &group(&groups, number)));
        let of_file: Vec<String> = metadata.groups.iter().flat_map(sops::Group::foreign).collect();
        // A binary file is one value: no selector applies to it.
        let ours = mode == Mode::Plomb && format.edits_in_place();
        let selector = policy.selector.clone().unwrap_or_default();
        let changes = ours && selector != metadata.selector;
        let after = match mode {
            Mode::Plomb => policy.stored_threshold(),
            Mode::Sops => metadata.threshold.map(|threshold| threshold.min(groups.len())).filter(|it| *it > 0),
        };
        Self {
            diffs: diffs.collect(),
            threshold: (metadata.threshold, after),
            foreign_gone: missing(&of_file, &policy.foreign),
            foreign_new: missing(&policy.foreign, &of_file),
            foreign: policy.foreign.clone(),
            selector: changes.then(|| (metadata.selector.clone(), selector)),
            mac_only_encrypted: (ours && policy.mac_only_encrypted != metadata.mac_only_encrypted)
                .then_some(policy.mac_only_encrypted),
            damaged: damaged(metadata),
            groups,
        }
    }

    /// Adds entries that were found not to hold the data key.
    pub(crate) fn add_false(&mut self, names: Vec<String>) {
        self.damaged.extend(names);
    }

    /// Whether everything is as the rule says.
    pub(crate) fn is_empty(&self) -> bool {
        let readers = self.diffs.iter().all(|diff| diff.added.is_empty() && diff.removed.is_empty());
        readers
            && self.threshold.0 == self.threshold.1
            && self.foreign_gone.is_empty()
            && self.foreign_new.is_empty()
            && self.damaged.is_empty()
            && !self.touches_values()
    }

    /// Whether somebody can no longer read the file afterwards.
    pub(crate) fn removes_readers(&self) -> bool {
        self.diffs.iter().any(|diff| !diff.removed.is_empty())
    }

    /// Whether values must be encrypted or decrypted.
    pub(crate) fn touches_values(&self) -> bool {
        self.selector.is_some() || self.mac_only_encrypted.is_some()
    }

    /// Sets selector and MAC scope.
    pub(crate) fn put_selector(&self, metadata: &mut Metadata) {
        if let Some((_, new)) = &self.selector {
            metadata.selector = new.clone();
            metadata.selector_written = true;
        }
        metadata.mac_only_encrypted = self.mac_only_encrypted.unwrap_or(metadata.mac_only_encrypted);
    }

    /// For people: one line per recipient, threshold and selector.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (number, diff) in self.diffs.iter().enumerate() {
            if self.diffs.len() > 1 {
                lines.push(format!("  group {}", number + 1));
            }
            lines.extend(diff.common.iter().map(|name| format!("    {name}")));
            lines.extend(diff.added.iter().map(|name| format!("  + {name}")));
            lines.extend(diff.removed.iter().map(|name| format!("  - {name}")));
        }
        lines.extend(self.foreign_new.iter().map(|name| format!("  + {name}")));
        lines.extend(self.foreign_gone.iter().map(|name| format!("  - {name}")));
        lines.extend(
            self.damaged
                .iter()
                .map(|name| format!("  ~ {name} (its entry does not hold the data key for it; written anew)")),
        );
        let (before, after) = self.threshold;
        if before != after {
            lines.extend(after.map(|number| format!("  + shamir_threshold {number}")));
            lines.extend(before.map(|number| format!("  - shamir_threshold {number}")));
        }
        if let Some((before, after)) = &self.selector {
            for (sign, (field, text)) in [('+', after.field()), ('-', before.field())] {
                lines.push(format!("  {sign} {field} {text:?}"));
            }
        }
        lines.extend(self.mac_only_encrypted.map(|on| format!("  {} mac_only_encrypted", if on { '+' } else { '-' })));
        lines
    }
}

impl GroupDiff {
    fn between(file: &[String], rule: &[String]) -> Self {
        let mut diff = Self::default();
        let has = |list: &[String], name: &str| list.iter().any(|other| same_recipient(other, name));
        for name in rule {
            if has(file, name) { diff.common.push(name.clone()) } else { diff.added.push(name.clone()) }
        }
        let mut seen: Vec<String> = Vec::new();
        for name in file {
            if !has(rule, name) || has(&seen, name) {
                diff.removed.push(name.clone());
            }
            seen.push(name.clone());
        }
        diff
    }
}

fn damaged(metadata: &Metadata) -> Vec<String> {
    let entries = metadata.groups.iter().flat_map(|group| &group.age);
    entries.filter(|key| keys::WrappedKey::parse(&key.enc).is_err()).map(|key| key.recipient.clone()).collect()
}

/// What `a` has and `b` has not.
fn missing(a: &[String], b: &[String]) -> Vec<String> {
    a.iter().filter(|name| !b.contains(name)).cloned().collect()
}

fn without_repetitions(groups: &[Vec<String>]) -> Vec<Vec<String>> {
    let once = |group: &Vec<String>| {
        let mut names: Vec<String> = Vec::new();
        for name in group {
            if !names.iter().any(|other| same_recipient(other, name)) {
                names.push(name.clone());
            }
        }
        names
    };
    groups.iter().map(once).collect()
}
