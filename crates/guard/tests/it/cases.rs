//! Every folder of fixtures/guard: before/, after/, and what must be found, as text.

use std::path::Path;

use guard::Breach;

use crate::repository::{check, read};

/// `PATH:LINE:COLUMN: ID (severity, confidence): message`, and the next step on a line of its own.
fn shown(breach: &Breach) -> String {
    let place = format!("{}:{}:{}", breach.path, breach.line(), breach.column());
    let how = format!("{:?}, {:?}", breach.severity, breach.confidence).to_lowercase();
    format!("{place}: {} ({how}): {}\n    {}\n", breach.kind.id(), breach.message, breach.next)
}

fn found(case: &Path) -> String {
    let before = read(&case.join("before"));
    let after = read(&case.join("after")).expect("a case has after/");
    check(before.as_ref(), &after).iter().map(shown).collect()
}

/// With `UPDATE_GUARD=1` the expectations are written anew, to be read before they are committed.
#[test]
fn every_case_gives_what_it_should() {
    let folder = testkit::fixtures::folder("guard");
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.is_dir());
    names.sort();
    assert!(names.len() >= 20, "{} cases", names.len());
    let mut wrong = Vec::new();
    for case in names {
        let expected = case.join("expected.txt");
        let found = found(&case);
        if std::env::var_os("UPDATE_GUARD").is_some() {
            std::fs::write(&expected, &found).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_else(|_| "no expected.txt".to_owned());
        if wanted != found {
            wrong.push(format!("{}\nexpected:\n{wanted}\nfound:\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
