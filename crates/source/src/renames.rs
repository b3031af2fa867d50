//! Which removed file a new file was made from, by the rules of Git's default rename detection (equal bytes; then equal
//! names at 75 %; then anything at 50 %), so that "added lines" means what `git log -p` shows.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

/// One side of a possible rename.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) path: BString,
    pub(crate) id: ObjectId,
    pub(crate) regular: bool,
}

/// Similarity counts in parts of this.
const WHOLE: u64 = 60_000;
const LEAST: u64 = WHOLE / 2;
const LEAST_SAME_NAME: u64 = LEAST + LEAST / 2;

/// More pairs than this are not compared.
const MOST_PAIRS: usize = 1000 * 1000;

/// So many of the best sources are remembered for each new file.
const BEST: usize = 4;

/// How often each span of a file occurs, in bytes, by the span's hash, ascending.
struct Spans {
    size: u64,
    counts: Vec<(u32, u64)>,
}

/// For each of `new` (in order of path, as `gone`) the index of what it was made from.
/// `load` gives a blob's bytes, or nothing if it cannot or should not be read.
pub(crate) fn pair(
    gone: &[Side],
    new: &[Side],
    load: &mut dyn FnMut(ObjectId) -> Option<Rc<[u8]>>,
) -> Vec<Option<usize>> {
    let mut matcher = Matcher {
        gone,
        new,
        load,
        used: vec![false; gone.len()],
        made_from: vec![None; new.len()],
        spans: HashMap::new(),
    };
    matcher.equal_bytes();
    matcher.equal_names();
    matcher.similar();
    matcher.made_from
}

struct Matcher<'m> {
    gone: &'m [Side],
    new: &'m [Side],
    load: &'m mut dyn FnMut(ObjectId) -> Option<Rc<[u8]>>,
    used: Vec<bool>,
    made_from: Vec<Option<usize>>,
    spans: HashMap<ObjectId, Option<Rc<Spans>>>,
}

/// The first that is not used yet; those before it are dropped.
fn first_free(sources: &mut VecDeque<usize>, used: &[bool]) -> Option<usize> {
    while sources.front().is_some_and(|source| used[*source]) {
        sources.pop_front();
    }
    sources.front().copied()
}

impl Matcher<'_> {
    fn record(&mut self, new: usize, gone: usize) {
        self.used[gone] = true;
        self.made_from[new] = Some(gone);
    }

    fn equal_bytes(&mut self) {
        // What is used is dropped: a blob may stand at more paths than could be looked at for each of as many.
        let (gone, new) = (self.gone, self.new);
        let mut same: HashMap<_, VecDeque<usize>> = HashMap::new();
        let mut same_name: HashMap<_, VecDeque<usize>> = HashMap::new();
        for (index, side) in gone.iter().enumerate() {
            same.entry((side.id, side.regular)).or_default().push_back(index);
            same_name.entry((side.id, side.regular, name(&side.path))).or_default().push_back(index);
        }
        for (index, target) in new.iter().enumerate() {
            let named = same_name.get_mut(&(target.id, target.regular, name(&target.path)));
            let named = named.and_then(|sources| first_free(sources, &self.used));
            let any = || first_free(same.get_mut(&(target.id, target.regular))?, &self.used);
            if let Some(source) = named.or_else(any) {
                self.record(index, source);
            }
        }
    }

    fn equal_names(&mut self) {
        let (gone, new) = (self.gone, self.new);
        let sources = unique(gone, |index| !self.used[index]);
        let targets = unique(new, |index| self.made_from[index].is_none());
        for (index, side) in gone.iter().enumerate() {
            let base = name(&side.path);
            if sources.get(base) != Some(&Some(index)) {
                continue;
            }
            if let Some(Some(target)) = targets.get(base)
                && self.score(index, *target, LEAST_SAME_NAME) >= LEAST_SAME_NAME
            {
                self.record(*target, index);
            }
        }
    }

    fn similar(&mut self) {
        let sources: Vec<usize> = (0..self.gone.len()).filter(|index| !self.used[*index]).collect();
        let targets: Vec<usize> = (0..self.new.len()).filter(|index| self.made_from[*index].is_none()).collect();
        if sources.len().saturating_mul(targets.len()) > MOST_PAIRS {
            return;
        }
        let mut pairs = Vec::new();
        for target in targets {
            let mut best: Vec<Pair> = Vec::with_capacity(BEST);
            for &source in &sources {
                let score = self.score(source, target, LEAST);
                let same_name = name(&self.gone[source].path) == name(&self.new[target].path);
                keep_best(&mut best, Pair { score, same_name, source, target });
            }
            pairs.extend(best);
        }
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.rank()));
        for pair in pairs {
            if pair.score >= LEAST && self.made_from[pair.target].is_none() && !self.used[pair.source] {
                self.record(pair.target, pair.source);
            }
        }
    }

    /// How much of the larger file is in both, of [`WHOLE`].
    fn score(&mut self, source: usize, target: usize, least: u64) -> u64 {
        let (source, target) = (&self.gone[source], &self.new[target]);
        if !source.regular || !target.regular {
            return 0;
        }
        let (Some(source), Some(target)) = (self.spans(source.id), self.spans(target.id)) else { return 0 };
        let larger = source.size.max(target.size);
        let apart = source.size.abs_diff(target.size);
        if target.size == 0 || larger * (WHOLE - least) < apart * WHOLE {
            return 0;
        }
        source.common(&target) * WHOLE / larger
    }

    fn spans(&mut self, id: ObjectId) -> Option<Rc<Spans>> {
        let load = &mut *self.load;
        self.spans.entry(id).or_insert_with(|| load(id).map(|bytes| Rc::new(Spans::of(&bytes)))).clone()
    }
}

