//! Which of the commits that were reached count, and which of their files: what `git log` takes beside revisions.

use bstr::{BStr, BString, ByteSlice};

/// What `git log` leaves out of what it has reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Of a merge, only the first parent is followed, and compared with.
    pub first_parent: bool,
    /// Merges are left out.
    pub no_merges: bool,
    /// Only merges.
    pub only_merges: bool,
    /// Nothing older, in seconds of the epoch by the committer's clock; nor what only older commits lead to.
    pub since: Option<i64>,
    /// Nothing newer.
    pub until: Option<i64>,
    /// So many of the newest are left out.
    pub skip: usize,
    /// No more than so many.
    pub at_most: Option<usize>,
    /// Only these files, by pathspecs; all if there are none.
    pub paths: Paths,
    /// Only changes of these kinds.
    pub kinds: Kinds,
}

impl Choice {
    /// Whether a commit with this date and number of parents counts.
    pub(super) fn wants(&self, date: i64, parents: usize) -> bool {
        let merge = parents > 1;
        let in_time = self.until.is_none_or(|until| date <= until) && self.since.is_none_or(|since| date >= since);
        in_time && !(merge && self.no_merges) && (merge || !self.only_merges)
    }
}

/// Kinds of changes, as `--diff-filter` names them. New, renamed and copied files are one kind here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// New at its path.
    pub added: bool,
    /// Changed.
    pub modified: bool,
    /// A file where a link was, or the other way round.
    pub retyped: bool,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { added: true, modified: true, retyped: true }
    }
}

impl Kinds {
    /// As `--diff-filter` has them: capital letters choose, small ones leave out. `None` for another letter.
    pub fn parse(letters: &str) -> Option<Self> {
        let chosen = letters.chars().any(|letter| letter.is_ascii_uppercase());
        let mut kinds = Self { added: !chosen, modified: !chosen, retyped: !chosen };
        for letter in letters.chars() {
            match letter {
                'A' | 'C' | 'R' => kinds.added = true,
                'M' => kinds.modified = true,
                'T' => kinds.retyped = true,
                'm' => kinds.modified = false,
                't' => kinds.retyped = false,
                // What is left out of additions stays: a file that was renamed and changed is one of them.
                'a' | 'c' | 'r' | 'd' | 'u' | 'x' | 'b' | 'D' | 'U' | 'X' | 'B' => {}
                _ => return None,
            }
        }
        Some(kinds)
    }
}

/// Pathspecs: folders, files, `*` and `?`; with `:!`, `:^` or `:(exclude)` before them, what is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    wanted: Vec<BString>,
    unwanted: Vec<BString>,
}

impl Paths {
    /// As they stand after `--`. `None` for other magic words than those of [`Paths`].
    pub fn parse<'a>(specs: impl IntoIterator<Item = &'a BStr>) -> Option<Self> {
        let mut paths = Self::default();
        for spec in specs {
            let negative = [&b":(exclude)"[..], b":!", b":^"].iter().find_map(|magic| spec.strip_prefix(*magic));
            let top = [&b":/"[..], b":(top)"].iter().find_map(|magic| spec.strip_prefix(*magic));
            let plain = negative.or(top).unwrap_or(spec);
            if plain.starts_with(b":") || plain.starts_with(b"/") || plain.contains(&b'[') || plain.contains(&b'\\') {
                return None;
            }
            let plain = plain.strip_prefix(b"./").unwrap_or(plain).trim_end_with(|end| end == '/');
            let plain = BString::from(if plain == b"." { &b""[..] } else { plain });
            if negative.is_some() { &mut paths.unwanted } else { &mut paths.wanted }.push(plain);
        }
        Some(paths)
    }

    /// Whether there is any.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.is_empty()
    }

    /// Whether a path is meant.
    pub(super) fn hold(&self, path: &BStr) -> bool {
        let any = |specs: &[BString]| specs.iter().any(|spec| covers(spec, path));
        (self.wanted.is_empty() || any(&self.wanted)) && !any(&self.unwanted)
    }
}

fn covers(spec: &[u8], path: &[u8]) -> bool {
    let within = |rest: &[u8]| spec.is_empty() || rest.is_empty() || rest.starts_with(b"/");
    path.strip_prefix(spec).is_some_and(within) || (spec.find_byteset(b"*?").is_some() && fits(spec, path))
}

/// Whether `*` (also across folders) and `?` of a pattern can stand for the path.
fn fits(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut to, mut retry) = (0, 0, None);
    while to < path.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, to));
            }
            Some(byte) if *byte == b'?' || *byte == path[to] => {
                at += 1;
                to += 1;
            }
            _ => {
                let Some((star, taken)) = retry else { return false };
                (at, to) = (star, taken + 1);
                retry = Some((star, to));
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Seconds of the epoch that a date in words means: `2024-05-01`, `2024-05-01T10:00:00Z`, `2 weeks ago`, `@1700000000`.
/// A day without a time is its beginning, or with `end` its end, by universal time.
pub fn date(words: &str, end: bool) -> Option<i64> {
    let now = gix::date::Zoned::now();
    let words = words.replace('.', " ");
    let seconds = match words.trim() {
        "now" | "today" => return Some(now.timestamp().as_second()),
        "yesterday" => return Some(now.timestamp().as_second() - 86_400),
        words => gix::date::parse(words, Some(now)).ok()?.seconds,
    };
    let whole_day =
        words.trim().len() == 10 && !words.contains(' ') && words.bytes().filter(|byte| *byte == b'-').count() == 2;
    Some(if end && whole_day { seconds + 86_399 } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_git() {
        let paths = |specs: &[&str]| Paths::parse(specs.iter().map(|spec| BStr::new(*spec))).unwrap();
        let holds = |specs: &[&str], path: &str| paths(specs).hold(path.into());
        assert!(holds(&["a"], "a/b") && holds(&["a/"], "a") && holds(&["."], "x/y") && holds(&[], "x"));
        assert!(!holds(&["a"], "ab") && !holds(&["a", ":!a/b"], "a/b/c") && holds(&["a", ":!a/b"], "a/c"));
        assert!(holds(&["*.tf"], "x/y.tf") && !holds(&["*.tf"], "x/y.tfx") && holds(&[":(exclude)v"], "w"));
        assert!(Paths::parse([BStr::new(":(glob)x")]).is_none());
    }

    #[test]
    fn letters_of_the_filter() {
        let kinds = |letters| Kinds::parse(letters).map(|kinds| (kinds.added, kinds.modified, kinds.retyped));
        assert_eq!(kinds("tuxdb"), Some((true, true, false)));
        assert_eq!(kinds("AM"), Some((true, true, false)));
        assert_eq!(kinds("M"), Some((false, true, false)));
        assert_eq!(kinds("Q"), None);
    }

    #[test]
    fn dates_in_words() {
        assert_eq!(date("2023-11-14", false), Some(1_699_920_000));
        assert_eq!(date("2023-11-14", true), Some(1_700_006_399));
        assert_eq!(date("2023-11-14T22:13:20Z", false), Some(1_700_000_000));
        assert_eq!(date("@1700000000", false), Some(1_700_000_000));
        assert!(date("2.weeks.ago", false) < date("1 day ago", false) && date("2 weeks ago", false).is_some());
        assert_eq!(date("no day", false), None);
    }
}
