//! History against `git log`, on repositories of every kind that `git` can make here.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Mutex;

use bstr::{BStr, BString, ByteSlice};
use scan::{Content, Lines, Origin, Place, Presence, Seen, Skipped, Unread, Visitor};
use source::{Choice, History, Kinds, Paths, Selection, Source as _, SourceError, date};
use testkit::Dice;

use crate::log::{Log, read, try_read};
use crate::repo::Repo;

/// Commit, path, number of an added line.
type Added = BTreeSet<(String, BString, usize)>;

fn history(repo: &Repo) -> Log {
    read(&History::new(&repo.open()))
}

/// What our places say, merges left out.
fn ours(repo: &Repo, log: &Log) -> Added {
    let merges = repo.text(&["log", "--all", "--merges", "--format=%H"]);
    let mut added = Added::new();
    let mut places = BTreeSet::new();
    for place in &log.places {
        let Place::Commit(commit) = &place.origin.place else { panic!("a commit") };
        let (id, path) = (&commit.id, &place.origin.path);
        if merges.contains(id) {
            continue;
        }
        let content = log.contents.iter().find(|told| told.paths.contains(path));
        assert!(content.is_some(), "every place has a content that names its path");
        let new = places.insert((id.clone(), path.clone(), place.origin.presence as u8));
        assert!(new, "each place is told once");
        let ranges = place.lines.clone().unwrap_or_else(|| vec![1..usize::MAX]);
        let open = ranges.last().is_some_and(|range| range.end == usize::MAX);
        let length = if open { length(repo, id, path) } else { usize::MAX - 1 };
        for line in ranges.into_iter().flat_map(|range| range.start..range.end.min(length + 1)) {
            added.insert((id.clone(), path.clone(), line));
        }
    }
    added
}

/// How many lines a file of a commit has.
fn length(repo: &Repo, commit: &str, path: &BString) -> usize {
    let spec = [commit.as_bytes(), b":", path].concat();
    let spec: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(spec.as_slice());
    let output = repo.command(&["cat-file", "blob"]).arg(spec).output().unwrap();
    output.stdout.lines().count()
}

/// What `git log -p -U0` says. Binary files are compared as text, since we read them too.
fn theirs(repo: &Repo, args: &[&str]) -> Added {
    let mut command = vec![
        "-c",
        "core.quotePath=false",
        "-c",
        "diff.renames=true",
        "log",
        "-p",
        "-U0",
        "--full-history",
        "--text",
        "--no-color",
    ];
    command.extend(["--format=commit %H", "--no-ext-diff", "--no-textconv"]);
    command.extend(args);
    let output = repo.git(&command);
    let mut added = Added::new();
    let (mut commit, mut path) = (String::new(), BString::default());
    let mut left = 0;
    let mut line = 0;
    let mut gone = 0;
    for text in output.split(|byte| *byte == b'\n') {
        if gone > 0 && text.starts_with(b"-") {
            gone -= 1;
        } else if left > 0 && text.starts_with(b"+") {
            added.insert((commit.clone(), path.clone(), line));
            line += 1;
            left -= 1;
        } else if let Some(id) = text.strip_prefix(b"commit ") {
            commit = id.to_str().unwrap().to_owned();
        } else if let Some(name) = text.strip_prefix(b"+++ ") {
            path = name
                .strip_prefix(b"b/")
                .unwrap_or(name)
                .strip_suffix(b"\t")
                .unwrap_or(name.strip_prefix(b"b/").unwrap_or(name))
                .into();
        } else if text.starts_with(b"@@ ") {
            let fields: Vec<&str> = text
                .to_str_lossy()
                .split(' ')
                .map(|field| Box::leak(field.to_owned().into_boxed_str()) as &str)
                .collect();
            let numbers = |field: &str| {
                let (start, count) = field[1..].split_once(',').unwrap_or((&field[1..], "1"));
                (start.parse::<usize>().unwrap(), count.parse::<usize>().unwrap())
            };
            gone = numbers(fields[1]).1;
            (line, left) = numbers(fields[2]);
        }
    }
    added
}

fn compare(repo: &Repo) -> Log {
    let log = history(repo);
    let ours = ours(repo, &log);
    let theirs = theirs(repo, &["--all", "--diff-filter=uxbd"]);
    let difference = |one: &Added, other: &Added| one.difference(other).take(5).cloned().collect::<Vec<_>>();
    assert_eq!(difference(&ours, &theirs), [], "ours but not theirs");
    assert_eq!(difference(&theirs, &ours), [], "theirs but not ours");
    assert_eq!((log.unread.as_slice(), log.skipped.as_slice()), (&[][..], &[][..]));
    log
}

