//! What the tests share: fixture files, short ways to parse, print and edit, random documents.

use std::path::PathBuf;

use document::format::{Binary, Env, Ini, Json};
use document::{Branch, Document, EmitOptions, Format, Map, Path, Step, Value};
use secret::SecretBytes;

/// The formats of this suite with the folder of their fixtures.
pub(crate) const FORMATS: [(&dyn Format, &str); 4] =
    [(&Json, "json"), (&Env, "dotenv"), (&Ini, "ini"), (&Binary, "binary")];

/// The fixture folder of a format.
pub(crate) fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/formats").join(name)
}

/// All fixtures of a folder whose file name has `.kind.` in it: base name, path and content.
pub(crate) fn fixtures(name: &str, kind: &str) -> Vec<(String, PathBuf, Vec<u8>)> {
    let mut found: Vec<_> = std::fs::read_dir(folder(name))
        .expect("the fixture folder is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter_map(|path| {
            let file = path.file_name()?.to_str()?;
            let (base, _) = file.split_once(&format!(".{kind}."))?;
            Some((base.to_owned(), path.clone(), std::fs::read(&path).expect("a readable fixture")))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no .{kind}. fixtures in {name}");
    found
}

pub(crate) fn parse(format: &dyn Format, text: &[u8]) -> Document {
    format.parse(SecretBytes::new(text.to_vec())).unwrap_or_else(|error| {
        panic!("{}: {error} at {:?} in {}", format.name(), error.at, String::from_utf8_lossy(text))
    })
}

/// Parses and takes the metadata out.
pub(crate) fn open(format: &dyn Format, text: &[u8]) -> Document {
    let mut doc = parse(format, text);
    format.take_metadata(&mut doc).expect("good metadata");
    doc
}

pub(crate) fn emit(branches: &[Branch], format: &dyn Format) -> Vec<u8> {
    format.emit(branches, &EmitOptions::default()).expect("a tree that can be printed").into_inner()
}

/// The source of `doc` after the edits that `make` asks for.
pub(crate) fn edited(doc: &Document, make: impl FnOnce(&mut document::Edits)) -> Vec<u8> {
    let mut edits = document::Edits::new();
    make(&mut edits);
    edits.apply(doc.source.expose()).expect("edits that do not overlap").into_inner()
}

/// Whether the trees of two documents say the same.
pub(crate) fn same(a: &Document, b: &Document) -> bool {
    a.branches.len() == b.branches.len() && a.branches.iter().zip(&b.branches).all(|(a, b)| a.root.same(&b.root))
}

/// `["a", "0"]` as a path; all-digit steps that start with `#` are list positions.
pub(crate) fn path(steps: &[&str]) -> Path {
    let step = |text: &&str| match text.strip_prefix('#') {
        Some(digits) => Step::Index(digits.parse().expect("a list position")),
        None => Step::Key((*text).into()),
    };
    Path(steps.iter().map(step).collect())
}

/// A metadata block with everything that occurs in one.
pub(crate) fn metadata() -> Map {
    let mut entry = Map::default();
    entry.push("enc", Value::str("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"));
    entry.push("recipient", Value::str("age1qqq"));
    let mut age = document::List::default();
    age.items.push(document::Element::Node(document::Node::new(Value::Map(entry))));
    let mut meta = Map::default();
    meta.push("age", Value::List(age));
    meta.push("lastmodified", Value::str("2026-11-22T13:12:38Z"));
    meta.push("mac", Value::str("ENC[AES256_GCM,data:aa==,iv:bb=,tag:cc==,type:str]"));
    meta.push("unencrypted_suffix", Value::str("_unencrypted"));
    meta.push("version", Value::str("3.13.3"));
    meta
}
