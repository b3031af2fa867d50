//! What to do about a file that breaks the rules: a plan, carried out by the shell.

use scan::Confidence;

use crate::breach::{Breach, Kind, RulePlace, ValueAt};
use crate::file::FileVersion;
use crate::rules::Rules;

/// What mends a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Mend {
    /// Nothing is to be done.
    Nothing,
    /// Encrypt the whole file under the rule. `reuse`: its old version was encrypted, so the data key and the
    /// ciphertexts of what did not change can be kept by whoever holds an identity.
    Encrypt {
        /// The rule; `None` if the file was encrypted and no rule covers it.
        rule: Option<RulePlace>,
        /// Whether the old version gives a data key.
        reuse: bool,
    },
    /// Encrypt these values of an encrypted file with its own data key: `sops::rewrite::seal_clear`, which needs an
    /// identity and the version before the change.
    SealValues(Vec<ValueAt>),
    /// Wrap the data key to the recipients of the rule. Needs an identity.
    UpdateReaders(RulePlace),
    /// Take the decrypted copy out of the repository and ignore it.
    Untrack,
    /// No program should decide: what the breaches say to do, the worst first.
    ByHand(Vec<String>),
}

impl Rules {
    /// Says what mends `file`. Breaches that are only guessed at ask for nothing.
    pub fn mend(&self, file: &FileVersion<'_>) -> Mend {
        let mut breaches = self.check(file);
        breaches.retain(|breach| breach.confidence > Confidence::Low);
        let has = |kinds: &[Kind]| breaches.iter().find(|breach| kinds.contains(&breach.kind));
        if has(&[Kind::DecryptedTwin]).is_some() {
            return Mend::Untrack;
        }
        let by_hand = [
            Kind::MergeMarker,
            Kind::MetadataBroken,
            Kind::KeyEntryBroken,
            Kind::TokenBroken,
            Kind::TokenMoved,
            Kind::MacStale,
            Kind::Unreadable,
        ];
        if has(&by_hand).is_some() || breaches.iter().any(is_orphaned) {
            return Mend::ByHand(next_steps(&breaches));
        }
        if crate::seems_encrypted(file.path, file.bytes) && has(&[Kind::NotEncrypted]).is_some() {
            return Mend::ByHand(next_steps(&breaches));
        }
        if let Some(breach) = has(&[Kind::NotEncrypted, Kind::MetadataStripped]) {
            return Mend::Encrypt { rule: breach.rule.clone(), reuse: breach.kind == Kind::MetadataStripped };
        }
        // Who may read must be settled by a person before anything is sealed for the readers that the file names.
        if has(&[Kind::RecipientUnlisted]).is_some() {
            return Mend::ByHand(next_steps(&breaches));
        }
        if has(&[Kind::ValueInClear]).is_some() {
            return seal_values(&breaches);
        }
        let drift = has(&[Kind::RecipientMissing, Kind::GroupDrift]).and_then(|breach| breach.rule.clone());
        drift.map_or(Mend::Nothing, Mend::UpdateReaders)
    }
}

/// The file's own selector names all of the values, or its selector must change first, which a person decides.
fn seal_values(breaches: &[Breach]) -> Mend {
    let clear = || breaches.iter().filter(|breach| breach.kind == Kind::ValueInClear);
    if clear().all(|breach| breach.rule.is_none() && breach.confidence == Confidence::High && breach.value.is_some()) {
        return Mend::SealValues(clear().filter_map(|breach| breach.value.clone()).collect());
    }
    Mend::ByHand(vec!["decrypt the file and encrypt it again, so that it gets the selector of its rule".to_owned()])
}

/// Tokens without a block, or an emptied file: encrypting that would seal the loss.
fn is_orphaned(breach: &Breach) -> bool {
    breach.kind == Kind::MetadataStripped && breach.next.starts_with("git ") | breach.next.starts_with("take ")
}

fn next_steps(breaches: &[Breach]) -> Vec<String> {
    let mut sorted: Vec<&Breach> = breaches.iter().filter(|breach| !breach.next.is_empty()).collect();
    sorted.sort_by_key(|breach| std::cmp::Reverse(breach.severity));
    let mut steps: Vec<String> = Vec::new();
    for breach in sorted {
        if !steps.contains(&breach.next) {
            steps.push(breach.next.clone());
        }
    }
    steps
}
