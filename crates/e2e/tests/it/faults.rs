//! Kill, disk full and broken disk at every system call of every command that writes.

use e2e::faults::{Case, FILE, Tools, matrix};
use e2e::subject::{Subject, recipient};
use std::path::Path;
use testkit::{Peer, Scratch, peer};

const PLAIN: &str = "user: canary-before-one\npassword: canary-before-two\nnested:\n  key: canary-before-three\n";
const CANARIES: [&str; 5] =
    ["canary-before-one", "canary-before-two", "canary-before-three", "canary-from-editor", "canary-from-stdin"];
/// Built-in words only: an editor with calls of its own would hide the calls of the program under test.
const EDITOR: &str = "#!/bin/sh\nprintf 'edited: canary-from-editor\\n' >> \"$1\"\n";
/// Fewer calls than this cannot be a process that starts, reads, and replaces a file.
const FEWEST_CALLS: usize = 10;

#[test]
fn encrypt_in_place_survives() {
    survives("faults-encrypt", "encrypt", &["encrypt", "-i", FILE]);
}

#[test]
fn edit_survives() {
    survives("faults-edit", "edit", &["edit", FILE]);
}

#[test]
fn set_survives() {
    survives("faults-set", "set", &["set", "--value-stdin", FILE, "[\"added\"]"]);
}

#[test]
fn rotate_survives() {
    survives("faults-rotate", "rotate", &["rotate", "-i", FILE]);
}

#[test]
fn updatekeys_survives() {
    survives("faults-updatekeys", "updatekeys", &["updatekeys", "-y", FILE]);
}

#[test]
fn the_matrix_sees_a_tool_that_truncates_and_writes() {
    let script = "#!/bin/sh\nnew=$(cat \"$FAKE_NEW\")\nprintf '%s\\n' \"$new\" > app.secret.yaml\n";
    let problems = of_a_fake("faults-self-test-truncate", script);
    if let Some(problems) = problems {
        assert!(problems.iter().any(|problem| problem.contains("Kill") && problem.contains("neither old nor new")));
        assert!(problems.iter().any(|problem| problem.contains("NoSpace") && problem.contains("neither old nor new")));
    }
}

#[test]
fn the_matrix_sees_a_tool_that_leaves_plaintext() {
    let copy = "while IFS= read -r line; do printf '%s\n' \"$line\"; done < app.secret.yaml > copy";
    let script = format!(
        "#!/bin/sh
{copy}
cp \"$FAKE_NEW\" new
mv new app.secret.yaml
: > copy
"
    );
    if let Some(problems) = of_a_fake("faults-self-test-leak", &script) {
        assert!(problems.iter().any(|problem| problem.contains("plaintext in")), "{problems:?}");
    }
}

fn survives(test: &str, name: &'static str, args: &[&str]) {
    let Some([plomb, sops, strace]) = peer::require(test, [Peer::Plomb, Peer::Sops, Peer::Strace]) else { return };
    let one = recipient("k1");
    let two = format!("{one},{}", recipient("k2"));
    let config = if name == "updatekeys" { rule(&two) } else { rule(&one) };
    let before = if name == "encrypt" { PLAIN.as_bytes().to_vec() } else { encrypted(&plomb, &rule(&one)) };
    let case = Case { before, config, ..case(name, args) };
    let (calls, problems) = matrix(&plomb, &Tools { strace, sops }, &case);
    assert!(problems.is_empty(), "{} broken promises at {calls} calls:\n{}", problems.len(), problems.join("\n"));
    assert!(calls >= FEWEST_CALLS, "only {calls} calls: the faults do not reach the program");
    peer::say(&format!("{test}: {calls} calls, each killed, out of space, and broken"));
    peer::peer_test_ran(test);
}

fn of_a_fake(test: &str, script: &str) -> Option<Vec<String>> {
    let [sops, strace] = peer::require(test, [Peer::Sops, Peer::Strace])?;
    let scratch = Scratch::new(test);
    let fake = scratch.script("fake", script);
    let new = scratch.path("new");
    std::fs::write(&new, encrypted(&sops, &rule(&recipient("k1")))).expect("the scratch folder is writable");
    let variable = ("FAKE_NEW", new.display().to_string());
    let (_, problems) = matrix(&fake, &Tools { strace, sops }, &Case { variable, ..case("fake", &[]) });
    peer::peer_test_ran(test);
    Some(problems)
}

fn case(name: &'static str, args: &[&str]) -> Case {
    Case {
        name,
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        stdin: "\"canary-from-stdin\"",
        editor: EDITOR,
        before: PLAIN.as_bytes().to_vec(),
        config: rule(&recipient("k1")),
        canaries: CANARIES.to_vec(),
        variable: ("LC_ALL", "C.UTF-8".to_owned()),
    }
}

fn rule(recipients: &str) -> String {
    format!("creation_rules:\n  - path_regex: \\.yaml$\n    age: {recipients}\n")
}

fn encrypted(program: &Path, config: &str) -> Vec<u8> {
    let subject = Subject::new("faults-input", program);
    subject.scratch.write(".sops.yaml", config);
    subject.scratch.write(FILE, PLAIN);
    let outcome = subject.run(&["encrypt", FILE]).run();
    assert!(outcome.ok(), "{}", outcome.errors());
    outcome.stdout
}
