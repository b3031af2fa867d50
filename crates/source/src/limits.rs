//! How much a source may read at once, and how deep it looks.

/// Limits that hold for all sources.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Files and blobs above this many bytes are left out, by name. `None`: no limit.
    pub max_target_bytes: Option<u64>,
    /// How many archives inside each other are opened; 0 opens none.
    pub archive_depth: usize,
    /// Bytes that are scanned of one archive, with all that is inside it, and of each file in it half of what is left of
    /// them; four times as many are unfolded, to pass over what is not scanned. What goes beyond is named as unread.
    pub archive_bytes: u64,
    /// Entries of one archive, with all that are inside it; what goes beyond is named as unread.
    pub archive_entries: usize,
    /// Worker threads; 0: as many as the machine has.
    pub threads: usize,
    /// Contents above this many bytes are handed over in pieces.
    pub piece_bytes: usize,
    /// How many bytes before a piece's first new line are handed over again, cut at a line end. A match that spans
    /// lines and is longer than this is missed where two pieces meet.
    pub overlap_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_target_bytes: None,
            archive_depth: 2,
            archive_bytes: 1 << 30,
            archive_entries: 100_000,
            threads: 0,
            piece_bytes: 32 << 20,
            overlap_bytes: 256 << 10,
        }
    }
}

impl Limits {
    /// Number of workers to start.
    pub(crate) fn workers(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        }
    }

    /// Whether a file of this size is left out.
    pub(crate) fn too_large(&self, bytes: u64) -> bool {
        self.max_target_bytes.is_some_and(|limit| bytes > limit)
    }
}
