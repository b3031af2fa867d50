//! Against a real SOPS: its path in `PLOMB_SOPS`, else these tests are skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use document::format::{Binary, Env, Ini, Json};
use document::{Comment, Document, Edits, Element, Format, Item, Map, Node, Token, Value};
use secret::SecretBytes;

use super::material::{edited, emit, open};
use super::random::{self, Random};

/// A key made for these tests; it protects nothing.
const IDENTITY: &str = concat!("AGE-SECRET", "-KEY-1Q6XX9T08QULZF9Y3LU4URNTT3H3Y47NNH7276LU8EL2W6H0Y2RCSEXCQT6");
const RECIPIENT: &str = "age1kujd4s9mw4rfqnzydftcr33ws23rlxmnsgk0mkl4774s5rmt6eksfyd0x7";

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn say(line: &str) {
    println!("{line}");
}

struct Peer {
    program: PathBuf,
    folder: PathBuf,
}

impl Peer {
    /// The peer with a folder of its own for `test`.
    fn find(test: &str) -> Option<Self> {
        let Some(program) = std::env::var_os("PLOMB_SOPS") else {
            say(&format!("SKIPPED: {test}: PLOMB_SOPS is not set"));
            return None;
        };
        let folder = std::env::temp_dir().join(format!("plomb-flat-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Some(Self { program: program.into(), folder })
    }

    /// What SOPS prints for a file with this content, if it accepts it.
    fn run(&self, mode: &[&str], extension: &str, text: &[u8]) -> Option<Vec<u8>> {
        let file = self.folder.join(format!("file.{extension}"));
        std::fs::write(&file, text).expect("a writable folder");
        let out = self.command(mode, &file).output().expect("SOPS starts");
        out.status.success().then_some(out.stdout)
    }

    fn command(&self, mode: &[&str], file: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).args(mode).arg(file);
        command.env("SOPS_AGE_KEY", IDENTITY).env("SOPS_DISABLE_VERSION_CHECK", "1");
        command
    }

    fn seal(&self, extension: &str, text: &[u8]) -> Option<Vec<u8>> {
        self.run(&["--encrypt", "--age", RECIPIENT], extension, text)
    }

    fn unseal(&self, extension: &str, text: &[u8]) -> Option<Vec<u8>> {
        self.run(&["--decrypt"], extension, text)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The leaves and comments of two trees of one shape, side by side.
#[derive(Default)]
struct Pairs<'a> {
    leaves: Vec<(&'a Node, &'a Node)>,
    comments: Vec<(&'a Comment, &'a Comment)>,
}

impl<'a> Pairs<'a> {
    fn of(a: &'a Document, b: &'a Document) -> Self {
        let mut pairs = Self::default();
        // Comments at the top of an INI tree are ours alone: SOPS does not have them.
        let top = |doc: &'a Document| {
            doc.branches[0]
                .root
                .items
                .iter()
                .filter(|item| doc.format.name() != "ini" || matches!(item, Item::Entry(_)))
        };
        assert_eq!(top(a).count(), top(b).count());
        top(a).zip(top(b)).for_each(|(a, b)| pairs.items(a, b));
        pairs
    }

    fn maps(&mut self, a: &'a Map, b: &'a Map) {
        // SOPS does not print an empty comment, so its tree has none.
        let full = |map: &'a Map| {
            let is_empty = |item: &Item| matches!(item, Item::Comment(comment) if comment.text.is_empty());
            map.items.iter().filter(move |item| !is_empty(item))
        };
        assert_eq!(full(a).count(), full(b).count());
        full(a).zip(full(b)).for_each(|(a, b)| self.items(a, b));
    }

    fn items(&mut self, a: &'a Item, b: &'a Item) {
        match (a, b) {
            (Item::Comment(a), Item::Comment(b)) => self.comments.push((a, b)),
            (Item::Entry(a), Item::Entry(b)) => {
                assert_eq!(a.key, b.key);
                self.nodes(&a.value, &b.value);
            }
            _ => panic!("trees of different shape"),
        }
    }

    fn nodes(&mut self, a: &'a Node, b: &'a Node) {
        match (&a.value, &b.value) {
            (Value::Map(a), Value::Map(b)) => self.maps(a, b),
            (Value::List(a), Value::List(b)) => {
                assert_eq!(a.items.len(), b.items.len());
                for elements in a.items.iter().zip(&b.items) {
                    match elements {
                        (Element::Node(a), Element::Node(b)) => self.nodes(a, b),
                        _ => panic!("no comments in the lists of these formats"),
                    }
                }
            }
            _ => self.leaves.push((a, b)),
        }
    }
}

/// `plain` with the ciphertexts and metadata of `sealed`, in the layout of `plain`.
fn transplant(format: &dyn Format, plain: &Document, sealed: &Document) -> Vec<u8> {
    let pairs = Pairs::of(plain, sealed);
    edited(plain, |edits| {
        for (ours, theirs) in &pairs.leaves {
            if let Some(text) = theirs.value.as_str().filter(|text| text.starts_with("ENC[")) {
                format.write_leaf(plain, ours, Token::Sealed(text), None, edits);
            }
        }
        for (ours, theirs) in &pairs.comments {
            if ours.span.is_some() {
                format.write_comment(plain, ours, theirs.text.expose(), edits);
            }
        }
        format.place_metadata(plain, sealed.metadata.as_ref().expect("metadata"), edits).expect("a place for it");
    })
}