/// Every blob that `git` can reach and that is not empty, once.
fn every_blob_once(repo: &Repo, log: &Log) {
    let listed = repo.text(&["rev-list", "--all", "--objects", "--no-object-names"]);
    let kinds = repo.text(&["cat-file", "--batch-check", "--batch-all-objects"]);
    let is_blob: BTreeSet<&str> =
        kinds.lines().filter_map(|line| line.split_once(" blob ")).map(|(id, _)| id).collect();
    let mut blobs = Vec::new();
    for id in listed.lines().filter(|id| is_blob.contains(id)) {
        blobs.push(BString::from(repo.git(&["cat-file", "blob", id])));
    }
    blobs.retain(|blob| !blob.is_empty());
    blobs.sort();
    let mut seen: Vec<BString> = log.contents.iter().map(|told| told.bytes.clone()).collect();
    seen.sort();
    assert_eq!(seen, blobs);
}

#[test]
fn changes_of_every_kind_are_those_of_git_log() {
    let repo = Repo::new();
    let text: String = (1..=40).map(|line| format!("line {line}\n")).collect();
    repo.write("a.txt", &text);
    repo.write("dir/b.txt", text.replace("line", "row"));
    repo.write("binary", b"\x00\x01binary\nneedle\n");
    repo.write("crlf", "a\r\nb\r\n");
    repo.write("end", "no newline at the end");
    repo.write("gone", "will go\n");
    repo.write("caf\u{e9} x", "odd name\n");
    std::os::unix::fs::symlink("a.txt", repo.root.join("link")).unwrap();
    repo.commit("root");
    repo.write("a.txt", text.replace("line 7\n", "line seven\n"));
    repo.write("crlf", "a\nb\r\n");
    repo.write("end", "no newline at the end\n");
    repo.write("binary", b"\x00\x02binary\nneedle\n");
    repo.git(&["rm", "-q", "gone"]);
    repo.commit("edits");
    repo.git(&["mv", "a.txt", "moved.txt"]);
    repo.commit("pure rename");
    repo.git(&["mv", "moved.txt", "dir/again.txt"]);
    repo.write("dir/again.txt", text.replace("line 3\n", "line three\n") + "needle\n");
    repo.write("copy", text.replace("line", "row"));
    repo.commit("rename with edits, and a copy");
    repo.git(&["update-index", "--chmod=+x", "end"]);
    repo.git(&["commit", "-q", "-m", "mode"]);
    std::fs::remove_file(repo.root.join("link")).unwrap();
    repo.write("link", "now a file\n");
    std::fs::remove_dir_all(repo.root.join("dir")).unwrap();
    repo.write("dir", "now a file too\n");
    repo.commit("types");
    repo.write("crlf", "");
    repo.commit("emptied");
    repo.git(&["notes", "add", "-m", "a note"]);
    repo.git(&["tag", "-a", "-m", "tagged", "v1"]);
    let log = compare(&repo);
    every_blob_once(&repo, &log);
    repo.git(&["gc", "-q", "--aggressive", "--prune=now"]);
    let packed = compare(&repo);
    assert_eq!(packed.contents, log.contents);
    assert!(packed.based > 0);
}

