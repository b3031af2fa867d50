//! The index and the work tree.

use source::{Source, SourceError, Staged, Unstaged};

use crate::log::read;
use crate::repo::Repo;

#[test]
fn only_staged_lines_count_and_they_come_from_the_object_store() {
    let repo = Repo::new();
    repo.write("a.txt", "one\ntwo\nthree\n");
    repo.write("d/same.txt", "same\n");
    repo.commit("first");
    repo.write("a.txt", "one\nnew\ntwo\nthree\nlast");
    repo.write("d/added.txt", "all\nnew\n");
    repo.git(&["add", "-A"]);
    repo.write("a.txt", "not staged\n");
    let opened = repo.open();
    let log = read(&Staged::new(&opened));
    assert_eq!(log.paths(), ["a.txt", "d/added.txt"]);
    assert_eq!(log.lines("a.txt"), Some(&[2..3, 5..6][..]));
    assert_eq!(log.lines("d/added.txt"), None);
    let log = read(&Unstaged::new(&opened));
    assert_eq!(log.paths(), ["a.txt"]);
    assert_eq!(log.contents[0].bytes, "not staged\n");
}

#[test]
fn changes_are_those_of_git_whether_the_index_knows_its_trees_or_not() {
    let repo = Repo::new();
    for name in ["a", "b/c", "b/d/e", "f/g", "keep/x", "f.x/y", "f-z"] {
        repo.write(name, format!("{name}\n").repeat(20));
    }
    repo.commit("first");
    repo.write("b/d/e", "changed\n");
    repo.write("new/deep/file", "new\n");
    repo.git(&["rm", "-q", "-r", "f", "f.x"]);
    repo.write("f", "a file now\n");
    repo.git(&["mv", "a", "moved"]);
    repo.git(&["add", "-A"]);
    let git = || repo.text(&["diff", "--cached", "--raw", "--no-abbrev", "--no-renames"]);
    let ours = || {
        let changes = Staged::new(&repo.open()).changes().unwrap();
        let zero = "0".repeat(40);
        let id = |id: Option<gix::ObjectId>| id.map_or(zero.clone(), |id| id.to_string());
        changes
            .iter()
            .map(|change| format!("{} {} {}", id(change.old), id(change.new), change.path))
            .collect::<Vec<_>>()
    };
    let theirs: Vec<String> = git()
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("{} {} {}", words[2], words[3], words[5])
        })
        .collect();
    assert_eq!(ours(), theirs);
    let moved = Staged::new(&repo.open()).changes().unwrap();
    let moved = moved.iter().find(|change| change.path == "moved").unwrap();
    assert_eq!(moved.renamed_from.as_ref().unwrap().0, "a");
    // The same without the index's own knowledge of trees, with a split index, and with an older format.
    for args in
        [["update-index", "--split-index"], ["update-index", "--index-version=4"], ["update-index", "--force-remove"]]
    {
        let mut args = args.to_vec();
        if args[1] == "--force-remove" {
            args.push("keep/nothing");
        }
        repo.git(&args);
        assert_eq!(ours(), theirs, "{args:?}");
    }
}

#[test]
fn an_unborn_head_and_an_empty_index() {
    let repo = Repo::new();
    assert_eq!(read(&Staged::new(&repo.open())).paths(), Vec::<&str>::new());
    repo.write("a", "x\n");
    repo.git(&["add", "a"]);
    assert_eq!(read(&Staged::new(&repo.open())).paths(), ["a"]);
}

#[test]
fn all_sides_of_a_conflict_are_read() {
    let repo = Repo::new();
    repo.write("a", "base\n");
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("a", "side\n");
    repo.commit("side");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("a", "main\n");
    repo.commit("main");
    assert!(!repo.run(&["merge", "-q", "side"]).status.success());
    let log = read(&Staged::new(&repo.open()));
    let texts: Vec<_> = log.contents.iter().map(|told| told.bytes.to_string()).collect();
    assert_eq!(texts, ["base\n", "side\n"], "ours is what HEAD has");
}

#[test]
fn an_intent_to_add_is_not_staged_but_unstaged() {
    let repo = Repo::new();
    repo.write("a", "x\n");
    repo.commit("first");
    repo.write("b", "y\n");
    repo.git(&["add", "-N", "b"]);
    assert_eq!(read(&Staged::new(&repo.open())).paths(), Vec::<&str>::new());
    let opened = repo.open();
    let log = read(&Unstaged::new(&opened));
    assert_eq!(log.paths(), ["b"]);
    assert_eq!(log.lines("b"), None);
}

#[test]
fn flags_on_entries_hide_nothing() {
    let repo = Repo::new();
    repo.write("a", "x\n");
    repo.write("b", "x\n");
    repo.commit("first");
    repo.write("a", "secret\n");
    repo.write("b", "secret\n");
    repo.git(&["add", "-A"]);
    repo.git(&["update-index", "--assume-unchanged", "a"]);
    repo.git(&["update-index", "--skip-worktree", "b"]);
    assert_eq!(read(&Staged::new(&repo.open())).paths(), ["a", "b"]);
}

