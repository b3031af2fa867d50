//! Scalars: every type go-yaml knows, in every style.

use super::Writer;

impl Writer {
    /// A scalar on one line.
    pub(super) fn scalar(&mut self) {
        match self.dice.below(26) {
            0 | 1 => {
                self.one_of("integer", &["8080", "0", "-17", "9223372036854775807", "-9223372036854775808", "1_000"])
            }
            2 => self.one_of("float", &["3.14", "-0.5", "1.0", "100.25", ".5", "1.", ".inf", "-.inf", ".nan"]),
            3 => self.one_of("exponent", &["1e3", "2.5e-7", "6.02e+23", "1E5"]),
            4 => self.one_of("bool", &["true", "false", "True", "FALSE"]),
            5 => self.one_of("yaml 1.1 bool", &["yes", "no", "on", "Off", "y", "N"]),
            6 => self.one_of("null", &["null", "~", "Null", "NULL"]),
            7 => self.note("empty value"),
            8 => self.one_of("empty string", &["''", "\"\""]),
            9 => self.one_of("hexadecimal", &["0x1F", "0xdeadbeef"]),
            10 => self.one_of("octal", &["017", "0o17", "0644"]),
            11 => self.one_of("date", &["2001-12-14", "2001-12-14T21:59:43Z", "2001-12-14 21:59:43.10 -5"]),
            12 => self.one_of(
                "number-like string",
                &["'123'", "\"4.5\"", "'true'", "\"null\"", "1.2.3", "12e", "0b12", "\"0x1F\""],
            ),
            13 => self.one_of("unicode", &["Zürich", "\"日本語\"", "naïve café", "'Ελλάδα'"]),
            14 => self.one_of("emoji", &["🔑 key", "\"party 🎉\"", "'🙂'"]),
            15 => self.one_of("single quoted", &["'it''s'", "'plain words'", "'# no comment'", "' padded '"]),
            16 => self.one_of("double quoted", &["\"words\"", "\"a: b\"", "\"it's\"", "\" padded \""]),
            17 => self.one_of(
                "double quoted with escapes",
                &["\"tab\\there\"", "\"two\\nlines\"", "\"q\\\"q\\\\\"", "\"\\u263A \\x41\"", "\"\\0nul\""],
            ),
            18 => self.one_of(
                "string with specials",
                &[
                    "a:b",
                    "x#y",
                    "-dash",
                    "a, b",
                    "50%",
                    "me@home",
                    "p*ss&w0rd!",
                    "c:\\dir",
                    "url=https://u:p@h/?a=b&c=d",
                ],
            ),
            19 => self.long_string(),
            _ => self.one_of("string", &["canary", "s3cr3t-value", "postgres://app:hunter2@db:5432/app", "two words"]),
        }
    }

    /// A scalar that may stand inside brackets.
    pub(super) fn flow_scalar(&mut self) {
        match self.dice.below(8) {
            0 => self.one_of("integer", &["1", "-2", "443"]),
            1 => self.one_of("bool", &["true", "false"]),
            2 => self.one_of("double quoted", &["\"a, b\"", "\"x: y\"", "\"}\""]),
            3 => self.one_of("single quoted", &["'it''s'", "']'", "'{'"]),
            4 => self.one_of("null", &["null", "~"]),
            5 => self.one_of("float", &["1.5", "-0.25"]),
            _ => self.one_of("string", &["word", "two words", "a-b_c"]),
        }
    }

    fn one_of(&mut self, feature: &'static str, choices: &[&str]) {
        if feature != "string" {
            self.note(feature);
        }
        let choice = *self.dice.pick(choices);
        self.push(choice);
    }

    fn long_string(&mut self) {
        self.note("long string");
        let words = 20 + self.dice.below(200);
        let quote = if self.dice.chance(50) { "\"" } else { "" };
        self.push(quote);
        for number in 0..words {
            self.push(if number == 0 { "word" } else { " word" });
            self.push(&number.to_string());
        }
        self.push(quote);
    }

    /// A tag or an anchor before a scalar, now and then.
    pub(super) fn tag_or_anchor(&mut self) {
        match self.dice.below(30) {
            0 => {
                self.note("tag on a scalar");
                self.push("!!str ");
            }
            1 | 2 => {
                self.note("anchor");
                self.names += 1;
                let name = format!("anchor{}", self.names);
                self.push(&format!("&{name} "));
                self.scalar_anchors.push(name);
            }
            _ => {}
        }
    }

    /// The end of a line that holds a value: bare, with blanks, or with a comment.
    pub(super) fn end_of_line(&mut self) {
        match self.dice.below(30) {
            0 | 1 => {
                self.note("comment beside");
                self.push(" # why this is so");
            }
            2 => {
                self.note("comment beside");
                self.push("   # far right");
            }
            3 => {
                self.note("trailing blanks");
                self.push("  ");
            }
            _ => {}
        }
        self.push("\n");
    }

    /// `|` or `>` with all their indicators; the text contains what needs no escape there.
    pub(super) fn block_scalar(&mut self, column: usize) {
        let folded = self.dice.chance(40);
        self.note(if folded { "block folded" } else { "block literal" });
        self.push(if folded { " >" } else { " |" });
        let indicated = self.dice.chance(15);
        if indicated {
            self.note("block with indentation indicator");
            self.push("2");
        }
        match self.dice.below(4) {
            0 => {
                self.note("block keep");
                self.push("+");
            }
            1 => {
                self.note("block strip");
                self.push("-");
            }
            _ => {}
        }
        self.push("\n");
        let inside = if indicated { column + 2 } else { column + self.step };
        self.block_lines(inside, indicated);
    }

    fn block_lines(&mut self, column: usize, indicated: bool) {
        const LINES: [&str; 7] = [
            "-----BEGIN EXAMPLE-----",
            "# not a comment",
            "key: value",
            "  indented",
            "\ttab",
            "ünïcödé ✓",
            "trailing  ",
        ];
        self.indent(column);
        self.push(if indicated { "  starts with blanks\n" } else { "first line\n" });
        for _ in 0..self.dice.below(5) {
            if self.dice.chance(20) {
                self.note("block with blank lines");
                self.push("\n");
            }
            self.indent(column);
            let line = *self.dice.pick(&LINES);
            self.push(line);
            self.push("\n");
        }
    }

    /// Plain and double quoted scalars that go on on the next line.
    pub(super) fn scalar_over_lines(&mut self, column: usize) {
        let quote = if self.dice.chance(50) {
            self.note("double quoted over lines");
            "\""
        } else {
            self.note("plain over lines");
            ""
        };
        self.push(&format!(" {quote}first part"));
        for _ in 0..=self.dice.below(2) {
            self.push("\n");
            if self.dice.chance(20) {
                self.push("\n");
            }
            self.indent(column + self.step);
            self.push("next part");
        }
        self.push(quote);
        self.end_of_line();
    }
}
