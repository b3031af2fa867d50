//! `plomb demo`: the main job, shown in a scratch repository. Every command is run with the very words that
//! are printed, so the demo is also a test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::ui;

/// Show the main job in a scratch repository
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keep the scratch repository and print where it is
    #[arg(long)]
    keep: bool,
}

const SECRET: &str = include_str!("../../../fixtures/homelab/apps/immich/overlays/prod/immich.secret.yaml");
const VALUES: &str = include_str!("../../../fixtures/homelab/apps/nextcloud/base/values.enc.yaml");

/// One step of the story.
enum Step {
    /// A sentence.
    Say(&'static str),
    /// A file that a person would write.
    Write(&'static str, String),
    /// A command. The environment is printed in front of it.
    Run(&'static [(&'static str, &'static str)], &'static [&'static str]),
    /// A command of the controller, where it is built.
    Controller(&'static [&'static str]),
    /// A command that must fail; its exit code is printed.
    Stopped(&'static [&'static str]),
}

use Step::{Controller, Run, Say, Stopped, Write};

/// Runs the command.
pub(crate) fn run(args: Args, _context: &mut Context) -> Outcome {
    let scratch = tempfile::Builder::new().prefix("plomb-demo-").tempdir();
    let scratch = scratch.map_err(|error| Failure::io(&std::env::temp_dir(), "make a scratch folder", &error))?;
    let stage = Stage::new(scratch.path())?;
    stage.act(first_act())?;
    let me = stage.recipient("me.txt")?;
    stage.act(second_act(&me))?;
    let colleague = stage.recipient("colleague.txt")?;
    stage.act(third_act(&me, &colleague))?;
    stage.act(fourth_act())?;
    let cluster = stage.recipient("cluster.txt")?;
    stage.act(fifth_act(&me, &cluster))?;
    if args.keep {
        let path = scratch.keep();
        ui::print(format!("\nThe scratch repository is {}\n", crate::paths::shown(&path.join("repo"))).as_bytes())?;
    }
    Ok(Exit::Ok)
}

fn rules(recipients: &[&str]) -> String {
    let list: String = recipients.iter().map(|recipient| format!("      - {recipient}\n")).collect();
    format!(
        "creation_rules:\n  - path_regex: \\.secret\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age:\n{list}  \
         - path_regex: \\.enc\\.yaml$\n    encrypted_regex: (?i)password|secret|token\n    age:\n{list}"
    )
}

fn first_act() -> Vec<Step> {
    vec![
        Say("A repository with a Kubernetes Secret and Helm values in clear text."),
        Run(&[], &["git", "init", "--quiet"]),
        Write("immich.secret.yaml", SECRET.to_owned()),
        Write("values.enc.yaml", VALUES.to_owned()),
        Say("An age key of your own; only the public part is printed."),
        Run(&[], &["plomb", "key", "new", "-o", "../me.txt"]),
    ]
}

fn second_act(me: &str) -> Vec<Step> {
    vec![
        Say("The rules: which files, which of their values, for whom."),
        Write(".sops.yaml", rules(&[me])),
        Say("Encrypt. Comments, quotes, anchors and blank lines stay as they are."),
        Run(&[], &["plomb", "encrypt", "--in-place", "immich.secret.yaml", "values.enc.yaml"]),
        Run(&[], &["git", "add", "."]),
        Run(&[], &["git", "commit", "--quiet", "-m", "Sealed"]),
        Run(&[], &["cat", "immich.secret.yaml"]),
        Say("Change one value in an editor. The diff is that value, the MAC, its time and the layout."),
        Run(&[("EDITOR", "sed -i.bak s/immich-redis/immich-valkey/")], &["plomb", "edit", "immich.secret.yaml"]),
        Run(&[], &["git", "diff", "--stat=80"]),
        Run(&[], &["git", "diff", "-U0"]),
        Run(&[], &["git", "commit", "--quiet", "-am", "Valkey"]),
        Say("A colleague comes."),
        Run(&[], &["plomb", "key", "new", "-o", "../colleague.txt"]),
    ]
}

fn third_act(me: &str, colleague: &str) -> Vec<Step> {
    vec![
        Write(".sops.yaml", rules(&[me, colleague])),
        Run(&[], &["plomb", "updatekeys", "--yes", "immich.secret.yaml", "values.enc.yaml"]),
        Run(&[("SOPS_AGE_KEY_FILE", "../colleague.txt")], &["plomb", "decrypt", "values.enc.yaml"]),
        Say("And goes: new data keys, so that later values are closed to him."),
        Write(".sops.yaml", rules(&[me])),
        Run(&[], &["plomb", "updatekeys", "--yes", "immich.secret.yaml", "values.enc.yaml"]),
        Say("Everything verifies, and decrypts to the bytes it came from."),
        Run(&[], &["plomb", "verify"]),
        Run(&[], &["plomb", "status"]),
        Run(&[], &["plomb", "decrypt", "immich.secret.yaml"]),
    ]
}

/// What somebody commits who is in a hurry.
const FORGOTTEN: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: vaultwarden\nstringData:\n  \
                         # for the admin page\n  ADMIN_TOKEN: \"9vX-2qLr-7TzB-4mKd\"\n";

fn fourth_act() -> Vec<Step> {
    vec![
        Run(&[], &["git", "commit", "--quiet", "-am", "Readers"]),
        Say("Somebody forgets to encrypt. The scan stops it; `plomb hook install` puts it into Git's hooks."),
        Write("vaultwarden.secret.yaml", FORGOTTEN.to_owned()),
        Run(&[], &["git", "add", "."]),
        Stopped(&["plomb", "scan", "--staged"]),
        Say("The rules say how the file is to be encrypted, so that can be mended at once."),
        Run(&[], &["plomb", "scan", "--staged", "--fix"]),
        Run(&[], &["git", "commit", "--quiet", "-m", "Encrypted before it left"]),
        Run(&[], &["plomb", "status"]),
        Say(
            "Now for a cluster. Its controller makes a key of its own and publishes the recipient; here is one for show.",
        ),
        Run(&[], &["plomb", "key", "new", "-o", "../cluster.txt"]),
    ]
}

fn fifth_act(me: &str, cluster: &str) -> Vec<Step> {
    let rule = format!("  - path_regex: \\.sealed\\.yaml$\n    age:\n      - {me}\n      - {cluster}\n");
    vec![
        Write(".sops.yaml", rules(&[me]) + &rule),
        Say("Sealed: one file for people and the cluster, bound to its namespace and name."),
        Run(&[], &["plomb", "seal", "--namespace", "photos", "-o", "immich.sealed.yaml", "immich.secret.yaml"]),
        Run(&[], &["git", "add", "."]),
        Run(&[], &["git", "commit", "--quiet", "-m", "Immich for the cluster"]),
        Run(&[], &["cat", "immich.sealed.yaml"]),
        Say("What the cluster makes of it, with its key alone."),
        Run(&[("SOPS_AGE_KEY_FILE", "../cluster.txt")], &["plomb", "unseal", "immich.sealed.yaml"]),
        Controller(&["plomb-controller", "render", "--identity", "../cluster.txt", "."]),
        Say(
            "On a cluster: kubectl apply -k controller/deploy/overlays/cluster, then kubectl apply -f immich.sealed.yaml",
        ),
    ]
}

/// The scratch folder: a repository, a home, and nothing of the user's own.
struct Stage {
    root: PathBuf,
    plomb: PathBuf,
    controller: PathBuf,
}

impl Stage {
    fn new(root: &Path) -> Result<Self, Failure> {
        let make = |name: &str| {
            let path = root.join(name);
            std::fs::create_dir(&path).map_err(|error| Failure::io(&path, "make it", &error))
        };
        make("repo")?;
        make("home")?;
        let plomb = std::env::current_exe().map_err(|error| Failure::io(Path::new("plomb"), "find it", &error))?;
        let controller = plomb.with_file_name("plomb-controller");
        Ok(Self { root: root.to_owned(), plomb, controller })
    }

    fn act(&self, steps: Vec<Step>) -> Result<(), Failure> {
        for step in steps {
            match step {
                Say(text) => ui::print(format!("\n# {text}\n").as_bytes())?,
                Write(name, text) => self.write(name, &text)?,
                Run(environment, words) => self.run(environment, words)?,
                Controller(words) if self.controller.is_file() => self.run(&[], words)?,
                Controller(words) => {
                    let words = words.join(" ");
                    let how = "once it is built (cargo build --release -p plomb-controller), the same over a folder";
                    ui::print(format!("\n# {words}: {how}\n").as_bytes())?;
                }
                Stopped(words) => self.stopped(words)?,
            }
        }
        Ok(())
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.root.join("repo").join(name);
        std::fs::write(&path, text).map_err(|error| Failure::io(&path, "write it", &error))?;
        let shown: String = text.lines().map(|line| format!("| {line}\n")).collect();
        ui::print(format!("+ {name}\n{shown}").as_bytes())
    }

    fn run(&self, environment: &[(&str, &str)], words: &[&str]) -> Result<(), Failure> {
        let line = environment.iter().map(|(name, value)| format!("{name}={} ", quoted(value))).collect::<String>();
        let line = line + &words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        ui::print(format!("$ {line}\n").as_bytes())?;
        if words[0] == "cat" {
            let path = self.root.join("repo").join(words[1]);
            return ui::print(&std::fs::read(&path).map_err(|error| Failure::io(&path, "read it", &error))?);
        }
        let program = match words[0] {
            "plomb" => self.plomb.as_path(),
            "plomb-controller" => self.controller.as_path(),
            other => Path::new(other),
        };
        let mut command = Command::new(program);
        command.args(&words[1..]).current_dir(self.root.join("repo")).stdin(Stdio::null());
        self.isolate(&mut command);
        command.envs(environment.iter().copied());
        let output = command.output().map_err(|error| Failure::io(program, "start it", &error))?;
        ui::print(&output.stdout)?;
        ui::print(&output.stderr)?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::new(Exit::Generic, format!("`{line}` failed")))
    }

    fn stopped(&self, words: &[&str]) -> Result<(), Failure> {
        let line = words.join(" ");
        ui::print(format!("$ {line} || echo \"exit code $?\"\n").as_bytes())?;
        let mut command = Command::new(&self.plomb);
        command.args(&words[1..]).current_dir(self.root.join("repo")).stdin(Stdio::null());
        self.isolate(&mut command);
        let output = command.output().map_err(|error| Failure::io(&self.plomb, "start it", &error))?;
        ui::print(&output.stdout)?;
        let code = output.status.code().filter(|code| *code != 0);
        let code = code.ok_or_else(|| Failure::new(Exit::Generic, format!("`{line}` let it pass")))?;
        ui::print(format!("exit code {code}\n").as_bytes())?;
        ui::print(&output.stderr)
    }

    /// Nothing of the user's own keys and settings takes part.
    fn isolate(&self, command: &mut Command) {
        let sops = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SOPS_"));
        for (name, _) in sops {
            command.env_remove(name);
        }
        let home = self.root.join("home");
        command
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("SOPS_AGE_KEY_FILE", self.root.join("me.txt"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Demo")
            .env("GIT_AUTHOR_EMAIL", "demo@example.org")
            .env("GIT_COMMITTER_NAME", "Demo")
            .env("GIT_COMMITTER_EMAIL", "demo@example.org")
            .env("GIT_PAGER", "cat");
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "VISUAL"] {
            command.env_remove(name);
        }
    }

    /// The public key that a key file names in its comment.
    fn recipient(&self, name: &str) -> Result<String, Failure> {
        let path = self.root.join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::io(&path, "read it", &error))?;
        let found = text.lines().find_map(|line| line.strip_prefix("# public key: ")).map(str::to_owned);
        found.ok_or_else(|| Failure::new(Exit::Generic, "names no public key").in_file(&path))
    }
}

/// A word as a shell would need it.
fn quoted(word: &str) -> String {
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./=:,".contains(&byte));
    if plain && !word.is_empty() { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}
