//! Randomness that comes out the same in every run. Never for real keys.

use secret::Random;

/// A small repeatable generator (SplitMix64) for choosing test inputs.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A generator that always rolls the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).expect("usize fits into 64 bits");
        usize::try_from(self.bits() % end).expect("smaller than a usize")
    }

    /// True in `percent` of 100 rolls.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the choices. The list must not be empty.
    pub fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }
}

/// A [`Random`] for tests: every run sees the same bytes.
#[derive(Clone, Debug)]
pub struct FixedRandom(Dice);

impl FixedRandom {
    /// A source that repeats itself for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(Dice::new(seed))
    }
}

impl Random for FixedRandom {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.bits().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_no_block_repeats() {
        let (mut one, mut two) = (FixedRandom::new(7), FixedRandom::new(7));
        let (mut a, mut b) = ([0; 33], [0; 33]);
        one.fill(&mut a);
        two.fill(&mut b);
        assert_eq!(a, b);
        two.fill(&mut b);
        assert_ne!(a, b);
    }

    #[test]
    fn dice_reach_every_side() {
        let mut dice = Dice::new(1);
        let seen: std::collections::BTreeSet<usize> = (0..200).map(|_| dice.below(6)).collect();
        assert_eq!(seen.len(), 6);
    }
}
