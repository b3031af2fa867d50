//! Small random damage to YAML files: the kind that moves comments, blank lines and indentation about.

/// A splitmix64 generator: a failure is repeated from its seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Put in between lines, at a random indentation.
const LINES: &[&str] = &[
    "# note",
    "#",
    "#x",
    "# one\n# two",
    "",
    "",
    "\n",
    "- # dash",
    "- item",
    "key: value # behind",
    "k:",
    "? a\n: b",
    "---",
    "...",
    "[a, # in\n b]",
    "{a: 1, # in\n# below\n}",
    "- - x",
    "text: |\n  block\n  # no comment\n",
    "t: >-\n  folded\n\n  more\n",
    "a: &x {p: 1}",
    "b: *x",
    "<<: *x",
    "- *x",
    "!!str tagged: !t 1",
    "- !!int '7' # seven",
    "? [c]",
    "\"q\": 'a\n  b' # q",
    "%TAG ! tag:a,b:",
    "-",
    "- k: v # kv\n  # under",
    "plain text\n  goes on",
];

/// Put in anywhere.
const BITS: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n\n",
    "#",
    " #",
    " # c",
    "\n# c\n",
    "\n  # c\n",
    "\t",
    "\r\n",
    "\r",
    ":",
    ": ",
    "- ",
    "-",
    ",",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "|",
    ">",
    "|-\n",
    "|+\n",
    ">2\n",
    "&a ",
    "*a",
    "!t ",
    "!!str ",
    "? ",
    "\\",
    "\\n",
    "\u{85}",
    "\u{2028}",
    "é",
    "😀",
    "~",
    "null",
    "0x1F",
    "1_0",
    "2001-01-01",
    "---\n",
    "\n---\n",
    "\n...\n",
    "%",
    "@",
    "`",
    "<<: ",
    "\u{feff}",
];

/// `file` with a few changes.
pub(crate) fn mutate(file: &[u8], random: &mut Random) -> Vec<u8> {
    let mut text = excerpt(file, random);
    for _ in 0..=random.below(3) {
        change(&mut text, random);
    }
    match random.below(16) {
        0 => String::from_utf8_lossy(&text).replace('\n', "\r\n").into_bytes(),
        1 => String::from_utf8_lossy(&text).replace('\n', "\r").into_bytes(),
        _ => text,
    }
}

/// The file or at most some forty lines of it, so that changes meet.
fn excerpt(file: &[u8], random: &mut Random) -> Vec<u8> {
    let lines: Vec<_> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let start = if random.below(4) > 0 { 0 } else { random.below(lines.len()) };
    let count = 1 + random.below(40);
    lines[start.min(lines.len())..].iter().take(count).copied().collect::<Vec<_>>().concat()
}

fn change(text: &mut Vec<u8>, random: &mut Random) {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1)).collect();
    let line = *random.pick(&starts);
    let end = text[line..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| line + at + 1);
    let indent = " ".repeat(random.below(7));
    match random.below(64) {
        0 => long_stretch(text, end.saturating_sub(1).max(line), random),
        1..=30 => {
            let new = format!("{indent}{}\n", random.pick(LINES).replace('\n', &format!("\n{indent}")));
            text.splice(line..line, new.into_bytes());
        }
        31..=36 => {
            text.splice(line..line, indent.into_bytes());
        }
        37..=42 => {
            let blanks = text[line..end].iter().take_while(|byte| **byte == b' ').count();
            text.drain(line..line + random.below(blanks + 1));
        }
        43..=47 => {
            text.drain(line..end);
        }
        48..=54 => {
            let at = end.saturating_sub(1).max(line);
            let bit = random.pick(&[" # behind", " #", "  # a b", ","]).as_bytes();
            text.splice(at..at, bit.iter().copied());
        }
        55..=60 => {
            let at = random.below(text.len() + 1);
            text.splice(at..at, random.pick(BITS).bytes());
        }
        _ => {
            let at = random.below(text.len() + 1);
            let to = (at + random.below(12)).min(text.len());
            text.drain(at..to);
        }
    }
}

/// Lengths around the limits: 512 bytes of look-ahead for comments, 1024 characters of a key.
fn long_stretch(text: &mut Vec<u8>, at: usize, random: &mut Random) {
    let (unit, length) = *random.pick(&[(" ", 512), ("\n", 512), ("x", 1024), ("é", 1024), ("\t", 512), (" \n", 256)]);
    let stretch = unit.repeat(length - 8 + random.below(16));
    let behind = *random.pick(&["", "# far", "\n# far\n", ": far"]);
    text.splice(at..at, format!("{stretch}{behind}").into_bytes());
}
