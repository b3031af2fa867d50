//! One file: read once, handed to the checks that its state asks for.

use document::Format;
use document::format::{ALL, for_path};
use memchr::memmem;
use scan::Confidence;
use scan::finding::Digest;
use sha2::{Digest as _, Sha256};
use sops::{Look, has_block, look};

use crate::breach::{Breach, Kind};
use crate::claim::{Claim, is_sealed_otherwise};
use crate::lines::Lines;
use crate::rules::{Cover, Rules};
use crate::{marker, plain, resource, sealed, twin};

/// Larger files are not parsed.
const LIMIT: usize = 64 << 20;

/// A file as it is about to be committed, or as it lies there.
#[derive(Clone, Copy, Debug)]
pub struct FileVersion<'a> {
    /// Path from the repository's root, with `/`.
    pub path: &'a [u8],
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its bytes before the change, at its old path if it was renamed.
    pub old: Option<&'a [u8]>,
    /// Files of the same folder that are, or are about to be, in the repository. Those that
    /// [`Names::originals_of`](crate::Names::originals_of) gives are enough.
    pub siblings: &'a [Sibling<'a>],
}

/// Another file of the same folder.
#[derive(Clone, Copy, Debug)]
pub struct Sibling<'a> {
    /// Path from the repository's root, with `/`.
    pub path: &'a [u8],
    /// Its bytes, if the caller has them: then names alone do not decide.
    pub bytes: Option<&'a [u8]>,
}

/// Whether a file of this name has a `sops` block, be it usable or not.
pub fn is_encrypted(path: &[u8], bytes: &[u8]) -> bool {
    seems_encrypted(path, bytes) && matches!(look(bytes, format_of(path, bytes)), Look::Encrypted(_) | Look::Broken(_))
}

/// Whether the bytes hold a token or what looks like a block: a search, no parse. A file for which this,
/// [`Rules::covers`] and [`is_resource`](crate::is_resource) are all false, in its old version too, has no breach but a decrypted twin's.
pub fn seems_encrypted(path: &[u8], bytes: &[u8]) -> bool {
    if is_prose(path, bytes) {
        return false;
    }
    memmem::find(bytes, b"ENC[AES256_GCM,").is_some() || has_block(for_path(path), bytes)
}

/// Whether a file is a text for readers that may show an encrypted file, and is none: an encrypted one is JSON as a whole.
pub(crate) fn is_prose(path: &[u8], bytes: &[u8]) -> bool {
    let name = crate::rules::name_of(path).to_ascii_lowercase();
    let ends = [&b".md"[..], b".markdown", b".mdx", b".rst", b".adoc", b".asciidoc", b".html", b".htm"];
    ends.iter().any(|end| name.ends_with(end)) && !bytes.trim_ascii_start().starts_with(b"{")
}

/// The format of a file: by its name; what has no known end by the block in it.
pub(crate) fn format_of(path: &[u8], bytes: &[u8]) -> &'static dyn Format {
    let named = for_path(path);
    if named.edits_in_place() || has_block(named, bytes) || is_prose(path, bytes) {
        return named;
    }
    ALL.iter().copied().find(|format| format.edits_in_place() && has_block(*format, bytes)).unwrap_or(named)
}

/// A file with all that is known of it.
pub(crate) struct Case<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) bytes: &'a [u8],
    pub(crate) format: &'static dyn Format,
    pub(crate) covers: Vec<Cover<'a>>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) lines: Lines<'a>,
    /// The version before, if it was encrypted.
    pub(crate) was: Option<Look>,
    /// Whether it is an EncryptedSecret.
    pub(crate) is_resource: bool,
}

impl Case<'_> {
    /// How sure the rules are by the path alone, and which says so.
    pub(crate) fn claimed_by_path(&self) -> Option<(Confidence, &Claim)> {
        let sure = self.claims.iter().filter_map(|claim| Some((claim.by_path()?, claim)));
        // The first of the surest: the present rules before the old ones.
        sure.reduce(|best, next| if next.0 > best.0 { next } else { best })
    }

    /// How the file is called in the command that encrypts it.
    pub(crate) fn encrypt_it(&self) -> String {
        format!("plomb encrypt -i {}", shell_word(self.path))
    }

    pub(crate) fn breach(&self, kind: Kind, message: impl Into<String>) -> Breach {
        Breach::of_file(kind, self.path, message)
    }
}

