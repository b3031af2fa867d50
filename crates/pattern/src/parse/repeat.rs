//! `*`, `+`, `?` and `{n,m}`.

use regex_syntax::hir::{Hir, Repetition};

use super::item::{Item, Piece};
use super::{LARGEST, Parser, too_large};
use crate::error::{PatternError, Warning};

/// The greatest count that Go takes, also as a product of counts within each other.
const GO_COUNT: usize = 1000;

impl Parser<'_> {
    pub(super) fn operator(&mut self, operator: char) -> Result<(), PatternError> {
        let (min, max) = match operator {
            '*' => (0, None),
            '+' => (1, None),
            _ => (0, Some(1)),
        };
        self.repeat(1, min, max, false)
    }

    /// A counted repetition, or else a brace that stands for itself.
    pub(super) fn braces(&mut self) -> Result<bool, PatternError> {
        let Some((len, min, max)) = counts(self.rest()) else {
            self.at += 1;
            self.literal(u32::from('{'))?;
            return Ok(false);
        };
        let (min, max) = (min.ok_or_else(|| too_large(self.at))?, max);
        let max = match max {
            Some(None) => return Err(too_large(self.at)),
            Some(Some(max)) if max < min => {
                return Err(PatternError::new(self.at, "the least count exceeds the greatest"));
            }
            Some(Some(max)) => Some(max),
            None => None,
        };
        self.repeat(len, min, max, true)?;
        Ok(true)
    }

    fn repeat(&mut self, len: usize, min: u32, max: Option<u32>, counted: bool) -> Result<(), PatternError> {
        let at = self.at;
        self.at += len;
        let lazy = self.rest().starts_with('?');
        self.at += usize::from(lazy);
        if self.after_repeat {
            self.warnings.push(Warning { offset: at, reason: "a repetition of a repetition needs a group in Go" });
        }
        let Some(piece) = self.open.sequence.pop() else {
            return Err(PatternError::new(at, "there is nothing to repeat"));
        };
        let times = max.unwrap_or(min.saturating_add(1)).max(1) as usize;
        let cost = piece.cost.saturating_add(2).saturating_mul(times).saturating_add(1);
        if cost > LARGEST {
            return Err(too_large(at));
        }
        let mut product = piece.counted;
        if counted {
            product = product.saturating_mul(max.unwrap_or(min) as usize).max(1);
            if product > GO_COUNT {
                self.warnings.push(Warning { offset: at, reason: "Go takes no count above 1000" });
            }
        }
        let greedy = lazy == self.flags.lazy;
        let unlimited = max.is_none() && min <= 1 && greedy;
        let hir = if unlimited { piece.item.into_unlimited_hir() } else { piece.item.into_hir() };
        let tree = Hir::repetition(Repetition { min, max, greedy, sub: Box::new(hir) });
        self.open.sequence.push(Piece { item: Item::Tree(tree), cost, counted: product });
        Ok(())
    }
}

/// A count that fits, or `None` if it is beyond all limits.
type Count = Option<u32>;

/// Reads `{n}`, `{n,}` or `{n,m}` at the start of `text`: its length, the least and the greatest count.
fn counts(text: &str) -> Option<(usize, Count, Option<Count>)> {
    let len = text[1..].bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b',').count();
    let inner = &text[1..=len];
    if text.as_bytes().get(len + 1) != Some(&b'}') {
        return None;
    }
    let (min, max) = match inner.split_once(',') {
        None => (inner, Some(inner)),
        Some((min, "")) => (min, None),
        Some((min, max)) => (min, Some(max)),
    };
    let max = match max {
        None => None,
        Some(digits) => Some(count(digits)?),
    };
    Some((inner.len() + 2, count(min)?, max))
}

/// Digits without a leading zero; `None` if it is no number at all.
fn count(digits: &str) -> Option<Count> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    (plain && !padded).then(|| digits.parse().ok().filter(|count| *count < 100_000_000))
}
