//! Objects by id, through the packs where they lie there and through gix where they do not, with the latest ones kept.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::Kind;

use super::{Base, Damage, Inflater, LARGEST, Pack};
use crate::objects::Objects;
use crate::repository::Repository;

/// How much one reader keeps.
const KEPT_BYTES: usize = 6 << 20;

/// Longer chains of deltas are refused; Git makes at most 4,095.
const LONGEST_CHAIN: usize = 10_000;

/// An entry: number of the pack, offset in it.
pub(crate) type Spot = (u32, u64);

/// All packs of a repository; shared by all threads.
pub(crate) struct Packs {
    pub(crate) packs: Vec<Pack>,
    /// Indexes that cannot be read, or whose pack cannot.
    pub(crate) broken: Vec<PathBuf>,
    pub(crate) folders: Vec<PathBuf>,
}

impl Packs {
    /// Opens all packs, those of alternates included.
    pub(crate) fn open(repository: &Repository, hash: gix::hash::Kind) -> Self {
        let mut packs = Self { packs: Vec::new(), broken: Vec::new(), folders: repository.object_folders() };
        for folder in &packs.folders {
            let files = std::fs::read_dir(folder.join("pack")).into_iter().flatten().flatten();
            let mut indexes: Vec<PathBuf> = files.map(|file| file.path()).collect();
            indexes.retain(|path| path.extension().is_some_and(|extension| extension == "idx"));
            indexes.sort();
            for index in indexes {
                match Pack::open(&index, hash) {
                    Some(pack) => packs.packs.push(pack),
                    None => packs.broken.push(index),
                }
            }
        }
        packs
    }

    /// Where an object lies.
    pub(crate) fn find(&self, id: &gix::oid) -> Option<Spot> {
        let find = |(number, pack): (usize, &Pack)| Some((u32::try_from(number).ok()?, pack.find(id)?));
        self.packs.iter().enumerate().find_map(find)
    }
}

/// One thread's way to all objects.
pub(crate) struct Reader<'p> {
    packs: &'p Packs,
    loose: Objects,
    inflater: Inflater,
    buffer: Vec<u8>,
    kept: HashMap<Spot, (u64, Kind, Arc<[u8]>)>,
    kept_bytes: usize,
    clock: u64,
}

impl<'p> Reader<'p> {
    /// A reader that keeps nothing yet.
    pub(crate) fn new(packs: &'p Packs, loose: Objects) -> Self {
        Self {
            packs,
            loose,
            inflater: Inflater::new(),
            buffer: Vec::new(),
            kept: HashMap::new(),
            kept_bytes: 0,
            clock: 0,
        }
    }

    /// An object of any kind.
    pub(crate) fn read(&mut self, id: ObjectId) -> Result<(Kind, Arc<[u8]>), Damage> {
        if let Some(spot) = self.packs.find(&id) {
            let found = self.packed(spot, 0);
            // The same object may lie somewhere else undamaged.
            if !matches!(found, Err(Damage::Broken)) {
                return found;
            }
        }
        self.unpacked(id)
    }

    /// An object of the kind that it must be.
    pub(crate) fn expect(&mut self, id: ObjectId, kind: Kind) -> Result<Arc<[u8]>, Damage> {
        match self.read(id)? {
            (found, bytes) if found == kind => Ok(bytes),
            _ => Err(Damage::Broken),
        }
    }

    /// An object that lies in no pack, or in one that is damaged.
    pub(crate) fn unpacked(&self, id: ObjectId) -> Result<(Kind, Arc<[u8]>), Damage> {
        let mut buffer = Vec::new();
        match self.loose.read(id, LARGEST, &mut buffer) {
            Ok(kind) => Ok((kind, Arc::from(buffer))),
            Err(crate::SourceError::TooLarge { .. }) => Err(Damage::TooLarge),
            Err(_) => Err(Damage::Broken),
        }
    }

    fn packed(&mut self, spot: Spot, nested: usize) -> Result<(Kind, Arc<[u8]>), Damage> {
        let pack = &self.packs.packs[spot.0 as usize];
        let mut chain = Vec::new();
        let mut at = spot;
        let (kind, mut bytes) = loop {
            if let Some(found) = self.recall(at) {
                break found;
            }
            if chain.len() + nested > LONGEST_CHAIN {
                return Err(Damage::Broken);
            }
            let header = pack.header(at.1)?;
            match header.base {
                Base::Whole(kind) => {
                    pack.object(&header, &mut self.inflater, &mut self.buffer)?;
                    let bytes: Arc<[u8]> = Arc::from(self.buffer.as_slice());
                    self.keep(at, kind, &bytes);
                    break (kind, bytes);
                }
                Base::Offset(base) => {
                    chain.push((at, header));
                    at.1 = base;
                }
                Base::Object(id) => {
                    chain.push((at, header));
                    match pack.find(&id) {
                        Some(base) => at.1 = base,
                        None => break self.elsewhere(id, nested + chain.len())?,
                    }
                }
            }
        };
        for (at, header) in chain.into_iter().rev() {
            pack.derive(&header, &mut self.inflater, &bytes, &mut self.buffer, None)?;
            bytes = Arc::from(self.buffer.as_slice());
            self.keep(at, kind, &bytes);
        }
        Ok((kind, bytes))
    }

    /// A base that is not in the delta's own pack. Packs on disk should have none; deeper than a few is an attack.
    fn elsewhere(&mut self, id: ObjectId, nested: usize) -> Result<(Kind, Arc<[u8]>), Damage> {
        const DEEPEST: usize = LONGEST_CHAIN - 16;
        match self.packs.find(&id) {
            Some(spot) => self.packed(spot, nested.max(DEEPEST) + 1),
            None => self.unpacked(id),
        }
    }

    fn recall(&mut self, spot: Spot) -> Option<(Kind, Arc<[u8]>)> {
        self.clock += 1;
        let (used, kind, bytes) = self.kept.get_mut(&spot)?;
        *used = self.clock;
        Some((*kind, bytes.clone()))
    }

    fn keep(&mut self, spot: Spot, kind: Kind, bytes: &Arc<[u8]>) {
        if bytes.len() > KEPT_BYTES / 2 {
            return;
        }
        self.kept_bytes += bytes.len() + 64;
        self.kept.insert(spot, (self.clock, kind, bytes.clone()));
        if self.kept_bytes <= KEPT_BYTES {
            return;
        }
        // The older half goes.
        let mut clocks: Vec<u64> = self.kept.values().map(|kept| kept.0).collect();
        let middle = clocks.len() / 2;
        let (_, middle, _) = clocks.select_nth_unstable(middle);
        let middle = *middle;
        self.kept.retain(|_, kept| kept.0 >= middle);
        self.kept_bytes = self.kept.values().map(|kept| kept.2.len() + 64).sum();
        if self.kept_bytes > KEPT_BYTES {
            self.kept.clear();
            self.kept_bytes = 0;
        }
    }
}
