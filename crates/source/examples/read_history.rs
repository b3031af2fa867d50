//! Reads a whole history and finds nothing: what a scan costs before the first rule. For measuring.

use std::sync::atomic::{AtomicUsize, Ordering};

use scan::{Content, Lines, Origin, Seen, Skipped, Unread, Visitor};
use source::{History, Repository, Source};

static BYTES: AtomicUsize = AtomicUsize::new(0);
static COPIED: AtomicUsize = AtomicUsize::new(0);
static CONTENTS: AtomicUsize = AtomicUsize::new(0);
static PLACES: AtomicUsize = AtomicUsize::new(0);
static PROBLEMS: AtomicUsize = AtomicUsize::new(0);

struct Counter {
    suspicious: bool,
}

impl Visitor for Counter {
    fn content(&mut self, content: &Content<'_>) -> Seen {
        CONTENTS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(content.bytes.len(), Ordering::Relaxed);
        let copied = content.base.map_or(0, |base| base.copied.iter().map(|copied| copied.len).sum());
        COPIED.fetch_add(copied, Ordering::Relaxed);
        let span = scan::Span { start_line: 1, end_line: 1, ..Default::default() };
        let candidate = scan::Candidate { rule: 0, span, decoded: None };
        Seen { candidates: if self.suspicious { vec![candidate] } else { Vec::new() } }
    }

    fn place(&mut self, _: &Seen, _: &Origin, _: Lines<'_>) {
        PLACES.fetch_add(1, Ordering::Relaxed);
    }

    fn unread(&mut self, _: Unread) {
        PROBLEMS.fetch_add(1, Ordering::Relaxed);
    }

    fn skipped(&mut self, _: Skipped) {}
}

#[expect(clippy::print_stdout, reason = "an example")]
fn main() {
    let mut args = std::env::args_os().skip(1);
    let path = args.next().expect("usage: read_history REPOSITORY [all]");
    let suspicious = args.next().is_some();
    let repository = Repository::discover(path.as_ref()).expect("a repository");
    History::new(&repository).each(&|| Box::new(Counter { suspicious })).expect("it can be read");
    let get = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    let (contents, bytes, copied) = (get(&CONTENTS), get(&BYTES), get(&COPIED));
    println!(
        "{contents} contents, {bytes} bytes, {copied} copied, {} places, {} problems",
        get(&PLACES),
        get(&PROBLEMS)
    );
}
