//! Damaged, hostile and merely odd files and configurations: safe behaviour and a message that helps.

use crate::vectors::score;
use std::time::Duration;
use testkit::{Peer, Scratch, fixtures, peer};

/// Share of the cases that must be both safe and well reported.
const PERCENT: usize = 95;

#[test]
fn bad_input_is_refused_safely_and_told_well() {
    let Some([plomb]) = peer::require("bad-input", [Peer::Plomb]) else { return };
    let scratch = Scratch::new("bad-input");
    // The runner drops root before it calls the tool, so the tool must lie where everybody may read.
    let tool = scratch.root().join("plomb");
    std::fs::copy(&plomb, &tool).unwrap();
    let tool = tool.to_str().unwrap();
    let outcome = scratch
        .command("bash")
        .arg(fixtures::folder("bad-input").join("run.sh"))
        .arg("dev")
        .env("DECRYPT_CMD", format!("{tool} decrypt {{file}}"))
        .env("ENCRYPT_CMD", format!("{tool} encrypt --age {{recipient}} {{file}}"))
        .env("ENCRYPT_RULES_CMD", format!("{tool} encrypt {{file}}"))
        .env("ENCRYPT_INPLACE_CMD", format!("{tool} encrypt -i {{file}}"))
        .env("SCAN_DIR_CMD", format!("{tool} scan {{file}}"))
        .env("SCAN_GIT_CMD", format!("{tool} scan git {{file}}"))
        .limit(Duration::from_secs(1500))
        .run();
    let last = outcome.last_line();
    let (passed, total) = score(&last);
    let failures: Vec<_> = outcome.text().lines().filter(|line| line.starts_with("FAIL")).map(str::to_owned).collect();
    let told = format!("{last}\n{}\n{}", failures.join("\n"), outcome.errors());
    assert!(total >= 175 && passed * 100 >= total * PERCENT, "{told}");
    peer::say(&format!("bad-input: {told}"));
    peer::peer_test_ran("bad-input");
}
