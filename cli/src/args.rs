//! The command line: which command, with which arguments. Help, man pages and completions come from here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    allow, bind, cluster, completion, config_command, convert, decrypt, demo, edit, encrypt, exec_env, exec_file,
    filestatus, groups, hook, init, key, man, publish, rewrap, rotate, rules, scan, seal, set, status, unseal, unset,
    updatekeys, verify,
};
use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};

/// Secrets in Git: encrypt single values in place, readable by SOPS.
#[derive(Debug, Parser)]
#[command(name = "plomb", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, clap::Args)]
struct Global {
    /// Use this configuration instead of the nearest .sops.yaml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say more: recipients in full, which configuration was used
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// The commands. Adding one is a file in commands/ and a line here.
#[derive(Debug, Subcommand)]
enum Command {
    Encrypt(encrypt::Args),
    Decrypt(decrypt::Args),
    Edit(edit::Args),
    Set(set::Args),
    Unset(unset::Args),
    ExecEnv(exec_env::Args),
    ExecFile(exec_file::Args),
    Rotate(rotate::Args),
    Updatekeys(updatekeys::Args),
    Rewrap(rewrap::Args),
    Groups(groups::Args),
    #[command(visible_alias = "keys")]
    Key(key::Args),
    Cluster(cluster::Args),
    Publish(publish::Args),
    Seal(seal::Args),
    Unseal(unseal::Args),
    Bind(bind::Args),
    Convert(convert::Args),
    Scan(Box<scan::Args>),
    Allow(allow::Args),
    Rules(rules::Args),
    Filestatus(filestatus::Args),
    Status(status::Args),
    Verify(verify::Args),
    Config(config_command::Args),
    Hook(hook::Args),
    Init(init::Args),
    Demo(demo::Args),
    Completion(completion::Args),
    Man(man::Args),
}

impl Command {
    fn run(self, context: &mut Context) -> Outcome {
        match self {
            Self::Encrypt(args) => encrypt::run(args, context),
            Self::Decrypt(args) => decrypt::run(args, context),
            Self::Edit(args) => edit::run(args, context),
            Self::Set(args) => set::run(args, context),
            Self::Unset(args) => unset::run(args, context),
            Self::ExecEnv(args) => exec_env::run(args, context),
            Self::ExecFile(args) => exec_file::run(args, context),
            Self::Rotate(args) => rotate::run(args, context),
            Self::Updatekeys(args) => updatekeys::run(args, context),
            Self::Rewrap(args) => rewrap::run(args, context),
            Self::Groups(args) => groups::run(args, context),
            Self::Key(args) => key::run(args, context),
            Self::Cluster(args) => cluster::run(args, context),
            Self::Publish(args) => publish::run(args, context),
            Self::Seal(args) => seal::run(args, context),
            Self::Unseal(args) => unseal::run(args, context),
            Self::Bind(args) => bind::run(args, context),
            Self::Convert(args) => convert::run(args, context),
            Self::Allow(args) => allow::run(args, context),
            Self::Rules(args) => rules::run(&args, context),
            Self::Scan(args) => scan::run(*args, context),
            Self::Filestatus(args) => filestatus::run(args, context),
            Self::Status(args) => status::run(args, context),
            Self::Verify(args) => verify::run(args, context),
            Self::Config(args) => config_command::run(args, context),
            Self::Hook(args) => hook::run(&args, context),
            Self::Init(args) => init::run(args, context),
            Self::Demo(args) => demo::run(args, context),
            Self::Completion(args) => completion::run(&args, context),
            Self::Man(args) => man::run(&args, context),
        }
    }
}

/// Runs one of plomb's commands in `context`; `words` come without the program's name.
pub(crate) fn run_command(words: Vec<OsString>, context: &mut Context) -> Outcome {
    let argv = std::iter::once(OsString::from("plomb")).chain(words);
    let wrong = |error: clap::Error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Failure::new(Exit::Generic, first)
    };
    parse(argv.collect()).map_err(wrong)?.command.run(context)
}

fn parse(argv: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = lean(&argv).unwrap_or_else(Cli::command);
    let matches = command.try_get_matches_from_mut(argv);
    let cli = matches
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command)));
    // Taking it apart piece by piece takes as long as making it did; the process ends soon.
    std::mem::forget(command);
    cli
}

