//! Random YAML documents in every style people write: what a tool that promises never to reformat must survive.
//!
//! Each document is valid YAML 1.2 with a mapping at its root and unique string keys. The same seed gives the same
//! documents, and each one lists the features that it uses, so that a test can prove it saw enough of each.

mod collection;
mod scalar;

use crate::random::Dice;
use std::collections::{BTreeMap, BTreeSet};

/// Every feature a document can have; a run of 2,000 documents shows each of them often.
pub const FEATURES: [&str; 56] = [
    "alias",
    "alias to a collection",
    "anchor",
    "block literal",
    "block folded",
    "block keep",
    "block strip",
    "block with indentation indicator",
    "block with blank lines",
    "bool",
    "byte order mark",
    "comment above",
    "comment at the end",
    "comment at the top",
    "comment beside",
    "comment in a list",
    "comment with unicode",
    "comment without space",
    "crlf",
    "date",
    "document marker",
    "double quoted",
    "double quoted with escapes",
    "double quoted over lines",
    "emoji",
    "empty flow list",
    "empty flow map",
    "empty string",
    "empty value",
    "exponent",
    "float",
    "flow list",
    "flow map",
    "flow over lines",
    "hexadecimal",
    "indentation of four",
    "integer",
    "list below its key's column",
    "list of lists",
    "list of maps",
    "long string",
    "merge",
    "missing final newline",
    "nested map",
    "null",
    "number-like string",
    "octal",
    "plain over lines",
    "quoted key",
    "several documents",
    "single quoted",
    "string with specials",
    "tag on a scalar",
    "trailing blanks",
    "unicode",
    "yaml 1.1 bool",
];

/// A generated document and what it is made of.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The bytes of the file.
    pub text: Vec<u8>,
    /// Which of [`FEATURES`] it has.
    pub features: BTreeSet<&'static str>,
}

/// Makes documents until told to stop.
#[derive(Debug)]
pub struct Generator {
    dice: Dice,
}

impl Generator {
    /// The same documents for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed) }
    }

    /// The next document.
    pub fn sample(&mut self) -> Sample {
        let mut writer = Writer::new(Dice::new(self.dice.bits()));
        writer.file();
        let Writer { text, features, .. } = writer;
        Sample { text: text.into_bytes(), features }
    }
}

/// How many of the samples have each feature; features that none has are there with zero.
pub fn census<'s>(samples: impl IntoIterator<Item = &'s Sample>) -> BTreeMap<&'static str, usize> {
    let mut counts: BTreeMap<&'static str, usize> = FEATURES.iter().map(|feature| (*feature, 0)).collect();
    for feature in samples.into_iter().flat_map(|sample| &sample.features) {
        *counts.entry(feature).or_default() += 1;
    }
    counts
}

/// One document while it is written. Anchors are remembered per document: an alias may name earlier ones only.
struct Writer {
    dice: Dice,
    text: String,
    features: BTreeSet<&'static str>,
    scalar_anchors: Vec<String>,
    map_anchors: Vec<String>,
    names: usize,
    step: usize,
}

impl Writer {
    fn new(mut dice: Dice) -> Self {
        let step = if dice.chance(20) { 4 } else { 2 };
        let (text, features) = (String::new(), BTreeSet::new());
        Self { dice, text, features, scalar_anchors: Vec::new(), map_anchors: Vec::new(), names: 0, step }
    }

    fn note(&mut self, feature: &'static str) {
        self.features.insert(feature);
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn file(&mut self) {
        if self.dice.chance(8) {
            self.note("document marker");
            self.push("---\n");
        }
        if self.dice.chance(25) {
            self.note("comment at the top");
            self.push("# Settings of the whole service.\n");
            if self.dice.chance(50) {
                self.push("\n");
            }
        }
        self.document();
        if self.dice.chance(8) {
            self.note("several documents");
            for _ in 0..=self.dice.below(2) {
                self.push("---\n");
                self.scalar_anchors.clear();
                self.map_anchors.clear();
                self.document();
            }
        }
        self.whole_file_features();
    }

    fn document(&mut self) {
        if self.step == 4 {
            self.note("indentation of four");
        }
        let entries = 2 + self.dice.below(7);
        self.entries(0, entries, 3);
        if self.dice.chance(12) {
            self.note("comment at the end");
            self.push("# The end.\n");
        }
    }

    fn whole_file_features(&mut self) {
        if self.dice.chance(6) && self.text.ends_with('\n') && !self.features.contains("block keep") {
            self.note("missing final newline");
            self.text.pop();
        }
        if self.dice.chance(6) {
            self.note("crlf");
            self.text = self.text.replace('\n', "\r\n");
        }
        if self.dice.chance(5) {
            self.note("byte order mark");
            self.text.insert(0, '\u{feff}');
        }
    }

    /// A key that this file has not had yet: a third word keeps them apart.
    fn key(&mut self) -> String {
        const FIRST: [&str; 14] = [
            "password",
            "user",
            "host",
            "data",
            "api-token",
            "DB_URL",
            "tls.crt",
            "smtp",
            "replicas",
            "größe",
            "path/to",
            "client secret",
            "enabled",
            "x",
        ];
        self.names += 1;
        let key = format!("{}_{}", self.dice.pick(&FIRST), self.names);
        match self.dice.below(20) {
            0 => {
                self.note("quoted key");
                format!("'{key}'")
            }
            1 => {
                self.note("quoted key");
                format!("\"{key}: and more\"")
            }
            _ => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_documents() {
        let (mut one, mut two) = (Generator::new(5), Generator::new(5));
        assert!((0..50).all(|_| one.sample().text == two.sample().text));
    }

    #[test]
    fn two_thousand_documents_show_every_feature_often() {
        let mut generator = Generator::new(1);
        let samples: Vec<_> = (0..2000).map(|_| generator.sample()).collect();
        let rare: Vec<_> = census(&samples).into_iter().filter(|(_, count)| *count < 20).collect();
        assert!(rare.is_empty(), "{rare:?}");
        assert_eq!(census(&samples).len(), FEATURES.len(), "a feature is noted that the list does not name");
    }
}
