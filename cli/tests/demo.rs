//! The demo shows what anybody can type: the commands and files that it prints, replayed by hand in a fresh folder,
//! give what it printed. Only what must differ is masked: keys, ciphertexts, times and hashes.

use std::path::{Path, PathBuf};

use testkit::{Outcome, Scratch};

const PLOMB: &str = env!("CARGO_BIN_EXE_plomb");
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";

#[test]
fn what_the_demo_prints_can_be_typed() {
    let scratch = Scratch::new("demo");
    let demo = scratch.command(PLOMB).args(["demo", "--keep"]).run();
    assert!(demo.ok(), "{}{}", demo.text(), demo.errors());
    let text = demo.text();
    let (story, kept) = text.split_once("\nThe scratch repository is ").expect("--keep says where it is");
    assert!(Path::new(kept.trim_end()).join(".git").is_dir(), "{kept}");
    let steps = steps(story);
    let replay = Replay::new(scratch);
    let commands = replay.run(&steps);
    assert!(commands >= 15, "only {commands} commands were found in the demo");
    replay.agrees_with(Path::new(kept.trim_end()));
}

#[test]
fn masks_hide_only_what_must_differ() {
    let one = "mac: ENC[AES256_GCM,data:a,type:str] # x\nindex 1a2b3c4..5d6e7f8 100644\n";
    let other = "mac: ENC[AES256_GCM,data:b,type:str] # x\nindex 0a2b3c4..0d6e7f8 100644\n";
    assert_eq!(masked(one), masked(other));
    assert_ne!(masked(one), masked(&one.replace("# x", "# y")));
    assert_ne!(masked(one), masked(&one.replace("type:str", "type:int")));
    assert_ne!(masked("age1qq\n"), masked("age1qq\nage1qq\n"));
    assert_eq!(masked("a age1qq…pp b"), "a KEY b\n");
    assert_eq!(masked(&format!("x\n  {BEGIN}\n  abc\n  {END}\ny")), "x\n  ARMOR\ny\n");
}

/// One step of the demo, as printed.
#[derive(Debug, PartialEq)]
enum Step {
    Write { name: String, text: String },
    Run { line: String, output: String },
}

fn steps(story: &str) -> Vec<Step> {
    let lines: Vec<&str> = story.lines().collect();
    let next = |at: usize| lines.get(at + 1).copied().unwrap_or_default();
    let mut steps = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        // A sentence stands behind an empty line, which is its own.
        let sentence = line.starts_with("# ") && at > 0 && lines[at - 1].is_empty();
        if sentence || line.is_empty() && next(at).starts_with("# ") {
            continue;
        }
        // A diff has lines with a plus too, but none with a bar below it.
        let file = line.strip_prefix("+ ").filter(|_| next(at).starts_with("| "));
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step::Run { line: command.to_owned(), output: String::new() });
        } else if let Some(name) = file {
            steps.push(Step::Write { name: name.to_owned(), text: String::new() });
        } else {
            add(steps.last_mut().unwrap_or_else(|| panic!("neither file nor command: {line}")), line);
        }
    }
    steps
}

fn add(step: &mut Step, line: &str) {
    let (text, line) = match step {
        Step::Write { text, .. } => (text, line.strip_prefix("| ").unwrap_or_else(|| panic!("no bar: {line}"))),
        Step::Run { output, .. } => (output, line),
    };
    text.push_str(line);
    text.push('\n');
}

/// A folder laid out as that of the demo.
struct Replay {
    scratch: Scratch,
    path: String,
}

impl Replay {
    fn new(scratch: Scratch) -> Self {
        for room in ["replay", "replay/repo", "replay/home"] {
            std::fs::create_dir(scratch.root().join(room)).expect("the scratch folder is writable");
        }
        let link = scratch.link("plomb", Path::new(PLOMB));
        let controller = Path::new(PLOMB).with_file_name("plomb-controller");
        if controller.is_file() {
            scratch.link("plomb-controller", &controller);
        }
        let bin = link.parent().expect("the link lies in a folder").display().to_string();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
        Self { scratch, path }
    }

    fn repository(&self) -> PathBuf {
        self.scratch.root().join("replay/repo")
    }

