//! Whether what history brought is still in the tip of some ref.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::ops::Range;

use bstr::{BStr, ByteSlice};
use gix::ObjectId;
use gix::objs::Kind;

use super::Context;
use super::changes::{Mode, entries};
use super::refs::Refs;
use crate::lines;
use crate::pack::reader::Reader;

/// The blobs that tips have at the paths in question.
pub(super) struct Present {
    blobs: HashMap<u32, HashSet<ObjectId>>,
}

/// The different trees of a folder, and what is wanted below it.
type Folder<'p> = (HashSet<ObjectId>, Vec<(&'p BStr, u32)>);

impl Present {
    /// Looks at every tip's tree, each folder once however many tips share it.
    pub(super) fn find(context: &Context<'_>, refs: &Refs, paths: &[u32], reader: &mut Reader<'_>) -> Self {
        let tips = refs.targets.iter().chain(&context.commits.starts);
        let objects = context.history.repository.objects();
        let trees = tips.filter_map(|tip| objects.peel(*tip)).filter_map(|tip| objects.tree_of(tip).ok()).collect();
        let names = paths.iter().map(|path| (context.changes.paths[*path as usize].as_bstr(), *path)).collect();
        let mut present = Self { blobs: HashMap::new() };
        present.folder(reader, trees, names);
        present
    }

    fn folder(&mut self, reader: &mut Reader<'_>, trees: HashSet<ObjectId>, paths: Vec<(&BStr, u32)>) {
        let mut folders: BTreeMap<&BStr, Folder<'_>> = BTreeMap::new();
        let mut files: HashMap<&BStr, u32> = HashMap::new();
        for (path, number) in paths {
            match path.split_once_str("/") {
                Some((name, rest)) => folders.entry(name.as_bstr()).or_default().1.push((rest.as_bstr(), number)),
                None => drop(files.insert(path, number)),
            }
        }
        for tree in trees {
            let Ok(bytes) = reader.expect(tree, Kind::Tree) else { continue };
            for (name, leaf) in entries(&bytes, tree.kind()) {
                match leaf.mode {
                    Mode::Tree => {
                        if let Some((trees, _)) = folders.get_mut(name) {
                            trees.insert(leaf.id);
                        }
                    }
                    Mode::File | Mode::Link => {
                        if let Some(number) = files.get(name) {
                            self.blobs.entry(*number).or_default().insert(leaf.id);
                        }
                    }
                    Mode::Submodule => {}
                }
            }
        }
        for (trees, paths) in folders.into_values().filter(|(trees, _)| !trees.is_empty()) {
            self.folder(reader, trees, paths);
        }
    }

    /// What the tips have at one path.
    pub(super) fn path(&self, path: u32) -> Tips<'_> {
        Tips { blobs: self.blobs.get(&path), lines: None }
    }
}

/// A set of hashes: they are not hashed once more.
type Hashes = HashSet<u64, BuildHasherDefault<AsItIs>>;

/// Takes a number that is a hash for its own hash.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What tips have at one path.
pub(super) struct Tips<'p> {
    blobs: Option<&'p HashSet<ObjectId>>,
    /// Hashes of all their lines, once somebody asks.
    lines: Option<Hashes>,
}

impl Tips<'_> {
    /// Of the spans of lines of a blob: those whose lines some tip still has, and whether there are others.
    /// Spans that overlap go together.
    pub(super) fn split(
        &mut self,
        reader: &mut Reader<'_>,
        blob: ObjectId,
        mut spans: Vec<Range<usize>>,
    ) -> (Vec<Range<usize>>, bool) {
        let Some(blobs) = self.blobs else { return (Vec::new(), true) };
        let everything = vec![lines::EVERYTHING];
        if blobs.contains(&blob) {
            return (everything, false);
        }
        let Ok(bytes) = reader.expect(blob, Kind::Blob) else { return (Vec::new(), true) };
        spans.sort_unstable_by_key(|span| span.start);
        let mut groups: Vec<Range<usize>> = Vec::new();
        for span in spans {
            match groups.last_mut() {
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                _ => groups.push(span),
            }
        }
        let known = self.lines.get_or_insert_with(|| all_lines(reader, blobs));
        let text: Vec<&[u8]> = bytes.lines().collect();
        let total = groups.len();
        groups.retain(|group| {
            let lines = text.get(group.start.saturating_sub(1)..group.end.saturating_sub(1).min(text.len()));
            lines.is_some_and(|lines| !lines.is_empty() && lines.iter().all(|line| known.contains(&hash(line))))
        });
        let others = groups.len() < total;
        if others || total == 0 { (groups, others) } else { (everything, false) }
    }
}

fn all_lines(reader: &mut Reader<'_>, blobs: &HashSet<ObjectId>) -> Hashes {
    let mut hashes = Hashes::default();
    for blob in blobs {
        if let Ok(bytes) = reader.expect(*blob, Kind::Blob) {
            hashes.extend(bytes.lines().map(hash));
        }
    }
    hashes
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}
