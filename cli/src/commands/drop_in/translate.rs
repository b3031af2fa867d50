//! Commands other than encrypt and decrypt: each becomes the command line of `plomb` that does the same.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{Call, must_exist, policy, table};
use crate::args;
use crate::failure::{Exit, Failure, Outcome};

/// Runs a command that is not about one text from input to output.
pub(super) fn run(mut call: Call<'_>) -> Outcome {
    let words = match call.command {
        "rotate" => rotate(&call)?,
        "edit" => edit(&call)?,
        "set" => set(&call)?,
        "unset" => unset(&call)?,
        "updatekeys" => updatekeys(&call)?,
        "groups add" => groups_add(&call)?,
        "groups delete" => groups_delete(&call)?,
        "exec-env" => exec_env(&call)?,
        "exec-file" => exec_file(&call)?,
        "publish" => publish(&call)?,
        _ if is_empty_yaml(&call) => return super::printed("{\"encrypted\":false}\n"),
        _ => filestatus(&call)?,
    };
    let command = call.command.to_owned();
    call.context.other_format = waits_for_change(&call) && has_other_format(&call);
    args::run_command(words.0, &mut call.context).or_else(|failure| as_sops_exits(&command, failure))
}

/// SOPS' exit codes where a command of its has others than `plomb`.
fn as_sops_exits(command: &str, failure: Failure) -> Outcome {
    let exit = match (command, failure.exit) {
        ("filestatus", _) | ("updatekeys" | "publish", Exit::NoFile | Exit::Input) => Exit::Generic,
        ("groups add" | "groups delete", Exit::NoKey) => Exit::Generic,
        (_, Exit::NoFile) => Exit::Input,
        (_, exit) => exit,
    };
    Err(failure.exit(exit))
}

/// A command line of `plomb`.
struct Words(Vec<OsString>);

impl Words {
    fn new(command: &str) -> Self {
        Self(command.split(' ').map(OsString::from).collect())
    }

    /// A switch, if it is on.
    fn switch(self, call: &Call<'_>, name: &str) -> Self {
        if call.line.is_on(name) { self.word(format!("--{name}")) } else { self }
    }

    /// A flag with its value, if it has one.
    fn value(self, call: &Call<'_>, name: &str) -> Self {
        match call.line.raw(name) {
            Some(value) => self.pair(name, value),
            None => self,
        }
    }

    fn values(self, call: &Call<'_>, names: &[&str]) -> Self {
        names.iter().fold(self, |words, name| words.value(call, name))
    }

    /// `--name=value`: the value may look like a flag.
    fn pair(self, name: &str, value: &OsStr) -> Self {
        let mut word = OsString::from(format!("--{name}="));
        word.push(value);
        self.word(word)
    }

    fn word(mut self, word: impl Into<OsString>) -> Self {
        self.0.push(word.into());
        self
    }

    /// What is no flag comes last.
    fn operands<T: AsRef<OsStr>>(self, operands: impl IntoIterator<Item = T>) -> Self {
        let words = self.word("--");
        operands.into_iter().fold(words, |words, operand| words.word(operand.as_ref()))
    }
}

/// The format flag. A name that stands in for the file's chooses the format where no flag does.
fn input_type(words: Words, call: &Call<'_>) -> Words {
    match (call.line.raw("input-type"), call.line.path("filename-override")) {
        (Some(format), _) => words.pair("input-type", format),
        (None, Some(name)) => words.pair("input-type", OsStr::new(crate::format::choose(None, &name).name())),
        (None, None) => words,
    }
}

/// Commands that write a file back write it in the format that it has. Where nothing may come to be written, only
/// that is refused.
fn keep_format(call: &Call<'_>, file: &Path) -> Result<(), Failure> {
    if has_other_format(call) && !waits_for_change(call) {
        return Err(crate::rewrite::other_format().in_file(file));
    }
    Ok(())
}

fn waits_for_change(call: &Call<'_>) -> bool {
    matches!(call.command, "set" | "unset") && call.line.is_on("idempotent")
}

fn has_other_format(call: &Call<'_>) -> bool {
    let file = || call.line.rest.first().map(PathBuf::from).unwrap_or_default();
    let name = call.line.path("filename-override").unwrap_or_else(file);
    let from = crate::format::choose(call.line.text("input-type").as_deref(), &name);
    let to = crate::format::choose(call.line.text("output-type").as_deref(), &name);
    from.name() != to.name()
}

/// In the old style SOPS looks for the creation rule first, and fails where none matches.
fn needs_rule(call: &Call<'_>, file: &Path) -> Result<(), Failure> {
    if call.old_style {
        let name = call.line.path("filename-override").unwrap_or_else(|| file.to_owned());
        call.context.policy_for(&name)?;
    }
    Ok(())
}

