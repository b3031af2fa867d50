//! Our reading of Go's dialect against Go itself: the same patterns are valid, and matches and groups lie at the same
//! places, over generated patterns and texts.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test that starts the Go oracle")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use pattern::Pattern;
use testkit::Dice;

/// Patterns per run; `PLOMB_COPIES` asks for more.
const ROUNDS: u64 = 10_000;

/// Parts that patterns are made of.
const ATOMS: &[&str] = &[
    "a",
    "b",
    "k",
    "S",
    "é",
    "ß",
    "-",
    "_",
    "1",
    ".",
    r"\d",
    r"\w",
    r"\s",
    r"\W",
    r"\S",
    r"\D",
    "[ab]",
    "[^a]",
    "[^a-z]",
    "[a-k]",
    "[[:alpha:]]",
    "[[:^space:]b]",
    r"[\w-]",
    r"[\W1]",
    "[]a]",
    "[^]a]",
    "[a[b]",
    "[&&~~]",
    "[+--]",
    "[é-ü]",
    "{",
    "{,2}",
    "}",
    r"\x41",
    r"\x{e9}",
    r"\101",
    r"\0",
    r"\n",
    "\n",
    r"\.",
    r"\-",
    r"\pL",
    r"\p{Lu}",
    r"\PL",
    r"\p{^Greek}",
    r"[\pN_]",
    "^",
    "$",
    r"\b",
    r"\B",
    r"\A",
    r"\z",
    r"\Qa.\E",
    r"\Q(",
    "(?i)",
    "(?s)",
    "(?m)",
    "(?U)",
    "(?-i)",
    "(?:)",
    "()",
    "|",
    "(?i:k)",
    "(?i:[^s])",
    "[a-]",
    r"\<",
    "[\\x00-\\x{10FFFF}]",
    "\u{fffd}",
    "ſ",
    "[K-S]",
    "ab",
    "token",
    "=",
    "[",
    "]",
    "(",
    ")",
    "(?",
    r"\",
    r"\h",
    "(?i-s:",
    "(?<n>",
];
const REPEATS: &[&str] = &[
    "*", "+", "?", "{2}", "{1,2}", "{0}", "{1,}", "{0,3}", "{2,}", "*?", "+?", "??", "{1,2}?", "{2,1}", "{1001}", "**",
];
const TEXTS: &[&str] = &[
    "a",
    "b",
    "k",
    "K",
    "s",
    "S",
    "é",
    "É",
    "ß",
    "\u{212a}",
    "ſ",
    "1",
    "-",
    "_",
    " ",
    "\n",
    "\t",
    "\x0b",
    ".",
    "{",
    "A",
    "α",
    "Aa",
    "token",
    "=",
    "\"",
    "&",
    "[",
    "\u{fffd}",
    "\u{10ffff}",
];