    /// How many commands were run.
    fn run(&self, steps: &[Step]) -> usize {
        let mut keys: Vec<(String, String)> = Vec::new();
        let ours = |text: &str, keys: &[(String, String)]| {
            keys.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
        };
        let mut count = 0;
        for step in steps {
            match step {
                Step::Write { name, text } => {
                    std::fs::write(self.repository().join(name), ours(text, &keys)).expect("it is our folder");
                }
                Step::Run { line, output } => {
                    let outcome = self.bash(&ours(line, &keys));
                    let printed = outcome.text() + &outcome.errors();
                    assert!(outcome.ok(), "`{line}` failed:\n{printed}");
                    if line.starts_with("plomb key new") {
                        keys.push((first_line(output), first_line(&printed)));
                    }
                    assert_eq!(masked(&printed), masked(&ours(output, &keys)), "`{line}` (left: typed by hand)");
                    count += 1;
                }
            }
        }
        assert_eq!(keys.len(), 3, "the demo makes three keys");
        count
    }

    fn bash(&self, line: &str) -> Outcome {
        let home = self.scratch.root().join("replay/home");
        let run = self.scratch.command("bash").args(["-c", line]).folder(self.repository());
        let run = run.env("PATH", &self.path).env("HOME", &home).env("XDG_CONFIG_HOME", home.join(".config"));
        let run = run.env("SOPS_AGE_KEY_FILE", "../me.txt").env("GIT_PAGER", "cat");
        let run = run.env("GIT_AUTHOR_NAME", "Demo").env("GIT_AUTHOR_EMAIL", "demo@example.org");
        run.env("GIT_COMMITTER_NAME", "Demo").env("GIT_COMMITTER_EMAIL", "demo@example.org").run()
    }

    /// Both repositories hold the same files, but for what is masked.
    fn agrees_with(&self, other: &Path) {
        for name in ["immich.secret.yaml", "immich.sealed.yaml", "values.enc.yaml", ".sops.yaml"] {
            let read = |folder: &Path| std::fs::read_to_string(folder.join(name)).expect("the demo made it");
            assert_eq!(masked(&read(&self.repository())), masked(&read(other)), "{name} (left: typed by hand)");
        }
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    assert!(line.starts_with("age1"), "`key new` prints the recipient first, not {line}");
    line.to_owned()
}

/// The text without what differs from run to run.
fn masked(text: &str) -> String {
    let mut result = String::new();
    let mut armor = false;
    for line in text.lines() {
        if let Some(at) = line.find(BEGIN) {
            result.push_str(&format!("{}ARMOR\n", &line[..at]));
            armor = true;
        }
        // Whether this line differs depends on the second in which the file was changed.
        let time = line.starts_with(['+', '-']) && line.contains("lastmodified:");
        if !armor && !time {
            result.push_str(&line_masked(line));
            result.push('\n');
        }
        armor &= !line.contains(END);
    }
    result
}

fn line_masked(line: &str) -> String {
    // Wrapped keys are not always equally long, so places in the file and the counts of changed lines differ.
    if line.starts_with("@@ ") {
        return format!("@@{}", line.rsplit("@@").next().unwrap_or_default());
    }
    // How many bytes were scanned depends on the wrapped keys, too.
    if line.contains(" found in ") || line.contains(" findings (") {
        return line.rsplit_once('(').map_or(line, |(before, _)| before).to_owned();
    }
    if line.starts_with("index ") {
        return "index".to_owned();
    }
    if line.contains(" changed, ") || line.ends_with(['+', '-']) && line.contains(" | ") {
        let words = line.split_whitespace();
        return words
            .filter(|word| !word.starts_with(|sign: char| sign.is_ascii_digit() || "+-".contains(sign)))
            .collect();
    }
    if let Some(at) = line.find("lastmodified:") {
        return format!("{}lastmodified", &line[..at]);
    }
    keys_masked(&tokens_masked(line))
}

fn tokens_masked(line: &str) -> String {
    let mut result = String::new();
    let mut rest = line;
    while let Some((before, token)) = rest.split_once("ENC[") {
        let (token, after) = token.split_once(']').unwrap_or((token, ""));
        let kind = token.rsplit_once("type:").map_or("?", |(_, kind)| kind);
        result.push_str(&format!("{before}ENC[{kind}]"));
        rest = after;
    }
    result + rest
}

fn keys_masked(line: &str) -> String {
    let mut result = String::new();
    let mut rest = line;
    while let Some((before, key)) = rest.split_once("age1") {
        let end = key.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '…').unwrap_or(key.len());
        result.push_str(&format!("{before}KEY"));
        rest = &key[end..];
    }
    result + rest
}
