//! Reads a whole history, or what is staged, without any rule: what a scan costs before the first one. For measuring;
//! with `lines` every added line is printed as `COMMIT FIRST-LAST PATH`, to be compared with `git log`.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use scan::{Content, Lines, Origin, Seen, Skipped, Unread, Visitor};
use source::{History, Repository, Source, Staged};

static BYTES: AtomicUsize = AtomicUsize::new(0);
static COPIED: AtomicUsize = AtomicUsize::new(0);
static CONTENTS: AtomicUsize = AtomicUsize::new(0);
static PLACES: AtomicUsize = AtomicUsize::new(0);
static PROBLEMS: AtomicUsize = AtomicUsize::new(0);

struct Counter {
    suspicious: bool,
    lines: bool,
}

impl Visitor for Counter {
    fn content(&mut self, content: &Content<'_>) -> Seen {
        CONTENTS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(content.bytes.len(), Ordering::Relaxed);
        let copied = content.base.map_or(0, |base| base.copied.iter().map(|copied| copied.len).sum());
        COPIED.fetch_add(copied, Ordering::Relaxed);
        let span = scan::Span { start_line: 1, end_line: 1, ..Default::default() };
        let candidate = scan::Candidate::bare(0, span);
        Seen::of(if self.suspicious { vec![candidate] } else { Vec::new() })
    }

    fn place(&mut self, _: &Seen, origin: &Origin, lines: Lines<'_>) {
        PLACES.fetch_add(1, Ordering::Relaxed);
        if let (true, Some(commit)) = (self.lines, origin.commit()) {
            let all = std::array::from_fn::<_, 1, _>(|_| 1..usize::MAX);
            let ranges = if let Lines::Added(ranges) | Lines::Of { lines: ranges, .. } = lines { ranges } else { &all };
            let each =
                ranges.iter().map(|range| format!("{} {}-{} {}\n", commit.id, range.start, range.end - 1, origin.path));
            let text: String = each.collect();
            std::io::stdout().write_all(text.as_bytes()).expect("standard output is open");
        }
    }

    fn unread(&mut self, _: Unread) {
        PROBLEMS.fetch_add(1, Ordering::Relaxed);
    }

    fn skipped(&mut self, _: Skipped) {}
}

#[expect(clippy::print_stdout, reason = "an example")]
fn main() {
    let mut args = std::env::args_os().skip(1);
    let path = args.next().expect("usage: read_history REPOSITORY [quiet|all|lines|staged]");
    let mode = args.next().unwrap_or_default();
    let counter = || Counter { suspicious: !mode.is_empty() && mode != "quiet", lines: mode == "lines" };
    let repository = Repository::discover(path.as_ref()).expect("a repository");
    match mode.to_str() {
        Some("staged") => Staged::new(&repository).each(&|| Box::new(counter())),
        _ => History::new(&repository).each(&|| Box::new(counter())),
    }
    .expect("it can be read");
    let get = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (contents, bytes, copied) = (get(&CONTENTS), get(&BYTES), get(&COPIED));
    println!(
        "{contents} contents, {bytes} bytes, {copied} copied, {} places, {} problems",
        get(&PLACES),
        get(&PROBLEMS)
    );
}
