//! Every blob once: along the packs' own deltas, each entry inflated once and made from its base while that is at hand.

mod forest;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use bstr::{BString, ByteSlice};
use scan::{Base, Copied, Visitor};

use super::commits::words;
use super::{Context, lock};
use crate::feed::{Feed, Part};
use crate::loose;
use crate::pack::reader::Reader;
use crate::pack::{self, Damage, Inflater, LARGEST, Pack};
use forest::{Forest, NO_BLOB};

/// How many buffers a worker keeps for later, and how large.
const SPARE: usize = 4;
const SPARE_BYTES: usize = 2 << 20;

/// What was found: for each blob's number, its parts that are not quiet.
pub(super) type Found = HashMap<u32, Arc<Vec<Part>>>;

/// Hands every blob to a visitor.
pub(super) fn visit<'s>(context: &Context<'_>, new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync)) -> Found {
    let found = Mutex::new(Found::new());
    let (forests, mut rest) = plant(context);
    for forest in &forests {
        walk(context, forest, new_visitor, &found);
        rest.extend(&forest.unreachable);
    }
    rest.sort_unstable();
    context.share(rest.len(), new_visitor, &|item, reader, visitor| {
        alone(context, rest[item], reader, visitor, &found);
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The blobs of each pack, and those in none.
fn plant<'c>(context: &Context<'c>) -> (Vec<Forest<'c>>, Vec<u32>) {
    let mut wanted: Vec<Vec<(u64, u32)>> = vec![Vec::new(); context.packs.packs.len()];
    let mut rest = Vec::new();
    for (number, id) in context.changes.blobs.iter().enumerate() {
        let number = u32::try_from(number).expect("fewer blobs than 2^32");
        // Blobs that are only known as what was there before are not asked for.
        if context.changes.of(number).is_empty() {
            continue;
        }
        match context.packs.find(id) {
            Some((pack, offset)) => wanted[pack as usize].push((offset, number)),
            None => rest.push(number),
        }
    }
    let forests = context.packs.packs.iter().zip(wanted).map(|(pack, wanted)| Forest::plant(pack, &wanted));
    (forests.collect(), rest)
}

/// Bytes that children are made from.
struct Parent {
    bytes: Vec<u8>,
    /// The one answer of the scanner, if it looked at these bytes as they are.
    parts: Option<Arc<Vec<Part>>>,
}

struct Job {
    node: u32,
    parent: Option<Arc<Parent>>,
}

/// Work that any worker may take.
struct Queue {
    jobs: Mutex<(Vec<Job>, usize)>,
    more: Condvar,
    waiting: AtomicUsize,
}

impl Queue {
    /// The next job; nothing when all work is done. The caller counted as busy until now.
    fn next(&self) -> Option<Job> {
        let mut state = lock(&self.jobs);
        state.1 -= 1;
        loop {
            if let Some(job) = state.0.pop() {
                state.1 += 1;
                return Some(job);
            }
            if state.1 == 0 {
                self.more.notify_all();
                return None;
            }
            self.waiting.fetch_add(1, Ordering::Relaxed);
            state = self.more.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn give(&self, job: Job) {
        lock(&self.jobs).0.push(job);
        self.more.notify_one();
    }
}

/// A worker that panics must not leave the others waiting.
struct Leave<'q>(&'q Queue);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.jobs).1 -= 1;
            self.0.more.notify_all();
        }
    }
}

