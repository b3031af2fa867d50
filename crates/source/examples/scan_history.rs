//! Scans a whole history with a gitleaks.toml or our own rules (`builtin`) and prints what was found, sorted, one line
//! each: for profiles, and to compare two builds byte for byte without linking the whole command.

use std::sync::{Arc, Mutex, PoisonError};

use scan::gitleaks::{self, World};
use scan::{Content, Finding, Lines, Options, Origin, RuleSet, Scanner, Seen, Skipped, Unread, Visitor};
use source::{History, Repository, Source};

struct Gatherer<'g> {
    scanner: &'g Scanner,
    findings: &'g Mutex<Vec<Finding>>,
}

impl Visitor for Gatherer<'_> {
    fn content(&mut self, content: &Content<'_>) -> Seen {
        self.scanner.scan(content)
    }

    fn place(&mut self, seen: &Seen, origin: &Origin, lines: Lines<'_>) {
        let found = self.scanner.judge(seen, origin, lines);
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    }

    fn wants_excerpts(&self) -> bool {
        self.scanner.wants_excerpts()
    }

    fn excerpt(&mut self, lines: &Content<'_>, whole: &Seen) -> Seen {
        self.scanner.excerpt(lines, whole)
    }

    fn unread(&mut self, _: Unread) {}

    fn skipped(&mut self, _: Skipped) {}
}

/// One file is read, and nothing that it extends.
struct Alone;

impl World for Alone {
    fn default_rules(&mut self) -> RuleSet {
        RuleSet::default()
    }

    fn open(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Err("one file is read".to_owned())
    }
}

#[expect(clippy::print_stdout, reason = "an example")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, repository, config] = &arguments[..] else { panic!("usage: scan_history REPOSITORY CONFIG|builtin") };
    let rules = match config.as_str() {
        "builtin" => scan::builtin::builtin(),
        path => gitleaks::read(&std::fs::read(path).expect("a readable file"), &mut Alone).expect("rules").rules,
    };
    let scanner = Scanner::new(Arc::new(rules), Options::default());
    let repository = Repository::discover(repository.as_ref()).expect("a repository");
    let findings = Mutex::default();
    let visitor = || -> Box<dyn Visitor + '_> { Box::new(Gatherer { scanner: &scanner, findings: &findings }) };
    History::new(&repository).each(&visitor).expect("it can be read");
    let mut findings = findings.into_inner().unwrap_or_else(PoisonError::into_inner);
    findings.sort_by(|one, other| one.order().cmp(&other.order()));
    findings.dedup();
    findings.iter().for_each(|finding| println!("{} {finding:?}", finding.gitleaks_fingerprint()));
}
