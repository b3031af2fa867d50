//! Encrypting and decrypting, with SOPS' flags.

use std::path::{Path, PathBuf};

use document::Format;
use document::format::RepeatedJson;
use secret::SecretBytes;
use sops::{SealOptions, Sealed};

use super::{Call, must_exist, policy};
use crate::commands::{decrypt, encrypt};
use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};
use crate::files::{self, Rewrite};
use crate::{format, result, ui};

/// The file that `--output` names; to SOPS `-` is the name of one like any other.
fn output(call: &Call<'_>) -> Option<PathBuf> {
    call.line.path("output").map(|path| if path == Path::new("-") { PathBuf::from("./-") } else { path })
}

/// What is read and under which name and formats.
struct Input {
    /// `None` for standard input.
    file: Option<PathBuf>,
    /// The name that chooses rule and format.
    name: PathBuf,
    from: &'static dyn Format,
    to: &'static dyn Format,
}

impl Input {
    fn of(call: &Call<'_>) -> Result<Self, Failure> {
        let in_place = call.line.is_on("in-place");
        let file = call.file();
        if file.is_none() && in_place {
            return Err(Failure::new(Exit::Flags, "cannot use --in-place when reading from stdin"));
        }
        if file.is_none() && call.command == "encrypt" && call.line.raw("filename-override").is_none() {
            let what = "must specify --filename-override when reading from stdin";
            return Err(Failure::new(Exit::Flags, what));
        }
        if in_place && call.line.raw("output").is_some() {
            return Err(Failure::new(Exit::Flags, "cannot operate on both --output and --in-place"));
        }
        file.as_deref().map_or(Ok(()), must_exist)?;
        let name = call.line.path("filename-override").or_else(|| file.clone()).unwrap_or_default();
        let from = format::choose(call.line.text("input-type").as_deref(), &name);
        let to = format::choose(call.line.text("output-type").as_deref(), &name);
        Ok(Self { file, name, from, to })
    }

    /// What messages call it.
    fn shown(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("standard input"))
    }

    fn read(&self) -> Result<SecretBytes, Failure> {
        let limit = Context::limit(self.from);
        self.file.as_deref().map_or_else(|| files::read_stdin(limit), |file| files::read_named(file, limit))
    }

    /// Turns the text into another one and puts that where the flags say.
    fn transform(
        &self,
        call: &Call<'_>,
        change: impl Fn(SecretBytes) -> Result<SecretBytes, Failure>,
    ) -> Result<(), Failure> {
        match &self.file {
            Some(file) if call.line.is_on("in-place") => {
                let rewrite = Rewrite::begin(file, Context::limit(self.from))?;
                let after = change(rewrite.before().duplicate())?;
                rewrite.commit(after.expose())?;
                call.context.tell("CMD", "info", "File written successfully", None);
                Ok(())
            }
            _ => result::put(output(call).as_deref(), change(self.read()?)?.expose()),
        }
    }

    fn can_read(&self, text: &SecretBytes) -> bool {
        self.from.parse(text.duplicate()).is_ok()
    }

    /// Runs `job`. JSON with members of the same name is refused by the strict reader and accepted by SOPS:
    /// then it runs again with the lenient one.
    fn tolerant<T>(
        &self,
        text: SecretBytes,
        job: impl Fn(SecretBytes, &'static dyn Format) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.from.name() != "json" {
            return job(text, self.from);
        }
        let result = job(text.duplicate(), self.from);
        if result.is_ok() || self.can_read(&text) || RepeatedJson.parse(text.duplicate()).is_err() {
            return result;
        }
        let name = crate::paths::shown(self.shown());
        ui::note(&format!("warning: {name}: has members of the same name; most programs see only one of them"));
        job(text, &RepeatedJson)
    }
}

/// `sops encrypt`, `sops -e`.
pub(super) fn encrypt(call: &mut Call<'_>) -> Outcome {
    let input = Input::of(call)?;
    call.check_keys()?;
    let flags = policy::flags(call, input.from)?;
    // SOPS changes the digits of big integers in clear when it writes them; here the text stays as it is.
    let options = SealOptions { allow_big_integers: true, ..SealOptions::default() };
    let seal = |text: SecretBytes, from: &'static dyn Format| {
        let output = if from.name() == input.to.name() { from } else { input.to };
        encrypt::encrypt(encrypt::Job { name: &input.name, text, input: from, output, options }, &flags, &call.context)
    };
    let one = |text: SecretBytes| {
        let sealed: Sealed = input.tolerant(text, seal)?;
        ui::notices(input.shown(), &sealed.notices);
        Ok(sealed.text.into_whole())
    };
    input.transform(call, one).map_err(|failure| failure.in_file(input.shown()))?;
    Ok(Exit::Ok)
}

/// `sops decrypt`, `sops -d`.
pub(super) fn decrypt(call: &mut Call<'_>) -> Outcome {
    let input = Input::of(call)?;
    call.check_keys()?;
    let path = call.line.text("extract");
    let one = |text: SecretBytes| {
        input.tolerant(text, |text, from| {
            let to = if from.name() == input.to.name() { from } else { input.to };
            let job = decrypt::Job { name: &input.name, text, input: from, output: to, extract: path.as_deref() };
            decrypt::decrypt(job, &call.context)
        })
    };
    input.transform(call, one).map_err(|failure| failure.in_file(input.shown()))?;
    Ok(Exit::Ok)
}

/// What `sops -e` checks even where another of the old switches decides about the result.
pub(super) fn check_policy(call: &Call<'_>) -> Result<(), Failure> {
    let input = Input::of(call)?;
    let rule = call.context.policy_for(&input.name)?;
    policy::flags(call, input.from)?.over(rule, &input.name).map(drop)
}
