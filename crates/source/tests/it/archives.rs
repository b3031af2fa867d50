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
    for padding in [0, 1, 512, 100_000] {
        let log = scan(&[twice.clone(), vec![0; padding]].concat(), Limits::default());
        assert_eq!((texts(&log), log.unread.len()), (vec![("outer", &b"one\ntwo\n"[..])], 0), "{padding}");
    }
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let skippable =
        [&b"\x50\x2a\x4d\x18\x03\0\0\0xyz"[..], &ruzstd::encoding::compress_to_vec(&b"two"[..], level)].concat();
    let frames = [ruzstd::encoding::compress_to_vec(&b"one"[..], level), skippable].concat();
    assert_eq!(texts(&scan(&frames, Limits::default())), [("outer", &b"onetwo"[..])]);
}

#[test]
fn a_window_that_takes_too_much_memory_is_called_so() {
    // A frame (RFC 8878, 3.1.1) with a window of 128 MiB, and one empty last block.
    let frame = b"\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00";
    let log = scan(frame, Limits::default());
    assert_eq!(log.unread.len(), 1);
    assert!(log.unread[0].why.contains("needs more memory"), "{:?}", log.unread);
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

/// The paths of everything unread, without the test's folder.
fn unread(log: &Log) -> Vec<&str> {
    log.unread.iter().map(|unread| std::str::from_utf8(&unread.what).unwrap().rsplit('/').next().unwrap()).collect()
}

fn zip_of_deflated(files: &[(&str, &[u8])]) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn what_shrinks_well_is_read() {
    let zeros = vec![0u8; 70 << 20];
    let files = [("img", zeros.as_slice()), ("s.py", b"text")];
    for archive in [gzip(&tar(&files)), zip_of_deflated(&files)] {
        let log = scan(&archive, Limits::default());
        assert_eq!((&log.unread, &log.skipped), (&vec![], &vec![]));
        assert!(texts(&log).contains(&("outer!s.py", b"text")));
    }
}

#[test]
fn a_file_that_unfolds_to_too_much_is_named_and_the_next_are_read() {
    let zeros = vec![0u8; 3 << 19];
    let limits = || Limits { archive_bytes: 1 << 20, piece_bytes: 64 << 10, ..Limits::default() };
    let files = [("a", zeros.as_slice()), ("b", b"text"), ("c", &zeros), ("d", b"more")];
    for archive in [gzip(&tar(&files)), zip_of_deflated(&files), tar(&files)] {
        let log = scan(&archive, limits());
        assert_eq!(unread(&log), ["outer!a", "outer!c"]);
        assert!(texts(&log).contains(&("outer!b", b"text")) && texts(&log).contains(&("outer!d", b"more")));
        let scanned: usize = log.contents.iter().map(|told| told.bytes.len()).sum();
        // Pieces overlap.
        assert!(scanned < (5 << 20) / 4 && log.skipped.is_empty(), "{scanned}");
    }
    for bomb in [gzip(&zeros), gzip(&gzip(&zeros))] {
        assert_eq!(unread(&scan(&bomb, limits())), ["outer"]);
    }
    let large = vec![0u8; 5 << 20];
    let log = scan(&gzip(&tar(&[("first", b"text"), ("a", &large), ("b", b"text")])), limits());
    assert_eq!(unread(&log), ["outer", "outer!a"]);
    assert!(texts(&log).contains(&("outer!first", b"text")));
    let many: Vec<(String, &[u8])> = (0..50).map(|index| (index.to_string(), &b"x"[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    for archive in [tar(&many), zip(&many)] {
        let log = scan(&archive, Limits { archive_entries: 49, ..Limits::default() });
        assert_eq!((log.contents.len(), unread(&log)), (49, vec!["outer"]));
    }
}

#[test]
fn damage_is_named_never_silent() {
    let text: Vec<u8> = (0..20_000u32).flat_map(|index| index.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let plain = tar(&[("a", b"first"), ("b", &text)]);
    for archive in [zip(&[("a", b"first"), ("b", &text)]), gzip(&text), gzip(&plain), plain.clone()] {
        for cut in [archive.len() / 2, archive.len() - 900] {
            let log = scan(&archive[..cut], Limits::default());
            assert!(!log.unread.is_empty(), "{} of {}", cut, archive.len());
        }
    }
}

/// Whether any content has this in it.
fn saw(log: &Log, path: &str, text: &str) -> bool {
    texts(log).iter().any(|(at, bytes)| *at == path && memchr::memmem::find(bytes, text.as_bytes()).is_some())
}

#[test]
fn what_stands_before_the_damage_is_read() {
    let noise: Vec<u8> = (0..90_000u32).flat_map(|index| index.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let text = [b"the needle\n".as_slice(), &noise].concat();
    let plain = tar(&[("a", b"the needle"), ("b", &noise)]);
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(&text).unwrap();
    let lz4 = lz4.finish().unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(text.as_slice(), ruzstd::encoding::CompressionLevel::Fastest);
    let short = gzip(b"the needle");
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 16].fill(0xff);
        bytes
    };
    let without = |mut bytes: Vec<u8>, end: usize| {
        bytes.truncate(bytes.len() - end);
        bytes
    };
    let cases = [
        ("bytes behind gzip", [short.as_slice(), b"trail"].concat(), "outer"),
        ("gzip without its end", short[..short.len() - 9].to_vec(), "outer"),
        ("gzip", flipped(&gzip(&text)), "outer"),
        ("half of lz4", lz4[..lz4.len() * 3 / 4].to_vec(), "outer"),
        ("lz4 without its end", lz4[..lz4.len() - 4].to_vec(), "outer"),
        ("half of zstd", zstd[..zstd.len() / 2].to_vec(), "outer"),
        ("half of tar", plain[..plain.len() / 2].to_vec(), "outer!a"),
        ("half of tar in gzip", without(gzip(&plain), 50_000), "outer!a"),
        ("zip without its directory", without(zip(&[("a", b"the needle")]), 30), "outer!a"),
        ("half of zip", without(zip_of_deflated(&[("a", b"the needle"), ("b", &noise)]), 100_000), "outer!a"),
    ];
    for (name, archive, path) in cases {
        let log = scan(&archive, Limits::default());
        assert!(saw(&log, path, "the needle"), "{name}: {:?}", log.paths());
        assert!(unread(&log).contains(&"outer"), "{name}: {:?}", log.unread);
    }
}

#[test]
fn what_stands_behind_the_damage_is_read() {
    let mut tar = tar(&[("a", b"one"), ("b", b"two"), ("c", b"the needle")]);
    tar[1024..1100].fill(b'?');
    let log = scan(&tar, Limits::default());
    assert!(saw(&log, "outer!a", "one") && saw(&log, "outer", "the needle"), "{:?}", log.paths());
    assert_eq!(unread(&log), ["outer"]);
    let mut zip = zip_of_deflated(&[("a", &[7; 4000]), ("b", b"the needle")]);
    // Its directory names nothing.
    let end = memchr::memmem::rfind(&zip, b"PK\x05\x06").unwrap();
    zip[end + 8..end + 20].fill(0);
    let log = scan(&zip, Limits::default());
    assert!(saw(&log, "outer!b", "the needle"), "{:?}", log.paths());
    assert_eq!(unread(&log), ["outer"]);
}

#[test]
fn what_runs_an_archive_may_stand_before_it() {
    let stub = [b"#!/bin/sh\nexec java -jar $0 # the stub\n".as_slice(), &[b'\n'; 9000]].concat();
    let jar = [stub.as_slice(), &zip_of_deflated(&[("a", b"the needle")])].concat();
    let log = scan(&jar, Limits::default());
    assert!(saw(&log, "outer!a", "the needle") && saw(&log, "outer", "the stub"), "{:?}", log.paths());
    assert_eq!((log.unread, log.skipped), (vec![], vec![]));
    // The same in an archive, and where it does not fit into one piece.
    let log = scan(&gzip(&tar(&[("x.jar", &jar)])), Limits::default());
    assert!(saw(&log, "outer!x.jar!a", "the needle") && saw(&log, "outer!x.jar", "the stub"), "{:?}", log.paths());
    let log = scan(&jar, Limits { piece_bytes: 4096, ..Limits::default() });
    assert!(saw(&log, "outer!a", "the needle") && saw(&log, "outer", "the stub"), "{:?}", log.paths());
    let log = scan(&jar, Limits { archive_depth: 0, ..Limits::default() });
    assert_eq!(log.contents.len(), 1);
    // A text that only speaks of archives.
    let text = [b"PK\x05\x06".as_slice(), &[b'-'; 50]].concat();
    assert_eq!(texts(&scan(&[b"x".as_slice(), &text].concat(), Limits::default())).len(), 1);
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
