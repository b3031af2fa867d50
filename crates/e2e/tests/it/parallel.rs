//! Many writers of one file at once: every one that says it succeeded must be found in the file.

use e2e::subject::{Subject, recipient};
use testkit::{Peer, peer};

const WRITERS: usize = 12;

#[test]
fn no_update_is_lost() {
    let test = "parallel-set";
    let Some([plomb]) = peer::require(test, [Peer::Plomb]) else { return };
    let subject = Subject::new(test, &plomb);
    let file = subject.scratch.write("app.yaml", "first: value\n");
    let age = recipient("k1");
    let encrypted = subject.run(&["encrypt", "-i", "--age", &age, "app.yaml"]).run();
    assert!(encrypted.ok(), "{}", encrypted.errors());
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let set = |number: usize| {
            let path = format!("[\"writer_{number}\"]");
            subject.run(&["set", "--value-stdin", "app.yaml", &path]).stdin(format!("\"text {number}\"")).run()
        };
        let writers: Vec<_> = (0..WRITERS).map(|number| scope.spawn(move || set(number))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    for outcome in &outcomes {
        assert!(outcome.ok(), "{:?} {}", outcome.code, outcome.errors());
    }
    let decrypted = subject.run(&["decrypt", file.to_str().unwrap()]).run();
    assert!(decrypted.ok(), "{}", decrypted.errors());
    let text = decrypted.text();
    let lost: Vec<_> =
        (0..WRITERS).filter(|number| !text.contains(&format!("writer_{number}: text {number}\n"))).collect();
    assert!(lost.is_empty(), "lost {lost:?} of {WRITERS}");
    peer::peer_test_ran(test);
}