fn rotate(call: &Call<'_>) -> Result<Words, Failure> {
    let file = call.needed_file()?;
    if call.line.is_on("in-place") && call.line.raw("output").is_some() {
        return Err(Failure::new(Exit::Flags, "cannot operate on both --output and --in-place"));
    }
    must_have_keys_to_change(call, &file)?;
    if call.old_style {
        must_exist(&file)?;
    }
    call.check_keys()?;
    keep_format(call, &file)?;
    for kind in table::FOREIGN {
        policy::refuse(call, &[&format!("add-{kind}"), &format!("rm-{kind}")])?;
    }
    policy::refuse_empty(call, "add-age")?;
    needs_rule(call, &file)?;
    let words = Words::new("rotate").switch(call, "in-place");
    let words = words.values(call, &["output", "add-age", "rm-age", "filename-override", "input-type"]);
    Ok(words.operands([file]))
}

/// Keys of a file that is not there cannot be changed; SOPS has an exit code for that alone.
fn must_have_keys_to_change(call: &Call<'_>, file: &Path) -> Result<(), Failure> {
    let asked = table::FOREIGN
        .iter()
        .chain(&["age"])
        .any(|kind| ["add", "rm"].iter().any(|verb| call.line.raw(&format!("{verb}-{kind}")).is_some()));
    if asked && must_exist(file).is_err() {
        let what = "cannot add or remove keys on non-existent file";
        return Err(Failure::new(Exit::KeysOfMissingFile, what).in_file(file));
    }
    Ok(())
}

fn edit(call: &Call<'_>) -> Result<Words, Failure> {
    let file = call.needed_file()?;
    must_have_keys_to_change(call, &file)?;
    call.check_keys()?;
    keep_format(call, &file)?;
    needs_rule(call, &file)?;
    let words = Words::new("edit").switch(call, "ignore-mac").switch(call, "show-master-keys");
    let mut words = input_type(words, call);
    if must_exist(&file).is_err() {
        let flags = policy::flags(call, crate::format::choose(call.line.text("input-type").as_deref(), &file))?;
        let selectors = [
            ("age", &flags.age),
            ("encrypted-regex", &flags.encrypted_regex),
            ("unencrypted-regex", &flags.unencrypted_regex),
            ("encrypted-suffix", &flags.encrypted_suffix),
            ("unencrypted-suffix", &flags.unencrypted_suffix),
            ("encrypted-comment-regex", &flags.encrypted_comment_regex),
            ("unencrypted-comment-regex", &flags.unencrypted_comment_regex),
        ];
        for (name, value) in selectors {
            words = value.iter().fold(words, |words, value| words.pair(name, OsStr::new(value)));
        }
        if flags.mac_only_encrypted {
            words = words.word("--mac-only-encrypted");
        }
        if let Some(number) = flags.shamir_secret_sharing_threshold {
            words = words.word(format!("--shamir-secret-sharing-threshold={number}"));
        }
    }
    Ok(words.operands([file]))
}

fn set(call: &Call<'_>) -> Result<Words, Failure> {
    let (from_file, from_stdin) = (call.line.is_on("value-file"), call.line.is_on("value-stdin"));
    if from_file && from_stdin {
        return Err(Failure::new(Exit::Generic, "cannot use both --value-file and --value-stdin"));
    }
    let old_style = call.line.text("set");
    let operands: Vec<OsString> = match &old_style {
        Some(text) => {
            let (path, value) = text.split_once("] ").ok_or_else(|| {
                Failure::new(Exit::SetValue, "Invalid --set format: it is written as '[\"key\"][0] JSON'")
            })?;
            vec![call.needed_file()?.into(), format!("{path}]").into(), value.into()]
        }
        None => call.line.rest.clone(),
    };
    let needed = if from_stdin { 2 } else { 3 };
    if operands.len() != needed {
        let what = format!("no file specified, or index and value are missing: {needed} arguments are needed");
        return Err(Failure::new(Exit::NoFile, what));
    }
    let file = PathBuf::from(&operands[0]);
    call.check_keys()?;
    keep_format(call, &file)?;
    needs_rule(call, &file)?;
    let words = input_type(Words::new("set"), call).switch(call, "ignore-mac").switch(call, "idempotent");
    let words = match operands.get(2) {
        None => words.word("--value-stdin"),
        Some(path) if from_file => words.pair("value-file", path),
        Some(_) => words.word("--value-in-argv"),
    };
    let kept = if from_file { 2 } else { needed };
    Ok(words.operands(&operands[..kept]))
}

fn unset(call: &Call<'_>) -> Result<Words, Failure> {
    let [file, path] = call.line.rest.as_slice() else {
        return Err(Failure::new(Exit::NoFile, "no file specified, or index is missing"));
    };
    call.check_keys()?;
    keep_format(call, Path::new(file))?;
    let words = input_type(Words::new("unset"), call).switch(call, "ignore-mac").switch(call, "idempotent");
    Ok(words.operands([file, path]))
}

