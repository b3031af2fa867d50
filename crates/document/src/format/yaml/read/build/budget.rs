//! How much aliases may expand to: the share of values that go-yaml allows, and a limit in bytes.

/// Counts of one document.
pub(super) struct Budget {
    /// Values seen.
    values: u64,
    /// Of these, values inside aliases.
    expanded: u64,
    /// Aliases around the present value.
    depth: u64,
    /// Bytes of scalars and comments that may still be copied.
    bytes: usize,
}

impl Budget {
    /// Up to this many values, 99 % may come out of aliases.
    const SMALL: f64 = 400_000.0;
    /// From this many values on, 10 % may.
    const LARGE: f64 = 4_000_000.0;

    /// For a file of this size.
    pub(super) fn new(size: usize) -> Self {
        Self { values: 0, expanded: 0, depth: 0, bytes: (1 << 20) + size.saturating_mul(100) }
    }

    pub(super) fn next_document(&mut self) {
        // The document and its root are values too.
        (self.values, self.expanded, self.depth) = (2, 0, 0);
    }

    pub(super) fn enter_alias(&mut self) {
        self.depth += 1;
    }

    pub(super) fn in_alias(&self) -> bool {
        self.depth > 0
    }

    pub(super) fn leave_alias(&mut self) {
        self.depth -= 1;
    }

    /// Counts a value. False if too large a share of all is expanded.
    pub(super) fn count(&mut self) -> bool {
        self.values += 1;
        if self.depth == 0 {
            return true;
        }
        self.expanded += 1;
        self.expanded <= 100 || self.values <= 1000 || self.expanded as f64 / self.values as f64 <= self.share()
    }

    /// Counts what was copied. False if too much was copied.
    pub(super) fn copy(&mut self, bytes: usize) -> bool {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.unwrap_or(0);
        left.is_some()
    }

    fn share(&self) -> f64 {
        let over = (self.values as f64 - Self::SMALL) / (Self::LARGE - Self::SMALL);
        0.99 - 0.89 * over.clamp(0.0, 1.0)
    }
}
