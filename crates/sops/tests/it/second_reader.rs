//! A second YAML reader, the one that most Rust programs have, finds the same keys and tokens in what we write.

#![allow(clippy::disallowed_methods, reason = "tests read the fixtures")]

use document::Value;
use secret::SecretBytes;
use serde::Deserialize as _;
use serde_yaml::Value as Theirs;
use testkit::fixtures;
use testkit::yaml::Generator;

use crate::keys_at_hand::{Keys, format, seal};

const DOCUMENTS: usize = 400;

#[test]
fn serde_yaml_reads_what_we_write() {
    let mut generator = Generator::new(20_261_122);
    let mut texts: Vec<_> = (0..DOCUMENTS).filter_map(|_| String::from_utf8(generator.sample().text).ok()).collect();
    let homelab = fixtures::files_below(&fixtures::folder("homelab"));
    let yaml = homelab.iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    texts.extend(yaml.filter_map(|path| std::fs::read_to_string(path).ok()));
    let keys = Keys::new();
    let (mut read, mut problems) = (0, Vec::new());
    for (number, text) in texts.iter().enumerate() {
        // What it cannot read before, it need not read afterwards.
        let Ok(sealed) = seal(text, "yaml", &keys.policy(None)) else { continue };
        if documents(text).is_err() {
            continue;
        }
        read += 1;
        let sealed = sealed.text.into_whole();
        if let Err(why) = compare(sealed.expose_str().unwrap()) {
            problems.push(format!("text {number}: {why}"));
        }
    }
    assert!(problems.is_empty(), "{} of {read}: {}", problems.len(), problems.join("\n"));
    assert!(read > DOCUMENTS * 8 / 10, "only {read} of {}", texts.len());
}

fn documents(text: &str) -> Result<Vec<Theirs>, serde_yaml::Error> {
    serde_yaml::Deserializer::from_str(text).map(Theirs::deserialize).collect()
}

fn compare(text: &str) -> Result<(), String> {
    let ours = format("yaml").parse_sealed(SecretBytes::from(text)).map_err(|error| error.to_string())?;
    let theirs = documents(text).map_err(|error| error.to_string())?;
    if ours.branches.len() != theirs.len() {
        return Err(format!("{} documents, not {}", theirs.len(), ours.branches.len()));
    }
    let mut pairs = ours.branches.into_iter().zip(&theirs);
    pairs.try_for_each(|(ours, theirs)| match theirs {
        Theirs::Null if ours.root.entries().next().is_none() => Ok(()),
        _ => same(&Value::Map(ours.root), theirs),
    })
}

/// Equal in structure, keys and tokens; scalars in clear are read by other rules (YAML 1.2) there.
fn same(ours: &Value, theirs: &Theirs) -> Result<(), String> {
    match (ours, theirs) {
        (_, Theirs::Tagged(tagged)) => same(ours, &tagged.value),
        (Value::Map(map), Theirs::Mapping(mapping)) if map.entries().count() == mapping.len() => {
            map.entries().zip(mapping).try_for_each(|(entry, (key, value))| match key.as_str() == Some(&*entry.key) {
                true => same(&entry.value.value, value).map_err(|why| format!("{}: {why}", entry.key)),
                false if key.is_string() => Err(format!("another key than {}", entry.key)),
                // `yes: 1` and the like: a string to us, something else to them.
                false => same(&entry.value.value, value),
            })
        }
        (Value::List(list), Theirs::Sequence(items)) if list.nodes().count() == items.len() => {
            list.nodes().zip(items).try_for_each(|(node, item)| same(&node.value, item))
        }
        (Value::Map(_) | Value::List(_), _) => Err("another structure".to_owned()),
        (Value::Str(bytes), _) if sops::is_token(bytes.expose()) => {
            let token = bytes.expose_str().unwrap_or_default();
            if theirs.as_str() == Some(token) { Ok(()) } else { Err("another token".to_owned()) }
        }
        (_, Theirs::Mapping(_) | Theirs::Sequence(_)) => Err("a collection".to_owned()),
        _ => Ok(()),
    }
}
