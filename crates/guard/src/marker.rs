//! Merge conflicts left in files whose ciphertext or plaintext must not be merged by hand.

use crate::breach::{Breach, Kind};
use crate::file::Case;

/// Markers that are listed.
const LISTED: usize = 20;

/// One breach per marker line of a file that has a block, or that the rules surely want encrypted.
pub(crate) fn check(case: &Case<'_>, block: bool) -> Vec<Breach> {
    let claim = case.claimed_by_path();
    if !case.format.edits_in_place() || !(block || case.was.is_some() || claim.is_some()) {
        return Vec::new();
    }
    let rule = claim.map(|(_, claim)| claim.rule.clone());
    let message = "a merge conflict is left in a file that must be encrypted";
    let breach = |line: &usize| {
        case.breach(Kind::MergeMarker, message)
            .at_place(Some((*line, 1)))
            .by(rule.clone())
            .about(line.to_string())
            .next("take one side as a whole (git checkout --ours or --theirs) and make the other change again with plomb edit")
    };
    lines(case.bytes).iter().take(LISTED).map(breach).collect()
}

/// The lines, from 1, that a merge left: begin and end of a conflict wherever they stand, what separates its sides
/// only between the two.
fn lines(text: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut inside = false;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is = |mark: &[u8]| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(b" "));
        let (begin, end) = (is(b"<<<<<<<"), is(b">>>>>>>"));
        if begin || end || (inside && (is(b"=======") || is(b"|||||||"))) {
            found.push(index + 1);
            inside = !end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn both_sides_are_found_and_rules_under_titles_are_not() {
        assert_eq!(lines(b"a\n<<<<<<< HEAD\nb\n||||||| base\n=======\r\nc\n>>>>>>> x\n"), [2, 4, 5, 7]);
        assert_eq!(lines(b">>>>>>> x"), [1]);
        assert_eq!(lines(b"Title\n=======\n<<<<<<<x\n  <<<<<<< y\n"), [] as [usize; 0]);
    }
}