fn walk<'s>(
    context: &Context<'_>,
    forest: &Forest<'_>,
    new_visitor: &(dyn Fn() -> Box<dyn Visitor + 's> + Sync),
    found: &Mutex<Found>,
) {
    let roots: Vec<Job> = forest.roots.iter().map(|node| Job { node: *node, parent: None }).collect();
    let workers = context.history.limits.workers().min(forest.nodes.len());
    let queue = Queue { jobs: Mutex::new((roots, workers)), more: Condvar::new(), waiting: AtomicUsize::new(0) };
    let run = || {
        let _leave = Leave(&queue);
        let mut visitor = new_visitor();
        let mut worker =
            Worker { context, forest, visitor: &mut *visitor, found, inflater: Inflater::new(), spare: Vec::new() };
        let mut stack = Vec::new();
        while let Some(job) = stack.pop().or_else(|| queue.next()) {
            worker.job(job, &mut stack);
            if stack.len() > 1 && queue.waiting.load(Ordering::Relaxed) > 0 {
                queue.give(stack.remove(0));
            }
        }
    };
    match workers {
        0 => {}
        1 => run(),
        _ => std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(run);
            }
        }),
    }
}

struct Worker<'w, 'c, 's> {
    context: &'w Context<'c>,
    forest: &'w Forest<'c>,
    visitor: &'w mut (dyn Visitor + 's),
    found: &'w Mutex<Found>,
    inflater: Inflater,
    spare: Vec<Vec<u8>>,
}

impl Worker<'_, '_, '_> {
    fn job(&mut self, job: Job, stack: &mut Vec<Job>) {
        let node = &self.forest.nodes[job.node as usize];
        let children = self.forest.children(job.node);
        if job.parent.is_none() && node.header.size > LARGEST && children.is_empty() {
            return self.stream(node.blob, &node.header);
        }
        let mut copied = Vec::new();
        let mut bytes = self.spare.pop().unwrap_or_default();
        let made = match &job.parent {
            None => self.forest.pack.object(&node.header, &mut self.inflater, &mut bytes),
            Some(parent) => {
                let copied = (parent.parts.is_some() && node.blob != NO_BLOB).then_some(&mut copied);
                self.forest.pack.derive(&node.header, &mut self.inflater, &parent.bytes, &mut bytes, copied)
            }
        };
        if let Err(damage) = made {
            return self.damaged(job.node, damage);
        }
        let parts = (node.blob != NO_BLOB).then(|| self.content(node.blob, &bytes, job.parent.as_deref(), &copied));
        if let Some(parent) = job.parent.and_then(Arc::into_inner) {
            self.recycle(parent.bytes);
        }
        if children.is_empty() {
            return self.recycle(bytes);
        }
        let parent = Arc::new(Parent { bytes, parts });
        // Children stand heaviest first, and so the lightest is taken first and the parent is gone when the longest
        // way down begins.
        stack.extend(children.iter().map(|node| Job { node: *node, parent: Some(parent.clone()) }));
    }

    /// Keeps memory for the next objects: giving it back and asking again costs more than inflating.
    fn recycle(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < SPARE && bytes.capacity() <= SPARE_BYTES {
            self.spare.push(bytes);
        }
    }

    fn content(&mut self, blob: u32, bytes: &[u8], parent: Option<&Parent>, copied: &[Copied]) -> Arc<Vec<Part>> {
        let base = parent.and_then(|parent| {
            let part = single(parent.parts.as_deref()?)?;
            Some(Base { seen: &part.seen, bytes: &parent.bytes, copied })
        });
        whole(self.context, blob, bytes, base, self.visitor, self.found)
    }

    /// A blob that is too large to be held: only whole ones that nothing is made from come here.
    fn stream(&mut self, blob: u32, header: &pack::Header) {
        let pack: &Pack = self.forest.pack;
        let mut reader = pack.stream(header);
        streamed(self.context, blob, header.size, &mut reader, self.visitor, self.found);
    }

    /// Neither this entry nor anything made from it can be read here; each blob is tried by its id.
    fn damaged(&mut self, node: u32, damage: Damage) {
        let mut nodes = vec![node];
        let mut reader = self.context.reader();
        while let Some(node) = nodes.pop() {
            nodes.extend(self.forest.children(node));
            let blob = self.forest.nodes[node as usize].blob;
            if blob == NO_BLOB {
                continue;
            }
            match damage {
                Damage::Broken => alone(self.context, blob, &mut reader, self.visitor, self.found),
                Damage::TooLarge => unread(self.context, blob, damage, self.visitor),
            }
        }
    }
}