fn updatekeys(call: &Call<'_>) -> Result<Words, Failure> {
    if crate::config::above_current_folder().is_none() && call.context.config.is_none() {
        return Err(Failure::new(Exit::Generic, "config file not found"));
    }
    if call.line.rest.is_empty() {
        return Err(Failure::new(Exit::NoFile, "no file specified"));
    }
    call.check_keys()?;
    Ok(input_type(Words::new("updatekeys").switch(call, "yes"), call).operands(&call.line.rest))
}

fn groups_add(call: &Call<'_>) -> Result<Words, Failure> {
    if !call.line.rest.is_empty() {
        return Err(Failure::new(Exit::Generic, "no positional arguments allowed"));
    }
    policy::refuse(call, &table::FOREIGN)?;
    let recipients = call.line.texts("age");
    if recipients.is_empty() {
        return Err(Failure::new(Exit::Generic, "a key group needs recipients: --age is missing"));
    }
    let words = groups(call, "groups add")?;
    Ok(recipients.iter().fold(words, |words, name| words.pair("age", OsStr::new(name))))
}

fn groups_delete(call: &Call<'_>) -> Result<Words, Failure> {
    let [number] = call.line.rest.as_slice() else {
        return Err(Failure::new(Exit::Generic, "exactly one positional argument (index) required"));
    };
    if number.to_str().and_then(|text| text.parse::<u32>().ok()).is_none() {
        return Err(Failure::new(Exit::Generic, "failed to parse [index] argument: it is no number"));
    }
    Ok(groups(call, "groups delete")?.operands([number]))
}

fn groups(call: &Call<'_>, command: &str) -> Result<Words, Failure> {
    let missing = || Failure::new(Exit::Input, "no file specified: --file is missing");
    let file = call.line.path("file").ok_or_else(missing)?;
    call.check_keys()?;
    let mut words = Words::new(command).switch(call, "in-place").pair("file", file.as_os_str());
    if let Some(number) = call.line.number("shamir-secret-sharing-threshold").filter(|number| *number != 0) {
        words = words.word(format!("--shamir-secret-sharing-threshold={number}"));
    }
    Ok(words)
}

/// The file and the command to run.
fn program(call: &Call<'_>) -> Result<[OsString; 2], Failure> {
    let missing = |_| Failure::new(Exit::Generic, "missing file to decrypt");
    let operands = <[OsString; 2]>::try_from(call.line.rest.clone()).map_err(missing)?;
    if call.line.is_on("background") {
        let what = "--background is not supported: nobody would wipe the decrypted text";
        return Err(Failure::new(Exit::Generic, what).hint("put `&` behind the command line"));
    }
    call.check_keys()?;
    Ok(operands)
}

fn exec_env(call: &Call<'_>) -> Result<Words, Failure> {
    let operands = program(call)?;
    let words = Words::new("exec-env").switch(call, "pristine").switch(call, "same-process");
    Ok(words.value(call, "user").operands(operands))
}

fn exec_file(call: &Call<'_>) -> Result<Words, Failure> {
    let operands = program(call)?;
    let words = Words::new("exec-file").switch(call, "no-fifo");
    Ok(words.values(call, &["filename", "input-type", "output-type", "user"]).operands(operands))
}

fn publish(call: &Call<'_>) -> Result<Words, Failure> {
    if crate::config::above_current_folder().is_none() && call.context.config.is_none() {
        return Err(Failure::new(Exit::Generic, "config file not found"));
    }
    let path = call.needed_file()?;
    must_exist(&path).map_err(|failure| failure.exit(Exit::Generic))?;
    if path.is_dir() && !call.line.is_on("recursive") {
        return Err(Failure::new(Exit::Generic, "can't operate on a directory without --recursive flag").in_file(&path));
    }
    call.check_keys()?;
    let words = Words::new("publish").switch(call, "yes").switch(call, "omit-extensions");
    Ok(words.operands(files_below(path)))
}

/// The files of a folder and its folders, by name; links are not followed.
fn files_below(path: PathBuf) -> Vec<PathBuf> {
    if path.is_symlink() || !path.is_dir() {
        return vec![path];
    }
    let mut found: Vec<_> =
        std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found.into_iter().flat_map(files_below).collect()
}

fn filestatus(call: &Call<'_>) -> Result<Words, Failure> {
    let file = call.needed_file()?;
    Ok(input_type(Words::new("filestatus"), call).operands([file]))
}

/// To SOPS an empty YAML file is a plain one; an empty JSON file is broken.
fn is_empty_yaml(call: &Call<'_>) -> bool {
    let Some(file) = call.line.rest.first().map(Path::new) else { return false };
    let format = crate::format::choose(call.line.text("input-type").as_deref(), file);
    format.name() == "yaml" && std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() == 0)
}
