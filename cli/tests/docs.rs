//! What the documents say is what the program does: every console block is run, every code, command and link
//! that they name is there.
//!
//! A block marked `console` holds commands behind `$ `, their further lines behind `> `, and what they print. `…`
//! (or `...`) stands for anything within a line, and alone on a line for any lines. `# exit N` behind a command is
//! the exit code that it must have. Blocks of one document share one repository.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use testkit::{Scratch, fixtures};

const PLOMB: &str = env!("CARGO_BIN_EXE_plomb");

#[test]
fn console_blocks_do_what_they_say() {
    let mut count = 0;
    let mut wrong = String::new();
    for document in documents() {
        let text = read(&document);
        let name = shown(&document);
        let commands = commands(&name, &text);
        count += commands.len();
        wrong.push_str(&play(&name, &commands));
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 40, "only {count} commands were found: are the blocks still marked `console`?");
}

#[test]
fn exit_codes_are_those_of_the_program() {
    let code = read(&fixtures::workspace().join("cli/src/failure.rs"));
    let arms = code.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => "));
    let real: BTreeSet<u8> = arms.filter_map(|(_, number)| number.trim_end_matches(',').parse().ok()).collect();
    let table = read(&fixtures::workspace().join("docs/exit-codes.md"));
    let rows: Vec<u8> = table.lines().filter_map(|line| line.split('|').nth(1)?.trim().parse().ok()).collect();
    let told: BTreeSet<u8> = rows.iter().copied().collect();
    assert!(real.len() > 15, "the codes were not found in failure.rs");
    assert_eq!(told, real, "docs/exit-codes.md (left) and failure.rs (right) differ");
    assert!(rows.is_sorted_by(|a, b| a < b), "docs/exit-codes.md is not sorted, or has a code twice");
}

#[test]
fn the_guide_mentions_every_command() {
    let scratch = Scratch::new("docs-help");
    let help = scratch.command(PLOMB).arg("--help").run().text();
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = list.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 15, "the commands were not found in the help");
    let guide = read(&fixtures::workspace().join("docs/guide.md"));
    let told = |name: &&str| {
        let phrase = format!("plomb {name}");
        guide.match_indices(&phrase).any(|(at, _)| !guide[at + phrase.len()..].starts_with(is_name_sign))
    };
    let missing: Vec<_> = names.iter().filter(|name| !told(name)).collect();
    assert!(missing.is_empty(), "docs/guide.md does not mention {missing:?}");
}

#[test]
fn links_lead_somewhere() {
    let mut broken = String::new();
    for document in documents() {
        let text = read(&document);
        for (number, link) in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let folder = document.parent().expect("a document lies in a folder");
            let target = if file.is_empty() { document.clone() } else { folder.join(file) };
            let there = target.exists() && (heading.is_empty() || headings(&read(&target)).contains(heading));
            if !there {
                let _ = writeln!(broken, "{}:{number}: no such place: {link}", shown(&document));
            }
        }
    }
    assert!(broken.is_empty(), "{broken}");
}

#[test]
fn patterns_fit_and_do_not_fit() {
    let fits = |pattern: &[&str], lines: &[&str]| fits(pattern, lines);
    assert!(fits(&["a…c", "…", "z"], &["abbc", "1", "2", "z"]));
    assert!(fits(&["…"], &[]));
    assert!(fits(&["...b"], &["ab"]));
    assert!(!fits(&["a…c"], &["abd"]));
    assert!(!fits(&["aba…ba"], &["aba"]));
    assert!(!fits(&["a"], &["a", "b"]));
    assert!(!fits(&["a", "b"], &["a"]));
    let text = "```console\n$ cat > x <<'E' # exit 3\n> one\n>\n> E\n$ true\n\nout\n```\n";
    let found = commands("x", text);
    assert_eq!(found[0].script, "cat > x <<'E'\none\n\nE\n");
    assert_eq!((found[0].exit, found[0].line, found[0].output.len()), (3, 2, 0));
    assert_eq!(found[1].output, ["", "out"]);
    let bad = "```console\n$ echo one\ntwo\n$ false\n```\n";
    let report = play("x", &commands("x", bad));
    assert!(report.contains("x:2:"), "{report}");
}

/// A command of a document.
struct Command<'t> {
    line: usize,
    script: String,
    exit: i32,
    output: Vec<&'t str>,
}

