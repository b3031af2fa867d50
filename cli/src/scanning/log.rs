//! The options of `git log` that choose commits: `--log-opts`.

use bstr::{BStr, BString, ByteSlice as _};
use source::{Kinds, Paths, Selection};

use crate::failure::{Exit, Failure};
use crate::paths::one_line;

/// Options that say how Git shows what it finds, or in which order, which does not matter here.
#[rustfmt::skip]
const WITHOUT_EFFECT: [&str; 16] = [
    "-p", "-u", "--patch", "-U0", "--unified=0", "-m", "-c", "--cc", "--full-history", "--reverse", "--date-order",
    "--topo-order", "--no-color", "--no-ext-diff", "--oneline", "--no-decorate",
];

/// The commits that such options choose. `git log` without a revision starts from HEAD.
///
/// # Errors
/// When there is one that cannot be obeyed: a scan of other commits than asked for would say "clean" of the wrong ones.
pub(crate) fn selection(options: &str) -> Result<Selection, Failure> {
    let words = split(options).ok_or_else(|| refused(options))?;
    let mut words = words.iter().map(String::as_str);
    let (mut revisions, mut chosen) = (Vec::new(), Selection::default());
    while let Some(word) = words.next() {
        if word == "--" {
            let specs: Vec<&BStr> = words.by_ref().map(BStr::new).collect();
            chosen.choice.paths = Paths::parse(specs).ok_or_else(|| refused(options))?;
        } else if !word.starts_with('-') || matches!(word, "--all" | "--not" | "--branches" | "--tags" | "--remotes") {
            revisions.push(word);
        } else if !WITHOUT_EFFECT.contains(&word) {
            option(&mut chosen, word, &mut words).ok_or_else(|| refused(word))?;
        }
    }
    if revisions.is_empty() {
        revisions.push("HEAD");
    }
    if chosen.choice.at_most.is_some() && !chosen.choice.paths.is_empty() {
        // Git counts only commits that touch the paths.
        return Err(refused("a number of commits together with paths"));
    }
    let named = Selection::parse(revisions.iter().map(|word| BStr::new(*word)));
    let named = named.map_err(|error| refused(&error.to_string()))?;
    Ok(Selection { choice: chosen.choice, ..named })
}

fn refused(what: &str) -> Failure {
    let hint = "commits are chosen by A..B, ^A, B, --all, --not, -N, dates, --first-parent, --no-merges and -- PATH";
    Failure::new(Exit::Incomplete, format!("--log-opts: {} cannot be obeyed", one_line(what))).hint(hint)
}

/// One option, with its value in the same word or the next one.
fn option<'w>(selection: &mut Selection, word: &'w str, rest: &mut impl Iterator<Item = &'w str>) -> Option<()> {
    let choice = &mut selection.choice;
    match word {
        "--first-parent" => choice.first_parent = true,
        "--no-merges" => choice.no_merges = true,
        "--merges" => choice.only_merges = true,
        _ => {
            let digits = word.strip_prefix("-n").or(word.strip_prefix('-')).filter(|digits| is_number(digits));
            let (name, value) = match (digits, word.split_once('=')) {
                (Some(digits), _) => ("--max-count", digits),
                (None, Some(parts)) => parts,
                (None, None) => (word, rest.next()?),
            };
            match name {
                "--max-count" | "-n" => choice.at_most = Some(number(value)?),
                "--skip" => choice.skip = number(value)?,
                "--since" | "--after" => choice.since = Some(source::date(value, false)?),
                "--until" | "--before" => choice.until = Some(source::date(value, true)?),
                "--diff-filter" => choice.kinds = Kinds::parse(value)?,
                _ => return None,
            }
        }
    }
    Some(())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|_| is_number(text))
}

/// Words as a shell has them: quotes hold words together. `None` if one is not closed.
fn split(options: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<BString> = None;
    let mut quote = None;
    for byte in options.bytes() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, _) if byte.is_ascii_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    quote.is_none().then(|| words.into_iter().map(|word| word.to_str_lossy().into_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_action_of_gitleaks_asks_for() {
        let chosen = |options| selection(options).ok();
        assert_eq!(chosen("-1").unwrap().choice.at_most, Some(1));
        let push = chosen("--no-merges --first-parent BASE^..HEAD").unwrap();
        assert!(push.choice.no_merges && push.choice.first_parent);
        assert_eq!((push.include, push.exclude), (vec!["HEAD".into()], vec!["BASE^".into()]));
    }

    #[test]
    fn options_with_values() {
        let choice = |options| selection(options).ok().map(|selection| selection.choice);
        for same in ["-n 3", "-n3", "-3", "--max-count=3", "--max-count 3", "'-n' \"3\""] {
            assert_eq!(choice(same).unwrap().at_most, Some(3), "{same}");
        }
        assert_eq!(choice("--since=@1700000000 --reverse").unwrap().since, Some(1_700_000_000));
        assert!(choice("--since='2 weeks ago' --all").unwrap().since.is_some());
        assert_eq!(choice("-- a ':!b'").unwrap().paths, Paths::parse(["a".into(), ":!b".into()]).unwrap());
        for refused in ["--grep=x", "-n", "-n x", "--since=whenever", "'x", "-1 -- a", "--not --tags", "-- :(glob)x"] {
            assert!(choice(refused).is_none(), "{refused}");
        }
    }
}
