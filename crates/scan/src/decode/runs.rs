//! Long runs of one class of bytes, found by looking at every n-th byte only.

use std::ops::Range;

/// A set of bytes.
pub(super) type Class = [bool; 256];

/// All maximal runs of at least `least` bytes of a class, ascending.
pub(super) fn runs<'t>(text: &'t [u8], class: &'static Class, least: usize) -> impl Iterator<Item = Range<usize>> + 't {
    let is_in = move |at: usize| class[usize::from(text[at])];
    let (mut probe, mut floor) = (least - 1, 0);
    std::iter::from_fn(move || {
        while probe < text.len() {
            if !is_in(probe) {
                probe += least;
                continue;
            }
            let start = (floor..probe).rev().find(|at| !is_in(*at)).map_or(floor, |at| at + 1);
            let end = (probe..text.len()).find(|at| !is_in(*at)).unwrap_or(text.len());
            floor = end;
            probe = end + least;
            if end - start >= least {
                return Some(start..end);
            }
        }
        None
    })
}
