//! `plomb exec-env`: a command with a file's values in its environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use document::Step;
use sops::environment::{Variable, variables};

use crate::account::Account;
use crate::context::{Context, Mode};
use crate::failure::{Exit, Failure, Outcome};
use crate::signals::{self, Manner};
use crate::{files, format, ui};

/// Run a command with the decrypted values in its environment
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; its values must not be nested
    file: PathBuf,
    /// The command, for /bin/sh -c
    command: String,
    /// Only these keys, separated by commas
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    only: Option<Vec<String>>,
    /// Nothing else in the environment
    #[arg(long)]
    pristine: bool,
    /// Become the command instead of waiting for it
    #[arg(long)]
    same_process: bool,
    /// Run the command as this user
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Allow a name that changes how programs are found or run (PATH, LD_PRELOAD, GIT_…)
    #[arg(long, value_name = "NAME")]
    allow_env: Vec<String>,
    /// Format of the file: yaml, json, dotenv, ini, binary
    #[arg(long, value_name = "FORMAT")]
    input_type: Option<String>,
    /// Go on although the MAC is missing or wrong: values may have been changed, added, removed or moved
    #[arg(long)]
    ignore_mac: bool,
}

/// Names that make a program run code of somebody else's choice. `HOME` is not among them: it names a folder, which
/// whoever writes the file cannot fill, and ordinary environments set it.
const POWERFUL: [&str; 45] = [
    "BASHOPTS",
    "BASH_ENV",
    "BROWSER",
    "CLASSPATH",
    "EDITOR",
    "ENV",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LESSCLOSE",
    "LESSOPEN",
    "MANPAGER",
    "NODE_OPTIONS",
    "NODE_PATH",
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    "PAGER",
    "PATH",
    "PERL5DB",
    "PERL5LIB",
    "PERL5OPT",
    "PERLLIB",
    "PROMPT_COMMAND",
    "PS4",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "SHELL",
    "SHELLOPTS",
    "SOPS_AGE_KEY_CMD",
    "SOPS_AGE_SSH_PRIVATE_KEY_CMD",
    "SOPS_EDITOR",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "VISUAL",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
];
/// Beginnings of such names.
const POWERFUL_BEGINNINGS: [&str; 6] = ["LD_", "DYLD_", "GIT_", "BASH_FUNC_", "npm_config_", "NPM_CONFIG_"];

/// Runs the command.
pub(crate) fn run(args: Args, context: &mut Context) -> Outcome {
    context.ignore_mac = args.ignore_mac;
    let done = decrypted(&args, context).and_then(|variables| start(&args, &variables));
    done.map_err(|failure| failure.in_file(&args.file))
}

fn decrypted(args: &Args, context: &Context) -> Result<Vec<Variable>, Failure> {
    let format = format::choose(args.input_type.as_deref(), &args.file);
    let text = files::read(&args.file, Context::limit(format))?;
    let plain = context.decrypt(context.encrypted(text, format)?, false)?;
    ui::notices(&args.file, plain.notices());
    let Some(branch) = plain.document().branches.first() else { return Ok(Vec::new()) };
    let mut variables = variables(&branch.root, args.only.as_deref())?;
    for variable in &variables {
        check_name(&variable.name, args, context.mode)?;
    }
    if context.mode == Mode::Plomb {
        let path = |variable: &Variable| document::Path(vec![Step::Key(variable.name.clone())]);
        let paths: Vec<_> = variables.iter().map(path).collect();
        for (variable, digits) in variables.iter_mut().zip(plain.digits(&paths)) {
            variable.value = digits.unwrap_or_else(|| std::mem::take(&mut variable.value));
        }
    }
    Ok(variables)
}

fn check_name(name: &str, args: &Args, mode: Mode) -> Result<(), Failure> {
    let powerful = POWERFUL.contains(&name) || POWERFUL_BEGINNINGS.iter().any(|start| name.starts_with(start));
    if !powerful || args.allow_env.iter().any(|allowed| allowed == name) {
        return Ok(());
    }
    let what = format!("the key {name} changes how programs are found or run");
    if mode == Mode::Sops {
        ui::note(&format!("warning: {}: {what}", crate::paths::shown(&args.file)));
        return Ok(());
    }
    let hint = format!("say --allow-env {name} if that is meant, or choose keys with --only");
    Err(Failure::new(Exit::Generic, what).hint(hint))
}

fn start(args: &Args, variables: &[Variable]) -> Outcome {
    let account = args.user.as_deref().map(Account::find).transpose()?;
    let mut command = shell(&args.command);
    if args.pristine {
        command.env_clear();
    }
    for variable in variables {
        command.env(&*variable.name, OsStr::from_bytes(variable.value.expose()));
    }
    if let Some(account) = &account {
        account.set_environment(&mut command);
    }
    if args.same_process {
        let failed = |error: std::io::Error| Failure::io(Path::new("/bin/sh"), "run it", &error);
        account.map_or(Ok(()), |account| account.become_it(&mut command)).map_err(failed)?;
        return Err(failed(command.exec()));
    }
    wait(&mut command, account.as_ref())
}

/// The user's command line for the shell.
pub(crate) fn shell(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line);
    command
}

/// Runs `command` to its end and gives its exit code.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn wait(command: &mut Command, account: Option<&Account>) -> Outcome {
    let status = signals::run(command, Manner::Command, |command| match account {
        Some(account) => account.spawn(command),
        None => command.spawn(),
    });
    let failed = |error: std::io::Error| Failure::io(Path::new("/bin/sh"), "run it", &error).exit(Exit::Generic);
    status.map(exit_of).map_err(failed)
}

/// The exit code passed on; 255 for a signal, as SOPS does.
fn exit_of(status: ExitStatus) -> Exit {
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(255);
    if code == 0 { Exit::Ok } else { Exit::Child(code) }
}