/// `sealed`, which `transplant` made of `plain`, with the values of `plain` again: as the engine does it,
/// by value where that gives the old bytes, else verbatim.
fn restore(format: &dyn Format, sealed: &Document, plain: &Document) -> Vec<u8> {
    let pairs = Pairs::of(sealed, plain);
    edited(sealed, |edits: &mut Edits| {
        for (theirs, ours) in &pairs.leaves {
            let token = &plain.source.expose()[ours.site.span.range()];
            format.write_leaf(sealed, theirs, Token::Verbatim(token), None, edits);
        }
        for (theirs, ours) in &pairs.comments {
            if theirs.span.is_some() {
                format.write_comment(sealed, theirs, ours.text.expose(), edits);
            }
        }
        format.remove_metadata(sealed, edits);
    })
}

/// One document through SOPS and us. False if SOPS does not accept it or we refuse it with reason.
fn check(peer: &Peer, format: &dyn Format, extension: &str, text: &[u8], whole: bool) -> bool {
    let shown = String::from_utf8_lossy(text).into_owned();
    let plain = match format.name() {
        "json" => Json::parse_lenient(SecretBytes::new(text.to_vec())),
        _ => format.parse(SecretBytes::new(text.to_vec())),
    };
    let Some(sealed) = peer.seal(extension, text) else {
        // What SOPS refuses, we refuse, unless it is only a reserved key that the engine refuses.
        assert!(plain.is_err() || shown.contains("sops"), "SOPS refuses {shown:?}");
        return false;
    };
    let plain = match plain {
        Err(error) if error.problem == document::Problem::Unsupported => return false,
        plain => plain.unwrap_or_else(|error| panic!("{error}: {shown:?}")),
    };
    let Some(printed) = peer.unseal(extension, &sealed) else { return false };
    let out = String::from_utf8_lossy(&emit(&plain.branches, format)).into_owned();
    assert_eq!(out, String::from_utf8_lossy(&printed), "{shown:?}");
    if whole {
        let theirs = open(format, &sealed);
        let ours = transplant(format, &plain, &theirs);
        let shown_ours = String::from_utf8_lossy(&ours).into_owned();
        let read = peer.unseal(extension, &ours).unwrap_or_else(|| panic!("SOPS cannot read {shown_ours:?}"));
        assert_eq!(String::from_utf8_lossy(&read), out, "{shown_ours:?} for {shown:?}");
        let again = restore(format, &open(format, &ours), &plain);
        assert_eq!(String::from_utf8_lossy(&again), shown);
    }
    true
}

/// Sends `runs` random documents (or `PLOMB_RUNS`) through SOPS and us.
fn differential(
    test: &str,
    format: &dyn Format,
    extension: &str,
    runs: u64,
    whole: bool,
    make: fn(&mut Random) -> String,
) {
    let Some(peer) = Peer::find(test) else { return };
    let runs = std::env::var("PLOMB_RUNS").map_or(runs, |text| text.parse().expect("PLOMB_RUNS is a number"));
    let compared = (0..runs).filter(|seed| {
        let text = make(&mut Random::new(*seed));
        check(&peer, format, extension, text.as_bytes(), whole)
    });
    let compared = compared.count();
    say(&format!("{test}: {compared} of {runs} documents compared"));
    assert!(compared as u64 >= runs / 4, "too few random documents are accepted");
}

#[test]
fn json_is_read_printed_and_sealed_like_sops() {
    differential("json", &Json, "json", 40, true, |random| random::json_file(random, 1));
}

#[test]
fn many_json_documents_in_one_file_print_like_sops() {
    differential("json-many", &Json, "json", 4, true, |random| random::json_file(random, 500));
}

#[test]
fn dotenv_is_read_printed_and_sealed_like_sops() {
    differential("dotenv", &Env, "env", 40, true, random::env_file);
}

#[test]
fn ini_is_read_printed_and_sealed_like_sops() {
    differential("ini", &Ini, "ini", 40, true, random::ini_file);
}

#[test]
fn binary_files_are_sealed_like_sops() {
    let Some(peer) = Peer::find("binary") else { return };
    let bytes: Vec<u8> = (0..=255).cycle().take(3000).collect();
    let sealed = peer.seal("bin", &bytes).unwrap();
    let mut doc = Binary::parse_sealed(SecretBytes::new(sealed.clone())).unwrap();
    Binary.take_metadata(&mut doc).unwrap();
    let enc = doc.branches[0].root.get("data").unwrap().value.as_str().unwrap();
    let ours = Binary::seal_text(enc, doc.metadata.as_ref().unwrap()).unwrap();
    assert_eq!(ours.expose(), sealed);
    assert_eq!(peer.unseal("bin", ours.expose()).unwrap(), bytes);
}