struct Oracle {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    fn start(path: &Path) -> Self {
        let mut child = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn build() -> Result<PathBuf, String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/oracle/regexp");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle-regexp");
        match Command::new("go").args(["build", "-o"]).arg(&path).arg(".").current_dir(source).output() {
            Ok(output) if output.status.success() => Ok(path),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("go: {error}")),
        }
    }

    fn ask(&mut self, pattern: &str, texts: &[Vec<u8>]) -> String {
        let mut line = hex(pattern.as_bytes());
        for text in texts {
            line.push('\t');
            line.push_str(&hex(text));
        }
        line.push('\n');
        self.input.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        answer.trim_end_matches('\n').to_owned()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Ours in the oracle's notation.
fn answer(pattern: &str, texts: &[Vec<u8>]) -> String {
    let Ok(pattern) = Pattern::new(pattern) else { return "error".to_owned() };
    let texts = texts.iter().map(|text| {
        let captures = pattern.regex().captures_iter(text);
        let boundaries = boundaries(text);
        let whole = |at: usize| boundaries.contains(&at);
        // Empty matches within a character are a known difference.
        let real =
            captures.filter(|found| found.get_match().is_some_and(|span| !span.is_empty() || whole(span.start())));
        let all = real.map(|captures| {
            let groups = (0..pattern.captures_len()).map(|group| match captures.get_group(group) {
                Some(span) => format!("{}:{}", span.start, span.end),
                None => "-1:-1".to_owned(),
            });
            groups.collect::<Vec<_>>().join(",")
        });
        all.collect::<Vec<_>>().join(";")
    });
    texts.collect::<Vec<_>>().join("\t")
}

/// Where Go's code points begin, and the end.
fn boundaries(text: &[u8]) -> Vec<usize> {
    let mut at = 0;
    let mut all = vec![0];
    while at < text.len() {
        let longest = (1..=4).rev().filter_map(|len| text.get(at..at + len));
        at += longest
            .into_iter()
            .find(|part| std::str::from_utf8(part).is_ok_and(|s| s.chars().count() == 1))
            .map_or(1, <[u8]>::len);
        all.push(at);
    }
    all
}

fn random_pattern(dice: &mut Dice, depth: usize) -> String {
    let mut pattern = String::new();
    for _ in 0..1 + dice.below(5) {
        if depth > 0 && dice.chance(25) {
            let head = *dice.pick(&["(", "(", "(?:", "(?i:", "(?P<n>", "(?s:", "(?U:", "(?-s:"]);
            pattern.push_str(head);
            pattern.push_str(&random_pattern(dice, depth - 1));
            if dice.chance(40) {
                pattern.push('|');
                pattern.push_str(&random_pattern(dice, depth - 1));
            }
            pattern.push(')');
        } else {
            // The last ones are mostly mistakes; they are worth a try, not every third.
            let choices: &[&str] = if dice.chance(96) { &ATOMS[..ATOMS.len() - 9] } else { ATOMS };
            pattern.push_str(dice.pick::<&str>(choices));
        }
        if dice.chance(30) {
            let choices: &[&str] = if dice.chance(95) { &REPEATS[..REPEATS.len() - 3] } else { REPEATS };
            pattern.push_str(dice.pick::<&str>(choices));
        }
    }
    pattern
}

/// ASCII and bytes that are no character; with `wide` any characters.
fn random_text(dice: &mut Dice, wide: bool) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..dice.below(12) {
        let part = dice.pick::<&str>(TEXTS);
        text.extend_from_slice(if wide || part.is_ascii() { part.as_bytes() } else { b"\xff" });
    }
    text
}

#[test]
fn patterns_mean_what_go_means() {
    let path = match Oracle::build() {
        Ok(path) => path,
        Err(why) => return testkit::peer::skip("patterns_mean_what_go_means", &why),
    };
    let mut oracle = Oracle::start(&path);
    let rounds = std::env::var("PLOMB_COPIES").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let base = std::env::var("PLOMB_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    // `split`: a wildcard took a wide character in pieces, the known difference.
    let (mut valid, mut matched, mut split) = (0, 0, 0);
    let mut differences = Vec::new();
    for seed in base..base + rounds {
        let mut dice = Dice::new(seed);
        let pattern = random_pattern(&mut dice, 3);
        let wide = dice.chance(40);
        let texts: Vec<_> = (0..4).map(|_| random_text(&mut dice, wide)).collect();
        let theirs = oracle.ask(&pattern, &texts);
        let ours = std::panic::catch_unwind(|| answer(&pattern, &texts)).unwrap_or_else(|_| "panic".to_owned());
        valid += usize::from(theirs != "error");
        matched += usize::from(theirs.contains(':'));
        if ours != theirs && wide && !theirs.starts_with("error") && !ours.starts_with(['e', 'p']) {
            split += 1;
        } else if ours != theirs {
            let shown: Vec<_> = texts.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
            differences.push(format!("PLOMB_SEED={seed} {pattern:?}\n  {shown:?}\n  go   {theirs}\n  ours {ours}"));
        }
    }
    let shown = differences.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} of {rounds} differ:\n{shown}", differences.len());
    assert!(valid as u64 > rounds / 2 && matched as u64 > rounds / 6, "{valid} valid, {matched} matched");
    assert!(split as u64 <= rounds / 50, "{split} differ over wide characters");
    testkit::peer::peer_test_ran("patterns_mean_what_go_means");
}
