//! Files and streams.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use source::{Files, Limits, Stdin};
use testkit::scratch::Scratch;

use crate::log::read;
use crate::repo::{Repo, fifo};

fn files(scratch: &Scratch) -> Files {
    Files::new(vec![scratch.work()])
}

fn relative(scratch: &Scratch, paths: &[&str]) -> Vec<String> {
    let root = scratch.work();
    paths
        .iter()
        .map(|path| path.strip_prefix(root.to_str().unwrap()).unwrap().trim_start_matches('/').to_owned())
        .collect()
}

#[test]
fn hidden_files_are_read_and_git_is_never_entered() {
    let scratch = Scratch::new("files");
    for name in ["a.txt", ".env", "d/.hidden/b", ".git/config", "sub/.git/x", "ignored.log", "empty"] {
        scratch.write(name, if name == "empty" { "" } else { name });
    }
    scratch.write(".gitignore", "*.log\n");
    let log = read(&files(&scratch));
    assert_eq!(
        relative(&scratch, &log.paths()),
        [".env", ".gitignore", "a.txt", "d/.hidden/b", "ignored.log"][..4].to_vec()
    );
    assert_eq!(log.placed(), log.paths());
    let all = Files { obey_gitignore: false, ..files(&scratch) };
    assert_eq!(relative(&scratch, &read(&all).paths()), [".env", ".gitignore", "a.txt", "d/.hidden/b", "ignored.log"]);
}

#[test]
fn what_is_ignored_is_what_git_ignores() {
    let repo = Repo::new();
    for name in [
        "a.txt",
        "a.log",
        "keep.log",
        "build/x",
        "sub/build",
        "sub/b.tmp",
        "sub/deep/c.tmp",
        "sub/deep/keep.tmp",
        "sub/a.log",
        "x.excluded",
        "[odd",
        "only/here/y",
        "only/z",
        "sub/caf\u{e9}.tmp",
        "nested/inner.log",
    ] {
        repo.write(name, name);
    }
    repo.write(".gitignore", "\u{feff}*.log\r\n!keep.log\n/build/\n[odd\n# a remark\nonly/*\n!only/here\n");
    repo.write("sub/.gitignore", "*.tmp\n");
    repo.write("sub/deep/.gitignore", "!keep.tmp\n");
    repo.write(".git/info/exclude", "*.excluded\n");
    let wanted = repo.text(&["-c", "core.quotePath=false", "ls-files", "-o", "--exclude-standard"]);
    let mut wanted: Vec<&str> = wanted.lines().collect();
    wanted.sort_unstable();
    let log = read(&Files::new(vec![repo.root.clone()]));
    assert_eq!(relative(&repo.scratch, &log.paths()), wanted);
    // Lists above the folder that was named hold, too.
    let log = read(&Files::new(vec![repo.root.join("sub")]));
    let below: Vec<&str> = wanted.into_iter().filter(|path| path.starts_with("sub/")).collect();
    assert_eq!(relative(&repo.scratch, &log.paths()), below);
}

#[test]
fn a_list_that_is_a_link_a_pipe_or_endless_stops_nothing() {
    let repo = Repo::new();
    for name in ["a.log", "sub/b.log", "large/c.log"] {
        repo.write(name, name);
    }
    repo.write("patterns", "*.log\n");
    std::os::unix::fs::symlink("/dev/zero", repo.root.join(".gitignore")).unwrap();
    std::fs::remove_file(repo.root.join(".git/info/exclude")).unwrap();
    fifo(&repo.root.join("sub/.gitignore"));
    fifo(&repo.root.join(".git/info/exclude"));
    repo.write("large/.gitignore", "*.log\n".repeat(200_000));
    let log = read(&files(&repo.scratch));
    assert_eq!(
        relative(&repo.scratch, &log.paths()),
        ["a.log", "large/.gitignore", "large/c.log", "patterns", "sub/b.log"]
    );
    // As in Git, a link is no list even if it leads to one.
    std::fs::remove_file(repo.root.join(".gitignore")).unwrap();
    std::os::unix::fs::symlink("patterns", repo.root.join(".gitignore")).unwrap();
    assert!(read(&files(&repo.scratch)).paths().iter().any(|path| path.ends_with("/a.log")));
}

#[test]
fn links_pipes_and_loops_are_left_out_by_name() {
    let scratch = Scratch::new("files");
    scratch.write("a.txt", "a");
    let link = |to: &str, from: &str| std::os::unix::fs::symlink(to, scratch.path(from)).unwrap();
    link("a.txt", "link");
    link(".", "folder");
    link("loop", "loop");
    link("/nonexistent", "dangling");
    fifo(&scratch.path("pipe"));
    let log = read(&files(&scratch));
    assert_eq!(relative(&scratch, &log.paths()), ["a.txt"]);
    assert_eq!(log.skipped.len(), 5);
    assert_eq!(log.unread, []);
    let follow = Files { follow_links: true, ..files(&scratch) };
    let log = read(&follow);
    assert_eq!(relative(&scratch, &log.placed()), ["a.txt", "a.txt"]);
    let through = log.places.iter().find_map(|place| place.origin.symlink.clone()).unwrap();
    assert!(through.ends_with(b"/link"));
}

