//! Files to edit.

use document::format::Yaml;
use document::{Branch, EmitOptions, Format};

use crate::trees::Trees;

/// Files of the kind that people write: everything in them comes back byte for byte.
pub(crate) const ORDINARY: &[&str] = &[
    "a: 1\nb: two\nc: 'three'\nd: \"four\\n\"\n",
    "# head\na:\n  b: x # inline\n  # foot\n\n  c: |\n    line\n      more\n\n    last\n\n\nd: >-\n  folded\n",
    "a: |-\n  x\nb: |+\n  y\n\n\nc: |2\n   lead\nd: |1-\n  lead\ne: |+\n\n\nf: 1\n",
    "a:\r\n  - x\r\n  - |\r\n    one\r\n    two\r\nb: \"q\"\r\n",
    "list:\n- a\n- b: 1\n  c: 2\n-   d\n- - e\n  - f\n-\n  g: h\n- |\n  text\n",
    "flow: {a: 1, \"b\": 'x', c: [1, 2.50, true, null], d: }\n",
    "{\"a\": \"b\", c: 1, # tail\n d: [\"x\", 'y',]}\n",
    "{a: 1,}\n",
    "{}\n",
    "{ }",
    "  a: 1\n  b:\n    c: x\n",
    "---\na: 1\n...\n# end\n",
    "--- # c\na: 1\n---\nb: 2\n...\n---\nc: 3\n",
    "a: 0x1F\nb: 1_000\nc: 017\nd: 1e3\ne: 2001-12-14\nf: .inf\ng: TRUE\nh: ~\ni:\nj: 1.50\nk: 123456789012345678901234567890\n",
    "? a\n: b\n? |\n  long\n: - x\n\"q\" : 1\n",
    "a: !!str 5\nb: !!str\nc: &x !!str y\n",
    "a: text # comment\nb: |  # header\n  content\nc: \"x\"# no\n",
    "emoji: \u{1F600}\nq: \"\u{1F600}\\t\"\ns: 'it''s'\nt: a\tb\nu: http://x:1/?a=b#c\nv: yes\nw: 12:30\n",
    "\u{FEFF}a: 1\nb: |\n  x\n",
    "a: 1",
    "a: x\n# tail",
    "a: 1\n\n\n# tail\n  # deeper\n",
    "a:\n  - b:\n      - c: |\n          deep\n        d: x\n    e: y\n",
];

/// Files whose leaves are all legal but not all restored.
const ODD: &[&str] = &[
    "a: ! z\n",
    "a: one\n  two\n\n  three\nb: \"x\n  y\"\nc: 'x\n\n  y'\nd: >\n  a\n  b\n\n   c\n",
    "a: \"\\x41\\/\\u0042\"\nb: \"\\\n  x\"\n",
    "a: &a x\nb: *a\nc: &m {k: *a}\nd: *m\ne:\n  <<: *m\n",
    "a: !!int \"5\"\nb: !custom x\nc: !!binary aGk=\nd: !!float 1\ne: !!map\n  k: v\nf: !!null\n",
    "a: !!int # c\n  5\nb: &x\n  y\nc: &z !!seq\n- 1\n",
    "a: |\n  \n  \n\nb: |+\n\n\nc: |\nd: \"\"\n",
    "a: - x\n",
    "a:\n- |4\n      x\n- >+\n\n  y\n\n# c\nb: |\n # not a comment\n",
    "a: |\n  text",
    "a: |+\n  text\n\n",
    "[a]: b\n",
    "---\n---\na: b\n",
    "---\n",
    "---\n...\n",
    "--- # only\n",
    "null\n",
    "--- ~\n",
    "--- {}\n",
    "# only a comment\n---\n",
    "a:\n  # inside\n  b: 1\n  # below\nc:\n- # beside\n  x\n# end\n",
    "- a\n",
    "a:\rb: x\rc: |\r  y\r",
    "a: {b: , c}\nd: [a: b, {}, []]\n",
    "a: {\n  b: c, # x\n  d: e # y\n}\n",
    "a: [\n  x,\n  y\n]\n",
    "{a: }\n",
    "{a: b, c: }",
    "a: {b: {c: d}}\n",
    "!!map\na: b\n",
    "&root\na: b\n",
    "a: &x\n  b: c\n",
    "a:\n  - &x b: c\n    d: e\n  - !!map\n    f: g\n  - &y\n    - z\n",
    "a: []\nb: {}\nc:\n  - []\n  - {}\n  -\n",
    "a: \n  |\n  x\nb:\n  \"y\"\nc:\n  z # c\n",
];

/// Calls `check` with every file.
pub(crate) fn each(mut check: impl FnMut(&[u8])) {
    for source in ORDINARY.iter().chain(ODD) {
        check(source.as_bytes());
        check(source.replace('\n', "\r\n").as_bytes());
        check(source.trim_end_matches('\n').as_bytes());
    }
    let mut trees = Trees::new(3);
    for _ in 0..1500 {
        let branches: Vec<Branch> =
            (0..=trees.below(2)).map(|_| Branch { root: trees.map(0), ..Branch::default() }).collect();
        let indent = Some([2, 4, 3][trees.below(3)]);
        check(Yaml.emit(&branches, &EmitOptions { indent }).unwrap().expose());
    }
    if let Some(folder) = std::env::var_os("PLOMB_YAML_DIR") {
        folders(folder.into(), &mut check);
    }
}

fn folders(folder: std::path::PathBuf, check: &mut impl FnMut(&[u8])) {
    let Ok(entries) = std::fs::read_dir(&folder) else { return };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() && !path.is_symlink() {
            folders(path, check);
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            check(&std::fs::read(path).unwrap_or_default());
        }
    }
}
