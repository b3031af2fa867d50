//! The YAML writer against go-yaml itself: random trees with comments in every place, compared byte for byte.
//!
//! The oracle is a small Go program (`crates/testkit/oracle/yamlemit`) that builds the nodes that SOPS would build.
//! Without Go the test says so and passes. `PLOMB_EMIT_TREES` sets the number of trees, `PLOMB_EMIT_SEED` the seed.

use crate::trees;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use document::format::Yaml;
use document::{Branch, Comment, Element, EmitOptions, Format, Item, Value};
use trees::Trees;

/// What one run asks of both writers.
struct Request {
    indent: i64,
    value: Option<Value>,
    branches: Vec<Branch>,
}

impl Request {
    fn random(trees: &mut Trees) -> Self {
        let indent = [0, 2, 4, 8, 1, 3, 5, 6, 7, 9, 10, 12][trees.skewed(12)];
        if trees.one_in(8) {
            return Self { indent, value: Some(trees.value(4)), branches: Vec::new() };
        }
        let documents = 1 + trees.skewed(3);
        let branches = (0..documents).map(|_| Branch { root: trees.map(0), ..Branch::default() }).collect();
        Self { indent, value: None, branches }
    }

    fn ours(&self) -> Vec<u8> {
        let options = EmitOptions { indent: Some(self.indent) };
        let text = match &self.value {
            Some(value) => Yaml.emit_value(value, &options),
            None => Yaml.emit(&self.branches, &options),
        };
        text.unwrap().into_inner()
    }

    fn json(&self) -> String {
        let mut out = String::new();
        // A map on its own is printed as a file, with the indentation that is set.
        let alone = matches!(&self.value, Some(value) if !matches!(value, Value::Map(_)));
        let indent = if self.indent == 0 { 4 } else { self.indent };
        write!(out, "{{\"indent\":{indent},\"value\":{alone},\"documents\":[").unwrap();
        if let Some(value) = &self.value {
            json(value, &mut out);
        }
        for (index, branch) in self.branches.iter().enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            json_items(&branch.root.items, &mut out);
        }
        out.push_str("]}");
        out
    }
}

fn json_items(items: &[Item], out: &mut String) {
    out.push_str("{\"t\":\"map\",\"items\":[");
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { "," } else { "" });
        match item {
            Item::Comment(comment) => json_comment(comment, out),
            Item::Entry(entry) => {
                write!(out, "{{\"k\":\"{}\",\"v\":", STANDARD.encode(entry.key.as_bytes())).unwrap();
                json(&entry.value.value, out);
                out.push('}');
            }
        }
    }
    out.push_str("]}");
}

fn json_comment(comment: &Comment, out: &mut String) {
    write!(out, "{{\"c\":\"{}\",\"i\":{}}}", STANDARD.encode(comment.text.expose()), comment.inline).unwrap();
}

fn json(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("{\"t\":\"null\"}"),
        Value::Bool(value) => write!(out, "{{\"t\":\"bool\",\"b\":{value}}}").unwrap(),
        Value::Int(value) => write!(out, "{{\"t\":\"int\",\"n\":\"{value}\"}}").unwrap(),
        Value::Float(value) => write!(out, "{{\"t\":\"float\",\"n\":\"{:x}\"}}", value.to_bits()).unwrap(),
        Value::Time(text) => write!(out, "{{\"t\":\"time\",\"s\":\"{text}\"}}").unwrap(),
        Value::Str(bytes) => write!(out, "{{\"t\":\"str\",\"s\":\"{}\"}}", STANDARD.encode(bytes.expose())).unwrap(),
        Value::Map(map) => json_items(&map.items, out),
        Value::List(list) => {
            out.push_str("{\"t\":\"list\",\"items\":[");
            for (index, element) in list.items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                match element {
                    Element::Comment(comment) => json_comment(comment, out),
                    Element::Node(node) => {
                        out.push_str("{\"v\":");
                        json(&node.value, out);
                        out.push('}');
                    }
                }
            }
            out.push_str("]}");
        }
    }
}

/// The oracle, built once; `None` without Go or without its module.
fn oracle() -> Option<PathBuf> {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/oracle/yamlemit");
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("yamlemit");
    let build = Command::new("go").arg("build").arg("-o").arg(&program).arg(".").current_dir(source).status();
    build.is_ok_and(|status| status.success()).then_some(program)
}

fn ask(program: &PathBuf, requests: &[Request]) -> Vec<Vec<u8>> {
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: Vec<String> = requests.iter().map(Request::json).collect();
    let writer = std::thread::spawn(move || lines.iter().try_for_each(|line| writeln!(stdin, "{line}")));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the oracle failed");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| STANDARD.decode(line).unwrap()).collect()
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn random_trees_are_printed_as_go_yaml_prints_them() {
    let Some(program) = oracle() else {
        eprintln!("SKIPPED: random_trees_are_printed_as_go_yaml_prints_them needs Go and its module cache");
        return;
    };
    let mut trees = Trees::new(setting("PLOMB_EMIT_SEED", 1));
    let mut left = setting("PLOMB_EMIT_TREES", 4000);
    while left > 0 {
        let round = left.min(1000);
        left -= round;
        let requests: Vec<Request> = (0..round).map(|_| Request::random(&mut trees)).collect();
        let answers = ask(&program, &requests);
        assert_eq!(answers.len(), requests.len());
        for (request, wanted) in requests.iter().zip(&answers) {
            let ours = request.ours();
            assert!(
                ours == *wanted,
                "indent {}\nours:\n{}\ngo-yaml:\n{}\n{}",
                request.indent,
                ours.escape_ascii().to_string().replace("\\n", "\n"),
                wanted.escape_ascii().to_string().replace("\\n", "\n"),
                request.json()
            );
        }
    }
}

#[test]
fn a_negative_indentation_is_refused() {
    let options = EmitOptions { indent: Some(-1) };
    assert!(Yaml.emit(&[Branch::default()], &options).is_err());
}
