//! Archives, built by code so that each kind is there whatever the machine has installed.

use std::io::Write;

use source::{Files, Limits};
use testkit::scratch::Scratch;

use crate::log::{Log, read};

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn scan(bytes: &[u8], limits: Limits) -> Log {
    let scratch = Scratch::new("archive");
    let file = scratch.write("outer", bytes);
    let mut log = read(&Files { limits, ..Files::new(vec![file]) });
    let prefix = scratch.work().to_str().unwrap().len() + 1;
    for told in &mut log.contents {
        told.paths[0].drain(..prefix);
    }
    for place in &mut log.places {
        place.origin.path.drain(..prefix);
    }
    log
}

fn texts(log: &Log) -> Vec<(&str, &[u8])> {
    log.contents.iter().map(|told| (std::str::from_utf8(&told.paths[0]).unwrap(), told.bytes.as_slice())).collect()
}

const FILES: [(&str, &[u8]); 2] = [("./a.txt", b"one"), ("d/b.txt", b"two")];

#[test]
fn every_kind_is_opened_by_its_content() {
    let plain = tar(&FILES);
    let mut bzip = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip.write_all(&plain).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(&plain).unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(plain.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
    for archive in [zip(&FILES), gzip(&plain), bzip.finish().unwrap(), lz4.finish().unwrap(), zstd, plain] {
        let log = scan(&archive, Limits::default());
        assert_eq!(texts(&log), [("outer!a.txt", &b"one"[..]), ("outer!d/b.txt", b"two")]);
        assert_eq!(log.placed(), ["outer!a.txt", "outer!d/b.txt"]);
        assert_eq!((log.unread, log.skipped), (vec![], vec![]));
    }
}

#[test]
fn a_compressed_file_keeps_its_name_and_members_follow_each_other() {
    let twice = [gzip(b"one\n"), gzip(b"two\n")].concat();
    assert_eq!(texts(&scan(&twice, Limits::default())), [("outer", &b"one\ntwo\n"[..])]);
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let skippable =
        [&b"\x50\x2a\x4d\x18\x03\0\0\0xyz"[..], &ruzstd::encoding::compress_to_vec(&b"two"[..], level)].concat();
    let frames = [ruzstd::encoding::compress_to_vec(&b"one"[..], level), skippable].concat();
    assert_eq!(texts(&scan(&frames, Limits::default())), [("outer", &b"onetwo"[..])]);
}

#[test]
fn depth_is_limited_by_name() {
    let inner = zip(&[("c", b"deep")]);
    let middle = tar(&[("b", &inner)]);
    let outer = zip(&[("a", &middle), ("t", b"text")]);
    let deep = |depth| scan(&outer, Limits { archive_depth: depth, ..Limits::default() });
    assert_eq!(texts(&deep(3)), [("outer!a!b!c", &b"deep"[..]), ("outer!t", b"text")]);
    let two = deep(2);
    assert_eq!(texts(&two), [("outer!t", &b"text"[..])]);
    assert!(two.skipped[0].what.ends_with(b"outer!a!b"));
    let none = deep(0);
    assert_eq!((none.contents.len(), none.skipped.len()), (0, 1));
}

#[test]
fn bombs_are_left_out_by_name() {
    let zeros = vec![0u8; 100 << 20];
    for bomb in [gzip(&zeros), zip(&[("z", &zeros)]), gzip(&gzip(&zeros))] {
        let log = scan(&bomb, Limits::default());
        assert_eq!(log.skipped.len(), 1, "{:?}", log.unread);
        assert_eq!(log.unread, []);
    }
    let many: Vec<(String, &[u8])> = (0..50).map(|index| (index.to_string(), &b"x"[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    for archive in [tar(&many), zip(&many)] {
        let log = scan(&archive, Limits { archive_entries: 49, ..Limits::default() });
        assert_eq!((log.contents.len(), log.skipped.len()), (49, 1));
    }
}

#[test]
fn damage_is_named_never_silent() {
    let text: Vec<u8> = (0..20_000u32).flat_map(|index| index.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let plain = tar(&[("a", b"first"), ("b", &text)]);
    for archive in [zip(&[("a", b"first"), ("b", &text)]), gzip(&text), gzip(&plain), plain.clone()] {
        for cut in [archive.len() / 2, archive.len() - 900] {
            let log = scan(&archive[..cut], Limits::default());
            assert!(!log.unread.is_empty() || !log.skipped.is_empty(), "{} of {}", cut, archive.len());
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let mut dice = testkit::random::Dice::new(3);
    let seeds = [zip(&FILES), gzip(&tar(&FILES)), tar(&FILES)];
    for round in 0..300 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=dice.below(4) {
            let at = dice.below(bytes.len());
            bytes[at] = dice.bits() as u8;
        }
        scan(&bytes, Limits::default());
    }
}