#[test]
fn a_sparse_index_is_read() {
    let repo = Repo::new();
    repo.write("in/a", "x\n");
    repo.write("out/b", "x\n");
    repo.commit("first");
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    repo.write("in/a", "secret\n");
    repo.git(&["add", "in/a"]);
    assert_eq!(read(&Staged::new(&repo.open())).paths(), ["in/a"]);
    repo.git(&["reset", "-q", "--soft", "HEAD"]);
    let blob = repo.text(&["hash-object", "-w", "in/a"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},out/b")]);
    assert_eq!(read(&Staged::new(&repo.open())).paths(), ["in/a", "out/b"]);
}

#[test]
fn another_index_file_and_a_folder() {
    let repo = Repo::new();
    repo.write("d/a", "x\n");
    repo.write("b", "x\n");
    let other = repo.root.join(".git/other-index");
    let output = repo.command(&["add", "d/a", "b"]).env("GIT_INDEX_FILE", &other).output().unwrap();
    assert!(output.status.success());
    let opened = repo.open();
    let staged = Staged { index_file: Some(other), ..Staged::new(&opened) };
    assert_eq!(read(&staged).paths(), ["b", "d/a"]);
    assert_eq!(read(&Staged { under: "d".into(), ..staged }).paths(), ["d/a"]);
}

#[test]
fn a_missing_blob_is_unread_and_a_broken_index_an_error() {
    let repo = Repo::new();
    repo.write("a", "x\n");
    repo.git(&["add", "a"]);
    let id = repo.text(&["rev-parse", ":a"]);
    std::fs::remove_file(repo.root.join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    let log = read(&Staged::new(&repo.open()));
    assert_eq!(log.unread[0].what, "a");
    std::fs::write(repo.root.join(".git/index"), b"DIRC\0\0\0\x02garbage").unwrap();
    assert!(matches!(Staged::new(&repo.open()).changes(), Err(SourceError::Repository { .. })));
}

#[test]
fn committed_files_are_read_at_a_revision() {
    let repo = Repo::new();
    repo.write("d/config", "one\n");
    let first = repo.commit("first");
    repo.git(&["tag", "-a", "-m", "t", "v1"]);
    repo.write("d/config", "two\n");
    repo.commit("second");
    let opened = repo.open();
    for (revision, want) in [("HEAD", "two\n"), ("v1", "one\n"), ("HEAD~1", "one\n"), (&first, "one\n")] {
        let bytes = opened.read_at(revision.into(), "d/config".into()).unwrap().unwrap();
        assert_eq!(bytes, want.as_bytes());
    }
    assert!(opened.read_at("HEAD".into(), "nothing".into()).unwrap().is_none());
    assert!(opened.read_at("HEAD".into(), "d".into()).unwrap().is_none());
    assert!(matches!(opened.read_at("nothing".into(), "d".into()), Err(SourceError::Revision { .. })));
}

#[test]
fn not_a_repository_is_an_error() {
    let scratch = testkit::scratch::Scratch::new("none");
    assert!(matches!(source::Repository::discover(&scratch.work()), Err(SourceError::NotARepository { .. })));
    for (name, value) in
        [("core.repositoryformatversion", "9"), ("extensions.refstorage", "reftable"), ("extensions.new", "1")]
    {
        let repo = Repo::new();
        repo.git(&["config", "core.repositoryformatversion", "1"]);
        repo.git(&["config", name, value]);
        assert!(matches!(source::Repository::discover(&repo.root), Err(SourceError::Repository { .. })), "{name}");
    }
    let repo = Repo::new();
    repo.write("a", "x\n");
    repo.commit("c");
    std::fs::write(repo.root.join(".git/HEAD"), "garbage\n").unwrap();
    // A HEAD that cannot be read hides no branch.
    let opened = source::Repository::discover(&repo.root).unwrap();
    let log = read(&source::History::new(&opened));
    assert_eq!((log.paths(), &log.unread[0].what), (vec!["a"], &"HEAD".into()));
}

#[test]
fn pipes_and_devices_in_a_repository_are_refused_by_name() {
    let files = [
        "HEAD",
        "config",
        "packed-refs",
        "commondir",
        "shallow",
        "objects/info/alternates",
        "refs/heads/other",
        "objects/pack/pack-1.idx",
        "config.worktree",
    ];
    for name in files {
        for device in [false, true] {
            let repo = Repo::new();
            repo.write("a", "x\n");
            repo.commit("c");
            let path = repo.root.join(".git").join(name);
            let _ = std::fs::remove_file(&path);
            match device {
                true => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
                false => crate::repo::fifo(&path),
            }
            let refused = source::Repository::discover(&repo.root).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains(name.rsplit('/').next().unwrap()), "{name}: {refused}");
        }
    }
    let repo = Repo::new();
    let hidden = repo.root.join("other/objects/info");
    std::fs::create_dir_all(&hidden).unwrap();
    crate::repo::fifo(&hidden.join("alternates"));
    repo.write(".git/objects/info/alternates", "../../other/objects\n");
    assert!(source::Repository::discover(&repo.root).is_err(), "an alternate's own");
    std::fs::remove_dir_all(repo.root.join(".git")).unwrap();
    crate::repo::fifo(&repo.root.join(".git"));
    assert!(source::Repository::discover(&repo.root).is_err());
}

#[test]
fn a_replacement_hides_nothing() {
    let repo = Repo::new();
    repo.write("a", "secret\n");
    repo.write("b", "harmless\n");
    repo.git(&["add", "-A"]);
    let (a, b) = (repo.text(&["rev-parse", ":a"]), repo.text(&["rev-parse", ":b"]));
    repo.git(&["replace", &a, &b]);
    let opened = repo.open();
    let staged = Staged::new(&opened);
    let _: &dyn Source = &staged;
    assert_eq!(read(&staged).contents[0].bytes, "secret\n");
}
