//! Long runs of one class of bytes, found by looking at few of the others.

use std::ops::Range;

/// A set of bytes.
pub(super) type Class = [bool; 256];

/// All maximal runs of at least `least` bytes of a class, ascending.
pub(super) fn runs<'t>(text: &'t [u8], class: &'static Class, least: usize) -> impl Iterator<Item = Range<usize>> + 't {
    let is_in = move |at: usize| class[usize::from(text[at])];
    // The byte before the window of `least` bytes that ends at `probe` is never of the class.
    let mut probe = least - 1;
    std::iter::from_fn(move || {
        while probe < text.len() {
            if let Some(back) = (0..least).find(|back| !is_in(probe - back)) {
                probe = probe - back + least;
                continue;
            }
            let start = probe + 1 - least;
            let end = (probe..text.len()).find(|at| !is_in(*at)).unwrap_or(text.len());
            probe = end + least;
            return Some(start..end);
        }
        None
    })
}
