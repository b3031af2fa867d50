//! Which commits are asked for.

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use super::choice::Choice;
use super::refs::Refs;
use crate::SourceError;
use crate::repository::Repository;

/// Commits that some revisions reach and others do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Start from every ref.
    pub all: bool,
    /// Start from these revisions too.
    pub include: Vec<BString>,
    /// Leave out what every ref reaches: what a push or a fetch brings.
    pub not_all: bool,
    /// Leave out what these revisions reach. Names that do not exist are ignored if they are all zeros (a hook's way to
    /// say "nothing").
    pub exclude: Vec<BString>,
    /// Leave out what these objects reach, as far as they are here: what a remote says it has.
    pub exclude_if_known: Vec<BString>,
    /// Leave out what any remote-tracking ref reaches.
    pub not_remotes: bool,
    /// Start from these kinds of refs too.
    pub branches: bool,
    /// See `branches`.
    pub tags: bool,
    /// See `branches`.
    pub remotes: bool,
    /// Start from both of two revisions, and leave out what both reach: `A...B`.
    pub either: Vec<(BString, BString)>,
    /// What of all that counts.
    pub choice: Choice,
}

/// Resolved.
#[derive(Debug, Default)]
pub(super) struct Tips {
    pub(super) include: Vec<ObjectId>,
    pub(super) exclude: Vec<ObjectId>,
    /// Pairs of which what both reach is left out; they are among `include`.
    pub(super) either: Vec<(ObjectId, ObjectId)>,
}

impl Selection {
    /// Everything.
    pub fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// As `git log` reads its arguments: `A..B`, `A..`, `..B`, `A...B`, `^A`, `B`, `B^!`, `--all`, `--branches`, `--tags`,
    /// `--remotes`; after `--not` what was included is left out and the other way round.
    ///
    /// # Errors
    /// [`SourceError::Revision`] for what is none of these.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a BStr>) -> Result<Self, SourceError> {
        let mut selection = Self::default();
        let mut not = false;
        for word in words {
            let or_head = |name: &'a [u8]| BString::from(if name.is_empty() { b"HEAD" } else { name });
            if word.is_empty()
                || word.starts_with(b"-") && !selection.option(word, &mut not)
                || word.contains_str("...") && not
            {
                return Err(SourceError::Revision { name: word.to_owned() });
            } else if word.starts_with(b"-") {
                continue;
            } else if let Some((from, to)) = word.split_once_str("...") {
                selection.either.push((or_head(from), or_head(to)));
            } else if let Some((from, to)) = word.split_once_str("..") {
                selection.side(!not).push(or_head(from));
                selection.side(not).push(or_head(to));
            } else if let Some(name) = word.strip_prefix(b"^") {
                selection.side(!not).push(name.into());
            } else {
                selection.side(not).push(word.to_owned());
            }
        }
        Ok(selection)
    }

    /// Takes an option that chooses refs; whether it is one.
    fn option(&mut self, word: &[u8], not: &mut bool) -> bool {
        let flag = match (word, *not) {
            (b"--not", _) => {
                *not = !*not;
                return true;
            }
            (b"--all", false) => &mut self.all,
            (b"--all", true) => &mut self.not_all,
            (b"--remotes", true) => &mut self.not_remotes,
            (b"--remotes", false) => &mut self.remotes,
            (b"--branches", false) => &mut self.branches,
            (b"--tags", false) => &mut self.tags,
            _ => return false,
        };
        *flag = true;
        true
    }

    /// Whether it has commits to start from; not if there are only such that are left out.
    pub fn has_a_start(&self) -> bool {
        !self.include.is_empty() || !self.either.is_empty() || self.all || self.branches || self.tags || self.remotes
    }

    /// What a push brings: these new tips without everything that the repository has already. For `pre-receive` the
    /// quarantine folders must be known ([`Repository::with_object_folders`]).
    pub fn brought(new: impl IntoIterator<Item = BString>) -> Self {
        Self { include: new.into_iter().filter(|name| !is_zero(name)).collect(), not_all: true, ..Self::default() }
    }

    fn side(&mut self, exclude: bool) -> &mut Vec<BString> {
        if exclude { &mut self.exclude } else { &mut self.include }
    }

    pub(super) fn resolve(&self, repository: &Repository, refs: &Refs) -> Result<Tips, SourceError> {
        let repo = repository.local();
        let objects = repository.objects();
        let find = |name: &BString| {
            // A pushed object is named by its whole id and need not be in the repository yet.
            let id = ObjectId::from_hex(name).ok().filter(|id| id.kind() == repo.object_hash());
            let id = id.or_else(|| repo.rev_parse_single(name.as_bstr()).ok().map(gix::Id::detach));
            let id = id.filter(|id| objects.header(*id).is_ok());
            id.ok_or_else(|| SourceError::Revision { name: name.clone() })
        };
        let mut tips = Tips::default();
        if self.all {
            tips.include.extend(&refs.targets);
            tips.include.extend(refs.stashes.iter().filter(|id| !refs.targets.contains(id)));
        }
        if self.not_all {
            tips.exclude.extend(&refs.targets);
        }
        for name in &self.include {
            match name.strip_suffix(b"^!") {
                None => tips.include.push(find(name)?),
                Some(commit) => {
                    let id = repository.commit(commit.as_bstr())?;
                    tips.include.push(id);
                    tips.exclude.extend(objects.parents_of(id)?);
                }
            }
        }
        let kinds = [(self.branches, &refs.branches), (self.tags, &refs.tags), (self.remotes, &refs.remotes)];
        for (_, targets) in kinds.into_iter().filter(|(chosen, _)| *chosen) {
            tips.include.extend(targets);
        }
        for (one, other) in &self.either {
            let pair = (find(one)?, find(other)?);
            tips.include.extend([pair.0, pair.1]);
            tips.either.push(pair);
        }
        if self.not_remotes {
            tips.exclude.extend(&refs.remotes);
        }
        tips.exclude.extend(self.exclude_if_known.iter().filter_map(|name| find(name).ok()));
        for name in self.exclude.iter().filter(|name| !is_zero(name)) {
            tips.exclude.push(find(name)?);
        }
        Ok(tips)
    }
}

fn is_zero(name: &[u8]) -> bool {
    name.len() >= 40 && name.iter().all(|byte| *byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_git_log() {
        let parse = |words: &[&str]| Selection::parse(words.iter().map(|word| BStr::new(*word)));
        let range = parse(&["A..B"]).unwrap();
        assert_eq!((range.include, range.exclude), (vec!["B".into()], vec!["A".into()]));
        let open = parse(&["A..", "^C", "D"]).unwrap();
        assert_eq!((open.include, open.exclude), (vec!["HEAD".into(), "D".into()], vec!["A".into(), "C".into()]));
        let push = parse(&["new", "--not", "--all"]).unwrap();
        assert_eq!((push.include, push.all, push.not_all), (vec!["new".into()], false, true));
        assert_eq!(parse(&["A...B"]).unwrap().either, [("A".into(), "B".into())]);
        assert!(parse(&["--not", "A...B"]).is_err());
        assert!(parse(&["--since=x"]).is_err());
    }
}
