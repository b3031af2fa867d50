//! Random documents that are mostly valid, from a seed.

/// A small generator of numbers; the same seed gives the same documents.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Up to `most` picks in a row.
    pub(crate) fn text(&mut self, from: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.pick(from)).collect()
    }
}

const STRING: &[&str] = &[
    "a",
    "Z",
    "0",
    " ",
    "é",
    "😀",
    "<",
    ">",
    "&",
    "\\u0000",
    "\\u001f",
    "\\n",
    "\\r",
    "\\t",
    "\\b",
    "\\f",
    "\\\"",
    "\\\\",
    "\\/",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\udc00",
    "\\u00e9",
    "\\u2028",
    "\u{2029}",
    "\u{7f}",
    "\u{85}",
    "\u{feff}",
    "#",
    "'",
    "=",
];

const NUMBER: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "1.50",
    "0.1",
    "1e3",
    "1E-7",
    "1e21",
    "1e20",
    "1.0",
    "123456789012345678",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "12345678901234567890123",
    "5e-324",
    "1e-400",
    "0.000001",
    "1234567.5",
];

const BLANK: &[&str] = &["", "", "", " ", "\n", "\r\n", "\t", "\n\n  "];

/// A JSON file with `members` members at the top.
pub(crate) fn json_file(random: &mut Random, members: usize) -> String {
    let blank = random.pick(BLANK).to_owned();
    let parts: Vec<String> = (0..members)
        .map(|number| {
            let value = json_value(random, 4);
            format!("{}\"k{number}\"{}:{}{value}", random.pick(BLANK), random.pick(BLANK), random.pick(BLANK))
        })
        .collect();
    format!("{blank}{{{}{blank}}}{blank}", parts.join(&format!("{blank},")))
}

fn json_value(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 6 } else { 9 }) {
        0 => random.pick(NUMBER).to_owned(),
        1 => random.pick(&["true", "false", "null"]).to_owned(),
        2..6 => format!("\"{}\"", random.text(STRING, 8)),
        6 => {
            let parts: Vec<String> = (0..random.below(4)).map(|_| json_value(random, depth - 1)).collect();
            format!("[{}{}]", parts.join(","), random.pick(BLANK))
        }
        _ => {
            let parts: Vec<String> = (0..random.below(4)).map(|_| json_member(random, depth - 1)).collect();
            format!("{{{}{}}}", random.pick(BLANK), parts.join(", "))
        }
    }
}

fn json_member(random: &mut Random, depth: usize) -> String {
    let key = random.text(STRING, 3);
    format!("\"{key}{}\":{}", random.below(10_000), json_value(random, depth))
}

const ENV: &[&str] = &[
    "A", "b", "_", "=", "=", "=", "#", "\n", "\n", "\r\n", " ", "\t", "\"", "'", "\\n", "\\", "\\\\n", "é", "😀",
    "export ", "sops", "SOPS_", "$X", "KEY=", "\nK=", "\n#", "\n\n", "[s]", ";", "ENC[", ",", "<", "\u{85}", "\0",
];

/// A dotenv file.
pub(crate) fn env_file(random: &mut Random) -> String {
    let mut text = String::new();
    for number in 0..random.below(8) {
        match random.below(5) {
            0 => text += &format!("#{}", random.text(STRING, 5).replace('\n', "")),
            1 => {}
            _ => text += &format!("K{number}={}", random.text(ENV, 8).replace('\n', "")),
        }
        text += random.pick(&["\n", "\n", "\n", "\n\n", "\r\n"]);
        if text.ends_with("\n\r\n") || text == "\r\n" {
            text.truncate(text.len() - 2);
        }
    }
    if random.below(10) == 0 { text + &random.text(ENV, 6) } else { text }
}

const INI_LINES: &[&str] = &[
    "a=1",
    "b = two words ",
    "  c : x",
    "d=",
    "d2 = ",
    "e=\"quoted\"",
    "f='single'",
    "g=`bt`",
    "h=`a;b#c`",
    "i=\" sp \"",
    "j=x;y",
    "k=x # inline",
    "l=1 ; inline `",
    "m=\"\"\"one\"\"\"",
    "n=\"\"\"x\ny\"\"\"",
    "o=\"\"\"x\n  y\n\"\"\" ; after",
    "p=`x\ny`",
    "q=cont \\\n  inued",
    "r=cont\\\n  more \\\n\t last # x",
    "s=end \\\n",
    "t=C:\\path\\n",
    "\"u\" = 1",
    "`v=w` = 2",
    "\"\"\"x`y\"\"\" = 3",
    "z==",
    "y=:",
    "é=ü\u{a0}",
    "w=\"a\"b\"",
    "aa=''",
    "bb=\"\"",
    "cc=``",
    "dd=\"it's\"",
    "ee='say \"x\"'",
    "ff=#",
    "gg= ; only comment",
    "hh=\"open",
    "ii=a\\",
    "jj=\"\"\"\"\"\"",
    "kk=100%",
    "longer_key_name = v",
    "ll={\"a\": 1}",
    "; comment",
    "# hash",
    ";",
    "#",
    ";; two",
    "#! x",
    "  ; indented",
    "# tail  ",
    ";\ttab",
    "; ENC[x",
    "",
    "",
    " ",
    "\t",
    "[s]",
    "[t] ; header",
    "[a.b]",
    "[ sp ]",
    "[DEFAULT]",
    "[s]",
    "[x]y]",
    "[u] # h",
    "[é]",
];

const INI_ODD: &[&str] = &[
    "pw=\"a#b\"",
    "x=\"a;b\" ; c",
    "- = 1",
    "[s] junk",
    "a=`x` junk",
    "\"k\" junk = 1",
    "novalue",
    "=x",
    "[",
    "[]",
    "\"\"=1",
    "nn=\"\"\"open",
    "a=2",
    "mm=`open",
    "`q",
    "x=\"\"\"a\"\"\" ; c",
];

/// An INI file; one in eight holds something that must be refused.
pub(crate) fn ini_file(random: &mut Random) -> String {
    let newline = random.pick(&["\n", "\n", "\n", "\r\n"]);
    let mut lines: Vec<&str> = Vec::new();
    for _ in 0..random.below(12) {
        let line = random.pick(INI_LINES);
        // A key twice in a section is refused: try again instead, but for headers, comments and blanks.
        if lines.contains(&line) && line.contains('=') && random.below(10) > 0 {
            continue;
        }
        lines.push(line);
    }
    if random.below(8) == 0 {
        lines.push(random.pick(INI_ODD));
    }
    let text = lines.iter().map(|line| line.replace('\n', newline) + newline).collect::<String>();
    if random.below(6) == 0 { text.trim_end_matches(newline).to_owned() } else { text }
}