#[test]
fn what_cannot_be_read_is_named() {
    let scratch = Scratch::new("files");
    let targets = vec![scratch.path("missing"), scratch.path("also/missing")];
    let log = read(&Files::new(targets));
    assert_eq!(log.unread.len(), 2);
    assert_eq!(log.contents, []);
}

#[test]
fn names_are_bytes() {
    let scratch = Scratch::new("files");
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9\n.txt");
    std::fs::write(scratch.work().join(name), "x").unwrap();
    let log = read(&files(&scratch));
    assert!(log.contents[0].paths[0].ends_with(b"/caf\xe9\n.txt"));
}

#[test]
fn large_files_come_in_overlapping_pieces() {
    let scratch = Scratch::new("files");
    let text: String = (1..=2000).map(|line| format!("line {line}\n")).collect();
    scratch.write("big.txt", &text);
    let limits = Limits { piece_bytes: 4096, overlap_bytes: 64, ..Limits::default() };
    let whole = Files { limits: limits.clone(), ..files(&scratch) };
    for log in [read(&whole), read(&Stdin::new(Box::new(std::io::Cursor::new(text.clone().into_bytes())), limits))] {
        assert!(log.contents.len() > 3);
        let mut told = log.contents.clone();
        told.sort_by_key(|told| told.first_line);
        let mut next = 1;
        for piece in &told {
            let lines: Vec<&[u8]> = bstr::ByteSlice::lines(piece.bytes.as_slice()).collect();
            assert_eq!(lines[0], format!("line {}", piece.first_line).as_bytes());
            assert!(piece.first_line <= next && next - piece.first_line <= 8, "an overlap, but a small one");
            next = piece.first_line + lines.len();
        }
        assert_eq!(next, 2001);
        // What is new in each piece covers every line once.
        let mut from: Vec<usize> =
            log.places.iter().map(|place| place.lines.as_ref().map_or(1, |lines| lines[0].start)).collect();
        from.sort_unstable();
        let firsts: Vec<usize> = told.iter().map(|piece| piece.first_line).collect();
        assert!(from.iter().zip(&firsts).skip(1).all(|(from, first)| from > first));
    }
}

#[test]
fn one_endless_line_is_cut_too() {
    let scratch = Scratch::new("files");
    scratch.write("line", "x".repeat(50_000));
    let limits = Limits { piece_bytes: 4096, overlap_bytes: 64, ..Limits::default() };
    let log = read(&Files { limits, ..files(&scratch) });
    assert!(log.contents.iter().all(|told| told.first_line == 1 && told.bytes.len() <= 4096));
    let total: usize = log.contents.iter().map(|told| told.bytes.len()).sum();
    assert!((50_000..52_000).contains(&total), "{total}");
}

#[test]
fn limits_on_size_name_the_file() {
    let scratch = Scratch::new("files");
    scratch.write("big", "x".repeat(100));
    scratch.write("small", "x");
    let limits = Limits { max_target_bytes: Some(99), ..Limits::default() };
    let log = read(&Files { limits, ..files(&scratch) });
    assert_eq!(log.contents.len(), 1);
    assert!(log.skipped[0].what.ends_with(b"/big"));
}

#[test]
fn a_file_named_twice_is_read_once_and_a_link_named_by_the_user_is_followed() {
    let scratch = Scratch::new("files");
    let file = scratch.write("a", "x");
    std::os::unix::fs::symlink("a", scratch.path("l")).unwrap();
    let targets = vec![file.clone(), file, scratch.work().join("./a"), scratch.path("l")];
    assert_eq!(relative(&scratch, &read(&Files::new(targets)).placed()), ["a", "l"]);
}

#[test]
fn a_stream_that_breaks_off_is_unread_and_what_came_is_scanned() {
    struct Breaks(usize);
    impl Read for Breaks {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            if self.0 > 1 {
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            buffer[..2].copy_from_slice(b"x\n");
            Ok(2)
        }
    }
    let log = read(&Stdin::new(Box::new(Breaks(0)), Limits::default()));
    assert_eq!(log.contents[0].bytes, "x\n");
    assert_eq!(log.unread.len(), 1);
}

#[test]
fn paths_are_as_typed() {
    let here = PathBuf::from(".");
    let log = read(&Files::new(vec![here.join("src/../clippy.toml")]));
    assert_eq!(log.paths(), ["clippy.toml"]);
}