#[derive(Clone, Copy)]
struct Pair {
    score: u64,
    same_name: bool,
    source: usize,
    target: usize,
}

impl Pair {
    fn rank(&self) -> (u64, bool) {
        (self.score, self.same_name)
    }
}

fn keep_best(best: &mut Vec<Pair>, pair: Pair) {
    if best.len() < BEST {
        return best.push(pair);
    }
    let mut worst = 0;
    for index in 1..best.len() {
        if best[index].rank() < best[worst].rank() {
            worst = index;
        }
    }
    if best[worst].rank() < pair.rank() {
        best[worst] = pair;
    }
}

/// Names that only one of the wanted sides has.
fn unique(sides: &[Side], wanted: impl Fn(usize) -> bool) -> HashMap<&BStr, Option<usize>> {
    let mut names = HashMap::new();
    for (index, side) in sides.iter().enumerate().filter(|(index, _)| wanted(*index)) {
        names.entry(name(&side.path)).and_modify(|found| *found = None).or_insert(Some(index));
    }
    names
}

fn name(path: &BString) -> &BStr {
    path.rsplit_once_str("/").map_or(path.as_bstr(), |(_, name)| name.as_bstr())
}

impl Spans {
    /// Spans end at a line end or after 64 bytes; the carriage return of a text's line end does not count.
    fn of(bytes: &[u8]) -> Self {
        let is_text = memchr::memchr(0, &bytes[..bytes.len().min(8000)]).is_none();
        let mut spans = Vec::new();
        let (mut low, mut high, mut length) = (0u32, 0u32, 0u64);
        for (index, &byte) in bytes.iter().enumerate() {
            if is_text && byte == b'\r' && bytes.get(index + 1) == Some(&b'\n') {
                continue;
            }
            let before = low;
            low = (low << 7) ^ (high >> 25);
            high = (high << 7) ^ (before >> 25);
            low = low.wrapping_add(u32::from(byte));
            length += 1;
            if length == 64 || byte == b'\n' {
                spans.push((hash(low, high), length));
                (low, high, length) = (0, 0, 0);
            }
        }
        if length > 0 {
            spans.push((hash(low, high), length));
        }
        spans.sort_unstable();
        let mut counts: Vec<(u32, u64)> = Vec::new();
        for (hash, length) in spans {
            match counts.last_mut() {
                Some(last) if last.0 == hash => last.1 += length,
                _ => counts.push((hash, length)),
            }
        }
        Self { size: bytes.len() as u64, counts }
    }

    /// Bytes of spans that are in both.
    fn common(&self, other: &Self) -> u64 {
        let mut common = 0;
        let mut theirs = other.counts.iter().peekable();
        for (hash, length) in &self.counts {
            while theirs.next_if(|(other, _)| other < hash).is_some() {}
            if let Some((_, other)) = theirs.next_if(|(other, _)| other == hash) {
                common += length.min(other);
            }
        }
        common
    }
}

fn hash(low: u32, high: u32) -> u32 {
    low.wrapping_add(high.wrapping_mul(0x61)) % 107_927
}
