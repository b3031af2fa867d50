//! What only an identity can tell: whether the values are those that the MAC was made over.

use keys::Keyring;
use sops::{Encrypted, Look, SopsError, Standing, examine, look};

use crate::breach::{Breach, Kind};
use crate::file::{FileVersion, format_of};
use crate::rules::Rules;
use scan::Confidence;

impl Rules {
    /// As [`Rules::check`], and opens the file with `ring` if it holds together and an identity fits: every value must
    /// decrypt and the MAC must be right. A file that no identity opens is judged without.
    pub fn check_with(&self, file: &FileVersion<'_>, ring: &Keyring) -> Vec<Breach> {
        let mut breaches = self.check(file);
        let hurts = |breach: &Breach| !is_drift(breach.kind) && breach.confidence > Confidence::Low;
        if breaches.iter().any(hurts) || !crate::seems_encrypted(file.path, file.bytes) {
            return breaches;
        }
        if let Look::Encrypted(encrypted) = look(file.bytes, format_of(file.path, file.bytes)) {
            breaches.extend(open(file, *encrypted, ring));
        }
        breaches
    }
}

/// Breaches that leave a file as readable as it was.
fn is_drift(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::RecipientMissing | Kind::RecipientUnlisted | Kind::GroupDrift | Kind::SelectorDrift | Kind::RolledBack
    )
}

fn open(file: &FileVersion<'_>, encrypted: Encrypted, ring: &Keyring) -> Vec<Breach> {
    let Ok(key) = encrypted.data_key(ring) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in examine(encrypted.metadata(), &key, ring) {
        if entry.standing == Standing::False {
            let who = keys::short_recipient(&entry.recipient);
            let what = format!("the wrapped data key that bears the name of {who} is not for it, or holds another key");
            found.push(Breach::of_file(Kind::KeyEntryBroken, file.path, what).about(who));
        }
    }
    let next = "put the old version back and make the change with plomb edit or plomb set";
    match encrypted.unlock(key, false).and_then(sops::Unlocked::verify) {
        Ok(_) => {}
        Err(SopsError::Value { place, source }) => {
            let shown = crate::breach::shown_path(&place.path);
            let what = format!("the value {shown} {source}");
            let breach = Breach::of_file(Kind::ValueUnauthentic, file.path, what).at_place(place.at);
            found.push(breach.on(place.document, place.path).next(next));
        }
        Err(error) => found.push(Breach::of_file(Kind::MacMismatch, file.path, error.to_string()).next(next)),
    }
    found
}
