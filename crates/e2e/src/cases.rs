//! Recorded command lines: what the real sops answered, and what the program under test answers to the same.

use crate::subject::{key_file, recipient};
use std::collections::BTreeMap;
use std::path::Path;
use testkit::{Outcome, Scratch, fixtures};

/// One command line, as shell text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it shows; unique.
    pub name: String,
    /// Given to `sh -c`.
    pub script: String,
    /// Where we differ on purpose: our exit code.
    pub ours: Option<i32>,
}

/// Exit code and standard output, with what is random masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Exit code of the script; -1 if a signal or the time limit ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
}

/// All cases of `fixtures/sops-cli/cases.txt`.
pub fn load() -> Vec<Case> {
    parse(&text("cases.txt"))
}

/// All answers of `fixtures/sops-cli/recorded.txt` by the name of their case.
pub fn recorded() -> BTreeMap<String, Answer> {
    let mut answers = BTreeMap::new();
    for block in blocks(&text("recorded.txt")) {
        let code = block.lines.first().and_then(|line| line.strip_prefix("exit ")?.parse().ok()).unwrap_or(-1);
        let stdout = block.lines.iter().skip(1).map(|line| line.get(2..).unwrap_or_default());
        answers.insert(block.name.clone(), Answer { code, stdout: stdout.collect::<Vec<_>>().join("\n") });
    }
    answers
}

/// The text of `recorded.txt` for these answers.
pub fn render(answers: &[(String, Answer)]) -> String {
    let mut text = String::new();
    for (name, answer) in answers {
        text.push_str(&format!("[{name}]\nexit {}\n", answer.code));
        for line in answer.stdout.split('\n').filter(|_| !answer.stdout.is_empty()) {
            text.push_str(&format!("> {line}\n"));
        }
    }
    text
}

/// Runs a case with this program under the name `sops`.
pub fn run(case: &Case, program: &Path) -> Answer {
    let scratch = Scratch::new("cli");
    copy_files(&scratch);
    let link = scratch.link("sops", program);
    let folder = link.parent().expect("a link lies in a folder").display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let outcome = with_keys(scratch.command("sh").args(["-c", &case.script])).env("PATH", path).run();
    answer(&outcome, &scratch)
}

/// Encrypts the plain files of `fixtures/sops-cli/files` with the real sops, where that was not done before.
pub fn make_files(sops: &Path) -> Result<(), String> {
    let files = fixtures::folder("sops-cli/files");
    if files.join("enc.yaml").exists() {
        return Ok(());
    }
    let scratch = Scratch::new("cli-files");
    let script = fixtures::folder("sops-cli/make-files.sh");
    let outcome = with_keys(scratch.command("sh").arg(script).arg(sops)).folder(files).run();
    if outcome.ok() { Ok(()) } else { Err(outcome.errors()) }
}

fn with_keys(run: testkit::Run) -> testkit::Run {
    let keys = key_file("k1").parent().expect("a key file lies in a folder").to_path_buf();
    let pq = recipient("pq");
    let run = run.env("R1", recipient("k1")).env("R2", recipient("k2")).env("R3", recipient("k3"));
    run.env("R4", recipient("k4")).env("PQ", pq).env("KEYS", keys).env("SOPS_AGE_KEY_FILE", key_file("k1"))
}

fn copy_files(scratch: &Scratch) {
    for path in fixtures::files_below(&fixtures::folder("sops-cli/files")) {
        let name = path.file_name().expect("a file has a name");
        std::fs::copy(&path, scratch.work().join(name)).expect("the scratch folder is writable");
    }
}

fn answer(outcome: &Outcome, scratch: &Scratch) -> Answer {
    let root = scratch.root().display().to_string();
    let stdout = outcome.text().replace(&root, "SCRATCH");
    Answer { code: outcome.code.unwrap_or(-1), stdout: masked(&stdout) }
}

/// Ciphertexts differ in every run.
fn masked(text: &str) -> String {
    let mut parts = text.split("ENC[AES256_GCM,");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("ENC[…]");
        out.push_str(part.split_once(']').map_or("", |(_, rest)| rest));
    }
    out
}

struct Block {
    name: String,
    lines: Vec<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => blocks.push(Block { name: name.to_owned(), lines: Vec::new() }),
            None => {
                if let Some(block) = blocks.last_mut() {
                    block.lines.push(line.to_owned());
                }
            }
        }
    }
    blocks
}

fn parse(text: &str) -> Vec<Case> {
    let case = |block: Block| {
        let mut lines = block.lines;
        lines.retain(|line| !line.starts_with('#'));
        let ours = lines.iter().find_map(|line| line.strip_prefix("~ ")?.split(' ').next()?.parse().ok());
        lines.retain(|line| !line.starts_with("~ "));
        Case { name: block.name, script: lines.join("\n"), ours }
    };
    blocks(text).into_iter().map(case).collect()
}

fn text(name: &str) -> String {
    std::fs::read_to_string(fixtures::folder("sops-cli").join(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_read_with_their_differences() {
        let cases = parse("# head\n\n[a b]\nsops x\n~ 64 usage\n\n# part\n[c]\none\ntwo\n");
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].script.as_str(), cases[0].ours), ("sops x", Some(64)));
        assert_eq!(cases[1].script, "one\ntwo");
    }

    #[test]
    fn every_case_was_recorded() {
        let recorded = recorded();
        let missing: Vec<_> = load().into_iter().filter(|case| !recorded.contains_key(&case.name)).collect();
        assert!(missing.is_empty(), "cargo xtask record-cli: {missing:?}");
    }

    #[test]
    fn ciphertexts_are_masked() {
        assert_eq!(masked("a: ENC[AES256_GCM,data:x,type:str]\nb: 1"), "a: ENC[…]\nb: 1");
    }
}