/// The command line with one command only, where the first word is one that hooks, editors and scripts call again and
/// again: making all the others takes longer than opening a small file.
fn lean(argv: &[OsString]) -> Option<clap::Command> {
    type Augment = fn(clap::Command) -> clap::Command;
    let (name, augment): (&'static str, Augment) = match argv.get(1)?.to_str()? {
        "encrypt" => ("encrypt", encrypt::Args::augment_args),
        "decrypt" => ("decrypt", decrypt::Args::augment_args),
        "edit" => ("edit", edit::Args::augment_args),
        "set" => ("set", set::Args::augment_args),
        "unset" => ("unset", unset::Args::augment_args),
        "exec-env" => ("exec-env", exec_env::Args::augment_args),
        "exec-file" => ("exec-file", exec_file::Args::augment_args),
        "rotate" => ("rotate", rotate::Args::augment_args),
        "filestatus" => ("filestatus", filestatus::Args::augment_args),
        "status" => ("status", status::Args::augment_args),
        "verify" => ("verify", verify::Args::augment_args),
        _ => return None,
    };
    let root = clap::Command::new("plomb").max_term_width(100).subcommand_required(true);
    Some(Global::augment_args(root).subcommand(augment(clap::Command::new(name))))
}

/// First words that only SOPS' old flag style has: fingers and scripts use them under our name too.
const OLD_STYLE: [&str; 11] =
    ["-d", "--decrypt", "-e", "--encrypt", "-r", "--rotate", "-s", "--show-master-keys", "-i", "--in-place", "--set"];

/// Runs what the argument vector asks for; called as `sops`, or with `sops` as first word, in drop-in mode.
pub(crate) fn dispatch(argv: Vec<OsString>) -> Outcome {
    let called_as = argv.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
    if called_as == "sops" {
        return crate::commands::drop_in::run(argv);
    }
    if argv.get(1).is_some_and(|word| word == "sops") {
        return crate::commands::drop_in::run(argv[1..].to_vec());
    }
    if called_as == "gitleaks" {
        return crate::commands::gitleaks::run(argv);
    }
    if argv.get(1).is_some_and(|word| word == "gitleaks") {
        return crate::commands::gitleaks::run(argv[1..].to_vec());
    }
    if argv.get(1).is_some_and(|word| OLD_STYLE.iter().any(|flag| word == *flag)) {
        return crate::commands::drop_in::run(argv);
    }
    if matches!(argv.as_slice(), [_, flag] if flag == "--version" || flag == "-V") {
        crate::ui::print(concat!("plomb ", env!("CARGO_PKG_VERSION"), "\n").as_bytes())?;
        return Ok(Exit::Ok);
    }
    match parse(argv) {
        Ok(cli) => {
            let mut context = Context::new(Mode::Plomb);
            context.config_is_asked_for = cli.global.config.is_some();
            context.config = cli.global.config.or(context.config);
            context.verbose = cli.global.verbose;
            cli.command.run(&mut context)
        }
        Err(error) => {
            use clap::error::ErrorKind as Kind;
            // Help and version are results, not failures; anything that cannot be printed is lost anyway.
            let _ = error.print();
            match error.kind() {
                Kind::DisplayHelp | Kind::DisplayVersion => Ok(Exit::Ok),
                _ => Err(Failure::new(Exit::Usage, "")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAN: [&str; 11] = [
        "encrypt",
        "decrypt",
        "edit",
        "set",
        "unset",
        "exec-env",
        "exec-file",
        "rotate",
        "filestatus",
        "status",
        "verify",
    ];

    fn words(text: &str) -> Vec<OsString> {
        std::iter::once("plomb").chain(text.split(' ')).map(OsString::from).collect()
    }

    #[test]
    fn a_lean_command_line_is_read_as_the_whole_one_is() {
        for name in LEAN {
            let lines = ["--help", "-h", "--no-such-flag", "--verbose --config x f --json --nonsense", "--version", ""];
            for line in lines.iter().map(|rest| words(format!("{name} {rest}").trim_end())) {
                let mut lean = lean(&line).expect("it is one of them");
                let (ours, whole) = (lean.try_get_matches_from_mut(&line), Cli::command().try_get_matches_from(&line));
                let text = |error: clap::Error| error.render().to_string();
                assert_eq!(ours.map(drop).map_err(text), whole.map(drop).map_err(text), "{line:?}");
            }
        }
    }

    #[test]
    fn other_words_are_read_by_the_whole() {
        assert!(lean(&words("decrypt f")).is_some());
        for line in ["keys list", "--config x decrypt f", "decryp f", "--help", "help decrypt"] {
            assert!(lean(&words(line)).is_none(), "{line}");
        }
    }
}