fn commands<'t>(name: &str, text: &'t str) -> Vec<Command<'t>> {
    let mut found: Vec<Command<'t>> = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((start, fence)) = lines.next() {
        let Some(kind) = fence.strip_prefix("```") else { continue };
        let before = found.len();
        let block = lines.by_ref().take_while(|(_, line)| *line != "```");
        block.filter(|_| kind == "console").for_each(|(line, text)| add(&mut found, line, text, before));
        let empty = kind == "console" && found.len() == before;
        assert!(!empty, "{name}:{start}: a console block without a command");
    }
    found
}

/// Adds a line of a block whose first command has the number `first`.
fn add<'t>(found: &mut Vec<Command<'t>>, line: usize, text: &'t str, first: usize) {
    if let Some(command) = text.strip_prefix("$ ") {
        let (command, exit) = command.split_once("# exit ").unwrap_or((command, "0"));
        let exit = exit.trim().parse().unwrap_or_else(|_| panic!("line {line}: `# exit` without a number"));
        found.push(Command { line, script: format!("{}\n", command.trim_end()), exit, output: Vec::new() });
        return;
    }
    assert!(found.len() > first, "line {line}: the block does not begin with a command");
    let last = found.last_mut().expect("the block has a command");
    match text.strip_prefix('>') {
        Some(more) if last.output.is_empty() => {
            last.script.push_str(more.strip_prefix(' ').unwrap_or(more));
            last.script.push('\n');
        }
        _ => last.output.push(text),
    }
}

/// Runs the commands in a fresh repository; the report is empty if all went as written.
fn play(name: &str, commands: &[Command<'_>]) -> String {
    let scratch = Scratch::new("docs");
    for link in ["plomb", "sops"] {
        scratch.link(link, Path::new(PLOMB));
    }
    let bin = scratch.root().join("bin");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let bash = |script: &str| {
        let run = scratch.command("bash").args(["-c", &format!("exec 2>&1; set -o pipefail\n{script}")]);
        let names = ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].iter().map(|name| (*name, "Ada"));
        let mails = ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].iter().map(|name| (*name, "ada@example.org"));
        names.chain(mails).fold(run.env("PATH", &path), |run, (name, value)| run.env(name, value)).run()
    };
    assert!(bash("git init --quiet").ok(), "git is needed");
    let mut report = String::new();
    for command in commands {
        let outcome = bash(&command.script);
        let text = outcome.text();
        let lines: Vec<&str> = text.lines().collect();
        let said = command.output.is_empty() || fits(&command.output, &lines);
        if outcome.code == Some(command.exit) && said {
            continue;
        }
        let first = command.script.lines().next().unwrap_or_default();
        let _ = writeln!(report, "{name}:{}: `{first}`: exit {:?}, it printed\n{text}", command.line, outcome.code);
    }
    report
}

fn fits(pattern: &[&str], lines: &[&str]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return lines.is_empty() };
    if ["…", "..."].contains(first) {
        return (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..]));
    }
    lines.split_first().is_some_and(|(line, more)| line_fits(first, line) && fits(rest, more))
}

fn line_fits(pattern: &str, line: &str) -> bool {
    let pattern = pattern.trim_end().replace("...", "…");
    let line = line.trim_end();
    let Some((start, rest)) = pattern.split_once('…') else { return pattern == line };
    let (middle, end) = rest.rsplit_once('…').unwrap_or(("", rest));
    let Some(body) = line.strip_prefix(start).and_then(|body| body.strip_suffix(end)) else { return false };
    let after = |from: usize, part: &str| Some(from + body[from..].find(part)? + part.len());
    middle.split('…').try_fold(0, after).is_some()
}

/// The read me, and every page below docs.
fn documents() -> Vec<PathBuf> {
    let root = fixtures::workspace();
    let mut found: Vec<PathBuf> = fixtures::files_below(&root.join("docs"));
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(found.len() > 6, "the documents were not found");
    found.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)));
    found
}

fn links(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        fenced ^= line.starts_with("```");
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        found.extend(targets.filter(|target| !fenced && !target.contains("://")).map(|target| (number, target)));
    }
    found
}

/// The names that headings get as places to link to.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let name = |title: &str| {
        let kept = title.to_lowercase().replace(' ', "-");
        kept.chars().filter(|sign| is_name_sign(*sign)).collect()
    };
    titles.map(name).collect()
}

fn is_name_sign(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '-' || sign == '_'
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(fixtures::workspace()).unwrap_or(path).display().to_string()
}