/// The part, if the scanner saw the bytes as they are and at once.
fn single(parts: &[Part]) -> Option<&Part> {
    match parts {
        [part] if part.inner.is_empty() && part.from_line == 1 => Some(part),
        _ => None,
    }
}

fn whole(
    context: &Context<'_>,
    blob: u32,
    bytes: &[u8],
    base: Option<Base<'_>>,
    visitor: &mut dyn Visitor,
    found: &Mutex<Found>,
) -> Arc<Vec<Part>> {
    let limits = &context.history.limits;
    let paths = paths(context, blob);
    let mut parts = Vec::new();
    let mut feed = Feed { limits, visitor };
    if limits.too_large(bytes.len() as u64) {
        paths.iter().for_each(|path| feed.skipped(path, "larger than the limit"));
    } else if !bytes.is_empty() {
        feed.whole(bytes, &paths, base, &mut |_, part| parts.push(part));
    }
    keep(blob, parts, found)
}

fn streamed(
    context: &Context<'_>,
    blob: u32,
    size: u64,
    reader: &mut dyn std::io::Read,
    visitor: &mut dyn Visitor,
    found: &Mutex<Found>,
) {
    let limits = &context.history.limits;
    let paths = paths(context, blob);
    let mut parts = Vec::new();
    let mut feed = Feed { limits, visitor };
    if limits.too_large(size) {
        paths.iter().for_each(|path| feed.skipped(path, "larger than the limit"));
    } else if feed.stream(reader, &paths, &mut |_, part| parts.push(part)).is_err() {
        unread(context, blob, Damage::Broken, visitor);
    }
    keep(blob, parts, found);
}

fn keep(blob: u32, parts: Vec<Part>, found: &Mutex<Found>) -> Arc<Vec<Part>> {
    let parts = Arc::new(parts);
    if parts.iter().any(|part| !part.seen.is_settled()) {
        let answer = |part: &Part| Part { inner: part.inner.clone(), seen: part.seen.answer(), ..*part };
        lock(found).insert(blob, Arc::new(parts.iter().map(answer).collect()));
    }
    parts
}

/// A blob by its id, through whatever store has it.
fn alone(context: &Context<'_>, blob: u32, reader: &mut Reader<'_>, visitor: &mut dyn Visitor, found: &Mutex<Found>) {
    let id = context.changes.blobs[blob as usize];
    match reader.expect(id, gix::objs::Kind::Blob) {
        Ok(bytes) => {
            whole(context, blob, &bytes, None, visitor, found);
        }
        Err(Damage::TooLarge) => match loose::stream(&context.packs.folders, id) {
            Some((size, mut reader)) => streamed(context, blob, size, &mut reader, visitor, found),
            None => unread(context, blob, Damage::TooLarge, visitor),
        },
        Err(Damage::Broken) => unread(context, blob, Damage::Broken, visitor),
    }
}

fn unread(context: &Context<'_>, blob: u32, damage: Damage, visitor: &mut dyn Visitor) {
    let id = context.changes.blobs[blob as usize];
    let path = paths(context, blob).into_iter().next().unwrap_or_default();
    let what = BString::from([path.as_bytes(), format!(" (blob {id})").as_bytes()].concat());
    visitor.unread(scan::Unread { what, why: words(damage).to_owned() });
}

/// Every path that a blob came to.
fn paths(context: &Context<'_>, blob: u32) -> Vec<BString> {
    let mut numbers: Vec<u32> = context.changes.of(blob).iter().map(|change| change.path).collect();
    numbers.dedup();
    numbers.into_iter().map(|number| context.changes.paths[number as usize].clone()).collect()
}
