//! Randomness as an argument, so that tests are repeatable and no core crate chooses its own source.

/// A source of random bytes.
pub trait Random {
    /// Fills `buffer` with random bytes.
    fn fill(&mut self, buffer: &mut [u8]);
}

/// The operating system's generator, read in blocks: a file of many values asks for 32 bytes at a time.
pub struct OsRandom {
    block: zeroize::Zeroizing<[u8; 4096]>,
    used: usize,
}

impl OsRandom {
    /// A generator with an empty block.
    pub fn new() -> Self {
        Self { block: zeroize::Zeroizing::new([0; 4096]), used: 4096 }
    }
}

impl Default for OsRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl Random for OsRandom {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(4096) {
            if self.block.len() - self.used < chunk.len() {
                getrandom::getrandom(self.block.as_mut()).expect("the operating system has a random generator");
                self.used = 0;
            }
            let end = self.used + chunk.len();
            chunk.copy_from_slice(&self.block[self.used..end]);
            self.block[self.used..end].fill(0);
            self.used = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_never_repeat_bytes() {
        let mut random = OsRandom::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            let mut nonce = [0; 32];
            random.fill(&mut nonce);
            assert!(seen.insert(nonce));
        }
    }
}