#[test]
fn generated_histories() {
    for seed in 0..4 {
        let repo = Repo::new();
        let mut dice = Dice::new(seed);
        let mut names: Vec<String> = Vec::new();
        for round in 0..20 {
            for _ in 0..=dice.below(3) {
                step(&repo, &mut dice, &mut names, round);
            }
            repo.commit(&format!("round {round}"));
            match dice.below(6) {
                0 => drop(repo.git(&["checkout", "-q", "-b", &format!("branch-{round}")])),
                1 => {
                    // Merge something; a conflict is settled by what lies there, markers and all.
                    let branches = repo.text(&["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
                    let branches: Vec<&str> = branches.lines().collect();
                    let branch: &&str = dice.pick(&branches);
                    repo.run(&["merge", "-q", "-m", "merge", branch]);
                    repo.git(&["add", "-A"]);
                    repo.run(&["commit", "-q", "-m", "merged"]);
                }
                _ => {}
            }
            let tracked = repo.text(&["ls-files"]);
            names = tracked.lines().map(str::to_owned).collect();
        }
        if seed % 2 == 0 {
            repo.git(&["gc", "-q"]);
        }
        let log = compare(&repo);
        every_blob_once(&repo, &log);
    }
}

fn step(repo: &Repo, dice: &mut Dice, names: &mut Vec<String>, round: usize) {
    let words = ["alpha", "beta", "gamma", "delta", "}", "", "  indented", "needle"];
    let fresh = |dice: &mut Dice| {
        (0..dice.below(40)).map(|_| format!("{} {}\n", dice.pick(&words), dice.below(9))).collect::<String>()
    };
    if names.is_empty() || dice.chance(25) {
        let name = format!("{}f{}", dice.pick(&["", "d/", "d/e/", "x/"]), round * 10 + dice.below(10));
        repo.write(&name, fresh(dice));
        names.push(name);
        return;
    }
    let name = dice.pick(names).clone();
    let path = repo.root.join(&name);
    if !path.is_file() {
        return;
    }
    match dice.below(5) {
        0 => std::fs::remove_file(&path).unwrap(),
        1 => {
            let to = format!("{}m{}", dice.pick(&["", "d/", "y/"]), round);
            std::fs::create_dir_all(repo.root.join(&to).parent().unwrap()).unwrap();
            std::fs::rename(&path, repo.root.join(&to)).unwrap();
        }
        _ => {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for _ in 0..=dice.below(3) {
                let at = dice.below(lines.len() + 1);
                if dice.chance(50) || at == lines.len() {
                    lines.insert(at, format!("{} {}", dice.pick(&words), dice.below(9)));
                } else {
                    lines.remove(at);
                }
            }
            let end = if dice.chance(80) { "\n" } else { "" };
            std::fs::write(&path, lines.join("\n") + end).unwrap();
        }
    }
}

#[test]
fn what_only_a_merge_brings_is_the_merges() {
    let repo = Repo::new();
    repo.write("a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("a", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
    repo.commit("side");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("a", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    repo.commit("main");
    repo.git(&["merge", "-q", "--no-commit", "side"]);
    repo.write("a", "one\n2\n3\n4\nneedle\n6\n7\n8\nnine\n");
    repo.write("evil", "needle\n");
    let merge = repo.commit("evil");
    let log = history(&repo);
    let mut evil: Vec<_> = log.places.iter().filter(|place| place.origin.commit().unwrap().id == merge).collect();
    evil.sort_by_key(|place| place.origin.path.clone());
    assert_eq!(evil.len(), 2);
    assert_eq!(evil[0].lines.as_deref(), Some(&[5..6][..]));
    assert_eq!((evil[1].origin.path.to_str().unwrap(), &evil[1].lines), ("evil", &None));
    // A merge that brings nothing of its own is not named.
    let repo = Repo::new();
    repo.write("a", "1\n");
    repo.commit("base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("b", "2\n");
    repo.commit("side");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("c", "3\n");
    repo.commit("main");
    repo.git(&["merge", "-q", "-m", "merge", "side"]);
    assert_eq!(history(&repo).places.len(), 3);
}

#[test]
fn presence_is_told_line_by_line() {
    let repo = Repo::new();
    repo.write("a", "x\nneedle one\ny\nneedle two\nz\n");
    repo.write("gone", "needle\n");
    repo.commit("first");
    repo.write("a", "new\nneedle one\ny\nz\n");
    repo.git(&["rm", "-q", "gone"]);
    repo.commit("second");
    let log = history(&repo);
    let presence = |line: usize| {
        let first = |place: &&crate::log::Placed| {
            place.origin.path == "a" && place.candidates.iter().any(|span| span.start_line == 4)
        };
        let touches = |place: &crate::log::Placed| {
            place.lines.as_ref().is_none_or(|lines| lines.iter().any(|range| range.contains(&line)))
        };
        let told: Vec<Presence> =
            log.places.iter().filter(first).filter(|place| touches(place)).map(|place| place.origin.presence).collect();
        told
    };
    assert_eq!(presence(2), [Presence::Present]);
    assert_eq!(presence(4), [Presence::Removed]);
    let gone = log.places.iter().find(|place| place.origin.path == "gone").unwrap();
    assert_eq!(gone.origin.presence, Presence::Removed);
}

#[test]
fn stash_notes_tags_and_detached_heads_are_read() {
    let repo = Repo::new();
    repo.write("a", "x\n");
    repo.commit("first");
    repo.write("a", "stashed\n");
    repo.git(&["stash", "-q"]);
    repo.git(&["notes", "add", "-m", "noted"]);
    repo.git(&["checkout", "-q", "--detach"]);
    repo.write("a", "detached\n");
    repo.commit("detached");
    repo.write("tagged", "tagged\n");
    repo.commit("t");
    repo.git(&["tag", "-a", "-m", "the tag's words", "v"]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let blob = repo.text(&["hash-object", "-w", ".git/description"]);
    repo.git(&["tag", "blob", &blob]);
    let opened = repo.open();
    let log = read(&History { messages: true, ..History::new(&opened) });
    let texts: Vec<String> = log.contents.iter().map(|told| told.bytes.to_string()).collect();
    for text in ["stashed\n", "noted\n", "detached\n", "tagged\n", "first\n", "the tag's words\n"] {
        assert!(texts.iter().any(|told| told == text), "{text}");
    }
    assert!(texts.iter().any(|text| text.starts_with("Unnamed repository")));
    let message = log.places.iter().find_map(|place| match &place.origin.place {
        Place::Message(commit) if commit.message == "the tag's words" => Some(commit.clone()),
        _ => None,
    });
    assert_eq!(message.unwrap().author, "Carl");
}

#[test]
fn commits_are_described_as_git_does() {
    let repo = Repo::new();
    repo.write("a", "x\n");
    let id = repo.commit("subject\n\nbody");
    let log = history(&repo);
    let commit = log.places[0].origin.commit().unwrap();
    assert_eq!(
        (commit.id.as_str(), commit.author.as_str(), commit.email.as_str()),
        (id.as_str(), "Ann Author", "ann@example.org")
    );
    assert_eq!((commit.date.as_str(), commit.message.as_str()), ("2023-11-14T22:13:20Z", "subject\n\nbody"));
}

#[test]
fn ranges_and_pushes() {
    let repo = Repo::new();
    let mut ids = Vec::new();
    for round in 0..6 {
        repo.write(&format!("f{round}"), format!("{round}\n"));
        ids.push(repo.commit("c"));
    }
    let opened = repo.open();
    let select = |words: &[&str]| {
        let selection = Selection::parse(words.iter().map(|word| BStr::new(*word))).unwrap();
        let log = read(&History { selection, ..History::new(&opened) });
        log.paths().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(select(&[&format!("{}..{}", ids[1], ids[3])]), ["f2", "f3"]);
    assert_eq!(select(&["HEAD~1.."]), ["f5"]);
    assert_eq!(select(&["HEAD", &format!("^{}", ids[4])]), ["f5"]);
    assert_eq!(select(&["HEAD", "--not", "--all"]), Vec::<String>::new());
    assert_eq!(select(&["--all"]).len(), 6);
    let missing = Selection::parse([BStr::new("nothing..HEAD")]).unwrap();
    let refused = History { selection: missing, ..History::new(&opened) };
    assert!(matches!(source::Source::each(&refused, &|| unreachable!()), Err(SourceError::Revision { .. })));
    // A push: commits that no ref has yet, objects in a folder of their own.
    let quarantine = repo.root.join(".git/objects/incoming-1");
    std::fs::create_dir_all(&quarantine).unwrap();
    repo.write("f9", "pushed\n");
    let run = |args: &[&str]| {
        let mut command = repo.command(args);
        command
            .env("GIT_OBJECT_DIRECTORY", &quarantine)
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", repo.root.join(".git/objects"));
        command.env("GIT_INDEX_FILE", repo.root.join(".git/pushed-index"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run(&["read-tree", "HEAD"]);
    run(&["add", "f9"]);
    let tree = run(&["write-tree"]);
    let commit = run(&["commit-tree", "-p", "HEAD", "-m", "pushed", &tree]);
    let selection = Selection::brought([commit.into(), "0".repeat(40).into()]);
    let with = repo.open().with_object_folders([quarantine]);
    let log = read(&History { selection: selection.clone(), ..History::new(&with) });
    assert_eq!((log.paths(), log.unread.as_slice()), (vec!["f9"], &[][..]));
    let without = History { selection, ..History::new(&opened) };
    assert!(matches!(source::Source::each(&without, &|| unreachable!()), Err(SourceError::Revision { .. })));
}

/// A history of two branches that meet, and of side branches that stay.
fn branched() -> Repo {
    let repo = Repo::new();
    let mut date = 1_700_000_000;
    let mut git = |args: &[&str]| {
        date += 1000;
        let output = repo.command(args).env("GIT_COMMITTER_DATE", format!("{date} +0000")).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    for (branch, from, files) in
        [("main", "", "a b"), ("side", "main", "s/c s/d"), ("late", "side", "e"), ("main", "", "f s/g.tf")]
    {
        match from {
            "" => git(&["checkout", "-q", "-B", branch]),
            from => git(&["checkout", "-q", "-b", branch, from]),
        }
        if files == "f s/g.tf" {
            git(&["reset", "-q", "--hard", "side~2"]);
        }
        for file in files.split(' ') {
            repo.write(file, format!("{file}\n").repeat(3));
            git(&["add", "-A"]);
            git(&["commit", "-q", "-m", file]);
        }
    }
    git(&["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    repo.write("a", "changed\n");
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "change"]);
    git(&["tag", "v1", "late"]);
    git(&["update-ref", "refs/remotes/origin/x", "side"]);
    repo
}

/// The selection that options of `git log` mean.
fn selected(options: &str) -> Selection {
    let number = |text: &str| text.parse().unwrap();
    let (before, specs) = options.split_once(" -- ").unwrap_or((options, ""));
    let mut choice = Choice::default();
    let mut revisions = Vec::new();
    for word in before.split(' ') {
        match word.split_once('=').unwrap_or((word, "")) {
            ("--first-parent", _) => choice.first_parent = true,
            ("--no-merges", _) => choice.no_merges = true,
            ("--skip", value) => choice.skip = number(value),
            ("--since", value) => choice.since = date(value, false),
            ("--until", value) => choice.until = date(value, true),
            ("--diff-filter", value) => choice.kinds = Kinds::parse(value).unwrap(),
            (count, _) if count.len() == 2 => choice.at_most = Some(number(&count[1..])),
            _ => revisions.push(BStr::new(word)),
        }
    }
    choice.paths = Paths::parse(specs.split_whitespace().map(BStr::new)).unwrap();
    Selection { choice, ..Selection::parse(revisions).unwrap() }
}

/// Commit and path of all that `git log` shows.
fn touched(repo: &Repo, options: &str) -> BTreeSet<String> {
    let mut args = vec!["log", "--name-only", "--format=@%H", "--full-history"];
    args.extend(options.split(' '));
    let (text, mut theirs, mut id) = (repo.text(&args), BTreeSet::new(), "");
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix('@') {
            Some(commit) => id = commit,
            None => {
                theirs.insert(format!("{id} {line}"));
            }
        }
    }
    theirs
}

#[test]
fn choices_are_those_of_git_log() {
    let repo = branched();
    let opened = repo.open();
    let all = [
        "HEAD -1",
        "HEAD -2",
        "HEAD -3 --no-merges",
        "HEAD --skip=2 -2",
        "HEAD --first-parent",
        "HEAD --no-merges --first-parent",
        "HEAD --first-parent -2",
        "late...main",
        "main...late -1",
        "--branches",
        "--tags",
        "--remotes",
        "--all --no-merges",
        "HEAD --since=@1700010000",
        "HEAD --until=@1700009000",
        "--all --since=@1700006000 --until=@1700015000",
        "HEAD -- s",
        "--all -- *.tf",
        "--all -- . :!s",
        "HEAD --diff-filter=M",
        "HEAD --diff-filter=A",
        "--all --diff-filter=tuxdb",
        "HEAD~3^..HEAD --no-merges --first-parent",
    ];
    for options in all {
        let selection = selected(options);
        let log = read(&History { selection, ..History::new(&opened) });
        let ours: BTreeSet<String> = log
            .places
            .iter()
            .map(|place| format!("{} {}", place.origin.commit().unwrap().id, place.origin.path))
            .collect();
        let theirs = touched(&repo, options);
        assert!(!theirs.is_empty(), "{options}");
        assert_eq!(ours, theirs, "{options}");
    }
}

#[test]
fn a_loose_object_that_is_another_one_is_named() {
    use std::io::Write as _;
    let repo = Repo::new();
    repo.write("a", "a secret\n".repeat(20));
    repo.commit("c");
    let id = repo.text(&["rev-parse", "HEAD:a"]);
    let path = repo.root.join(".git/objects").join(&id[..2]).join(&id[2..]);
    let zlib = |bytes: &[u8]| {
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    std::fs::remove_file(&path).unwrap();
    for lie in [
        &b"blob 5\0hello"[..],
        b"blob 99999999999\0hello",
        b"blob 4\0hello",
        b"blob 9\0hello",
        b"blob x\0",
        b"tree 0\0",
    ] {
        std::fs::write(&path, zlib(lie)).unwrap();
        let log = history(&repo);
        let named = log.unread.iter().any(|unread| unread.what == "a" || unread.what.contains_str(&id));
        assert!(named && log.contents.is_empty(), "{:?}: {:?}", lie.as_bstr(), log.unread);
        std::fs::remove_file(&path).unwrap();
    }
    crate::repo::fifo(&path);
    assert!(!history(&repo).unread.is_empty());
}

#[test]
fn dates_that_lie_do_not_bring_hidden_commits_back() {
    let repo = Repo::new();
    let dates = ["2000000000", "1000000000", "1900000000", "1100000000", "1800000000"];
    for (round, date) in dates.iter().enumerate() {
        repo.write(&format!("f{round}"), format!("{round}\n"));
        repo.git(&["add", "-A"]);
        let output = repo
            .command(&["commit", "-q", "-m", "c"])
            .env("GIT_COMMITTER_DATE", format!("{date} +0000"))
            .output()
            .unwrap();
        assert!(output.status.success());
    }
    let opened = repo.open();
    for (range, want) in [("HEAD~1..", vec!["f4"]), ("HEAD~3..HEAD~1", vec!["f2", "f3"])] {
        let selection = Selection::parse([BStr::new(range)]).unwrap();
        assert_eq!(read(&History { selection, ..History::new(&opened) }).paths(), want);
    }
}

#[test]
fn sha256_bare_shallow_alternates_and_work_trees() {
    let sha256 = Repo::with(&["init", "-q", "-b", "main", "--object-format=sha256"]);
    sha256.write("a", "x\n");
    sha256.write("d/b", "y\n");
    sha256.commit("one");
    sha256.write("d/b", "y\nz\n");
    sha256.commit("two");
    let log = compare(&sha256);
    assert_eq!(log.contents.len(), 3);
    sha256.git(&["gc", "-q"]);
    assert_eq!(compare(&sha256).contents.len(), 3);

    let repo = Repo::new();
    for round in 0..4 {
        repo.write("a", format!("{round}\n"));
        repo.commit("c");
    }
    let folder = |name: &str| repo.scratch.root().join(name);
    let (bare, shallow, shared, tree) = (folder("bare.git"), folder("shallow"), folder("shared"), folder("tree"));
    repo.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let url = format!("file://{}", repo.root.display());
    repo.git(&["clone", "-q", "--depth", "2", &url, shallow.to_str().unwrap()]);
    repo.git(&["clone", "-q", "--shared", ".", shared.to_str().unwrap()]);
    repo.git(&["worktree", "add", "-q", "--detach", tree.to_str().unwrap()]);
    let contents = |path: &std::path::Path| read(&History::new(&source::Repository::discover(path).unwrap()));
    assert_eq!(contents(&bare).contents.len(), 4);
    assert_eq!(contents(&shared).contents.len(), 4);
    assert_eq!(contents(&tree).contents.len(), 4);
    let log = contents(&shallow);
    assert_eq!((log.contents.len(), log.unread.len(), log.skipped.len()), (2, 0, 1));
    // The alternate goes away: nothing is silently less.
    std::fs::rename(repo.root.join(".git"), repo.root.join("hidden")).unwrap();
    let opened = source::Repository::discover(&shared);
    let lost = opened.map(|opened| read(&History::new(&opened)));
    assert!(lost.is_err() || !lost.unwrap().unread.is_empty());
}

#[test]
fn grafts_replacements_attributes_and_config_hide_nothing() {
    let repo = Repo::new();
    repo.write(".gitattributes", "* binary -diff diff=evil\n");
    repo.write("a", "secret\n");
    let first = repo.commit("first");
    repo.write("a", "clean\n");
    let second = repo.commit("second");
    let blob = repo.text(&["rev-parse", &format!("{first}:a")]);
    let clean = repo.text(&["rev-parse", &format!("{second}:a")]);
    repo.git(&["replace", &blob, &clean]);
    repo.git(&["replace", "--graft", &second]);
    std::fs::create_dir_all(repo.root.join(".git/info")).unwrap();
    std::fs::write(repo.root.join(".git/info/grafts"), format!("{second}\n")).unwrap();
    repo.git(&["config", "diff.evil.textconv", "touch canary; true"]);
    repo.git(&["config", "core.fsmonitor", "touch canary; true"]);
    let log = history(&repo);
    assert!(log.contents.iter().any(|told| told.bytes == "secret\n"));
    let by = log.places.iter().find(|place| place.origin.path == "a" && place.origin.commit().unwrap().id == first);
    assert!(by.is_some());
    assert!(!repo.root.join("canary").exists());
}

#[test]
fn what_is_missing_or_damaged_is_named() {
    let repo = Repo::new();
    for round in 0..5 {
        repo.write("a", format!("{round}\n").repeat(50));
        repo.write(&format!("d/{round}"), "x\n");
        repo.commit("c");
    }
    let whole = history(&repo).contents.len();
    let object = |spec: &str| {
        let id = repo.text(&["rev-parse", spec]);
        (repo.root.join(".git/objects").join(&id[..2]).join(&id[2..]), id)
    };
    // One blob, one tree, one commit at a time.
    for spec in ["HEAD~2:a", "HEAD~2:d", "HEAD~2^{tree}", "HEAD~2"] {
        let (path, id) = object(spec);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let log = history(&repo);
        assert!(log.unread.iter().any(|unread| unread.what.contains_str(&id)), "{spec}: {:?}", log.unread);
        assert!(log.contents.len() + 4 >= whole - 6, "{spec}");
        // git writes its objects read-only.
        std::fs::write(&path, b"garbage").unwrap();
        assert!(!history(&repo).unread.is_empty(), "{spec} damaged");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    assert_eq!(history(&repo).unread, []);
    // A ref that leads nowhere.
    std::fs::write(repo.root.join(".git/refs/heads/broken"), "garbage\n").unwrap();
    assert!(!history(&repo).unread.is_empty());
    std::fs::write(repo.root.join(".git/refs/heads/broken"), format!("{}\n", "1".repeat(40))).unwrap();
    assert!(!history(&repo).unread.is_empty());
}

/// A tree of `levels` levels, in each of which the next one stands ten times, and a file at the end; its id.
fn bomb(repo: &Repo, levels: usize) -> String {
    let put = |list: String| {
        let mut child = repo.command(&["mktree"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    repo.write("f", "needle\n");
    let blob = repo.text(&["hash-object", "-w", "f"]);
    (0..levels).fold(put(format!("100644 blob {blob}\tf\n")), |tree, _| {
        put((0..10).map(|number| format!("040000 tree {tree}\td{number}\n")).collect())
    })
}

#[test]
fn trees_that_unfold_to_more_than_anybody_has_are_named_and_the_rest_is_read() {
    let repo = Repo::new();
    let [small, large] = [3, 12].map(|levels| bomb(&repo, levels));
    repo.git(&["config", "gc.auto", "0"]);
    let small = repo.text(&["commit-tree", "-m", "small", &small]);
    repo.git(&["update-ref", "refs/heads/small", &small]);
    let log = history(&repo);
    assert_eq!((&log.unread[..], log.places.len()), (&[][..], 1000));
    let tip = repo.text(&["commit-tree", "-m", "large", "-p", &small, &large]);
    repo.git(&["update-ref", "refs/heads/large", &tip]);
    let merge = repo.text(&["commit-tree", "-m", "merge", "-p", &small, "-p", &small, &large]);
    repo.git(&["update-ref", "refs/heads/merge", &merge]);
    repo.git(&["read-tree", "--empty"]);
    let told = Mutex::default();
    History::new(&repo.open()).each(&|| Box::new(Counting(&told))).unwrap();
    let (paths, unread) = told.into_inner().unwrap();
    assert!(paths > 1000 && !unread.is_empty(), "{paths} {unread:?}");
    assert!(unread.iter().all(|unread| unread.why.contains("more paths than are followed")), "{unread:?}");
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/large"]);
    assert!(source::Staged::new(&repo.open()).changes().is_err());
    assert!(repo.open().files_of(&[repo.open().commit(tip.as_bytes().into()).unwrap()], |_| true).is_err());
}

/// Counts the paths of contents, in which it finds nothing.
struct Counting<'l>(&'l Mutex<(usize, Vec<Unread>)>);

impl Visitor for Counting<'_> {
    fn content(&mut self, content: &Content<'_>) -> Seen {
        self.0.lock().unwrap().0 += content.paths.len();
        Seen::default()
    }

    fn place(&mut self, _: &Seen, _: &Origin, _: Lines<'_>) {}

    fn unread(&mut self, unread: Unread) {
        self.0.lock().unwrap().1.push(unread);
    }

    fn skipped(&mut self, _: Skipped) {}
}

/// Has no time.
struct Late;

impl Visitor for Late {
    fn content(&mut self, _: &Content<'_>) -> Seen {
        panic!("it said stop");
    }

    fn place(&mut self, _: &Seen, _: &Origin, _: Lines<'_>) {
        panic!("it said stop");
    }

    fn stop(&mut self) -> bool {
        true
    }

    fn unread(&mut self, unread: Unread) {
        panic!("{unread:?}");
    }

    fn skipped(&mut self, skipped: Skipped) {
        panic!("{skipped:?}");
    }
}

#[test]
fn whoever_has_no_time_left_is_asked_nothing() {
    let repo = Repo::new();
    let tip = repo.text(&["commit-tree", "-m", "large", &bomb(&repo, 12)]);
    repo.git(&["update-ref", "refs/heads/large", &tip]);
    History::new(&repo.open()).each(&|| Box::new(Late)).unwrap();
}

#[test]
fn every_stash_is_read() {
    let repo = Repo::new();
    repo.write("a", "one\n");
    repo.commit("one");
    for round in 0..3 {
        repo.write("a", format!("needle {round}\n"));
        repo.git(&["stash", "-q"]);
    }
    let log = history(&repo);
    assert_eq!(log.unread, []);
    for round in 0..3 {
        let wanted = format!("needle {round}\n");
        assert!(log.contents.iter().any(|told| told.bytes == wanted.as_bytes()), "{round}");
    }
    repo.git(&["stash", "drop", "-q", "stash@{1}"]);
    let log = history(&repo);
    assert!(log.contents.iter().all(|told| told.bytes != "needle 1\n"), "it was dropped");
    std::fs::write(repo.root.join(".git/logs/refs/stash"), "garbage\n\n").unwrap();
    assert_eq!(history(&repo).unread, []);
}

#[test]
fn a_chain_of_tags_is_followed_or_named_for_what_it_is() {
    let repo = Repo::new();
    repo.write("a", "one\n");
    let mut target = repo.commit("one");
    for number in 0..80 {
        let name = format!("t{number}");
        repo.git(&["-c", "advice.nestedTag=false", "tag", "-a", "-m", "x", &name, &target]);
        target = repo.text(&["rev-parse", &format!("refs/tags/{name}")]);
        if number != 79 {
            repo.git(&["update-ref", "-d", &format!("refs/tags/{name}")]);
        }
    }
    let log = history(&repo);
    assert_eq!(log.unread.len(), 1, "{:?}", log.unread);
    assert!(log.unread[0].what.contains_str("refs/tags/t79") && log.unread[0].why.contains("more tags"));
}

#[test]
fn one_commit_alone_is_chosen_as_git_does() {
    let repo = branched();
    for name in ["HEAD^!", "HEAD~1^!"] {
        let selection = Selection::parse([BStr::new(name)]).unwrap();
        let log = read(&History { selection, ..History::new(&repo.open()) });
        let wanted = repo.text(&["rev-list", name]);
        let ours: BTreeSet<&str> = log.places.iter().filter_map(|it| Some(&*it.origin.commit()?.id)).collect();
        assert!(ours.iter().all(|id| wanted.contains(id)), "{name}: {ours:?}");
    }
}

#[test]
fn refs_that_cannot_be_read_are_named_and_the_others_followed() {
    let repo = Repo::new();
    repo.write("a", "old\n");
    repo.commit("one");
    repo.git(&["branch", "healthy"]);
    repo.write("a", "new\n");
    repo.commit("two");
    repo.git(&["branch", "packed"]);
    let git = repo.root.join(".git");
    let named = |what: &str| {
        let log = history(&repo);
        assert!(log.contents.iter().any(|told| told.bytes == "old\n"), "{what}: {:?}", log.unread);
        assert!(log.unread.iter().any(|unread| unread.what.contains_str(what)), "{what}: {:?}", log.unread);
    };
    std::fs::write(git.join("refs/heads/broken"), "garbage\n").unwrap();
    named("refs/heads/broken");
    std::fs::write(git.join("refs/heads/broken"), format!("{}\n", "1".repeat(40))).unwrap();
    named("refs/heads/broken");
    std::fs::remove_file(git.join("refs/heads/broken")).unwrap();
    let main = std::fs::read(git.join("refs/heads/main")).unwrap();
    for content in ["junk\n", ""] {
        std::fs::write(git.join("refs/heads/main"), content).unwrap();
        named("refs/heads/main");
    }
    std::fs::write(git.join("refs/heads/main"), main).unwrap();
    std::fs::write(git.join("HEAD"), "junk\n").unwrap();
    named("HEAD");
    std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    repo.git(&["pack-refs", "--all"]);
    let packed = std::fs::read_to_string(git.join("packed-refs")).unwrap();
    std::fs::write(git.join("packed-refs"), packed.replacen("refs/heads/main", "??", 1)).unwrap();
    named("packed-refs, line 3");
}

#[test]
fn a_damaged_pack_never_panics_and_is_never_silent() {
    let repo = Repo::new();
    for round in 0..12 {
        let text: String =
            (0..200).map(|line| format!("line {line} {}\n", if line == round * 7 { round } else { 0 })).collect();
        repo.write("a", text);
        repo.write(&format!("d/{round}"), format!("file {round}\n"));
        repo.commit("c");
    }
    repo.git(&["gc", "-q", "--prune=now"]);
    let whole = history(&repo);
    assert_eq!(whole.unread, []);
    let folder = repo.root.join(".git/objects/pack");
    let pack = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().unwrap() == "pack")
        .unwrap();
    let bytes = std::fs::read(&pack).unwrap();
    std::fs::remove_file(&pack).unwrap();
    let mut dice = Dice::new(5);
    let mut silent = 0;
    for _ in 0..60 {
        let mut bytes = bytes.clone();
        let at = 12 + dice.below(bytes.len() - 40);
        bytes[at] ^= 1 << dice.below(8);
        std::fs::write(&pack, &bytes).unwrap();
        let log = history(&repo);
        // A changed bit in a commit's or a tree's header may turn up as another kind of trouble, but never as fewer
        // contents with nothing said.
        if log.unread.is_empty() && log.contents.len() < whole.contents.len() {
            silent += 1;
        }
    }
    assert_eq!(silent, 0);
    for cut in [0, 11, 40, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&pack, &bytes[..cut]).unwrap();
        let opened = source::Repository::discover(&repo.root).unwrap();
        let history = History::new(&opened);
        let outcome = try_read(&history).map(|log| log.unread.len());
        assert!(outcome.is_err() || outcome.unwrap() > 0 || cut == bytes.len() - 1, "cut at {cut}");
    }
}

#[test]
fn every_blob_that_a_partial_clone_lacks_is_named() {
    let repo = Repo::new();
    repo.write("a", "one\n");
    repo.commit("c");
    repo.write("a", "two\n");
    repo.write("d/b", "three\n");
    repo.commit("c");
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let clone = repo.scratch.root().join("partial");
    let url = format!("file://{}", repo.root.display());
    repo.git(&["clone", "-q", "--filter=blob:none", "--no-checkout", &url, clone.to_str().unwrap()]);
    let log = read(&History::new(&source::Repository::discover(&clone).unwrap()));
    let names: Vec<&str> =
        log.unread.iter().map(|unread| unread.what.to_str().unwrap().split(' ').next().unwrap()).collect();
    assert_eq!((names, log.contents.len()), (vec!["a", "a", "d/b"], 0));
}

#[test]
fn archives_in_history_are_opened() {
    let repo = Repo::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, b"needle\n").unwrap();
    repo.write("a.gz", encoder.finish().unwrap());
    repo.commit("c");
    let log = history(&repo);
    assert_eq!(log.contents[0].bytes, "needle\n");
    assert_eq!(log.placed(), ["a.gz"]);
}