impl Rules {
    /// Says how `file` breaks the rules, in the order of its lines. Needs no key. Judged are the rules that cover its
    /// path, now and before the change, and the file's own `sops` block.
    pub fn check(&self, file: &FileVersion<'_>) -> Vec<Breach> {
        if Self::is_config(file.path) {
            return Vec::new();
        }
        if crate::rules::name_of(file.path) == b".sops.yml" && self.covers_nothing_at(file.path) {
            let what = "rules are read from .sops.yaml only: what stands here is without effect";
            let breach = Breach::of_file(Kind::RulesBroken, file.path, what).next("rename it to .sops.yaml");
            return vec![breach.sure(Confidence::Medium)];
        }
        let old = file.old.filter(|old| *old != file.bytes && seems_encrypted(file.path, old));
        let covers = self.covers_of(file.path);
        let mut claims: Vec<Claim> = covers.iter().filter_map(|cover| Claim::of(cover, file.path)).collect();
        let is_resource = resource::is_resource(file.bytes) && !is_prose(file.path, file.bytes);
        if is_resource {
            claims.iter_mut().for_each(|claim| claim.selector = resource::selector());
        }
        let seems = seems_encrypted(file.path, file.bytes);
        if !seems && !is_resource && old.is_none() && claims.is_empty() && !twin::is_candidate(file) {
            return Vec::new();
        }
        let was = old.map(|old| look(old, format_of(file.path, old)));
        let case = Case {
            path: file.path,
            bytes: file.bytes,
            format: format_of(file.path, file.bytes),
            covers,
            claims,
            lines: Lines::new(file.bytes),
            was: was.filter(|was| matches!(was, Look::Encrypted(_) | Look::Broken(_))),
            is_resource,
        };
        let mut breaches = if file.bytes.len() > LIMIT { too_large(&case, seems) } else { judge(case, file) };
        breaches.sort_by(|one, other| one.order().cmp(&other.order()));
        breaches
    }
}

fn judge(mut case: Case<'_>, file: &FileVersion<'_>) -> Vec<Breach> {
    let block = has_block(case.format, case.bytes);
    let mut breaches = marker::check(&case, block);
    if !breaches.is_empty() {
        return breaches;
    }
    let looked = if is_sealed_otherwise(case.bytes) { None } else { Some(look(case.bytes, case.format)) };
    match looked {
        Some(Look::Encrypted(encrypted)) => {
            let lacks = if case.is_resource { resource::encrypted(&case, &encrypted) } else { Vec::new() };
            breaches = sealed::check(&mut case, *encrypted);
            breaches.extend(lacks);
            return breaches;
        }
        Some(Look::Broken(error)) => return vec![sealed::broken(&case, &error)],
        Some(Look::Plain(doc)) if case.is_resource && case.was.is_none() => return resource::plain(&case, doc),
        Some(Look::Plain(doc)) => {
            breaches = plain::check(&mut case, doc);
            if let Some(twin) = twin::check(file, case.format) {
                // Encrypting a copy would be the wrong advice.
                if twin.confidence > Confidence::Low && case.was.is_none() {
                    breaches.clear();
                }
                breaches.push(twin);
            }
        }
        Some(Look::Unreadable(error)) => breaches = plain::unreadable(&case, &error, block),
        None if case.was.is_some() => breaches.push(plain::stripped(&case)),
        None => {}
    }
    breaches
}

fn too_large(case: &Case<'_>, seems: bool) -> Vec<Breach> {
    let Some((confidence, claim)) = case.claimed_by_path() else { return Vec::new() };
    let breach = match seems {
        true => case.breach(Kind::Unreadable, "is larger than 64 MB and was not looked into"),
        false => plain::not_encrypted(case, &claim.rule, "").holding(Digest(Sha256::digest(case.bytes).into())),
    };
    vec![breach.by(Some(claim.rule.clone())).sure(confidence)]
}

/// A path as one word of a shell's line; control characters are replaced.
pub(crate) fn shell_word(path: &[u8]) -> String {
    let text: String =
        String::from_utf8_lossy(path).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let plain = |c: char| c.is_alphanumeric() || "._-/+@%,:=".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
