//! Every recorded command line of sops, answered by us under the name `sops`.

use e2e::cases::{self, Answer, Case};
use testkit::{Peer, peer};

#[test]
fn we_answer_as_sops_did() {
    let test = "command-line";
    let Some([plomb]) = peer::require(test, [Peer::Plomb]) else { return };
    let recorded = cases::recorded();
    let cases = cases::load();
    assert!(cases.len() > 150);
    let problems: Vec<_> =
        cases.iter().filter_map(|case| difference(case, &recorded[&case.name], &cases::run(case, &plomb))).collect();
    let told = format!("{} of {} command lines agree", cases.len() - problems.len(), cases.len());
    assert!(problems.is_empty(), "{told}\n{}", problems.join("\n"));
    peer::say(&told);
    peer::peer_test_ran(test);
}

fn difference(case: &Case, theirs: &Answer, ours: &Answer) -> Option<String> {
    let agrees = case.ours.map_or(ours == theirs, |code| ours.code == code);
    (!agrees).then(|| format!("[{}]\n{}\n  sops: {theirs:?}\n  we:   {ours:?}", case.name, case.script))
}
