//! Memory of large layers that are done with: to get it from the system again, page by page, costs more than to decode.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Smaller texts are left to the allocator, which keeps their memory anyway.
const LARGE: usize = 1 << 20;
/// Texts that are kept, and the bytes of the largest of them.
const KEPT: usize = 2;
const LARGEST: usize = 64 << 20;

/// Buffers for decoded texts, shared by all workers.
#[derive(Default)]
pub(crate) struct Spare(Mutex<Vec<Vec<u8>>>);

/// What was decoded into them is not shown.
impl fmt::Debug for Spare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spare")
    }
}

impl Spare {
    /// An empty buffer with room for this many bytes.
    pub(crate) fn lend(&self, len: usize) -> Vec<u8> {
        let kept = (len >= LARGE).then(|| self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()).flatten();
        let mut buffer = kept.unwrap_or_default();
        buffer.clear();
        buffer.reserve(len);
        buffer
    }

    /// Keeps a text's memory for the next one.
    pub(crate) fn take_back(&self, text: Vec<u8>) {
        if !(LARGE..=LARGEST).contains(&text.capacity()) {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_buffers_come_back_empty_and_small_ones_do_not() {
        let spare = Spare::default();
        let text = vec![b'x'; LARGE];
        let memory = text.as_ptr();
        spare.take_back(text);
        spare.take_back(vec![b'x'; 10]);
        let small = spare.lend(10);
        assert!(small.as_ptr() != memory);
        let lent = spare.lend(LARGE);
        assert!(lent.as_ptr() == memory && lent.is_empty());
        assert!(spare.lend(LARGE).capacity() >= LARGE);
        assert_eq!(format!("{spare:?}"), "Spare");
    }

    #[test]
    fn few_are_kept() {
        let spare = Spare::default();
        (0..2 * KEPT).for_each(|_| spare.take_back(vec![0; LARGE]));
        assert_eq!(spare.0.lock().expect("nobody else").len(), KEPT);
    }
}
